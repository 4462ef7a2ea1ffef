/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of a worker's flows: two choices of eight-way buckets, a cache line
 * each, and a fixed array of flows. A tenant holds at most its share; when it
 * is used up, or the table is full, the tenant's own oldest idle flow goes first.
 */
#ifndef POSTERN_FLOW_TABLE_H
#define POSTERN_FLOW_TABLE_H

#include "dataplane/flow.h"
#include "dataplane/flow_key.h"

struct flow_table;

/* Told of each flow before it is forgotten, to end its parsers and give back what it holds. */
typedef void (*flow_end_fn)(void *ctx, struct flow *f, enum reason why);

/*
 * flows: capacity; tenants: slots; share: flows a tenant may hold (0: all).
 * Memory is reserved here, once. NULL and rte_errno when there is not enough.
 */
struct flow_table *flow_table_new(uint32_t flows, uint32_t tenants, uint32_t share, flow_end_fn end,
				  void *ctx);
void flow_table_free(struct flow_table *t);

void flow_table_prefetch(const struct flow_table *t, uint64_t hash);

/* A new flow of the tenant's may be made. */
void flow_table_prefetch_tenant(const struct flow_table *t, uint32_t tenant);

/* First guess for the second prefetch: a flow whose tag matches, or NULL: the second bucket is on
 * its way then. */
struct flow *flow_table_candidate(const struct flow_table *t, uint64_t hash);

/* Whether a flow, a candidate say, is that of the key. */
static inline bool flow_is(const struct flow *f, const struct flow_key *key, uint64_t hash)
{
	return f->used && f->hash == hash && flow_key_eq(&f->key, key);
}

struct flow *flow_table_lookup(const struct flow_table *t, const struct flow_key *key,
			       uint64_t hash);

/* Flows touched in this round (flow->round) are in a burst's hands: they are not evicted. */
void flow_table_round(struct flow_table *t, uint32_t round);

/*
 * Zeroed but for key, hash and tenant; somebody's oldest flow makes room where there is none.
 * NULL: all that could make room are in this round's burst.
 */
struct flow *flow_table_insert(struct flow_table *t, const struct flow_key *key, uint64_t hash,
			       uint32_t tenant);

void flow_table_remove(struct flow_table *t, struct flow *f, enum reason why);

/* The index forgets the flow, so that its ports can have another; its removal is still due. */
void flow_table_detach(struct flow_table *t, struct flow *f);

/* Looks at up to `n` flows, round robin, and removes those idle for longer than `idle` says. */
void flow_table_sweep(struct flow_table *t, uint64_t now, unsigned n,
		      uint64_t (*deadline)(const void *ctx, const struct flow *f));

/* Removes all, in the order of their slots. */
void flow_table_flush(struct flow_table *t);

uint32_t flow_table_count(const struct flow_table *t);

/* Bytes of memory a flow costs, its share of the index included. */
size_t flow_table_flow_size(void);

#endif
