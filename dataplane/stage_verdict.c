/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Carries the verdicts out: forwards, withholds whole packets or the bytes that
 * were refused, and sorts what leaves by port.
 */
#include <netinet/in.h>

#include "dataplane/inspect.h"
#include "dataplane/kernel_flow.h"
#include "dataplane/tcp/editor.h"
#include "dataplane/tcp/tcp.h"
#include "dataplane/tcp/tcp_cut.h"

static enum port_role port_out(const struct burst *b, unsigned i)
{
	return packet_meta(b->pkt[i])->role;
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
	struct packet_meta *whole = packet_meta(b->pkt[i]);
	struct rte_mbuf *m = whole->fragments;

	whole->fragments = NULL;
	while (m) {
		struct rte_mbuf *next = packet_meta(m)->next;

		send_on(b, i, m);
		m = next;
	}
	rte_pktmbuf_free(b->pkt[i]);
}

static bool is_remembered(const struct burst *b, unsigned i)
{
	const struct flow *f = b->flow[i];

	return b->work[i] == SLOT_INSPECT && f && f->key.proto == IPPROTO_TCP &&
	       !(packet_meta(b->pkt[i])->flags & PACKET_UNREAD) && packet_meta(b->pkt[i])->len;
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
	if ((meta->flags & (PACKET_REASSEMBLED | PACKET_CHANGED)) == PACKET_REASSEMBLED) {
		send_fragments(b, i);
		return;
	}
	/* What was changed is not what the fragments say. */
	packet_free_fragments(m);
	send_on(b, i, m);
}

/* Payload bytes [from, to). */
static void send_piece(struct worker *w, struct burst *b, unsigned i, uint32_t from, uint32_t to)
{
	struct rte_mbuf *m;

	if (from >= to)
		return;
	m = tcp_piece(w, b->pkt[i], &b->hdr[i], from, to);
	if (!m)
		return;
	packet_meta(m)->reason = b->reason[i];
	send_on(b, i, m);
}

/* Cuts come in the order of the stream. What lies between them was not refused. */
static void send_rest(struct worker *w, struct burst *b, unsigned i)
{
	uint32_t at = 0, end = packet_meta(b->pkt[i])->len;
	bool any = false;

	for (unsigned k = 0; k <= w->cut_count; k++) {
		uint32_t from = end, to = end;

		if (k < w->cut_count) {
			if (w->cuts[k].slot != i)
				continue;
			any = true;
			from = w->cuts[k].begin;
			to = w->cuts[k].end;
		} else if (!any) {
			return;
		}
		send_piece(w, b, i, at, from);
		at = RTE_MAX(at, to);
	}
}

/* In its turn, not when it is decided: packets before it in the burst are compared without it. */
static void note_withheld(struct worker *w, struct burst *b, unsigned i)
{
	const struct packet_meta *meta = packet_meta(b->pkt[i]);
	uint8_t side = b->hdr[i].side;
	bool any = false;

	if (!is_remembered(b, i))
		return;
	for (unsigned k = 0; k < w->cut_count; k++) {
		const struct cut *cut = &w->cuts[k];

		if (cut->slot != i)
			continue;
		any = true;
		tcp_withhold(b->flow[i], side, meta->seq + cut->begin,
			     (uint32_t)(cut->end - cut->begin));
	}
	if (!any)
		tcp_withhold(b->flow[i], side, meta->seq, meta->len);
}

static void withhold(struct worker *w, struct burst *b, unsigned i)
{
	struct rte_mbuf *m = b->pkt[i];

	note_withheld(w, b, i);
	if (w->cut_count)
		send_rest(w, b, i);
	packet_free(m);
}

/* What was sent before leaves as it was then, or not at all. False: it will, when its turn comes.
 */
static bool verify(struct worker *w, struct burst *b, unsigned i)
{
	const struct headers *h = &b->hdr[i];
	const struct flow *f = b->flow[i];
	struct rte_mbuf *m = b->pkt[i];
	unsigned match = tcp_verify(f, h->side, h->seq + !!(h->tcp_flags & TCP_SYN),
				    rte_pktmbuf_mtod_offset(m, uint8_t *, h->payload), b->known[i]);

	if (match & SEGMENT_DIFFERS) {
		w->counters->tcp.overlap_differs++;
		worker_note(w, f->tenant, REASON_TCP_OVERLAP_DIFFERS);
		packet_meta(m)->flags |= PACKET_CHANGED;
	}
	if (!(match & SEGMENT_UNKNOWN) || !f->packets[!h->side])
		return true;
	if (tcp_awaits(f, h->side, h->seq + b->known[i])) {
		slot_absorb(w, b, i);
		return false;
	}
	if (b->work[i] == SLOT_INSPECT)
		tcp_trim(m, &b->hdr[i]);
	else
		slot_decide(w, i, VERDICT_DROP, REASON_TCP_UNVERIFIABLE);
	return true;
}

static void settle(struct worker *w, struct burst *b, unsigned i)
{
	struct flow *f = b->flow[i];

	if (f && f->key.proto == IPPROTO_TCP && (b->hdr[i].tcp_flags & TCP_ACK))
		tcp_settle(w, f, b->hdr[i].side, b->hdr[i].ack);
}

/* Verdicts are counted by the packets that came: fragments each, what was split once. */
static unsigned packets_in(struct rte_mbuf *m, enum verdict verdict)
{
	unsigned n = 0;

	if (packet_meta(m)->flags & PACKET_COUNTED)
		return verdict > VERDICT_PASS;
	if (!packet_meta(m)->fragments)
		return 1;
	for (m = packet_meta(m)->fragments; m; m = packet_meta(m)->next)
		n++;
	return n;
}

void stage_verdict(struct worker *w, struct burst *b)
{
	for (unsigned k = 0; k < b->out; k++) {
		unsigned i = b->out_order[k];
		unsigned packets = packets_in(b->pkt[i], b->verdict[i]);
		enum verdict verdict;

		if (b->known[i] && b->verdict[i] < VERDICT_DROP && !verify(w, b, i))
			continue;
		verdict = b->verdict[i];
		if (w->editing && verdict < VERDICT_DROP)
			editor_translate_error(w, b->pkt[i], &b->hdr[i]);
		w->counters->verdicts[verdict] += packets;
		w->tenants[b->tenant[i]].verdicts[verdict] += packets;
		if (b->flow[i] && b->flow[i]->editor)
			editor_carry(w, b, i);
		else if (verdict < VERDICT_DROP)
			forward(w, b, i);
		else
			withhold(w, b, i);
		settle(w, b, i);
		if (b->flow[i])
			kernel_flow_look(w, b->flow[i], b->hdr[i].tcp_flags);
	}
}
