/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "control/config/config_lint.h"
#include "tools/policy/policy.h"

static int usage(FILE *out, int status)
{
	fprintf(out, "usage: postern policy lint [--json] CONFIG\n"
		     "  says what is legal and odd; exit 1 where there is something:\n");
	for (int i = 0; i < LINT_COUNT; i++)
		fprintf(out, "  %-12s %s\n", lint_name((enum lint_kind)i),
			lint_text((enum lint_kind)i));
	return status;
}

static void print_note(const struct lint_note *n)
{
	printf("%s", *n->file ? n->file : "configuration");
	if (n->line)
		printf(":%u", n->line);
	if (n->column)
		printf(":%u", n->column);
	printf(": %s%s%s [%s]\n", n->path, *n->path ? ": " : "", n->text, lint_name(n->kind));
}

static json_t *note_json(const struct lint_note *n)
{
	json_t *object = json_pack("{s:s, s:s, s:s}", "kind", lint_name(n->kind), "setting",
				   n->path, "message", n->text);

	if (*n->file)
		json_object_set_new(object, "file", json_string(n->file));
	if (n->line)
		json_object_set_new(object, "line", json_integer(n->line));
	if (n->column)
		json_object_set_new(object, "column", json_integer(n->column));
	return object;
}

static void print_json(const struct lint *lint)
{
	json_t *notes = json_array(), *object;

	for (size_t i = 0; i < lint->count; i++)
		json_array_append_new(notes, note_json(&lint->notes[i]));
	object = json_pack("{s:o}", "notes", notes);
	json_dumpf(object, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(object);
}

/* Only of what would be accepted. */
static int lint_file(const char *path, bool json)
{
	struct diag diag = {0};
	struct config *config = config_load(path, &diag);
	struct lint lint = {0};
	int rc = config && !diag.errors ? config_lint(config, &lint) : -EINVAL;
	size_t count = lint.count;

	if (rc == -EINVAL)
		diag_print(&diag, stderr);
	else if (rc)
		fprintf(stderr, "postern: %s: %s\n", path, strerror(-rc));
	else if (json)
		print_json(&lint);
	for (size_t i = 0; !rc && !json && i < count; i++)
		print_note(&lint.notes[i]);
	if (!rc && !json && !count)
		printf("%s: nothing odd\n", path);
	lint_fini(&lint);
	config_free(config);
	diag_fini(&diag);
	return rc || count ? 1 : 0;
}

int policy_lint_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h')
			return usage(stdout, 0);
		if (option != 'j')
			return usage(stderr, 2);
		json = true;
	}
	return optind + 1 == argc ? lint_file(argv[optind], json) : usage(stderr, 2);
}
