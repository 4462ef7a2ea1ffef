/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/sip_refused.h"

#define ALIGNMENT 64
#define NONE      UINT32_MAX

/* All live equally long: a ring, the oldest first. */
struct sip_refused_table {
	struct sip_refused_config config;
	struct sip_refused *ring;
	uint32_t *tenants; /* entries of each */
	uint32_t *buckets;
	uint32_t mask; /* buckets - 1 */
	uint32_t oldest, used;
};

static size_t aligned(size_t size)
{
	return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static uint32_t bucket_count(uint32_t entries)
{
	uint32_t n = 16;

	while (n < entries)
		n *= 2;
	return n;
}

size_t sip_refused_size(const struct sip_refused_config *config)
{
	return aligned(sizeof(struct sip_refused_table)) +
	       aligned(config->entries * sizeof(struct sip_refused)) +
	       aligned(config->tenants * sizeof(uint32_t)) +
	       aligned(bucket_count(config->entries) * sizeof(uint32_t));
}

struct sip_refused_table *sip_refused_init(void *memory, const struct sip_refused_config *config)
{
	struct sip_refused_table *t = memory;
	uint8_t *at = memory;
	uint32_t buckets = bucket_count(config->entries);

	memset(t, 0, sizeof(*t));
	t->config = *config;
	at += aligned(sizeof(*t));
	t->ring = (struct sip_refused *)at;
	at += aligned(config->entries * sizeof(struct sip_refused));
	t->tenants = (uint32_t *)at;
	memset(t->tenants, 0, config->tenants * sizeof(uint32_t));
	at += aligned(config->tenants * sizeof(uint32_t));
	t->buckets = (uint32_t *)at;
	t->mask = buckets - 1;
	memset(t->buckets, 0xff, buckets * sizeof(uint32_t)); /* NONE */
	return t;
}

void sip_refused_linger(struct sip_refused_table *t, uint64_t linger_ns)
{
	t->config.linger_ns = linger_ns;
}

uint32_t sip_refused_count(const struct sip_refused_table *t, uint32_t tenant)
{
	/* Most often there are none at all, and then no tenant's line is needed. */
	if (!__atomic_load_n(&t->used, __ATOMIC_RELAXED))
		return 0;
	return __atomic_load_n(&t->tenants[tenant], __ATOMIC_RELAXED);
}

static void count(struct sip_refused_table *t, uint32_t tenant, uint32_t n)
{
	__atomic_store_n(&t->tenants[tenant], n, __ATOMIC_RELAXED);
}

static uint32_t *bucket_of(const struct sip_refused_table *t, uint64_t key)
{
	return &t->buckets[key >> 32 & t->mask];
}

static bool is_over(const struct sip_refused_table *t, const struct sip_refused *r, uint64_t now)
{
	return now > r->since && now - r->since > t->config.linger_ns;
}

static void forget_oldest(struct sip_refused_table *t)
{
	struct sip_refused *r = &t->ring[t->oldest];
	uint32_t *link = bucket_of(t, r->key);

	while (*link != t->oldest)
		link = &t->ring[*link].next;
	*link = r->next;
	count(t, r->tenant, t->tenants[r->tenant] - 1);
	t->oldest = t->oldest + 1 < t->config.entries ? t->oldest + 1 : 0;
	__atomic_store_n(&t->used, t->used - 1, __ATOMIC_RELAXED);
}

void sip_refused_expire(struct sip_refused_table *t, uint64_t now, uint32_t budget)
{
	while (budget-- > 0 && t->used && is_over(t, &t->ring[t->oldest], now))
		forget_oldest(t);
}

struct sip_refused *sip_refused_find(struct sip_refused_table *t, uint64_t now, uint32_t tenant,
				     struct sip_transaction transaction)
{
	uint32_t method = transaction.method;

	if (!transaction.key || !t->tenants[tenant])
		return NULL;
	for (uint32_t i = *bucket_of(t, transaction.key); i != NONE; i = t->ring[i].next) {
		struct sip_refused *r = &t->ring[i];

		if (r->key == transaction.key && r->tenant == tenant &&
		    (method == SIP_METHOD_ANY || r->method == method) && !is_over(t, r, now))
			return r;
	}
	return NULL;
}

static bool has_room(const struct sip_refused_table *t, uint32_t tenant)
{
	return t->used < t->config.entries && t->tenants[tenant] < t->config.tenant_max;
}

struct sip_refused *sip_refused_add(struct sip_refused_table *t, uint64_t now, uint32_t tenant,
				    struct sip_transaction transaction)
{
	uint32_t *bucket = bucket_of(t, transaction.key), i;
	struct sip_refused *r;

	/* What is over takes no room, whenever somebody last looked at it. */
	while (!has_room(t, tenant) && t->used && is_over(t, &t->ring[t->oldest], now))
		forget_oldest(t);
	if (!transaction.key || !has_room(t, tenant))
		return NULL;
	i = (uint32_t)(((uint64_t)t->oldest + t->used) % t->config.entries);
	r = &t->ring[i];
	*r = (struct sip_refused){
		.key = transaction.key,
		.since = now,
		.method = transaction.method,
		.tenant = tenant,
		.next = *bucket,
	};
	*bucket = i;
	__atomic_store_n(&t->used, t->used + 1, __ATOMIC_RELAXED);
	count(t, tenant, t->tenants[tenant] + 1);
	return r;
}
