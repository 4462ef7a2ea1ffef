/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes around what rules with `keep` find in bodies. They lie in memory that the matcher had from
 * the start, and only of transactions in which such a rule found something; nobody else keeps a
 * byte of a body. What is seen depends on the data alone, not on how it was cut: where something
 * was found is known from the rule's literal, and the stream's tail holds what was before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/match/match_internal.h"

/* On one side of what was found. */
static uint32_t before_of(const struct ruleset_rule *rule)
{
	return rule->keep - rule->keep / 2u + RULESET_KEEP_MARGIN;
}

static uint32_t behind_of(const struct ruleset_rule *rule)
{
	return rule->keep / 2u + RULESET_KEEP_MARGIN;
}

void match_excerpts_plan(struct ruleset *rs)
{
	for (uint32_t p = 0; p < rs->image->parts.count; p++) {
		const struct ruleset_rule *rule = &rs->rules[rs->parts[p].rule];
		uint16_t before = (uint16_t)before_of(rule);

		if (!rule->keep)
			continue;
		if (before > rs->kept[rs->parts[p].db])
			rs->kept[rs->parts[p].db] = before;
		if (before > rs->keep)
			rs->keep = before;
	}
}

int match_excerpts_init(struct matcher *m, uint32_t slots)
{
	struct excerpt_pool *pool = &m->state->excerpts;

	if (!m->ruleset->keep)
		return 0;
	pool->room = 2u * m->ruleset->keep;
	pool->excerpts = calloc((size_t)slots * MATCH_EXCERPTS + 1, sizeof(*pool->excerpts));
	pool->bytes = malloc((size_t)slots * MATCH_EXCERPTS * pool->room + 1);
	pool->free = calloc(slots + 1, sizeof(*pool->free));
	if (!pool->excerpts || !pool->bytes || !pool->free)
		return -ENOMEM;
	for (; pool->nfree < slots; pool->nfree++)
		pool->free[pool->nfree] = (uint16_t)(slots - 1 - pool->nfree);
	return 0;
}

void match_excerpts_fini(struct matcher *m)
{
	free(m->state->excerpts.excerpts);
	free(m->state->excerpts.bytes);
	free(m->state->excerpts.free);
}

static struct excerpt *excerpts_of(const struct matcher *m, const struct match_txn *txn)
{
	return m->state->excerpts.excerpts + (txn->excerpts - 1u) * MATCH_EXCERPTS;
}

static uint8_t *bytes_at(const struct matcher *m, const struct excerpt *e)
{
	return m->state->excerpts.bytes +
	       (size_t)(e - m->state->excerpts.excerpts) * m->state->excerpts.room;
}

static struct excerpt *excerpts_take(struct matcher *m, struct match_txn *txn)
{
	struct excerpt_pool *pool = &m->state->excerpts;

	if (!txn->excerpts) {
		if (!pool->nfree)
			return NULL;
		txn->excerpts = pool->free[--pool->nfree] + 1u;
		memset(excerpts_of(m, txn), 0, MATCH_EXCERPTS * sizeof(struct excerpt));
	}
	return excerpts_of(m, txn);
}

/*
 * Does the excerpt's rule have to make room for another? The rule that will refuse is among the
 * gravest that were reported; of others, those that stand earlier in the set stay.
 */
static bool yields(const struct matcher *m, const struct match_txn *txn, const struct excerpt *e,
		   uint32_t rule)
{
	const struct ruleset_rule *rules = m->ruleset->rules;
	const uint32_t other = e->rule - 1;

	if (rules[other].action != rules[rule].action)
		return rules[other].action < rules[rule].action;
	return !match_reported(txn, other) && other > rule;
}

/* NULL: others are more important. */
static struct excerpt *place_for(struct matcher *m, struct match_txn *txn, uint32_t rule)
{
	struct excerpt *all = excerpts_take(m, txn), *weakest = NULL;

	for (unsigned i = 0; all && i < MATCH_EXCERPTS; i++)
		if (!all[i].rule || all[i].rule == rule + 1)
			return &all[i];
	for (unsigned i = 0; all && i < MATCH_EXCERPTS; i++)
		if (yields(m, txn, &all[i], rule) &&
		    (!weakest || yields(m, txn, &all[i], weakest->rule - 1)))
			weakest = &all[i];
	return weakest;
}

static bool is_pending(const struct matcher *m, uint32_t rule)
{
	for (uint32_t i = 0; i < m->state->npending; i++)
		if (m->state->pending[i].rule == rule)
			return true;
	return false;
}

/* The last that was found before the rule held, in whatever order it was confirmed. */
void match_excerpt_note(struct match_call *call, const struct ruleset_part *part, uint64_t at)
{
	struct matcher *m = call->m;
	const struct ruleset *rs = m->ruleset;
	const struct ruleset_rule *rule = &rs->rules[part->rule];
	struct excerpt *e;

	if ((part->flags & RULE_PART_NONE) || match_reported(call->txn, part->rule) ||
	    is_pending(m, part->rule) ||
	    !match_scope_holds(rs, &rs->scopes[rule->scope], &call->txn->flow, call->buffer))
		return;
	e = place_for(m, call->txn, part->rule);
	if (e && e->rule == part->rule + 1 && !e->done && e->dbi == call->dbi && e->at > at)
		return;
	if (e)
		*e = (struct excerpt){
			.at = at,
			.from = at > before_of(rule) ? at - before_of(rule) : 0,
			.to = at + behind_of(rule),
			.rule = part->rule + 1,
			.dbi = (uint8_t)call->dbi,
		};
}

/* What has come of it: from the tail, and from the piece in hand. */
static void fill(const struct match_call *call, struct excerpt *e)
{
	const struct match_stream *s = call->stream;
	const uint64_t start = call->view.start, until = e->to < s->at ? e->to : s->at;
	uint64_t at = e->from + e->len;
	uint8_t *bytes = bytes_at(call->m, e);

	if (at + s->tail_len < start) { /* never: the tail is made for it */
		e->done = true;
		return;
	}
	if (at < start && at < until) {
		const uint64_t end = until < start ? until : start;

		memcpy(bytes + e->len, s->tail + s->tail_len - (start - at), end - at);
		e->len = (uint16_t)(e->len + (end - at));
		at = end;
	}
	if (at < until) {
		memcpy(bytes + e->len, call->view.p + (at - start), until - at);
		e->len = (uint16_t)(e->len + (until - at));
	}
}

static void fill_all(struct match_call *call, bool closed)
{
	struct excerpt *all = excerpts_of(call->m, call->txn);

	for (unsigned i = 0; i < MATCH_EXCERPTS; i++) {
		if (!all[i].rule || all[i].done || all[i].dbi != call->dbi)
			continue;
		fill(call, &all[i]);
		if (!closed)
			continue;
		all[i].done = true;
		all[i].ends = all[i].from + all[i].len == call->stream->at;
	}
}

void match_excerpts_feed(struct match_call *call)
{
	fill_all(call, false);
}

void match_excerpts_close(struct match_call *call)
{
	fill_all(call, true);
}

void match_excerpts_drop(struct matcher *m, struct match_txn *txn)
{
	struct excerpt_pool *pool = &m->state->excerpts;

	if (!txn->excerpts)
		return;
	pool->free[pool->nfree++] = txn->excerpts - 1u;
	txn->excerpts = 0;
}

static enum rule_buffer buffer_of(const struct matcher *m, const struct excerpt *e)
{
	return (enum rule_buffer)(e->dbi < RULE_BUFFER_COUNT
					  ? e->dbi
					  : m->image->lanes[e->dbi - RULE_BUFFER_COUNT].buffer);
}

bool match_excerpt(const struct matcher *m, const struct match_txn *txn,
		   const struct ruleset_rule *rule, struct match_excerpt *out)
{
	const uint32_t index = (uint32_t)(rule - m->ruleset->rules);
	const struct excerpt *e = txn->excerpts ? excerpts_of(m, txn) : NULL;
	uint64_t from, to;

	for (unsigned i = 0; e && i < MATCH_EXCERPTS; i++, e++) {
		if (e->rule != index + 1)
			continue;
		from = e->at > rule->keep - rule->keep / 2u ? e->at - (rule->keep - rule->keep / 2u)
							    : 0;
		to = e->at + rule->keep / 2u;
		if (to > e->from + e->len)
			to = e->from + e->len;
		*out = (struct match_excerpt){
			.p = bytes_at(m, e),
			.len = e->len,
			.from = (size_t)(from - e->from),
			.to = (size_t)(to - e->from),
			.at = from,
			.starts = e->from == 0,
			.ends = e->ends,
			.buffer = buffer_of(m, e),
		};
		return to > from;
	}
	return false;
}
