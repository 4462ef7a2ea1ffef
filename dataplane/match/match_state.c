/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules that ask about, or leave, more than their transaction: flowbits, xbits, thresholds, whose
 * tenant it is. They are judged when the piece of data in hand has been looked at, those that leave
 * something before those that ask for it, whatever order Hyperscan found them in.
 */
#include <string.h>

#include "bpf/policy.h"
#include "dataplane/match/match_internal.h"
#include "dataplane/match/match_memory.h"

#include <nettle/sha2.h>

#define SECOND 1000000000ull

static uint64_t now_of(const struct matcher *m)
{
	return m->clock ? *m->clock : 0;
}

/* Sender and receiver of the words that hit; a rule of both directions has the client first. */
static void ends_of(const struct matcher *m, const struct match_txn *txn,
		    const struct ruleset_rule *rule, enum rule_buffer buffer, const uint8_t **src,
		    const uint8_t **dst)
{
	const struct ruleset_scope *scope = &m->ruleset->scopes[rule->scope];
	bool forward = scope->direction == RULE_TRANSACTION || match_to_server(&txn->flow, buffer);

	*src = forward ? txn->flow.client : txn->flow.server;
	*dst = forward ? txn->flow.server : txn->flow.client;
}

static struct match_memory_key key_of(const struct matcher *m, const struct match_txn *txn,
				      const struct match_pending *p,
				      const struct ruleset_condition *c)
{
	const struct ruleset_rule *rule = &m->ruleset->rules[p->rule];
	struct match_memory_key key = {.kind = (uint32_t)c->kind << 8 | c->track};
	const struct match_keep *keep = txn->flow.keep;
	const uint8_t *src, *dst;

	ends_of(m, txn, rule, (enum rule_buffer)p->buffer, &src, &dst);
	key.tenant = keep ? keep->tenant : 0;
	key.what = c->kind == RULE_ON_XBITS ? c->bits : rule->sid;
	switch ((enum ruleset_track)c->track) {
	case RULE_TRACK_SRC:
		memcpy(key.addr[0], src, 16);
		break;
	case RULE_TRACK_DST:
		memcpy(key.addr[0], dst, 16);
		break;
	case RULE_TRACK_BOTH:
		memcpy(key.addr[0], src, 16);
		memcpy(key.addr[1], dst, 16);
		break;
	case RULE_TRACK_PAIR:
		memcpy(key.addr[0], memcmp(src, dst, 16) < 0 ? src : dst, 16);
		memcpy(key.addr[1], memcmp(src, dst, 16) < 0 ? dst : src, 16);
		break;
	case RULE_TRACK_FLOW:
		if (keep)
			memcpy(key.addr[0], &keep->id, sizeof(keep->id));
		break;
	case RULE_TRACK_RULE: /* one of all tenants': nobody's share */
		key.tenant = 0;
		break;
	case RULE_TRACK_TENANT:
	case RULE_TRACKS:
		break;
	}
	return key;
}

void match_value_of(const uint8_t *p, size_t len, uint8_t value[MATCH_VALUE])
{
	struct sha256_ctx sha;

	sha256_init(&sha);
	sha256_update(&sha, len, p);
	sha256_digest(&sha, MATCH_VALUE, value);
}

/* One for all is nobody's share. */
static struct match_memory_key value_key(const struct match_txn *txn, uint64_t set, uint32_t track,
					 const uint8_t value[MATCH_VALUE])
{
	struct match_memory_key key = {.what = set, .kind = RULE_ON_DATASET << 8};

	if (track == RULE_TRACK_TENANT && txn->flow.keep)
		key.tenant = txn->flow.keep->tenant;
	memcpy(key.addr, value, MATCH_VALUE);
	return key;
}

bool match_value_is_set(const struct matcher *m, const struct match_txn *txn,
			const struct ruleset_dataset *set, const uint8_t value[MATCH_VALUE])
{
	struct match_memory_key key = value_key(txn, set->written, set->track, value);

	if (m->turn)
		m->turn(m->turn_ctx);
	return match_memory_has(m->memory, &key, now_of(m));
}

/* The flow's bits, as this ruleset numbers them: another's say nothing. */
static uint64_t flowbits(const struct matcher *m, const struct match_txn *txn)
{
	const struct match_keep *keep = txn->flow.keep;

	return keep && keep->names == m->image->flowbits ? keep->bits : 0;
}

static void flowbits_set(const struct matcher *m, struct match_txn *txn, uint64_t bits)
{
	if (!txn->flow.keep)
		return;
	txn->flow.keep->names = m->image->flowbits;
	txn->flow.keep->bits = bits;
}

static bool bits_hold(const struct matcher *m, const struct match_txn *txn,
		      const struct match_pending *p, const struct ruleset_condition *c)
{
	bool want = c->op == RULE_BIT_ISSET, has;
	struct match_memory_key key;

	if (c->op != RULE_BIT_ISSET && c->op != RULE_BIT_ISNOTSET)
		return true;
	if (c->kind == RULE_ON_FLOWBITS) {
		/* Of a list one is enough: one that is set, or one that is not. */
		uint64_t bits = flowbits(m, txn);

		return ((want ? bits : ~bits) & c->bits) != 0;
	}
	key = key_of(m, txn, p, c);
	has = match_memory_has(m->memory, &key, now_of(m));
	return has == want;
}

/* As in Suricata: what is put in was not there, what is taken out was. */
static bool value_holds(const struct matcher *m, const struct match_txn *txn,
			const struct match_pending *p, const struct ruleset_condition *c)
{
	struct match_memory_key key = value_key(txn, c->bits, c->track, p->value);

	return match_memory_has(m->memory, &key, now_of(m)) == (c->op == RULE_BIT_UNSET);
}

static bool name_is(const char *const *names, uint32_t count, uint32_t slot, const char *name)
{
	return names && slot && slot < count && !strcmp(names[slot], name);
}

static bool subject_is(const struct matcher *m, const struct match_txn *txn,
		       const struct ruleset_condition *c)
{
	const struct policy *policy = m->policy ? *m->policy : NULL;
	uint32_t slot = txn->flow.keep ? txn->flow.keep->tenant : 0;
	const char *name = ruleset_text(m->image, c->name);

	if (!policy)
		return false;
	if (c->kind == RULE_ON_TIER)
		return name_is(policy->tiers, policy->slot_count, slot, name);
	if (c->count) /* an id */
		return slot && slot < policy->slot_count && policy->slots[slot].id == c->count;
	return name_is(policy->names, policy->slot_count, slot, name);
}

/* Of several tenants and tiers one is enough; bits must all be as they are asked for. */
static bool conditions_hold(const struct matcher *m, const struct match_txn *txn,
			    const struct match_pending *p)
{
	const struct ruleset_rule *rule = &m->ruleset->rules[p->rule];
	bool subjects = false, found = false;

	for (uint32_t i = 0; i < rule->conditions; i++) {
		const struct ruleset_condition *c =
			&m->ruleset->conditions[rule->first_condition + i];

		if (c->kind == RULE_ON_TENANT || c->kind == RULE_ON_TIER) {
			subjects = true;
			found = found || subject_is(m, txn, c);
		} else if (c->kind == RULE_ON_DATASET) {
			if (!value_holds(m, txn, p, c))
				return false;
		} else if (c->kind <= RULE_ON_XBITS && !bits_hold(m, txn, p, c)) {
			return false;
		}
	}
	return found || !subjects;
}

static void bits_change(struct matcher *m, struct match_txn *txn, const struct match_pending *p,
			const struct ruleset_condition *c)
{
	uint64_t now = now_of(m), bits;
	struct match_memory_key key;
	uint8_t op = c->op;

	if (op == RULE_BIT_ISSET || op == RULE_BIT_ISNOTSET)
		return;
	if (c->kind == RULE_ON_FLOWBITS) {
		bits = flowbits(m, txn);
		flowbits_set(m, txn,
			     op == RULE_BIT_SET     ? bits | c->bits
			     : op == RULE_BIT_UNSET ? bits & ~c->bits
						    : bits ^ c->bits);
		return;
	}
	key = key_of(m, txn, p, c);
	if (op == RULE_BIT_TOGGLE)
		op = match_memory_has(m->memory, &key, now) ? RULE_BIT_UNSET : RULE_BIT_SET;
	if (op == RULE_BIT_UNSET)
		match_memory_clear(m->memory, &key, now);
	else if (!match_memory_set(m->memory, &key, now, now + c->seconds * SECOND))
		match_over_budget(m, txn);
}

static void value_change(struct matcher *m, struct match_txn *txn, const struct match_pending *p,
			 const struct ruleset_condition *c)
{
	struct match_memory_key key = value_key(txn, c->bits, c->track, p->value);
	uint64_t now = now_of(m), full = match_memory_full(m->memory);

	if (c->op == RULE_BIT_UNSET)
		match_memory_clear(m->memory, &key, now);
	else if (!match_memory_set(m->memory, &key, now, now + c->seconds * SECOND) ||
		 match_memory_full(m->memory) != full) /* another value had to go for it */
		match_over_budget(m, txn);
}

/*
 * The action of a rule that holds: after more than `count` in `seconds` it is another for a time,
 * and then the count begins anew.
 */
static uint8_t rate_action(struct matcher *m, struct match_txn *txn, const struct match_pending *p,
			   const struct ruleset_condition *c, uint8_t action)
{
	struct match_memory_key key = key_of(m, txn, p, c), over = key;
	uint64_t now = now_of(m);
	uint32_t count;

	over.kind |= 1u << 16;
	if (match_memory_has(m->memory, &over, now))
		return c->op;
	count = match_memory_count(m->memory, &key, now, c->seconds * SECOND, 0);
	if (!count)
		match_over_budget(m, txn);
	if (count <= c->count)
		return action;
	match_memory_clear(m->memory, &key, now);
	if (!match_memory_set(m->memory, &over, now, now + c->bits * SECOND))
		match_over_budget(m, txn);
	return c->op;
}

/* Is it the count's, or that times the multiplier, or that again? */
static bool backs_off_to(const struct ruleset_condition *c, uint32_t count)
{
	uint64_t at = c->count;

	while (at < count && c->bits > 1)
		at *= c->bits;
	return c->bits > 1 ? at == count : count >= c->count;
}

/* What a count makes of a rule that holds. */
enum outcome { NOTHING, SILENT, REPORTED };

static enum outcome count_outcome(struct matcher *m, struct match_txn *txn,
				  const struct match_pending *p, const struct ruleset_condition *c)
{
	struct match_memory_key key = key_of(m, txn, p, c);
	uint32_t last = c->op == RULE_COUNT_THRESHOLD ? c->count : 0;
	uint32_t count = match_memory_count(m->memory, &key, now_of(m), c->seconds * SECOND, last);

	if (!count)
		match_over_budget(m, txn);
	switch ((enum ruleset_count)c->op) {
	case RULE_COUNT_LIMIT:
		return count <= c->count ? REPORTED : SILENT;
	case RULE_COUNT_THRESHOLD:
		return count >= c->count ? REPORTED : NOTHING;
	case RULE_COUNT_BOTH:
		return count < c->count ? NOTHING : count == c->count ? REPORTED : SILENT;
	case RULE_COUNT_FILTER:
		return count > c->count ? REPORTED : NOTHING;
	case RULE_COUNT_BACKOFF:
		return count < c->count ? NOTHING : backs_off_to(c, count) ? REPORTED : SILENT;
	case RULE_COUNTS:
		break;
	}
	return REPORTED;
}

static void judge(struct matcher *m, struct match_txn *txn, const struct match_pending *p)
{
	const struct ruleset_rule *rule = &m->ruleset->rules[p->rule];
	const struct ruleset_condition *c = &m->ruleset->conditions[rule->first_condition];
	enum outcome outcome = REPORTED;
	uint8_t action = rule->action;

	bool again = match_reported(txn, p->rule); /* another instance */

	if (again && !rule->writes)
		return;
	if (m->turn)
		m->turn(m->turn_ctx);
	if (!conditions_hold(m, txn, p))
		return;
	for (uint32_t i = 0; i < rule->conditions; i++) {
		if (c[i].kind == RULE_ON_DATASET) {
			value_change(m, txn, p, &c[i]);
		} else if (again) {
			continue;
		} else if (c[i].kind == RULE_ON_COUNT) {
			enum outcome one = count_outcome(m, txn, p, &c[i]);

			outcome = one < outcome ? one : outcome;
		} else if (c[i].kind == RULE_ON_FLOWBITS || c[i].kind == RULE_ON_XBITS) {
			bits_change(m, txn, p, &c[i]);
		} else if (c[i].kind == RULE_ON_RATE) {
			action = rate_action(m, txn, p, &c[i], action);
		}
	}
	if (again)
		return;
	if (outcome == NOTHING)
		match_remember_rule(m, txn, p->rule);
	else
		match_report(m, txn, p->rule, (enum rule_buffer)p->buffer, outcome == SILENT,
			     action);
}

void match_defer(struct matcher *m, struct match_txn *txn, uint32_t rule, enum rule_buffer buffer)
{
	struct matcher_state *state = m->state;
	uint32_t at = state->npending;
	uint8_t order = m->ruleset->rules[rule].order;

	/* Hyperscan may find a rule's last part in several ways. */
	for (uint32_t i = 0; i < state->npending; i++)
		if (state->pending[i].rule == rule)
			return;
	if (at == MATCH_PENDING) {
		match_over_budget(m, txn);
		return;
	}
	while (at > 0 && m->ruleset->rules[state->pending[at - 1].rule].order > order) {
		state->pending[at] = state->pending[at - 1];
		at--;
	}
	state->pending[at].rule = rule;
	state->pending[at].buffer = (uint32_t)buffer;
	if (state->whole && m->ruleset->rules[rule].writes)
		match_value_of(state->whole->p, state->whole->len, state->pending[at].value);
	state->npending++;
}

void match_judge(struct matcher *m, struct match_txn *txn)
{
	struct matcher_state *state = m->state;

	for (uint32_t i = 0; i < state->npending; i++)
		judge(m, txn, &state->pending[i]);
	state->npending = 0;
}
