/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Makes the table that dataplane/policy/prefix.h looks addresses up in, from a list
 * of prefixes and their owners. Control's thread; allocates.
 */
#ifndef POSTERN_PREFIX_BUILD_H
#define POSTERN_PREFIX_BUILD_H

#include "bpf/policy.h"

/* By VLAN, family, address, length: a prefix comes right before those inside it. */
int prefix_compare(const void *a, const void *b);

/*
 * Sorts `prefixes` (distinct but for slot and origin) and builds `table` from
 * them. 0 or -ENOMEM; the table keeps nothing of `prefixes`.
 */
int prefix_table_init(struct prefix_table *table, struct prefix *prefixes, size_t count);
void prefix_table_fini(struct prefix_table *table);

#endif
