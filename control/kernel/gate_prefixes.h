/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's trie of blocked networks (postern_blocked), and what is known to be in it.
 * Part of control/kernel/gate_maps.h.
 */
#ifndef POSTERN_GATE_PREFIXES_H
#define POSTERN_GATE_PREFIXES_H

#include "bpf/maps.h"
#include "bpf/policy.h"

struct gate_entry {
	struct gate_prefix key;
	uint32_t slot;
};

struct gate_prefixes {
	int fd;
	struct gate_entry *entries; /* ascending by the bytes of their keys */
	size_t count;
};

/* Reads the trie. 0 or -errno. */
int gate_prefixes_open(struct gate_prefixes *p, int fd);
void gate_prefixes_close(struct gate_prefixes *p);

/* What is to be in it: an array of list->count, to be freed. NULL: no memory. */
struct gate_entry *gate_prefixes_wanted(const struct prefix_list *list);

/* Puts what is new. */
int gate_prefixes_put(struct gate_prefixes *p, const struct gate_entry *wanted, size_t count,
		      unsigned *changes);
/* Deletes what isn't wanted, after the above; `wanted` becomes what is known. */
int gate_prefixes_trim(struct gate_prefixes *p, struct gate_entry *wanted, size_t count,
		       unsigned *changes);

#endif
