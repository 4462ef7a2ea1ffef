/* SPDX-License-Identifier: BSD-3-Clause */
/* What the gate makes of SIP: counts, calls, rules, numbers, limits, refusals. */
#include <stdio.h>

#include "dataplane/calls.h"
#include "dataplane/distinct.h"
#include "dataplane/editor.h"
#include "dataplane/heard.h"
#include "dataplane/inspect.h"
#include "dataplane/lists.h"
#include "dataplane/proto/sip_frame.h"
#include "dataplane/proto/sip_number.h"
#include "dataplane/sip_checks.h"
#include "dataplane/sip_marks.h"

struct sip_session {
	struct sip_framer framer[2]; /* by the sender's place in the key */
	uint32_t begin[2];           /* sequence numbers of the first bytes */
	bool looked_at;
};

size_t sip_session_size(void)
{
	return sizeof(struct sip_session);
}

/* The framer's ctx, and a message's. */
struct sip_ctx {
	struct worker *w;
	struct flow *f;
	uint64_t begin, end;       /* of the message in its stream; a datagram: 0, 0 */
	struct sip_answer answer;  /* that the gate gave it; code 0: none */
	struct call_standing call; /* that the message is of */
	bool repeated;             /* an INVITE that was let through before */
};

/* Refusals ---------------------------------------------------------------- */

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

static bool refuse(struct sip_ctx *c, const struct sip_message *msg, const struct refusal *r)
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

static void absorb(struct sip_ctx *c, const struct sip_message *msg,
		   const struct sip_answer *answer)
{
	withhold(c, msg, answer, VERDICT_DROP, REASON_AFTER_REFUSAL);
}

/*
 * A request that was refused comes again, or something that is about it (RFC 3261 17.2.1, 17.2.2).
 * It is answered as it was; what the other end says of it all the same goes nowhere.
 */
static bool refused_before(struct sip_ctx *c, const struct sip_message *msg)
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

/* The call was refused, and there was no room to remember by which transaction. */
static void refused_call(struct sip_ctx *c, const struct sip_message *msg)
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

static bool is_emergency(const struct sip_ctx *c, const struct sip_message *msg)
{
	struct sip_number number;
	struct sip_uri uri;

	sip_uri_parse(msg->uri, &uri);
	if (sip_uri_is_sos(&uri))
		return true;
	return sip_number_read(&uri, &number) &&
	       list_is_emergency(c->w->policy, c->f->tenant, bytes_of(number.digits, number.len));
}

static const char *object_of(const struct sip_message *msg)
{
	return sip_is_new_call(msg) ? "call" : "request";
}

/* Decided before every limit and suspension (AUP-EMERGENCY). True: it is one, and done with. */
static bool emergency(struct sip_ctx *c, const struct sip_message *msg, enum verdict *verdict)
{
	struct refusal r = {
		.verdict = VERDICT_REJECT,
		.reason = REASON_EMERGENCY_NUMBER,
		.object = object_of(msg),
		.detail = msg->uri,
	};

	if ((!sip_is_new_call(msg) && !sip_is_text(msg)) || !is_emergency(c, msg))
		return false;
	switch ((enum emergency_mode)c->w->policy->slots[c->f->tenant].emergency) {
	case EMERGENCY_REJECT:
		*verdict = refuse(c, msg, &r) ? VERDICT_REJECT : VERDICT_PASS;
		break;
	case EMERGENCY_ALERT:
		r.verdict = VERDICT_ALERT;
		refusal_declare(c->w, &r, NULL);
		slot_decide(c->w, c->w->at.slot, VERDICT_ALERT, REASON_EMERGENCY_NUMBER);
		break;
	case EMERGENCY_ALLOW:
		break;
	}
	return true;
}

/*
 * It is of a call that goes on: an emergency call, one that came in, one from before the
 * suspension. What ends a call, or completes what the other end said, always does.
 */
static bool goes_on(const struct sip_ctx *c, const struct sip_message *msg)
{
	switch (msg->method_id) {
	case SIP_METHOD_ACK:
	case SIP_METHOD_BYE:
	case SIP_METHOD_CANCEL:
	case SIP_METHOD_PRACK:
		return true;
	default:
		return c->call.open && msg->to.tag.len;
	}
}

/*
 * A check (bpf/check.h) found something of its reason in a request of the tenant's: told, counted,
 * refused, or nothing, as the policy says. True: it is refused.
 */
static bool sip_check(struct sip_ctx *c, const struct sip_message *msg, enum reason reason,
		      const char *object, struct bytes detail)
{
	struct refusal r = {.reason = reason, .object = object, .detail = detail};

	return check_refuses(c->w, c->f->tenant, &r) && refuse(c, msg, &r);
}

static bool is_of_restricted(struct worker *w, uint32_t tenant, const struct sip_message *msg,
			     struct bytes *detail)
{
	*detail = msg->uri;
	return w->policy->slots[tenant].flags & TENANT_RESTRICTED;
}

static bool logins_fail(struct worker *w, uint32_t tenant, const struct sip_message *msg,
			struct bytes *detail)
{
	*detail = msg->from.uri;
	return heard_logins_failed(w, tenant) &&
	       (w->policy->actions[REASON_AUTH_FAILURES] >= VERDICT_DROP ||
		heard_logins_told(w, tenant));
}

enum request_kind {
	KIND_ANY = 1 << 0,
	KIND_CALL = 1 << 1,
	KIND_TEXT = 1 << 2,
	KIND_LOGIN = 1 << 3, /* it has credentials */
};

static unsigned kinds_of(const struct sip_message *msg)
{
	return KIND_ANY | (sip_is_new_call(msg) ? KIND_CALL : 0) |
	       (sip_is_text(msg) ? KIND_TEXT : 0) | (sip_has_credentials(msg) ? KIND_LOGIN : 0);
}

/* What the gate looks for in requests. True: the message is refused. */
static bool checked(struct sip_ctx *c, const struct sip_message *msg, unsigned kinds)
{
	static const struct {
		enum reason reason;
		unsigned kinds;
		bool (*finds)(struct worker *w, uint32_t tenant, const struct sip_message *msg,
			      struct bytes *detail);
	} checks[] = {
		{REASON_RESTRICTED_INDUSTRY, KIND_ANY, is_of_restricted},
		{REASON_DO_NOT_CALL, KIND_CALL, sip_callee_is_listed},
		{REASON_CALLER_ID, KIND_CALL | KIND_TEXT, sip_caller_is_false},
		{REASON_CALL_UNSIGNED, KIND_CALL, sip_caller_is_unsigned},
		{REASON_SMS_OPT_OUT, KIND_TEXT, sip_text_is_unwanted},
		{REASON_AUTH_FAILURES, KIND_LOGIN, logins_fail},
	};
	struct bytes detail;

	if (goes_on(c, msg))
		return false;
	for (size_t i = 0; i < RTE_DIM(checks); i++)
		if ((checks[i].kinds & kinds) && check_is_on(c->w, checks[i].reason) &&
		    checks[i].finds(c->w, c->f->tenant, msg, &detail) &&
		    sip_check(c, msg, checks[i].reason, object_of(msg), detail))
			return true;
	return false;
}

/* Too many calls that ring or are talked on, this one among them. */
static bool beyond_at_once(struct sip_ctx *c, const struct sip_message *msg, uint32_t calls)
{
	const uint32_t most = c->w->policy->slots[c->f->tenant].calls_at_once;

	return most && (calls & (CALL_EVENT_ATTEMPT | CALL_EVENT_RETRIED)) &&
	       check_is_on(c->w, REASON_CALLS_AT_ONCE) && calls_beyond(c->w, c->f->tenant, most) &&
	       sip_check(c, msg, REASON_CALLS_AT_ONCE, "call", msg->uri);
}

/* Said once of a call, when it is tried first; of requests outside of calls each time. */
static bool marked(struct sip_ctx *c, const struct sip_message *msg, uint32_t calls)
{
	bool once = msg->method_id == SIP_METHOD_INVITE ? calls & CALL_EVENT_ATTEMPT
							: !msg->to.tag.len;
	struct bytes mark;

	return once && check_is_on(c->w, REASON_TRADEMARK) &&
	       sip_has_mark(c->w->policy, msg, &mark) &&
	       sip_check(c, msg, REASON_TRADEMARK,
			 msg->method_id == SIP_METHOD_INVITE ? "call" : "request", mark);
}

/* Too much of it, REASON_NONE: it is not. */
static enum reason limits_reason(struct sip_ctx *c, const struct sip_message *msg, uint32_t calls)
{
	struct worker *w = c->w;

	if (msg->method_id != SIP_METHOD_ACK && msg->method_id != SIP_METHOD_CANCEL &&
	    limit_exceeded(w, c->f, LIMIT_SIP_REQUESTS))
		return REASON_LIMIT_SIP_REQUESTS;
	if (sip_is_text(msg) && limit_exceeded(w, c->f, LIMIT_SMS))
		return REASON_LIMIT_SMS;
	if (msg->method_id == SIP_METHOD_REGISTER && limit_exceeded(w, c->f, LIMIT_REGISTERS))
		return REASON_LIMIT_REGISTERS;
	/* One that failed or was refused is tried again: a token, or trying would be free. */
	if ((calls & (CALL_EVENT_ATTEMPT | CALL_EVENT_RETRIED)) &&
	    limit_exceeded(w, c->f, LIMIT_CALLS))
		return REASON_LIMIT_CALLS;
	return REASON_NONE;
}

/* What others say to the tenant, which is never refused. */
static void listen_to(struct sip_ctx *c, const struct sip_message *msg)
{
	const uint32_t tenant = c->f->tenant;
	struct refusal r = {.reason = REASON_SMS_STOP, .object = "request"};
	uint8_t text[LIST_TEXT_MAX];
	size_t len;

	if (!tenant || !(c->f->flags & FLOW_OUTBOUND || sip_is_text(msg)))
		return;
	if (msg->kind == SIP_RESPONSE && sip_login_failed(c->w, tenant, msg))
		heard_login_failed(c->w, tenant);
	if (!sip_is_text(msg) || !check_is_on(c->w, REASON_SMS_STOP))
		return;
	len = sip_text_says_stop(c->w, tenant, msg, text);
	r.detail = bytes_of(text, len);
	if (len)
		check_tell(c->w, tenant, &r);
}

/* True: the message is refused. */
static bool judge(struct sip_ctx *c, const struct sip_message *msg, uint32_t calls, bool outbound)
{
	struct finding finding = sip_scan(c->w, c->f, msg);
	struct refusal r = {
		.verdict = finding.verdict,
		.reason = REASON_RULE,
		.rule = finding.rule,
		.object = object_of(msg),
		.detail = msg->uri,
	};
	enum verdict verdict = VERDICT_PASS;
	unsigned kinds;

	if (outbound && emergency(c, msg, &verdict))
		return verdict == VERDICT_REJECT;
	if (finding.verdict >= VERDICT_DROP)
		return refuse(c, msg, &r);
	if (!outbound)
		listen_to(c, msg);
	if (!outbound || msg->kind != SIP_REQUEST)
		return false;
	r.verdict = VERDICT_REJECT;
	r.rule = NULL;
	r.reason = REASON_TENANT_SUSPENDED;
	if (c->w->policy->slots[c->f->tenant].state == TENANT_SUSPENDED && !goes_on(c, msg))
		return refuse(c, msg, &r);
	kinds = kinds_of(msg);
	if (checked(c, msg, kinds) || marked(c, msg, calls))
		return true;
	r.reason = limits_reason(c, msg, calls);
	if (r.reason != REASON_NONE)
		return refuse(c, msg, &r);
	if (beyond_at_once(c, msg, calls))
		return true;
	if (kinds & KIND_LOGIN)
		sip_login_tried(c->w, c->f->tenant, msg);
	return false;
}

/* Messages ---------------------------------------------------------------- */

static void sip_event(struct sip_ctx *c, const struct sip_message *msg)
{
	struct event_builder e = event_start(c->w, EVENT_SIP);
	char code[8];

	if (!e.head)
		return;
	if (msg->kind == SIP_REQUEST) {
		event_put_bytes(&e, FIELD_KEY_SIP_METHOD, msg->method);
		event_put_bytes(&e, FIELD_KEY_SIP_URI, msg->uri);
		event_put_bytes(&e, FIELD_KEY_SIP_REQUEST_LINE, msg->start_line);
	} else {
		snprintf(code, sizeof(code), "%u", msg->code);
		event_put_text(&e, FIELD_KEY_SIP_CODE, code);
		event_put_bytes(&e, FIELD_KEY_SIP_REASON, msg->reason);
		event_put_bytes(&e, FIELD_KEY_SIP_RESPONSE_LINE, msg->start_line);
	}
	event_put_bytes(&e, FIELD_KEY_SIP_VERSION, msg->version);
	event_put_bytes(&e, FIELD_KEY_SIP_CALL_ID, msg->call_id);
	event_put_bytes(&e, FIELD_KEY_SIP_CSEQ, msg->cseq);
	event_put_bytes(&e, FIELD_KEY_SIP_FROM, msg->from.uri);
	event_put_bytes(&e, FIELD_KEY_SIP_TO, msg->to.uri);
	event_send(c->w, &e);
}

static void count_message(struct worker *w, enum sip_result result, const struct sip_message *msg)
{
	w->counters->sip.malformed += result == SIP_MALFORMED;
	if (msg->kind == SIP_REQUEST)
		count_name(w->counters->sip.requests, msg->method);
	else if (msg->kind == SIP_RESPONSE)
		w->counters->sip.responses[msg->code]++;
}

/* The tenant whose call a message belongs to: its own if it calls, nobody's if it is called. */
static uint32_t tenant_followed(const struct flow *f, const struct sip_message *msg, bool outbound)
{
	if (msg->kind == SIP_REQUEST && msg->method_id != SIP_METHOD_INVITE)
		return f->tenant; /* but the other one may have called: follow_call() */
	return outbound == (msg->kind == SIP_REQUEST) ? f->tenant : 0;
}

static uint32_t follow_call(struct sip_ctx *c, const struct sip_message *msg, bool outbound,
			    uint32_t *events)
{
	uint32_t tenant = tenant_followed(c->f, msg, outbound);
	bool either = msg->kind == SIP_REQUEST && msg->method_id != SIP_METHOD_INVITE;

	*events = calls_message(c->w, tenant, msg, &c->call);
	if (either && tenant && (*events & CALL_EVENT_MIDSTREAM)) {
		tenant = 0;
		*events = calls_message(c->w, 0, msg, &c->call);
	}
	return tenant;
}

static bool sent_by_tenant(const struct flow *f, unsigned side)
{
	return f->tenant && !!(f->flags & FLOW_OUTBOUND) == flow_from_client(f, side);
}

static void take_message(struct sip_ctx *c, enum sip_result result, const struct sip_message *msg)
{
	struct worker *w = c->w;
	bool outbound = sent_by_tenant(c->f, w->at.side);
	uint32_t tenant, calls;

	if (result == SIP_NOT_SIP)
		return;
	count_message(w, result, msg);
	if (result == SIP_MALFORMED)
		worker_note(w, c->f->tenant, REASON_SIP_MALFORMED);
	if (msg->kind == SIP_NEITHER) {
		if (may_decide(w) && w->policy->on_loss[REASON_SIP_MALFORMED] >= VERDICT_DROP)
			slot_decide(w, w->at.slot, VERDICT_DROP, REASON_SIP_MALFORMED);
		return;
	}
	sip_event(c, msg);
	if (may_decide(w) && refused_before(c, msg))
		return;
	tenant = follow_call(c, msg, outbound, &calls);
	if (tenant && (calls & CALL_EVENT_ATTEMPT))
		distinct_callee(w, tenant, msg);
	if (!may_decide(w))
		return;
	c->repeated = calls & CALL_EVENT_REPEATED;
	if (c->call.refused || reply_sip_is_acked(msg))
		refused_call(c, msg);
	else if (judge(c, msg, calls, outbound) && sip_is_new_call(msg) && !c->repeated)
		calls_refuse(w, tenant, msg, c->answer.code);
}

static uint32_t tenant_of(const struct burst *b, unsigned i, const struct sip_message *msg)
{
	const struct flow *f = b->flow[i];

	return tenant_followed(f, msg, sent_by_tenant(f, b->hdr[i].side));
}

void sip_read_datagram(const struct worker *w, const struct burst *b, unsigned i,
		       struct sip_read *out)
{
	const struct headers *h = &b->hdr[i];
	struct sip_message *msg = &out->msg;

	out->result = sip_parse(rte_pktmbuf_mtod_offset(b->pkt[i], uint8_t *, h->payload),
				h->payload_len, msg);
	/* What the capture cut off is not the sender's fault. */
	if (h->missing && out->result == SIP_MALFORMED && msg->kind != SIP_NEITHER)
		out->result = SIP_OK;
	if (!msg->call_id.len)
		return;
	msg->call_hash = call_hash(w->calls->table, msg);
	call_prefetch_index(w->calls->table, tenant_of(b, i, msg), msg->call_hash);
}

void sip_prefetch_call(const struct worker *w, const struct burst *b, unsigned i,
		       const struct sip_read *read)
{
	const struct sip_message *msg = &read->msg;

	if (msg->call_hash)
		call_prefetch(w->calls->table, tenant_of(b, i, msg), msg->call_hash);
}

void sip_inspect_datagram(struct worker *w, struct flow *f, const struct sip_read *read)
{
	struct sip_ctx c = {.w = w, .f = f};

	take_message(&c, read->result, &read->msg);
}

/* The peer's message ends there. */
static void answers_due(struct sip_ctx *c, uint64_t end)
{
	const struct sip_session *s = c->f->session;
	unsigned side = c->w->at.side;

	if (!c->w->options.edits || c->w->at.ending || side == editor_asker_of(c->f))
		return;
	while (editor_due(c->w, c->f, s->begin[side] + (uint32_t)end))
		;
}

static void on_message(void *ctx, const struct sip_frame *frame, enum sip_result result,
		       const struct sip_message *msg)
{
	struct sip_ctx *c = ctx;

	c->begin = frame->begin;
	c->end = frame->end;
	if (c->w->at.ghost && c->w->options.edits)
		return;
	take_message(c, result, msg);
	answers_due(c, frame->end);
}

static void on_lost(void *ctx, uint64_t offset, enum sip_lost why)
{
	struct sip_ctx *c = ctx;

	worker_note(c->w, c->f->tenant,
		    why == SIP_LOST_BUDGET ? REASON_PARSER_BUDGET : REASON_SIP_LOST);
}

static const struct sip_sink sink = {.message = on_message, .lost = on_lost};

static struct sip_session *session_open(struct worker *w, struct flow *f)
{
	struct sip_session *s = f->session;

	if (s)
		return s;
	s = pool_get(block_pool_for(&w->sessions, f->tenant));
	if (!s) {
		flow_give_up(w, f, REASON_PARSER_BUDGET);
		return NULL;
	}
	memset(s, 0, sizeof(*s));
	for (unsigned side = 0; side < 2; side++) {
		const struct tcp_half *half = &f->half[side];

		s->begin[side] = half->flags & HALF_SYN ? half->isn + 1 : half->next;
	}
	f->session = s;
	return s;
}

/* Answers come between the peer's messages; what may yet be refused waits. */
static void edit_stream(struct worker *w, struct flow *f, const struct sip_session *s)
{
	unsigned asker = editor_asker_of(f), side = w->at.side;
	const struct sip_framer *peer = &s->framer[!asker], *own = &s->framer[side];

	while (sip_frame_settled(peer) == peer->offset &&
	       editor_due(w, f, s->begin[!asker] + (uint32_t)peer->offset))
		;
	if (side == asker && !(f->flags & FLOW_REFUSED))
		editor_hold(w, f, s->begin[side] + (uint32_t)sip_frame_settled(own),
			    s->begin[side] + (uint32_t)own->offset);
}

void sip_inspect_stream(struct worker *w, struct flow *f, bool to_server, const uint8_t *p,
			size_t len)
{
	struct sip_session *s = session_open(w, f);
	struct sip_framer *framer;
	struct sip_ctx c = {.w = w, .f = f};

	if (!s)
		return;
	if (!s->looked_at) {
		s->looked_at = true;
		if (len >= 3 && p[0] == 0x16 && p[1] == 3) {
			flow_encrypted(w, f);
			flow_give_up(w, f, REASON_SIP_ENCRYPTED);
			return;
		}
	}
	framer = &s->framer[w->at.side];
	w->at.offset = framer->offset;
	if (!w->at.ending)
		s->begin[w->at.side] = packet_meta(w->burst.pkt[w->at.slot])->seq -
				       (uint32_t)framer->offset;
	sip_frame_feed(framer, p, len, block_pool_for(&w->frames, f->tenant), &sink, &c);
	if (w->options.edits && !w->at.ending)
		edit_stream(w, f, s);
}

void sip_inspect_gap(struct worker *w, struct flow *f, bool to_server, uint32_t bytes)
{
	struct sip_session *s = session_open(w, f);
	struct sip_ctx c = {.w = w, .f = f};

	if (s)
		sip_frame_gap(&s->framer[w->at.side], bytes, block_pool_for(&w->frames, f->tenant),
			      &sink, &c);
}

void sip_inspect_end(struct worker *w, struct flow *f)
{
	struct sip_session *s = f->session;
	struct proto_pool *frames = block_pool_for(&w->frames, f->tenant);

	if (!s)
		return;
	sip_frame_fini(&s->framer[0], frames);
	sip_frame_fini(&s->framer[1], frames);
}
