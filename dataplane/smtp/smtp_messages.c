/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages: what they hold goes to the rules, their end waits for the verdict. */
#include "dataplane/smtp/smtp_sink.h"

#include <stdio.h>
#include <string.h>

#include "dataplane/smtp/smtp_watch.h"

void smtp_on_message_begin(void *ctx, uint64_t at, bool ghost)
{
	struct smtp_ctx *c = ctx;

	smtp_rules_take(c);
	c->w->counters->smtp.messages_attempted++;
	c->w->tenants[c->f->tenant].messages++;
	/* Midstream: data without an envelope. */
	if (!c->s->mail)
		c->s->mail = mail_new(c->w, c->f, bytes_of("", 0), &c->s->txn);
}

void smtp_on_body(void *ctx, struct bytes span, uint64_t at)
{
	struct smtp_ctx *c = ctx;

	smtp_rules_take(c);
	if (c->s->mail)
		mail_body(c->w, c->s->mail, span);
}

void smtp_on_body_gap(void *ctx, struct smtp_span at)
{
	struct smtp_ctx *c = ctx;

	worker_note(c->w, c->f->tenant, REASON_TCP_GAP);
	if (c->s->mail)
		mail_gap(c->s->mail);
}

/* What is to become of the message whose end has come. */
static bool judge(struct smtp_ctx *c, struct mail *mail, const struct smtp_end *end)
{
	struct refusal r = {.verdict = VERDICT_REJECT, .object = "message", .ends_session = true};

	if (mail && smtp_refuse_by_rule(c, &mail->finding, "message", end->at, true))
		return true;
	if (mail && smtp_judge_headers(c, mail, end->at))
		return true;
	if (mail && smtp_watch_refuses_message(c, mail, end->at))
		return true;
	if (end->kind == SMTP_END_BARE_LF &&
	    c->w->policy->on_loss[REASON_SMTP_BARE_LF_END] >= VERDICT_DROP)
		r.reason = REASON_SMTP_BARE_LF_END;
	else
		return false;
	if (r.reason == REASON_SMTP_BARE_LF_END)
		r.verdict = c->w->policy->on_loss[REASON_SMTP_BARE_LF_END];
	return smtp_refuse(c, &r, end->at);
}

/* The transaction is over but for its reply. */
static void mail_await_reply(struct smtp_ctx *c)
{
	struct mail **last = &c->s->pending;

	while (*last)
		last = &(*last)->next;
	*last = c->s->mail;
	c->s->mail = NULL;
	c->s->in_transaction = false;
}

/* As in the `email` event, which went out before anybody knew who took the message. */
static void put_message_id(struct event_builder *e, const struct mail *mail)
{
	struct event_value id;

	if (mail->email.head && event_find(mail->email.head, FIELD_KEY_EMAIL_MESSAGE_ID, &id))
		event_put_str(e, FIELD_KEY_SMTP_MESSAGE_ID, id.p, id.len);
}

static void smtp_event(struct smtp_ctx *c, const struct mail *mail, const char *result,
		       uint16_t code, uint32_t accepted)
{
	struct event_builder e = event_start(c->w, EVENT_SMTP);
	char digits[8];

	if (!e.head)
		return;
	event_put_str(&e, FIELD_KEY_SMTP_HELO, c->s->helo, c->s->helo_len);
	if (mail) {
		event_put_str(&e, FIELD_KEY_SMTP_MAIL_FROM, mail->from, mail->from_len);
		for (size_t i = 0; i < mail->rcpt_len; i += strlen(mail->rcpt + i) + 1)
			event_put_text(&e, FIELD_KEY_SMTP_RCPT_TO, mail->rcpt + i);
		event_put_uint(&e, FIELD_KEY_SMTP_RCPT_COUNT, mail->rcpts);
		event_put_uint(&e, FIELD_KEY_SMTP_BYTES, mail->size);
	}
	event_put_uint(&e, FIELD_KEY_SMTP_RCPT_ACCEPTED, accepted);
	if (code) {
		snprintf(digits, sizeof(digits), "%u", code);
		event_put_text(&e, FIELD_KEY_SMTP_REPLY_CODE, digits);
	}
	event_put_text(&e, FIELD_KEY_SMTP_RESULT, result);
	if (mail && code / 100 == 2)
		put_message_id(&e, mail);
	event_put_bool(&e, FIELD_KEY_SMTP_TLS, c->s->tls);
	event_send(c->w, &e);
}

/* Is an end with a bare LF one here? Else the message goes on: nothing is withheld for it. */
static bool is_end(struct smtp_ctx *c, const struct smtp_end *end)
{
	enum verdict verdict = c->w->policy->on_loss[REASON_SMTP_BARE_LF_END];

	if (verdict < VERDICT_DROP) {
		slot_decide(c->w, c->w->at.slot, verdict, REASON_SMTP_BARE_LF_END);
		return false;
	}
	if (!c->w->policy->shadow)
		return true;
	smtp_refuse(c,
		    &(struct refusal){.verdict = verdict,
				      .reason = REASON_SMTP_BARE_LF_END,
				      .object = "message"},
		    end->at);
	return false;
}

bool smtp_on_message_end(void *ctx, const struct smtp_end *end)
{
	struct smtp_ctx *c = ctx;
	struct mail *mail = c->s->mail;
	bool withheld;

	smtp_rules_take(c);
	if (end->kind == SMTP_END_BARE_LF && may_decide(c->w) && !is_end(c, end))
		return false;
	if (mail)
		mail_end(c->w, mail);
	withheld = may_decide(c->w) && end->kind != SMTP_END_UNSEEN && judge(c, mail, end);
	if (withheld || end->ghost) {
		c->w->counters->smtp.messages_refused_by_gate++;
		smtp_event(c, mail, "refused_by_gate", 0, 0);
	}
	if (withheld) {
		/* A receiver that never sees the end never delivers. */
		smtp_mail_drop(c, &c->s->mail);
		return true;
	}
	if (mail)
		mail->refused = end->ghost;
	mail_await_reply(c);
	return false;
}

void smtp_on_message_result(void *ctx, const struct smtp_result *r)
{
	static const char *const names[] = {
		[SMTP_ACCEPTED] = "accepted",
		[SMTP_REFUSED] = "refused_by_peer",
		[SMTP_OUTCOME_UNKNOWN] = "unknown",
	};
	struct smtp_ctx *c = ctx;
	struct counters *n = c->w->counters;
	struct mail *mail = c->s->pending;

	if (mail)
		c->s->pending = mail->next;
	else
		mail = c->s->mail; /* refused before its end */
	c->w->matcher = mail ? mail->matcher : c->w->newest;
	if (!r->ghost) {
		n->smtp.messages_accepted += r->outcome == SMTP_ACCEPTED;
		n->smtp.messages_refused_by_peer += r->outcome == SMTP_REFUSED;
		if (r->outcome == SMTP_ACCEPTED) {
			n->smtp.rcpt_delivered += r->accepted;
			c->w->tenants[c->f->tenant].messages_accepted++;
		}
		smtp_event(c, mail, names[r->outcome], r->code, r->accepted);
	}
	if (mail && mail == c->s->mail)
		c->s->mail = NULL;
	if (mail)
		mail_free(c->w, c->f, mail);
}

/* A client may have sent RSET and the next MAIL at once (RFC 2920): that one is not aborted. */
static bool begun_before(const struct smtp_ctx *c, const struct mail *mail,
			 const struct smtp_abort *abort)
{
	const uint32_t answered = c->s->parser.mails - (abort->by == SMTP_MAIL);

	return mail && (abort->by == SMTP_UNKNOWN || mail->number <= answered);
}

void smtp_on_transaction_abort(void *ctx, const struct smtp_abort *abort)
{
	struct smtp_ctx *c = ctx;

	smtp_rules_take(c);
	smtp_watch_abort(c, begun_before(c, c->s->mail, abort) ? c->s->mail : NULL, abort);
	smtp_event(c, begun_before(c, c->s->mail, abort) ? c->s->mail : NULL, "aborted", 0,
		   abort->accepted);
	if (begun_before(c, c->s->mail, abort))
		smtp_mail_drop(c, &c->s->mail);
	if (begun_before(c, c->s->nested, abort))
		smtp_mail_drop(c, &c->s->nested);
	smtp_mail_settle(c);
	c->s->in_transaction = c->s->mail != NULL;
}
