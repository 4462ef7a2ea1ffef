/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/tcp/tcp.h"

#include <string.h>

#include "dataplane/packet_write.h"
#include "dataplane/tcp/tcp_cut.h"

#define WINDOW_MAX   (1U << 30)  /* RFC 7323 2.3: the largest window there is */
#define GAP_PATIENCE 3           /* packets until a gap that was acknowledged is believed */
#define HISTORY_FAIR (64 * 1024) /* bytes that a direction may have when all have too much */

void tcp_open(struct worker *w, struct flow *f, const struct headers *h)
{
	w->counters->tcp.flows++;
	if (h->tcp_flags & TCP_SYN)
		return;
	f->flags |= FLOW_MIDSTREAM;
	w->counters->tcp.midstream++;
}

/* Is the SYN's number what the flow knows of its sender? */
static bool syn_continues(const struct tcp_half *half, uint32_t seq)
{
	if (half->flags & HALF_SYN)
		return seq == half->isn;
	return !(half->flags & HALF_SEEN) || seq + 1 == half->next;
}

/*
 * RFC 9293 3.10.7.4 leaves it to the other end whether a SYN opens a new connection: its SYN
 * and ACK says so. The gate decides by the SYN alone only where nothing was said yet.
 */
bool tcp_reopens(const struct worker *w, const struct flow *f, const struct headers *h)
{
	const struct tcp_half *half = &f->half[h->side], *peer = &f->half[!h->side];

	if ((h->tcp_flags & (TCP_SYN | TCP_RST)) != TCP_SYN)
		return false;
	if (h->tcp_flags & TCP_ACK)
		return f->reopening && h->ack == f->reopen_isn + 1 &&
		       !(syn_continues(half, h->seq) && syn_continues(peer, f->reopen_isn));
	if (syn_continues(half, h->seq))
		return false;
	return !f->packets[!h->side] ||
	       (f->state != FLOW_ESTABLISHED && half->next == half->isn + 1);
}

static void half_syn(struct tcp_half *half, uint32_t seq)
{
	if ((half->flags & HALF_SYN) || !syn_continues(half, seq))
		return;
	half->isn = seq;
	half->next = seq + 1;
	half->flags |= HALF_SYN | HALF_SEEN;
}

static void take_ack(struct tcp_half *peer, uint32_t ack)
{
	if (!(peer->flags & HALF_SEEN)) {
		peer->next = ack;
		peer->flags |= HALF_SEEN;
	}
	if ((peer->flags & HALF_ACKED) && seq_at_or_before(ack, peer->acked))
		return;
	peer->acked = ack;
	peer->flags |= HALF_ACKED;
}

/*
 * A reset only shortens the time that the flow is remembered: its parsers go on, so a forged
 * one (RFC 5961 section 3) blinds nobody.
 */
static void take_reset(struct worker *w, struct flow *f, const struct headers *h)
{
	const struct tcp_half *half = &f->half[h->side];

	if (f->state != FLOW_NEW && (half->flags & HALF_SEEN) &&
	    h->seq - (half->next - 1) > WINDOW_MAX) {
		worker_note(w, f->tenant, REASON_TCP_OUT_OF_WINDOW);
		return;
	}
	f->state = FLOW_CLOSED;
	f->flags |= FLOW_RESET;
}

void tcp_track(struct worker *w, struct flow *f, const struct headers *h)
{
	struct tcp_half *half = &f->half[h->side], *peer = &f->half[!h->side];

	if (h->tcp_flags & TCP_RST) {
		take_reset(w, f, h);
		return;
	}
	if (h->tcp_flags & TCP_SYN) {
		if (!(h->tcp_flags & TCP_ACK)) {
			f->reopening = true;
			f->reopen_isn = h->seq;
		}
		half_syn(half, h->seq);
	} else if (!(half->flags & HALF_SEEN)) {
		half->next = h->seq;
		half->flags |= HALF_SEEN;
	}
	if (h->tcp_flags & TCP_ACK)
		take_ack(peer, h->ack);
	if (f->state == FLOW_NEW && (half->flags & peer->flags & HALF_SEEN) && f->packets[0] &&
	    f->packets[1])
		f->state = FLOW_ESTABLISHED;
}

static void half_advance(struct flow *f, unsigned side, const struct packet_meta *meta)
{
	struct tcp_half *half = &f->half[side];

	half->next = meta->seq + meta->len + meta->missing + meta->fin;
	if (!meta->fin)
		return;
	half->flags |= HALF_FIN;
	if (f->half[!side].flags & HALF_FIN)
		f->state = FLOW_CLOSED;
}

/* The first `known` bytes of the segment are no news. */
static void skip_known(struct packet_meta *meta, uint32_t known)
{
	uint32_t present = RTE_MIN(known, meta->len);

	meta->seq += known;
	meta->payload = (uint16_t)(meta->payload + present);
	meta->len -= present;
	meta->missing -= RTE_MIN(known - present, meta->missing);
}

static void trim(struct rte_mbuf *m)
{
	struct headers h;

	packet_decode(m, &h);
	tcp_trim(m, &h);
}

/* Where nothing comes back, nothing can be waited for; and captures have happened. */
static bool history_is_full(const struct worker *w, const struct flow *f, unsigned side)
{
	uint32_t bytes = f->half[side].sent.bytes;

	/* Of a refused session nothing is on its way. */
	if (!w->options.edits || !f->packets[!side] || (f->flags & FLOW_REFUSED))
		return false;
	return bytes >= TCP_HISTORY || (w->history >= w->history_max && bytes >= HISTORY_FAIR);
}

void tcp_limit_window(struct worker *w, struct flow *f, struct rte_mbuf *m, struct headers *h)
{
	unsigned scale = h->tcp_flags & TCP_SYN ? 0 : tcp_scale(f, h->side);
	uint8_t field[2];

	if (!w->options.edits || (uint32_t)h->window << scale <= TCP_HISTORY)
		return;
	h->window = (uint16_t)(TCP_HISTORY >> scale);
	put16(field, h->window);
	header_patch(m, h, rte_pktmbuf_mtod_offset(m, const uint8_t *, h->l4 + 14), field, 2);
}

enum tcp_place tcp_place(struct worker *w, struct flow *f, unsigned side, struct rte_mbuf *m,
			 uint32_t *known)
{
	struct tcp_half *half = &f->half[side];
	struct packet_meta *meta = packet_meta(m);
	int32_t delta = (int32_t)(meta->seq - half->next);
	uint32_t behind;

	*known = 0;
	if (delta <= 0 && meta->len && history_is_full(w, f, side) &&
	    seq_before(half->next, meta->seq + meta->len))
		return TCP_FULL;
	if (delta == 0) {
		half_advance(f, side, meta);
		return TCP_IN_ORDER;
	}
	if (delta > 0)
		return (uint32_t)delta > WINDOW_MAX ? TCP_OUTSIDE : TCP_AHEAD;
	behind = half->next - meta->seq;
	if (behind > WINDOW_MAX)
		return TCP_OUTSIDE;
	*known = RTE_MIN(behind, meta->len);
	/* Not a keep-alive: one byte before the next, of any value (RFC 9293 3.8.4). */
	if (*known && (delta != -1 || meta->len > 1))
		w->counters->tcp.retransmitted++;
	if (behind >= meta->len + meta->missing + meta->fin)
		return TCP_BEHIND;
	skip_known(meta, behind);
	half_advance(f, side, meta);
	return TCP_IN_ORDER;
}

/* The part of [seq, seq + len) that the gate kept back: no receiver has it from here. */
static unsigned compare_withheld(const struct tcp_half *half, uint32_t seq, uint8_t *data,
				 uint32_t len)
{
	uint32_t end = half->withheld + half->withheld_len;
	uint32_t from = seq_before(seq, half->withheld) ? half->withheld : seq;
	uint32_t to = seq_before(end, seq + len) ? end : seq + len;

	if (!half->withheld_len || !seq_before(from, to))
		return SEGMENT_SAME;
	return segment_queue_compare(&half->sent, from, data + (from - seq), to - from);
}

unsigned tcp_verify(const struct flow *f, unsigned side, uint32_t seq, uint8_t *data, uint32_t len)
{
	const struct tcp_half *half = &f->half[side];
	unsigned match = SEGMENT_SAME;
	uint32_t taken = 0;

	if ((half->flags & HALF_SETTLED) && seq_before(seq, half->settled)) {
		taken = RTE_MIN(half->settled - seq, len);
		match = segment_queue_compare(&half->sent, seq, data, taken) & SEGMENT_DIFFERS;
		/* Captures' receivers acknowledge what this gate withholds, too. */
		match |= compare_withheld(half, seq, data, taken);
	}
	return match | segment_queue_compare(&half->sent, seq + taken, data + taken, len - taken);
}

void tcp_settle(struct worker *w, struct flow *f, unsigned side, uint32_t ack)
{
	struct tcp_half *peer = &f->half[!side];
	uint32_t before = peer->sent.count;

	if ((peer->flags & HALF_SETTLED) && seq_at_or_before(ack, peer->settled))
		return;
	peer->settled = ack;
	peer->flags |= HALF_SETTLED;
	if (!before)
		return;
	segment_queue_release(&peer->sent, ack);
	w->history -= before - peer->sent.count;
}

static void half_inspect(struct tcp_half *half, uint32_t next)
{
	if ((half->flags & HALF_INSPECTED) && seq_at_or_before(next, half->inspected))
		return;
	half->inspected = next;
	half->flags |= HALF_INSPECTED;
}

void tcp_inspect(struct flow *f, const struct headers *h, const struct packet_meta *meta, bool read)
{
	struct tcp_half *peer = &f->half[!h->side];

	half_inspect(&f->half[h->side], h->tcp_flags & TCP_SYN ? h->seq + 1
					: read ? meta->seq + meta->len + meta->missing + meta->fin
					       : h->seq);
	if ((h->tcp_flags & TCP_ACK) && !(peer->flags & HALF_INSPECTED))
		half_inspect(peer, h->ack);
}

void tcp_withhold(struct flow *f, unsigned side, uint32_t seq, uint32_t len)
{
	struct tcp_half *half = &f->half[side];
	uint32_t reach = seq + len - half->withheld;

	/* From the first such byte to the last; those too far back are forgotten. */
	if (!half->withheld_len || seq_before(seq, half->withheld) || reach > UINT16_MAX) {
		half->withheld = seq;
		half->withheld_len = (uint16_t)RTE_MIN(len, (uint32_t)UINT16_MAX);
	} else if (reach > half->withheld_len) {
		half->withheld_len = (uint16_t)reach;
	}
}

bool tcp_has_room(const struct worker *w, const struct flow *f, unsigned side, uint32_t len)
{
	const struct segment_queue *ahead = &f->half[side].ahead;
	const struct policy_budgets *budget = &w->policy->budgets;

	return ahead->bytes + len <= budget->reorder_bytes &&
	       ahead->count < budget->reorder_segments;
}

enum tcp_kept tcp_keep(struct worker *w, struct flow *f, unsigned side, struct rte_mbuf *m)
{
	struct tcp_half *half = &f->half[side];
	const struct packet_meta before = *packet_meta(m);
	unsigned match;
	bool kept;

	if (!tcp_has_room(w, f, side, before.len))
		return TCP_NO_ROOM;
	kept = segment_queue_insert(&half->ahead, m, &match);
	if (match & SEGMENT_DIFFERS) {
		w->counters->tcp.overlap_differs++;
		worker_note(w, f->tenant, REASON_TCP_OVERLAP_DIFFERS);
		packet_meta(m)->flags |= PACKET_CHANGED;
	}
	if (!kept)
		return TCP_COPY;
	/* What another segment brings is not to leave with this one, before it was read. */
	if (packet_meta(m)->seq != before.seq || packet_meta(m)->len != before.len)
		trim(m);
	return TCP_KEPT;
}

/* The other end has what the gate never saw: the capture lost it, or another path took it. */
static bool gap_is_final(struct tcp_half *half, const struct flow *f, unsigned side, bool last)
{
	const struct packet_meta *head = packet_meta(half->ahead.head);

	if (last)
		return true;
	if (!f->packets[!side] && half->ahead.count > GAP_PATIENCE)
		return true;
	if (!(half->flags & HALF_ACKED) || seq_before(half->acked, head->seq))
		return false;
	return ++half->patience > GAP_PATIENCE;
}

struct rte_mbuf *tcp_next(struct flow *f, unsigned side, bool last, uint32_t *gap)
{
	struct tcp_half *half = &f->half[side];
	bool draining = half->flags & HALF_DRAINING;

	*gap = 0;
	while (half->ahead.head) {
		struct packet_meta *meta = packet_meta(half->ahead.head);
		uint32_t at = draining ? half->read : half->next;
		uint32_t end = meta->seq + meta->len + meta->missing + meta->fin;
		struct rte_mbuf *m;

		if (seq_before(at, meta->seq)) {
			/* Before `next`: it was final before the wait began. */
			if (!seq_before(meta->seq, half->next) &&
			    !gap_is_final(half, f, side, last))
				return NULL;
			*gap = meta->seq - at;
			at = meta->seq;
		}
		half->patience = 0;
		m = segment_queue_pop(&half->ahead);
		if (!seq_before(at, end) && meta->seq != at) {
			packet_free(m);
			continue;
		}
		if (seq_before(meta->seq, at)) {
			/* Another segment brought these bytes, maybe others. */
			skip_known(meta, at - meta->seq);
			trim(m);
		}
		half->read = end;
		/* What waited was counted when it came. */
		if (!seq_before(end, half->next))
			half_advance(f, side, meta);
		return m;
	}
	return NULL;
}

void tcp_remember(struct worker *w, struct flow *f, unsigned side, struct rte_mbuf *m)
{
	struct tcp_half *half = &f->half[side];
	const struct packet_meta *meta = packet_meta(m);

	/* The receiver had it before: a capture may have its packets in another order. */
	if ((half->flags & HALF_SETTLED) && seq_at_or_before(meta->seq + meta->len, half->settled))
		return;
	/* A burst may be over by what was admitted before any of it was counted. */
	if (half->sent.bytes + meta->len > TCP_HISTORY * (w->options.edits ? 4 : 1) ||
	    w->history >= w->history_max) {
		struct rte_mbuf *oldest = segment_queue_pop(&half->sent);

		if (!oldest)
			return;
		packet_free(oldest);
		w->history--;
	}
	rte_mbuf_refcnt_update(m, 1);
	segment_queue_append(&half->sent, m);
	w->history++;
}

void tcp_clear(struct worker *w, struct flow *f)
{
	for (unsigned side = 0; side < 2; side++) {
		w->history -= f->half[side].sent.count;
		segment_queue_clear(&f->half[side].sent);
		segment_queue_clear(&f->half[side].ahead);
	}
}
