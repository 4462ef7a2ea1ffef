/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an ICMP error is about: the segment that it quotes, as much of it as is there (RFC 792: its
 * first 8 bytes; RFC 1812 4.3.2.3, RFC 4443 3: more). Pure; any thread.
 */
#ifndef POSTERN_ICMP_QUOTE_H
#define POSTERN_ICMP_QUOTE_H

#include "dataplane/packet.h"

struct icmp_quote {
	/* Of the quoted segment: key, hash, side, ports and sequence number; the rest is zero. */
	struct headers hdr;
	uint16_t tcp; /* offset of its TCP header from the packet's first byte */
	uint16_t len; /* bytes of it that are there: 8 at least */
};

/*
 * False: the packet is no error about a TCP segment, or quotes less of it. It is found where the
 * kernel finds it (bpf/stage_decode.h).
 */
bool icmp_quote_read(const struct rte_mbuf *m, const struct headers *h, struct icmp_quote *q);

#endif
