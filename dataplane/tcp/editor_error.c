/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP errors about edited connections: "too big", "unreachable" and the others quote a segment as
 * its receiver's side of the gate saw it. Its sender looks whether it sent such a one, by ports and
 * sequence number (RFC 5927 4.1), and would take no notice. So the number is translated back,
 * and path MTU discovery (RFC 1191, RFC 8201) goes on.
 */
#include "dataplane/flow_table.h"
#include "dataplane/icmp_quote.h"
#include "dataplane/packet_write.h"
#include "dataplane/tcp/checksum.h"
#include "dataplane/tcp/editor_internal.h"

#define ICMP_SUM 2 /* offsets of checksums */
#define TCP_SUM  16

/* Writes what the quoted header has at `offset`, and mends every checksum above it. */
static void quote_patch(uint8_t *icmp, uint8_t *tcp, size_t offset, const void *now, size_t len)
{
	checksum_update(icmp + ICMP_SUM, (size_t)(tcp - icmp) + offset, tcp + offset, now, len);
	memcpy(tcp + offset, now, len);
}

static void quote_renumber(uint8_t *icmp, uint8_t *tcp, uint32_t len, uint32_t seq)
{
	uint8_t before[4], now[4], sum[2];

	memcpy(before, tcp + 4, 4);
	put32(now, seq);
	quote_patch(icmp, tcp, 4, now, 4);
	/* As much of the segment as most quote ends before its checksum. */
	if (len < TCP_SUM + 2)
		return;
	memcpy(sum, tcp + TCP_SUM, 2);
	checksum_update(sum, 4, before, now, 4);
	quote_patch(icmp, tcp, TCP_SUM, sum, 2);
}

void editor_translate_error(struct worker *w, struct rte_mbuf *m, const struct headers *h)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	const struct editor_side *sender;
	const struct flow *f;
	struct icmp_quote q;

	if (!icmp_quote_read(m, h, &q))
		return;
	f = flow_table_lookup(w->flows, &q.hdr.key, q.hdr.hash);
	/* What was met on its sender's side of the gate has its sender's numbers. */
	if (!f || !f->editor || packet_meta(m)->role != f->editor->side[!q.hdr.side].role)
		return;
	sender = &f->editor->side[q.hdr.side];
	quote_renumber(p + h->l4, p + q.tcp, q.len, tcp_edit_ack(&sender->log, q.hdr.seq));
}
