/* SPDX-License-Identifier: BSD-3-Clause */
/* `postern rules explain`: a rule in words, how it is looked for, what it costs. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <hs_compile.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "control/rule_plan.h"
#include "control/rules_cost.h"
#include "control/samples.h"
#include "dataplane/match_cost.h"
#include "tools/rules.h"
#include "tools/rules_alone.h"
#include "tools/rules_words.h"

#define LEAST 0.05 /* of a search for nothing: less can't be told from it */

static const char usage[] =
	"usage: postern rules explain SID|FILE... [options]\n"
	"  SID                   a rule's number, looked for in the rules of -r\n"
	"  FILE                  a file of rules: all of them\n"
	"  -r, --rules PATH      where to look for numbers; may be given again (./rules, else "
	"those\n"
	"                        that came with Postern)\n"
	"      --on CAPTURE      traffic to measure its cost over, in place of a sample\n"
	"  -h, --help\n";

static const struct option options[] = {
	{"rules", required_argument, NULL, 'r'},
	{"on", required_argument, NULL, 'o'},
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

/* How it is looked for ------------------------------------------------------ */

static const struct rule_step *step_at(const struct rule *rule, const struct rule_place *place)
{
	for (size_t p = 0; p < rule->parts_count; p++)
		for (size_t s = 0; s < rule->parts[p].count; s++) {
			const struct rule_step *step = &rule->parts[p].steps[s];

			if (step->place.line == place->line && step->place.column == place->column)
				return step;
		}
	return NULL;
}

/* Why this one, in brackets; "": there was no choice. */
static const char *literal_reason(const struct rule *rule, const struct rule_plan_chain *chain)
{
	const struct rule_step *step = step_at(rule, &chain->place);

	if (step && step->fast)
		return " (fast_pattern chose it)";
	if (step && step->kind == RULE_STEP_PCRE)
		return " (every match of the expression holds it)";
	return chain->steps > 1 ? " (the rarest of what hangs together)" : "";
}

static bool has_expression(const struct rule *rule, const struct rule_plan_chain *chain)
{
	const struct rule_part *part = &rule->parts[chain->part];

	for (size_t s = 0; s < part->count; s++)
		if (part->steps[s].kind == RULE_STEP_PCRE)
			return true;
	return false;
}

/* Bytes as a rule has them. */
static const char *literal_text(struct arena *arena, const struct rule_plan_chain *chain)
{
	char *text = arena_alloc(arena, chain->len * 4 + 1), *at = text;

	for (size_t i = 0; i < chain->len; i++) {
		unsigned char c = (unsigned char)chain->text[i];

		at += sprintf(at, c < ' ' || c > '~' || c == '|' || c == '"' ? "|%02x|" : "%c", c);
	}
	return text;
}

static const char *flags_text(struct arena *arena, unsigned flags)
{
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = {
		{HS_FLAG_CASELESS, "CASELESS"},
		{HS_FLAG_DOTALL, "DOTALL"},
		{HS_FLAG_MULTILINE, "MULTILINE"},
		{HS_FLAG_SINGLEMATCH, "SINGLEMATCH"},
		{HS_FLAG_ALLOWEMPTY, "ALLOWEMPTY"},
		{HS_FLAG_UTF8, "UTF8"},
		{HS_FLAG_UCP, "UCP"},
		{HS_FLAG_PREFILTER, "PREFILTER"},
	};
	const char *text = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & names[i].flag)
			text = arena_printf(arena, "%s%s%s", text, *text ? " " : "", names[i].name);
	return *text ? text : "no flags";
}

static const char *plan_words(struct arena *arena, const struct rule *rule,
			      const struct rule_plan_chain *chain)
{
	const char *confirm = !chain->confirm               ? ""
			      : has_expression(rule, chain) ? "; where it is, PCRE2 decides"
							    : "; where it is, the rest is compared";
	const char *brief = plan_is_brief(chain) ? "; it is so short that the search stops often: "
						   "postern rules bench tells what that costs"
						 : "";

	switch (chain->how) {
	case PLAN_LITERAL:
		return arena_printf(arena, "\"%s\"%s is looked for%s%s%s%s",
				    literal_text(arena, chain),
				    chain->nocase ? " in either case" : "",
				    chain->negated ? ": it must not be there" : " first",
				    literal_reason(rule, chain), confirm, brief);
	case PLAN_EXPRESSION:
		return arena_printf(arena, "Hyperscan %s /%.*s/ %s (%s)%s",
				    chain->words ? "finds" : "runs", (int)chain->len, chain->text,
				    chain->words ? "by the words in it" : "on every byte",
				    flags_text(arena, chain->hs_flags),
				    chain->prefilter
					    ? ": it finds where that may be, and PCRE2 decides"
				    : chain->confirm ? "; where it ends, PCRE2 decides"
				    : chain->negated ? ": it must not be there"
						     : ", and decides");
	case PLAN_BESIDE:
		return chain->negated
			       ? "what must not be there is looked at when the other is found"
			       : "another is looked at when the one before is found";
	case PLAN_ALWAYS:
		return "nothing to look for: it is looked at in every instance of the buffer";
	case PLAN_LENGTH:
		return "the length is compared";
	}
	return "";
}

static void say_plan(const struct rule *rule, const struct rule_plan *plan)
{
	struct arena arena = {0};

	for (size_t i = 0; i < plan->count; i++) {
		const struct rule_plan_chain *chain = &plan->chains[i];
		bool stream = rule_buffers[chain->buffer].mode == BUFFER_STREAM;

		if (!i || chain->part != plan->chains[i - 1].part)
			rules_printf(stdout, i ? "" : "search",
				     "%s: %s search, shared by all rules that look there",
				     rule_buffers[chain->buffer].name,
				     stream ? "a streaming" : "a block");
		rules_printf(stdout, "", "- %s%s", plan_words(&arena, rule, chain),
			     chain->reach ? arena_printf(&arena,
							 "; %u bytes before and after it are seen, "
							 "however packets cut the body",
							 chain->reach)
					  : "");
		if (chain->at_close &&
		    (i + 1 == plan->count || plan->chains[i + 1].part != chain->part))
			rules_paragraph(stdout, "", "- known at the body's end");
	}
	arena_fini(&arena);
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

static void say_cost(struct explain *x, const struct rule_list *list, const struct rule *rule,
		     const struct rule_plan *plan)
{
	const char *traffic = x->file_count ? x->files[0] : "a sample of mails and calls";
	struct match_share share = share_of(x, list, rule);
	bool everywhere = false;
	double ns = everywhere_ns(x, list, rule, plan, &everywhere);

	if (!everywhere && !share.found) {
		rules_printf(stdout, "cost",
			     "nothing: nothing of it was found in %s, and the search is one with "
			     "that of the other rules",
			     traffic);
		return;
	}
	rules_printf(
		stdout, "cost",
		"%.2f ns per KiB of %s, where something of it was found %llu times; measured %s",
		match_ns_per_kib(ns > share.ns ? ns : share.ns, x->tape.traffic), traffic,
		(unsigned long long)share.found,
		everywhere ? "alone, less a search for nothing"
			   : "from when it was found to when the rule was done with");
}

/* -------------------------------------------------------------------------- */

static void say_samples(const struct sample_list *samples, uint32_t sid)
{
	struct sample_counts n = samples_count(samples, sid);

	if (n.of[SAMPLE_MATCH] + n.of[SAMPLE_MISS])
		rules_printf(stdout, "samples", "%zu that it must match, %zu that it must not",
			     n.of[SAMPLE_MATCH], n.of[SAMPLE_MISS]);
	else
		rules_paragraph(stdout, "samples", "none: nothing shows that it does what it says");
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

static void say_rule(struct explain *x, const struct rules_read *read, const struct rule *rule)
{
	struct rule_diags diags = {0};
	struct arena arena = {0};
	struct rule_line line;
	struct rule_plan plan;

	printf("%u, revision %u: %s\n", rule->sid, rule->rev, rule->msg ? rule->msg : "");
	printf("  %s:%u\n", rule->place.file, rule->place.line);
	if (rules_line_find(&arena, &rule->place, &line))
		rules_words(stdout, &line);
	if (rule_plan_make(rule, &plan, &diags) == 0)
		say_plan(rule, &plan);
	say_cost(x, &read->rules, rule, &plan);
	rule_plan_fini(&plan);
	say_samples(&read->samples, rule->sid);
	for (size_t i = 0; i < diags.count; i++)
		rules_printf(stdout, "warning", "%s", diags.list[i].message);
	rule_diags_fini(&diags);
	arena_fini(&arena);
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

	for (size_t i = 0; i < read.rules.count; i++) {
		if (i)
			putchar('\n');
		say_rule(x, &read, &read.rules.rules[i]);
	}
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
		if (i)
			putchar('\n');
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
	match_tape_fini(&x.tape);
	rules_traffic_close(&x.traffic);
	free(x.paths);
	free(x.files);
	return rc;
}
