/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/call_table.h"

#include <assert.h>

#define ALIGNMENT   64
#define VICTIM_LOOK 8 /* of a tenant's oldest, how many are looked at for one that is over */

static uint32_t bucket_count(uint32_t calls)
{
	uint32_t n = 16;

	while (n < calls)
		n *= 2;
	return n;
}

static size_t aligned(size_t size)
{
	return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

void call_config_default(struct call_config *config)
{
	const uint64_t second = UINT64_C(1000000000);

	*config = (struct call_config){
		.short_ns = 6 * second,
		.no_final_ns = 180 * second,
		.no_bye_ns = 4 * 3600 * second,
		.linger_ns = 32 * second, /* RFC 3261 17.1.1.2: timer D, 64*T1 */
		.asr_mode = CALL_ASR_PROVISIONAL,
		.tenant_max = UINT32_MAX,
	};
}

size_t call_table_size(const struct call_config *config)
{
	return aligned(sizeof(struct call_table)) + aligned(config->calls * sizeof(struct call)) +
	       aligned(config->tenants * sizeof(struct call_tenant)) +
	       aligned(bucket_count(config->calls) * sizeof(uint32_t));
}

struct call_table *call_table_init(void *memory, const struct call_config *config)
{
	struct call_table *t = memory;
	uint8_t *at = memory;
	uint32_t buckets = bucket_count(config->calls);

	assert(config->calls > 0 && config->calls < CALL_NONE / 2 && config->tenants > 0);
	memset(t, 0, sizeof(*t));
	t->config = *config;
	at += aligned(sizeof(*t));
	t->calls = (struct call *)at;
	at += aligned(config->calls * sizeof(struct call));
	t->tenants = (struct call_tenant *)at;
	at += aligned(config->tenants * sizeof(struct call_tenant));
	t->buckets = (uint32_t *)at;
	t->mask = buckets - 1;
	memset(t->buckets, 0xff, buckets * sizeof(uint32_t)); /* CALL_NONE */
	for (uint32_t i = 0; i < config->tenants; i++)
		t->tenants[i] = (struct call_tenant){CALL_NONE, CALL_NONE, 0, 0};
	t->free = CALL_NONE;
	return t;
}

void call_table_choose(struct call_table *t, const struct call_config *config)
{
	t->config.short_ns = config->short_ns;
	t->config.no_final_ns = config->no_final_ns;
	t->config.no_bye_ns = config->no_bye_ns;
	t->config.linger_ns = config->linger_ns;
	t->config.asr_mode = config->asr_mode;
}

static uint32_t index_of(const struct call_table *t, const struct call *call)
{
	return (uint32_t)(call - t->calls);
}

uint32_t call_count(const struct call_table *t)
{
	return t->used;
}

uint64_t call_hash_of(const struct call_table *t, struct bytes call_id, struct bytes tag)
{
	struct siphash h;
	uint32_t border = (uint32_t)call_id.len; /* or ("ab", "c") would be ("a", "bc") */
	uint64_t hash;

	siphash_init(&h, t->config.key);
	siphash_add(&h, call_id.p, call_id.len);
	siphash_add(&h, tag.p, tag.len);
	siphash_add(&h, &border, sizeof(border));
	hash = siphash_end(&h);
	return hash ? hash : 1;
}

uint64_t call_hash(const struct call_table *t, const struct sip_message *msg)
{
	return call_hash_of(t, msg->call_id, msg->from.tag);
}

/* A call may be several tenants', each at a place of its own (the factor: 2^64 / golden ratio). */
static uint32_t *bucket_of(const struct call_table *t, uint32_t tenant, uint64_t hash)
{
	return &t->buckets[(hash + tenant * UINT64_C(0x9e3779b97f4a7c15)) >> 32 & t->mask];
}

/* Another thread may be about to prefetch what the link leads to. */
static void link_set(uint32_t *link, uint32_t call)
{
	__atomic_store_n(link, call, __ATOMIC_RELAXED);
}

void call_prefetch_index(const struct call_table *t, uint32_t tenant, uint64_t hash)
{
	__builtin_prefetch(bucket_of(t, tenant, hash), 1);
	__builtin_prefetch(&t->tenants[tenant], 1);
}

void call_prefetch(const struct call_table *t, uint32_t tenant, uint64_t hash)
{
	uint32_t i = __atomic_load_n(bucket_of(t, tenant, hash), __ATOMIC_RELAXED);

	if (i == CALL_NONE)
		return;
	__builtin_prefetch(&t->calls[i], 1);
	__builtin_prefetch(&t->calls[i].call_id, 1);
}

static struct bytes call_id_cut(struct bytes call_id)
{
	return bytes_of(call_id.p, call_id.len < CALL_ID_COPY ? call_id.len : CALL_ID_COPY);
}

struct call *call_find(const struct call_table *t, uint64_t hash, uint32_t tenant,
		       struct bytes call_id)
{
	call_id = call_id_cut(call_id);
	for (uint32_t i = *bucket_of(t, tenant, hash); i != CALL_NONE; i = t->calls[i].next) {
		struct call *call = &t->calls[i];

		if (call->hash == hash && call->tenant == tenant &&
		    bytes_eq(bytes_of(call->call_id, call->call_id_len), call_id))
			return call;
	}
	return NULL;
}

static void tenant_link(struct call_table *t, struct call *call)
{
	struct call_tenant *tenant = &t->tenants[call->tenant];
	uint32_t i = index_of(t, call);

	call->newer = CALL_NONE;
	call->older = tenant->newest;
	if (tenant->newest == CALL_NONE)
		tenant->oldest = i;
	else
		t->calls[tenant->newest].newer = i;
	tenant->newest = i;
}

static void tenant_unlink(struct call_table *t, struct call *call)
{
	struct call_tenant *tenant = &t->tenants[call->tenant];

	if (call->older == CALL_NONE)
		tenant->oldest = call->newer;
	else
		t->calls[call->older].newer = call->newer;
	if (call->newer == CALL_NONE)
		tenant->newest = call->older;
	else
		t->calls[call->newer].older = call->older;
}

struct call *call_insert(struct call_table *t, uint64_t hash, uint32_t tenant, struct bytes call_id)
{
	uint32_t *bucket = bucket_of(t, tenant, hash);
	struct call *call;
	uint32_t i;

	if (t->tenants[tenant].count >= t->config.tenant_max)
		return NULL;
	if (t->free != CALL_NONE)
		i = t->free;
	else if (t->fresh < t->config.calls)
		i = t->fresh++;
	else
		return NULL;
	call = &t->calls[i];
	if (i == t->free)
		t->free = call->next;
	memset(call, 0, sizeof(*call));
	call->hash = hash;
	call->tenant = tenant;
	call_id = call_id_cut(call_id);
	call->call_id_len = (uint8_t)call_id.len;
	if (call_id.len)
		memcpy(call->call_id, call_id.p, call_id.len);
	call->next = *bucket;
	link_set(bucket, i);
	tenant_link(t, call);
	t->tenants[tenant].count++;
	t->used++;
	call_become(t, call, CALL_TRYING);
	return call;
}

void call_remove(struct call_table *t, struct call *call)
{
	uint32_t i = index_of(t, call);
	uint32_t *link = bucket_of(t, call->tenant, call->hash);

	while (*link != i)
		link = &t->calls[*link].next;
	link_set(link, call->next);
	tenant_unlink(t, call);
	t->tenants[call->tenant].count--;
	t->used--;
	call_become(t, call, CALL_FREE);
	call->next = t->free;
	t->free = i;
}

void call_touch(struct call_table *t, struct call *call, uint64_t now)
{
	call->touched = now;
	tenant_unlink(t, call);
	tenant_link(t, call);
}

static bool is_open(unsigned state)
{
	return state == CALL_TRYING || state == CALL_ANSWERED;
}

void call_become(struct call_table *t, struct call *call, enum call_state state)
{
	const int more = is_open(state) - is_open(call->state);

	call->state = (uint8_t)state;
	if (!more)
		return;
	t->tenants[call->tenant].open += (uint32_t)more;
	if (t->config.opened)
		t->config.opened(t->config.ctx, call->tenant, more);
}

uint32_t call_open_count(const struct call_table *t, uint32_t tenant)
{
	return tenant < t->config.tenants ? t->tenants[tenant].open : 0;
}

bool call_is_over(const struct call *call)
{
	return call->state != CALL_TRYING && call->state != CALL_ANSWERED &&
	       call->state != CALL_CHALLENGED;
}

struct call *call_victim(const struct call_table *t, uint32_t tenant)
{
	uint32_t oldest = t->tenants[tenant].oldest, i = oldest;

	for (int n = 0; i != CALL_NONE && n < VICTIM_LOOK; n++) {
		if (call_is_over(&t->calls[i]))
			return &t->calls[i];
		i = t->calls[i].newer;
	}
	return oldest == CALL_NONE ? NULL : &t->calls[oldest];
}
