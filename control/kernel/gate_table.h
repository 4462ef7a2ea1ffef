/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of prefixes in the kernel's maps, of which there are two halves (bpf/maps.h): the one
 * that holds, and one that is written. Part of control/kernel/gate_maps.h.
 */
#ifndef POSTERN_GATE_TABLE_H
#define POSTERN_GATE_TABLE_H

#include "bpf/gate_view.h"

/* Two maps of no other use: to replace the inner one waits for packets. */
struct gate_table {
	int outer, inner;
};

/* 0 or -errno. What was never opened, all zero, may not be closed. */
int gate_table_open(struct gate_table *t);
void gate_table_close(struct gate_table *t);

/*
 * The table, for which there is room (gate_prefixes_fit()), holds from the next packet on; nothing
 * is done where it holds already. Else it waits until all packets are gone that are on their way
 * now: some 20 ms. 0 or -errno, and then the old one goes on. `changed` becomes whether it was
 * replaced.
 */
int gate_table_put(const struct gate_table *t, struct gate_view *view,
		   const struct prefix_table *table, bool *changed);

#endif
