/* SPDX-License-Identifier: BSD-3-Clause */
/* What the child of control/daemon/compile.c does. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/ruleset.h"
#include "control/base/json_fd.h"
#include "control/config/setting_json.h"
#include "control/config/settings_index.h"
#include "control/daemon/compile_work.h"
#include "control/policy/policy_build.h"
#include "control/policy/policy_image.h"
#include "control/policy/warmup.h"
#include "control/risk/risk_json.h"

/* On this process's copy: posternd does the same when the dataplane has taken it all. */
static int assign_slots(struct work *w)
{
	size_t n = w->config->tenants.count;
	struct tenant_slots *slots = (struct tenant_slots *)(uintptr_t)w->job->slots;
	uint32_t *ids = calloc(n + 1, sizeof(*ids));
	int rc = -ENOMEM;

	w->slot_of = calloc(n + 1, sizeof(*w->slot_of));
	for (size_t i = 0; ids && i < n; i++)
		ids[i] = config_tenant_at(w->config, i)->id;
	if (ids && w->slot_of)
		rc = tenant_slots_assign(slots, ids, n, w->job->now, w->slot_of);
	if (rc == -ENOSPC)
		diag_error(&w->diag, w->job->config, 0,
			   "more tenants than there is room for (gate.tenants: %u); a removed "
			   "tenant's place is free again after an hour",
			   slots->count - 1);
	free(ids);
	return rc;
}

static int build_policy(struct work *w)
{
	int rc = 0;

	w->config = config_load(w->job->config, &w->diag);
	if (!w->config)
		return w->diag.errors ? -EINVAL : -errno;
	/* Every mistake at once: lists are read even where the tenants can't have their slots. */
	if (!w->diag.errors)
		rc = assign_slots(w);
	if (rc == -ENOMEM)
		return rc;
	w->policy = rc ? policy_build(w->config, &w->diag)
		       : policy_build_at(w->config, w->slot_of, tenant_slots_end(w->job->slots),
					 &w->diag);
	if (!w->policy)
		return w->diag.errors ? -EINVAL : -errno;
	if (policy_check_room(w->policy, w->config, &w->diag) != 0)
		return -EINVAL;
	w->policy->generation = w->job->generation;
	return rc ? rc : policy_image_build(w->policy, &w->policy_image, &w->policy_size);
}

/* The report */

static void add_problem(json_t *problems, const char *file, unsigned line, unsigned column,
			bool error, const char *text)
{
	json_t *problem;

	if (json_array_size(problems) >= COMPILE_PROBLEMS)
		return;
	problem = json_pack("{s:s*, s:s, s:s*}", "file", file, "severity",
			    error ? "error" : "warning", "message", text);
	if (line)
		json_object_set_new(problem, "line", json_integer(line));
	if (column)
		json_object_set_new(problem, "column", json_integer(column));
	json_array_append_new(problems, problem);
}

static json_t *problems_json(const struct work *w)
{
	json_t *problems = json_array();

	/* Errors first: with a thousand warnings they would not be among those that are told. */
	for (int errors = 1; errors >= 0; errors--) {
		for (size_t i = 0; i < w->diag.count; i++) {
			const struct diag_item *item = &w->diag.items[i];

			if ((item->level == DIAG_ERROR) == errors)
				add_problem(problems, item->file, item->line, 0, errors,
					    item->text);
		}
		for (size_t i = 0; i < w->rule_diags.count; i++) {
			const struct rule_diag *item = &w->rule_diags.list[i];

			if ((item->severity == RULE_ERROR) == errors)
				add_problem(problems, item->place.file, item->place.line,
					    item->place.column, errors, item->message);
		}
	}
	return problems;
}

static json_t *contacts_json(const struct setting_texts *contacts)
{
	json_t *list = contacts->count ? json_array() : NULL;

	for (size_t i = 0; i < contacts->count; i++)
		json_array_append_new(list, json_string(contacts->items[i].text));
	return list;
}

static json_t *tenants_json(const struct work *w)
{
	const struct config *config = w->config;
	json_t *tenants = json_array();

	for (size_t i = 0; i < config->tenants.count; i++) {
		const struct config_tenant *t = config_tenant_at(config, i);

		json_array_append_new(tenants,
				      json_pack("{s:I, s:I, s:s, s:s, s:I, s:s, s:I, s:o*}", "slot",
						(json_int_t)w->slot_of[i], "id", (json_int_t)t->id,
						"name", t->name, "tier", t->tier ? t->tier : "",
						"prefixes", (json_int_t)t->prefixes.count, "risk",
						risk_mode_name(config_risk_of(config, t)), "since",
						(json_int_t)config_since(t), "contacts",
						contacts_json(&t->contacts)));
	}
	return tenants;
}

static json_t *warmup_tiers_json(const struct work *w)
{
	json_t *tiers = json_object();

	for (size_t i = 0; i < w->config->tiers.count; i++) {
		const struct config_tier *tier = config_tier_at(w->config, i);
		struct warmup *warmup = config_warmup(tier);

		if (warmup)
			json_object_set_new(tiers, config_setting_name(tier->where),
					    warmup_json(warmup));
		free(warmup);
	}
	return tiers;
}

static json_t *rule_counts_json(const struct work *w)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "rules", (json_int_t)w->list.count, "shadow",
			 (json_int_t)w->shadow, "disabled", (json_int_t)w->disabled, "literals",
			 (json_int_t)w->stats.literals, "regexes", (json_int_t)w->stats.regexes);
}

static void add_counts(json_t *counts, const struct work *w)
{
	json_int_t prefixes = 0;

	for (size_t i = 0; i < w->config->tenants.count; i++)
		prefixes += (json_int_t)config_tenant_at(w->config, i)->prefixes.count;
	json_object_set_new(counts, "tenants", json_integer((json_int_t)w->config->tenants.count));
	json_object_set_new(counts, "prefixes", json_integer(prefixes));
	json_object_set_new(counts, "tiers", json_integer((json_int_t)w->config->tiers.count));
	json_object_set_new(counts, "list_entries",
			    json_integer((json_int_t)w->policy->list_entries));
}

static void add_rules(json_t *report, const struct work *w)
{
	uint64_t digest = 0;

	if (w->ruleset_image)
		digest = ((const struct ruleset_image *)w->ruleset_image)->checksum;
	json_object_set_new(report, "counts", rule_counts_json(w));
	json_object_set_new(report, "digest", json_sprintf("%016llx", (unsigned long long)digest));
	json_object_set_new(report, "text", json_string(w->digest));
	json_object_set_new(report, "pushed", json_boolean(w->pushed));
	if (w->unstored)
		json_object_set_new(report, "unstored", json_string(strerror(-w->unstored)));
	json_object_set_new(report, "times",
			    json_pack("{s:f, s:f}", "parse_s", (double)w->parse_ns / 1e9,
				      "compile_s", (double)w->stats.build_ns / 1e9));
	if (w->cost.bytes)
		json_object_set_new(report, "cost",
				    json_pack("{s:f, s:f, s:I}", "ns_per_kib", w->cost.low_ns,
					      "gbits_per_core", 8 * 1024 / w->cost.low_ns,
					      "budget_ns_per_kib", (json_int_t)w->budget));
	json_object_set_new(report, "databases",
			    json_pack("{s:I, s:I}", "count", (json_int_t)w->stats.databases,
				      "found", (json_int_t)w->stats.databases_found));
}

static void add_contents(json_t *report, const struct work *w)
{
	const struct risk_config risk = config_risk(w->config);
	json_t *settings = json_object();

	settings_json(settings, "gate", config_gate_settings, w->config);
	settings_json(settings, "budgets", config_budget_settings, w->config);
	json_object_set_new(settings, "lists.optout_grace",
			    json_integer((json_int_t)w->config->optout_grace));
	json_object_set_new(report, "tenants", tenants_json(w));
	json_object_set_new(report, "warmup", warmup_tiers_json(w));
	json_object_set_new(report, "risk", risk_config_json(&risk));
	add_counts(json_object_get(report, "counts"), w);
	json_object_set_new(report, "settings", settings);
	json_object_set_new(report, "blocked",
			    json_integer((json_int_t)w->policy->blocked_list.count));
}

static int write_report(const struct work *w, bool ok, int fd)
{
	json_t *report = json_pack("{s:b, s:I, s:I, s:o}", "ok", ok, "errors",
				   (json_int_t)(w->diag.errors + w->rule_diags.errors), "warnings",
				   (json_int_t)(w->diag.warnings + w->rule_diags.warnings),
				   "problems", problems_json(w));
	int rc;

	if (*w->refused)
		json_object_set_new(report, "refused", json_string(w->refused));
	if (ok)
		add_rules(report, w);
	if (ok && !w->job->rules_only)
		add_contents(report, w);
	rc = json_fd_write(report, fd);
	json_decref(report);
	return rc;
}

static int write_image(int fd, const char *image, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, image + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return errno ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

static int write_prefixes(int fd, const struct prefix_list *list)
{
	return write_image(fd, (const char *)list->items, list->count * sizeof(*list->items));
}

static int write_images(const struct work *w, const struct compile_output *out)
{
	int rc = write_image(out->ruleset, w->ruleset_image, w->ruleset_size);

	if (!rc)
		rc = write_image(out->replies, w->replies_image, w->replies_size);
	if (rc || w->job->rules_only)
		return rc;
	rc = settings_index_write(w->config, out->settings);
	if (!rc)
		rc = write_image(out->policy, w->policy_image, w->policy_size);
	if (!rc)
		rc = write_prefixes(out->prefixes, &w->policy->prefix_list);
	return rc ? rc : write_prefixes(out->prefixes, &w->policy->blocked_list);
}

int compile_files(const struct compile_job *job, const struct compile_output *out)
{
	struct work w = {.job = job};
	int rc = job->rules_only ? 0 : build_policy(&w);
	int rules = w.config || job->rules_only ? work_rules(&w, out->index) : 0;
	bool ok;

	if (!rc)
		rc = rules;
	ok = !rc && !w.diag.errors && !w.rule_diags.errors;
	if (!ok && !w.diag.errors && !w.rule_diags.errors && !*w.refused)
		diag_error(&w.diag, job->config, 0, "%s", strerror(-rc));
	rc = ok ? write_images(&w, out) : 0;
	if (!rc)
		rc = write_report(&w, ok, out->report);
	free(w.policy_image);
	free(w.ruleset_image);
	free(w.replies_image);
	free(w.slot_of);
	policy_free(w.policy);
	rules_text_fini(&w.text);
	rule_list_fini(&w.list);
	rule_diags_fini(&w.rule_diags);
	config_free(w.config);
	diag_fini(&w.diag);
	return rc;
}
