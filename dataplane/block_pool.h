/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker's blocks of one size: the memory behind struct proto_pool. Reserved
 * once; taking and giving back are a few instructions. A tenant holds at most
 * its share: the caller names the tenant before it hands the pool to a parser.
 */
#ifndef POSTERN_BLOCK_POOL_H
#define POSTERN_BLOCK_POOL_H

#include <stdint.h>

#include "dataplane/proto/pool.h"

struct block_pool {
	struct proto_pool pool; /* first: what parsers see */
	uint32_t capacity, used;
	uint32_t share;    /* blocks a tenant may hold */
	uint32_t *tenants; /* blocks held, by slot */
	uint32_t tenant;   /* who takes and gives back now */
	uint32_t stride;   /* bytes from block to block */
	void *unused;      /* list of blocks given back */
	uint8_t *fresh;    /* blocks never used yet start here */
	uint8_t *memory;
};

/* 0 or -ENOMEM. block_size in bytes; share 0: no limit. */
int block_pool_init(struct block_pool *p, const char *name, size_t block_size, uint32_t capacity,
		    uint32_t tenants, uint32_t share);
void block_pool_fini(struct block_pool *p);

static inline struct proto_pool *block_pool_for(struct block_pool *p, uint32_t tenant)
{
	p->tenant = tenant;
	return &p->pool;
}

#endif
