/* SPDX-License-Identifier: BSD-3-Clause */
/* The rules' part of what the child of control/daemon/compile.c does. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/daemon/compile_work.h"
#include "control/rules/db_cache.h"
#include "control/rules/reply_rules.h"
#include "control/rules/rule_dataset.h"

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* The text */

static int read_configured(struct work *w)
{
	const struct setting_texts *paths = &w->config->gate.rules;
	char path[PATH_MAX];

	for (size_t i = 0; i < paths->count; i++) {
		int rc = config_path(paths->items[i].where, paths->items[i].text, path,
				     sizeof(path));

		if (rc)
			setting_error(&w->diag, paths->items[i].where, "%s", strerror(-rc));
		else
			rules_text_load(&w->text, &w->rule_diags, path);
	}
	return 0;
}

/* What is kept must be whole: what rules load belongs to it, if it is not too much. */
static int read_data(void *ctx, const char *path, char **textp, size_t *sizep)
{
	struct work *w = ctx;
	const struct rules_file *there = rules_text_data(&w->text, path);
	int rc;

	if (!there) {
		rc = rule_dataset_read(path, textp, sizep);
		if (!rc)
			w->unkept = rules_text_add(&w->text, path, true, *textp, *sizep);
		return rc;
	}
	*textp = malloc(there->len + 1);
	if (!*textp)
		return -ENOMEM;
	memcpy(*textp, there->text, there->len);
	*sizep = there->len;
	return 0;
}

static void parse(struct work *w)
{
	w->files = (struct rule_files){read_data, w};
	w->list.files = &w->files;
	rules_text_parse(&w->text, &w->list, &w->rule_diags);
	rules_text_digest(&w->text, w->digest);
}

static void start_over(struct work *w)
{
	rules_text_fini(&w->text);
	rule_list_fini(&w->list);
	rule_diags_fini(&w->rule_diags);
	w->list = (struct rule_list){0};
	w->rule_diags = (struct rule_diags){0};
	w->pushed = false;
}

/* What was pushed and is of no use any more: posternd has to start all the same, and to say so. */
static bool falls_back(struct work *w, int rc)
{
	const struct rule_diag *first = w->rule_diags.list;
	char why[200];

	if (!w->job->rules.fall_back || !w->config || (!rc && !w->rule_diags.errors))
		return false;
	if (rc)
		snprintf(why, sizeof(why), "%s", strerror(-rc));
	else
		snprintf(why, sizeof(why), "%s:%u: %s", first->place.file, first->place.line,
			 first->message);
	diag_warning(&w->diag, w->job->rules.store, 0,
		     "the rules that were pushed can't be used: those of gate.rules are (%s)", why);
	start_over(w);
	return true;
}

static int read_stored(struct work *w)
{
	int rc = rules_text_read(&w->text, w->job->rules.store, w->job->rules.stored);

	w->pushed = w->job->rules.pushed;
	if (!rc)
		parse(w);
	if (rc && !w->job->rules.fall_back)
		diag_error(&w->diag, w->job->rules.store, 0,
			   "the text of these rules is not there any more: %s", strerror(-rc));
	return rc;
}

static int read_rules(struct work *w)
{
	const struct compile_rules *rules = &w->job->rules;
	int rc = 0;

	w->new_text = true;
	if (rules->text) {
		w->pushed = true;
		/* This process's own copy of it. */
		w->text = *rules->text;
		parse(w);
		return 0;
	}
	if (rules->stored) {
		rc = read_stored(w);
		w->new_text = falls_back(w, rc);
		if (!w->new_text)
			return rc;
	}
	rc = read_configured(w);
	parse(w);
	return rc;
}

/* Overrides */

static bool is_new(const struct work *w, const struct rule *rule)
{
	const struct rule_row *row =
		w->job->rules.before ? rule_index_find(w->job->rules.before, rule->sid) : NULL;

	return !row || row->digest != rule->digest;
}

/* Those of the job; with `shadow` also what is new. */
static int gather_overrides(const struct work *w, struct rule_overrides *overrides)
{
	const struct compile_rules *rules = &w->job->rules;
	int rc = rules->overrides ? rule_overrides_copy(rules->overrides, overrides) : 0;

	for (size_t i = 0; !rc && rules->shadow && i < w->list.count; i++) {
		const struct rule *rule = &w->list.rules[i];
		const struct rule_override *there = rule_override_find(overrides, rule->sid);
		struct rule_override o = there ? *there : (struct rule_override){.sid = rule->sid};

		if (!is_new(w, rule))
			continue;
		o.pushed = rule->digest;
		rc = rule_override_put(overrides, &o);
	}
	return rc;
}

/* The list keeps those that run. */
static void drop_disabled(struct work *w, const bool *off)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->list.count; i++) {
		w->disabled += off[i];
		if (off[i])
			continue;
		w->shadow += w->list.rules[i].shadow;
		w->list.rules[kept++] = w->list.rules[i];
	}
	w->list.count = kept;
}

static int override_rules(struct work *w, int index)
{
	struct rule_overrides overrides = {0};
	bool *off = calloc(w->list.count + 1, sizeof(*off));
	int rc = off ? gather_overrides(w, &overrides) : -ENOMEM;

	if (rc == -E2BIG)
		diag_error(&w->diag, w->job->config, 0,
			   "more than %u rules would be in shadow by how they were pushed",
			   RULE_OVERRIDES_MAX);
	if (!rc)
		rc = rule_index_write(index, &w->list, &overrides, off);
	if (!rc)
		drop_disabled(w, off);
	rule_overrides_fini(&overrides);
	free(off);
	return rc;
}

/* The image */

/* Without a cache it takes longer: no more than a line about it. */
static int build_image(struct work *w)
{
	struct ruleset_build_options options = {.generation = (uint32_t)w->job->generation};
	int rc = w->job->cache ? db_cache_open(w->job->cache, DB_CACHE_LIMIT, &options.cache) : 0;

	if (rc)
		diag_warning(&w->diag, w->job->cache, 0,
			     "compiled databases can't be kept there: %s", strerror(-rc));
	rc = ruleset_build_with(&w->list, &options, &w->rule_diags, &w->ruleset_image,
				&w->ruleset_size, &w->stats);
	if (!rc)
		rc = reply_rules_build(&w->list, options.generation, options.cache,
				       &w->replies_image, &w->replies_size);
	db_cache_close(options.cache);
	return rc;
}

static void store_text(struct work *w)
{
	const struct compile_rules *rules = &w->job->rules;

	if (rules->store)
		w->unstored = w->unkept ? w->unkept
					: rules_text_store(&w->text, rules->store, w->digest);
}

/* The rounds that nobody disturbed count: a busy machine is not the rules' fault. */
static void judge_cost(struct work *w)
{
	bool refuse = w->config ? w->config->gate.rules_over_budget == OVER_BUDGET_REFUSE
				: w->job->refuse;
	char words[160];

	/* posternd starts all the same. */
	refuse = refuse && !w->job->rules.fall_back;
	if (w->cost.low_ns <= w->budget)
		return;
	snprintf(words, sizeof(words),
		 "matching costs about %.0f ns per KiB of traffic, %.2g Gbit/s a core: more than "
		 "gate.rules_budget, %u ns",
		 w->cost.low_ns, 8 * 1024 / w->cost.low_ns, w->budget);
	if (refuse)
		memcpy(w->refused, words, sizeof(w->refused));
	else
		diag_warning(&w->diag, NULL, 0, "%s", words);
}

/* Of a text that is new: to go back, or to leave a rule out, must not depend on it, nor wait. */
static int estimate_cost(struct work *w)
{
	char why[160];
	int rc;

	w->budget = w->config ? w->config->gate.rules_budget : w->job->budget;
	if (!w->budget || !w->ruleset_image || !w->new_text)
		return 0;
	rc = rules_cost_estimate(w->ruleset_image, w->ruleset_size, &w->cost, why, sizeof(why));
	if (rc)
		diag_error(&w->diag, NULL, 0, "what the rules cost can't be told: %s", why);
	else
		judge_cost(w);
	return rc ? rc : *w->refused ? -EDQUOT : 0;
}

int work_rules(struct work *w, int index)
{
	uint64_t start = now_ns();
	int rc = read_rules(w);

	w->parse_ns = now_ns() - start;
	if (rc)
		return rc;
	if (w->rule_diags.errors || w->diag.errors)
		return -EINVAL;
	/* More likely a slip than a wish. */
	if (w->job->rules.text && !w->list.count) {
		diag_error(&w->diag, w->job->rules.text->files[0].name, 0,
			   "there is no rule in what was pushed");
		return -EINVAL;
	}
	rc = override_rules(w, index);
	if (!rc && w->list.count)
		rc = build_image(w);
	if (!rc)
		rc = estimate_cost(w);
	if (!rc)
		store_text(w);
	return rc;
}
