/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * Whose an address is: the way down in a table of prefixes (bpf/prefix_table.h), for workers and
 * for the kernel. As for bpf/stage_one.h, the includer provides where the table is. Whatever is in
 * it, a way has an end.
 */
#ifndef POSTERN_PREFIX_WALK_H
#define POSTERN_PREFIX_WALK_H

#include <stdbool.h>

#include "bpf/prefix_table.h"
#include "bpf/stage_packet.h"

/* An address as the trie reads it: its bits from the top, IPv4 in the first 32. */
struct prefix_addr {
	uint64_t high, low;
};

/* The includer's: a table, and its parts by their numbers. A node may be NULL, a leaf 0. */
struct prefix_reader;
STAGE_INLINE uint32_t prefix_root_at(const struct prefix_reader *r, uint8_t family, uint16_t vlan);
STAGE_INLINE const struct prefix_node *prefix_node_at(const struct prefix_reader *r, uint32_t n);
STAGE_INLINE uint32_t prefix_leaf_at(const struct prefix_reader *r, uint32_t n);
/* prefix_descend(), in a function of its own or not. */
STAGE_INLINE uint32_t prefix_walk(const struct prefix_reader *r, uint32_t root,
				  struct prefix_addr a);

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "loads swap bytes");

STAGE_INLINE uint64_t prefix_load64(const uint8_t *p)
{
	uint64_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return __builtin_bswap64(v);
}

/* `addr`: 4 or 16 bytes, network order. */
STAGE_INLINE struct prefix_addr prefix_addr(uint8_t family, const uint8_t *addr)
{
	uint32_t v;

	if (family != 4)
		return (struct prefix_addr){prefix_load64(addr), prefix_load64(addr + 8)};
	__builtin_memcpy(&v, addr, sizeof(v));
	return (struct prefix_addr){.high = (uint64_t)__builtin_bswap32(v) << 32};
}

/* n < 64 */
STAGE_INLINE void prefix_shift(struct prefix_addr *a, uint32_t n)
{
	a->high = a->high << n | a->low >> 1 >> (63 - n);
	a->low <<= n;
}

/* Does the address have the bits that lead to the node? Moves past them. */
STAGE_INLINE bool prefix_skip(const struct prefix_node *node, struct prefix_addr *a)
{
	uint32_t skip = node->skip & 63;
	bool same = !((a->high ^ node->skipped) & ~(UINT64_MAX >> skip));

	prefix_shift(a, skip);
	return same;
}

/* Bits of `map` at 0 … v. */
STAGE_INLINE uint32_t prefix_rank(uint64_t map, uint32_t v)
{
	return (uint32_t)__builtin_popcountll(map << (63 - v));
}

/* Where the way goes on from a node. */
enum prefix_way {
	PREFIX_OWNER, /* here it ends: the slot */
	PREFIX_LEAF,  /* the number of a leaf */
	PREFIX_NODE,  /* of a node */
};

/* Moves past the bits of the address that the node reads. */
STAGE_INLINE enum prefix_way prefix_step(const struct prefix_node *node, struct prefix_addr *a,
					 uint32_t *at)
{
	uint32_t v;

	if (!prefix_skip(node, a)) {
		*at = node->elsewhere;
		return PREFIX_OWNER;
	}
	v = (uint32_t)(a->high >> (64 - PREFIX_STRIDE));
	if (!(node->children >> v & 1)) {
		*at = node->leaf_base;
		if (!node->leaf_runs)
			return PREFIX_OWNER;
		*at += prefix_rank(node->leaf_runs, v) - 1;
		return PREFIX_LEAF;
	}
	*at = node->child_base + prefix_rank(node->children, v) - 1;
	prefix_shift(a, PREFIX_STRIDE);
	return PREFIX_NODE;
}

STAGE_INLINE uint32_t prefix_descend(const struct prefix_reader *r, uint32_t root,
				     struct prefix_addr a)
{
	uint32_t at = root;

	for (uint32_t level = 0; level < PREFIX_LEVELS; level++) {
		const struct prefix_node *node = prefix_node_at(r, at);
		enum prefix_way way = node ? prefix_step(node, &a, &at) : PREFIX_NODE;

		if (!node)
			return 0;
		if (way != PREFIX_NODE)
			return way == PREFIX_LEAF ? prefix_leaf_at(r, at) : at;
	}
	return 0;
}

/*
 * The slot of the tenant that owns `addr` (4 or 16 bytes, network order) in VLAN `vlan` (0:
 * untagged), or 0. Prefixes of that VLAN come before those that hold in any, whatever their
 * lengths.
 */
STAGE_INLINE uint32_t prefix_find(const struct prefix_reader *r, uint16_t vlan, uint8_t family,
				  const uint8_t *addr)
{
	struct prefix_addr a = prefix_addr(family, addr);
	uint32_t own = prefix_root_at(r, family, vlan);
	uint32_t slot = 0;

	if (own)
		slot = prefix_walk(r, own, a);
	if (!slot && vlan)
		slot = prefix_walk(r, prefix_root_at(r, family, 0), a);
	return slot;
}

#endif
