/* SPDX-License-Identifier: BSD-3-Clause */
/* `postern rules check`: everything that is wrong with rules and their samples, by place. */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/rules/ruleset_build.h"
#include "control/rules/samples.h"
#include "tools/rules/rules.h"
#include "tools/rules/rules_inputs.h"
#include "tools/rules/rules_lines.h"

static const char usage[] =
	"usage: postern rules check [--json] [--werror] PATH...\n"
	"  PATH          a file of rules, or a directory of *.rules; samples are those beside it\n"
	"      --json    one JSON object on standard output\n"
	"      --werror  warnings are mistakes\n"
	"  -h, --help\n";

struct check {
	bool json, werror;
	struct rule_list rules;
	struct sample_list samples;
	struct rule_diags diags;
	struct ruleset_build_stats stats;
};

/* By file as they were given, then by place. */
static int by_place(const void *a, const void *b)
{
	const struct rule_diag *x = a, *y = b;
	int file = strcmp(x->place.file, y->place.file);

	if (file)
		return file;
	if (x->place.line != y->place.line)
		return x->place.line < y->place.line ? -1 : 1;
	return x->place.column < y->place.column ? -1 : x->place.column > y->place.column;
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void print_text(const struct check *c)
{
	for (size_t i = 0; i < c->diags.count; i++)
		rule_diag_print(stdout, &c->diags.list[i]);
	printf("%zu rule%s and %zu sample%s: %zu error%s, %zu warning%s\n", c->rules.count,
	       plural(c->rules.count), c->samples.count, plural(c->samples.count), c->diags.errors,
	       plural(c->diags.errors), c->diags.warnings, plural(c->diags.warnings));
}

static void print_json(const struct check *c)
{
	json_t *problems = json_array(), *all;

	for (size_t i = 0; i < c->diags.count; i++) {
		const struct rule_diag *d = &c->diags.list[i];

		json_array_append_new(
			problems,
			json_pack("{s:o, s:i, s:i, s:s, s:o, s:I}", "file",
				  rules_json_string(d->place.file), "line", (int)d->place.line,
				  "column", (int)d->place.column, "severity",
				  d->severity == RULE_ERROR ? "error" : "warning", "message",
				  rules_json_string(d->message), "sid", (json_int_t)d->sid));
	}
	all = json_pack("{s:b, s:I, s:I, s:I, s:I, s:o}", "ok", c->diags.errors == 0, "rules",
			(json_int_t)c->rules.count, "samples", (json_int_t)c->samples.count,
			"errors", (json_int_t)c->diags.errors, "warnings",
			(json_int_t)c->diags.warnings, "problems", problems);
	json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(all);
}

static void check(struct check *c)
{
	void *image = NULL;
	size_t size;

	if (c->diags.errors)
		return; /* what is left out would only be missed */
	if (ruleset_build(&c->rules, 1, &c->diags, &image, &size, &c->stats) < 0 &&
	    !c->diags.errors)
		rule_diag_add(&c->diags, RULE_ERROR, (struct rule_place){0}, 0,
			      "not enough memory to compile the rules");
	free(image);
	samples_check(&c->samples, &c->rules, &c->diags);
}

static int parse(struct check *c, int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"werror", no_argument, NULL, 'w'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (option == '?')
			return 2;
		c->json = c->json || option == 'j';
		c->werror = c->werror || option == 'w';
	}
	if (optind < argc)
		return -1;
	fputs(usage, stderr);
	return 2;
}

int rules_check_main(int argc, char **argv)
{
	struct check c = {0};
	int rc = parse(&c, argc, argv);

	if (rc >= 0)
		return rc;
	rules_inputs_load(argv + optind, argc - optind, &c.rules, &c.samples, &c.diags);
	check(&c);
	if (c.diags.count)
		qsort(c.diags.list, c.diags.count, sizeof(*c.diags.list), by_place);
	if (c.json)
		print_json(&c);
	else
		print_text(&c);
	rc = c.diags.errors || (c.werror && c.diags.warnings) ? 1 : 0;
	rule_list_fini(&c.rules);
	sample_list_fini(&c.samples);
	rule_diags_fini(&c.diags);
	return rc;
}
