/* SPDX-License-Identifier: BSD-3-Clause */
/* How a SIP client hears a refusal, and what becomes of all that comes of it later. */
#include <stdio.h>

#include "dataplane/sip/sip_sink.h"
#include "dataplane/tcp/editor.h"

static bool is_live_stream(const struct sip_ctx *c)
{
	return c->end > c->begin && c->w->options.edits;
}

/* The message is cut out of a stream that goes on; the answer comes between two of the peer's. */
static bool cut_live(struct sip_ctx *c, const char *text, size_t len, enum verdict verdict,
		     enum reason reason)
{
	const struct sip_session *s = c->f->session;
	struct editor_refusal refusal = {
		.begin = s->begin[c->w->at.side] + (uint32_t)c->begin,
		.end = s->begin[c->w->at.side] + (uint32_t)c->end,
		.text = text,
		.text_len = len,
		.reason = reason,
	};
	enum editor_result result = editor_refuse(c->w, c->f, &refusal);

	if (result == EDITOR_NONE)
		return false;
	slot_decide(c->w, c->w->at.slot, verdict, reason);
	if (result == EDITOR_OVER) {
		c->f->flags |= FLOW_REFUSED;
		c->f->reason = (uint8_t)reason;
		c->w->at.ghost = true;
	}
	return true;
}

/* Nothing of the message goes on; a request is answered, if there is an answer (code 0: none). */
static void withhold(struct sip_ctx *c, const struct sip_message *msg,
		     const struct sip_answer *answer, enum verdict verdict, enum reason reason)
{
	bool answers = answer->code && msg->kind == SIP_REQUEST;
	char text[SIP_ANSWER_MAX];
	size_t len = 0;

	if (is_live_stream(c)) {
		if (answers)
			len = reply_sip_text(c->w, c->f, msg, answer, text, sizeof(text));
		if (cut_live(c, text, len, verdict, reason))
			return;
	}
	if (c->end > c->begin)
		cut_stream(c->w, c->begin, c->end, verdict, reason);
	else
		slot_decide(c->w, c->w->at.slot, verdict, reason);
	if (answers)
		reply_sip(c->w, c->f, msg, answer);
}

/* An ACK is never answered; a CANCEL is known by what it is about. */
static bool is_remembered(const struct sip_message *msg)
{
	return msg->kind == SIP_REQUEST && msg->method_id != SIP_METHOD_ACK &&
	       msg->method_id != SIP_METHOD_CANCEL;
}

bool sip_refuse(struct sip_ctx *c, const struct sip_message *msg, const struct refusal *r)
{
	struct sip_answer answer = refusal_sip_answer(c->w, r);
	struct refusal dropped = *r;
	char words[256];

	/* The other end answers it; of two final answers one would be a lie. It comes again. */
	if (c->repeated && r->verdict == VERDICT_REJECT) {
		dropped.verdict = VERDICT_DROP;
		r = &dropped;
	}
	snprintf(words, sizeof(words), "%u %.*s", answer.code, (int)answer.phrase.len,
		 (const char *)answer.phrase.p);
	if (!refusal_declare(c->w, r, words))
		return false;
	if (r->verdict == VERDICT_REJECT)
		c->answer = answer;
	withhold(c, msg, &c->answer, r->verdict, r->reason);
	if (is_remembered(msg) && !c->repeated)
		calls_remember(c->w, c->f->tenant, msg, &c->answer);
	return true;
}

bool sip_check(struct sip_ctx *c, const struct sip_message *msg, enum reason reason,
	       const char *object, struct bytes detail)
{
	struct refusal r = {.reason = reason, .object = object, .detail = detail};

	return check_refuses(c->w, c->f->tenant, &r) && sip_refuse(c, msg, &r);
}

static void absorb(struct sip_ctx *c, const struct sip_message *msg,
		   const struct sip_answer *answer)
{
	withhold(c, msg, answer, VERDICT_DROP, REASON_AFTER_REFUSAL);
}

bool sip_refused_before(struct sip_ctx *c, const struct sip_message *msg)
{
	struct sip_answer answer = {.code = 0};
	struct sip_refused r;

	if (!calls_refused_before(c->w, c->f->tenant, msg, &r))
		return false;
	if (msg->kind == SIP_REQUEST && msg->method_id == SIP_METHOD_CANCEL) {
		/* RFC 3261 9.2: it comes too late to change anything, and is answered itself. */
		if (r.code)
			answer = (struct sip_answer){.code = 200, .phrase = BYTES("OK")};
	} else if (is_remembered(msg) && !r.acked) {
		answer = (struct sip_answer){
			.code = r.code,
			.retry_after = r.retry_after,
			.phrase = bytes_of(r.phrase, r.phrase_len),
			.warning = bytes_of(r.warning, r.warning_len),
		};
	}
	absorb(c, msg, &answer);
	return true;
}

void sip_absorb(struct sip_ctx *c, const struct sip_message *msg)
{
	struct sip_answer answer = {.code = 0};

	/* RFC 3261 9.2: no transaction that it matches; the next hop never heard of it either. */
	if (msg->kind == SIP_REQUEST && msg->method_id == SIP_METHOD_CANCEL)
		answer = (struct sip_answer){
			.code = 481,
			.phrase = BYTES("Call/Transaction Does Not Exist"),
		};
	absorb(c, msg, &answer);
}
