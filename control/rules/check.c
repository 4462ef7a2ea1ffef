/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rules/check.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "control/policy/policy_build.h"
#include "control/rules/rule_diag.h"
#include "control/rules/ruleset_build.h"

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
			   const struct policy *policy, size_t rules)
{
	fprintf(out, "%s: good", path);
	count(out, config->tenants.count, "tenant", "tenants");
	count(out, prefix_count(config), "prefix", "prefixes");
	count(out, config->tiers.count, "tier", "tiers");
	count(out, policy->list_entries, "list entry", "list entries");
	count(out, rules, "rule", "rules");
	fputc('\n', out);
}

static void read_rules(const struct config *config, struct diag *diag, struct rule_list *list,
		       struct rule_diags *diags)
{
	const struct setting_texts *paths = &config->gate.rules;
	char path[PATH_MAX];

	for (size_t i = 0; i < paths->count; i++) {
		int rc = config_path(paths->items[i].where, paths->items[i].text, path,
				     sizeof(path));

		if (rc)
			setting_error(diag, paths->items[i].where, "%s", strerror(-rc));
		else
			rules_load_path(list, diags, NULL, path);
	}
}

/* Compiled, too, so that a push finds nothing new. */
static int check_rules(const struct config *config, struct diag *diag, struct rule_diags *diags,
		       size_t *rules)
{
	struct rule_list list = {0};
	void *image = NULL;
	size_t size;
	int rc = 0;

	read_rules(config, diag, &list, diags);
	if (diags->errors || diag->errors)
		rc = -EINVAL;
	else if (list.count)
		rc = ruleset_build(&list, 1, diags, &image, &size, NULL);
	*rules = list.count;
	free(image);
	rule_list_fini(&list);
	return rc;
}

int check_config(const char *path, FILE *out)
{
	struct diag diag = {0};
	struct rule_diags diags = {0};
	struct config *config = config_load(path, &diag);
	struct policy *policy = config ? policy_build(config, &diag) : NULL;
	int rc = policy ? 0 : -errno, rules_rc;
	size_t rules = 0, errors;

	if (policy)
		rc = policy_check_room(policy, config, &diag);
	rules_rc = config ? check_rules(config, &diag, &diags, &rules) : 0;
	rc = rc ? rc : rules_rc;
	if (rc && !diag.errors && !diags.errors)
		diag_error(&diag, path, 0, "%s", strerror(-rc));
	diag_print(&diag, out);
	for (size_t i = 0; i < diags.count; i++)
		rule_diag_print(out, &diags.list[i]);
	errors = diag.errors + diags.errors;
	if (!rc)
		print_contents(out, path, config, policy, rules);
	else
		fprintf(out, "%s: %zu error%s\n", path, errors, errors == 1 ? "" : "s");
	policy_free(policy);
	config_free(config);
	rule_diags_fini(&diags);
	diag_fini(&diag);
	return rc ? 1 : 0;
}
