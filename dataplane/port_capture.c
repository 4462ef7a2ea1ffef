/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port_capture.h"

#include <errno.h>
#include <rte_bus_vdev.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <string.h>

#define NAME "capture"

static struct rte_ring *ring_new(const char *kind, unsigned i)
{
	char name[32];

	snprintf(name, sizeof(name), "capture_%s_%u", kind, i);
	return rte_ring_create(name, PORT_CAPTURE_RING, (int)rte_socket_id(),
			       RING_F_SP_ENQ | RING_F_SC_DEQ);
}

static int port_start(struct port_capture *p, struct gate *gate)
{
	struct rte_eth_conf conf = {0};
	uint16_t n = (uint16_t)p->queues;
	int rc = rte_eth_dev_configure(p->port, n, n, &conf);

	for (uint16_t q = 0; q < n && rc == 0; q++) {
		rc = rte_eth_rx_queue_setup(p->port, q, PORT_CAPTURE_RING, rte_socket_id(), NULL,
					    gate->small);
		if (rc == 0)
			rc = rte_eth_tx_queue_setup(p->port, q, PORT_CAPTURE_RING, rte_socket_id(),
						    NULL);
	}
	return rc == 0 ? rte_eth_dev_start(p->port) : rc;
}

int port_capture_open(struct port_capture *p, struct gate *gate, bool keep_tx,
		      char error[GATE_ERROR])
{
	int port;

	*p = (struct port_capture){.port = PORT_NONE, .queues = gate->workers};
	for (unsigned i = 0; i < p->queues; i++) {
		p->rx[i] = ring_new("rx", i);
		p->tx[i] = ring_new("tx", i);
		if (!p->rx[i] || !p->tx[i])
			goto fail;
	}
	port = rte_eth_from_rings(NAME, p->rx, p->queues, p->tx, p->queues, rte_socket_id());
	if (port < 0)
		goto fail;
	p->port = (uint16_t)port;
	if (port_start(p, gate) != 0)
		goto fail;
	for (unsigned i = 0; i < p->queues; i++) {
		struct port_queue queue = {p->port, (uint16_t)i, NULL};

		gate->worker[i]->rx = queue;
		if (!keep_tx)
			continue;
		gate->worker[i]->tx[PORT_INSIDE] = gate->worker[i]->tx[PORT_OUTSIDE] = queue;
	}
	return 0;
fail:
	snprintf(error, GATE_ERROR, "the capture's port does not start: %s",
		 rte_strerror(rte_errno));
	port_capture_close(p);
	return -EIO;
}

void port_capture_close(struct port_capture *p)
{
	if (p->port != PORT_NONE) {
		rte_eth_dev_stop(p->port);
		rte_eth_dev_close(p->port);
		/* The device goes too, or the next port could not have its name. */
		rte_vdev_uninit("net_ring_" NAME);
	}
	for (unsigned i = 0; i < p->queues; i++) {
		rte_ring_free(p->rx[i]);
		rte_ring_free(p->tx[i]);
	}
	*p = (struct port_capture){.port = PORT_NONE};
}

struct rte_mbuf *port_capture_packet(struct gate *gate, const struct capture_frame *frame)
{
	uint32_t len = RTE_MIN(frame->len, (uint32_t)(UINT16_MAX - RTE_PKTMBUF_HEADROOM));
	struct rte_mbuf *m = gate_packet(gate, len);

	if (!m)
		return NULL;
	memcpy(rte_pktmbuf_mtod(m, void *), frame->data, len);
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	*packet_meta(m) = (struct packet_meta){
		.time = frame->time,
		.number = frame->number,
		.wirelen = RTE_MAX(frame->wirelen, frame->len),
		.link = frame->link,
		.flags = frame->flags,
		.from = frame->from,
	};
	return m;
}
