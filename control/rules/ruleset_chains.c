/* SPDX-License-Identifier: BSD-3-Clause */
/* Parts to chains, and the choice of what starts each: see bpf/ruleset.h for the terms. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <hs.h>
#include <pcre2.h>
#include <string.h>

#include "control/rules/ruleset_tables.h"

/* A chain before it is written down. */
struct chain {
	size_t first, count; /* steps of the part */
	bool negated, length;
	struct rule_literal literal;
	const struct rule_step *regex; /* that Hyperscan must run: there is no literal */
	unsigned regex_flags;
	bool regex_exact;
};

static void warn(struct ruleset_tables *t, const struct rule *rule, const struct rule_step *step,
		 const char *message)
{
	rule_diag_add(t->diags, RULE_WARNING, step->place, rule->sid, "%s", message);
}

/* The steps after this one, up to the one given back, want a number that was read before them. */
static size_t last_user(const struct rule_part *part, size_t first)
{
	size_t last = first;

	if (!part->steps[first].number.result)
		return first;
	for (size_t i = first; i < part->count; i++)
		if (rule_step_uses_variable(&part->steps[i]))
			last = i;
	return last;
}

/*
 * A step that stands by itself begins a chain; what is relative to it goes on with it, and so
 * does everything up to the last step that uses a number which the chain reads.
 */
static size_t split_part(struct ruleset_tables *t, const struct rule_part *part,
			 struct chain **chainsp)
{
	struct chain *chains = arena_alloc(&t->arena, part->count * sizeof(*chains));
	size_t n = 0, joined = 0;

	for (size_t i = 0; i < part->count; i++) {
		const struct rule_step *step = &part->steps[i];
		bool goes_on = i > 0 && (step->relative || i <= joined);
		size_t last = last_user(part, i);

		joined = last > joined ? last : joined;
		if (goes_on) {
			chains[n - 1].count++;
			continue;
		}
		chains[n].first = i;
		chains[n].count = 1;
		chains[n].negated = step->negated && !step->relative && step->kind < RULE_STEP_TEST;
		chains[n].length = step->kind == RULE_STEP_SIZE ||
				   (step->kind == RULE_STEP_DATA_AT && !step->relative);
		n++;
	}
	*chainsp = chains;
	return n;
}

/* What to look for to find the chain; a negated one is found in order to refute. */
static void choose_trigger(struct ruleset_tables *t, const struct rule *rule,
			   const struct rule_part *part, struct chain *chain)
{
	struct rule_part plain = *part;

	if (chain->length)
		return;
	if (chain->negated) {
		plain.steps = arena_alloc(&t->arena, part->count * sizeof(*part->steps));
		memcpy(plain.steps, part->steps, part->count * sizeof(*part->steps));
		plain.steps[chain->first].negated = false;
	}
	if (rule_literal_choose(&plain, chain->first, chain->count, &chain->literal))
		return;
	for (size_t i = chain->first; i < chain->first + chain->count; i++) {
		const struct rule_step *step = &part->steps[i];

		if (step->kind != RULE_STEP_PCRE || plain.steps[i].negated)
			continue;
		chain->regex_flags = pcre_hs_flags(step, &chain->regex_exact);
		if (chain->regex_flags) {
			chain->regex = step;
			return;
		}
	}
}

static uint32_t add_pcre(struct ruleset_tables *t, const struct rule_step *step)
{
	struct ruleset_pcre *pcre = section_add(t, &t->pcres);

	pcre->options = step->pcre_options;
	pcre->source = section_string(t, step->text, step->len);
	return (uint32_t)(t->pcres.count - 1);
}

static uint32_t add_number(struct ruleset_tables *t, const struct ruleset_number *number)
{
	*(struct ruleset_number *)section_add(t, &t->numbers) = *number;
	return (uint32_t)(t->numbers.count - 1);
}

static struct ruleset_str add_text(struct ruleset_tables *t, const struct rule_step *step)
{
	char *text = arena_copy(&t->arena, step->text, step->len);

	if (step->nocase)
		for (size_t i = 0; i < step->len; i++)
			text[i] = (char)rule_lower((uint8_t)text[i]);
	return section_string(t, text, step->len);
}

static void add_step(struct ruleset_tables *t, const struct rule_step *step, bool invert)
{
	struct ruleset_step *out = section_add(t, &t->steps);

	out->kind = (uint16_t)step->kind;
	out->lo = step->lo;
	out->hi = step->hi;
	if (step->negated != invert)
		out->flags |= RULE_STEP_NEGATED;
	if (step->nocase)
		out->flags |= RULE_STEP_NOCASE;
	if (step->relative)
		out->flags |= RULE_STEP_RELATIVE;
	if (step->endswith)
		out->flags |= RULE_STEP_AT_END;
	out->lo_var = step->lo_var;
	out->hi_var = step->hi_var;
	if (step->kind == RULE_STEP_PCRE)
		out->index = add_pcre(t, step);
	else if (step->kind == RULE_STEP_CONTENT)
		out->text = add_text(t, step);
	else if (step->kind == RULE_STEP_DATASET)
		out->index = step->dataset;
	else if (step->kind >= RULE_STEP_TEST)
		out->index = add_number(t, &step->number);
}

/* Is its literal, where it stands, all there is to it? */
static bool needs_confirmation(const struct rule_part *part, const struct chain *chain)
{
	const struct rule_step *step = &part->steps[chain->first];

	if (chain->count > 1)
		return true;
	if (chain->regex)
		return !chain->regex_exact || step->relative;
	if (step->kind != RULE_STEP_CONTENT || !chain->literal.whole || step->endswith)
		return true;
	/* A block's literal is reported once, which may be in the wrong place. */
	return !rule_part_streams(part) && (step->lo > 0 || step->hi != RULESET_NO_LIMIT);
}

static bool anywhere(const struct rule_step *step)
{
	return step->kind != RULE_STEP_CONTENT || (step->lo <= 0 && step->hi == RULESET_NO_LIMIT);
}

static void add_trigger(struct ruleset_tables *t, const struct rule *rule,
			const struct rule_part *part, const struct chain *chain, uint32_t index)
{
	struct trigger_list *list = &t->triggers[tables_db(t, part)];
	struct trigger *trigger;

	list->items = arena_grow(&t->arena, list->items, list->count, &list->capacity,
				 sizeof(*list->items));
	trigger = &list->items[list->count++];
	memset(trigger, 0, sizeof(*trigger));
	trigger->chain = index;
	trigger->sid = rule->sid;
	trigger->place = chain->regex ? chain->regex : &part->steps[chain->literal.step];
	trigger->once = !rule_part_streams(part) ||
			(!needs_confirmation(part, chain) && anywhere(&part->steps[chain->first]));
	trigger->nocase = chain->literal.nocase;
	if (chain->regex) {
		trigger->text = chain->regex->text;
		trigger->len = chain->regex->len;
		trigger->flags = chain->regex_flags;
		trigger->kind = rule_pcre_has_words(chain->regex) ? TRIGGER_WORDS : TRIGGER_LONE;
		t->stats.regexes++;
		if (trigger->kind == TRIGGER_LONE)
			warn(t, rule, chain->regex,
			     "no literal to look for first: this expression runs on every byte of "
			     "the buffer, at the cost of dozens of rules that have one");
		return;
	}
	trigger->text = arena_copy(&t->arena, chain->literal.bytes, chain->literal.len);
	trigger->len = chain->literal.len;
}

static int64_t farthest(int64_t a, int64_t b)
{
	a = a < 0 ? -a : a;
	b = b < 0 ? -b : b;
	return a > b ? a : b;
}

/* Where it looks is known, where it jumps is not. */
static int64_t number_span(const struct rule_step *step)
{
	int32_t offset = step->number.offset;

	return step->kind == RULE_STEP_JUMP ? -1 : farthest(offset, offset) + step->number.count;
}

/* Bytes that the chain can span with a few to spare for \\b and ^; -1: the rule sets no bound. */
static int64_t chain_span(const struct rule_part *part, const struct chain *chain)
{
	int64_t span = 4;

	for (size_t i = chain->first; i < chain->first + chain->count; i++) {
		const struct rule_step *step = &part->steps[i];
		int64_t one = (int64_t)step->len;

		if (step->kind == RULE_STEP_PCRE)
			one = pcre_max_width(step);
		else if (step->kind == RULE_STEP_DATA_AT)
			one = step->lo;
		else if (step->kind >= RULE_STEP_TEST)
			one = number_span(step);
		else if (step->relative)
			one = step->hi == RULESET_NO_LIMIT ? -1 : farthest(step->lo, step->hi);
		if (rule_step_uses_variable(step))
			return -1;
		if (one < 0 && !(step->kind == RULE_STEP_CONTENT && step->relative &&
				 step->hi != RULESET_NO_LIMIT))
			return -1;
		span += one > 0 ? one : 0;
	}
	return span;
}

static uint32_t chain_reach(struct ruleset_tables *t, const struct rule *rule,
			    const struct rule_part *part, const struct chain *chain)
{
	int64_t span = chain_span(part, chain);

	if (span < 0 || span > RULESET_REACH) {
		rule_diag_add(t->diags, RULE_WARNING, part->steps[chain->first].place, rule->sid,
			      "this buffer comes in pieces: what hangs together is found within %d "
			      "bytes around its literal, and this may be longer%s",
			      RULESET_REACH,
			      span < 0 ? "; a bound (within, {n,m}) says how far" : "");
		return RULESET_REACH;
	}
	return span < RULESET_REACH_MIN ? RULESET_REACH_MIN : (uint32_t)span;
}

/* The chains that wait for their own literal: a stream's all, a block's best. */
static bool wants_trigger(const struct rule_part *part, const struct chain *chain,
			  const struct chain *best)
{
	if (rule_part_streams(part))
		return !chain->length;
	return chain == best;
}

static const struct chain *best_chain(const struct chain *chains, size_t count)
{
	const struct chain *best = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct chain *c = &chains[i];

		if (c->negated || (!c->literal.len && !c->regex))
			continue;
		if (!best || c->literal.weight > best->literal.weight)
			best = c;
	}
	return best;
}

static void write_chain(struct ruleset_tables *t, const struct rule *rule,
			const struct rule_part *part, const struct chain *chain,
			const struct chain *best, bool tracked)
{
	bool stream = rule_part_streams(part);
	uint32_t index = (uint32_t)t->chains.count;
	struct ruleset_chain *out = section_add(t, &t->chains);
	struct trigger_list *list = &t->triggers[tables_db(t, part)];

	out->part = (uint32_t)(t->parts.count - 1);
	out->first_step = (uint32_t)t->steps.count;
	out->steps = (uint16_t)chain->count;
	out->tracked = RULESET_UNTRACKED;
	if (chain->negated)
		out->flags |= RULE_CHAIN_NEGATED;
	if (chain->length)
		out->flags |= RULE_CHAIN_LENGTH;
	if (needs_confirmation(part, chain))
		out->flags |= RULE_CHAIN_CONFIRM;
	if (stream && tracked && !chain->length)
		out->tracked = list->tracked++;
	for (size_t i = 0; i < chain->count; i++)
		add_step(t, &part->steps[chain->first + i], i == 0 && chain->negated);
	if (!wants_trigger(part, chain, best))
		return;
	if (!chain->literal.len && !chain->regex) {
		rule_diag_add(t->diags, RULE_ERROR, part->steps[chain->first].place, rule->sid,
			      "nothing here can be looked for in a buffer that comes in pieces: "
			      "the expression needs a literal of two bytes, or less backtracking");
		t->failed = true;
		return;
	}
	if (stream && (out->flags & RULE_CHAIN_CONFIRM)) {
		out->reach = chain_reach(t, rule, part, chain);
		list->reach = out->reach > list->reach ? out->reach : list->reach;
	}
	add_trigger(t, rule, part, chain, index);
}

void tables_add_part(struct ruleset_tables *t, const struct rule *rule,
		     const struct rule_part *part, uint32_t rule_index)
{
	struct trigger_list *list = &t->triggers[tables_db(t, part)];
	uint32_t index = (uint32_t)t->parts.count;
	struct ruleset_part *out = section_add(t, &t->parts);
	bool stream = rule_part_streams(part);
	struct chain *chains;
	const struct chain *best;
	size_t count = split_part(t, part, &chains);

	for (size_t i = 0; i < count; i++)
		choose_trigger(t, rule, part, &chains[i]);
	best = best_chain(chains, count);
	out->rule = rule_index;
	out->buffer = (uint8_t)part->buffer;
	out->db = (uint8_t)tables_db(t, part);
	out->first_chain = (uint32_t)t->chains.count;
	out->chains = (uint16_t)count;
	out->group = part->group;
	t->groups += part->group != 0;
	out->flags = (uint8_t)((part->none ? RULE_PART_NONE : 0) |
			       (part->absent ? RULE_PART_ABSENT : 0));
	for (size_t i = 0; i < count; i++)
		if (stream && (chains[i].negated || chains[i].length))
			out->flags |= RULE_PART_AT_CLOSE;
	if (!best && count) {
		out->flags |= RULE_PART_ALWAYS;
		list->always = arena_grow(&t->arena, list->always, list->always_count,
					  &list->always_capacity, sizeof(*list->always));
		list->always[list->always_count++] = index;
	}
	for (size_t i = 0; i < count; i++)
		write_chain(t, rule, part, &chains[i], best,
			    count > 1 || (out->flags & RULE_PART_AT_CLOSE));
}
