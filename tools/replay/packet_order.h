/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets that left the gate, from the queues of its workers and ports, in the
 * one order in which they were decided. Owner's thread only.
 */
#ifndef POSTERN_TOOLS_PACKET_ORDER_H
#define POSTERN_TOOLS_PACKET_ORDER_H

#include <stddef.h>
#include <stdint.h>

struct rte_mbuf;

struct packet_order_entry {
	struct rte_mbuf *packet;
	uint64_t decided, serial;
};

/* All-zero is empty. */
struct packet_order {
	struct packet_order_entry *entry;
	size_t count, room;
	uint64_t serial;
};

/* Takes the packet; drops it when there is no memory. */
void packet_order_push(struct packet_order *o, struct rte_mbuf *m);
/* Hands over those that were decided before `settled` (UINT64_MAX: all). */
void packet_order_release(struct packet_order *o, uint64_t settled,
			  void (*take)(void *ctx, struct rte_mbuf *m), void *ctx);
void packet_order_fini(struct packet_order *o);

#endif
