/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/policy/prefix_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FANOUT   (1U << PREFIX_STRIDE)
#define SKIP_MAX 60 /* of bits_at(), below 64 */

/* Room grows by doubling; the trie is built once and read for hours. */
struct builder {
	struct prefix_table *table;
	uint32_t node_room, leaf_room;
	unsigned phase; /* nodes begin at bits that leave this over, divided by PREFIX_STRIDE */
};

int prefix_compare(const void *left, const void *right)
{
	const struct prefix *a = left, *b = right;
	int by_addr;

	if (a->vlan != b->vlan)
		return a->vlan < b->vlan ? -1 : 1;
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	by_addr = memcmp(a->addr, b->addr, sizeof(a->addr));
	return by_addr ? by_addr : a->length - b->length;
}

/* PREFIX_STRIDE bits of the address from bit `depth` on, zeros past its end. */
static unsigned chunk(const struct prefix *p, unsigned depth)
{
	unsigned byte = depth / 8;
	unsigned two = byte < 16 ? p->addr[byte] << 8 : 0;

	two |= byte < 15 ? p->addr[byte + 1] : 0;
	return two >> (16 - PREFIX_STRIDE - depth % 8) & (FANOUT - 1);
}

static void *grow(void *array, uint32_t *room, uint32_t needed, size_t size)
{
	uint32_t more = *room ? *room : 64;
	void *larger;

	while (more < needed)
		more *= 2;
	if (more == *room)
		return array;
	larger = reallocarray(array, more, size);
	if (larger)
		*room = more;
	return larger;
}

static int add_nodes(struct builder *b, uint32_t count, uint32_t *first)
{
	struct prefix_table *t = b->table;
	void *nodes = grow(t->nodes, &b->node_room, t->node_count + count, sizeof(*t->nodes));

	if (!nodes)
		return -ENOMEM;
	t->nodes = nodes;
	memset(&t->nodes[t->node_count], 0, count * sizeof(*t->nodes));
	*first = t->node_count;
	t->node_count += count;
	return 0;
}

/* One leaf for each run of equal entries; none where all are. */
static int add_leaves(struct builder *b, uint32_t node, const uint32_t owner[FANOUT])
{
	struct prefix_table *t = b->table;
	void *leaves = grow(t->leaves, &b->leaf_room, t->leaf_count + FANOUT, sizeof(*t->leaves));

	if (!leaves)
		return -ENOMEM;
	t->leaves = leaves;
	if (memcmp(owner, owner + 1, (FANOUT - 1) * sizeof(*owner)) == 0) {
		t->nodes[node].leaf_base = owner[0];
		return 0;
	}
	t->nodes[node].leaf_base = t->leaf_count;
	for (unsigned v = 0; v < FANOUT; v++) {
		if (v && owner[v] == owner[v - 1])
			continue;
		t->nodes[node].leaf_runs |= UINT64_C(1) << v;
		t->leaves[t->leaf_count++] = owner[v];
	}
	return 0;
}

/* The prefixes that end within the node own entries; in sorted order the longer overwrite. */
static void own_entries(const struct prefix *p, size_t count, unsigned depth,
			uint32_t owner[FANOUT], uint64_t *children)
{
	for (size_t i = 0; i < count; i++) {
		unsigned v = chunk(&p[i], depth);

		if (p[i].length > depth + PREFIX_STRIDE) {
			*children |= UINT64_C(1) << v;
			continue;
		}
		for (unsigned n = 1U << (depth + PREFIX_STRIDE - p[i].length); n; n--)
			owner[v++] = p[i].slot;
	}
}

/* The bits of an address from `depth` on. */
static uint64_t bits_at(const struct prefix *p, unsigned depth)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < SKIP_MAX; i += PREFIX_STRIDE)
		if (depth + i < 128)
			bits |= (uint64_t)chunk(p, depth + i) << (64 - PREFIX_STRIDE - i);
	return bits;
}

/* Bits that two addresses have in common, SKIP_MAX at most, from `depth` on. */
static unsigned common_bits(const struct prefix *a, const struct prefix *b, unsigned depth)
{
	const uint64_t differ = bits_at(a, depth) ^ bits_at(b, depth);
	const unsigned same = differ ? (unsigned)__builtin_clzll(differ) : SKIP_MAX;

	return same < SKIP_MAX ? same : SKIP_MAX;
}

/*
 * Bits at which all of the prefixes go the same way are not worth a node: how many the node can
 * skip. The first in order is the one that ends soonest. One that is alone is skipped to its end;
 * of others bits are left over, so that the levels below begin in phase.
 */
static unsigned common_path(const struct builder *b, const struct prefix *p, size_t count,
			    unsigned depth)
{
	unsigned skip = common_bits(&p[0], &p[count - 1], depth);
	unsigned over;

	if (skip > p[0].length - depth)
		skip = p[0].length - depth;
	over = (depth + skip + PREFIX_STRIDE - b->phase) % PREFIX_STRIDE;
	return count > 1 && over <= skip ? skip - over : skip;
}

/*
 * Fills `node` from sorted prefixes that all lie at the node's place, which
 * `inherited` owns where none of them does. Recurses at most 22 deep.
 */
static int fill(struct builder *b, uint32_t node, const struct prefix *p, size_t count,
		unsigned depth, uint32_t inherited)
{
	uint32_t owner[FANOUT];
	uint64_t children = 0;
	uint32_t first;
	size_t i = 0;
	int err;

	b->table->nodes[node].skip = common_path(b, p, count, depth);
	b->table->nodes[node].skipped = bits_at(p, depth);
	b->table->nodes[node].elsewhere = inherited;
	depth += b->table->nodes[node].skip;
	for (unsigned v = 0; v < FANOUT; v++)
		owner[v] = inherited;
	own_entries(p, count, depth, owner, &children);
	err = add_leaves(b, node, owner);
	if (!err)
		err = add_nodes(b, __builtin_popcountll(children), &first);
	if (err)
		return err;
	b->table->nodes[node].children = children;
	b->table->nodes[node].child_base = first;
	while (i < count && !err) {
		size_t begin;
		unsigned v;

		/* Those that end here come before those that go deeper in the same entry. */
		for (; i < count && p[i].length <= depth + PREFIX_STRIDE; i++)
			;
		if (i == count)
			break;
		v = chunk(&p[i], depth);
		for (begin = i; i < count && chunk(&p[i], depth) == v; i++)
			;
		err = fill(b, first++, p + begin, i - begin, depth + PREFIX_STRIDE, owner[v]);
	}
	return err;
}

/*
 * Most prefixes end where a node does: a provider hands out networks of few lengths, and one that
 * ends a bit behind would have a node of its own.
 */
static unsigned phase_of(const struct prefix *p, size_t count)
{
	size_t ends[PREFIX_STRIDE] = {0};
	unsigned most = 0;

	for (size_t i = 0; i < count; i++)
		ends[p[i].length % PREFIX_STRIDE]++;
	for (unsigned phase = 1; phase < PREFIX_STRIDE; phase++)
		if (ends[phase] > ends[most])
			most = phase;
	return most;
}

static int add_root(struct builder *b, const struct prefix *p, size_t count)
{
	uint32_t *roots = p->family == 4 ? b->table->roots.root4 : b->table->roots.root6;
	uint32_t root;
	int err = add_nodes(b, 1, &root);

	if (err)
		return err;
	roots[p->vlan % PREFIX_VLANS] = root;
	b->phase = phase_of(p, count);
	return fill(b, root, p, count, 0, 0);
}

int prefix_table_init(struct prefix_table *table, struct prefix *prefixes, size_t count)
{
	static const uint32_t nobody[FANOUT];
	struct builder b = {.table = table};
	uint32_t nowhere;
	int err;

	memset(table, 0, sizeof(*table));
	if (count)
		qsort(prefixes, count, sizeof(*prefixes), prefix_compare);
	err = add_nodes(&b, 1, &nowhere);
	if (!err)
		err = add_leaves(&b, nowhere, nobody);
	for (size_t i = 0, begin; i < count && !err;) {
		for (begin = i; i < count && prefixes[i].vlan == prefixes[begin].vlan &&
				prefixes[i].family == prefixes[begin].family;
		     i++)
			;
		err = add_root(&b, prefixes + begin, i - begin);
	}
	if (err)
		prefix_table_fini(table);
	return err;
}

void prefix_table_fini(struct prefix_table *table)
{
	free(table->nodes);
	free(table->leaves);
	memset(table, 0, sizeof(*table));
}
