/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parts that say the same of the same traffic are one fact. A transaction
 * remembers few, and hundreds of rules may begin with one and the same
 * (`sip.method; content:"INVITE";`).
 */
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "control/rules/ruleset_tables.h"

#define TEXT_MAX 4096 /* of a part whose fact is looked for */

struct text {
	uint8_t bytes[TEXT_MAX];
	size_t len;
	bool failed; /* it is longer, or no two of its kind are the same */
};

struct fact {
	uint32_t part; /* 1 + its number; 0: free */
	size_t len;
	const void *text; /* the arena's */
};

static void text_add(struct text *x, const void *bytes, size_t len)
{
	if (len > sizeof(x->bytes) - x->len) {
		x->failed = true;
		return;
	}
	memcpy(x->bytes + x->len, bytes, len);
	x->len += len;
}

static void text_add_string(struct text *x, const struct ruleset_tables *t, struct ruleset_str s)
{
	text_add(x, &s.len, sizeof(s.len));
	text_add(x, t->strings.data + s.offset, s.len);
}

/* Numbers have names that are the rule's: those stay its own. */
static void describe_step(struct text *x, const struct ruleset_tables *t,
			  const struct ruleset_step *step)
{
	const int32_t what[] = {step->kind, step->flags, step->lo, step->hi};
	const struct ruleset_pcre *pcres = (const void *)t->pcres.data;

	text_add(x, what, sizeof(what));
	text_add_string(x, t, step->text);
	x->failed |= step->kind >= RULE_STEP_TEST || step->lo_var || step->hi_var;
	if (step->kind == RULE_STEP_DATASET)
		text_add(x, &step->index, sizeof(step->index));
	if (step->kind != RULE_STEP_PCRE)
		return;
	text_add(x, &pcres[step->index].options, sizeof(pcres[step->index].options));
	text_add_string(x, t, pcres[step->index].source);
}

static void describe_part(struct text *x, const struct ruleset_tables *t,
			  const struct ruleset_part *part)
{
	const struct ruleset_rule *rules = (const void *)t->rules.data;
	const struct ruleset_chain *chains = (const void *)t->chains.data;
	const struct ruleset_step *steps = (const void *)t->steps.data;
	const uint32_t what[] = {
		rules[part->rule].scope,     part->buffer, part->db, part->chains, part->group != 0,
		part->flags & RULE_PART_NONE};

	x->len = 0;
	x->failed = false;
	text_add(x, what, sizeof(what));
	for (uint32_t c = part->first_chain; c < part->first_chain + part->chains; c++) {
		const uint32_t chain[] = {chains[c].flags & RULE_CHAIN_NEGATED, chains[c].steps};

		text_add(x, chain, sizeof(chain));
		for (uint32_t s = 0; s < chains[c].steps; s++)
			describe_step(x, t, &steps[chains[c].first_step + s]);
	}
}

/* The place of what reads the same, or a free one. */
static struct fact *fact_find(struct fact *facts, size_t mask, const struct text *x)
{
	size_t at = XXH3_64bits(x->bytes, x->len) & mask;

	while (facts[at].part &&
	       (facts[at].len != x->len || memcmp(facts[at].text, x->bytes, x->len) != 0))
		at = (at + 1) & mask;
	return &facts[at];
}

void tables_share_facts(struct ruleset_tables *t)
{
	const struct ruleset_rule *rules = (const void *)t->rules.data;
	struct ruleset_part *parts = (void *)t->parts.data;
	size_t room = 16;
	struct fact *facts;
	struct text *x;

	for (uint32_t i = 0; i < t->parts.count; i++)
		parts[i].fact = i;
	while (room < 2 * t->parts.count)
		room *= 2;
	facts = calloc(room, sizeof(*facts));
	x = malloc(sizeof(*x));
	for (uint32_t i = 0; facts && x && i < t->parts.count; i++) {
		struct fact *fact;

		if (rules[parts[i].rule].parts == 1)
			continue;
		describe_part(x, t, &parts[i]);
		if (x->failed)
			continue;
		fact = fact_find(facts, room - 1, x);
		if (fact->part)
			parts[i].fact = fact->part - 1;
		else
			*fact = (struct fact){i + 1, x->len,
					      arena_copy(&t->arena, x->bytes, x->len)};
	}
	free(x);
	free(facts);
}
