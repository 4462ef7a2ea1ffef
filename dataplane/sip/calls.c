/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sip/calls.h"

#include <rte_common.h>
#include <rte_malloc.h>
#include <stdio.h>

#include "bpf/list.h"
#include "dataplane/match/match_memory.h"
#include "dataplane/policy/memory.h"
#include "dataplane/sip/heard.h"

#define EXPIRE_WITH_MESSAGE 4                              /* calls looked at */
#define MEMORY_LEAST        4096                           /* entries of what is heard */
#define LEARNED             (86400 * UINT64_C(1000000000)) /* ns: then control's list has it */
#define UNWANTED            607                            /* the callee's own word (RFC 8197 3) */

static void count(struct worker *w, uint32_t tenant, uint32_t events)
{
	struct counters *c = w->counters;
	struct tenant_counters *t = &w->tenants[tenant];

	if (events & CALL_EVENT_ATTEMPT) {
		c->sip.calls_attempted++;
		t->calls++;
	}
	if (events & CALL_EVENT_SEIZED) {
		c->sip.calls_seized++;
		t->calls_seized++;
	}
	if (events & CALL_EVENT_ANSWERED) {
		c->sip.calls_answered++;
		t->calls_answered++;
	}
	if (events & CALL_EVENT_SHORT) {
		c->sip.calls_short++;
		t->calls_short++;
	}
	if (events & CALL_EVENT_OUTAGE)
		t->calls_outage++;
	if (events & CALL_EVENT_COMPLETED) {
		c->sip.calls_completed++;
		t->calls_completed++;
	}
	if (events & CALL_EVENT_NO_ROOM)
		worker_note(w, tenant, REASON_CALL_BUDGET);
}

static bool ended_by_message(const struct call *call)
{
	return call->state == CALL_ENDED || call->state == CALL_UNANSWERED ||
	       call->state == CALL_REFUSED;
}

/* What is kept of the callee is a URI's user. */
static uint64_t callee_hash(const struct worker *w, const struct call *call, uint8_t *text,
			    size_t *len)
{
	char uri[sizeof("tel:") + CALL_USER_COPY];
	int n = snprintf(uri, sizeof(uri), "tel:%.*s", call->to_len, call->to);

	return heard_hash_uri(w, bytes_of(uri, (size_t)n), text, len);
}

/* The callee's own word; only of a number that was not cut. */
static void unwanted(struct worker *w, const struct call *call)
{
	struct refusal r = {.reason = REASON_CALL_UNWANTED, .object = "call"};
	uint8_t text[LIST_TEXT_MAX];
	uint64_t callee;
	size_t len;

	w->tenants[call->tenant].calls_unwanted++;
	if (call->to_len == CALL_USER_COPY || !w->at.flow || w->at.flow->tenant != call->tenant)
		return;
	callee = callee_hash(w, call, text, &len);
	if (!callee)
		return;
	r.detail = bytes_of(text, len);
	/* Control puts callees on the list. */
	if (w->policy->calls.learn_unwanted)
		r.object = "callee";
	check_tell(w, call->tenant, &r);
	if (w->policy->calls.learn_unwanted && check_is_on(w, REASON_CALL_UNWANTED))
		heard_keep(w, HEARD_UNWANTED, call->tenant, callee, LEARNED);
}

/* Sums over workers are the tenant's: each adds what it did. */
static void on_opened(void *ctx, uint32_t tenant, int more)
{
	struct calls *calls = ctx;

	calls->holder->tenants[tenant].calls_open += (uint64_t)(int64_t)more;
}

static void on_ended(void *ctx, const struct call *call, uint32_t events)
{
	struct calls *calls = ctx;
	struct worker *w = calls->holder;
	struct inspection at = w->at;
	struct event_builder e;
	char code[8];

	count(w, call->tenant, events);
	if (call->state == CALL_UNANSWERED && call->code == UNWANTED)
		unwanted(w, call);
	/* A timer's, whoever looked at it. */
	if (!ended_by_message(call))
		w->at = (struct inspection){.flow = NULL};
	e = event_start(w, EVENT_CALL);
	w->at = at;
	if (!e.head)
		return;
	e.head->tenant = call->tenant;
	if (!ended_by_message(call)) {
		e.head->time = call->touched;
		e.head->packet = EVENT_OF_NO_PACKET | call->touched;
	}
	event_put_str(&e, FIELD_KEY_CALL_ID, call->call_id, call->call_id_len);
	event_put_str(&e, FIELD_KEY_CALL_FROM, call->from, call->from_len);
	event_put_str(&e, FIELD_KEY_CALL_TO, call->to, call->to_len);
	event_put_text(&e, FIELD_KEY_CALL_STATE, call_state_name(call));
	if (call->code) {
		snprintf(code, sizeof(code), "%u", call->code);
		event_put_text(&e, FIELD_KEY_CALL_CODE, code);
	}
	if (call->counted_answered)
		event_put_ns(&e, FIELD_KEY_CALL_DURATION, call_duration(call));
	if (call->rang)
		event_put_ns(&e, FIELD_KEY_CALL_RING, call_ring_time(call));
	event_put_bool(&e, FIELD_KEY_CALL_SHORT, call->is_short);
	event_put_bool(&e, FIELD_KEY_CALL_COMPLETED, call->state == CALL_ENDED);
	event_send(w, &e);
}

/* What may change while calls are known. */
static void choices_of(struct call_config *config, const struct policy *policy)
{
	static const enum call_asr_mode modes[] = {
		[ASR_WITH_PROGRESS] = CALL_ASR_PROVISIONAL,
		[ASR_FINAL_ONLY] = CALL_ASR_NEVER,
		[ASR_ALL] = CALL_ASR_ALWAYS,
	};

	config->short_ns = policy->short_call;
	config->no_bye_ns = policy->timeouts.call;
	config->linger_ns = policy->timeouts.sip_transaction;
	config->asr_mode = modes[policy->asr_mode];
}

static struct sip_refused_config refused_config(const struct call_config *config)
{
	return (struct sip_refused_config){
		.entries = config->calls,
		.tenants = config->tenants,
		.tenant_max = config->tenant_max,
		.linger_ns = config->linger_ns,
	};
}

struct calls *calls_new(const struct policy *policy, uint32_t slots, const uint8_t *key)
{
	struct calls *calls = rte_zmalloc("calls", sizeof(*calls), 0);
	struct sip_refused_config refused;
	struct call_config config;
	uint8_t *memory;
	size_t own;

	if (!calls)
		return NULL;
	call_config_default(&config);
	choices_of(&config, policy);
	if (key)
		memcpy(config.key, key, sizeof(config.key));
	config.calls = policy->budgets.calls;
	config.tenants = slots;
	config.tenant_max =
		(uint32_t)((uint64_t)policy->budgets.calls * policy->budgets.calls_share / 100);
	config.ended = on_ended;
	config.opened = on_opened;
	config.ctx = calls;
	refused = refused_config(&config);
	memcpy(calls->key, config.key, sizeof(calls->key));
	own = call_table_size(&config);
	calls->size = own + sip_refused_size(&refused);
	memory = memory_reserve(calls->size, MEMORY_DENSE);
	if (!memory ||
	    match_memory_new((uint32_t)RTE_MAX(rte_align32pow2(config.calls), MEMORY_LEAST), key,
			     &calls->memory) != 0 ||
	    urgent_open(&calls->urgent, &policy->budgets, slots) != 0) {
		match_memory_free(calls->memory);
		memory_release(memory, calls->size);
		rte_free(calls);
		return NULL;
	}
	rte_ticketlock_init(&calls->lock);
	calls->table = call_table_init(memory, &config);
	calls->refused = sip_refused_init(memory + own, &refused);
	return calls;
}

void calls_free(struct calls *calls)
{
	if (!calls)
		return;
	memory_release(calls->table, calls->size);
	match_memory_free(calls->memory);
	urgent_close(&calls->urgent);
	rte_free(calls);
}

static struct call_table *calls_hold(struct worker *w)
{
	rte_ticketlock_lock(&w->calls->lock);
	w->calls->holder = w;
	return w->calls->table;
}

/* What an earlier INVITE of the same call came to, with its ACK, is between the two ends. */
static bool is_of_last_invite(const struct call *call, const struct sip_message *msg)
{
	if (msg->kind == SIP_REQUEST && msg->method_id != SIP_METHOD_ACK &&
	    msg->method_id != SIP_METHOD_CANCEL)
		return true;
	return msg->cseq_number == call->cseq;
}

uint32_t calls_message(struct worker *w, uint32_t tenant, const struct sip_message *msg,
		       struct call_standing *standing)
{
	const struct call *call;
	struct call_table *table;
	uint32_t events;

	order_wait(w->order, w->index, w->packet);
	table = calls_hold(w);
	/* Now it is this packet's turn: no other worker has one from before. */
	if (!w->options.live)
		call_expire(table, w->now, EXPIRE_WITH_MESSAGE);
	events = call_message(table, w->now, tenant, msg, &call);
	standing->refused = call && call->state == CALL_REFUSED && is_of_last_invite(call, msg);
	standing->open = call && (call->state == CALL_TRYING || call->state == CALL_ANSWERED) &&
			 !(events & CALL_EVENT_ATTEMPT);
	standing->open_calls = events & (CALL_EVENT_ATTEMPT | CALL_EVENT_RETRIED)
				       ? call_open_count(table, tenant)
				       : 0;
	rte_ticketlock_unlock(&w->calls->lock);
	count(w, tenant, events);
	return events;
}

bool calls_beyond(struct worker *w, uint32_t tenant, const struct call_standing *standing,
		  uint32_t most)
{
	bool beyond;

	if (standing->open_calls <= most)
		return false;
	beyond = call_open_beyond(calls_hold(w), w->now, tenant, standing->open_calls, most);
	rte_ticketlock_unlock(&w->calls->lock);
	return beyond;
}

void calls_refuse(struct worker *w, uint32_t tenant, const struct sip_message *msg, uint16_t code)
{
	uint32_t events = call_refuse(calls_hold(w), w->now, tenant, msg, code);

	rte_ticketlock_unlock(&w->calls->lock);
	count(w, tenant, events);
}

bool calls_refused_before(struct worker *w, uint32_t tenant, const struct sip_message *msg,
			  struct sip_refused *out)
{
	struct sip_transaction transaction;
	struct sip_refused *refused;

	order_wait(w->order, w->index, w->packet);
	/* Nearly always. */
	if (!sip_refused_count(w->calls->refused, tenant))
		return false;
	transaction = sip_transaction_read(msg, w->calls->key);
	calls_hold(w);
	refused = sip_refused_find(w->calls->refused, w->now, tenant, transaction);
	if (refused) {
		*out = *refused;
		refused->acked |= msg->kind == SIP_REQUEST && msg->method_id == SIP_METHOD_ACK;
	}
	rte_ticketlock_unlock(&w->calls->lock);
	return refused;
}

static void answer_keep(struct sip_refused *to, const struct sip_answer *answer)
{
	to->code = answer->code;
	to->retry_after = answer->retry_after;
	to->phrase_len = (uint8_t)RTE_MIN(answer->phrase.len, sizeof(to->phrase));
	to->warning_len = (uint8_t)RTE_MIN(answer->warning.len, sizeof(to->warning));
	if (to->phrase_len)
		memcpy(to->phrase, answer->phrase.p, to->phrase_len);
	if (to->warning_len)
		memcpy(to->warning, answer->warning.p, to->warning_len);
}

void calls_remember(struct worker *w, uint32_t tenant, const struct sip_message *msg,
		    const struct sip_answer *answer)
{
	struct sip_transaction transaction = sip_transaction_read(msg, w->calls->key);
	struct sip_refused *refused;

	order_wait(w->order, w->index, w->packet);
	calls_hold(w);
	refused = sip_refused_add(w->calls->refused, w->now, tenant, transaction);
	if (refused)
		answer_keep(refused, answer);
	rte_ticketlock_unlock(&w->calls->lock);
	if (!refused && transaction.key)
		worker_note(w, tenant, REASON_CALL_BUDGET);
}

void calls_follow(struct worker *w)
{
	struct call_config config;

	call_config_default(&config);
	choices_of(&config, w->policy);
	call_table_choose(calls_hold(w), &config);
	sip_refused_linger(w->calls->refused, config.linger_ns);
	rte_ticketlock_unlock(&w->calls->lock);
}

void calls_expire(struct worker *w, unsigned budget)
{
	/* The workers' clocks differ, and one worker is to find what several do: calls_message().
	 */
	if (!w->options.live)
		return;
	call_expire(calls_hold(w), w->now, budget);
	sip_refused_expire(w->calls->refused, w->now, budget);
	urgent_sweep(&w->calls->urgent, (uint64_t)((int64_t)w->now + w->monotonic), budget);
	rte_ticketlock_unlock(&w->calls->lock);
}

void calls_flush(struct worker *w)
{
	call_flush(calls_hold(w), w->now);
	rte_ticketlock_unlock(&w->calls->lock);
}
