/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port of a live gate: a DPDK device, and what the stages want to know of each
 * packet that comes in by it. Opened and closed by the main thread; each queue is one worker's.
 */
#ifndef POSTERN_PORT_LIVE_H
#define POSTERN_PORT_LIVE_H

#include "bpf/shm.h"
#include "dataplane/gate.h"

#define PORT_LIVE_SPEC 512

struct port_live {
	uint16_t port;   /* DPDK's; PORT_NONE: not open */
	uint16_t queues; /* of packets that come, and as many of those that leave */
	rte_spinlock_t lock[GATE_WORKERS_MAX]; /* of the latter, where workers share them */
	enum port_role role;
	uint32_t frame_max; /* bytes: larger ones are refused */
	bool started;
	char name[64];
	char iface[16]; /* "": it is no interface of the kernel's */
	uint32_t ifindex;
};

/*
 * What a port's name on the command line is: an interface of the kernel's becomes a device
 * string ("net_af_packet0,iface=…"), a device string stays. False: neither.
 */
bool port_live_spec(const char *name, unsigned index, unsigned queues, char spec[PORT_LIVE_SPEC]);
/* The same for mode xdp: `program` is the XDP program's object file. */
bool port_live_spec_xdp(const char *name, unsigned index, unsigned first_queue, unsigned queues,
			const char *program, char spec[PORT_LIVE_SPEC]);

/* Packets' buffers that two ports with so many queues can hold. */
uint32_t port_live_buffers(unsigned queues);

/*
 * Makes and starts the device with as many queues as workers poll, at most `queues`; frames of up
 * to `mtu` bytes behind the Ethernet header and two VLAN tags pass. 0 or -errno with words.
 */
int port_live_open(struct port_live *p, const char *spec, enum port_role role, unsigned queues,
		   uint16_t mtu, struct rte_mempool *pool, char error[GATE_ERROR]);
void port_live_close(struct port_live *p);

/* Up to n packets that came, described for the stages. `time`: ns since 1970; *number counts up. */
unsigned port_live_receive(const struct port_live *p, uint16_t queue, struct rte_mbuf **m,
			   unsigned n, uint64_t time, uint64_t *number);

/* What DPDK knows of it. Main thread. */
void port_live_status(const struct port_live *p, struct shm_port *status);

#endif
