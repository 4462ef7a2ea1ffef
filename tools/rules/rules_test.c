/* SPDX-License-Identifier: BSD-3-Clause */
/* `postern rules test`: every rule's samples, through a gate. */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/rules/ruleset_build.h"
#include "tools/rules/rules.h"
#include "tools/rules/rules_inputs.h"
#include "tools/samples/samples_run.h"

static const char usage[] =
	"usage: postern rules test [options] PATH...\n"
	"  PATH               a file of rules, or a directory of *.rules; samples are those beside "
	"it\n"
	"  -c, --config FILE  tenants as this configuration has them (one: 10.0.0.0/8, fd00::/8)\n"
	"  -j, --jobs N       processes (one per CPU)\n"
	"      --sid SID      this rule's samples only; may be given again\n"
	"      --json         one JSON object on standard output\n"
	"  -h, --help\n";

#define SIDS_MAX 64

struct test {
	bool json;
	const char *config;
	unsigned jobs;
	uint32_t sids[SIDS_MAX];
	size_t sid_count;
	struct rule_list rules;
	struct sample_list samples;
	struct rule_diags diags;
	void *image;
	size_t image_size;
	size_t without; /* rules that lack a sample */
	struct samples_outcome outcome;
};

static int number(const char *option, const char *text, unsigned long max, unsigned long *value)
{
	char *end;

	*value = strtoul(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && *value && *value <= max)
		return 0;
	fprintf(stderr, "postern rules test: %s: '%s' is not a number from 1 to %lu\n", option,
		text, max);
	return 2;
}

static int take(struct test *t, int option)
{
	unsigned long value = 0;
	int rc = 0;

	switch (option) {
	case 'J':
		t->json = true;
		break;
	case 'c':
		t->config = optarg;
		break;
	case 'j':
		rc = number("--jobs", optarg, 64, &value);
		t->jobs = (unsigned)value;
		break;
	case 's':
		rc = number("--sid", optarg, UINT32_MAX, &value);
		if (!rc && t->sid_count < SIDS_MAX)
			t->sids[t->sid_count++] = (uint32_t)value;
		break;
	default:
		rc = 2;
	}
	return rc;
}

/* -1: go on; else the exit status. */
static int parse(struct test *t, int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'J'},       {"config", required_argument, NULL, 'c'},
		{"jobs", required_argument, NULL, 'j'}, {"sid", required_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},       {0},
	};
	int option, rc;

	while ((option = getopt_long(argc, argv, "c:j:h", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		rc = take(t, option);
		if (rc)
			return rc;
	}
	if (optind < argc)
		return -1;
	fputs(usage, stderr);
	return 2;
}

static bool is_wanted(const struct test *t, uint32_t sid)
{
	for (size_t i = 0; i < t->sid_count; i++)
		if (t->sids[i] == sid)
			return true;
	return !t->sid_count;
}

static void choose(struct test *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->samples.count; i++)
		if (is_wanted(t, t->samples.samples[i].sid))
			t->samples.samples[n++] = t->samples.samples[i];
	t->samples.count = n;
}

/* Warnings are `check`'s; here they are counted. */
static int load(struct test *t, char *const *paths, int count)
{
	struct rule_diags lacks = {0};
	size_t errors;

	rules_inputs_load(paths, count, &t->rules, &t->samples, &t->diags);
	if (!t->diags.errors)
		ruleset_build(&t->rules, 1, &t->diags, &t->image, &t->image_size, NULL);
	if (!t->diags.errors && t->image) {
		samples_check(&t->samples, &t->rules, &lacks);
		t->without = lacks.warnings;
	}
	errors = t->diags.errors + lacks.errors;
	for (size_t i = 0; i < t->diags.count; i++)
		if (t->diags.list[i].severity == RULE_ERROR)
			rule_diag_print(stderr, &t->diags.list[i]);
	for (size_t i = 0; i < lacks.count; i++)
		if (lacks.list[i].severity == RULE_ERROR)
			rule_diag_print(stderr, &lacks.list[i]);
	rule_diags_fini(&lacks);
	if (!errors && !t->image)
		fprintf(stderr, "postern: not enough memory for the rules\n");
	choose(t);
	return errors || !t->image ? 1 : 0;
}

static void progress(void *ctx, size_t done, size_t total)
{
	fprintf(stderr, "\r%zu of %zu samples%s", done, total, done == total ? "\r\x1b[K" : "");
	fflush(stderr);
}

static int run(struct test *t)
{
	struct samples_job job = {
		.samples = &t->samples,
		.rules = &t->rules,
		.image = t->image,
		.image_size = t->image_size,
		.config = t->config,
		.processes = t->jobs,
		.progress = isatty(STDERR_FILENO) ? progress : NULL,
	};

	return samples_run(&job, &t->outcome) ? 1 : 0;
}

static void print_text(const struct test *t)
{
	const struct samples_outcome *o = &t->outcome;

	for (size_t i = 0; i < o->failure_count; i++)
		sample_failure_print(stdout, &o->failures[i]);
	printf("%zu samples of %zu rules, in %zu conversations: %zu failed (%.2f s)\n", o->samples,
	       t->rules.count, o->conversations, o->failure_count, o->seconds);
	if (t->without)
		printf("%zu rules lack a sample: postern rules check says which\n", t->without);
}

static json_t *failure_json(const struct sample_failure *f)
{
	json_t *held = json_array(), *others = json_array();

	for (size_t i = 0; i < f->held_count; i++)
		json_array_append_new(held, json_pack("{s:s, s:s}", "buffer", f->held[i].buffer,
						      "text", f->held[i].text));
	for (size_t i = 0; i < f->other_count; i++)
		json_array_append_new(others, json_integer(f->others[i]));
	return json_pack("{s:s, s:i, s:I, s:s, s:s, s:s, s:s, s:b, s:o, s:o}", "file",
			 f->sample->place.file, "line", (int)f->sample->place.line, "sid",
			 (json_int_t)f->sample->sid, "title", f->sample->title, "wanted",
			 f->sample->want == SAMPLE_MATCH ? "match" : "miss", "way", f->way, "why",
			 f->what, "over_budget", f->over_budget, "held", held, "others", others);
}

static void print_json(const struct test *t)
{
	const struct samples_outcome *o = &t->outcome;
	json_t *failures = json_array(), *all;

	for (size_t i = 0; i < o->failure_count; i++)
		json_array_append_new(failures, failure_json(&o->failures[i]));
	all = json_pack("{s:b, s:I, s:I, s:I, s:I, s:f, s:o}", "ok", o->failure_count == 0, "rules",
			(json_int_t)t->rules.count, "rules_without_sample", (json_int_t)t->without,
			"samples", (json_int_t)o->samples, "conversations",
			(json_int_t)o->conversations, "seconds", o->seconds, "failures", failures);
	json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(4));
	putchar('\n');
	json_decref(all);
}

int rules_test_main(int argc, char **argv)
{
	struct test t = {0};
	int rc = parse(&t, argc, argv);

	if (rc >= 0)
		return rc;
	rc = load(&t, argv + optind, argc - optind);
	if (!rc && !t.samples.count) {
		fprintf(stderr, "postern rules test: no samples: NAME.samples beside NAME.rules\n");
		rc = 1;
	}
	if (!rc)
		rc = run(&t);
	if (!rc && t.json)
		print_json(&t);
	else if (!rc)
		print_text(&t);
	if (!rc && t.outcome.failure_count)
		rc = 1;
	samples_outcome_fini(&t.outcome);
	free(t.image);
	rule_list_fini(&t.rules);
	sample_list_fini(&t.samples);
	rule_diags_fini(&t.diags);
	return rc;
}
