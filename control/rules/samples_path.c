/* SPDX-License-Identifier: BSD-3-Clause */
/* Where samples lie, and whose they are. */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/rules/ruleset_build.h"
#include "control/rules/samples.h"

#define RULES_SUFFIX   ".rules"
#define SAMPLES_SUFFIX ".samples"

struct loading {
	struct sample_list *list;
	struct rule_diags *diags;
};

static void take_file(void *ctx, const char *path, const char *text, size_t len)
{
	struct loading *l = ctx;

	samples_parse(l->list, l->diags, path, text, len);
}

static int load_file(struct sample_list *list, struct rule_diags *diags, const char *path)
{
	struct loading l = {list, diags};

	return rules_each_file(diags, path, take_file, &l);
}

/* A path's own wildcards are none: rules_load_path() has refused them. */
static int load_dir(struct sample_list *list, struct rule_diags *diags, const char *path)
{
	char *pattern;
	glob_t found;
	int rc = 0;

	if (strpbrk(path, "*?[") || asprintf(&pattern, "%s/*" SAMPLES_SUFFIX, path) < 0)
		return -EINVAL;
	if (glob(pattern, GLOB_ERR, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			int one = load_file(list, diags, found.gl_pathv[i]);

			rc = rc ? rc : one;
		}
		globfree(&found);
	}
	free(pattern);
	return rc;
}

int samples_load_path(struct sample_list *list, struct rule_diags *diags, const char *path)
{
	size_t len = strlen(path), cut = strlen(RULES_SUFFIX);
	char *beside;
	struct stat st;
	int rc;

	if (stat(path, &st) < 0)
		return -errno; /* said when the rules were read */
	if (S_ISDIR(st.st_mode))
		return load_dir(list, diags, path);
	if (len > cut && strcmp(path + len - cut, RULES_SUFFIX) == 0)
		len -= cut;
	if (asprintf(&beside, "%.*s" SAMPLES_SUFFIX, (int)len, path) < 0)
		return -ENOMEM;
	rc = access(beside, F_OK) == 0 ? load_file(list, diags, beside) : 0;
	free(beside);
	return rc;
}

struct sample_counts samples_count(const struct sample_list *list, uint32_t sid)
{
	struct sample_counts counts = {0};

	for (size_t i = 0; i < list->count; i++)
		if (list->samples[i].sid == sid)
			counts.of[list->samples[i].want]++;
	return counts;
}

/* What there is of each sid, for many rules: ascending. */
struct sid_count {
	uint32_t sid;
	bool known; /* a rule has it */
	struct sample_counts counts;
};

static int by_sid(const void *a, const void *b)
{
	const struct sid_count *x = a, *y = b;

	return x->sid < y->sid ? -1 : x->sid > y->sid;
}

static size_t count_sids(const struct sample_list *list, struct sid_count *sids)
{
	size_t n = 0;

	for (size_t i = 0; i < list->count; i++) {
		sids[i] = (struct sid_count){.sid = list->samples[i].sid};
		sids[i].counts.of[list->samples[i].want] = 1;
	}
	qsort(sids, list->count, sizeof(*sids), by_sid);
	for (size_t i = 0; i < list->count; i++) {
		if (!n || sids[n - 1].sid != sids[i].sid) {
			sids[n++] = sids[i];
			continue;
		}
		for (int want = 0; want < 2; want++)
			sids[n - 1].counts.of[want] += sids[i].counts.of[want];
	}
	return n;
}

void samples_check(const struct sample_list *list, const struct rule_list *rules,
		   struct rule_diags *diags)
{
	struct sid_count *sids = calloc(list->count + 1, sizeof(*sids)), *found;
	size_t n;

	if (!sids)
		return;
	n = count_sids(list, sids);
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->rules[i];
		const struct sid_count wanted = {.sid = rule->sid};
		const char *lacks = NULL;

		found = n ? bsearch(&wanted, sids, n, sizeof(*sids), by_sid) : NULL;
		if (found)
			found->known = true;
		if (!found)
			lacks = "no samples";
		else if (!found->counts.of[SAMPLE_MATCH])
			lacks = "no sample that it must match";
		else if (!found->counts.of[SAMPLE_MISS])
			lacks = "no sample that it must leave alone";
		if (lacks)
			rule_diag_add(diags, RULE_WARNING, rule->place, rule->sid, "rule %u has %s",
				      rule->sid, lacks);
	}
	for (size_t i = 0; i < list->count; i++) {
		const struct sid_count wanted = {.sid = list->samples[i].sid};

		found = bsearch(&wanted, sids, n, sizeof(*sids), by_sid);
		if (found->known)
			continue;
		rule_diag_add(diags, RULE_ERROR, list->samples[i].place, wanted.sid,
			      "a sample of rule %u, which is not there", wanted.sid);
	}
	free(sids);
}
