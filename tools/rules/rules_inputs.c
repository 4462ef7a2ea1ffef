/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rules/rules_inputs.h"

#include "control/rules/ruleset_build.h"

void rules_inputs_load(char *const *paths, int count, struct rule_list *rules,
		       struct sample_list *samples, struct rule_diags *diags)
{
	for (int i = 0; i < count; i++) {
		rules_load_path(rules, diags, NULL, paths[i]);
		samples_load_path(samples, diags, paths[i]);
	}
}
