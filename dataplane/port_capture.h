/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A DPDK port whose wire is a capture: one queue a worker, over DPDK's ring
 * driver. Workers call rte_eth_rx_burst() and rte_eth_tx_burst() on it as on
 * any other; the thread that owns it puts packets in and takes packets out.
 */
#ifndef POSTERN_PORT_CAPTURE_H
#define POSTERN_PORT_CAPTURE_H

#include "dataplane/gate.h"

#define PORT_CAPTURE_RING 1024 /* packets a queue holds, each way */

struct port_capture {
	uint16_t port;
	unsigned queues;
	struct rte_ring *rx[GATE_WORKERS_MAX]; /* towards the workers */
	struct rte_ring *tx[GATE_WORKERS_MAX]; /* what left the gate; NULL: not wanted */
};

/* Connects all workers of the gate to it. `keep_tx`: what leaves is kept for the owner. 0 or
 * -errno. */
int port_capture_open(struct port_capture *p, struct gate *gate, bool keep_tx,
		      char error[GATE_ERROR]);
void port_capture_close(struct port_capture *p);

/* What a packet of a capture says of itself. */
struct capture_frame {
	const uint8_t *data;
	uint32_t len, wirelen;
	uint64_t time, number;
	uint16_t link;
	uint8_t flags; /* enum packet_flag */
	uint8_t from;  /* enum stage_from: 0, but where a test plays a port */
};

/* A copy in a buffer of the gate's; NULL: none is left now. */
struct rte_mbuf *port_capture_packet(struct gate *gate, const struct capture_frame *frame);

#endif
