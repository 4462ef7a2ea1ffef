/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * Prefixes to tenants: a trie of 6 address bits a level, its nodes compressed
 * by two bitmaps and population counts (after Asai and Ohara's poptrie,
 * SIGCOMM 2015), and bits at which all prefixes go the same way skipped. An
 * address that no prefix comes near ends at the first node or the second.
 *
 * control/policy/prefix_build.h makes it; workers have it in the policy's image, the XDP program
 * in mapped arrays (bpf/maps.h), byte by byte the same. All find their way in it by
 * bpf/prefix_walk.h. A change of what it means bumps POLICY_IMAGE_VERSION and GATE_ABI.
 */
#ifndef POSTERN_PREFIX_TABLE_H
#define POSTERN_PREFIX_TABLE_H

#include <stdint.h>

struct prefix_node {
	uint64_t children;  /* bit v: the six bits v lead to another node */
	uint64_t leaf_runs; /* bit v: a run of equal leaves begins at v */
	uint32_t child_base;
	uint32_t leaf_base; /* without any run: the owner of all that leads nowhere else */
	uint64_t skipped;   /* the bits that lead here, from the top */
	uint32_t skip;      /* how many, below 64 */
	uint32_t elsewhere; /* the owner of addresses with other bits there */
};

#define PREFIX_STRIDE 6
#define PREFIX_LEVELS 22   /* nodes on the longest way down: 128 bits */
#define PREFIX_VLANS  4096 /* entry 0: the tenants that own their prefixes in any VLAN */

/* Nodes, by VLAN. */
struct prefix_roots {
	uint32_t root4[PREFIX_VLANS];
	uint32_t root6[PREFIX_VLANS];
};

struct prefix_table {
	struct prefix_node *nodes; /* nodes[0] leads nowhere: the root of VLANs without prefixes */
	uint32_t *leaves;          /* tenant slots, 0: nobody's */
	uint32_t node_count;
	uint32_t leaf_count;
	struct prefix_roots roots;
};

#endif
