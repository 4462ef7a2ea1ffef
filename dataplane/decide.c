/* SPDX-License-Identifier: BSD-3-Clause */
/* From what rules, limits and lists say to a verdict with a reason and words. */
#include "dataplane/inspect.h"

#include <stdio.h>
#include <stdlib.h>

#include "bpf/check.h"
#include "dataplane/policy/limit.h"
#include "dataplane/policy/prefix.h"
#include "dataplane/proto/sip_refused.h"

static void slot_raise(struct burst *b, unsigned slot, enum verdict verdict, enum reason reason)
{
	if (verdict <= b->verdict[slot])
		return;
	b->verdict[slot] = (uint8_t)verdict;
	b->reason[slot] = (uint8_t)reason;
}

void slot_decide(struct worker *w, unsigned slot, enum verdict verdict, enum reason reason)
{
	struct burst *b = &w->burst;

	worker_note(w, b->tenant[slot], reason);
	slot_raise(b, slot, verdict, reason);
}

struct match_flow match_flow_of(const struct worker *w, struct flow *f, bool to_server)
{
	const struct prefix_table *prefixes = &w->policy->prefixes;
	unsigned c = f->client, s = !f->client;
	struct match_flow m = {
		.keep = &f->rules,
		.family = f->key.family,
		.transport = f->key.proto,
		.direction = to_server ? TO_SERVER : TO_CLIENT,
		.unanswered = !f->packets[s],
		.client_port = f->key.port[c],
		.server_port = f->key.port[s],
	};
	bool client, server;

	memcpy(m.client, f->key.addr[c], sizeof(m.client));
	memcpy(m.server, f->key.addr[s], sizeof(m.server));
	if (w->policy->slot_count <= 1)
		return m;
	client = prefix_lookup(prefixes, f->key.vlan[0], f->key.family, m.client);
	server = prefix_lookup(prefixes, f->key.vlan[0], f->key.family, m.server);
	m.tenants = client ? (server ? MATCH_TENANTS_BOTH : MATCH_TENANTS_CLIENT)
			   : (server ? MATCH_TENANTS_SERVER : MATCH_TENANTS_NEITHER);
	return m;
}

static bool rule_in_shadow(const struct worker *w, const struct ruleset_rule *rule)
{
	return rule->shadow || w->policy->shadow;
}

static void alert_send(struct worker *w, const struct match_hit *hit, struct bytes context)
{
	const struct ruleset *rs = w->matcher->ruleset;
	const struct ruleset_rule *rule = hit->rule;
	struct event_builder e = event_start(w, EVENT_ALERT);
	bool shadow = rule_in_shadow(w, rule);
	bool blocks = hit->action >= VERDICT_DROP && !shadow;

	event_put_text(&e, FIELD_KEY_ALERT_ACTION, blocks ? "blocked" : "allowed");
	event_put_uint(&e, FIELD_KEY_ALERT_SID, rule->sid);
	event_put_uint(&e, FIELD_KEY_ALERT_REV, rule->rev);
	event_put_text(&e, FIELD_KEY_ALERT_MSG, ruleset_string(rs, rule->msg));
	event_put_text(&e, FIELD_KEY_ALERT_CLASS, ruleset_string(rs, rule->classtype));
	event_put_uint(&e, FIELD_KEY_ALERT_SEVERITY, rule->priority);
	event_put_text(&e, FIELD_KEY_ALERT_AUP, ruleset_string(rs, rule->aup));
	event_put_text(&e, FIELD_KEY_VERDICT_ACTION, verdict_name(hit->action));
	event_put_bool(&e, FIELD_KEY_ALERT_SHADOW, shadow);
	event_put_text(&e, FIELD_KEY_ALERT_BUFFER, rule_buffers[hit->buffer].name);
	if (context.len)
		event_put_str(&e, FIELD_KEY_ALERT_CONTEXT, context.p, RTE_MIN(context.len, 128u));
	event_send(w, &e);
}

void findings_take(struct worker *w, struct finding *finding, struct bytes context)
{
	struct matcher *m = w->matcher;
	const struct ruleset_rule *first;

	if (!m || !m->nhits)
		return;
	first = RULESET_AT(m->image, struct ruleset_rule, rules);
	for (uint32_t i = 0; i < m->nhits; i++)
		if (m->hits[i].action == VERDICT_PASS)
			finding->passed = true;
	for (uint32_t i = 0; i < m->nhits; i++) {
		const struct ruleset_rule *rule = m->hits[i].rule;
		uint8_t action = m->hits[i].action;

		w->rule_hits[m->places ? __atomic_load_n(&m->places[rule - first], __ATOMIC_RELAXED)
				       : (uint32_t)(rule - first)]++;
		if (rule->noalert || action == VERDICT_PASS || finding->passed)
			continue;
		if (!w->at.ending)
			slot_raise(&w->burst, w->at.slot, VERDICT_ALERT, REASON_RULE);
		/* Of what refuses, the refusal is noted. */
		if (action == VERDICT_ALERT || rule_in_shadow(w, rule))
			worker_note(w, w->at.flow->tenant, REASON_RULE);
		if (!m->hits[i].silent)
			alert_send(w, &m->hits[i], context);
		if (action > finding->verdict && !rule_in_shadow(w, rule)) {
			finding->verdict = action;
			finding->rule = rule;
		}
	}
	m->nhits = 0;
}

const char *refusal_smtp_text(const struct worker *w, const struct refusal *r, char text[256])
{
	if (r->rule) {
		const char *words = ruleset_string(w->matcher->ruleset, r->rule->reply);

		if (*words)
			return words;
		snprintf(text, 256, "550 5.7.1 %.200s",
			 ruleset_string(w->matcher->ruleset, r->rule->msg));
		return text;
	}
	if (w->policy->answers[r->reason].smtp[0])
		return w->policy->answers[r->reason].smtp;
	snprintf(text, 256, "550 5.7.0 Refused: %.200s", reason_text(r->reason));
	return text;
}

/* Between two characters. */
static struct bytes words_cut(struct bytes words, size_t max)
{
	if (words.len <= max)
		return words;
	while (max && (words.p[max] & 0xc0) == 0x80)
		max--;
	return bytes_of(words.p, max);
}

struct sip_answer refusal_sip_answer(const struct worker *w, const struct refusal *r)
{
	const struct policy_answer *policy = &w->policy->answers[r->reason];
	struct sip_answer answer = {
		.code = policy->sip_code,
		.retry_after = policy->retry_after,
		.phrase = bytes_of(policy->sip_phrase,
				   strnlen(policy->sip_phrase, sizeof(policy->sip_phrase))),
	};
	const char *words = "";

	if (r->rule) {
		const char *msg = ruleset_string(w->matcher->ruleset, r->rule->msg);

		answer.warning = bytes_of(msg, strlen(msg));
		words = ruleset_string(w->matcher->ruleset, r->rule->reply);
	}
	/* The rule parser has seen to its form: three digits, a space, words. */
	if (*words) {
		answer.code = (uint16_t)strtoul(words, NULL, 10);
		answer.retry_after = 0;
		answer.phrase = bytes_of(words + 4, strlen(words + 4));
	} else if (!answer.code) {
		answer.code = 403;
		answer.phrase = BYTES("Forbidden");
	}
	/* What is sent again must be the same: no more than is kept of it. */
	answer.phrase = words_cut(answer.phrase, SIP_PHRASE_MAX);
	answer.warning = words_cut(answer.warning, SIP_WARNING_MAX);
	return answer;
}

bool refusal_declare(struct worker *w, const struct refusal *r, const char *reply)
{
	struct event_builder e = event_start(w, EVENT_VERDICT);
	bool shadow = r->shadow || w->policy->shadow;

	event_put_text(&e, FIELD_KEY_VERDICT_ACTION, verdict_name(r->verdict));
	event_put_text(&e, FIELD_KEY_VERDICT_REASON, reason_name(r->reason));
	if (r->verdict == VERDICT_REJECT && reply)
		event_put_text(&e, FIELD_KEY_VERDICT_REJECT, reply);
	event_put_text(&e, FIELD_KEY_VERDICT_OBJECT, r->object);
	if (r->rule)
		event_put_uint(&e, FIELD_KEY_VERDICT_SID, r->rule->sid);
	else if (r->detail.len)
		event_put_bytes(&e, FIELD_KEY_VERDICT_DETAIL, r->detail);
	event_put_bool(&e, FIELD_KEY_VERDICT_SHADOW, shadow);
	event_send(w, &e);
	if (shadow)
		worker_note(w, w->at.flow->tenant, r->reason);
	return !shadow;
}

static bool check_is_shadow(const struct worker *w, uint32_t tenant, enum reason reason)
{
	return w->policy->slots[tenant].shadow_checks >> policy_check_of(reason) & 1;
}

void check_tell(struct worker *w, uint32_t tenant, struct refusal *r)
{
	r->shadow = check_is_shadow(w, tenant, r->reason);
	r->verdict = VERDICT_ALERT;
	if (!check_is_on(w, r->reason) || !refusal_declare(w, r, NULL))
		return;
	if (w->at.ending)
		worker_note(w, tenant, r->reason);
	else
		slot_decide(w, w->at.slot, r->verdict, r->reason);
}

bool check_refuses(struct worker *w, uint32_t tenant, struct refusal *r)
{
	r->verdict = w->policy->actions[r->reason];
	r->shadow = check_is_shadow(w, tenant, r->reason);
	if (r->verdict >= VERDICT_DROP)
		return true;
	check_tell(w, tenant, r);
	return false;
}

/* A packet that is withheld and has no cuts stays whole. */
static void cut_whole(struct worker *w, unsigned slot, uint32_t len)
{
	for (unsigned k = 0; k < w->cut_count; k++) {
		if (w->cuts[k].slot != slot)
			continue;
		w->cuts[k].begin = 0;
		w->cuts[k].end = (uint16_t)len;
	}
}

void cut_stream(struct worker *w, uint64_t begin, uint64_t end, enum verdict verdict,
		enum reason reason)
{
	struct burst *b = &w->burst;
	unsigned slot = w->at.slot;
	const struct packet_meta *meta = packet_meta(b->pkt[slot]);
	uint64_t last = w->at.offset + meta->len;

	slot_decide(w, slot, verdict, reason);
	if (begin < w->at.offset)
		begin = w->at.offset;
	if (end > last)
		end = last;
	if (begin >= end || w->cut_count == CUTS_MAX) {
		cut_whole(w, slot, meta->len);
		return;
	}
	w->cuts[w->cut_count++] = (struct cut){
		.slot = (uint16_t)slot,
		.begin = (uint16_t)(begin - w->at.offset),
		.end = (uint16_t)(end - w->at.offset),
	};
}

void limit_note(struct worker *w, uint32_t tenant, enum tenant_limit limit, uint64_t now)
{
	const struct tenant_slot *slot = &w->policy->slots[tenant];
	const struct gcra *g = &slot->limit[limit];
	uint8_t *most = &w->peaks[tenant].percent[limit];
	uint64_t tat, owed;
	double full;

	if (!g->interval)
		return;
	tat = slot->bucket[limit];
	owed = tat > now ? tat - now : 0;
	full = (double)(g->tolerance + g->interval);
	/* Nearly always: no division for it. */
	if (*most >= 100 || (double)owed * 100 < full * (*most + 1))
		return;
	*most = (uint8_t)RTE_MIN((uint64_t)((double)owed * 100 / full), 100u);
}

bool limit_exceeded(struct worker *w, struct flow *f, enum tenant_limit limit)
{
	enum limit_result result;

	if (!(f->flags & FLOW_OUTBOUND))
		return false;
	order_wait(w->order, w->index, w->packet);
	result = limit_take(w->policy, f->tenant, limit, w->now, 1);
	limit_note(w, f->tenant, limit, w->now);
	switch (result) {
	case LIMIT_WITHIN:
		return false;
	case LIMIT_OVER:
		return true;
	case LIMIT_SHADOW_OVER:
		break;
	}
	refusal_declare(w,
			&(struct refusal){.verdict = VERDICT_REJECT,
					  .reason = limit_reason(limit),
					  .object = "limit",
					  .shadow = true},
			NULL);
	return false;
}

void admit_connection(struct worker *w, struct flow *f)
{
	struct refusal r = {.verdict = VERDICT_REJECT, .object = "connection"};

	if (!(f->flags & FLOW_OUTBOUND) || (f->flags & FLOW_ADMITTED))
		return;
	f->flags |= FLOW_ADMITTED;
	order_wait(w->order, w->index, w->packet);
	if (w->policy->slots[f->tenant].state == TENANT_SUSPENDED)
		r.reason = f->app == APP_SMTP ? suspended_reason(&w->policy->slots[f->tenant])
					      : REASON_TENANT_SUSPENDED;
	else if (limit_exceeded(w, f, LIMIT_CONNECTIONS))
		r.reason = REASON_LIMIT_CONNECTIONS;
	else {
		w->tenants[f->tenant].connections++;
		return;
	}
	if (f->app == APP_SMTP) {
		/* Said in the place of the server's greeting: a client reads that. */
		f->flags |= FLOW_REFUSE_GREETING;
		f->reason = r.reason;
		return;
	}
	/* Suspended tenants' SIP requests are answered one by one. */
	if (r.reason == REASON_TENANT_SUSPENDED && f->app == APP_SIP)
		return;
	r.verdict = VERDICT_DROP;
	if (!refusal_declare(w, &r, NULL))
		return;
	slot_decide(w, w->at.slot, VERDICT_DROP, r.reason);
	f->flags |= FLOW_REFUSED;
	f->reason = r.reason;
}

void flow_encrypted(struct worker *w, struct flow *f)
{
	if ((f->flags & (FLOW_ADMITTED | FLOW_REFUSED | FLOW_ENCRYPTED)) == FLOW_ADMITTED)
		w->tenants[f->tenant].connections_tls++;
	f->flags |= FLOW_ENCRYPTED;
}

void flow_give_up(struct worker *w, struct flow *f, enum reason reason)
{
	enum verdict verdict = w->policy->on_loss[reason];

	worker_note(w, f->tenant, reason);
	f->reason = reason;
	if (verdict >= VERDICT_DROP)
		f->flags |= FLOW_REFUSED;
	else
		f->flags |= FLOW_UNINSPECTED;
}
