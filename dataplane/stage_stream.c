/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Puts each direction's bytes in order. What comes out of here, in `stream_order`,
 * is what the next stages see: in-order payload to inspect, everything else to
 * forward. Segments beyond a gap wait in their flow and come back when it closes.
 */
#include <netinet/in.h>

#include "dataplane/sniff.h"
#include "dataplane/tcp/editor.h"
#include "dataplane/tcp/tcp.h"
#include "dataplane/tcp/tcp_cut.h"
#include "dataplane/tcp/tcp_option.h"
#include "dataplane/worker.h"

static void put_in_order(struct burst *b, unsigned i, enum slot_work work)
{
	b->work[i] = work;
	b->stream_order[b->streamed++] = (uint16_t)i;
}

static void hold(struct burst *b, unsigned i)
{
	b->work[i] = SLOT_HELD;
	b->pkt[i] = NULL;
}

void slot_absorb(struct worker *w, struct burst *b, unsigned i)
{
	w->counters->verdicts[VERDICT_PASS]++;
	w->tenants[b->tenant[i]].verdicts[VERDICT_PASS]++;
	packet_free(b->pkt[i]);
	hold(b, i);
}

unsigned burst_readmit(struct burst *b, struct rte_mbuf *m, struct flow *f, struct burst_turn turn)
{
	unsigned i = b->n++;

	b->turn[i] = turn;
	b->pkt[i] = m;
	packet_decode(m, &b->hdr[i]);
	b->flow[i] = f;
	b->tenant[i] = f->tenant;
	b->outbound[i] = !!(f->flags & FLOW_OUTBOUND) == flow_from_client(f, b->hdr[i].side);
	b->verdict[i] = VERDICT_PASS;
	b->reason[i] = REASON_NONE;
	b->gap[i] = b->known[i] = 0;
	b->cut[i] = false;
	b->work[i] = SLOT_INSPECT;
	return i;
}

/* What the receiver would throw away is no way to feed the parser a decoy. */
static bool is_sound(struct worker *w, struct burst *b, unsigned i)
{
	const struct rte_mbuf *m = b->pkt[i];

	if ((packet_meta(b->pkt[i])->flags & PACKET_CHECKSUM_TRUSTED) ||
	    packet_checksum_ok(m, &b->hdr[i]))
		return true;
	w->counters->link.malformed++;
	slot_decide(w, i, VERDICT_DROP, REASON_BAD_CHECKSUM);
	return false;
}

static void meta_describe(struct rte_mbuf *m, const struct headers *h)
{
	struct packet_meta *meta = packet_meta(m);

	meta->seq = h->seq + !!(h->tcp_flags & TCP_SYN);
	meta->len = h->payload_len;
	meta->missing = h->missing;
	meta->payload = h->payload;
	meta->tcp = h->l4;
	meta->fin = h->tcp_flags & TCP_FIN;
}

/* Before the slot's packet is held: who has it then, and where, is another matter. */
static struct burst_turn turn_of(const struct burst *b, unsigned i)
{
	const struct packet_meta *meta = packet_meta(b->pkt[i]);

	return (struct burst_turn){meta->number, meta->time};
}

/* After a gap closed: everything that was waiting for it. */
static void release(struct burst *b, struct flow *f, unsigned side, struct burst_turn turn)
{
	struct tcp_half *half = &f->half[side];

	while (half->ahead.head && !(half->flags & HALF_WAITING) && b->n < BURST_SLOTS) {
		uint32_t gap;
		struct rte_mbuf *m = tcp_next(f, side, false, &gap);
		unsigned i;

		if (!m)
			return;
		i = burst_readmit(b, m, f, turn);
		b->gap[i] = gap;
		put_in_order(b, i, SLOT_INSPECT);
	}
}

/* A segment beyond a gap. */
static void keep(struct worker *w, struct burst *b, unsigned i)
{
	struct flow *f = b->flow[i];
	unsigned side = b->hdr[i].side;

	w->counters->tcp.out_of_order++;
	switch (tcp_keep(w, f, side, b->pkt[i])) {
	case TCP_KEPT:
		hold(b, i);
		break;
	case TCP_COPY:
		slot_absorb(w, b, i);
		break;
	case TCP_NO_ROOM:
		slot_decide(w, i, VERDICT_DROP, REASON_TCP_REORDER_BUDGET);
		put_in_order(b, i, SLOT_FORWARD);
		break;
	}
}

/* Nothing in it is new. */
static void resent(struct worker *w, struct burst *b, unsigned i)
{
	struct packet_meta *meta = packet_meta(b->pkt[i]);

	if (b->hdr[i].tcp_flags & TCP_SYN) {
		/* Connections are admitted by any of their SYNs. */
		meta->len = meta->missing = meta->fin = 0;
		put_in_order(b, i, SLOT_INSPECT);
	} else if (tcp_awaits(b->flow[i], b->hdr[i].side, meta->seq + meta->len)) {
		slot_absorb(w, b, i);
	} else {
		put_in_order(b, i, SLOT_FORWARD);
	}
}

static void inspected_payload(struct worker *w, struct burst *b, unsigned i)
{
	struct flow *f = b->flow[i];
	uint8_t side = b->hdr[i].side;
	struct burst_turn turn = turn_of(b, i);

	switch (tcp_place(w, f, side, b->pkt[i], &b->known[i])) {
	case TCP_IN_ORDER:
		put_in_order(b, i, SLOT_INSPECT);
		break;
	case TCP_AHEAD:
		keep(w, b, i);
		break;
	case TCP_BEHIND:
		resent(w, b, i);
		break;
	case TCP_OUTSIDE:
		slot_decide(w, i, VERDICT_DROP, REASON_TCP_OUT_OF_WINDOW);
		put_in_order(b, i, SLOT_FORWARD);
		break;
	case TCP_FULL:
		slot_decide(w, i, VERDICT_DROP, REASON_CONGESTION);
		put_in_order(b, i, SLOT_FORWARD);
		break;
	}
	release(b, f, side, turn);
}

/* Flows that nobody inspects are only counted. */
static void counted_payload(struct worker *w, struct burst *b, unsigned i)
{
	struct tcp_half *half = &b->flow[i]->half[b->hdr[i].side];
	const struct packet_meta *meta = packet_meta(b->pkt[i]);
	uint32_t end = meta->seq + meta->len + meta->missing + meta->fin;

	if (seq_before(half->next, meta->seq))
		w->counters->tcp.out_of_order++;
	else if (meta->len > 1 && seq_before(meta->seq, half->next))
		w->counters->tcp.retransmitted++;
	if (seq_before(half->next, end))
		half->next = end;
	if (meta->fin) {
		half->flags |= HALF_FIN;
		if (b->flow[i]->half[!b->hdr[i].side].flags & HALF_FIN)
			b->flow[i]->state = FLOW_CLOSED;
	}
	put_in_order(b, i, SLOT_FORWARD);
}

/* What waited for a parser that is not asked any more. */
static void release_unread(struct burst *b, struct flow *f, struct burst_turn turn)
{
	for (unsigned side = 0; side < 2; side++) {
		struct segment_queue *q = &f->half[side].ahead;

		while (q->head && !(f->half[side].flags & HALF_WAITING) && b->n < BURST_SLOTS)
			put_in_order(b, burst_readmit(b, segment_queue_pop(q), f, turn),
				     SLOT_FORWARD);
	}
}

/* The old connection's parsers may have payload in this very burst: it ends after it. */
static struct flow *reopen(struct worker *w, struct burst *b, unsigned i, struct flow *old)
{
	struct flow *f;

	flow_table_detach(w->flows, old);
	f = flow_make(w, b, i);
	if (!f)
		return old;
	f->round = (uint32_t)w->rounds;
	f->packets[b->hdr[i].side] = 1;
	f->bytes[b->hdr[i].side] = packet_meta(b->pkt[i])->wirelen;
	if (b->hdr[i].tcp_flags & TCP_ACK) {
		struct tcp_half *client = &f->half[!b->hdr[i].side];

		*client = (struct tcp_half){
			.isn = old->reopen_isn,
			.next = old->reopen_isn + 1,
			.flags = HALF_SYN | HALF_SEEN,
		};
		f->packets[!b->hdr[i].side] = 1;
		f->flags |= FLOW_ADMIT_LATE;
	}
	old->successor = f;
	w->ended[w->ended_count++] = old;
	return f;
}

/* RFC 7323 2.3: more than 14 is 14. */
static void take_scale(struct flow *f, const struct rte_mbuf *m, const struct headers *h)
{
	const uint8_t *tcp = rte_pktmbuf_mtod_offset(m, const uint8_t *, h->l4);
	const uint8_t *option = NULL;

	/* A capture may have cut it off. */
	if (h->payload <= m->data_len)
		option = tcp_option_find(tcp, TCP_OPTION_SCALE, 3);
	f->scale[h->side] = option ? (uint8_t)(RTE_MIN(option[2], 14u) + 1) : 0;
}

static void stream_tcp(struct worker *w, struct burst *b, unsigned i)
{
	const struct headers *h = &b->hdr[i];
	struct flow *f = b->flow[i];

	while (f->successor)
		f = f->successor;
	if (tcp_reopens(w, f, h))
		f = reopen(w, b, i, f);
	b->flow[i] = f;
	if (f->app != APP_NONE && !is_sound(w, b, i)) {
		put_in_order(b, i, SLOT_FORWARD);
		return;
	}
	if (h->tcp_flags & TCP_SYN)
		take_scale(f, b->pkt[i], h);
	if (f->app != APP_NONE && !(f->flags & FLOW_UNINSPECTED))
		tcp_limit_window(w, f, b->pkt[i], &b->hdr[i]);
	f->window[h->side] = h->window;
	if ((h->tcp_flags & TCP_URG) && f->app != APP_NONE && !(f->flags & FLOW_UNINSPECTED))
		tcp_clear_urgent(b->pkt[i], &b->hdr[i]);
	if (f->editor)
		editor_take(w, f, b->pkt[i], &b->hdr[i]);
	tcp_track(w, f, h);
	meta_describe(b->pkt[i], h);
	if (f->app == APP_NONE && h->payload_len && w->options.inspect)
		sniff_tcp(w, f, b->pkt[i], h);
	if (f->app == APP_NONE || (f->flags & FLOW_UNINSPECTED)) {
		release_unread(b, f, turn_of(b, i));
		counted_payload(w, b, i);
		return;
	}
	if (h->payload_len || h->missing || (h->tcp_flags & TCP_FIN)) {
		inspected_payload(w, b, i);
	} else {
		/* A SYN is where connections are admitted. */
		put_in_order(b, i, h->tcp_flags & TCP_SYN ? SLOT_INSPECT : SLOT_FORWARD);
		release(b, f, !h->side, turn_of(b, i));
	}
}

static void stream_udp(struct worker *w, struct burst *b, unsigned i)
{
	struct flow *f = b->flow[i];

	if (f->app == APP_NONE && w->options.inspect)
		sniff_udp(w, f, b->pkt[i], &b->hdr[i]);
	if (f->app == APP_NONE || !is_sound(w, b, i))
		put_in_order(b, i, SLOT_FORWARD);
	else
		put_in_order(b, i, SLOT_INSPECT);
}

void stage_stream(struct worker *w, struct burst *b)
{
	unsigned n = b->n; /* released segments come behind, already in order */

	b->received = n;
	for (unsigned i = 0; i < n; i++) {
		b->gap[i] = b->known[i] = 0;
		b->cut[i] = false;
		if (b->work[i] == SLOT_HELD)
			continue;
		if (!b->flow[i] || b->verdict[i] >= VERDICT_DROP)
			put_in_order(b, i, SLOT_FORWARD);
		else if (b->hdr[i].proto == IPPROTO_TCP)
			stream_tcp(w, b, i);
		else
			stream_udp(w, b, i);
	}
}
