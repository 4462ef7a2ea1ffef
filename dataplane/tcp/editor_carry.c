/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets of an edited connection: what comes in is translated here, and what goes out. */
#include <rte_mbuf.h>

#include "dataplane/packet_write.h"
#include "dataplane/tcp/editor_internal.h"
#include "dataplane/tcp/tcp.h"
#include "dataplane/tcp/tcp_cut.h"
#include "dataplane/tcp/tcp_option.h"

#define PIECE_MAX 1280 /* bytes of a packet that came in fragments: no IPv6 path takes less */

/* In ---------------------------------------------------------------------- */

/* R: nothing behind it was ever sent to the side's receiver. */
static uint32_t sent_end(const struct editor *e, unsigned side)
{
	const struct editor_side *d = &e->side[side];
	uint32_t end = editor_next(e, side);

	if (d->sent == d->placed && !d->ended)
		end = tcp_edit_seq(&d->log, e->flow->half[side].next);
	return seq_before(end, d->said) ? d->said : end;
}

static void hear_ack(struct editor *e, unsigned side, uint32_t ack, uint32_t window)
{
	struct editor_side *d = &e->side[side];

	if (seq_before(ack, d->acked) || seq_before(sent_end(e, side), ack))
		return;
	if (seq_before(d->right, ack + window))
		d->right = ack + window;
	if (e->fin_sent && side != e->flow->client && ack == editor_next(e, side))
		e->fin_acked = true;
	if (ack == d->acked) {
		/* RFC 9293 3.8.6.1: who has no room lives as long as it says so. */
		if (!seq_before(ack, d->right))
			e->tries = RTE_MIN(e->tries, EDITOR_PROBED);
		return;
	}
	d->acked = ack;
	text_release(d, tcp_edit_fold(&d->log, ack));
	text_heard(d);
	e->tries = 0;
	e->due = 0;
}

/* What the gate says is in the receiver's buffer, too, or will be. */
static void shrink_window(struct rte_mbuf *m, const struct headers *h, const struct editor_side *d,
			  uint32_t window, unsigned scale)
{
	uint32_t missing = tcp_edit_missing(&d->log, h->ack);
	uint8_t field[2];

	if (d->log.open)
		missing += (uint32_t)(d->text_len - d->placed);
	if (!missing)
		return;
	put16(field, (window > missing ? window - missing : 0) >> scale);
	header_patch(m, h, rte_pktmbuf_mtod_offset(m, const uint8_t *, h->l4 + 14), field, 2);
}

/* RFC 2018. A block that is nothing but the gate's words is none of the sender's. */
static void translate_sack(struct rte_mbuf *m, const struct headers *h,
			   const struct tcp_edit_log *log)
{
	const uint8_t *tcp = rte_pktmbuf_mtod_offset(m, const uint8_t *, h->l4);
	const uint8_t *option = tcp_option_find(tcp, TCP_OPTION_SACK, 10);
	uint8_t now[40];
	uint32_t len = 2;

	if (!option || (!log->count && !log->base))
		return;
	memset(now, TCP_OPTION_NOP, sizeof(now));
	now[0] = TCP_OPTION_SACK;
	for (unsigned at = 2; at + 8 <= option[1]; at += 8) {
		uint32_t left = tcp_edit_sack_left(log, get32(option + at));
		uint32_t right = tcp_edit_ack(log, get32(option + at + 4));

		if (!seq_before(left, right))
			continue;
		put32(now + len, left);
		put32(now + len + 4, right);
		len += 8;
	}
	now[1] = (uint8_t)len;
	if (len == 2)
		now[0] = now[1] = TCP_OPTION_NOP;
	header_patch(m, h, option, now, option[1]);
}

void editor_take(struct worker *w, struct flow *f, struct rte_mbuf *m, struct headers *h)
{
	struct editor *e = f->editor;
	unsigned side = !h->side, scale = tcp_scale(f, h->side);
	struct editor_side *d = &e->side[side];
	uint32_t window = (uint32_t)h->window << scale, ack;

	if (!(h->tcp_flags & TCP_ACK) || (h->tcp_flags & TCP_SYN))
		return;
	hear_ack(e, side, h->ack, window);
	/* The server is answered by what it acknowledges. */
	if (e->phase >= EDITOR_CLOSING)
		return;
	shrink_window(m, h, d, window, scale);
	translate_sack(m, h, &d->log);
	ack = tcp_edit_ack(&d->log, h->ack);
	if (seq_before(ack, d->told) && h->ack == d->acked)
		ack = d->told;
	h->ack = ack;
	header_patch32(m, h, 8, ack);
}

/* Out --------------------------------------------------------------------- */

/* A slot's packet on its way out. */
struct carried {
	struct worker *w;
	struct burst *b;
	unsigned i;
	struct editor *e;
	struct editor_side *d;
	struct rte_mbuf *m;
	const struct headers *h;
	bool news;            /* it offers another window than the one before */
	bool any, whole, fin; /* something left; all of it in one; with its FIN */
};

static void send_on(struct carried *c, struct rte_mbuf *m)
{
	struct packet_meta *meta = packet_meta(m);
	enum port_role port = meta->role;

	meta->reason = c->b->reason[c->i];
	meta->decided = c->b->decided[c->i];
	c->e->side[!c->h->side].spoken = true;
	if (c->b->tx_count[port] == RTE_DIM(c->b->tx[port]))
		rte_pktmbuf_free(m);
	else
		c->b->tx[port][c->b->tx_count[port]++] = m;
}

/* The one place where a packet's numbers become its receiver's. */
static void translate_out(struct carried *c, struct rte_mbuf *m, uint32_t seq)
{
	struct editor_side *other = &c->e->side[!c->h->side];
	struct headers h;

	packet_decode(m, &h);
	header_patch32(m, &h, 4, seq);
	if (h.tcp_flags & TCP_ACK) {
		/* More than was ever sent is no acknowledgement (RFC 9293 3.10.7.4). */
		if (seq_before(other->told, h.ack) &&
		    seq_at_or_before(h.ack, c->e->flow->half[!c->h->side].next))
			other->told = h.ack;
		c->d->ack = h.ack;
	}
	if (packet_meta(m)->flags & PACKET_CHANGED) {
		tcp_checksum(m, &h);
		packet_meta(m)->flags &= (uint8_t)~PACKET_CHANGED;
	}
}

/* Payload bytes [from, to) of the packet as its meta describes it. */
static void send_piece(struct carried *c, uint32_t from, uint32_t to, uint32_t seq)
{
	struct rte_mbuf *piece = tcp_piece(c->w, c->m, c->h, from, to);

	if (!piece)
		return;
	translate_out(c, piece, seq);
	send_on(c, piece);
}

/* The sender's bytes [from, to): none of them was cut, and nothing comes in between. */
static void send_range(struct carried *c, uint32_t from, uint32_t to)
{
	struct packet_meta *meta = packet_meta(c->m);
	const struct tcp_edit_log *log = &c->d->log;
	bool fin = meta->fin;
	uint32_t head = RTE_MIN(c->h->payload - c->h->l3, PIECE_MAX / 2);
	uint32_t most = meta->flags & PACKET_REASSEMBLED ? PIECE_MAX - head : UINT32_MAX;
	uint32_t seq = tcp_edit_seq(log, from);

	/* What comes in behind the last byte comes before the FIN. */
	meta->fin = fin && tcp_edit_seq(log, to) == tcp_edit_end(log, to);
	text_send(c->w, c->e, c->h->side, seq);
	c->any = true;
	if (from == meta->seq && to == meta->seq + c->h->payload_len && most == UINT32_MAX &&
	    !meta->fin == !(c->h->tcp_flags & TCP_FIN)) {
		translate_out(c, c->m, seq);
		c->whole = true;
		c->fin = meta->fin;
		return;
	}
	for (uint32_t at = from; at != to;) {
		uint32_t n = RTE_MIN(to - at, most);

		send_piece(c, at - meta->seq, at + n - meta->seq, seq + (at - from));
		at += n;
	}
	c->fin = meta->fin && to == meta->seq + meta->len;
	meta->fin = fin;
}

/* What is left of [from, to) between the edits. */
static void send_ranges(struct carried *c, uint32_t from, uint32_t to)
{
	const struct tcp_edit_log *log = &c->d->log;
	uint32_t at = from;

	if (log->folded && seq_before(at, log->floor))
		at = log->floor;
	for (unsigned k = 0; k < log->count && seq_before(log->edit[k].at, to); k++) {
		const struct tcp_edit *edit = &log->edit[k];

		if (seq_before(at, edit->at)) {
			send_range(c, at, edit->at);
			at = edit->at;
		}
		if (seq_before(at, edit->at + edit->cut))
			at = edit->at + edit->cut;
	}
	if (seq_before(at, to))
		send_range(c, at, to);
}

/* R: what a packet without bytes of its own is numbered. */
static uint32_t empty_seq(const struct carried *c, uint32_t at)
{
	const struct editor_side *d = c->d;
	uint32_t seq, old;

	/* What comes then is not the receiver's, which may have no window that reaches so far. */
	if (d->ended && seq_before(d->end, at))
		return editor_next(c->e, c->h->side);
	seq = tcp_edit_seq(&d->log, at);
	/*
	 * A keep-alive (RFC 9293 3.8.4) is one because it lies before what the receiver expects:
	 * where the last bytes were cut, too.
	 */
	old = tcp_edit_end(&d->log, d->edge) - 1;
	if (seq_before(at, d->edge) && seq_before(old, seq))
		seq = old;
	/* Behind what the gate has yet to say, a full receiver would throw it away. */
	if (d->sent < d->placed && seq_before(text_seq(d, d->sent), seq))
		seq = text_seq(d, d->sent);
	return seq;
}

/*
 * R: a reset counts only where the receiver expects the next byte (RFC 5961 3.2): before what was
 * not said to it yet, and where the stream ended for it.
 */
static uint32_t reset_seq(const struct carried *c)
{
	const struct editor_side *d = c->d;
	uint32_t at = c->h->seq, seq;

	if (d->ended && seq_before(d->end, at))
		return editor_next(c->e, c->h->side);
	seq = tcp_edit_seq(&d->log, at);
	if (d->sent < d->placed && seq_before(text_seq(d, d->sent), seq))
		seq = text_seq(d, d->sent);
	return seq;
}

/* All of it was cut, but it acknowledged something, or opened a window. */
static void send_remains(struct carried *c, uint32_t at)
{
	if (!(c->h->tcp_flags & TCP_ACK))
		return;
	if (c->h->ack == c->d->ack && !c->news)
		return;
	send_piece(c, 0, 0, empty_seq(c, at));
}

/* The gate's answer to what it cut may be on its way, or lost. */
static void answer(struct carried *c, bool old)
{
	struct editor *e = c->e;

	/* A copy says that the sender does not know; else the other side's answer may do. */
	if (old || seq_before(c->d->told, editor_ack_for(e, c->h->side)))
		c->d->ack_due = true;
	if (old && e->side[!c->h->side].sent)
		text_resend(c->w, e, !c->h->side);
}

static void carry_payload(struct carried *c, uint32_t begin, uint32_t len, bool fin)
{
	struct editor_side *d = c->d;
	uint32_t end = begin + len, last = end;
	bool old = seq_before(begin, d->edge);

	if (d->ended && seq_before(d->end, last))
		last = d->end;
	if (seq_before(begin, last))
		send_ranges(c, begin, last);
	if (seq_before(d->edge, last))
		d->edge = last;
	if (fin && !c->fin) {
		text_send(c->w, c->e, c->h->side, tcp_edit_seq(&d->log, end));
		send_piece(c, len, len, tcp_edit_seq(&d->log, end));
		c->any = c->fin = true;
	}
	d->fin_left |= fin && c->fin;
	if (c->any)
		return;
	if (len == 1 && end == d->edge && old && !d->ended) {
		/* A keep-alive, of any byte: it is for the other end to answer. */
		send_piece(c, 0, 0, empty_seq(c, begin));
		return;
	}
	send_remains(c, last);
	if (len)
		answer(c, old);
}

static void carry_packet(struct carried *c)
{
	struct packet_meta *meta = packet_meta(c->m), kept = *meta;
	struct editor_side *d = c->d;
	const struct headers *h = c->h;
	bool fin = h->tcp_flags & TCP_FIN, syn = h->tcp_flags & TCP_SYN;

	/* What was sent before and can't be compared here stays; what was compared goes. */
	if (!c->b->cut[c->i] || syn) {
		meta->seq = h->seq + syn;
		meta->payload = h->payload;
		meta->len = h->payload_len;
	}
	/* A FIN lies behind the last byte: behind the end there is none. */
	if (d->ended && !seq_before(meta->seq + meta->len, d->end)) {
		if (fin)
			d->ack_due = true;
		fin = false;
	}
	meta->fin = fin;
	if (syn) {
		/* Nothing was edited before it. Data in it comes again, behind it. */
		meta->fin = false;
		send_piece(c, 0, 0, h->seq);
	} else if (meta->len || fin) {
		carry_payload(c, meta->seq, meta->len, fin);
	} else if (h->tcp_flags & TCP_FIN) {
		send_remains(c, d->end);
	} else {
		translate_out(c, c->m,
			      h->tcp_flags & TCP_RST ? reset_seq(c) : empty_seq(c, h->seq));
		c->whole = true;
	}
	meta->seq = kept.seq;
	meta->payload = kept.payload;
	meta->len = kept.len;
	meta->fin = kept.fin;
}

/* The server is gone, or so it will learn; the client is the gate's. */
static void carry_nothing(struct carried *c)
{
	const struct headers *h = c->h;
	struct editor *e = c->e;
	bool client = h->side == e->flow->client;

	if (e->phase != EDITOR_CLOSING)
		return;
	if (client && (h->tcp_flags & TCP_RST)) {
		e->phase = EDITOR_DONE;
		e->flow->state = FLOW_CLOSED;
	} else if (client) {
		if (h->payload_len || (h->tcp_flags & TCP_FIN) || seq_before(h->seq, c->d->told))
			c->d->ack_due = true;
	} else if ((h->tcp_flags & (TCP_ACK | TCP_RST)) == TCP_ACK) {
		/* RFC 9293 3.10.7.1: a reset is numbered by what it answers. */
		editor_say(c->w, e, !h->side, TCP_RST, h->ack, NULL, 0);
	}
}

static bool is_remembered(const struct burst *b, unsigned i)
{
	const struct packet_meta *meta = packet_meta(b->pkt[i]);

	return b->work[i] == SLOT_INSPECT && !(meta->flags & PACKET_UNREAD) && meta->len;
}

void editor_carry(struct worker *w, struct burst *b, unsigned i)
{
	struct flow *f = b->flow[i];
	struct editor *e = f->editor;
	struct carried c = {
		.w = w,
		.b = b,
		.i = i,
		.e = e,
		.d = &e->side[b->hdr[i].side],
		.m = b->pkt[i],
		.h = &b->hdr[i],
	};
	bool leaves = b->verdict[i] < VERDICT_DROP || b->cut[i];

	if (leaves || b->reason[i] == REASON_AFTER_REFUSAL)
		c.news = editor_note(e, b, i);
	if (e->phase >= EDITOR_CLOSING) {
		carry_nothing(&c);
	} else if (e->phase == EDITOR_DRAINING && (c.h->tcp_flags & TCP_RST) &&
		   c.h->side != f->client) {
		editor_server_ends(w, f, f->half[c.h->side].inspected);
	} else if (leaves) {
		carry_packet(&c);
		if (is_remembered(b, i))
			tcp_remember(w, f, c.h->side, c.m);
	}
	if (c.whole) {
		packet_free_fragments(c.m);
		send_on(&c, c.m);
	} else {
		packet_free(c.m);
	}
	editor_flush(w, e);
}
