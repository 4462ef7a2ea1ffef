/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program on a network interface: put there, found again, taken away. Control's thread; system
 * calls; root, or CAP_NET_ADMIN and CAP_BPF. Interfaces are the calling thread's network
 * namespace's.
 */
#ifndef POSTERN_GATE_PORT_H
#define POSTERN_GATE_PORT_H

#include <stdint.h>

#include "control/kernel/gate_maps.h"

enum gate_attached {
	GATE_NOTHING, /* no XDP program */
	GATE_OURS,    /* this program, whoever loaded it: maybe one that outlived a kill -9 */
	GATE_OTHERS,
};

/* enum gate_attached, or -errno. `id`: the program's, may be NULL. */
int gate_port_attached(uint32_t ifindex, uint32_t *id);

/*
 * Puts the program there, in the driver if that can do it, else in the generic path. One of ours
 * is replaced at once, without a moment between; another's is left: -EBUSY.
 */
int gate_port_attach(struct gate_maps *maps, uint32_t ifindex);

/*
 * The same where there is no program at all, and pins it (GATE_PROGRAM_PIN); needs no
 * CAP_SYS_ADMIN. 0, also where there is one, which stays.
 */
int gate_port_first(struct gate_maps *maps, uint32_t ifindex);

/*
 * Takes our program away, a leftover too; DPDK's driver attaches only where there is none. 0, also
 * where there was none; -EBUSY: another's, which stays.
 */
int gate_port_detach(uint32_t ifindex);

#endif
