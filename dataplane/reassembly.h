/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IP fragments of TCP and UDP are put together before anything else reads
 * them (DPDK's rte_ip_frag): what is forwarded has been read as one packet.
 * Other protocols' fragments pass.
 */
#ifndef POSTERN_REASSEMBLY_H
#define POSTERN_REASSEMBLY_H

#include "dataplane/worker.h"

struct reassembly;

/* packets: how many unfinished ones are kept; timeout ns. NULL: no memory. */
struct reassembly *reassembly_new(uint32_t packets, uint64_t timeout, struct rte_mempool *whole);
void reassembly_free(struct reassembly *r);

/*
 * Takes slot i's fragment. SLOT_HELD: kept, or dropped with a reason; else the slot holds
 * the whole packet now, decoded again, or the fragment is none of ours.
 */
enum slot_work reassembly_take(struct worker *w, struct burst *b, unsigned i);

/* Frees what waited too long; `all`: everything. */
void reassembly_sweep(struct worker *w, bool all);

#endif
