/* SPDX-License-Identifier: BSD-3-Clause */
/* What commands read: a configuration, rules. Mistakes are told on standard error. */
#ifndef POSTERN_TOOLS_INPUTS_H
#define POSTERN_TOOLS_INPUTS_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/policy.h"
#include "control/risk.h"

/* The snapshot of the configuration at `path` (NULL: none, all defaults); NULL: it is not good. */
struct policy *inputs_policy(const char *path);

/* How tenants are scored, by the same file. */
struct inputs_risk {
	struct risk_config config;
	int *mode; /* enum risk_mode by slot; the caller frees it */
};

struct policy *inputs_policy_risk(const char *path, struct inputs_risk *risk);

/*
 * The image of the rules in files and directories; the caller frees it. 0, or 1: they are not
 * good.
 */
int inputs_rules(const char *const *paths, size_t count, uint32_t generation, void **imagep,
		 size_t *sizep);

#endif
