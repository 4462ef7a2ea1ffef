/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/tcp/tcp_cut.h"

#include <string.h>

#include "dataplane/gate.h"
#include "dataplane/packet_write.h"
#include "dataplane/tcp/checksum.h"
#include "dataplane/tcp/tcp.h"

void tcp_checksum(struct rte_mbuf *m, const struct headers *h)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	const uint8_t *ip = p + h->l3;
	uint8_t *tcp = p + h->l4;
	uint64_t sum;
	uint16_t field;

	if (h->missing)
		return;
	memset(tcp + 16, 0, 2);
	if (h->family == 4)
		sum = checksum_pseudo_ipv4(ip + 12, ip + 16, h->proto, h->l4_len);
	else
		sum = checksum_pseudo_ipv6(ip + 8, ip + 24, h->proto, h->l4_len);
	field = checksum_finish(checksum_add(sum, tcp, h->l4_len));
	memcpy(tcp + 16, &field, 2);
}

void header_patch(struct rte_mbuf *m, const struct headers *h, const uint8_t *field,
		  const void *now, size_t len)
{
	uint8_t *tcp = rte_pktmbuf_mtod_offset(m, uint8_t *, h->l4);
	size_t at = (size_t)(field - tcp);

	if (memcmp(field, now, len) == 0)
		return;
	/* What a network card is to fill in is filled in by the gate. */
	if (packet_meta(m)->flags & (PACKET_CHECKSUM_TRUSTED | PACKET_CHANGED))
		packet_meta(m)->flags |= PACKET_CHANGED;
	else
		checksum_update(tcp + 16, at, field, now, len);
	memcpy(tcp + at, now, len);
}

void header_patch32(struct rte_mbuf *m, const struct headers *h, unsigned offset, uint32_t now)
{
	uint8_t word[4];

	put32(word, now);
	header_patch(m, h, rte_pktmbuf_mtod_offset(m, const uint8_t *, h->l4 + offset), word, 4);
}

void tcp_clear_urgent(struct rte_mbuf *m, struct headers *h)
{
	const uint8_t *tcp = rte_pktmbuf_mtod_offset(m, const uint8_t *, h->l4);
	uint8_t now[8];

	h->tcp_flags &= (uint8_t)~TCP_URG;
	memcpy(now, tcp + 12, 8);
	now[1] = h->tcp_flags;
	memset(now + 6, 0, 2);
	header_patch(m, h, tcp + 13, now + 1, 1);
	header_patch(m, h, tcp + 18, now + 6, 2);
}

/* The headers of a packet with `len` bytes of payload on the wire, the first one at `seq`. */
static void write_headers(struct rte_mbuf *m, const struct headers *h, uint32_t seq, uint32_t len,
			  bool fin)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *), *ip = p + h->l3, *tcp = p + h->l4;
	uint32_t total = h->payload - h->l3 + len;
	uint16_t field;

	/* A SYN comes before the first byte; pieces behind that have none. */
	if (tcp[13] & TCP_SYN) {
		if (seq == h->seq + 1)
			seq--;
		else
			tcp[13] &= (uint8_t)~TCP_SYN;
	}
	seq = rte_cpu_to_be_32(seq);
	memcpy(tcp + 4, &seq, 4);
	if (!fin)
		tcp[13] &= (uint8_t)~TCP_FIN;
	if (h->family == 4) {
		field = rte_cpu_to_be_16((uint16_t)total);
		memcpy(ip + 2, &field, 2);
		memset(ip + 10, 0, 2);
		field = checksum_finish(checksum_add(0, ip, (size_t)(ip[0] & 0x0f) * 4));
		memcpy(ip + 10, &field, 2);
	} else {
		field = rte_cpu_to_be_16((uint16_t)(total - 40));
		memcpy(ip + 4, &field, 2);
	}
	packet_meta(m)->wirelen = h->payload + len;
}

void tcp_trim(struct rte_mbuf *m, struct headers *h)
{
	struct packet_meta *meta = packet_meta(m);
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	uint16_t front = (uint16_t)(meta->payload - h->payload);

	memmove(p + front, p, h->payload);
	m->data_off = (uint16_t)(m->data_off + front);
	m->data_len = (uint16_t)(h->payload + meta->len);
	m->pkt_len = m->data_len;
	meta->payload = h->payload;
	write_headers(m, h, meta->seq, meta->len + meta->missing, meta->fin);
	meta->flags |= PACKET_CHANGED;
	packet_decode(m, h);
}

struct rte_mbuf *tcp_piece(struct worker *w, struct rte_mbuf *m, const struct headers *h,
			   uint32_t from, uint32_t to)
{
	const struct packet_meta *meta = packet_meta(m);
	bool fits = h->payload + to - from <= GATE_SMALL;
	struct rte_mbuf *piece = rte_pktmbuf_alloc(fits ? w->mbufs : w->large);
	struct packet_meta *described;
	struct headers ph;
	uint8_t *p;

	if (!piece)
		return NULL;
	p = rte_pktmbuf_mtod(piece, uint8_t *);
	memcpy(p, rte_pktmbuf_mtod(m, const uint8_t *), h->payload);
	memcpy(p + h->payload, rte_pktmbuf_mtod_offset(m, const uint8_t *, meta->payload + from),
	       to - from);
	piece->data_len = (uint16_t)(h->payload + to - from);
	piece->pkt_len = piece->data_len;
	described = packet_meta(piece);
	*described = *meta;
	described->flags &= (uint8_t) ~(PACKET_REASSEMBLED | PACKET_CHANGED);
	described->next = described->fragments = NULL;
	described->seq += from;
	described->payload = h->payload;
	described->fin = meta->fin && to == meta->len && !meta->missing;
	described->len = to - from;
	described->missing = 0;
	write_headers(piece, h, described->seq, described->len, described->fin);
	packet_decode(piece, &ph);
	tcp_checksum(piece, &ph);
	return piece;
}
