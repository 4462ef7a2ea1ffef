/* SPDX-License-Identifier: BSD-3-Clause */
/* `postern rules explain`: a rule in words, how it is looked for, what it costs. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "control/rules/rules_cost.h"
#include "control/rules/samples.h"
#include "dataplane/match/match_cost.h"
#include "tools/rules/explain_plan.h"
#include "tools/rules/rules.h"
#include "tools/rules/rules_alone.h"
#include "tools/rules/rules_words.h"

#define LEAST 0.05 /* of a search for nothing: less can't be told from it */

static const char usage[] =
	"usage: postern rules explain SID|FILE... [options]\n"
	"  SID                   a rule's number, looked for in the rules of -r\n"
	"  FILE                  a file of rules: all of them\n"
	"  -r, --rules PATH      where to look for numbers; may be given again (./rules, else "
	"those\n"
	"                        that came with Postern)\n"
	"      --on CAPTURE      traffic to measure its cost over, in place of a sample\n"
	"      --json            for machines: an array, an object each\n"
	"  -h, --help\n";

static const struct option options[] = {
	{"rules", required_argument, NULL, 'r'},
	{"on", required_argument, NULL, 'o'},
	{"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

struct explain {
	const char **paths, **files;
	size_t path_count, file_count;
	char **wanted;
	int wanted_count;
	struct rules_traffic traffic;
	struct match_tape tape;
	double nothing[RULE_BUFFER_COUNT];
	json_t *json;  /* NULL: a page */
	unsigned said; /* rules on it */
};

static int parse(struct explain *x, int argc, char **argv, bool *done)
{
	int option;

	while ((option = getopt_long(argc, argv, "r:h", options, NULL)) != -1) {
		switch (option) {
		case 'r':
			x->paths[x->path_count++] = optarg;
			break;
		case 'o':
			x->files[x->file_count++] = optarg;
			break;
		case 'j':
			if (!x->json)
				x->json = json_array();
			break;
		case 'h':
			*done = true;
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	x->wanted = argv + optind;
	x->wanted_count = argc - optind;
	if (x->wanted_count > 0)
		return 0;
	fprintf(stderr, "postern rules explain: which rule?\n%s", usage);
	return 2;
}

/* What it costs ------------------------------------------------------------ */

/* Of the rule as it is among others: what is done once something of it was found. */
static struct match_share share_of(const struct explain *x, const struct rule_list *list,
				   const struct rule *rule)
{
	struct rules_compiled c = {0};
	struct match_share share = {0};
	struct rule copy = *rule;

	c.list = *list; /* with what the rule refers to */
	c.list.rules = &copy;
	c.list.count = 1;
	if (rules_compiled_build(&c, false) == 0)
		match_cost_shares(&x->tape, c.ruleset, 3, &share);
	c.list = (struct rule_list){0};
	rules_compiled_fini(&c);
	return share;
}

/* Of what costs on every byte, in buffers that the tape has: the rule alone, less a search for
 * nothing. */
static double everywhere_ns(struct explain *x, const struct rule_list *list,
			    const struct rule *rule, const struct rule_plan *plan, bool *any)
{
	bool done[RULE_BUFFER_COUNT] = {false};
	double ns = 0;

	for (size_t i = 0; i < plan->count; i++) {
		enum rule_buffer b = plan->chains[i].buffer;
		double alone;

		if (!plan_is_everywhere(&plan->chains[i]) || done[b] || !x->tape.fed[b])
			continue;
		*any = done[b] = true;
		if (x->nothing[b] == 0)
			x->nothing[b] = rules_nothing_ns(&x->tape, b);
		alone = rules_some_ns(&x->tape, list, rule, 1, b) - x->nothing[b];
		ns += alone > x->nothing[b] * LEAST ? alone : 0;
	}
	return ns;
}

struct explain_cost {
	const char *traffic;
	double ns_per_kib;
	uint64_t found;
	bool everywhere; /* it costs on every byte: measured alone */
};

static struct explain_cost cost_of(struct explain *x, const struct rule_list *list,
				   const struct rule *rule, const struct rule_plan *plan)
{
	struct match_share share = share_of(x, list, rule);
	struct explain_cost cost = {
		.traffic = x->file_count ? x->files[0] : "a sample of mails and calls",
		.found = share.found,
	};
	double ns = everywhere_ns(x, list, rule, plan, &cost.everywhere);

	cost.ns_per_kib = match_ns_per_kib(ns > share.ns ? ns : share.ns, x->tape.traffic);
	return cost;
}

static void say_cost(const struct rules_lines *out, const struct explain_cost *cost)
{
	if (!cost->everywhere && !cost->found) {
		rules_printf(out, "cost",
			     "nothing: nothing of it was found in %s, and the search is one with "
			     "that of the other rules",
			     cost->traffic);
		return;
	}
	rules_printf(out, "cost",
		     "%.2f ns per KiB of %s, where something of it was found %llu times; measured "
		     "%s",
		     cost->ns_per_kib, cost->traffic, (unsigned long long)cost->found,
		     cost->everywhere ? "alone, less a search for nothing"
				      : "from when it was found to when the rule was done with");
}

/* -------------------------------------------------------------------------- */

static void say_samples(const struct rules_lines *out, struct sample_counts n)
{
	if (n.of[SAMPLE_MATCH] + n.of[SAMPLE_MISS])
		rules_printf(out, "samples", "%zu that it must match, %zu that it must not",
			     n.of[SAMPLE_MATCH], n.of[SAMPLE_MISS]);
	else
		rules_paragraph(out, "samples", "none: nothing shows that it does what it says");
}

/* Rules of some paths, and their samples. */
struct rules_read {
	struct rule_list rules;
	struct sample_list samples;
};

static void rules_read_fini(struct rules_read *read)
{
	rule_list_fini(&read->rules);
	sample_list_fini(&read->samples);
}

/* All that is to be said of one. */
struct explained {
	const struct rule *rule;
	struct rule_plan plan;
	struct explain_cost cost;
	struct sample_counts samples;
	struct rule_diags diags;
};

static void say_words(const struct rules_lines *out, const struct rule *rule)
{
	struct arena arena = {0};
	struct rule_line line;

	if (rules_line_find(&arena, &rule->place, &line))
		rules_words(out, &line);
	arena_fini(&arena);
}

static void print_rule(struct explain *x, const struct explained *e)
{
	const struct rules_lines out = {.page = stdout};
	const struct rule *rule = e->rule;

	if (x->said++)
		putchar('\n');
	printf("%u, revision %u: %s\n", rule->sid, rule->rev, rule->msg ? rule->msg : "");
	printf("  %s:%u\n", rule->place.file, rule->place.line);
	say_words(&out, rule);
	explain_plan(&out, rule, &e->plan);
	say_cost(&out, &e->cost);
	say_samples(&out, e->samples);
	for (size_t i = 0; i < e->diags.count; i++)
		rules_printf(&out, "warning", "%s", e->diags.list[i].message);
}

static json_t *warnings_json(const struct rule_diags *diags)
{
	json_t *list = json_array();

	for (size_t i = 0; i < diags->count; i++)
		json_array_append_new(list, json_pack("{s:i, s:i, s:o}", "line",
						      (int)diags->list[i].place.line, "column",
						      (int)diags->list[i].place.column, "message",
						      rules_json_string(diags->list[i].message)));
	return list;
}

static json_t *cost_json(const struct explain_cost *cost)
{
	return json_pack("{s:f, s:o, s:I, s:b}", "ns_per_kib", cost->ns_per_kib, "traffic",
			 rules_json_string(cost->traffic), "found", (json_int_t)cost->found,
			 "alone", (int)cost->everywhere);
}

static void add_rule(struct explain *x, const struct explained *e)
{
	const struct rules_lines out = {.list = json_array()};
	const struct rule *rule = e->rule;

	say_words(&out, rule);
	json_array_append_new(
		x->json,
		json_pack("{s:I, s:I, s:o, s:o, s:i, s:o, s:o, s:o, s:{s:I, s:I}, s:o}", "sid",
			  (json_int_t)rule->sid, "rev", (json_int_t)rule->rev, "msg",
			  rules_json_string(rule->msg), "file", rules_json_string(rule->place.file),
			  "line", (int)rule->place.line, "words", out.list, "search",
			  explain_plan_json(rule, &e->plan), "cost", cost_json(&e->cost), "samples",
			  "match", (json_int_t)e->samples.of[SAMPLE_MATCH], "miss",
			  (json_int_t)e->samples.of[SAMPLE_MISS], "warnings",
			  warnings_json(&e->diags)));
}

static void say_rule(struct explain *x, const struct rules_read *read, const struct rule *rule)
{
	struct explained e = {.rule = rule, .samples = samples_count(&read->samples, rule->sid)};

	if (rule_plan_make(rule, &e.plan, &e.diags) < 0)
		e.plan.count = 0;
	e.cost = cost_of(x, &read->rules, rule, &e.plan);
	if (x->json)
		add_rule(x, &e);
	else
		print_rule(x, &e);
	rule_plan_fini(&e.plan);
	rule_diags_fini(&e.diags);
}

static bool is_number(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 0 && !text[n];
}

static int read_rules(struct rules_read *read, const char *const *paths, size_t count)
{
	struct rule_diags diags = {0};
	int rc;

	for (size_t i = 0; i < count; i++) {
		if (rules_load_path(&read->rules, &diags, NULL, paths[i]) == 0)
			samples_load_path(&read->samples, &diags, paths[i]);
	}
	for (size_t i = 0; i < diags.count; i++)
		if (diags.list[i].severity == RULE_ERROR)
			rule_diag_print(stderr, &diags.list[i]);
	rc = diags.errors ? 1 : 0;
	rule_diags_fini(&diags);
	return rc;
}

/* Rules that are not good are said, and do not keep the others from being explained. */
static int explain_file(struct explain *x, const char *path)
{
	struct rules_read read = {0};
	int rc = read_rules(&read, &path, 1);

	for (size_t i = 0; i < read.rules.count; i++)
		say_rule(x, &read, &read.rules.rules[i]);
	if (!rc && !read.rules.count) {
		fprintf(stderr, "postern rules explain: there are no rules in %s\n", path);
		rc = 1;
	}
	rules_read_fini(&read);
	return rc;
}

static int explain_sid(struct explain *x, const struct rules_read *read, const char *text)
{
	unsigned long sid = strtoul(text, NULL, 10);

	for (size_t i = 0; i < read->rules.count; i++) {
		if (read->rules.rules[i].sid == sid) {
			say_rule(x, read, &read->rules.rules[i]);
			return 0;
		}
	}
	fprintf(stderr, "postern rules explain: no rule %s in", text);
	for (size_t i = 0; i < x->path_count; i++)
		fprintf(stderr, " %s", x->paths[i]);
	fputc('\n', stderr);
	return 1;
}

static bool default_path(struct explain *x)
{
	struct stat st;

	if (stat("rules", &st) == 0 && S_ISDIR(st.st_mode))
		x->paths[x->path_count++] = "rules";
	else if (stat(POSTERN_RULES, &st) == 0)
		x->paths[x->path_count++] = POSTERN_RULES;
	return x->path_count > 0;
}

static int open_tape(struct explain *x)
{
	struct replay_stats stats;
	int rc;

	if (!x->file_count)
		return rules_cost_sample(&x->tape) ? 1 : 0;
	x->traffic = (struct rules_traffic){.files = x->files, .file_count = x->file_count};
	rc = rules_traffic_open(&x->traffic);
	return rc ? rc : rules_replay(&x->traffic, NULL, &x->tape, NULL, &stats);
}

static int run(struct explain *x)
{
	struct rules_read read = {0};
	bool numbers = false;
	int rc = open_tape(x);

	for (int i = 0; i < x->wanted_count; i++)
		numbers |= is_number(x->wanted[i]);
	if (!rc && numbers && !x->path_count && !default_path(x)) {
		fprintf(stderr, "postern rules explain: in which rules? -r\n");
		rc = 2;
	}
	if (!rc && numbers)
		rc = read_rules(&read, x->paths, x->path_count) && !read.rules.count;
	for (int i = 0; i < x->wanted_count && rc != 2 && x->tape.count; i++) {
		if (is_number(x->wanted[i]))
			rc |= explain_sid(x, &read, x->wanted[i]);
		else
			rc |= explain_file(x, x->wanted[i]);
	}
	rules_read_fini(&read);
	return rc;
}

int rules_explain_main(int argc, char **argv)
{
	struct explain x = {
		.paths = calloc((size_t)argc + 1, sizeof(char *)),
		.files = calloc((size_t)argc + 1, sizeof(char *)),
	};
	bool done = false;
	int rc = x.paths && x.files ? parse(&x, argc, argv, &done) : 1;

	if (!rc && !done)
		rc = run(&x);
	if (x.json && rc != 2) {
		json_dumpf(x.json, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(x.json);
	match_tape_fini(&x.tape);
	rules_traffic_close(&x.traffic);
	free(x.paths);
	free(x.files);
	return rc;
}
