/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/policy/prefix.h"

#include <assert.h>
#include <string.h>

static uint64_t load_be64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap64(v);
}

static uint32_t load_be32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "loads swap bytes");

struct prefix_addr prefix_addr(uint8_t family, const uint8_t *addr)
{
	if (family == 4)
		return (struct prefix_addr){.high = (uint64_t)load_be32(addr) << 32};
	return (struct prefix_addr){.high = load_be64(addr), .low = load_be64(addr + 8)};
}

static inline unsigned top_bits(const struct prefix_addr *a)
{
	return a->high >> (64 - PREFIX_STRIDE);
}

/* n < 64 */
static inline void shift_out(struct prefix_addr *a, unsigned n)
{
	a->high = a->high << n | a->low >> 1 >> (63 - n);
	a->low <<= n;
}

/* Does the address have the bits that lead to the node? Moves past them. */
static inline bool skip_path(const struct prefix_node *node, struct prefix_addr *a)
{
	bool same = !((a->high ^ node->skipped) & ~(UINT64_MAX >> node->skip));

	shift_out(a, node->skip);
	return same;
}

/* Bits of `map` at 0 … v. */
static inline unsigned rank(uint64_t map, unsigned v)
{
	return __builtin_popcountll(map << (63 - v));
}

static inline bool has_child(const struct prefix_node *node, unsigned v)
{
	return node->children >> v & 1;
}

static inline uint32_t child_of(const struct prefix_node *node, unsigned v)
{
	return node->child_base + rank(node->children, v) - 1;
}

static inline uint32_t leaf_of(const struct prefix_node *node, unsigned v)
{
	return node->leaf_base + rank(node->leaf_runs, v) - 1;
}

static uint32_t trie_lookup(const struct prefix_table *table, uint32_t root, struct prefix_addr a)
{
	const struct prefix_node *node = &table->nodes[root];

	for (;;) {
		unsigned v;

		if (!skip_path(node, &a))
			return node->elsewhere;
		v = top_bits(&a);
		if (!has_child(node, v))
			return table->leaves[leaf_of(node, v)];
		node = &table->nodes[child_of(node, v)];
		shift_out(&a, PREFIX_STRIDE);
	}
}

uint32_t prefix_lookup(const struct prefix_table *table, uint16_t vlan, uint8_t family,
		       const uint8_t *addr)
{
	const uint32_t *roots = family == 4 ? table->root4 : table->root6;
	struct prefix_addr a = prefix_addr(family, addr);
	uint32_t own = roots[vlan % PREFIX_VLANS];
	uint32_t slot = 0;

	if (own)
		slot = trie_lookup(table, own, a);
	if (!slot && vlan)
		slot = trie_lookup(table, roots[0], a);
	return slot;
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
		const struct prefix_node *node = &table->nodes[d[i].node];
		struct descent next = d[i];
		unsigned v;

		if (!skip_path(node, &next.addr)) {
			slots[next.key] = node->elsewhere;
			continue;
		}
		v = top_bits(&next.addr);
		if (!has_child(node, v)) {
			uint32_t leaf = leaf_of(node, v);

			__builtin_prefetch(&table->leaves[leaf]);
			arrivals->at[arrivals->count].leaf = leaf;
			arrivals->at[arrivals->count++].key = next.key;
			continue;
		}
		next.node = child_of(node, v);
		__builtin_prefetch(&table->nodes[next.node]);
		shift_out(&next.addr, PREFIX_STRIDE);
		d[left++] = next;
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
	if (key->family == 4)
		return table->root4[vlan % PREFIX_VLANS];
	return key->family == 6 ? table->root6[vlan % PREFIX_VLANS] : 0;
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
