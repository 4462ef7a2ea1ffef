/* SPDX-License-Identifier: BSD-3-Clause */
/* What `postern rules push` does before it asks posternd. */
#ifndef POSTERN_TOOLS_RULES_PUSH_TEST_H
#define POSTERN_TOOLS_RULES_PUSH_TEST_H

#include <stddef.h>

#include "control/rules/rule.h"

struct rules_push_tested {
	size_t samples; /* 0: there are none */
	double seconds;
};

/*
 * Runs the samples beside the rules, which were read from the paths. 0: all as they say; 1: a
 * mistake or a failed sample, told on standard error.
 */
int rules_push_test(const struct rule_list *rules, char *const *paths, int count,
		    struct rules_push_tested *tested);

#endif
