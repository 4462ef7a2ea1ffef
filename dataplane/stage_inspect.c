/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Feeds payload to the parsers, in stream order; their sinks decide. Leaves the
 * slots that go on in `out_order`. A client that must wait for its server (smtp.h)
 * is held here, and let go by the server's packet.
 */
#include <netinet/in.h>

#include "dataplane/inspect.h"
#include "dataplane/sip/heard.h"
#include "dataplane/sip/urgent.h"
#include "dataplane/tcp/editor.h"
#include "dataplane/tcp/tcp.h"
#include "dataplane/tcp/tcp_cut.h"

#define AHEAD 2 /* datagrams that are read before their turn */

static void inspect_slot(struct worker *w, struct burst *b, unsigned i,
			 const struct sip_read *read);

static void at_slot(struct worker *w, const struct burst *b, unsigned i)
{
	const struct flow *f = b->flow[i];

	w->at = (struct inspection){
		.flow = b->flow[i],
		.slot = (uint16_t)i,
		.side = b->hdr[i].side,
		.to_server = f && flow_from_client(f, b->hdr[i].side),
		.ghost = f && (f->flags & FLOW_REFUSED),
	};
}

static bool is_smtp(const struct flow *f)
{
	return f->app == APP_SMTP || f->app == APP_SMTPS;
}

/*
 * Refused sessions are over, but for captures, in which they went on, and for what the server of a
 * live one has yet to say.
 */
static bool is_read(const struct worker *w, const struct flow *f)
{
	if (f->flags & FLOW_UNINSPECTED)
		return false;
	return !(f->flags & FLOW_REFUSED) || w->options.keep_ghosts ||
	       editor_follows(f, w->at.side);
}

static size_t feed(struct worker *w, struct flow *f, const uint8_t *p, size_t len)
{
	if (is_smtp(f))
		return smtp_inspect(w, f, w->at.to_server, p, len);
	sip_inspect_stream(w, f, w->at.to_server, p, len);
	return len;
}

static void feed_gap(struct worker *w, struct flow *f, uint32_t bytes)
{
	w->counters->tcp.gaps++;
	worker_note(w, f->tenant, REASON_TCP_GAP);
	if (is_smtp(f))
		smtp_inspect_gap(w, f, w->at.to_server, bytes);
	else
		sip_inspect_gap(w, f, w->at.to_server, bytes);
}

/* The packet waits in its flow, or a copy of it does. False: there is no room. */
static bool hold(struct worker *w, struct burst *b, unsigned i, struct flow *f)
{
	switch (tcp_keep(w, f, w->at.side, b->pkt[i])) {
	case TCP_KEPT:
		b->work[i] = SLOT_HELD;
		b->pkt[i] = NULL;
		return true;
	case TCP_COPY:
		slot_absorb(w, b, i);
		return true;
	case TCP_NO_ROOM:
		break;
	}
	return false;
}

/* What waited, in order, as long as nothing makes it wait again. */
static void let_go(struct worker *w, struct burst *b, struct flow *f, unsigned side)
{
	struct tcp_half *half = &f->half[side];
	uint32_t gap;

	half->flags = (uint8_t)((half->flags & ~HALF_WAITING) | HALF_DRAINING);
	while (half->ahead.head && !(half->flags & HALF_WAITING)) {
		struct rte_mbuf *m;
		unsigned i;

		if (b->n == BURST_SLOTS) {
			/* The flow's next packet goes on from here. */
			half->flags |= HALF_WAITING;
			break;
		}
		m = tcp_next(f, side, false, &gap);
		if (!m)
			break;
		i = burst_readmit(b, m, f, (struct burst_turn){w->packet, w->now});
		b->gap[i] = gap;
		inspect_slot(w, b, i, NULL);
	}
	half->flags &= (uint8_t)~HALF_DRAINING;
}

/* Nobody will say any more what the client's bytes wait for. */
static void feed_rest(struct worker *w, struct flow *f, const uint8_t *p, size_t len)
{
	while (len) {
		size_t took = feed(w, f, p, len);

		if (took < len && w->at.to_server)
			smtp_inspect_release(w, f);
		p += took;
		len -= took;
	}
}

/* Too much is waiting already: go on without the server's word. */
static void go_on(struct worker *w, struct burst *b, struct flow *f, unsigned side)
{
	do {
		if (smtp_inspect_waiting(f))
			smtp_inspect_release(w, f);
		let_go(w, b, f, side);
	} while ((f->half[side].flags & HALF_WAITING) && b->n < BURST_SLOTS);
}

/*
 * The parser took less than there is: what follows waits for the server, whose answer is to
 * what was taken, so that leaves now. False: there is no room to wait.
 */
static bool wait_with(struct worker *w, struct burst *b, unsigned i, struct flow *f, uint32_t took)
{
	struct rte_mbuf *rest = b->pkt[i], *front = NULL;
	struct packet_meta *meta = packet_meta(rest);
	struct tcp_half *half = &f->half[w->at.side];

	if (!tcp_has_room(w, f, w->at.side, meta->len - took))
		return false;
	if (took) {
		front = tcp_piece(w, rest, &b->hdr[i], 0, took);
		if (!front)
			return false;
		meta->seq += took;
		meta->payload = (uint16_t)(meta->payload + took);
		meta->len -= took;
		tcp_trim(rest, &b->hdr[i]);
		meta->flags |= PACKET_COUNTED;
	}
	half->read = meta->seq;
	half->flags |= HALF_WAITING;
	if (!front)
		return hold(w, b, i, f);
	if (tcp_keep(w, f, w->at.side, rest) != TCP_KEPT)
		packet_free(rest);
	b->pkt[i] = front;
	b->known[i] = 0;
	packet_decode(front, &b->hdr[i]);
	return true;
}

/* The other direction may have waited for what this packet said. */
static void wake_other(struct worker *w, struct burst *b, struct flow *f, unsigned side)
{
	struct tcp_half *other = &f->half[!side];

	if ((other->flags & (HALF_WAITING | HALF_DRAINING)) != HALF_WAITING)
		return;
	if (!is_read(w, f) || !smtp_inspect_waiting(f))
		let_go(w, b, f, !side);
}

/* The session was refused in this packet: what follows in it stays too. */
static void withhold_rest(struct worker *w, struct burst *b, unsigned i, const struct flow *f)
{
	for (unsigned k = w->cut_count; k-- > 0;) {
		if (w->cuts[k].slot != i)
			continue;
		w->cuts[k].end = (uint16_t)packet_meta(b->pkt[i])->len;
		return;
	}
	if (b->verdict[i] >= VERDICT_DROP)
		return;
	b->verdict[i] = VERDICT_DROP;
	b->reason[i] = f->reason;
}

/*
 * The segment's payload to its parser. The client's rest may have to wait for the server; a
 * reply that ends such a wait within the server's segment lets the client's bytes come first.
 */
static void read_segment(struct worker *w, struct burst *b, unsigned i, struct flow *f)
{
	const struct packet_meta *meta = packet_meta(b->pkt[i]);
	const uint8_t *p = rte_pktmbuf_mtod_offset(b->pkt[i], const uint8_t *, meta->payload);
	uint32_t took = 0;

	while (is_read(w, f)) {
		w->at.fed = took;
		took += (uint32_t)feed(w, f, p + took, meta->len - took);
		if (took == meta->len || !is_read(w, f))
			break;
		if (w->at.to_server) {
			if (wait_with(w, b, i, f, took))
				return;
			smtp_inspect_release(w, f);
		} else {
			wake_other(w, b, f, w->at.side);
			at_slot(w, b, i);
		}
	}
	if (meta->missing && is_read(w, f))
		feed_gap(w, f, meta->missing);
}

/* What waits comes first. True: the segment waits behind it, or is gone. */
static bool wait_in_line(struct worker *w, struct burst *b, unsigned i, struct flow *f)
{
	struct tcp_half *half = &f->half[w->at.side];

	if ((half->flags & (HALF_WAITING | HALF_DRAINING)) != HALF_WAITING)
		return false;
	if (smtp_inspect_waiting(f) && hold(w, b, i, f))
		return true;
	go_on(w, b, f, w->at.side);
	at_slot(w, b, i);
	/* Only in a burst that is full. */
	if (!(half->flags & HALF_WAITING))
		return false;
	if (hold(w, b, i, f))
		return true;
	half->next = packet_meta(b->pkt[i])->seq;
	slot_decide(w, i, VERDICT_DROP, REASON_TCP_REORDER_BUDGET);
	return true;
}

/* Was the server's segment recorded before what waits of the client? */
static bool was_before(struct rte_mbuf *m, const struct flow *f)
{
	struct rte_mbuf *waits = f->half[f->client].ahead.head;

	return waits && packet_meta(m)->number < packet_meta(waits)->number;
}

/* A live flow that was refused goes on between the gate and its client. */
static void edit_segment(struct worker *w, struct flow *f, const struct packet_meta *meta)
{
	if (meta->fin || (f->flags & FLOW_UNINSPECTED))
		editor_release(f);
	if (f->flags & FLOW_REFUSED)
		editor_hear(w, f);
	if (meta->fin && !w->at.to_server)
		editor_server_ends(w, f, meta->seq + meta->len);
}

/* False: the segment waits; it is not in the burst any more. */
static bool inspect_segment(struct worker *w, struct burst *b, unsigned i, struct flow *f)
{
	const struct packet_meta *meta = packet_meta(b->pkt[i]);
	bool refused = f->flags & FLOW_REFUSED;

	/* A SYN may have data. */
	if (b->hdr[i].tcp_flags & TCP_SYN) {
		if (w->at.to_server || (f->flags & FLOW_ADMIT_LATE))
			admit_connection(w, f);
		if (b->verdict[i] >= VERDICT_DROP)
			return true;
	}
	if (!meta->len && !meta->missing && !meta->fin)
		return true;
	if (wait_in_line(w, b, i, f))
		return b->work[i] != SLOT_HELD;
	if (b->gap[i]) {
		if (is_smtp(f) && !w->at.to_server && was_before(b->pkt[i], f))
			smtp_inspect_client_is_later(f);
		feed_gap(w, f, b->gap[i]);
		/* Was that what the other side waited for? Then it comes before the rest. */
		wake_other(w, b, f, w->at.side);
		at_slot(w, b, i);
	}
	read_segment(w, b, i, f);
	if (b->work[i] == SLOT_HELD)
		return false;
	if (!refused && (f->flags & FLOW_REFUSED) && !f->editor)
		withhold_rest(w, b, i, f);
	if (f->editor)
		edit_segment(w, f, meta);
	return true;
}

/*
 * Of a refused session that is still drained (editor.h) everything is carried but what the client
 * says anew.
 */
static bool ghost_is_carried(struct burst *b, unsigned i)
{
	const struct editor *e = b->flow[i]->editor;

	if (e->phase != EDITOR_DRAINING)
		return false;
	if (b->hdr[i].side == b->flow[i]->client && b->work[i] == SLOT_INSPECT)
		b->cut[i] = true;
	return !b->cut[i];
}

/* A suspended tenant's session in which nothing can be said to it, as over TLS. */
static bool is_stopped(const struct worker *w, const struct flow *f)
{
	return (f->flags & (FLOW_UNINSPECTED | FLOW_OUTBOUND)) ==
		       (FLOW_UNINSPECTED | FLOW_OUTBOUND) &&
	       w->policy->slots[f->tenant].state == TENANT_SUSPENDED && !w->policy->shadow;
}

/*
 * Datagrams that nobody reads: an emergency call's media pass, whatever stage one said; others are
 * what it said.
 */
static void settle_media(struct worker *w, struct burst *b, unsigned i)
{
	const enum reason over = packet_meta(b->pkt[i])->over;
	const struct flow *f = b->flow[i];

	if (b->hdr[i].proto != IPPROTO_UDP || b->verdict[i] >= VERDICT_DROP ||
	    (!over && (!f || f->app != APP_NONE || !urgent_may_pass(w, i))))
		return;
	if (urgent_passes(w, i))
		worker_note(w, b->tenant[i], REASON_EMERGENCY_MEDIA);
	else if (over)
		slot_decide(w, i, VERDICT_DROP, over);
}

/* `read`: a datagram's message. */
static void inspect_slot(struct worker *w, struct burst *b, unsigned i, const struct sip_read *read)
{
	const struct packet_meta *meta = packet_meta(b->pkt[i]);
	struct flow *f = b->flow[i];
	unsigned side = b->hdr[i].side;
	bool ghost, inspected;

	w->packet = RTE_MAX(w->packet, meta->number);
	w->now = RTE_MAX(w->now, meta->time);
	/* The packet that let it go may be held itself: it was this one's turn all the same. */
	if (i >= b->received) {
		w->packet = RTE_MAX(w->packet, b->turn[i].packet);
		w->now = RTE_MAX(w->now, b->turn[i].time);
	}
	order_done(w->order, w->index, w->packet);
	at_slot(w, b, i);
	ghost = w->at.ghost;
	settle_media(w, b, i);
	if (f && f->first_seen == meta->time && (f->flags & FLOW_OUTBOUND) && w->at.to_server)
		heard_peer(w, f);
	/* As if the burst had ended before it: what is sent again in TLS is nobody's to compare. */
	if (f && (f->flags & FLOW_UNINSPECTED))
		b->known[i] = 0;
	if (f && f->key.proto == IPPROTO_TCP && f->app != APP_NONE)
		tcp_inspect(f, &b->hdr[i], meta, b->work[i] == SLOT_INSPECT && meta->len);
	inspected = f && b->work[i] == SLOT_INSPECT && b->verdict[i] < VERDICT_DROP;
	if (inspected && ghost && f->editor && !is_read(w, f)) {
		edit_segment(w, f, meta);
	} else if (inspected && is_read(w, f)) {
		if (f->key.proto == IPPROTO_UDP)
			sip_inspect_datagram(w, f, read);
		else if (!inspect_segment(w, b, i, f))
			return;
	}
	if (f && is_stopped(w, f))
		slot_decide(w, i, VERDICT_DROP, REASON_TENANT_SUSPENDED);
	if (ghost && !(f->editor && ghost_is_carried(b, i)))
		slot_decide(w, i, VERDICT_DROP, REASON_AFTER_REFUSAL);
	if (f && (f->flags & FLOW_UNINSPECTED))
		packet_meta(b->pkt[i])->flags |= PACKET_UNREAD;
	b->decided[i] = w->packet;
	b->out_order[b->out++] = (uint16_t)i;
	if (f && f->key.proto == IPPROTO_TCP)
		wake_other(w, b, f, side);
}

static bool is_datagram(const struct burst *b, unsigned i)
{
	return b->work[i] == SLOT_INSPECT && b->flow[i] && b->flow[i]->key.proto == IPPROTO_UDP;
}

/*
 * Reading a datagram changes nothing, so it is done a little before its turn: what is known of its
 * call comes into the cache while those before it are decided on.
 */
void stage_inspect(struct worker *w, struct burst *b)
{
	struct sip_read read[AHEAD + 1];

	for (unsigned k = 0; k < b->streamed + AHEAD; k++) {
		unsigned i = k < b->streamed ? b->stream_order[k] : BURST_SLOTS;
		unsigned next = k && k <= b->streamed ? b->stream_order[k - 1] : BURST_SLOTS;

		if (i < BURST_SLOTS && is_datagram(b, i))
			sip_read_datagram(w, b, i, &read[k % (AHEAD + 1)]);
		if (next < BURST_SLOTS && is_datagram(b, next))
			sip_prefetch_call(w, b, next, &read[(k - 1) % (AHEAD + 1)]);
		if (k >= AHEAD)
			inspect_slot(w, b, b->stream_order[k - AHEAD],
				     &read[(k - AHEAD) % (AHEAD + 1)]);
	}
}

/* Ending ------------------------------------------------------------------ */

/* What waits is counted, not forwarded: its connection is gone. */
static void finish_half(struct worker *w, struct flow *f, unsigned side)
{
	struct rte_mbuf *m;
	uint32_t gap;

	w->at.side = (uint8_t)side;
	w->at.to_server = flow_from_client(f, side);
	if (f->half[side].flags & HALF_WAITING) {
		if (smtp_inspect_waiting(f))
			smtp_inspect_release(w, f);
		f->half[side].flags |= HALF_DRAINING;
	}
	while ((m = tcp_next(f, side, true, &gap))) {
		struct packet_meta *meta = packet_meta(m);

		if (is_read(w, f)) {
			if (gap)
				feed_gap(w, f, gap);
			feed_rest(w, f, rte_pktmbuf_mtod_offset(m, uint8_t *, meta->payload),
				  meta->len);
		}
		w->counters->verdicts[VERDICT_DROP] += !(meta->flags & PACKET_COUNTED);
		worker_note(w, f->tenant, REASON_TCP_GAP);
		packet_free(m);
	}
}

static const char *flow_state_name(const struct flow *f)
{
	static const char *const names[] = {
		[FLOW_NEW] = "new",
		[FLOW_ESTABLISHED] = "established",
		[FLOW_CLOSED] = "closed",
	};

	return names[f->state];
}

static void flow_event(struct worker *w, const struct flow *f, enum reason why)
{
	struct event_builder e = event_start(w, EVENT_FLOW);
	unsigned c = f->client, s = !f->client;
	bool expired = why == REASON_NONE && f->state != FLOW_CLOSED;

	if (!e.head)
		return;
	e.head->time = f->last_seen;
	event_put_uint(&e, FIELD_KEY_FLOW_PKTS_TOSERVER, f->packets[c]);
	event_put_uint(&e, FIELD_KEY_FLOW_PKTS_TOCLIENT, f->packets[s]);
	event_put_uint(&e, FIELD_KEY_FLOW_BYTES_TOSERVER, f->bytes[c]);
	event_put_uint(&e, FIELD_KEY_FLOW_BYTES_TOCLIENT, f->bytes[s]);
	event_put_ns(&e, FIELD_KEY_FLOW_AGE, f->last_seen - f->first_seen);
	event_put_text(&e, FIELD_KEY_FLOW_STATE, flow_state_name(f));
	event_put_text(&e, FIELD_KEY_FLOW_REASON,
		       f->reason               ? reason_name(f->reason)
		       : why                   ? reason_name(why)
		       : expired               ? "timeout"
		       : f->flags & FLOW_RESET ? "reset"
					       : "finished");
	event_put_bool(&e, FIELD_KEY_FLOW_MIDSTREAM, f->flags & FLOW_MIDSTREAM);
	if (f->told)
		event_put_text(&e, FIELD_KEY_FLOW_BYPASS, "capture");
	event_put_text(&e, FIELD_KEY_FLOW_APP, is_smtp(f) ? "smtp" : "sip");
	if (is_smtp(f) && smtp_inspect_server_name(f).len)
		event_put_bytes(&e, FIELD_KEY_FLOW_SNI, smtp_inspect_server_name(f));
	event_send(w, &e);
}

/* At the end, when it is known what it was, however packets fell into bursts. */
static void count_bytes(struct worker *w, const struct flow *f)
{
	struct tenant_counters *t = &w->tenants[f->tenant];

	if (f->flags & FLOW_OUTBOUND)
		*(f->flags & FLOW_ENCRYPTED ? &t->bytes_tls : &t->bytes_clear) += f->bytes[0] +
										  f->bytes[1];
}

void flow_end(void *worker, struct flow *f, enum reason why)
{
	struct worker *w = worker;
	struct inspection before = w->at;

	w->at = (struct inspection){
		.flow = f, .side = f->client, .to_server = true, .ending = true};
	if (why != REASON_NONE)
		worker_note(w, f->tenant, why);
	if (f->app != APP_NONE && f->key.proto == IPPROTO_TCP) {
		finish_half(w, f, f->client);
		finish_half(w, f, !f->client);
		w->at.side = f->client;
		w->at.to_server = true;
		if (is_smtp(f))
			smtp_inspect_end(w, f);
		else
			sip_inspect_end(w, f);
	}
	if (f->app != APP_NONE) {
		flow_event(w, f, why);
		count_bytes(w, f);
	}
	editor_free(w, f);
	if (f->session)
		pool_put(block_pool_for(&w->sessions, f->tenant), f->session);
	tcp_clear(w, f);
	w->at = before;
}
