/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/block_pool.h"

#include <errno.h>
#include <rte_common.h>
#include <rte_malloc.h>

#include "dataplane/policy/memory.h"

static void *block_get(struct proto_pool *pool)
{
	struct block_pool *p = (struct block_pool *)pool;
	void *block = p->unused;

	if (p->tenants[p->tenant] >= p->share)
		return NULL;
	if (block) {
		p->unused = *(void **)block;
	} else {
		if (p->used == p->capacity)
			return NULL;
		block = p->fresh;
		p->fresh += p->stride;
	}
	p->used++;
	p->tenants[p->tenant]++;
	return block;
}

static void block_put(struct proto_pool *pool, void *block)
{
	struct block_pool *p = (struct block_pool *)pool;

	*(void **)block = p->unused;
	p->unused = block;
	p->used--;
	p->tenants[p->tenant]--;
}

int block_pool_init(struct block_pool *p, const char *name, size_t block_size, uint32_t capacity,
		    uint32_t tenants, uint32_t share)
{
	size_t stride = RTE_ALIGN_CEIL(block_size, RTE_CACHE_LINE_SIZE);

	*p = (struct block_pool){
		.pool = {.get = block_get, .put = block_put, .block_size = block_size},
		.capacity = capacity,
		.share = share ? share : capacity,
		.stride = (uint32_t)stride,
		.memory = memory_reserve(stride * capacity, MEMORY_DENSE),
		.tenants = rte_zmalloc(name, sizeof(uint32_t) * tenants, 0),
	};
	p->fresh = p->memory;
	if (p->memory && p->tenants)
		return 0;
	block_pool_fini(p);
	return -ENOMEM;
}

void block_pool_fini(struct block_pool *p)
{
	memory_release(p->memory, (size_t)p->stride * p->capacity);
	rte_free(p->tenants);
	p->memory = NULL;
	p->tenants = NULL;
}
