/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * Media of emergency calls (AUP-EMERGENCY): datagrams that pass whatever their tenant's state, its
 * limits of packets and bytes, and blocked networks say. Workers put them in, by what both ends of
 * a call said in its session descriptions (dataplane/sip/urgent.h); the kernel and workers let
 * packets through by them. A table of fixed places, mapped by all; each tenant's are a list.
 *
 * Who puts in and takes out holds the calls' lock. Whoever lets a packet through holds nothing: it
 * takes `expires` first and puts it off last, by compare-and-swap, and what has changed meanwhile
 * was no match.
 *
 * What somebody gains who calls an emergency number only to send on: two addresses, of which one
 * is the tenant's own, ports from MEDIA_PORT_LEAST on, UDP, so many packets a second, while the
 * call lasts.
 */
#ifndef POSTERN_SHARED_MEDIA_H
#define POSTERN_SHARED_MEDIA_H

#include "bpf/gcra.h"

#define MEDIA_TENANT_MAX 64   /* of a tenant at once: a packet is compared with no more */
#define MEDIA_PORT_LEAST 1024 /* below are services, which answer to forged senders */
#define MEDIA_RATE       1000 /* packets/s of one, both ways together; as many at once */

struct media {
	uint64_t expires; /* ns; 0: the place is free. Put off by every packet */
	uint64_t until;   /* ns: not beyond, whatever comes */
	uint64_t idle;    /* ns without a packet */
	gcra_word spent;
	uint64_t packets, bytes; /* that passed by it */
	uint8_t inside[16];      /* the tenant's; IPv4: four bytes, then zeroes */
	uint8_t outside[16];
	/* RTP's and RTCP's, host order; where both come to one, twice. The inside's may be unknown:
	 * 0, behind a translator of the tenant's. */
	uint16_t inside_port[2];
	uint16_t outside_port[2];
	uint32_t tenant; /* slot */
	uint32_t next;   /* the tenant's next place, from 1; 0: the last */
	uint32_t serial; /* another each time that the place is taken */
	uint8_t family;
	uint8_t pad[3];
};

#endif
