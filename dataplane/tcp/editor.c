/* SPDX-License-Identifier: BSD-3-Clause */
/* An editor's life: what is refused, what is held, where answers go. */
#include "dataplane/tcp/editor.h"

#include <rte_mbuf.h>
#include <string.h>

#include "dataplane/inspect.h"
#include "dataplane/packet_write.h"
#include "dataplane/tcp/editor_internal.h"
#include "dataplane/tcp/tcp.h"
#include "dataplane/tcp/tcp_option.h"

#define LAST_CALL (10 * EDITOR_PATIENCE)
#define WORDS_MAX 400 /* bytes of a session's refusal */
#define RESERVE   512 /* bytes of text, and two edits, kept for that and a goodbye */

#define TOO_MANY "421 4.3.2 Too many refused commands, closing connection"

/* Life -------------------------------------------------------------------- */

static void ring_add(struct worker *w, struct editor *e)
{
	struct editor *first = w->editing;

	if (!first) {
		e->next = e->prev = e;
		w->editing = e;
		return;
	}
	e->next = first;
	e->prev = first->prev;
	e->prev->next = first->prev = e;
}

static void ring_remove(struct worker *w, struct editor *e)
{
	if (w->editing == e)
		w->editing = e->next == e ? NULL : e->next;
	e->next->prev = e->prev;
	e->prev->next = e->next;
}

static void side_begin(struct editor *e, unsigned side)
{
	const struct flow *f = e->flow;
	const struct tcp_half *half = &f->half[side], *other = &f->half[!side];
	struct editor_side *d = &e->side[side];

	d->acked = d->said = d->told = half->acked;
	/* Before the packet in hand, whose side's is put right in packet_begin(). */
	d->edge = half->inspected;
	d->ack = other->flags & HALF_SETTLED ? other->settled : other->acked - 1;
	d->fin_left = half->flags & HALF_FIN;
	d->window = f->window[side];
	d->right = d->acked + ((uint32_t)f->window[!side] << tcp_scale(f, !side));
}

/* What the packet in hand does not say of its receiver, it says by what it echoes. */
static void packet_begin(struct worker *w, struct editor *e)
{
	unsigned slot = w->at.slot, side = w->burst.hdr[slot].side;
	const struct headers *h = &w->burst.hdr[slot];
	const uint8_t *p = rte_pktmbuf_mtod(w->burst.pkt[slot], const uint8_t *), *stamps;
	struct editor_side *d = &e->side[side], *other = &e->side[!side];

	if (h->tcp_flags & TCP_FIN)
		d->fin_left = false;
	e->link = packet_meta(w->burst.pkt[slot])->link;
	d->edge = packet_meta(w->burst.pkt[slot])->seq;
	stamps = tcp_option_find(p + h->l4, TCP_OPTION_STAMPS, 10);
	if (stamps) {
		e->timestamps = true;
		d->stamp = get32(stamps + 2);
		other->stamp = get32(stamps + 6);
	}
	editor_note(e, &w->burst, slot);
	link_write(other->link, d->link, d->link_len, e->link, true);
	other->link_len = d->link_len;
	other->role = d->role == PORT_OUTSIDE ? PORT_INSIDE : PORT_OUTSIDE;
}

unsigned editor_asker_of(const struct flow *f)
{
	bool sip = f->app == APP_SIP || f->app == APP_SIPS;

	/* SIP requests go both ways: those are the gate's that a tenant sends. */
	return sip && f->tenant && !(f->flags & FLOW_OUTBOUND) ? !f->client : f->client;
}

static struct editor *editor_open(struct worker *w, struct flow *f)
{
	const uint8_t both = f->half[0].flags & f->half[1].flags;
	struct editor *e = f->editor;

	if (e)
		return e;
	if ((both & (HALF_SEEN | HALF_ACKED)) != (HALF_SEEN | HALF_ACKED) ||
	    w->burst.hdr[w->at.slot].l3 > EDITOR_LINK)
		return NULL;
	e = pool_get(block_pool_for(&w->editors, f->tenant));
	if (!e) {
		worker_note(w, f->tenant, REASON_EDIT_BUDGET);
		return NULL;
	}
	memset(e, 0, sizeof(*e));
	e->flow = f;
	e->asker = (uint8_t)editor_asker_of(f);
	side_begin(e, 0);
	side_begin(e, 1);
	packet_begin(w, e);
	ring_add(w, e);
	f->editor = e;
	return e;
}

void editor_free(struct worker *w, struct flow *f)
{
	if (!f->editor)
		return;
	ring_remove(w, f->editor);
	pool_put(block_pool_for(&w->editors, f->tenant), f->editor);
	f->editor = NULL;
}

/* Numbers ----------------------------------------------------------------- */

uint32_t editor_ack_for(const struct editor *e, unsigned side)
{
	const struct editor_side *d = &e->side[side];
	uint32_t ack, next = e->flow->half[side].next;

	if (e->phase >= EDITOR_CLOSING)
		return next;
	ack = tcp_edit_ack(&d->log, d->acked);
	/* What nobody will read is had as soon as it is here. */
	if (d->ended && !seq_before(ack, d->end) && seq_before(ack, next))
		ack = next;
	return seq_before(ack, d->told) ? d->told : ack;
}

uint32_t editor_next(const struct editor *e, unsigned side)
{
	const struct editor_side *d = &e->side[side];

	if (d->sent < d->placed)
		return text_seq(d, d->sent);
	if (d->ended)
		return tcp_edit_seq(&d->log, d->end) +
		       (e->fin_sent && side != e->flow->client ? 1 : 0);
	if (d->fin_left)
		return tcp_edit_seq(&d->log, e->flow->half[side].next);
	return tcp_edit_seq(&d->log, d->edge);
}

/* Holding ----------------------------------------------------------------- */

/* The last edit is what is held; it is refused, whatever it would have been. */
static void hold_refuse(struct editor_side *d)
{
	text_drop(d, (uint32_t)(d->text_len - d->placed));
	d->log.open = false;
}

static void hold_put_back(struct editor_side *d)
{
	if (!d->log.open)
		return;
	tcp_edit_put_back(&d->log);
	d->placed = d->text_len;
}

void editor_release(struct flow *f)
{
	if (f->editor)
		hold_put_back(editor_asker(f->editor));
}

void editor_hold(struct worker *w, struct flow *f, uint32_t from, uint32_t to)
{
	struct rte_mbuf *m = w->burst.pkt[w->at.slot];
	const struct packet_meta *meta = packet_meta(m);
	struct editor *e = f->editor;
	struct editor_side *d;
	bool goes_on;

	if (!e && !(from != to && (e = editor_open(w, f))))
		return;
	d = &e->side[w->at.side];
	if (e->phase != EDITOR_OPEN)
		return;
	goes_on = d->log.open && tcp_edit_held(&d->log) == from;
	if (!goes_on)
		hold_put_back(d);
	/* Its beginning has left already, or there is nothing. */
	if (from == to || (!goes_on && seq_before(from, meta->seq)))
		return;
	from = goes_on ? meta->seq : from;
	if (d->text_len + (to - from) > EDITOR_TEXT || (!goes_on && !tcp_edit_has_room(&d->log))) {
		hold_put_back(d);
		return;
	}
	text_stage(d, rte_pktmbuf_mtod_offset(m, const uint8_t *, meta->payload + from - meta->seq),
		   to - from);
	tcp_edit_hold(&d->log, from, to - from);
}

/* Answers ----------------------------------------------------------------- */

static bool has_room(const struct editor *e, const struct editor_refusal *r)
{
	const struct editor_side *asker = &e->side[e->asker];
	const struct editor_side *answerer = &e->side[!e->asker];

	return e->awaited < EDITOR_STAGED - 1 && asker->log.count + 2 < TCP_EDITS &&
	       answerer->log.count + e->awaited + 2 < TCP_EDITS &&
	       answerer->text_len + r->text_len + RESERVE <= EDITOR_TEXT;
}

static void answer_stage(struct editor *e, const char *text, size_t len, bool line)
{
	struct editor_side *d = editor_answerer(e);

	uint32_t before = d->text_len;

	if (len)
		text_stage(d, text, len);
	if (len && line)
		text_stage(d, "\r\n", 2);
	e->staged[(e->staged_out + e->awaited++) % EDITOR_STAGED] =
		(uint16_t)(d->text_len - before);
}

/* Behind a FIN nothing can be said, nor before one that has left. */
static bool answerer_is_past(const struct editor *e, uint32_t at)
{
	const struct tcp_half *half = &e->flow->half[!e->asker];

	return (half->flags & HALF_FIN) &&
	       !seq_before(at, half->next - e->side[!e->asker].fin_left);
}

/* The refusal is in its place: from here on the server is not heard. */
static void drain_end(struct worker *w, struct editor *e, uint32_t at)
{
	struct editor_side *d = editor_answerer(e);

	d->ended = true;
	d->end = at;
	if (answerer_is_past(e, at)) {
		d->end = e->flow->half[!e->asker].next - 1;
		text_drop(d, editor_staged(d));
		e->saying_goodbye = true;
	}
	text_place(d, d->end, editor_staged(d));
	e->awaited = 0;
	e->patience = w->now + EDITOR_PATIENCE;
}

bool editor_due(struct worker *w, struct flow *f, uint32_t at)
{
	struct editor *e = f->editor;
	struct editor_side *d;
	uint32_t len;

	if (!e || !e->awaited || e->phase > EDITOR_DRAINING)
		return false;
	d = editor_answerer(e);
	len = e->staged[e->staged_out];
	e->staged_out = (uint8_t)((e->staged_out + 1) % EDITOR_STAGED);
	e->awaited--;
	if (answerer_is_past(e, at))
		text_drop(d, len);
	else
		text_place(d, at, len);
	if (e->phase == EDITOR_DRAINING && !e->awaited)
		drain_end(w, e, at);
	return true;
}

void editor_server_ends(struct worker *w, struct flow *f, uint32_t at)
{
	struct editor *e = f->editor;

	if (e && e->phase == EDITOR_DRAINING && !editor_answerer(e)->ended)
		drain_end(w, e, at);
}

/* Refusing ---------------------------------------------------------------- */

/* The client's stream ends here, for the server. */
static void refuse_session(struct worker *w, struct editor *e, const struct editor_refusal *r,
			   uint32_t from)
{
	struct editor_side *d = editor_asker(e);

	if (d->log.open) {
		from = tcp_edit_held(&d->log);
		hold_refuse(d);
		d->log.count--;
	}
	d->ended = true;
	d->end = from;
	e->read = r->end;
	e->phase = EDITOR_DRAINING;
	e->patience = w->now + EDITOR_PATIENCE;
	e->last_call = w->now + LAST_CALL;
	e->saying_goodbye = r->text_len > 3 && memcmp(r->text, "421", 3) == 0;
	answer_stage(e, r->text, RTE_MIN(r->text_len, (size_t)WORDS_MAX), r->line);
}

static void refuse_command(struct editor *e, const struct editor_refusal *r, uint32_t from)
{
	struct editor_side *d = editor_asker(e);

	if (d->log.open)
		hold_refuse(d);
	tcp_edit_cut(&d->log, from, r->end - from);
	answer_stage(e, r->text, r->text_len, r->line);
}

/* In place of what the server just said; the client's next bytes are for the gate. */
static void refuse_server(struct worker *w, struct editor *e, const struct editor_refusal *r,
			  uint32_t from)
{
	struct editor_side *client = editor_asker(e);
	struct editor_refusal all = *r;

	/* What the client said so far was its last. */
	all.end = e->flow->half[e->flow->client].inspected;
	refuse_session(w, e, &all, client->edge);
	client->end = seq_before(client->end, all.end) ? all.end : client->end;
	drain_end(w, e, from);
}

/* Nobody can be told, and what has left can't be taken back. */
static enum editor_result reset_both(struct worker *w, struct editor *e)
{
	editor_give_up(w, e);
	return EDITOR_OVER;
}

static enum editor_result silence(struct editor *e)
{
	e->phase = EDITOR_DONE;
	return EDITOR_OVER;
}

enum editor_result editor_refuse(struct worker *w, struct flow *f, const struct editor_refusal *r)
{
	const struct packet_meta *meta = packet_meta(w->burst.pkt[w->at.slot]);
	struct editor_refusal last = *r;
	struct editor *e = editor_open(w, f);
	struct editor_side *d;
	uint32_t from = r->begin;
	bool begun;

	if (!e || e->phase != EDITOR_OPEN)
		return EDITOR_NONE;
	d = &e->side[w->at.side];
	e->reason = (uint8_t)r->reason;
	w->burst.cut[w->at.slot] = true;
	/* The line that was held was whole, and let through. */
	if (d->log.open && tcp_edit_held(&d->log) != from)
		hold_put_back(d);
	/* Of a command whose beginning has left the rest can't be taken back. */
	begun = seq_before(from, meta->seq) && !d->log.open;
	if (seq_before(from, meta->seq))
		from = meta->seq;
	/* Nor can what has not come yet be acknowledged. */
	if (seq_before(meta->seq + meta->len, last.end)) {
		last.end = meta->seq + meta->len;
		begun = true;
	}
	if (!last.text && last.over)
		return silence(e);
	if (!last.over && (begun || (last.line && !w->at.to_server) || !has_room(e, r))) {
		worker_note(w, f->tenant, REASON_EDIT_BUDGET);
		if (!last.line)
			return reset_both(w, e);
		last.over = true;
		last.text = TOO_MANY;
		last.text_len = strlen(TOO_MANY);
		last.line = true;
	}
	if (w->at.side != e->asker && last.over)
		refuse_server(w, e, &last, from);
	else if (w->at.side != e->asker)
		tcp_edit_cut(&d->log, from, last.end - from);
	else if (last.over)
		refuse_session(w, e, &last, from);
	else
		refuse_command(e, &last, from);
	return last.over ? EDITOR_OVER : EDITOR_CUT;
}

bool editor_follows(const struct flow *f, unsigned side)
{
	const struct editor *e = f->editor;

	return e && e->phase <= EDITOR_DRAINING && !e->side[side].ended;
}
