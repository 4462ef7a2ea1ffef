/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/policy/policy_show.h"

#include <string.h>

#include "bpf/check.h"
#include "control/daemon/daemon.h"
#include "control/daemon/tenant_change.h"
#include "control/risk/risk_json.h"

#define PATH_SIZE        256
#define SETTINGS_AT_ONCE 2000 /* settings in an answer */

/* Where a setting comes from: "default", or a place in a file. */
static json_t *place_json(const struct settings_index *s, const struct settings_row *row)
{
	if (!row || !row->line)
		return json_string("default");
	return json_sprintf("%s:%u", settings_text(s, row->file), row->line);
}

static const struct settings_row *find(const struct daemon *d, const char *format, const char *a,
				       const char *b)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), format, a, b);
	return settings_index_find(&d->roster->settings, path);
}

static json_t *setting_json(const struct settings_index *s, const struct settings_row *row)
{
	return json_pack("{s:s, s:s, s:o}", "setting", settings_text(s, row->path), "value",
			 settings_text(s, row->value), "from", place_json(s, row));
}

/* All below a name: "risk." */
static json_t *settings_below(const struct daemon *d, const char *prefix)
{
	const struct settings_index *s = &d->roster->settings;
	json_t *list = json_array();

	for (size_t i = settings_index_from(s, prefix); i < s->count; i++) {
		if (strncmp(settings_text(s, s->row[i].path), prefix, strlen(prefix)) != 0)
			break;
		json_array_append_new(list, setting_json(s, &s->row[i]));
	}
	return list;
}

/* Checks */

static json_t *check_json(const struct daemon *d, unsigned check)
{
	const struct settings_index *s = &d->roster->settings;
	const char *name = reason_name(policy_checks[check].reason);
	const struct settings_row *row = find(d, "policy.actions.%s%s", name, "");

	return json_pack("{s:s, s:s, s:s, s:o}", "name", name, "row", policy_checks[check].row,
			 "action", row ? settings_text(s, row->value) : "", "from",
			 place_json(s, row));
}

static json_t *checks_json(const struct daemon *d, const struct tenant_slot *slot)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < POLICY_CHECK_COUNT; i++) {
		json_t *check = check_json(d, i);

		if (slot)
			json_object_set_new(check, "shadow",
					    json_boolean(slot->shadow_checks >> i & 1));
		json_array_append_new(list, check);
	}
	return list;
}

/* Limits */

/* A limit as the configuration has it: the tenant's own, its tier's, or none. */
struct source {
	const struct settings_row *row;
	const char *from; /* "tenant", "tier", "none" */
};

static struct source source_of(const struct daemon *d, const struct roster_tenant *t,
			       const char *limit)
{
	const struct settings_row *row = find(d, "tenants.%s.limits.%s", t->name, limit);

	if (row)
		return (struct source){row, "tenant"};
	row = *t->tier ? find(d, "tiers.%s.%s", t->tier, limit) : NULL;
	return (struct source){row, row ? "tier" : "none"};
}

static json_t *source_json(const struct daemon *d, const struct source *source)
{
	const struct settings_index *s = &d->roster->settings;

	if (!source->row)
		return json_pack("{s:s, s:s}", "value", "unlimited", "from", source->from);
	return json_pack("{s:s, s:s, s:o}", "value", settings_text(s, source->row->value), "from",
			 source->from, "place", place_json(s, source->row));
}

/* The tenant's slot as one thing after another makes it. */
struct stages {
	struct tenant_slot set, warm, last; /* with commands; with warm-up; with the score */
};

static struct stages stages_of(const struct daemon *d, uint32_t slot, const struct override *o)
{
	const struct roster_tenant *t = &d->roster->tenant[slot];
	struct stages s = {.set = tenant_effective(&t->base, o)};

	s.warm = s.set;
	warmup_apply(warmup_step_at(t->warmup, t->since, daemon_time() / 1000000000),
		     override_limits(o), &s.warm);
	s.last = daemon_effective(d, d->roster, slot);
	return s;
}

static bool differ(const struct tenant_slot *a, const struct tenant_slot *b, unsigned limit)
{
	return memcmp(&a->limit[limit], &b->limit[limit], sizeof(a->limit[limit])) != 0;
}

static json_t *lowered_json(bool warm, bool risk)
{
	json_t *by = json_array();

	if (warm)
		json_array_append_new(by, json_string("warmup"));
	if (risk)
		json_array_append_new(by, json_string("risk"));
	return by;
}

static json_t *limit_json(const struct daemon *d, uint32_t slot, unsigned limit,
			  const struct override *o, const struct stages *s)
{
	const struct source source =
		source_of(d, &d->roster->tenant[slot], tenant_limit_name(limit));
	json_t *object = source_json(d, &source);
	char text[VALUE_TEXT];

	json_object_set_new(object, "name", json_string(tenant_limit_name(limit)));
	if (o && o->limit[limit].state != RATE_UNSET) {
		json_object_set_new(object, "value",
				    json_string(rate_text(&o->limit[limit], text)));
		json_object_set_new(object, "from", json_string("command"));
		json_object_del(object, "place");
	}
	json_object_set_new(
		object, "lowered_by",
		lowered_json(differ(&s->set, &s->warm, limit), differ(&s->warm, &s->last, limit)));
	json_object_set_new(object, "in_force", tenant_limit_json(&d->slots.slot[slot], limit));
	return object;
}

/* What holds for all where neither the tenant nor its tier says anything. */
static struct source source_or(const struct daemon *d, uint32_t slot, const char *name,
			       const char *gate_wide)
{
	const struct source source = source_of(d, &d->roster->tenant[slot], name);

	return source.row ? source : (struct source){find(d, "%s%s", gate_wide, ""), "gate"};
}

static void put_command(json_t *object, json_t *value)
{
	json_object_set_new(object, "value", value);
	json_object_set_new(object, "from", json_string("command"));
	json_object_del(object, "place");
}

static json_t *count_json(const struct daemon *d, uint32_t slot, enum tenant_count which,
			  const struct override *o, const struct stages *s)
{
	const char *name = tenant_count_name(which);
	const struct source source = which == COUNT_SAME_BODY
					     ? source_or(d, slot, name, "policy.mail.same_body")
					     : source_of(d, &d->roster->tenant[slot], name);
	const uint32_t live = tenant_count_get(&d->slots.slot[slot], which);
	json_t *object = source_json(d, &source);

	json_object_set_new(object, "name", json_string(name));
	if (o && o->count[which].state == RATE_LIMITED)
		put_command(object,
			    json_sprintf("%llu", (unsigned long long)o->count[which].count));
	else if (o && o->count[which].state == RATE_UNLIMITED)
		put_command(object, json_string("unlimited"));
	json_object_set_new(
		object, "lowered_by",
		lowered_json(tenant_count_get(&s->set, which) != tenant_count_get(&s->warm, which),
			     false));
	json_object_set_new(object, "in_force",
			    json_pack("{s:o}", "count", live ? json_integer(live) : json_null()));
	return object;
}

/* Of each domain; warm-up and score leave it alone. */
static json_t *per_domain_json(const struct daemon *d, uint32_t slot, const struct override *o)
{
	const char *name = tenant_limit_name(OVERRIDE_PER_DOMAIN);
	const struct source source = source_or(d, slot, name, "policy.mail.per_domain");
	json_t *object = source_json(d, &source);
	char text[VALUE_TEXT];

	json_object_set_new(object, "name", json_string(name));
	if (o && o->limit[OVERRIDE_PER_DOMAIN].state != RATE_UNSET)
		put_command(object, json_string(rate_text(&o->limit[OVERRIDE_PER_DOMAIN], text)));
	json_object_set_new(object, "lowered_by", json_array());
	json_object_set_new(object, "in_force", tenant_per_domain_json(&d->slots.slot[slot]));
	return object;
}

/* Tenants, tiers, all */

static json_t *warmup_state_json(const struct roster_tenant *t)
{
	const uint64_t now = daemon_time() / 1000000000;
	const struct warmup_step *step = warmup_step_at(t->warmup, t->since, now);
	const uint64_t age = now > t->since ? now - t->since : 0;
	json_t *object;

	if (!t->warmup)
		return json_null();
	object = json_pack("{s:I, s:f, s:b}", "since", (json_int_t)t->since, "age_days",
			   (double)age / (double)WARMUP_DAY, "passed", !step);
	if (step) {
		json_object_set_new(object, "step", json_integer(step - t->warmup->step + 1));
		json_object_set_new(object, "steps", json_integer(t->warmup->count));
		json_object_set_new(
			object, "until",
			json_integer((json_int_t)warmup_next(t->warmup, t->since, now)));
	}
	return object;
}

static const char *state_source(const struct daemon *d, uint32_t slot, const struct override *o)
{
	if (o && o->suspended)
		return "command";
	if (d->roster->tenant[slot].base.state == TENANT_SUSPENDED)
		return "configuration";
	return risk_run_suspends(d, slot) ? "risk" : "";
}

static json_t *tenant_policy_json(const struct daemon *d, uint32_t slot)
{
	const struct roster_tenant *t = &d->roster->tenant[slot];
	const struct override *o = state_find(d->state, t->id);
	const struct stages s = stages_of(d, slot, o);
	const struct settings_row *risk = find(d, "tenants.%s.%s", t->name, "risk");
	const bool own = risk && risk->line &&
			 strcmp(settings_text(&d->roster->settings, risk->value), "gate") != 0;
	json_t *limits = json_array();

	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		json_array_append_new(limits, limit_json(d, slot, i, o, &s));
	for (unsigned i = 0; i < COUNT_KINDS; i++)
		json_array_append_new(limits, count_json(d, slot, (enum tenant_count)i, o, &s));
	json_array_append_new(limits, per_domain_json(d, slot, o));
	if (!own)
		risk = find(d, "risk.%s%s", "mode", "");
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:{s:s, s:o, s:s}}", "id",
			 (json_int_t)t->id, "name", t->name, "tier", t->tier, "state",
			 s.last.state == TENANT_SUSPENDED ? "suspended" : "active", "state_from",
			 state_source(d, slot, o), "limits", limits, "checks",
			 checks_json(d, &d->slots.slot[slot]), "warmup", warmup_state_json(t),
			 "risk", "mode", risk_mode_name(t->risk), "from",
			 place_json(&d->roster->settings, risk), "level",
			 risk_level_name(slot < d->risk.board.count
						 ? (enum risk_level)d->risk.board.tenant[slot].level
						 : RISK_LEVEL_NONE));
}

/* The tiers that there are, and what each says. */
static json_t *tiers_json(const struct daemon *d, const char *only)
{
	json_t *tiers = json_object(), *tier;
	const struct settings_index *s = &d->roster->settings;
	const char *name;

	for (size_t i = settings_index_from(s, "tiers."); i < s->count; i++) {
		const char *path = settings_text(s, s->row[i].path);
		char of[PATH_SIZE];

		if (strncmp(path, "tiers.", 6) != 0)
			break;
		snprintf(of, sizeof(of), "%s", path + 6);
		of[strcspn(of, ".")] = '\0';
		if (only && strcmp(of, only) != 0)
			continue;
		if (!json_object_get(tiers, of))
			json_object_set_new(tiers, of,
					    json_pack("{s:[], s:i}", "settings", "tenants", 0));
		tier = json_object_get(tiers, of);
		json_array_append_new(json_object_get(tier, "settings"),
				      setting_json(s, &s->row[i]));
	}
	json_object_foreach(tiers, name, tier)
	{
		json_int_t n = 0;

		for (uint32_t slot = 1; slot < d->roster->count; slot++)
			n += d->roster->tenant[slot].id &&
			     strcmp(d->roster->tenant[slot].tier, name) == 0;
		json_object_set_new(tier, "tenants", json_integer(n));
	}
	return tiers;
}

enum command_outcome run_policy(struct request *r, json_t **result)
{
	const struct daemon *d = r->daemon;
	const char *tier = request_text(r, "tier");
	json_t *tiers;
	uint32_t slot;

	if (!d->roster)
		return request_error(r, "not_ready", "no configuration is in force yet");
	if (request_text(r, "tenant")) {
		slot = request_tenant(r);
		if (!slot)
			return COMMAND_FAILED;
		*result = json_pack("{s:I, s:o}", "generation",
				    (json_int_t)d->roster->compiled->generation, "tenant",
				    tenant_policy_json(d, slot));
		return COMMAND_DONE;
	}
	tiers = tiers_json(d, tier);
	if (tier && !json_object_size(tiers)) {
		json_decref(tiers);
		return request_error(r, "no_such_tier", "no tier with a limit is called \"%s\"",
				     tier);
	}
	*result = json_pack("{s:I, s:o}", "generation", (json_int_t)d->roster->compiled->generation,
			    "tiers", tiers);
	if (!tier)
		json_object_update_new(*result,
				       json_pack("{s:o, s:o, s:o}", "checks", checks_json(d, NULL),
						 "policy", settings_below(d, "policy."), "risk",
						 settings_below(d, "risk.")));
	return COMMAND_DONE;
}

/* What was decided by command, as if it had been written. */
static void add_overrides(const struct daemon *d, json_t *list)
{
	char path[PATH_SIZE];

	for (uint32_t slot = 1; slot < d->roster->count; slot++) {
		const struct roster_tenant *t = &d->roster->tenant[slot];
		const struct override *o = t->id ? state_find(d->state, t->id) : NULL;
		json_t *limits = o ? override_limits_json(o) : NULL, *value;
		const char *name;

		json_object_foreach(limits, name, value)
		{
			snprintf(path, sizeof(path), "tenants.%s.limits.%s", t->name, name);
			json_array_append_new(list, json_pack("[s, O, s]", path, value, "command"));
		}
		json_decref(limits);
		if (o && o->suspended) {
			snprintf(path, sizeof(path), "tenants.%s.state", t->name);
			json_array_append_new(list,
					      json_pack("[s, s, s]", path, "suspended", "command"));
		}
	}
}

enum command_outcome run_policy_settings(struct request *r, json_t **result)
{
	const struct daemon *d = r->daemon;
	const struct settings_index *s = d->roster ? &d->roster->settings : NULL;
	const json_int_t from = json_integer_value(json_object_get(r->arguments, "from"));
	json_t *list = json_array();
	size_t i = (size_t)from;

	for (; s && i < s->count && i < (size_t)from + SETTINGS_AT_ONCE; i++)
		json_array_append_new(list, json_pack("[s, s, o]", settings_text(s, s->row[i].path),
						      settings_text(s, s->row[i].value),
						      place_json(s, &s->row[i])));
	*result = json_pack("{s:o}", "settings", list);
	if (s && i < s->count) {
		json_object_set_new(*result, "next", json_integer((json_int_t)i));
	} else if (s) {
		json_object_set_new(*result, "commands", json_array());
		add_overrides(d, json_object_get(*result, "commands"));
	}
	return COMMAND_DONE;
}
