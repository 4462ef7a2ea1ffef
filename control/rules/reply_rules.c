/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rules/reply_rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/rules/ruleset_build.h"

/* Sets may be of millions, and are the dataplane's. */
static bool asks_a_set(const struct rule_part *part)
{
	for (size_t i = 0; i < part->count; i++)
		if (part->steps[i].kind == RULE_STEP_DATASET)
			return true;
	return false;
}

static bool reads_replies_alone(const struct rule *rule)
{
	for (size_t i = 0; i < rule->parts_count; i++)
		if ((rule->parts[i].buffer != RULE_BUFFER_SMTP_REPLY_TEXT &&
		     rule->parts[i].buffer != RULE_BUFFER_SMTP_REPLY_CODE) ||
		    asks_a_set(&rule->parts[i]))
			return false;
	return rule->parts_count > 0;
}

static bool names_block_list(const struct rule *rule)
{
	return rule->action != VERDICT_PASS && !rule->shadow && !rule->noalert && rule->aup &&
	       strcmp(rule->aup, REPLY_RULES_ROW) == 0;
}

bool reply_rule_is(const struct rule *rule)
{
	return !rule->conditions_count && reads_replies_alone(rule) &&
	       (rule->action == VERDICT_PASS || names_block_list(rule));
}

int reply_rules_build(const struct rule_list *list, uint32_t generation, struct db_cache *cache,
		      void **imagep, size_t *sizep)
{
	const struct ruleset_build_options options = {.generation = generation, .cache = cache};
	struct rule_diags diags = {0}; /* they were told of the whole */
	struct rule_list some = *list;
	size_t names = 0;
	int rc = 0;

	*imagep = NULL;
	*sizep = 0;
	some.count = some.datasets_count = 0;
	some.rules = calloc(list->count + 1, sizeof(*some.rules));
	if (!some.rules)
		return -ENOMEM;
	for (size_t i = 0; i < list->count; i++) {
		if (!reply_rule_is(&list->rules[i]))
			continue;
		names += names_block_list(&list->rules[i]);
		some.rules[some.count++] = list->rules[i];
	}
	if (names)
		rc = ruleset_build_with(&some, &options, &diags, imagep, sizep, NULL);
	rule_diags_fini(&diags);
	free(some.rules);
	return rc;
}
