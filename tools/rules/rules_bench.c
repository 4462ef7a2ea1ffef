/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `postern rules bench`: a capture's buffers, as the real parsers hand them over, through the real
 * matcher. What all rules cost together is measured. So is what is done because of one of them: a
 * literal of its found, the rest of it looked at. What Hyperscan does on every byte for all of them
 * can't be told apart, but for expressions that it runs and literals of two or three bytes, which
 * it meets all the time: each such rule is measured alone, against a search for nothing, and that
 * is an estimate.
 */
#include "tools/rules/rules_bench.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "tools/rules/rules.h"
#include "tools/rules/rules_alone.h"

#define ROUND_NS   50000000u
#define NOISE      0.02          /* less of a buffer's time is nothing that can be told */
#define ALONE_MAX  200           /* rules that are measured alone */
#define WITHOUT_NS 20000000000.0 /* that compiling the rules again and again may take */
#define PLAYS      5

static const char usage[] =
	"usage: postern rules bench PATH... --on CAPTURE [options]\n"
	"  PATH                  a file of rules, or a directory of *.rules\n"
	"      --on CAPTURE      traffic to measure over; may be given again\n"
	"  -c, --config FILE     tenants, so that rules about $TENANTS hold for them alone\n"
	"      --rounds N        rounds to measure, 1 to 99 (9)\n"
	"      --top N           rules to show, 0: all (20)\n"
	"      --json            everything, for machines\n"
	"  -h, --help\n";

enum { OPT_ON = 256, OPT_ROUNDS, OPT_TOP, OPT_JSON };

static const struct option options[] = {
	{"on", required_argument, NULL, OPT_ON},
	{"config", required_argument, NULL, 'c'},
	{"rounds", required_argument, NULL, OPT_ROUNDS},
	{"top", required_argument, NULL, OPT_TOP},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int number(const char *option, unsigned min, unsigned max, unsigned *out)
{
	char *end;
	unsigned long n = strtoul(optarg, &end, 10);

	if (*end || end == optarg || *optarg == '-' || n < min || n > max) {
		fprintf(stderr, "postern rules bench: %s: '%s' is not a number from %u to %u\n",
			option, optarg, min, max);
		return 2;
	}
	*out = (unsigned)n;
	return 0;
}

static int take(struct bench *b, int option)
{
	switch (option) {
	case OPT_ON:
		b->files[b->file_count++] = optarg;
		return 0;
	case 'c':
		b->config = optarg;
		return 0;
	case OPT_ROUNDS:
		return number("--rounds", 1, 99, &b->rounds);
	case OPT_TOP:
		return number("--top", 0, 1000000, &b->top);
	case OPT_JSON:
		b->json = true;
		return 0;
	default:
		fputs(usage, stderr);
		return 2;
	}
}

static int parse(struct bench *b, int argc, char **argv, bool *done)
{
	int option, rc = 0;

	while (!rc && (option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		*done = option == 'h';
		if (*done) {
			fputs(usage, stdout);
			return 0;
		}
		rc = take(b, option);
	}
	if (rc)
		return rc;
	b->paths = (const char **)(uintptr_t)(argv + optind);
	b->path_count = (size_t)(argc - optind);
	if (b->path_count && b->file_count)
		return 0;
	fprintf(stderr, "postern rules bench: %s\n%s",
		b->path_count ? "over which capture? --on" : "which rules?", usage);
	return 2;
}

/* What Hyperscan meets on every byte --------------------------------------- */

/* All rules but one that look at the buffer. */
static double others_ns(const struct bench *b, const struct rule *rule, enum rule_buffer buffer)
{
	const struct rule_list *list = &b->rules.list;
	struct rule *rules = calloc(list->count + 1, sizeof(*rules));
	size_t n = 0;
	double ns;

	if (!rules)
		return -1;
	for (size_t i = 0; i < list->count; i++)
		if (&list->rules[i] != rule && rule_looks_at(&list->rules[i], buffer))
			rules[n++] = list->rules[i];
	ns = rules_some_ns(&b->tape, list, rules, n, buffer);
	free(rules);
	return ns;
}

/* What is measured once a buffer. */
struct known {
	double all[RULE_BUFFER_COUNT], nothing[RULE_BUFFER_COUNT];
};

static double everywhere_ns(const struct bench *b, const struct bench_rule *r,
			    enum rule_buffer buffer, struct known *known)
{
	double ns;

	if (b->without) {
		if (known->all[buffer] == 0)
			known->all[buffer] = rules_buffer_ns(&b->tape, &b->rules, buffer);
		ns = others_ns(b, r->rule, buffer);
		ns = ns < 0 ? 0 : known->all[buffer] - ns;
		return ns > known->all[buffer] * NOISE ? ns : 0;
	}
	if (known->nothing[buffer] == 0)
		known->nothing[buffer] = rules_nothing_ns(&b->tape, buffer);
	return rules_some_ns(&b->tape, &b->rules.list, r->rule, 1, buffer) - known->nothing[buffer];
}

static void measure_one(const struct bench *b, struct bench_rule *r, struct known *known)
{
	bool done[RULE_BUFFER_COUNT] = {false};
	double ns = 0;

	for (size_t i = 0; i < r->plan.count; i++) {
		enum rule_buffer buffer = r->plan.chains[i].buffer;

		if (!plan_is_everywhere(&r->plan.chains[i]) || done[buffer])
			continue;
		done[buffer] = true;
		ns += everywhere_ns(b, r, buffer, known);
	}
	/* Without the rule is what it is; alone may be less than what was seen of it among all. */
	if (b->without || ns > r->ns)
		r->ns = ns > 0 ? ns : 0;
}

static void measure_everywhere(struct bench *b)
{
	struct known known = {0};
	size_t wanted = 0, measured = 0;

	for (size_t i = 0; i < b->rules.list.count; i++)
		wanted += b->row[i].expression || b->row[i].brief;
	b->without = (double)b->rules.stats.build_ns * (double)wanted <= WITHOUT_NS;
	for (size_t i = 0; i < b->rules.list.count; i++) {
		struct bench_rule *r = &b->row[i];

		if (!r->expression && !r->brief)
			continue;
		r->estimate = b->without || measured++ < ALONE_MAX;
		if (r->estimate)
			measure_one(b, r, &known);
		else
			b->unmeasured++;
	}
}

/* -------------------------------------------------------------------------- */

static int plan_rows(struct bench *b)
{
	struct rule_diags diags = {0};
	int rc = 0;

	for (size_t i = 0; i < b->rules.list.count && !rc; i++) {
		struct bench_rule *r = &b->row[i];

		r->rule = &b->rules.list.rules[i];
		rc = rule_plan_make(r->rule, &r->plan, &diags);
		for (size_t c = 0; c < r->plan.count; c++) {
			r->expression |= r->plan.chains[c].how == PLAN_EXPRESSION;
			r->brief |= plan_is_brief(&r->plan.chains[c]);
			r->always |= r->plan.chains[c].always;
		}
	}
	rule_diags_fini(&diags);
	return rc ? 1 : 0;
}

static int slowest_first(const void *pa, const void *pb)
{
	const struct bench_rule *a = pa, *b = pb;

	if (a->ns != b->ns)
		return a->ns > b->ns ? -1 : 1;
	return a->rule->sid < b->rule->sid ? -1 : a->rule->sid > b->rule->sid;
}

static int measure(struct bench *b)
{
	size_t count = b->rules.list.count;
	struct match_share *shares = calloc(count + 1, sizeof(*shares));
	int rc;

	b->row = calloc(count + 1, sizeof(*b->row));
	rc = b->row && shares ? plan_rows(b) : -ENOMEM;
	if (!rc)
		rc = match_cost_measure(&b->tape, b->rules.ruleset, b->rounds, ROUND_NS, true,
					&b->cost);
	if (!rc)
		rc = match_cost_shares(&b->tape, b->rules.ruleset, PLAYS, shares);
	for (size_t i = 0; i < count && !rc; i++) {
		b->row[i].found = shares[i].found;
		b->row[i].ns = shares[i].ns;
	}
	free(shares);
	if (rc) {
		fprintf(stderr, "postern: %s\n", strerror(rc < 0 ? -rc : EINVAL));
		return 1;
	}
	measure_everywhere(b);
	for (size_t i = 0; i < count; i++)
		b->own += b->row[i].ns;
	qsort(b->row, count, sizeof(*b->row), slowest_first);
	return 0;
}

static int show(const struct bench *b)
{
	json_t *object;

	if (!b->json) {
		bench_page(b, stdout);
		return 0;
	}
	object = bench_json(b);
	if (!object || json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) < 0)
		return 1;
	fputc('\n', stdout);
	json_decref(object);
	return 0;
}

static int run(struct bench *b)
{
	int rc;

	b->traffic = (struct rules_traffic){
		.config = b->config, .files = b->files, .file_count = b->file_count};
	rc = rules_compiled_read(&b->rules, b->paths, b->path_count, false);
	if (!rc && !b->rules.list.count) {
		fprintf(stderr, "postern rules bench: there are no rules in %s\n", b->paths[0]);
		rc = 1;
	}
	if (!rc)
		rc = rules_traffic_open(&b->traffic);
	if (!rc)
		rc = rules_replay(&b->traffic, NULL, &b->tape, NULL, &b->stats);
	if (!rc && !b->tape.count) {
		fprintf(stderr,
			"postern rules bench: no mail and no call in %s: nothing to "
			"measure over\n",
			b->files[0]);
		rc = 1;
	}
	if (!rc)
		rc = measure(b);
	return rc ? rc : show(b);
}

int rules_bench_main(int argc, char **argv)
{
	struct bench b = {.rounds = 9, .top = 20, .files = calloc((size_t)argc, sizeof(char *))};
	bool done = false;
	int rc = b.files ? parse(&b, argc, argv, &done) : 1;

	if (!rc && !done)
		rc = run(&b);
	for (size_t i = 0; b.row && i < b.rules.list.count; i++)
		rule_plan_fini(&b.row[i].plan);
	free(b.row);
	match_tape_fini(&b.tape);
	rules_compiled_fini(&b.rules);
	rules_traffic_close(&b.traffic);
	free(b.files);
	return rc;
}
