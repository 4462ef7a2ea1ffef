/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/policy/prefix.h"

#include <assert.h>

#include "bpf/prefix_walk.h"

struct prefix_reader {
	const struct prefix_table *table;
};

STAGE_INLINE uint32_t prefix_root_at(const struct prefix_reader *r, uint8_t family, uint16_t vlan)
{
	const struct prefix_roots *roots = &r->table->roots;

	return (family == 4 ? roots->root4 : roots->root6)[vlan % PREFIX_VLANS];
}

STAGE_INLINE const struct prefix_node *prefix_node_at(const struct prefix_reader *r, uint32_t n)
{
	return &r->table->nodes[n];
}

STAGE_INLINE uint32_t prefix_leaf_at(const struct prefix_reader *r, uint32_t n)
{
	return r->table->leaves[n];
}

STAGE_INLINE uint32_t prefix_walk(const struct prefix_reader *r, uint32_t root,
				  struct prefix_addr a)
{
	return prefix_descend(r, root, a);
}

uint32_t prefix_lookup(const struct prefix_table *table, uint16_t vlan, uint8_t family,
		       const uint8_t *addr)
{
	const struct prefix_reader r = {table};

	return prefix_find(&r, vlan, family, addr);
}

/* Keys of a bulk that are still on their way down. */
struct descent {
	struct prefix_addr addr;
	uint32_t node;
	uint32_t key;
};

/* Keys that have reached a leaf, which is on its way into the cache. */
struct arrivals {
	unsigned count;
	struct {
		uint32_t leaf, key;
	} at[PREFIX_BULK];
};

/* One level for all; those that arrive fall out. */
static unsigned descend(const struct prefix_table *table, struct descent *d, unsigned count,
			struct arrivals *arrivals, uint32_t *slots)
{
	unsigned left = 0;

	for (unsigned i = 0; i < count; i++) {
		struct descent next = d[i];
		uint32_t at;

		switch (prefix_step(&table->nodes[next.node], &next.addr, &at)) {
		case PREFIX_OWNER:
			slots[next.key] = at;
			break;
		case PREFIX_LEAF:
			__builtin_prefetch(&table->leaves[at]);
			arrivals->at[arrivals->count].leaf = at;
			arrivals->at[arrivals->count++].key = next.key;
			break;
		case PREFIX_NODE:
			__builtin_prefetch(&table->nodes[at]);
			next.node = at;
			d[left++] = next;
			break;
		}
	}
	return left;
}

static void trie_lookup_bulk(const struct prefix_table *table, struct descent *d, unsigned count,
			     uint32_t *slots)
{
	struct arrivals arrivals;

	arrivals.count = 0;
	while (count)
		count = descend(table, d, count, &arrivals, slots);
	for (unsigned i = 0; i < arrivals.count; i++)
		slots[arrivals.at[i].key] = table->leaves[arrivals.at[i].leaf];
}

static uint32_t root_of(const struct prefix_table *table, const struct prefix_key *key,
			uint16_t vlan)
{
	const struct prefix_reader r = {table};

	return key->family == 4 || key->family == 6 ? prefix_root_at(&r, key->family, vlan) : 0;
}

void prefix_lookup_bulk(const struct prefix_table *table, const struct prefix_key *keys,
			uint32_t *slots, unsigned count)
{
	struct descent d[PREFIX_BULK];
	bool tagged = false;
	unsigned n = 0;

	assert(count <= PREFIX_BULK);
	for (unsigned i = 0; i < count; i++) {
		uint32_t root = root_of(table, &keys[i], keys[i].vlan);

		slots[i] = 0;
		tagged |= keys[i].vlan != 0;
		if (root)
			d[n++] = (struct descent){prefix_addr(keys[i].family, keys[i].addr), root,
						  i};
	}
	trie_lookup_bulk(table, d, n, slots);
	n = 0;
	for (unsigned i = 0; tagged && i < count; i++) {
		uint32_t root = root_of(table, &keys[i], 0);

		if (!slots[i] && keys[i].vlan && root)
			d[n++] = (struct descent){prefix_addr(keys[i].family, keys[i].addr), root,
						  i};
	}
	trie_lookup_bulk(table, d, n, slots);
}
