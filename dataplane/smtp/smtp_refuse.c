/* SPDX-License-Identifier: BSD-3-Clause */
/* How an SMTP client hears a refusal, and what becomes of its session. */
#include "dataplane/smtp/smtp_sink.h"

#include <string.h>

#include "dataplane/evidence.h"
#include "dataplane/tcp/editor.h"

/* What the gate took for the session's last word is. */
static void session_over(struct smtp_ctx *c, enum reason reason)
{
	c->f->flags |= FLOW_REFUSED;
	c->f->reason = (uint8_t)reason;
	c->w->at.ghost = true;
}

/* The peers hear of it, and go on. False: there is no room for that. */
static bool refuse_live(struct smtp_ctx *c, const struct refusal *r, struct smtp_span at,
			const char *reply, bool over)
{
	struct editor_refusal refusal = {
		.begin = smtp_seq_of(c->w, at.begin),
		.end = smtp_seq_of(c->w, at.end),
		.text = r->verdict == VERDICT_REJECT ? reply : NULL,
		.text_len = r->verdict == VERDICT_REJECT ? strlen(reply) : 0,
		.line = true,
		.over = over,
		.reason = r->reason,
	};
	enum editor_result result = editor_refuse(c->w, c->f, &refusal);

	if (result == EDITOR_NONE)
		return false;
	slot_decide(c->w, c->w->at.slot, r->verdict, r->reason);
	if (result == EDITOR_OVER)
		session_over(c, r->reason);
	return true;
}

/*
 * Says it to the client and withholds the bytes; when the session is over with it, also what
 * the packet has behind them. True when it is carried out.
 */
bool smtp_refuse(struct smtp_ctx *c, const struct refusal *r, struct smtp_span at)
{
	char text[256];
	const char *reply = refusal_smtp_text(c->w, r, text);
	/* RFC 5321 3.8: who says 421 closes. */
	bool closes = r->verdict == VERDICT_REJECT && strncmp(reply, "421", 3) == 0;
	bool over = closes || r->ends_session;

	if (!refusal_declare(c->w, r, reply))
		return false;
	if (r->ends_session && c->s->mail)
		evidence_tell(c->w, c->s->mail, r, reply);
	if (c->w->options.edits && refuse_live(c, r, at, reply, over))
		return true;
	/* Peers that do not hear the gate, or could not be kept in step after it. */
	over |= c->w->options.edits;
	cut_stream(c->w, at.begin, over ? UINT64_MAX : at.end, r->verdict, r->reason);
	if (r->verdict == VERDICT_REJECT)
		reply_smtp(c->w, c->f, reply);
	if (over)
		session_over(c, r->reason);
	return true;
}

bool smtp_refuse_by_rule(struct smtp_ctx *c, struct finding *finding, const char *object,
			 struct smtp_span at, bool ends_session)
{
	struct refusal r = {
		.verdict = finding->verdict,
		.reason = REASON_RULE,
		.rule = finding->rule,
		.object = object,
		.ends_session = ends_session,
	};

	if (finding->verdict < VERDICT_DROP)
		return false;
	finding->verdict = VERDICT_PASS;
	return smtp_refuse(c, &r, at);
}

bool smtp_check(struct smtp_ctx *c, enum reason reason, const char *object, struct bytes detail,
		struct smtp_span at, bool ends_session)
{
	struct refusal r = {
		.reason = reason,
		.object = object,
		.detail = detail,
		.ends_session = ends_session,
	};

	return check_refuses(c->w, c->f->tenant, &r) && smtp_refuse(c, &r, at);
}

/* The server's first word is replaced by the gate's refusal. */
bool smtp_refuse_greeting(struct smtp_ctx *c, struct smtp_span at)
{
	struct refusal refusal = {
		.verdict = VERDICT_REJECT,
		.reason = c->f->reason,
		.object = "connection",
		.ends_session = true,
	};

	c->f->flags &= (uint16_t)~FLOW_REFUSE_GREETING;
	return smtp_refuse(c, &refusal, at);
}
