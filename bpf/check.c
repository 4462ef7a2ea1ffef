/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
#include "bpf/check.h"

const struct policy_check_info policy_checks[POLICY_CHECK_COUNT] = {
#define X(id, row, verdict) {row, REASON_##id, VERDICT_##verdict},
	POLICY_CHECKS(X)
#undef X
};

enum policy_check policy_check_of(enum reason reason)
{
	unsigned i = 0;

	while (i < POLICY_CHECK_COUNT && policy_checks[i].reason != reason)
		i++;
	return (enum policy_check)i;
}
