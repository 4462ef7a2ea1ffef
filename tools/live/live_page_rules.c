/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules, and what changed them: reloads, pushes, commands about one of them. */
#include "tools/live/live_json.h"
#include "tools/live/live_page.h"

void live_page_rules(struct page_out *out, const json_t *result)
{
	char text[SHORT_SIZE];
	json_t *hit;
	size_t i;

	page_heading(out, "RULES");
	live_row(out, "in force", INK_PLAIN, "%zu, generation %llu",
		 json_array_size(at(result, "sids")),
		 (unsigned long long)count_at(result, "generation"));
	json_array_foreach(at(result, "hits"), i, hit)
	{
		snprintf(text, sizeof(text), "%llu", (unsigned long long)count_at(hit, "sid"));
		live_label(out, text);
		page_cell(out, INK_PLAIN, -14, short_count(text, count_at(hit, "hits")));
		page_newline(out);
	}
	if (!json_array_size(at(result, "hits")))
		live_row(out, "", INK_DIM, "none has matched");
}

static void page_names(struct page_out *out, const char *what, const json_t *part,
		       const char *member)
{
	const json_t *names = json_object_get(part, member);
	json_t *name;
	size_t i;

	if (!count_at(part, "count"))
		return;
	live_label(out, what);
	out->indent = 16;
	out->listed = false;
	json_array_foreach(names, i, name)
	{
		if (json_is_string(name))
			page_item(out, "%s", json_string_value(name));
		else
			page_item(out, "%lld", (long long)json_integer_value(name));
	}
	if (json_array_size(names) < count_at(part, "count"))
		page_item(out, "and %llu more",
			  (unsigned long long)(count_at(part, "count") - json_array_size(names)));
	page_newline(out);
}

static void page_problems(struct page_out *out, const json_t *result)
{
	json_t *item;
	size_t i;

	json_array_foreach(at(result, "problems"), i, item)
	{
		if (count_at(item, "line"))
			live_row(out, text_at(item, "severity"), INK_YELLOW, "%s:%llu: %s",
				 text_at(item, "file"), (unsigned long long)count_at(item, "line"),
				 text_at(item, "message"));
		else
			live_row(out, text_at(item, "severity"), INK_YELLOW, "%s%s%s",
				 text_at(item, "file"), *text_at(item, "file") ? ": " : "",
				 text_at(item, "message"));
	}
}

static void page_rules_changes(struct page_out *out, const json_t *result)
{
	const json_t *changes = at(result, "changes");

	page_names(out, "new rules", at(changes, "rules.added"), "sids");
	page_names(out, "gone rules", at(changes, "rules.removed"), "sids");
	page_names(out, "changed rules", at(changes, "rules.modified"), "sids");
}

static void page_unstored(struct page_out *out, const json_t *result)
{
	if (json_is_false(at(result, "stored")))
		live_row(out, "not stored", INK_RED, "%s", text_at(result, "warning"));
}

/* What nothing reads any more. */
static void page_source(struct page_out *out, const json_t *result)
{
	if (strcmp(text_at(result, "rules_source"), "pushed") == 0)
		live_row(out, "rules", INK_PLAIN,
			 "pushed, not those of gate.rules; back: postern rules push "
			 "--configuration");
}

static long long of(const json_t *result, const char *part, const char *what)
{
	return json_integer_value(json_object_get(json_object_get(result, part), what));
}

void live_page_forget(struct page_out *out, const json_t *result)
{
	fprintf(out->file, "%s: %lld rows and %lld entries of lists of bounces are forgotten\n",
		json_string_value(json_object_get(result, "person")), of(result, "removed", "rows"),
		of(result, "removed", "suppressed"));
	if (of(result, "kept", "optout") + of(result, "kept", "dnc"))
		fprintf(out->file,
			"  kept, so that it goes on being kept to: %lld opt-out and %lld "
			"do-not-call "
			"entries\n",
			of(result, "kept", "optout"), of(result, "kept", "dnc"));
}

void live_page_reload(struct page_out *out, const json_t *result)
{
	const json_t *changes = at(result, "changes");
	json_t *item;
	size_t i;

	live_row(out, "reloaded", INK_BOLD, "generation %llu %s, %.2f s",
		 (unsigned long long)count_at(result, "generation"),
		 is_at(result, "in_force") ? "is in force"
					   : "is taken as soon as the dataplane runs",
		 number_at(result, "took_s"));
	live_row(out, "holds", INK_PLAIN,
		 "%llu tenants, %llu prefixes, %llu list entries, %llu rules",
		 (unsigned long long)count_at(result, "counts.tenants"),
		 (unsigned long long)count_at(result, "counts.prefixes"),
		 (unsigned long long)count_at(result, "counts.list_entries"),
		 (unsigned long long)count_at(result, "counts.rules"));
	page_names(out, "new tenants", at(changes, "tenants.added"), "names");
	page_names(out, "gone tenants", at(changes, "tenants.removed"), "names");
	page_names(out, "changed tenants", at(changes, "tenants.changed"), "names");
	page_rules_changes(out, result);
	page_source(out, result);
	json_array_foreach(at(result, "needs_restart"), i, item)
	{
		live_row(out, "needs a restart", INK_YELLOW, "%s, of %s", text_at(item, "setting"),
			 strcmp(text_at(item, "restart"), "both") == 0
				 ? "posternd and postern-dataplane"
				 : text_at(item, "restart"));
	}
	page_problems(out, result);
	page_unstored(out, result);
}

/* A push, a rollback, a change of one rule. */
void live_page_rules_change(struct page_out *out, const json_t *result)
{
	live_row(out, "in force", INK_BOLD,
		 "generation %llu%s: %llu rules, %llu in shadow; %llu off",
		 (unsigned long long)count_at(result, "generation"),
		 is_at(result, "in_force") ? "" : " (as soon as the dataplane runs)",
		 (unsigned long long)count_at(result, "counts.rules"),
		 (unsigned long long)count_at(result, "counts.shadow"),
		 (unsigned long long)count_at(result, "counts.disabled"));
	live_row(out, "took", INK_PLAIN,
		 "%.2f s: reading %.2f, compiling %.2f (%llu of %llu databases were there), swap "
		 "%.2f",
		 number_at(result, "took_s"), number_at(result, "times.parse_s"),
		 number_at(result, "times.compile_s"),
		 (unsigned long long)count_at(result, "databases.found"),
		 (unsigned long long)count_at(result, "databases.count"),
		 number_at(result, "times.swap_s"));
	if (count_at(result, "tested.samples"))
		live_row(out, "tested", INK_PLAIN, "%llu samples, all as they should be, %.2f s",
			 (unsigned long long)count_at(result, "tested.samples"),
			 number_at(result, "tested.took_s"));
	if (at(result, "cost"))
		live_row(out, "cost", INK_PLAIN,
			 "%.0f ns per KiB of traffic, %.2g Gbit/s a core; the budget is %llu ns",
			 number_at(result, "cost.ns_per_kib"),
			 number_at(result, "cost.gbits_per_core"),
			 (unsigned long long)count_at(result, "cost.budget_ns_per_kib"));
	page_rules_changes(out, result);
	page_problems(out, result);
	page_unstored(out, result);
}

/* The list */

static void page_rule(struct page_out *out, const json_t *rule)
{
	const char *state = text_at(rule, "state"), *file = strrchr(text_at(rule, "file"), '/');
	char text[96];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)count_at(rule, "sid"));
	page_cell(out, INK_PLAIN, -10, text);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)count_at(rule, "rev"));
	page_cell(out, INK_PLAIN, -5, text);
	page_cell(out, INK_PLAIN, 2, "");
	page_cell(out, INK_PLAIN, 8, text_at(rule, "action"));
	page_cell(out, *state == 'l' ? INK_PLAIN : INK_YELLOW, 10, state);
	page_cell(out, INK_PLAIN, -8, short_count(text, count_at(rule, "hits")));
	page_cell(out, INK_PLAIN, 2, "");
	snprintf(text, sizeof(text), "%s:%llu", file ? file + 1 : text_at(rule, "file"),
		 (unsigned long long)count_at(rule, "line"));
	page_cell(out, INK_DIM, 24, text);
	page_rest(out, INK_PLAIN, text_at(rule, "msg"));
	page_newline(out);
}

void live_page_rules_list(struct page_out *out, const json_t *result)
{
	const json_t *unused = at(result, "overrides_unused");
	json_t *rule;
	size_t i;

	page_cell(out, INK_DIM, -10, "sid");
	page_cell(out, INK_DIM, -5, "rev");
	page_cell(out, INK_DIM, 2, "");
	page_cell(out, INK_DIM, 8, "action");
	page_cell(out, INK_DIM, 10, "state");
	page_cell(out, INK_DIM, -8, "hits");
	page_cell(out, INK_DIM, 2, "");
	page_cell(out, INK_DIM, 24, "place");
	page_rest(out, INK_DIM, "message");
	page_newline(out);
	json_array_foreach(at(result, "rules"), i, rule)
	{
		page_rule(out, rule);
	}
	if (json_array_size(unused))
		live_row(out, "", INK_DIM,
			 "%zu rule(s) that are not here have settings made by command (--json)",
			 json_array_size(unused));
}

/* The history */

static void page_entry(struct page_out *out, const json_t *entry)
{
	char text[96], time[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)count_at(entry, "generation"));
	page_cell(out, is_at(entry, "in_force") ? INK_BOLD : INK_PLAIN, -10, text);
	page_cell(out, INK_PLAIN, 2, "");
	page_cell(out, INK_PLAIN, 25, live_when(time, count_at(entry, "time")));
	snprintf(text, sizeof(text), "%s", text_at(entry, "how"));
	if (count_at(entry, "of") || count_at(entry, "sid"))
		snprintf(text, sizeof(text), "%s %llu", text_at(entry, "how"),
			 (unsigned long long)(count_at(entry, "of") ? count_at(entry, "of")
								    : count_at(entry, "sid")));
	page_cell(out, INK_PLAIN, 18, text);
	page_cell(out, INK_PLAIN, 10, text_at(entry, "by"));
	page_cell(out, INK_PLAIN, -7, short_count(text, count_at(entry, "counts.rules")));
	page_cell(out, INK_PLAIN, 2, "");
	snprintf(text, sizeof(text), "+%llu -%llu ~%llu",
		 (unsigned long long)count_at(entry, "changes.added"),
		 (unsigned long long)count_at(entry, "changes.removed"),
		 (unsigned long long)count_at(entry, "changes.changed"));
	page_cell(out, INK_PLAIN, 16, text);
	page_rest(out, INK_DIM,
		  is_at(entry, "kept") ? text_at(entry, "reason") : "(text not kept)");
	page_newline(out);
}

void live_page_rules_history(struct page_out *out, const json_t *result)
{
	json_t *entry;
	size_t i;

	page_cell(out, INK_DIM, -10, "generation");
	page_cell(out, INK_DIM, 2, "");
	page_cell(out, INK_DIM, 25, "since");
	page_cell(out, INK_DIM, 18, "how");
	page_cell(out, INK_DIM, 10, "by");
	page_cell(out, INK_DIM, -7, "rules");
	page_cell(out, INK_DIM, 2, "");
	page_cell(out, INK_DIM, 16, "new gone changed");
	page_newline(out);
	json_array_foreach(at(result, "history"), i, entry)
	{
		page_entry(out, entry);
	}
}
