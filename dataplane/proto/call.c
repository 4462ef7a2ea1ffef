/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/call.h"
#include "dataplane/proto/call_table.h"

static uint64_t since(uint64_t now, uint64_t then)
{
	return now > then ? now - then : 0;
}

static uint8_t copy(char *to, size_t size, struct bytes from)
{
	size_t n = from.len < size ? from.len : size;

	if (n)
		memcpy(to, from.p, n);
	return (uint8_t)n;
}

/* Once an attempt, however often it is tried. */
static uint32_t seize(struct call *call)
{
	if (call->counted_seized)
		return 0;
	call->counted_seized = true;
	return CALL_EVENT_SEIZED;
}

static void report(struct call_table *t, const struct call *call, uint32_t events)
{
	if (t->config.ended)
		t->config.ended(t->config.ctx, call, events);
}

/* A call is over by what a message said. */
static uint32_t finish(struct call_table *t, struct call *call, uint64_t now, enum call_state state,
		       uint32_t events)
{
	call_become(t, call, state);
	call->ended = now;
	call_touch(t, call, now);
	report(t, call, 0);
	return events | CALL_EVENT_ENDED;
}

/* What an attempt without a final response is taken for. */
static uint32_t seize_unfinished(const struct call_table *t, struct call *call)
{
	if (t->config.asr_mode == CALL_ASR_ALWAYS ||
	    (t->config.asr_mode == CALL_ASR_PROVISIONAL && call->provisional))
		return seize(call);
	return 0;
}

/* A call is over because nothing more will be heard of it. Told as of its last message. */
static void give_up(struct call_table *t, struct call *call, uint64_t when)
{
	uint32_t events = 0;

	switch (call->state) {
	case CALL_TRYING:
		events = seize_unfinished(t, call);
		call_become(t, call, CALL_LOST);
		break;
	case CALL_ANSWERED:
		call_become(t, call, CALL_LOST);
		break;
	case CALL_CHALLENGED:
	case CALL_REDIRECTED:
		break;
	default: /* reported before */
		return;
	}
	report(t, call, events);
	call_touch(t, call, when);
}

/* By the packets' times alone: how often it is looked at changes nothing. */
static void expire_one(struct call_table *t, struct call *call, uint64_t now)
{
	const struct call_config *c = &t->config;
	/* Whoever is asked for credentials may have to type them. */
	bool goes_on = call->state == CALL_CHALLENGED || call->state == CALL_REDIRECTED;
	uint64_t linger = goes_on ? c->no_final_ns : c->linger_ns;

	if (call->state == CALL_FREE)
		return;
	if (call->state == CALL_TRYING && since(now, call->touched) > c->no_final_ns)
		give_up(t, call, call->touched + c->no_final_ns);
	if (call->state == CALL_ANSWERED && since(now, call->touched) > c->no_bye_ns)
		give_up(t, call, call->touched + c->no_bye_ns);
	if (call->state == CALL_TRYING || call->state == CALL_ANSWERED ||
	    since(now, call->touched) <= linger)
		return;
	give_up(t, call, now);
	call_remove(t, call);
}

static uint64_t hash_of(const struct call_table *t, const struct sip_message *msg)
{
	return msg->call_hash ? msg->call_hash : call_hash(t, msg);
}

/* Or NULL: there is none any more. */
static struct call *find_live(struct call_table *t, uint64_t hash, uint32_t tenant, uint64_t now,
			      struct bytes call_id)
{
	struct call *call = call_find(t, hash, tenant, call_id);

	if (!call)
		return NULL;
	expire_one(t, call, now);
	return call->state == CALL_FREE ? NULL : call;
}

/* A message of a call that exists: From tag first, then, as the callee's come, To tag. */
static struct call *find(struct call_table *t, uint32_t tenant, uint64_t now,
			 const struct sip_message *msg, bool *by_callee)
{
	struct call *call = find_live(t, hash_of(t, msg), tenant, now, msg->call_id);

	*by_callee = !call;
	if (call || bytes_eq(msg->from.tag, msg->to.tag))
		return call;
	return find_live(t, call_hash_of(t, msg->call_id, msg->to.tag), tenant, now, msg->call_id);
}

static uint32_t tag_hash(const struct call_table *t, struct bytes tag)
{
	struct siphash h;

	siphash_init(&h, t->config.key);
	siphash_add(&h, tag.p, tag.len);
	return (uint32_t)siphash_end(&h);
}

/* The dialog's place in dialogs[], or -1. */
static int dialog_find(const struct call *call, uint32_t hash)
{
	for (int i = 0; i < call->dialog_count; i++)
		if (call->dialogs[i] == hash)
			return i;
	return -1;
}

static void dialog_add(struct call *call, uint32_t hash)
{
	if (call->dialog_count == CALL_DIALOGS || dialog_find(call, hash) >= 0)
		return;
	call->live |= (uint8_t)(1 << call->dialog_count);
	call->dialogs[call->dialog_count++] = hash;
}

static struct bytes user_of(struct bytes uri)
{
	struct sip_uri parts;

	sip_uri_parse(uri, &parts);
	return parts.user;
}

static struct call *call_new(struct call_table *t, uint64_t hash, uint32_t tenant, uint64_t now,
			     const struct sip_message *msg)
{
	struct call *call = call_insert(t, hash, tenant, msg->call_id);
	struct bytes callee;

	if (!call) {
		struct call *victim = call_victim(t, tenant);

		if (!victim)
			return NULL;
		give_up(t, victim, now);
		call_remove(t, victim);
		call = call_insert(t, hash, tenant, msg->call_id);
		if (!call)
			return NULL;
	}
	call->invited = now;
	call->cseq = msg->cseq_number;
	call->from_len = copy(call->from, sizeof(call->from), user_of(msg->from.uri));
	/* Whom the call reaches is the Request-URI's to say; To is decoration. */
	callee = user_of(msg->uri);
	call->to_len = copy(call->to, sizeof(call->to), callee.len ? callee : user_of(msg->to.uri));
	call_touch(t, call, now);
	return call;
}

/* A higher CSeq: the attempt is made again. */
static uint32_t invite_again(struct call_table *t, struct call *call, uint64_t now,
			     const struct sip_message *msg)
{
	uint32_t events = 0;

	if (msg->cseq_number <= call->cseq && call->state != CALL_REFUSED)
		return CALL_EVENT_REPEATED;
	call->overtaken = call->state == CALL_TRYING;
	call->cseq_before = call->cseq;
	call->cseq = msg->cseq_number;
	switch (call->state) {
	case CALL_UNANSWERED:
	case CALL_REFUSED:
	case CALL_LOST:
		events = CALL_EVENT_RETRIED;
		if (call->counted_answered)
			return events;
		break;
	case CALL_TRYING: /* not waiting for an answer must not be cheaper than waiting */
		events = CALL_EVENT_RETRIED;
		break;
	case CALL_CHALLENGED:
	case CALL_REDIRECTED:
		break;
	default:
		return CALL_EVENT_RETRIED;
	}
	call_become(t, call, CALL_TRYING);
	call->provisional = false;
	call->cancelled = false;
	call->code = 0;
	call_touch(t, call, now);
	return events;
}

static uint32_t on_invite(struct call_table *t, uint64_t now, uint32_t tenant,
			  const struct sip_message *msg, struct call **out)
{
	bool by_callee;

	if (msg->to.tag.len) { /* RFC 3261 12.2: within a dialog */
		*out = find(t, tenant, now, msg, &by_callee);
		if (!*out)
			return CALL_EVENT_MIDSTREAM;
		if ((*out)->state == CALL_ANSWERED)
			call_touch(t, *out, now);
		return CALL_EVENT_REINVITE;
	}

	uint64_t hash = hash_of(t, msg);

	*out = find_live(t, hash, tenant, now, msg->call_id);
	if (*out)
		return CALL_EVENT_AGAIN | invite_again(t, *out, now, msg);
	*out = call_new(t, hash, tenant, now, msg);
	return *out ? CALL_EVENT_ATTEMPT : CALL_EVENT_NO_ROOM;
}

static uint32_t on_bye(struct call_table *t, struct call *call, uint64_t now,
		       const struct sip_message *msg)
{
	if (call->state != CALL_ANSWERED)
		return 0;

	int dialog = dialog_find(call, tag_hash(t, msg->to.tag));

	if (dialog < 0)
		dialog = dialog_find(call, tag_hash(t, msg->from.tag));
	/* Tags that no 200 carried: with one dialog alone, it can only be that one. */
	if (dialog < 0 && call->dialog_count == 1)
		dialog = 0;
	if (dialog < 0)
		return 0;
	call->live &= (uint8_t) ~(1 << dialog);
	if (call->live & call->acked)
		return 0;

	uint32_t events = CALL_EVENT_COMPLETED;

	if (since(now, call->answered) <= t->config.short_ns) {
		call->is_short = true;
		events |= CALL_EVENT_SHORT;
	}
	return finish(t, call, now, CALL_ENDED, events);
}

static uint32_t on_cancel(struct call_table *t, struct call *call)
{
	if (call->state != CALL_TRYING || call->cancelled)
		return 0;
	call->cancelled = true;
	return CALL_EVENT_CANCELLED;
}

/* What else a dialog carries shows that it lives; an ACK, that the caller took that fork. */
static void on_dialog(struct call_table *t, struct call *call, uint64_t now,
		      const struct sip_message *msg)
{
	call_touch(t, call, now);
	if (msg->method_id != SIP_METHOD_ACK)
		return;

	int dialog = dialog_find(call, tag_hash(t, msg->to.tag));

	if (dialog >= 0)
		call->acked |= (uint8_t)(1 << dialog);
}

static uint32_t on_request(struct call_table *t, uint64_t now, uint32_t tenant,
			   const struct sip_message *msg, struct call **out)
{
	bool by_callee;

	switch (msg->method_id) {
	case SIP_METHOD_INVITE:
		return on_invite(t, now, tenant, msg, out);
	case SIP_METHOD_BYE:
		*out = find(t, tenant, now, msg, &by_callee);
		return *out ? on_bye(t, *out, now, msg) : CALL_EVENT_MIDSTREAM;
	case SIP_METHOD_CANCEL:
		*out = find(t, tenant, now, msg, &by_callee);
		return *out ? on_cancel(t, *out) : 0;
	default:
		if (msg->to.tag.len == 0)
			return 0;
		*out = find(t, tenant, now, msg, &by_callee);
		if (*out && (*out)->state == CALL_ANSWERED)
			on_dialog(t, *out, now, msg);
		return 0;
	}
}

static uint32_t on_provisional(struct call_table *t, struct call *call, uint64_t now, uint16_t code)
{
	if (call->state != CALL_TRYING)
		return 0;
	call->provisional = true;
	call_touch(t, call, now);
	if (code < 180 || code > 189 || call->rang)
		return 0;
	call->rang = now;
	return CALL_EVENT_RINGING;
}

static uint32_t on_answer(struct call_table *t, struct call *call, uint64_t now,
			  const struct sip_message *msg)
{
	/* Nothing went to the callee: what a replayed capture shows of it is not the gate's call.
	 */
	if (call->state == CALL_REFUSED || call->state == CALL_ENDED)
		return 0;
	if (call->counted_answered) {
		if (call->state == CALL_ANSWERED)
			dialog_add(call, tag_hash(t, msg->to.tag)); /* a fork, or resent */
		return 0;
	}
	call_become(t, call, CALL_ANSWERED);
	call->code = msg->code;
	call->answered = now;
	call->counted_answered = true;
	dialog_add(call, tag_hash(t, msg->to.tag));
	call_touch(t, call, now);
	return CALL_EVENT_ANSWERED | seize(call);
}

/* RFC 3261 8.1.3.5: ask again, otherwise; with credentials (22.1), with less (RFC 4028). */
static bool is_challenge(uint16_t code)
{
	switch (code) {
	case 401:
	case 407:
	case 413:
	case 415:
	case 416:
	case 420:
	case 422:
		return true;
	default:
		return false;
	}
}

static bool is_outage(uint16_t code)
{
	return code == 408 || code == 500 || code == 503 || code == 504;
}

static uint32_t on_failure(struct call_table *t, struct call *call, uint64_t now, uint16_t code)
{
	if (call->state != CALL_TRYING)
		return 0;
	call->code = code;
	if (code < 400) {
		call_become(t, call, CALL_REDIRECTED);
		call_touch(t, call, now);
		return CALL_EVENT_REDIRECTED;
	}
	if (is_challenge(code)) {
		call_become(t, call, CALL_CHALLENGED);
		call_touch(t, call, now);
		return CALL_EVENT_CHALLENGED;
	}

	uint32_t events = seize(call);

	if (events && is_outage(code))
		events |= CALL_EVENT_OUTAGE;
	return finish(t, call, now, CALL_UNANSWERED, events | CALL_EVENT_FAILED);
}

static uint32_t on_response(struct call_table *t, uint64_t now, uint32_t tenant,
			    const struct sip_message *msg, struct call **out)
{
	bool by_callee;

	if (msg->cseq_method != SIP_METHOD_INVITE)
		return 0;
	*out = find(t, tenant, now, msg, &by_callee);
	if (!*out)
		return msg->code >= 200 ? CALL_EVENT_MIDSTREAM : 0;
	/* To a re-INVITE, or to an INVITE that has been tried again since. */
	if (by_callee || msg->cseq_number != (*out)->cseq)
		return 0;
	if (msg->code < 200)
		return on_provisional(t, *out, now, msg->code);
	if (msg->code < 300)
		return on_answer(t, *out, now, msg);
	return on_failure(t, *out, now, msg->code);
}

uint32_t call_message(struct call_table *t, uint64_t now, uint32_t tenant,
		      const struct sip_message *msg, const struct call **call)
{
	struct call *found = NULL;
	uint32_t events = 0;

	/* No Call-ID, no call: all such messages would be one. */
	if (msg->call_id.len && tenant < t->config.tenants) {
		if (msg->kind == SIP_REQUEST)
			events = on_request(t, now, tenant, msg, &found);
		else if (msg->kind == SIP_RESPONSE)
			events = on_response(t, now, tenant, msg, &found);
	}
	if (call)
		*call = found;
	return events;
}

uint32_t call_refuse(struct call_table *t, uint64_t now, uint32_t tenant,
		     const struct sip_message *msg, uint16_t code)
{
	struct call *call = find_live(t, hash_of(t, msg), tenant, now, msg->call_id);

	if (!call || call->state != CALL_TRYING)
		return 0;
	if (call->overtaken) {
		call->cseq = call->cseq_before;
		call->overtaken = false;
		return 0;
	}
	call->code = code;
	return finish(t, call, now, CALL_REFUSED, CALL_EVENT_REFUSED);
}

#define EXPIRE_AHEAD 4 /* calls: with so many a message, in a replay, the next one has them */

void call_expire(struct call_table *t, uint64_t now, uint32_t budget)
{
	if (budget > t->fresh)
		budget = t->fresh;
	while (budget-- > 0) {
		if (t->cursor + EXPIRE_AHEAD < t->fresh)
			__builtin_prefetch(&t->calls[t->cursor + EXPIRE_AHEAD]);
		expire_one(t, &t->calls[t->cursor], now);
		t->cursor = t->cursor + 1 < t->fresh ? t->cursor + 1 : 0;
	}
}

/* What has waited longest stands first: a few are enough, for every call that is asked about. */
#define OPEN_LOOK 16

bool call_open_beyond(struct call_table *t, uint64_t now, uint32_t tenant, uint32_t open,
		      uint32_t most)
{
	const uint32_t before = call_open_count(t, tenant);
	uint32_t i;

	if (open > before)
		open = before;
	if (open <= most)
		return false;
	i = t->tenants[tenant].oldest;
	for (int n = 0; i != CALL_NONE && n < OPEN_LOOK; n++) {
		struct call *call = &t->calls[i];

		i = call->newer;
		expire_one(t, call, now);
	}
	return open - (before - call_open_count(t, tenant)) > most;
}

void call_flush(struct call_table *t, uint64_t now)
{
	for (uint32_t i = 0; i < t->fresh; i++) {
		struct call *call = &t->calls[i];

		expire_one(t, call, now);
		if (call->state == CALL_FREE)
			continue;
		/* Not given up: the log ends first. */
		if (call->state == CALL_TRYING)
			report(t, call, seize_unfinished(t, call));
		else if (call->state == CALL_ANSWERED)
			report(t, call, 0);
		else
			give_up(t, call, now);
		call_remove(t, call);
	}
}

const char *call_state_name(const struct call *call)
{
	switch (call->state) {
	case CALL_ENDED:
		return "answered";
	case CALL_UNANSWERED:
		return call->cancelled ? "cancelled" : "unanswered";
	case CALL_CHALLENGED:
		return "unanswered";
	case CALL_REDIRECTED:
		return "redirected";
	case CALL_REFUSED:
		return "refused";
	case CALL_TRYING:
		return call->cancelled ? "cancelled" : "open";
	case CALL_LOST:
		return call->cancelled && !call->counted_answered ? "cancelled" : "unknown";
	default:
		return "open";
	}
}

uint64_t call_duration(const struct call *call)
{
	return call->state == CALL_ENDED ? since(call->ended, call->answered) : 0;
}

uint64_t call_ring_time(const struct call *call)
{
	return call->rang ? since(call->rang, call->invited) : 0;
}
