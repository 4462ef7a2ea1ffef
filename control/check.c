/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/check.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "control/policy_build.h"

static void count(FILE *out, uint64_t n, const char *one, const char *many)
{
	fprintf(out, ", %" PRIu64 " %s", n, n == 1 ? one : many);
}

static uint64_t prefix_count(const struct config *config)
{
	uint64_t n = 0;

	for (size_t i = 0; i < config->tenants.count; i++)
		n += config_tenant_at(config, i)->prefixes.count;
	return n;
}

static void print_contents(FILE *out, const char *path, const struct config *config,
			   const struct policy *policy)
{
	fprintf(out, "%s: good", path);
	count(out, config->tenants.count, "tenant", "tenants");
	count(out, prefix_count(config), "prefix", "prefixes");
	count(out, config->tiers.count, "tier", "tiers");
	count(out, policy->lists.count, "list entry", "list entries");
	fputc('\n', out);
}

int check_config(const char *path, FILE *out)
{
	struct diag diag = {0};
	struct config *config = config_load(path, &diag);
	struct policy *policy = config ? policy_build(config, &diag) : NULL;
	int result = policy ? 0 : 1;

	if (!policy && !diag.errors)
		diag_error(&diag, path, 0, "%s", strerror(errno));
	diag_print(&diag, out);
	if (policy)
		print_contents(out, path, config, policy);
	else
		fprintf(out, "%s: %zu error%s\n", path, diag.errors, diag.errors == 1 ? "" : "s");
	policy_free(policy);
	config_free(config);
	diag_fini(&diag);
	return result;
}
