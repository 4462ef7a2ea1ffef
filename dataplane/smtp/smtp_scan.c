/* SPDX-License-Identifier: BSD-3-Clause */
/* What a session says, against the rules that are its own to the end of a mail. */
#include "dataplane/smtp/smtp_sink.h"

/* What the session said before its first mail, to new rules. What they hit was said long ago. */
void smtp_session_begin(struct smtp_ctx *c)
{
	struct smtp_session *s = c->s;
	struct match_flow flow;

	s->view = c->w->view;
	if (!c->w->matcher)
		return;
	flow = match_flow_of(c->w, c->f, true);
	match_begin(c->w->matcher, &s->txn, &flow, NULL);
	if (s->helo_len)
		match_block(c->w->matcher, &s->txn, RULE_BUFFER_SMTP_HELO, s->helo, s->helo_len);
	c->w->matcher->nhits = 0;
}

/* A mail ends with the rules that it began with; whatever begins takes the newest. */
void smtp_rules_take(struct smtp_ctx *c)
{
	const struct mail *mail = smtp_mail_now(c->s);

	c->w->matcher = mail ? mail->matcher : c->w->newest;
	if (!mail && c->s->view != c->w->view)
		smtp_session_begin(c);
}

void smtp_scan(struct smtp_ctx *c, enum rule_buffer buffer, struct bytes data,
	       struct finding *finding)
{
	if (!c->w->matcher)
		return;
	match_block(c->w->matcher, smtp_txn_now(c->s), buffer, data.p, data.len);
	if (c->w->matcher->nhits)
		findings_take(c->w, finding, data);
}

/* A command is refused alone: what an earlier one of its kind hit, this one hits again. */
void smtp_scan_command(struct smtp_ctx *c, enum rule_buffer buffer, struct bytes data,
		       struct finding *finding)
{
	match_renew(smtp_txn_now(c->s));
	smtp_scan(c, buffer, data, finding);
}
