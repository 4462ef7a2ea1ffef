/* SPDX-License-Identifier: BSD-3-Clause */
/* How a rule is looked for, in words. */
#ifndef POSTERN_TOOLS_EXPLAIN_PLAN_H
#define POSTERN_TOOLS_EXPLAIN_PLAN_H

#include "control/rules/rule_plan.h"
#include "tools/rules/rules_lines.h"

void explain_plan(const struct rules_lines *out, const struct rule *rule,
		  const struct rule_plan *plan);
/* A list, by chain; the caller's. */
json_t *explain_plan_json(const struct rule *rule, const struct rule_plan *plan);

#endif
