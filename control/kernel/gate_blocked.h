/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's trie of blocked networks (postern_blocked), and what is known to be in it.
 * Part of control/kernel/gate_maps.h.
 */
#ifndef POSTERN_GATE_BLOCKED_H
#define POSTERN_GATE_BLOCKED_H

#include "bpf/maps.h"
#include "bpf/policy.h"

struct gate_blocked {
	int fd;
	struct gate_prefix *entries; /* ascending by their bytes */
	size_t count;
};

/* Reads the trie. 0 or -errno. */
int gate_blocked_open(struct gate_blocked *p, int fd);
void gate_blocked_close(struct gate_blocked *p);

/* What is to be in it: an array of list->count, to be freed. NULL: no memory. */
struct gate_prefix *gate_blocked_wanted(const struct prefix_list *list);

/* Puts what is new. */
int gate_blocked_put(struct gate_blocked *p, const struct gate_prefix *wanted, size_t count,
		     unsigned *changes);
/* Deletes what isn't wanted, after the above; `wanted` becomes what is known. */
int gate_blocked_trim(struct gate_blocked *p, struct gate_prefix *wanted, size_t count,
		      unsigned *changes);

#endif
