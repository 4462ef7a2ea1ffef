/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/live/port_live.h"

#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <stdio.h>

#include "bpf/stage_result.h"
#include "dataplane/live/live_clock.h"

#define DESCRIPTORS 1024 /* a queue's, each way */
#define LINK_BYTES  22   /* Ethernet (IEEE 802.3 3.2) and two tags (802.1ad) */
#define FCS_BYTES   4

/* "ens3f0", not "net_tap0,iface=x" or "0000:3b:00.0". */
static bool is_interface(const char *name)
{
	return strlen(name) < IF_NAMESIZE && if_nametoindex(name) != 0;
}

static bool is_device(const char *name)
{
	return strncmp(name, "net_", 4) == 0 || strchr(name, ':');
}

bool port_live_spec(const char *name, unsigned index, unsigned queues, char spec[PORT_LIVE_SPEC])
{
	int n;

	if (is_interface(name))
		n = snprintf(spec, PORT_LIVE_SPEC, "net_af_packet%u,iface=%s,qpairs=%u", index,
			     name, queues);
	else if (is_device(name))
		n = snprintf(spec, PORT_LIVE_SPEC, "%s", name);
	else
		return false;
	return n < PORT_LIVE_SPEC;
}

bool port_live_spec_xdp(const char *name, unsigned index, unsigned first_queue, unsigned queues,
			const char *program, char spec[PORT_LIVE_SPEC])
{
	return is_interface(name) &&
	       snprintf(spec, PORT_LIVE_SPEC,
			"net_af_xdp%u,iface=%s,start_queue=%u,queue_count=%u,xdp_prog=%s", index,
			name, first_queue, queues, program) < PORT_LIVE_SPEC;
}

uint32_t port_live_buffers(unsigned queues)
{
	/* AF_XDP's rings hold twice the descriptors. */
	return PORT_COUNT * queues * 4 * DESCRIPTORS;
}

/* The device's name, which ends at the first comma, and iface=. */
static void names_take(struct port_live *p, const char *spec)
{
	const char *iface = strstr(spec, ",iface=");

	snprintf(p->name, sizeof(p->name), "%.*s", (int)strcspn(spec, ","), spec);
	if (!iface || strncmp(spec, "net_tap", 7) == 0)
		return;
	iface += strlen(",iface=");
	snprintf(p->iface, sizeof(p->iface), "%.*s", (int)strcspn(iface, ","), iface);
	p->ifindex = if_nametoindex(p->iface);
}

static int device_make(struct port_live *p, const char *spec, char error[GATE_ERROR])
{
	int rc = rte_dev_probe(spec);

	if (rc == 0 && rte_eth_dev_get_port_by_name(p->name, &p->port) == 0)
		return 0;
	p->port = PORT_NONE;
	snprintf(error, GATE_ERROR, "%.100s: the device does not come up: %s", spec,
		 rc ? strerror(-rc) : "it is no network port");
	return rc ? rc : -ENODEV;
}

/* A NIC that checks says what it found; what can't is checked in the stages. */
static struct rte_eth_conf conf_of(const struct rte_eth_dev_info *info, uint16_t mtu)
{
	struct rte_eth_conf conf = {.rxmode = {.mtu = mtu}};

	conf.rxmode.offloads = info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_CHECKSUM;
	return conf;
}

static int queues_set_up(struct port_live *p, struct rte_mempool *pool)
{
	uint16_t rx = DESCRIPTORS, tx = DESCRIPTORS;
	int socket = rte_eth_dev_socket_id(p->port);
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(p->port, &rx, &tx);

	for (uint16_t q = 0; !rc && q < p->queues; q++) {
		rc = rte_eth_rx_queue_setup(p->port, q, rx, (unsigned)socket, NULL, pool);
		if (!rc)
			rc = rte_eth_tx_queue_setup(p->port, q, tx, (unsigned)socket, NULL);
	}
	return rc;
}

static int device_start(struct port_live *p, unsigned queues, uint16_t mtu,
			struct rte_mempool *pool)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf;
	int rc = rte_eth_dev_info_get(p->port, &info);

	if (rc)
		return rc;
	p->queues = RTE_MIN((uint16_t)queues, RTE_MIN(info.max_rx_queues, info.max_tx_queues));
	conf = conf_of(&info, (uint16_t)RTE_MIN(mtu, info.max_mtu));
	rc = rte_eth_dev_configure(p->port, p->queues, p->queues, &conf);
	if (!rc)
		rc = queues_set_up(p, pool);
	if (!rc)
		rc = rte_eth_dev_start(p->port);
	if (rc)
		return rc;
	p->started = true;
	/* Neighbours' frames are not for the gate's own address; a port that can't sees them all.
	 */
	rte_eth_promiscuous_enable(p->port);
	return 0;
}

int port_live_open(struct port_live *p, const char *spec, enum port_role role, unsigned queues,
		   uint16_t mtu, struct rte_mempool *pool, char error[GATE_ERROR])
{
	int rc;

	*p = (struct port_live){.port = PORT_NONE, .role = role, .frame_max = mtu + LINK_BYTES};
	names_take(p, spec);
	rc = device_make(p, spec, error);
	if (rc)
		return rc;
	rc = device_start(p, queues, mtu, pool);
	if (rc) {
		snprintf(error, GATE_ERROR, "%.100s: the port does not start: %s", spec,
			 strerror(-rc));
		port_live_close(p);
	}
	return rc;
}

void port_live_close(struct port_live *p)
{
	if (p->port == PORT_NONE)
		return;
	if (p->started)
		rte_eth_dev_stop(p->port);
	rte_eth_dev_close(p->port);
	p->port = PORT_NONE;
	p->started = false;
}

/* What the NIC added up is not added up again; what it found wrong is: it may be mistaken. */
static uint8_t flags_of(const struct rte_mbuf *m)
{
	const uint64_t good = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;

	if ((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD &&
	    (m->ol_flags & (RTE_MBUF_F_RX_IP_CKSUM_MASK | good)) &&
	    (m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) != RTE_MBUF_F_RX_IP_CKSUM_BAD)
		return PACKET_CHECKSUM_TRUSTED;
	return 0;
}

static void describe(const struct port_live *p, struct rte_mbuf *m, uint64_t time, uint64_t number)
{
	uint8_t flags = flags_of(m);
	bool whole = m->nb_segs == 1 && m->pkt_len <= p->frame_max;

	/* A tag that was taken off belongs to the frame; it leaves with it. */
	if (whole && (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED))
		whole = rte_vlan_insert(&m) == 0;
	m->ol_flags = 0;
	*packet_meta(m) = (struct packet_meta){
		.time = time,
		.number = number,
		.wirelen = m->pkt_len,
		.link = LINK_ETHERNET,
		.flags = flags,
		.reason = whole ? REASON_NONE : REASON_OVERSIZE,
		.role = p->role == PORT_INSIDE ? PORT_OUTSIDE : PORT_INSIDE,
		.from = p->role == PORT_INSIDE ? FROM_INSIDE : FROM_OUTSIDE,
	};
}

unsigned port_live_receive(const struct port_live *p, uint16_t queue, struct rte_mbuf **m,
			   unsigned n, uint64_t time, uint64_t *number)
{
	unsigned got = rte_eth_rx_burst(p->port, queue, m, (uint16_t)n);

	for (unsigned i = 0; i < got; i++)
		describe(p, m[i], time, ++*number);
	return got;
}

void port_live_status(const struct port_live *p, struct shm_port *status)
{
	struct rte_eth_stats stats = {0};
	struct rte_eth_link link = {0};
	struct rte_eth_dev_info info;
	struct rte_ether_addr mac;

	if (p->port == PORT_NONE)
		return;
	snprintf(status->name, sizeof(status->name), "%s", p->name);
	snprintf(status->iface, sizeof(status->iface), "%s", p->iface);
	if (rte_eth_dev_info_get(p->port, &info) == 0)
		snprintf(status->driver, sizeof(status->driver), "%s", info.driver_name);
	if (rte_eth_macaddr_get(p->port, &mac) == 0)
		memcpy(status->mac, mac.addr_bytes, sizeof(status->mac));
	if (rte_eth_link_get_nowait(p->port, &link) == 0) {
		status->link_up = link.link_status == RTE_ETH_LINK_UP;
		status->speed = link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed;
	}
	status->mtu = p->frame_max - LINK_BYTES;
	status->queues = p->queues;
	if (rte_eth_stats_get(p->port, &stats) == 0) {
		status->rx_packets = stats.ipackets;
		status->rx_bytes = stats.ibytes;
		status->rx_missed = stats.imissed;
		status->rx_errors = stats.ierrors;
		status->rx_nombuf = stats.rx_nombuf;
		status->tx_packets = stats.opackets;
		status->tx_bytes = stats.obytes;
		status->tx_errors = stats.oerrors;
	}
	status->updated = monotonic_ns();
}
