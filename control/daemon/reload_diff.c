/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/reload_diff.h"

#include <string.h>

struct names {
	json_int_t count;
	json_t *list;
};

static void names_add(struct names *names, json_t *name)
{
	names->count++;
	if (json_array_size(names->list) < DIFF_NAMES)
		json_array_append_new(names->list, name);
	else
		json_decref(name);
}

static json_t *names_json(const struct names *names, const char *what)
{
	return json_pack("{s:I, s:o}", "count", names->count, what, names->list);
}

/* Places are compared by id: one that a tenant left may be another's by now. */
static bool is_same(const struct roster_tenant *a, const struct roster_tenant *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->tier, b->tier) == 0 &&
	       a->prefixes == b->prefixes && a->since == b->since &&
	       memcmp(&a->base, &b->base, sizeof(a->base)) == 0;
}

static json_t *tenants_json(const struct roster *old, const struct roster *next)
{
	struct names added = {0, json_array()}, removed = {0, json_array()},
		     changed = {0, json_array()};
	uint32_t end = old && old->count > next->count ? old->count : next->count;

	/* A tenant keeps its slot over configurations (control/policy/tenant_slots.h). */
	for (uint32_t i = 1; i < end; i++) {
		const struct roster_tenant *a =
			old && i < old->count && old->tenant[i].id ? &old->tenant[i] : NULL;
		const struct roster_tenant *b =
			i < next->count && next->tenant[i].id ? &next->tenant[i] : NULL;

		if (a && b && a->id == b->id) {
			if (!is_same(a, b))
				names_add(&changed, json_string(b->name));
			continue;
		}
		if (a)
			names_add(&removed, json_string(a->name));
		if (b)
			names_add(&added, json_string(b->name));
	}
	return json_pack("{s:o, s:o, s:o}", "added", names_json(&added, "names"), "removed",
			 names_json(&removed, "names"), "changed", names_json(&changed, "names"));
}

static void on_change(void *ctx, enum rule_change change, uint32_t sid)
{
	struct names *names = ctx;

	names_add(&names[change], json_integer((json_int_t)sid));
}

static json_t *rules_json(const struct roster *old, const struct roster *next)
{
	static const struct rule_index none = {.strings = ""};
	struct names names[RULE_CHANGES];
	const json_t *before = old ? json_object_get(old->compiled->report, "digest") : NULL;

	for (int i = 0; i < RULE_CHANGES; i++)
		names[i] = (struct names){0, json_array()};
	rule_index_compare(old ? &old->index : &none, &next->index, on_change, names);
	return json_pack("{s:o, s:o, s:o, s:b}", "added", names_json(&names[RULE_ADDED], "sids"),
			 "removed", names_json(&names[RULE_REMOVED], "sids"), "modified",
			 names_json(&names[RULE_CHANGED], "sids"), "changed",
			 !json_equal(before, json_object_get(next->compiled->report, "digest")));
}

static json_t *settings_json(const struct roster *old, const struct roster *next)
{
	const json_t *before = old ? json_object_get(old->compiled->report, "settings") : NULL;
	json_t *after = json_object_get(next->compiled->report, "settings"),
	       *changed = json_array();
	const char *name;
	json_t *value;

	json_object_foreach(after, name, value)
	{
		if (before && !json_equal(value, json_object_get(before, name)))
			json_array_append_new(changed, json_string(name));
	}
	return changed;
}

json_t *reload_changes(const struct roster *old, const struct roster *next)
{
	return json_pack("{s:o, s:o, s:o}", "tenants", tenants_json(old, next), "rules",
			 rules_json(old, next), "settings", settings_json(old, next));
}

/* What a reload puts into force is none's; the rest is read once, by one of the two. */
static const char *reader_of(const char *setting)
{
	static const char *const at_once[] = {
		"gate.rules",
		"gate.failure",
		"gate.heartbeat",
		"gate.close_after",
		"gate.retention.cases",
		"gate.retention.evidence",
		"gate.retention.reports",
		"gate.retention.scores",
		"gate.flow_verdicts",
		"gate.compile_time",
		"gate.compile_memory",
		"gate.rules_budget",
		"gate.rules_over_budget",
		"lists.optout_grace",
	};
	static const char *const dataplane[] = {
		"gate.inside",      "gate.outside",   "gate.mode",
		"gate.workers",     "gate.cpus",      "gate.tenants",
		"gate.first_queue", "gate.dataplane", "gate.xdp_program"};

	for (size_t i = 0; i < sizeof(at_once) / sizeof(at_once[0]); i++)
		if (strcmp(setting, at_once[i]) == 0)
			return NULL;
	for (size_t i = 0; i < sizeof(dataplane) / sizeof(dataplane[0]); i++)
		if (strcmp(setting, dataplane[i]) == 0)
			return "both";
	return strncmp(setting, "budgets.", 8) == 0 ? "postern-dataplane" : "posternd";
}

bool reload_is_dataplanes(const char *setting)
{
	const char *reader = reader_of(setting);

	return reader && strcmp(reader, "postern-dataplane") == 0;
}

json_t *reload_restarts(const json_t *started, const struct roster *next)
{
	json_t *after = json_object_get(next->compiled->report, "settings"), *list = json_array();
	const char *name;
	json_t *value;

	json_object_foreach(after, name, value)
	{
		const char *reader = reader_of(name);

		if (reader && !json_equal(value, json_object_get(started, name)))
			json_array_append_new(
				list, json_pack("{s:s, s:s}", "setting", name, "restart", reader));
	}
	return list;
}
