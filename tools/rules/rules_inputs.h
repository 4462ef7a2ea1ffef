/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules and their samples, of files and directories that a command was given. */
#ifndef POSTERN_TOOLS_RULES_INPUTS_H
#define POSTERN_TOOLS_RULES_INPUTS_H

#include "control/rules/samples.h"

/* Every mistake is in `diags`. */
void rules_inputs_load(char *const *paths, int count, struct rule_list *rules,
		       struct sample_list *samples, struct rule_diags *diags);

#endif
