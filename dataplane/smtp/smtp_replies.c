/* SPDX-License-Identifier: BSD-3-Clause */
/* What the server answers. */
#include "dataplane/smtp/smtp_sink.h"

#include <stdio.h>

#include "dataplane/sip/heard.h"
#include "dataplane/smtp/bounce.h"
#include "dataplane/smtp/smtp_watch.h"
#include "dataplane/tcp/editor.h"

#define LOGIN_FAILED 535 /* RFC 4954 6: to AUTH, or what continues it */

static void on_rcpt_reply(struct smtp_ctx *c, const struct smtp_reply *r)
{
	struct tenant_counters *t = &c->w->tenants[c->f->tenant];
	bool hard;

	if (r->withheld)
		return;
	hard = bounce_is_hard(r->code, r->enhanced.class, r->enhanced.subject, r->enhanced.detail,
			      r->text);
	c->w->counters->smtp.rcpt_accepted += r->code / 10 == 25;
	c->w->counters->smtp.rcpt_hard_bounced += hard;
	if (!(c->f->flags & FLOW_OUTBOUND))
		return;
	/* "Later" is no answer: who is asked again would be counted again. */
	t->recipients_answered += r->code / 100 == 2 || r->code / 100 == 5;
	t->recipients_bounced += hard;
	smtp_watch_answer(c, r, hard);
}

static void scan_reply(struct smtp_ctx *c, const struct smtp_reply *r)
{
	struct finding finding = {0};
	char code[8];

	if (!c->w->matcher)
		return;
	snprintf(code, sizeof(code), "%u", r->code);
	smtp_scan(c, RULE_BUFFER_SMTP_REPLY_CODE, bytes_of(code, 3), &finding);
	smtp_scan(c, RULE_BUFFER_SMTP_REPLY_TEXT, r->text, &finding);
	/* What is said in the reply's place is the last word. */
	if (may_decide(c->w))
		smtp_refuse_by_rule(c, &finding, "connection", r->at, true);
}

/*
 * The transaction that an answered MAIL would open: of several in flight the one whose turn it is.
 * What the gate refused, and a capture goes on with, has no number.
 */
static struct mail **mail_of_reply(struct smtp_ctx *c, const struct smtp_reply *r)
{
	const uint32_t number = r->withheld ? 0 : c->s->parser.mails;

	if (c->s->nested && c->s->nested->number == number)
		return &c->s->nested;
	return c->s->mail && c->s->mail->number == number ? &c->s->mail : NULL;
}

/* The server refused MAIL: what it would have opened is nothing, with whatever followed it. */
static void mail_refused(struct smtp_ctx *c, const struct smtp_reply *r)
{
	struct mail **mail = mail_of_reply(c, r);
	struct event_builder e;

	if (c->s->in_transaction && c->w->options.addresses) {
		e = event_start(c->w, EVENT_ADDRESS);
		event_put_bool(&e, FIELD_KEY_ADDRESS_VOID, true);
		event_send(c->w, &e);
	}
	if (mail)
		smtp_mail_drop(c, mail);
	smtp_mail_settle(c);
	c->s->in_transaction = c->s->mail != NULL;
}

/* Whatever was open before is not. */
static void mail_taken(struct smtp_ctx *c, const struct smtp_reply *r)
{
	if (c->s->nested && mail_of_reply(c, r) == &c->s->nested)
		smtp_mail_drop(c, &c->s->mail);
	smtp_mail_settle(c);
}

void smtp_on_reply(void *ctx, const struct smtp_reply *r)
{
	struct smtp_ctx *c = ctx;

	smtp_session_count(c);
	smtp_rules_take(c);
	c->w->counters->smtp.replies[r->code]++;
	if (r->verb == SMTP_RCPT)
		on_rcpt_reply(c, r);
	smtp_watch_reply(c, r);
	if (r->code == LOGIN_FAILED && (c->f->flags & FLOW_OUTBOUND))
		heard_login_failed(c->w, c->f->tenant);
	if (r->verb == SMTP_MAIL && r->code >= 400)
		mail_refused(c, r);
	else if (r->verb == SMTP_MAIL)
		mail_taken(c, r);
	scan_reply(c, r);
	if ((c->f->flags & FLOW_REFUSE_GREETING) && may_decide(c->w))
		smtp_refuse_greeting(c, r->at);
}

void smtp_on_due(void *ctx, uint64_t at)
{
	struct smtp_ctx *c = ctx;

	if (!c->w->at.ending)
		editor_due(c->w, c->f, c->s->server_begin + (uint32_t)at);
}
