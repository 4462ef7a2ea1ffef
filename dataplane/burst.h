/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What goes through the stages: a structure of arrays, one slot a packet. The
 * stages fill their columns and leave the others alone.
 */
#ifndef POSTERN_BURST_H
#define POSTERN_BURST_H

#include "dataplane/flow.h"
#include "dataplane/packet.h"

#define BURST_RX    64  /* packets taken from a port at once */
#define BURST_SLOTS 256 /* and segments that queues let go meanwhile */

enum port_role {
	PORT_INSIDE,  /* the tenants' side */
	PORT_OUTSIDE, /* the internet's */
	PORT_COUNT,
};

enum slot_work {
	SLOT_FORWARD, /* nothing to read in it */
	SLOT_INSPECT, /* payload for a parser */
	SLOT_HELD,    /* a queue or the reassembly has it: not here any more */
};

/* The packet in hand, and its time. */
struct burst_turn {
	uint64_t packet, time;
};

struct burst {
	unsigned n;                        /* slots in use */
	struct rte_mbuf *pkt[BURST_SLOTS]; /* rx */
	struct headers hdr[BURST_SLOTS];   /* decode */
	uint32_t tenant[BURST_SLOTS];      /* stage one: the slot of the tenant concerned */
	uint8_t outbound[BURST_SLOTS];     /* stage one: it is the sender */
	struct flow *flow[BURST_SLOTS];    /* flow: NULL without one */
	uint8_t work[BURST_SLOTS];         /* stream: enum slot_work */
	uint32_t gap[BURST_SLOTS];         /* stream: bytes never seen before the payload */
	uint32_t known[BURST_SLOTS];       /* stream: bytes at its front that were sent before */
	bool cut[BURST_SLOTS];             /* inspect: some of it was refused, the rest leaves */
	uint8_t verdict[BURST_SLOTS];      /* any stage: enum verdict */
	uint8_t reason[BURST_SLOTS];       /* any stage: enum reason */

	uint64_t decided[BURST_SLOTS]; /* inspect: the packet in hand then */

	unsigned received;                   /* slots before what queues let go */
	struct burst_turn turn[BURST_SLOTS]; /* of those behind: when they were */

	/* Slots in the order in which they are inspected, then in which they leave. */
	uint16_t stream_order[BURST_SLOTS];
	unsigned streamed;
	uint16_t out_order[BURST_SLOTS];
	unsigned out;

	/* verdict: what leaves, by the port it leaves on, the gate's own replies included */
	struct rte_mbuf *tx[PORT_COUNT][2 * BURST_SLOTS];
	unsigned tx_count[PORT_COUNT];
};

#endif
