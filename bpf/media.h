/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * Media of emergency calls (AUP-EMERGENCY): datagrams that pass whatever their tenant's state, its
 * limits of packets and bytes, and blocked networks say. Workers put them in, by what both ends of
 * a call said in its session descriptions (dataplane/sip/urgent.h); the kernel and workers let
 * packets through by them. A table of fixed places, mapped by all; each tenant's are a list.
 *
 * Who puts in and takes out holds the calls' lock: it ends what is there (`expires` is 0), and
 * writes the rest, then `serial`, then `expires`. Whoever lets a packet through holds nothing: it
 * takes `serial` first, and having compared looks at `expires` and then at `serial` again. What has
 * changed meanwhile was no match.
 *
 * What somebody gains who calls an emergency number only to send on: two addresses, of which one
 * is the tenant's own, ports from MEDIA_PORT_LEAST on, UDP, so many packets a second, while the
 * call lasts.
 */
#ifndef POSTERN_SHARED_MEDIA_H
#define POSTERN_SHARED_MEDIA_H

#include "bpf/gcra.h"
#include "bpf/stage_packet.h"

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

/* To be taken before the medium is compared. */
STAGE_INLINE uint32_t media_serial(const struct media *m)
{
	uint32_t serial = *(const volatile uint32_t *)&m->serial;

	/* What is compared is read behind it: the CPU keeps the order, and the compiler has to. */
	__asm__ volatile("" ::: "memory");
	return serial;
}

/* One packet of it. False: it ended, it is another's by now, or there are too many of them. */
STAGE_INLINE bool media_spend(struct media *m, uint32_t serial, uint32_t len, uint64_t now)
{
	const struct gcra rate = {
		.interval = 1000000000 / MEDIA_RATE,
		.tolerance = (MEDIA_RATE - 1) * (1000000000 / MEDIA_RATE),
	};
	uint64_t expires = *(volatile uint64_t *)&m->expires, later = now + m->idle, stood;

	if (expires <= now || *(volatile uint64_t *)&m->until <= now ||
	    !gcra_take(&m->spent, &rate, now, 1))
		return false;
	/* Behind the exchange in there, and so behind `expires`. */
	if (*(volatile uint32_t *)&m->serial != serial)
		return false;
	if (later > expires) {
		stood = __sync_val_compare_and_swap(&m->expires, expires, later);
		/* Another CPU put it off: just as well. */
		if (stood != expires && stood <= now)
			return false;
	}
	__sync_fetch_and_add(&m->packets, 1);
	__sync_fetch_and_add(&m->bytes, len);
	return true;
}

#endif
