/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * Whether a packet is an emergency call's media (bpf/media.h). As for bpf/stage_one.h: one source
 * for the kernel and for workers, who provide the table.
 */
#ifndef POSTERN_STAGE_MEDIA_H
#define POSTERN_STAGE_MEDIA_H

#include <stddef.h>

#include "bpf/media.h"
#include "bpf/stage_packet.h"

struct media_table;

/* The tenant's first place, from 1; 0: it has none. */
STAGE_INLINE uint32_t media_first(struct media_table *t, uint32_t tenant);
/* NULL: no such place. */
STAGE_INLINE struct media *media_at(struct media_table *t, uint32_t place);

STAGE_INLINE bool media_address_is(const uint8_t a[16], const uint8_t b[16])
{
	return stage_be64(a) == stage_be64(b) && stage_be64(a + 8) == stage_be64(b + 8);
}

STAGE_INLINE bool media_port_is(const uint16_t port[2], uint16_t is)
{
	return is && (port[0] == is || port[1] == is);
}

/*
 * Both addresses as said, and the receiver's port (RFC 3264 5.1: what is said is where one wants
 * to receive): the sender may use another. Where the receiver's is not known, the sender's.
 */
STAGE_INLINE bool media_is(const struct media *m, const struct stage_packet *p, bool outbound)
{
	if (m->family != p->family || !media_address_is(m->inside, outbound ? p->src : p->dst) ||
	    !media_address_is(m->outside, outbound ? p->dst : p->src))
		return false;
	if (outbound)
		return media_port_is(m->outside_port, p->dport);
	return m->inside_port[0] ? media_port_is(m->inside_port, p->dport)
				 : media_port_is(m->outside_port, p->sport);
}

/* What media_look() says: it is this place's. Else the next place, 0: there is none. */
#define MEDIA_FOUND UINT32_MAX

STAGE_INLINE uint32_t media_look(struct media_table *t, const struct stage_packet *p,
				 uint32_t place, uint32_t tenant, bool outbound)
{
	const struct media *m = media_at(t, place);

	if (!m)
		return 0;
	if (m->tenant == tenant && media_is(m, p, outbound))
		return MEDIA_FOUND;
	return m->next;
}

/*
 * media_look(), which the includer may have in a function of its own: the verifier would walk
 * through it once for each place.
 */
STAGE_INLINE uint32_t media_step(struct media_table *t, const struct stage_packet *p,
				 uint32_t place, uint32_t tenant, bool outbound);

/* Of a CLASS_L4 datagram that is not read. */
STAGE_INLINE bool media_pass(struct media_table *t, const struct stage_packet *p, uint32_t tenant,
			     bool outbound, uint64_t now)
{
	uint32_t place = media_first(t, tenant);

	for (unsigned i = 0; i < MEDIA_TENANT_MAX && place; i++) {
		struct media *m = media_at(t, place);
		uint32_t serial = m ? media_serial(m) : 0;
		uint32_t next = media_step(t, p, place, tenant, outbound);

		if (next == MEDIA_FOUND) {
			if (m && media_spend(m, serial, p->len, now))
				return true;
			/* Its call is over; another may be between the same. */
			next = m ? m->next : 0;
		}
		place = next;
	}
	return false;
}

#endif
