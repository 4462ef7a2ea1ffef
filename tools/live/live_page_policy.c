/* SPDX-License-Identifier: BSD-3-Clause */
/* What is in force, and where it comes from. */
#include "tools/live/live_json.h"
#include "tools/live/live_page.h"

static void settings_rows(struct page_out *out, const json_t *settings, const char *prefix)
{
	json_t *s;
	size_t i;

	json_array_foreach(settings, i, s)
	{
		const char *name = text_at(s, "setting");
		const bool is_default = strcmp(text_at(s, "from"), "default") == 0;

		if (strncmp(name, prefix, strlen(prefix)) != 0)
			continue;
		page_cell(out, INK_PLAIN, 2, "");
		page_cell(out, INK_PLAIN, 34, name + strlen(prefix));
		page_cell(out, is_default ? INK_DIM : INK_BOLD, 34, text_at(s, "value"));
		page_path(out, INK_DIM, text_at(s, "from"));
		page_newline(out);
	}
}

static void checks_rows(struct page_out *out, const json_t *checks)
{
	json_t *c;
	size_t i;

	page_heading(out, "CHECKS");
	json_array_foreach(checks, i, c)
	{
		const char *action = text_at(c, "action");

		page_cell(out, INK_PLAIN, 2, "");
		page_cell(out, INK_PLAIN, 34, text_at(c, "name"));
		page_cell(out, strcmp(action, "pass") == 0 ? INK_DIM : INK_PLAIN, 8, action);
		page_cell(out, INK_YELLOW, 8, is_at(c, "shadow") ? "shadow" : "");
		page_cell(out, INK_DIM, 22, text_at(c, "row"));
		page_path(out, INK_DIM, text_at(c, "from"));
		page_newline(out);
	}
}

/* Tenants */

static void in_force_text(const json_t *limit, char text[VALUE_TEXT])
{
	const json_t *f = at(limit, "in_force");

	if (json_is_number(at(f, "per_second")))
		live_rate_text(text, number_at(f, "per_second"), number_at(f, "burst"));
	else if (json_is_integer(at(f, "count")))
		snprintf(text, VALUE_TEXT, "%llu", (unsigned long long)count_at(f, "count"));
	else
		snprintf(text, VALUE_TEXT, "unlimited");
}

/* "tier; lowered by warmup, risk; shadow; /etc/postern/postern.conf:12" */
static void page_why(struct page_out *out, const json_t *limit)
{
	json_t *item;
	size_t i;

	page_rest(out, INK_DIM, text_at(limit, "from"));
	json_array_foreach(at(limit, "lowered_by"), i, item)
	{
		page_rest(out, INK_YELLOW, i ? ", " : "; lowered by ");
		page_rest(out, INK_YELLOW, json_string_value(item));
	}
	if (is_at(limit, "in_force.shadow"))
		page_rest(out, INK_YELLOW, "; shadow");
	if (!*text_at(limit, "place"))
		return;
	page_rest(out, INK_DIM, ", ");
	page_path(out, INK_DIM, text_at(limit, "place"));
}

static void limit_row(struct page_out *out, const json_t *limit)
{
	const bool lowered = json_array_size(at(limit, "lowered_by")) > 0;
	char text[VALUE_TEXT];

	page_cell(out, INK_PLAIN, 2, "");
	page_cell(out, INK_PLAIN, 24, text_at(limit, "name"));
	page_cell(out, INK_PLAIN, 22, text_at(limit, "value"));
	in_force_text(limit, text);
	page_cell(out, lowered ? INK_YELLOW : INK_BOLD, 22, text);
	page_why(out, limit);
	page_newline(out);
}

static void warmup_row(struct page_out *out, const json_t *w)
{
	char since[32], until[32];

	if (!json_is_object(w))
		return;
	live_when(since, count_at(w, "since"));
	if (is_at(w, "passed"))
		live_row(out, "warm-up", INK_PLAIN, "passed; a tenant since %s, %.1f days old",
			 since, number_at(w, "age_days"));
	else
		live_row(out, "warm-up", INK_YELLOW,
			 "step %llu of %llu until %s; a tenant since %s, %.1f days old",
			 (unsigned long long)count_at(w, "step"),
			 (unsigned long long)count_at(w, "steps"),
			 live_when(until, count_at(w, "until")), since, number_at(w, "age_days"));
}

static void page_tenant(struct page_out *out, const json_t *t)
{
	json_t *limit;
	size_t i;

	page_heading(out, "TENANT");
	live_row(out, "tenant", INK_BOLD, "%.200s, id %llu%s%.80s", text_at(t, "name"),
		 (unsigned long long)count_at(t, "id"), *text_at(t, "tier") ? ", tier " : "",
		 text_at(t, "tier"));
	live_row(out, "state", INK_PLAIN, "%s%s%s", text_at(t, "state"),
		 *text_at(t, "state_from") ? ", by " : "", text_at(t, "state_from"));
	live_row(out, "risk", INK_PLAIN, "mode %s (%s), level %s", text_at(t, "risk.mode"),
		 text_at(t, "risk.from"), text_at(t, "risk.level"));
	warmup_row(out, at(t, "warmup"));
	page_heading(out, "LIMITS");
	page_cell(out, INK_PLAIN, 2, "");
	page_cell(out, INK_DIM, 24, "limit");
	page_cell(out, INK_DIM, 22, "is");
	page_cell(out, INK_DIM, 22, "in force");
	page_rest(out, INK_DIM, "from");
	page_newline(out);
	json_array_foreach(at(t, "limits"), i, limit)
	{
		limit_row(out, limit);
	}
	checks_rows(out, at(t, "checks"));
}

static void page_tiers(struct page_out *out, const json_t *tiers)
{
	const char *name;
	json_t *tier;
	char prefix[128];

	page_heading(out, "TIERS");
	if (!json_object_size(tiers))
		fprintf(out->file, "  none\n");
	json_object_foreach((json_t *)(uintptr_t)tiers, name, tier)
	{
		live_row(out, name, INK_BOLD, "%llu tenants",
			 (unsigned long long)count_at(tier, "tenants"));
		snprintf(prefix, sizeof(prefix), "tiers.%s.", name);
		settings_rows(out, at(tier, "settings"), prefix);
	}
}

void live_page_policy(struct page_out *out, const json_t *result)
{
	if (json_is_object(at(result, "tenant"))) {
		page_tenant(out, at(result, "tenant"));
		return;
	}
	page_tiers(out, at(result, "tiers"));
	if (!at(result, "checks"))
		return;
	checks_rows(out, at(result, "checks"));
	page_heading(out, "THRESHOLDS");
	settings_rows(out, at(result, "risk"), "risk.");
	page_heading(out, "ANSWERS");
	settings_rows(out, at(result, "policy"), "policy.smtp_answers.");
	settings_rows(out, at(result, "policy"), "policy.sip_answers.");
}
