/* SPDX-License-Identifier: BSD-3-Clause */
/* What becomes of a SIP message: emergency calls first, then rules, the tenant's state, checks,
 * limits. */
#include "dataplane/policy/lists.h"
#include "dataplane/proto/sip_number.h"
#include "dataplane/sip/heard.h"
#include "dataplane/sip/sip_checks.h"
#include "dataplane/sip/sip_marks.h"
#include "dataplane/sip/sip_sink.h"

static bool is_emergency(const struct sip_ctx *c)
{
	return c->is_sos ||
	       (c->has_callee && list_is_emergency(c->w->policy, c->f->tenant,
						   bytes_of(c->callee.digits, c->callee.len)));
}

static const char *object_of(const struct sip_message *msg)
{
	return sip_is_new_call(msg) ? "call" : "request";
}

/* Decided before every limit and suspension (AUP-EMERGENCY). True: it is one, and done with. */
static bool emergency(struct sip_ctx *c, const struct sip_message *msg, enum verdict *verdict)
{
	struct refusal r;

	if ((!sip_is_new_call(msg) && !sip_is_text(msg)) || !is_emergency(c))
		return false;
	r = (struct refusal){
		.verdict = VERDICT_REJECT,
		.reason = REASON_EMERGENCY_NUMBER,
		.object = object_of(msg),
		.detail = msg->uri,
	};
	switch ((enum emergency_mode)c->w->policy->slots[c->f->tenant].emergency) {
	case EMERGENCY_REJECT:
		*verdict = sip_refuse(c, msg, &r) ? VERDICT_REJECT : VERDICT_PASS;
		break;
	case EMERGENCY_ALERT:
		r.verdict = VERDICT_ALERT;
		refusal_declare(c->w, &r, NULL);
		slot_decide(c->w, c->w->at.slot, VERDICT_ALERT, REASON_EMERGENCY_NUMBER);
		break;
	case EMERGENCY_ALLOW:
		break;
	}
	if (*verdict != VERDICT_REJECT && sip_is_new_call(msg))
		c->urgent = URGENT_BEGINS;
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
	       check_is_on(c->w, REASON_CALLS_AT_ONCE) &&
	       calls_beyond(c->w, c->f->tenant, &c->call, most) &&
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
	       sip_check(c, msg, REASON_TRADEMARK, object_of(msg), mark);
}

/* The BYE that ends a call is no load: the other end waits for it. Sent again, it is as any. */
static bool ends_call(const struct sip_message *msg, uint32_t calls)
{
	return msg->method_id == SIP_METHOD_BYE && (calls & CALL_EVENT_COMPLETED);
}

/* Too much of it, REASON_NONE: it is not. */
static enum reason limits_reason(struct sip_ctx *c, const struct sip_message *msg, uint32_t calls)
{
	struct worker *w = c->w;

	if (msg->method_id != SIP_METHOD_ACK && msg->method_id != SIP_METHOD_CANCEL &&
	    !ends_call(msg, calls) && limit_exceeded(w, c->f, LIMIT_SIP_REQUESTS))
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
	struct refusal r;
	enum reason wish;
	uint8_t text[LIST_TEXT_MAX];
	size_t len;

	if (!tenant || !(c->f->flags & FLOW_OUTBOUND || sip_is_text(msg)))
		return;
	if (msg->kind == SIP_RESPONSE && sip_login_failed(c->w, tenant, msg))
		heard_login_failed(c->w, tenant);
	wish = sip_is_text(msg) ? sip_text_wish(c->w, tenant, msg, text, &len) : REASON_NONE;
	if (wish == REASON_NONE)
		return;
	r = (struct refusal){
		.reason = wish,
		.object = "request",
		.detail = bytes_of(text, len),
	};
	check_tell(c->w, tenant, &r);
}

static bool refused_by_rule(struct sip_ctx *c, const struct sip_message *msg,
			    const struct finding *finding)
{
	const struct refusal r = {
		.verdict = finding->verdict,
		.reason = REASON_RULE,
		.rule = finding->rule,
		.object = object_of(msg),
		.detail = msg->uri,
	};

	return sip_refuse(c, msg, &r);
}

/* Neither the provider's rules nor a check: what the tenant may do at all, and how much. */
static bool refused_for(struct sip_ctx *c, const struct sip_message *msg, enum reason reason)
{
	const struct refusal r = {
		.verdict = VERDICT_REJECT,
		.reason = reason,
		.object = object_of(msg),
		.detail = msg->uri,
	};

	return sip_refuse(c, msg, &r);
}

static bool judge_request(struct sip_ctx *c, const struct sip_message *msg, uint32_t calls)
{
	enum reason limit;
	unsigned kinds;

	if (c->w->policy->slots[c->f->tenant].state == TENANT_SUSPENDED && !goes_on(c, msg))
		return refused_for(c, msg, REASON_TENANT_SUSPENDED);
	kinds = kinds_of(msg);
	if (checked(c, msg, kinds) || marked(c, msg, calls))
		return true;
	limit = limits_reason(c, msg, calls);
	if (limit != REASON_NONE)
		return refused_for(c, msg, limit);
	if (beyond_at_once(c, msg, calls))
		return true;
	if (kinds & KIND_LOGIN)
		sip_login_tried(c->w, c->f->tenant, msg);
	return false;
}

bool sip_judge(struct sip_ctx *c, const struct sip_message *msg, uint32_t calls, bool outbound)
{
	struct finding finding = {.rule = NULL};
	enum verdict verdict = VERDICT_PASS;

	if (c->w->matcher)
		finding = sip_scan(c->w, c->f, msg);
	c->urgent = urgent_is(c->w, c->f->tenant, msg) ? URGENT_IS : URGENT_NOT;
	if (outbound && emergency(c, msg, &verdict))
		return verdict == VERDICT_REJECT;
	if (c->urgent == URGENT_IS)
		return false;
	if (finding.verdict >= VERDICT_DROP)
		return refused_by_rule(c, msg, &finding);
	if (!outbound)
		listen_to(c, msg);
	return outbound && msg->kind == SIP_REQUEST && judge_request(c, msg, calls);
}
