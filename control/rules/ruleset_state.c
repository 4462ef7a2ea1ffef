/* SPDX-License-Identifier: BSD-3-Clause */
/* What rules remember: which bit a flow's name is, and which rules are judged before which. */
#include <string.h>
#include <xxhash.h>

#include "control/rules/ruleset_tables.h"

static bool asks(const struct rule_condition *c)
{
	return c->op == RULE_BIT_ISSET || c->op == RULE_BIT_ISNOTSET;
}

static size_t bit_of(const struct ruleset_tables *t, const char *name)
{
	for (size_t i = 0; i < t->flowbits_count; i++)
		if (!strcmp(t->flowbits[i], name))
			return i;
	return RULESET_FLOWBITS;
}

static void name_add(struct ruleset_tables *t, const struct rule *rule,
		     const struct rule_condition *c, const char *name)
{
	size_t at;

	if (bit_of(t, name) != RULESET_FLOWBITS)
		return;
	if (t->flowbits_count == RULESET_FLOWBITS) {
		rule_diag_add(t->diags, RULE_ERROR, c->place, rule->sid,
			      "flowbits: rules ask for more than %d names: a flow has no room for "
			      "'%s'",
			      RULESET_FLOWBITS, name);
		t->failed = true;
		return;
	}
	/* In the order of the alphabet: the same names are the same bits, wherever they stand. */
	for (at = t->flowbits_count++; at > 0 && strcmp(t->flowbits[at - 1], name) > 0; at--)
		t->flowbits[at] = t->flowbits[at - 1];
	t->flowbits[at] = name;
}

/* A name that nobody asks for needs no bit. */
void tables_name_bits(struct ruleset_tables *t, const struct rule_list *list)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct rule *rule = &list->rules[i];

		for (size_t c = 0; c < rule->conditions_count; c++)
			if (rule->conditions[c].kind == RULE_ON_FLOWBITS &&
			    asks(&rule->conditions[c]))
				for (size_t n = 0; n < rule->conditions[c].names_count; n++)
					name_add(t, rule, &rule->conditions[c],
						 rule->conditions[c].names[n]);
	}
	for (size_t i = 0; i < t->flowbits_count; i++)
		hash = XXH3_64bits_withSeed(t->flowbits[i], strlen(t->flowbits[i]), hash);
	/* A new flow's is 0: its bits are nobody's. */
	t->flowbits_names = (uint32_t)hash | 1;
}

static uint64_t bits_of(const struct ruleset_tables *t, const struct rule_condition *c)
{
	uint64_t bits = 0;

	if (c->kind == RULE_ON_COUNT || c->kind == RULE_ON_RATE)
		return c->extra;
	if (c->kind == RULE_ON_DATASET) /* as in struct ruleset_dataset */
		return XXH3_64bits(c->names[0], strlen(c->names[0])) | 1;
	if (c->kind == RULE_ON_XBITS)
		return XXH3_64bits(c->names[0], strlen(c->names[0]));
	for (size_t n = 0; c->kind == RULE_ON_FLOWBITS && n < c->names_count; n++) {
		size_t bit = bit_of(t, c->names[n]);

		if (bit != RULESET_FLOWBITS)
			bits |= 1ull << bit;
	}
	return bits;
}

void tables_add_conditions(struct ruleset_tables *t, const struct rule *rule,
			   struct ruleset_rule *out)
{
	out->first_condition = (uint32_t)t->conditions.count;
	out->conditions = (uint16_t)rule->conditions_count;
	for (size_t i = 0; i < rule->conditions_count; i++) {
		const struct rule_condition *from = &rule->conditions[i];
		struct ruleset_condition *c = section_add(t, &t->conditions);

		c->kind = (uint8_t)from->kind;
		out->writes |= from->kind == RULE_ON_DATASET;
		c->op = from->op;
		c->track = from->track;
		c->count = from->count;
		c->seconds = from->seconds;
		c->bits = bits_of(t, from);
		if (from->names_count == 1)
			c->name = section_string(t, from->names[0], strlen(from->names[0]));
	}
}

/* What a rule asks for and what it changes: of all flowbits, and of xbits by their hash. */
static bool feeds(const struct rule *from, const struct rule *to)
{
	for (size_t i = 0; i < from->conditions_count; i++) {
		const struct rule_condition *a = &from->conditions[i];

		if (a->kind > RULE_ON_XBITS || asks(a))
			continue;
		for (size_t k = 0; k < to->conditions_count; k++) {
			const struct rule_condition *b = &to->conditions[k];

			for (size_t n = 0; b->kind == a->kind && asks(b) && n < b->names_count; n++)
				if (!strcmp(a->names[0], b->names[n]))
					return true;
		}
	}
	return false;
}

#define ORDERS 16 /* how deep rules may feed each other; what goes in circles ends here */

/* Who asks is judged after who sets. Rules with conditions are few: each is held against each. */
void tables_order_rules(struct ruleset_tables *t, const struct rule_list *list)
{
	struct ruleset_rule *rules = (void *)t->rules.data;
	uint32_t *with = arena_alloc(&t->arena, (list->count + 1) * sizeof(*with));
	size_t count = 0;
	bool changed = true;

	for (size_t i = 0; i < list->count; i++)
		if (list->rules[i].conditions_count)
			with[count++] = (uint32_t)i;
	for (unsigned round = 0; changed && round < ORDERS; round++) {
		changed = false;
		for (size_t a = 0; a < count; a++) {
			for (size_t b = 0; b < count; b++) {
				if (a == b || rules[with[b]].order > rules[with[a]].order ||
				    !feeds(&list->rules[with[a]], &list->rules[with[b]]))
					continue;
				rules[with[b]].order = (uint8_t)(rules[with[a]].order + 1);
				changed = true;
			}
		}
	}
}
