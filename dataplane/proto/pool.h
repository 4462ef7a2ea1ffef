/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a parser gets memory that outlives a packet.
 *
 * Parsers never allocate. What must survive from one packet to the next (the
 * first half of a line, the state of a message in flight) lives in blocks that
 * the caller lends: fixed sizes, from the worker's own pools, so an idle
 * session holds none. `get` returns NULL when the pool or the tenant's share
 * is used up; the parser then loses its place and says so. Same thread only.
 */
#ifndef POSTERN_PROTO_POOL_H
#define POSTERN_PROTO_POOL_H

#include <stddef.h>

struct proto_pool {
	void *(*get)(struct proto_pool *pool);
	void (*put)(struct proto_pool *pool, void *block);
	size_t block_size; /* bytes */
};

static inline void *pool_get(struct proto_pool *pool)
{
	return pool->get(pool);
}

static inline void pool_put(struct proto_pool *pool, void *block)
{
	pool->put(pool, block);
}

#endif
