/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Carries the verdicts out: forwards, withholds whole packets or the bytes that
 * were refused, and sorts what leaves by port.
 */
#include <netinet/in.h>

#include "dataplane/checksum.h"
#include "dataplane/inspect.h"
#include "dataplane/tcp.h"

static enum port_role port_out(const struct burst *b, unsigned i)
{
	return b->outbound[i] ? PORT_OUTSIDE : PORT_INSIDE;
}

static void send_on(struct burst *b, unsigned i, struct rte_mbuf *m)
{
	enum port_role port = port_out(b, i);

	packet_meta(m)->decided = b->decided[i];
	packet_meta(m)->role = port;
	if (b->tx_count[port] == RTE_DIM(b->tx[port]))
		rte_pktmbuf_free(m);
	else
		b->tx[port][b->tx_count[port]++] = m;
}

/* A packet that came in fragments leaves as it came. */
static void send_fragments(struct burst *b, unsigned i)
{
	struct rte_mbuf *m = packet_meta(b->pkt[i])->fragments;

	while (m) {
		struct rte_mbuf *next = packet_meta(m)->next;

		send_on(b, i, m);
		m = next;
	}
	rte_pktmbuf_free(b->pkt[i]);
}

static void free_fragments(struct rte_mbuf *whole)
{
	struct rte_mbuf *m = packet_meta(whole)->fragments;

	while (m) {
		struct rte_mbuf *next = packet_meta(m)->next;

		rte_pktmbuf_free(m);
		m = next;
	}
}

static bool is_remembered(const struct burst *b, unsigned i)
{
	const struct flow *f = b->flow[i];

	return b->work[i] == SLOT_INSPECT && f && f->key.proto == IPPROTO_TCP &&
	       !(f->flags & FLOW_UNINSPECTED) && packet_meta(b->pkt[i])->len;
}

static void forward(struct worker *w, struct burst *b, unsigned i)
{
	struct rte_mbuf *m = b->pkt[i];
	struct packet_meta *meta = packet_meta(m);

	meta->reason = b->reason[i];
	if (meta->flags & PACKET_CHANGED)
		tcp_checksum(m, &b->hdr[i]);
	if (is_remembered(b, i))
		tcp_remember(w, b->flow[i], b->hdr[i].side, m);
	if (meta->flags & PACKET_REASSEMBLED)
		send_fragments(b, i);
	else
		send_on(b, i, m);
}

/* A copy of the packet with payload bytes [from, to) alone, counted from the first one inspected.
 */
static struct rte_mbuf *piece(struct worker *w, struct burst *b, unsigned i, uint32_t from,
			      uint32_t to)
{
	const struct headers *h = &b->hdr[i];
	const struct packet_meta *meta = packet_meta(b->pkt[i]);
	const uint8_t *src = rte_pktmbuf_mtod(b->pkt[i], const uint8_t *);
	uint32_t head = h->payload, len = to - from, seq = rte_cpu_to_be_32(meta->seq + from);
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->mbufs);
	struct headers ph = *h;
	uint16_t ip_len;
	uint8_t *p;

	if (!m)
		return NULL;
	if (head + len > rte_pktmbuf_tailroom(m)) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	p = rte_pktmbuf_mtod(m, uint8_t *);
	memcpy(p, src, head);
	memcpy(p + head, src + meta->payload + from, len);
	m->data_len = (uint16_t)(head + len);
	m->pkt_len = m->data_len;
	*packet_meta(m) = *meta;
	packet_meta(m)->wirelen = m->pkt_len;
	packet_meta(m)->next = packet_meta(m)->fragments = NULL;
	memcpy(p + h->l4 + 4, &seq, 4);
	p[h->l4 + 13] &= (uint8_t)~TCP_FIN;
	ph.l4_len = (uint16_t)(head - h->l4 + len);
	if (h->family == 4) {
		ip_len = rte_cpu_to_be_16((uint16_t)(head - h->l3 + len));
		memcpy(p + h->l3 + 2, &ip_len, 2);
		memset(p + h->l3 + 10, 0, 2);
		ip_len = checksum_finish(checksum_add(0, p + h->l3, (size_t)(p[h->l3] & 0x0f) * 4));
		memcpy(p + h->l3 + 10, &ip_len, 2);
	} else {
		ip_len = rte_cpu_to_be_16((uint16_t)(head - h->l3 - 40 + len));
		memcpy(p + h->l3 + 4, &ip_len, 2);
	}
	tcp_checksum(m, &ph);
	return m;
}

/* Cuts come in the order of the stream. What lies between them was not refused. */
static void send_rest(struct worker *w, struct burst *b, unsigned i)
{
	uint32_t at = 0, end = packet_meta(b->pkt[i])->len;
	bool any = false;

	for (unsigned k = 0; k <= w->cut_count; k++) {
		uint32_t from = end, to = end;
		struct rte_mbuf *m;

		if (k < w->cut_count) {
			if (w->cuts[k].slot != i)
				continue;
			any = true;
			from = w->cuts[k].begin;
			to = w->cuts[k].end;
		} else if (!any) {
			return;
		}
		if (from > at && (m = piece(w, b, i, at, from))) {
			packet_meta(m)->reason = b->reason[i];
			send_on(b, i, m);
		}
		at = RTE_MAX(at, to);
	}
}

static void withhold(struct worker *w, struct burst *b, unsigned i)
{
	struct rte_mbuf *m = b->pkt[i];

	if (w->cut_count)
		send_rest(w, b, i);
	if (packet_meta(m)->flags & PACKET_REASSEMBLED)
		free_fragments(m);
	rte_pktmbuf_free(m);
}

void stage_verdict(struct worker *w, struct burst *b)
{
	for (unsigned k = 0; k < b->out; k++) {
		unsigned i = b->out_order[k];
		enum verdict verdict = b->verdict[i];

		w->counters->verdicts[verdict]++;
		w->tenants[b->tenant[i]].verdicts[verdict]++;
		if (verdict < VERDICT_DROP)
			forward(w, b, i);
		else
			withhold(w, b, i);
	}
}
