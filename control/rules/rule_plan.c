/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rules/rule_plan.h"

#include <errno.h>
#include <hs.h>
#include <string.h>

#include "control/rules/ruleset_tables.h"

static const struct trigger *trigger_of(const struct ruleset_tables *t, unsigned db, uint32_t chain)
{
	const struct trigger_list *list = &t->triggers[db];

	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].chain == chain)
			return &list->items[i];
	return NULL;
}

static void plan_trigger(struct rule_plan *plan, struct rule_plan_chain *out,
			 const struct trigger *trigger)
{
	out->how = trigger->kind ? PLAN_EXPRESSION : PLAN_LITERAL;
	out->place = trigger->place->place;
	out->text = arena_copy(&plan->arena, trigger->text, trigger->len);
	out->len = trigger->len;
	out->nocase = trigger->nocase;
	out->hs_flags = trigger->flags;
	out->words = trigger->kind == TRIGGER_WORDS;
	out->prefilter = trigger->kind && (trigger->flags & HS_FLAG_PREFILTER);
}

static void plan_chain(const struct ruleset_tables *t, struct rule_plan *plan, uint32_t index)
{
	const struct ruleset_chain *chain =
		&((const struct ruleset_chain *)(const void *)t->chains.data)[index];
	const struct ruleset_part *part =
		&((const struct ruleset_part *)(const void *)t->parts.data)[chain->part];
	struct rule_plan_chain *out = &plan->chains[plan->count++];
	const struct trigger *trigger = trigger_of(t, part->db, index);

	*out = (struct rule_plan_chain){
		.buffer = part->buffer,
		.steps = chain->steps,
		.part = chain->part,
		.negated = chain->flags & RULE_CHAIN_NEGATED,
		.confirm = chain->flags & RULE_CHAIN_CONFIRM,
		.at_close = part->flags & RULE_PART_AT_CLOSE,
		.always = part->flags & RULE_PART_ALWAYS,
		.reach = chain->reach,
	};
	if (trigger)
		plan_trigger(plan, out, trigger);
	else if (chain->flags & RULE_CHAIN_LENGTH)
		out->how = PLAN_LENGTH;
	else
		out->how = part->flags & RULE_PART_ALWAYS ? PLAN_ALWAYS : PLAN_BESIDE;
}

int rule_plan_make(const struct rule *rule, struct rule_plan *plan, struct rule_diags *diags)
{
	struct ruleset_tables t;
	int rc = 0;

	*plan = (struct rule_plan){0};
	tables_init(&t, diags);
	tables_add_rule(&t, rule);
	if (t.failed) {
		rc = -EINVAL;
	} else {
		plan->chains =
			arena_alloc(&plan->arena, (t.chains.count + 1) * sizeof(*plan->chains));
		for (uint32_t i = 0; i < t.chains.count; i++)
			plan_chain(&t, plan, i);
	}
	tables_fini(&t);
	return rc;
}

void rule_plan_fini(struct rule_plan *plan)
{
	arena_fini(&plan->arena);
	*plan = (struct rule_plan){0};
}
