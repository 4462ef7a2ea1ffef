/* SPDX-License-Identifier: BSD-3-Clause */
/* How a session ends behind a refusal: the last words, resets, tries, and when nobody answers. */
#include <rte_mbuf.h>
#include <string.h>

#include "dataplane/inspect.h"
#include "dataplane/tcp/editor_internal.h"
#include "dataplane/tcp/tcp.h"

#define RESEND    (500 * UINT64_C(1000000)) /* ns; doubled with every try */
#define TRIES_MAX 8                         /* two minutes in all */
#define RESETS    3
#define SWEEP     16 /* editors looked at in a turn */

#define CLOSING "421 4.3.0 Closing connection after a refusal"
#define GOODBYE "221 2.0.0 Closing connection"

void editor_give_up(struct worker *w, struct editor *e)
{
	struct flow *f = e->flow;

	for (unsigned side = 0; side < 2; side++)
		if (side == f->client ? e->phase < EDITOR_CLOSING : true)
			editor_say(w, e, side, TCP_RST | TCP_ACK, editor_next(e, side), NULL, 0);
	e->phase = EDITOR_DONE;
	f->flags |= FLOW_REFUSED;
	f->state = FLOW_CLOSED;
	if (!f->reason)
		f->reason = e->reason;
}

/* The last word to the client. */
static void say_goodbye(struct worker *w, struct editor *e, const char *words)
{
	struct editor_side *d = editor_answerer(e);

	if (e->saying_goodbye)
		return;
	e->saying_goodbye = true;
	text_stage(d, words, strlen(words));
	text_stage(d, "\r\n", 2);
	if (d->ended)
		text_place(d, d->end, editor_staged(d));
	e->patience = w->now + EDITOR_PATIENCE;
}

static void hear_line(struct worker *w, struct editor *e)
{
	bool quit = e->line_len == 4 && strncasecmp((const char *)e->line, "QUIT", 4) == 0;

	e->line_len = 0;
	say_goodbye(w, e, quit ? GOODBYE : CLOSING);
}

static void hear_byte(struct worker *w, struct editor *e, uint8_t c)
{
	if (c == '\n')
		hear_line(w, e);
	else if (c != '\r' && e->line_len < sizeof(e->line))
		e->line[e->line_len++] = c;
}

void editor_hear(struct worker *w, struct flow *f)
{
	struct rte_mbuf *m = w->burst.pkt[w->at.slot];
	const struct packet_meta *meta = packet_meta(m);
	const uint8_t *p = rte_pktmbuf_mtod_offset(m, const uint8_t *, meta->payload);
	struct editor *e = f->editor;
	uint32_t end = meta->seq + meta->len;

	if (!e || e->phase < EDITOR_DRAINING || !w->at.to_server)
		return;
	if (seq_before(e->read, meta->seq))
		e->read = meta->seq;
	e->patience = RTE_MIN(w->now + EDITOR_PATIENCE, e->last_call);
	while (seq_before(e->read, end))
		hear_byte(w, e, p[e->read++ - meta->seq]);
	if (!meta->fin)
		return;
	e->client_fin = true;
	e->saying_goodbye = true;
}

static void say_reset(struct worker *w, struct editor *e)
{
	editor_say(w, e, e->flow->client, TCP_RST | TCP_ACK, editor_next(e, e->flow->client), NULL,
		   0);
	e->reset_due = w->now + (RESEND << e->resets++);
}

/* The client has all that the server said before the refusal: the server is not needed any more. */
static void reset_server(struct worker *w, struct editor *e)
{
	struct editor_side *d = editor_answerer(e);

	if (e->phase != EDITOR_DRAINING || !d->ended ||
	    seq_before(d->acked, tcp_edit_end(&d->log, d->end)))
		return;
	e->phase = EDITOR_CLOSING;
	say_reset(w, e);
}

static void close_client(struct worker *w, struct editor *e)
{
	unsigned server = !e->flow->client;
	const struct editor_side *d = editor_answerer(e);

	if (e->phase != EDITOR_CLOSING || !e->saying_goodbye || d->sent < d->placed)
		return;
	if (!e->fin_sent) {
		editor_say(w, e, server, TCP_FIN | TCP_ACK, editor_next(e, server), NULL, 0);
		e->fin_sent = true;
	}
	if (e->fin_acked && e->client_fin)
		e->flow->state = FLOW_CLOSED;
}

static bool is_outstanding(const struct editor *e)
{
	return e->side[0].placed || e->side[1].placed || (e->fin_sent && !e->fin_acked);
}

void editor_flush(struct worker *w, struct editor *e)
{
	if (e->phase == EDITOR_DONE)
		return;
	for (unsigned side = 0; side < 2; side++)
		text_send(w, e, side, editor_next(e, side) + (1u << 30));
	reset_server(w, e);
	close_client(w, e);
	for (unsigned side = 0; side < 2; side++) {
		struct editor_side *d = &e->side[side];

		if (d->ack_due && !d->spoken && e->phase != EDITOR_DONE)
			editor_say(w, e, !side, TCP_ACK, editor_next(e, !side), NULL, 0);
		d->ack_due = d->spoken = false;
	}
	if (!is_outstanding(e))
		e->due = 0;
	else if (!e->due)
		e->due = w->now + (RESEND << e->tries);
}

/* Time -------------------------------------------------------------------- */

static void send_again(struct worker *w, struct editor *e)
{
	unsigned server = !e->flow->client;

	if (++e->tries > TRIES_MAX) {
		editor_give_up(w, e);
		return;
	}
	e->due = 0;
	text_resend(w, e, 0);
	text_resend(w, e, 1);
	if (e->fin_sent && !e->fin_acked)
		editor_say(w, e, server, TCP_FIN | TCP_ACK, editor_next(e, server) - 1, NULL, 0);
}

static void lose_patience(struct worker *w, struct editor *e)
{
	struct flow *f = e->flow;

	e->patience = w->now + EDITOR_PATIENCE;
	if (e->phase == EDITOR_DRAINING && !editor_answerer(e)->ended)
		editor_server_ends(w, f, f->half[!f->client].inspected);
	else if (e->phase == EDITOR_CLOSING && !e->saying_goodbye)
		say_goodbye(w, e, CLOSING);
	else
		editor_give_up(w, e);
}

/* Nothing was changed after all, or in vain: a half line that became a whole one. */
static bool is_idle(const struct editor *e)
{
	const struct editor_side *a = &e->side[0], *b = &e->side[1];

	return e->phase == EDITOR_OPEN && !e->awaited && !a->text_len && !b->text_len &&
	       !a->log.count && !b->log.count && !a->log.base && !b->log.base;
}

static void look_after(struct worker *w, struct editor *e)
{
	if (e->phase == EDITOR_DONE)
		return;
	if (is_idle(e)) {
		editor_free(w, e->flow);
		return;
	}
	if (e->due && e->due <= w->now)
		send_again(w, e);
	if (e->phase == EDITOR_CLOSING && e->resets < RESETS && e->reset_due <= w->now)
		say_reset(w, e);
	if (e->patience && e->patience <= w->now && e->phase != EDITOR_DONE)
		lose_patience(w, e);
	editor_flush(w, e);
}

void editor_sweep(struct worker *w)
{
	for (unsigned n = 0; n < SWEEP && w->editing; n++) {
		struct editor *e = w->editing;

		w->editing = e->next;
		look_after(w, e);
	}
}
