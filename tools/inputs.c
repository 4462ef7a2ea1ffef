/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/inputs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/config_tenant.h"
#include "control/policy_build.h"
#include "control/rule_diag.h"
#include "control/ruleset_build.h"

static int read_risk(const struct config *config, const struct policy *policy,
		     struct inputs_risk *risk)
{
	risk->config = config_risk(config);
	risk->mode = calloc(policy->slot_count, sizeof(*risk->mode));
	if (!risk->mode)
		return -ENOMEM;
	/* policy_build() gives slots in the order of the file. */
	for (size_t i = 0; i < config->tenants.count; i++)
		risk->mode[config_tenant_slot(i)] =
			config_risk_of(config, config_tenant_at(config, i));
	return 0;
}

struct policy *inputs_policy(const char *path)
{
	return inputs_policy_risk(path, NULL);
}

struct policy *inputs_policy_risk(const char *path, struct inputs_risk *risk)
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
	if (policy && !diag.errors && risk && read_risk(config, policy, risk) != 0) {
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
