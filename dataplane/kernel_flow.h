/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a worker tells the kernel of flows, where XDP stands before it: TCP that nobody need read
 * any more passes there, what is left of a refused session is dropped there. The kernel's map takes
 * system calls, so control puts it in (EVENT_KERNEL); until then, or without it, packets go on
 * coming here and nothing is different.
 *
 * A verdict is of one connection. Workers see every SYN, FIN and RST; a SYN, whoever sends it,
 * counts up a word that the verdict names, which voids it before that SYN goes on.
 *
 * Worker's thread.
 */
#ifndef POSTERN_KERNEL_FLOW_H
#define POSTERN_KERNEL_FLOW_H

#include "dataplane/worker.h"

#define KERNEL_FLOW_TIME (UINT64_C(30) * 1000000000) /* ns that one holds, at most */
#define KERNEL_FLOW_PASS 8  /* packets of a flow that need not be read: others aren't worth it */
#define KERNEL_FLOW_DROP 32 /* dropped after the refusal, which was said by then */

/* A packet of it was decided upon, and has not left yet. */
void kernel_flow_look(struct worker *w, struct flow *f, uint8_t tcp_flags);

/* Voids all that is known: of workers before these. Before any of them runs. */
void kernel_flow_forget_all(uint64_t *epochs);

#endif
