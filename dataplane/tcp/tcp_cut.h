/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segments made smaller: what leaves the gate is what was read, no more. Worker's
 * thread; the packets are its own, forwarded ones are not changed any more.
 */
#ifndef POSTERN_TCP_CUT_H
#define POSTERN_TCP_CUT_H

#include "dataplane/worker.h"

/*
 * Only the payload that the packet's meta describes stays in it; headers and checksum say
 * so. *h: its headers, read again.
 */
void tcp_trim(struct rte_mbuf *m, struct headers *h);

/*
 * A new packet with bytes [from, to) of the payload that m's meta describes. The FIN stays
 * with the last byte. NULL: no buffer.
 */
struct rte_mbuf *tcp_piece(struct worker *w, struct rte_mbuf *m, const struct headers *h,
			   uint32_t from, uint32_t to);

/* Writes `len` bytes at `field` of the TCP header, and mends the checksum. */
void header_patch(struct rte_mbuf *m, const struct headers *h, const uint8_t *field,
		  const void *now, size_t len);
void header_patch32(struct rte_mbuf *m, const struct headers *h, unsigned offset, uint32_t now);

/*
 * None of its bytes is urgent: a receiver may take such a one out of its stream (RFC 6093 2), and
 * would read something else than the gate.
 */
void tcp_clear_urgent(struct rte_mbuf *m, struct headers *h);

/* Recomputes a changed segment's checksum; one that the capture cut can't be added up. */
void tcp_checksum(struct rte_mbuf *m, const struct headers *h);

#endif
