/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/kernel/gate_table.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

int gate_table_open(struct gate_table *t)
{
	LIBBPF_OPTS(bpf_map_create_opts, options);

	t->outer = -1;
	t->inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "postern_nothing", 4, 4, 1, NULL);
	if (t->inner < 0)
		return -errno;
	options.inner_map_fd = (uint32_t)t->inner;
	t->outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "postern_wait", 4, 4, 1, &options);
	return t->outer < 0 ? -errno : 0;
}

void gate_table_close(struct gate_table *t)
{
	if (t->outer >= 0)
		close(t->outer);
	if (t->inner >= 0)
		close(t->inner);
}

/*
 * Until every program that runs now has ended, on all CPUs. The kernel promises that to who
 * replaces a map in a map (maybe_wait_bpf_programs(), since 4.20), so that he may then free what
 * was in it. By the clock it would only be likely: a virtual machine's CPU may stand still for any
 * time between two instructions.
 */
static int packets_wait(const struct gate_table *t)
{
	const uint32_t first = 0;

	return bpf_map_update_elem(t->outer, &first, &t->inner, BPF_ANY) < 0 ? -errno : 0;
}

/* A half's parts. */
struct half {
	struct prefix_roots *roots;
	struct prefix_node *nodes;
	uint32_t *leaves;
};

static struct half half_at(struct gate_view *view, uint32_t half)
{
	return (struct half){
		.roots = &view->shared->prefix_roots[half],
		.nodes = view->prefix_nodes + (size_t)half * view->slots * GATE_SLOT_NODES,
		.leaves = (uint32_t *)view->prefix_leaves +
			  (size_t)half * view->slots * GATE_SLOT_LEAVES,
	};
}

/* What lies behind the table's end in it no way leads to. */
static bool half_holds(const struct half *half, const struct prefix_table *table)
{
	return memcmp(half->roots, &table->roots, sizeof(table->roots)) == 0 &&
	       memcmp(half->nodes, table->nodes, table->node_count * sizeof(*table->nodes)) == 0 &&
	       memcmp(half->leaves, table->leaves, table->leaf_count * sizeof(*table->leaves)) == 0;
}

static void half_write(const struct half *half, const struct prefix_table *table)
{
	memcpy(half->roots, &table->roots, sizeof(table->roots));
	memcpy(half->nodes, table->nodes, table->node_count * sizeof(*table->nodes));
	memcpy(half->leaves, table->leaves, table->leaf_count * sizeof(*table->leaves));
}

int gate_table_put(const struct gate_table *t, struct gate_view *view,
		   const struct prefix_table *table, bool *changed)
{
	const uint32_t prefixes = view->shared->prefixes;
	struct half half = half_at(view, gate_prefix_half(prefixes));
	int err;

	*changed = false;
	if (half_holds(&half, table))
		return 0;
	err = packets_wait(t);
	if (err)
		return err;
	half = half_at(view, gate_prefix_half(prefixes + 1));
	half_write(&half, table);
	/* Who sees it sees the whole half. */
	__atomic_store_n(&view->shared->prefixes, prefixes + 1, __ATOMIC_RELEASE);
	*changed = true;
	return 0;
}
