/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/flow_table.h"

#include <rte_common.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_prefetch.h>
#include <string.h>

#include "dataplane/policy/memory.h"

#define WAYS          8
#define NONE          UINT32_MAX
#define SECOND_CHANCE 16                      /* busy flows spared before one goes anyway */
#define BURST_FLOWS   64                      /* at most so many are in this round's burst */
#define BUSY_NS       (10ULL * 1000000000ULL) /* seen within: busy */

struct bucket {
	uint32_t tag[WAYS]; /* 0: free */
	uint32_t flow[WAYS];
} __rte_cache_aligned;

struct tenant_flows {
	uint32_t oldest, newest, count;
};

struct flow_table {
	struct bucket *buckets;
	uint32_t mask;
	struct flow *flows;
	uint32_t capacity, count, share, hand, round;
	uint32_t *unused; /* stack of free slots */
	struct tenant_flows *tenants;
	uint32_t tenant_count;
	flow_end_fn end;
	void *ctx;
};

static uint32_t hash_tag(uint64_t hash)
{
	uint32_t tag = (uint32_t)(hash >> 32);

	return tag ? tag : 1;
}

static struct bucket *bucket_first(const struct flow_table *t, uint64_t hash)
{
	return &t->buckets[hash & t->mask];
}

static struct bucket *bucket_second(const struct flow_table *t, uint64_t hash)
{
	return &t->buckets[(hash ^ ((uint64_t)hash_tag(hash) * 0x5bd1e995)) & t->mask];
}

struct flow_table *flow_table_new(uint32_t flows, uint32_t tenants, uint32_t share, flow_end_fn end,
				  void *ctx)
{
	struct flow_table *t = rte_zmalloc("flow_table", sizeof(*t), 0);
	uint32_t buckets = rte_align32pow2(RTE_MAX(flows / 4, 16u));

	if (!t)
		return NULL;
	t->mask = buckets - 1;
	t->capacity = flows;
	t->tenant_count = tenants;
	t->buckets = memory_reserve(sizeof(*t->buckets) * buckets, MEMORY_DENSE);
	t->flows = memory_reserve(sizeof(*t->flows) * flows, MEMORY_DENSE);
	t->unused = memory_reserve(sizeof(*t->unused) * flows, MEMORY_DENSE);
	t->tenants = memory_reserve(sizeof(*t->tenants) * tenants, MEMORY_DENSE);
	if (!t->buckets || !t->flows || !t->unused || !t->tenants) {
		flow_table_free(t);
		rte_errno = ENOMEM;
		return NULL;
	}
	t->share = share ? share : flows;
	for (uint32_t i = 0; i < flows; i++)
		t->unused[i] = flows - 1 - i;
	for (uint32_t i = 0; i < tenants; i++)
		t->tenants[i] = (struct tenant_flows){NONE, NONE, 0};
	t->end = end;
	t->ctx = ctx;
	return t;
}

void flow_table_free(struct flow_table *t)
{
	if (!t)
		return;
	memory_release(t->buckets, sizeof(*t->buckets) * (t->mask + 1));
	memory_release(t->flows, sizeof(*t->flows) * t->capacity);
	memory_release(t->unused, sizeof(*t->unused) * t->capacity);
	memory_release(t->tenants, sizeof(*t->tenants) * t->tenant_count);
	rte_free(t);
}

/* A bit for each way with this tag. No way out of the loop, so that it is a vector's work. */
static inline unsigned ways_tagged(const struct bucket *b, uint32_t tag)
{
	unsigned ways = 0;

	for (unsigned i = 0; i < WAYS; i++)
		ways |= (unsigned)(b->tag[i] == tag) << i;
	return ways;
}

void flow_table_prefetch(const struct flow_table *t, uint64_t hash)
{
	rte_prefetch0(bucket_first(t, hash));
}

void flow_table_prefetch_tenant(const struct flow_table *t, uint32_t tenant)
{
	rte_prefetch0(&t->tenants[tenant]);
}

struct flow *flow_table_candidate(const struct flow_table *t, uint64_t hash)
{
	const struct bucket *b = bucket_first(t, hash);
	unsigned ways = ways_tagged(b, hash_tag(hash));

	if (ways)
		return &t->flows[b->flow[__builtin_ctz(ways)]];
	rte_prefetch0(bucket_second(t, hash));
	return NULL;
}

static struct flow *bucket_find(const struct flow_table *t, const struct bucket *b, uint32_t tag,
				const struct flow_key *key, uint64_t hash)
{
	for (unsigned ways = ways_tagged(b, tag); ways; ways &= ways - 1) {
		struct flow *f = &t->flows[b->flow[__builtin_ctz(ways)]];

		if (flow_is(f, key, hash))
			return f;
	}
	return NULL;
}

struct flow *flow_table_lookup(const struct flow_table *t, const struct flow_key *key,
			       uint64_t hash)
{
	uint32_t tag = hash_tag(hash);
	struct flow *f = bucket_find(t, bucket_first(t, hash), tag, key, hash);

	return f ? f : bucket_find(t, bucket_second(t, hash), tag, key, hash);
}

static void tenant_link(struct flow_table *t, uint32_t i)
{
	struct tenant_flows *own = &t->tenants[t->flows[i].tenant];

	t->flows[i].tenant_next = NONE;
	t->flows[i].tenant_prev = own->newest;
	if (own->newest != NONE)
		t->flows[own->newest].tenant_next = i;
	else
		own->oldest = i;
	own->newest = i;
	own->count++;
}

static void tenant_unlink(struct flow_table *t, uint32_t i)
{
	struct flow *f = &t->flows[i];
	struct tenant_flows *own = &t->tenants[f->tenant];

	if (f->tenant_prev != NONE)
		t->flows[f->tenant_prev].tenant_next = f->tenant_next;
	else
		own->oldest = f->tenant_next;
	if (f->tenant_next != NONE)
		t->flows[f->tenant_next].tenant_prev = f->tenant_prev;
	else
		own->newest = f->tenant_prev;
	own->count--;
}

static bool bucket_clear(struct bucket *b, uint32_t flow)
{
	for (unsigned i = 0; i < WAYS; i++) {
		if (b->tag[i] && b->flow[i] == flow) {
			b->tag[i] = 0;
			return true;
		}
	}
	return false;
}

static void index_forget(struct flow_table *t, const struct flow *f)
{
	uint32_t i = (uint32_t)(f - t->flows);

	if (!bucket_clear(bucket_first(t, f->hash), i))
		bucket_clear(bucket_second(t, f->hash), i);
}

void flow_table_remove(struct flow_table *t, struct flow *f, enum reason why)
{
	uint32_t i = (uint32_t)(f - t->flows);

	t->end(t->ctx, f, why);
	index_forget(t, f);
	tenant_unlink(t, i);
	f->used = false;
	t->unused[t->capacity - t->count] = i;
	t->count--;
}

void flow_table_round(struct flow_table *t, uint32_t round)
{
	t->round = round;
}

/*
 * Nobody has looked at a tenant's oldest flows for long, and they go one after the other: what
 * the next removal touches is on its way before it comes to that.
 */
static void prefetch_victims(const struct flow_table *t, const struct tenant_flows *own)
{
	const struct flow *next;

	if (own->oldest == NONE)
		return;
	next = &t->flows[own->oldest];
	rte_prefetch0(bucket_first(t, next->hash));
	if (next->tenant_next != NONE)
		flow_prefetch(&t->flows[next->tenant_next]);
}

/* The tenant's oldest flow that is not busy; after some busy ones, the oldest. */
static bool evict_of_tenant(struct flow_table *t, uint32_t tenant, uint64_t newest_seen)
{
	struct tenant_flows *own = &t->tenants[tenant];

	for (unsigned i = 0; i < SECOND_CHANCE + BURST_FLOWS; i++) {
		uint32_t oldest = own->oldest;
		struct flow *f = &t->flows[oldest];

		if (f->round != t->round &&
		    (i >= SECOND_CHANCE || f->last_seen + BUSY_NS < newest_seen)) {
			flow_table_remove(t, f, REASON_FLOW_EVICTED);
			prefetch_victims(t, own);
			return true;
		}
		tenant_unlink(t, oldest);
		tenant_link(t, oldest);
	}
	return false;
}

/* When the tenant itself has none: whoever has most pays. */
static uint32_t tenant_with_most(const struct flow_table *t)
{
	uint32_t most = 0;

	for (uint32_t i = 1; i < t->tenant_count; i++)
		if (t->tenants[i].count > t->tenants[most].count)
			most = i;
	return most;
}

static int bucket_free_way(const struct bucket *b)
{
	for (int i = 0; i < WAYS; i++)
		if (!b->tag[i])
			return i;
	return -1;
}

static bool better_victim(const struct flow *f, const struct flow *than, uint32_t tenant)
{
	if (!than)
		return true;
	if ((f->tenant == tenant) != (than->tenant == tenant))
		return f->tenant == tenant;
	return f->last_seen < than->last_seen;
}

/* Both buckets full: the flow there that was idle longest goes, the tenant's own before others'. */
static bool evict_of_buckets(struct flow_table *t, struct bucket *pair[2], uint32_t tenant)
{
	struct flow *victim = NULL;

	for (unsigned i = 0; i < 2 * WAYS; i++) {
		struct flow *f = &t->flows[pair[i / WAYS]->flow[i % WAYS]];

		if (f->round != t->round && better_victim(f, victim, tenant))
			victim = f;
	}
	if (victim)
		flow_table_remove(t, victim, REASON_FLOW_EVICTED);
	return victim != NULL;
}

static bool make_room(struct flow_table *t, uint32_t tenant)
{
	struct tenant_flows *own = &t->tenants[tenant];

	if (own->count >= t->share || (t->count == t->capacity && own->count > 0))
		return evict_of_tenant(t, tenant, t->flows[own->newest].last_seen);
	if (t->count == t->capacity)
		return evict_of_tenant(t, tenant_with_most(t), 0);
	return true;
}

/* A free way in either bucket, the first preferred; NULL: none. */
static struct bucket *bucket_with_room(struct bucket *pair[2], int *way)
{
	for (unsigned i = 0; i < 2; i++) {
		*way = bucket_free_way(pair[i]);
		if (*way >= 0)
			return pair[i];
	}
	return NULL;
}

struct flow *flow_table_insert(struct flow_table *t, const struct flow_key *key, uint64_t hash,
			       uint32_t tenant)
{
	struct bucket *pair[2] = {bucket_first(t, hash), bucket_second(t, hash)};
	struct bucket *b;
	struct flow *f;
	uint32_t i;
	int way;

	if (!make_room(t, tenant))
		return NULL;
	b = bucket_with_room(pair, &way);
	if (!b && evict_of_buckets(t, pair, tenant))
		b = bucket_with_room(pair, &way);
	if (!b)
		return NULL;
	t->count++;
	i = t->unused[t->capacity - t->count];
	f = &t->flows[i];
	memset(f, 0, sizeof(*f));
	f->key = *key;
	f->hash = hash;
	f->tenant = tenant;
	f->used = true;
	b->tag[way] = hash_tag(hash);
	b->flow[way] = i;
	tenant_link(t, i);
	return f;
}

void flow_table_detach(struct flow_table *t, struct flow *f)
{
	index_forget(t, f);
}

void flow_table_sweep(struct flow_table *t, uint64_t now, unsigned n,
		      uint64_t (*deadline)(const void *ctx, const struct flow *f))
{
	for (unsigned i = 0; i < n; i++) {
		struct flow *f = &t->flows[t->hand];

		t->hand = t->hand + 1 < t->capacity ? t->hand + 1 : 0;
		if (f->used && deadline(t->ctx, f) < now)
			flow_table_remove(t, f, REASON_NONE);
	}
}

void flow_table_flush(struct flow_table *t)
{
	for (uint32_t i = 0; i < t->capacity && t->count; i++)
		if (t->flows[i].used)
			flow_table_remove(t, &t->flows[i], REASON_NONE);
}

uint32_t flow_table_count(const struct flow_table *t)
{
	return t->count;
}

size_t flow_table_flow_size(void)
{
	/* Buckets: eight entries for four flows. */
	return sizeof(struct flow) + sizeof(uint32_t) + 2 * sizeof(struct bucket) / WAYS;
}
