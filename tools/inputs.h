/* SPDX-License-Identifier: BSD-3-Clause */
/* What commands read: a configuration, rules. Mistakes are told on standard error. */
#ifndef POSTERN_TOOLS_INPUTS_H
#define POSTERN_TOOLS_INPUTS_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/policy.h"
#include "control/policy/warmup.h"
#include "control/risk/risk.h"

/* The snapshot of the configuration at `path` (NULL: none, all defaults); NULL: it is not good. */
struct policy *inputs_policy(const char *path);

/* What else the same file says of tenants, by slot. */
struct inputs_tenants {
	struct risk_config risk;
	uint32_t count;
	struct inputs_tenant {
		int risk;              /* enum risk_mode */
		uint64_t since;        /* s since 1970; 0: of old */
		struct warmup *warmup; /* NULL: none */
	} * slot;
};

struct policy *inputs_policy_tenants(const char *path, struct inputs_tenants *tenants);
void inputs_tenants_fini(struct inputs_tenants *tenants);

/* New tenants' limits as they are at `now` (s since 1970); before anybody uses them. */
void inputs_warm(struct policy *policy, const struct inputs_tenants *tenants, uint64_t now);

/*
 * The image of the rules in files and directories; the caller frees it. 0, or 1: they are not
 * good.
 */
int inputs_rules(const char *const *paths, size_t count, uint32_t generation, void **imagep,
		 size_t *sizep);

#endif
