/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/inputs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/config/config_tenant.h"
#include "control/policy/policy_build.h"
#include "control/rules/rule_diag.h"
#include "control/rules/ruleset_build.h"

static int read_tenant(const struct config *config, size_t i, struct inputs_tenant *to)
{
	const struct config_tenant *t = config_tenant_at(config, i);
	const struct config_tier *tier = t->tier ? config_tier_find(config, t->tier) : NULL;

	to->risk = config_risk_of(config, t);
	to->since = config_since(t);
	to->warmup = to->since && tier ? config_warmup(tier) : NULL;
	return to->since && tier && tier->warmup.count && !to->warmup ? -ENOMEM : 0;
}

static int read_tenants(const struct config *config, const struct policy *policy,
			struct inputs_tenants *tenants)
{
	int rc = 0;

	tenants->risk = config_risk(config);
	tenants->count = policy->slot_count;
	tenants->slot = calloc(policy->slot_count, sizeof(*tenants->slot));
	if (!tenants->slot)
		return -ENOMEM;
	/* policy_build() gives slots in the order of the file. */
	for (size_t i = 0; i < config->tenants.count && !rc; i++)
		rc = read_tenant(config, i, &tenants->slot[config_tenant_slot(i)]);
	return rc;
}

void inputs_tenants_fini(struct inputs_tenants *tenants)
{
	for (uint32_t slot = 0; tenants->slot && slot < tenants->count; slot++)
		free(tenants->slot[slot].warmup);
	free(tenants->slot);
	tenants->slot = NULL;
}

void inputs_warm(struct policy *policy, const struct inputs_tenants *tenants, uint64_t now)
{
	for (uint32_t slot = 1; slot < policy->slot_count; slot++) {
		const struct inputs_tenant *t = &tenants->slot[slot];

		warmup_apply(warmup_step_at(t->warmup, t->since, now), 0, &policy->slots[slot]);
	}
}

struct policy *inputs_policy(const char *path)
{
	return inputs_policy_tenants(path, NULL);
}

struct policy *inputs_policy_tenants(const char *path, struct inputs_tenants *tenants)
{
	struct diag diag = {0};
	struct config *config = config_load(path, &diag);
	struct policy *policy = NULL;

	if (config && !diag.errors)
		policy = policy_build(config, &diag);
	diag_print(&diag, stderr);
	if (!policy && !diag.errors)
		fprintf(stderr, "postern: %s: %s\n", path ? path : "configuration",
			strerror(errno));
	if (policy && !diag.errors && tenants && read_tenants(config, policy, tenants) != 0) {
		fprintf(stderr, "postern: %s\n", strerror(ENOMEM));
		policy_free(policy);
		policy = NULL;
	}
	if (diag.errors) {
		policy_free(policy);
		policy = NULL;
	}
	config_free(config);
	diag_fini(&diag);
	return policy;
}

int inputs_rules(const char *const *paths, size_t count, uint32_t generation, void **imagep,
		 size_t *sizep)
{
	struct rule_list list = {0};
	struct rule_diags diags = {0};
	int rc = 0;

	for (size_t i = 0; i < count; i++)
		rules_load_path(&list, &diags, NULL, paths[i]);
	if (!diags.errors)
		rc = ruleset_build(&list, generation, &diags, imagep, sizep, NULL);
	if (rc == -ENOMEM)
		fprintf(stderr, "postern: not enough memory for the rules\n");
	for (size_t i = 0; i < diags.count; i++)
		rule_diag_print(stderr, &diags.list[i]);
	if (diags.errors)
		rc = -EINVAL;
	rule_list_fini(&list);
	rule_diags_fini(&diags);
	return rc ? 1 : 0;
}
