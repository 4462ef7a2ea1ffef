/* SPDX-License-Identifier: BSD-3-Clause */
/* `postern rules import`: what a gate takes of Suricata's rule files, and why not the rest. */
#include <errno.h>
#include <getopt.h>
#include <glob.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "control/rules/rule_import.h"
#include "tools/rules/rules.h"

static const char usage[] =
	"usage: postern rules import [options] PATH...\n"
	"  PATH                  a file of Suricata's rules, or a directory of *.rules\n"
	"  -o, --output FILE     writes the rules that are taken\n"
	"      --var NAME=VALUE  what $NAME stands for at this site; may be given again\n"
	"      --renumber SID    a rule whose sid is taken gets the next from SID on, not a "
	"refusal\n"
	"      --all             a line for each rule that is about something else, too\n"
	"      --json            one JSON object on standard output\n"
	"  -h, --help\n";

#define VARS_MAX 64

struct options {
	const char *output;
	struct rule_var var[VARS_MAX];
	struct rule_vars vars;
	uint32_t renumber;
	bool all, json;
};

static bool add_var(struct options *o, char *arg)
{
	char *equals = strchr(arg, '=');

	if (!equals || equals == arg || o->vars.count == VARS_MAX) {
		fprintf(stderr, "postern rules import: --var: expected NAME=VALUE, up to %d\n",
			VARS_MAX);
		return false;
	}
	*equals = '\0';
	o->var[o->vars.count++] = (struct rule_var){arg, equals + 1};
	o->vars.vars = o->var;
	return true;
}

static bool set_renumber(struct options *o, const char *arg)
{
	char *end;
	unsigned long n = strtoul(arg, &end, 10);

	if (*end || n < 1 || n > UINT32_MAX - 1000000) {
		fprintf(stderr, "postern rules import: --renumber: expected a sid\n");
		return false;
	}
	o->renumber = (uint32_t)n;
	return true;
}

/* -1: go on; else an exit status. */
static int read_options(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {{"output", required_argument, NULL, 'o'},
					      {"var", required_argument, NULL, 'V'},
					      {"renumber", required_argument, NULL, 'R'},
					      {"all", no_argument, NULL, 'A'},
					      {"json", no_argument, NULL, 'J'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	int c;

	while ((c = getopt_long(argc, argv, "o:h", longs, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		o->all |= c == 'A';
		o->json |= c == 'J';
		if (c == 'o')
			o->output = optarg;
		else if ((c == 'V' && !add_var(o, optarg)) ||
			 (c == 'R' && !set_renumber(o, optarg)))
			return 2;
		else if (c == '?')
			return 2;
	}
	if (optind < argc)
		return -1;
	fputs(usage, stderr);
	return 2;
}

static int read_file(struct rule_import *import, const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;
	FILE *copy = f ? open_memstream(&text, &size) : NULL;
	char block[65536];
	size_t n;
	int rc = 0;

	if (!copy) {
		rc = -errno;
	} else {
		while ((n = fread(block, 1, sizeof(block), f)) > 0)
			fwrite(block, 1, n, copy);
		rc = ferror(f) ? -EIO : 0;
		fclose(copy);
		if (!rc)
			rule_import_text(import, path, text, size);
	}
	free(text);
	if (f)
		fclose(f);
	if (rc)
		fprintf(stderr, "postern rules import: %s: %s\n", path, strerror(-rc));
	return rc;
}

static int read_path(struct rule_import *import, const char *path, unsigned *files)
{
	char pattern[4096];
	struct stat st;
	glob_t found;
	int rc = 0;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
		++*files;
		return read_file(import, path);
	}
	snprintf(pattern, sizeof(pattern), "%s/*.rules", path);
	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++, ++*files) {
		int one = read_file(import, found.gl_pathv[i]);

		rc = rc ? rc : one;
	}
	globfree(&found);
	return rc;
}

/* ---- reasons and protocols by how often they are ---- */

struct tally {
	const char *what;
	size_t count;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_count(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;

	return x->count != y->count ? (x->count < y->count ? 1 : -1) : strcmp(x->what, y->what);
}

/* The caller's to free. */
static struct tally *tally_of(const struct rule_import *import, enum rule_import_what what,
			      size_t *count)
{
	const char **all = calloc(import->count + 1, sizeof(*all));
	struct tally *tally = calloc(import->count + 1, sizeof(*tally));
	size_t n = 0;

	*count = 0;
	for (size_t i = 0; all && tally && i < import->count; i++)
		if (import->rules[i].what == what)
			all[n++] = import->rules[i].why;
	if (n)
		qsort(all, n, sizeof(*all), by_text);
	for (size_t i = 0; i < n; i++) {
		if (!i || strcmp(all[i], all[i - 1]))
			tally[(*count)++].what = all[i];
		tally[*count - 1].count++;
	}
	free(all);
	if (*count)
		qsort(tally, *count, sizeof(*tally), by_count);
	return tally;
}

static void print_tally(const struct rule_import *import, enum rule_import_what what)
{
	size_t count;
	struct tally *tally = tally_of(import, what, &count);

	for (size_t i = 0; i < count; i++)
		printf("  %7zu  %s\n", tally[i].count, tally[i].what);
	free(tally);
}

static void print_text(const struct rule_import *import, const struct options *o, unsigned files)
{
	for (size_t i = 0; i < import->count; i++) {
		const struct rule_imported *r = &import->rules[i];

		if (r->what == IMPORT_REFUSED)
			printf("%s:%u: sid %u: %s\n", r->place.file, r->place.line, r->sid, r->why);
		else if (r->what == IMPORT_OTHER && o->all)
			printf("%s:%u: sid %u: not about SMTP or SIP (%s)\n", r->place.file,
			       r->place.line, r->sid, r->why);
	}
	printf("%zu rules in %u file%s\n", import->count, files, files == 1 ? "" : "s");
	printf("%9zu  taken, %zu of them with a buffer put before what they look for\n",
	       import->counts[IMPORT_TAKEN] + import->counts[IMPORT_MAPPED],
	       import->counts[IMPORT_MAPPED]);
	printf("%9zu  the same as one before\n", import->counts[IMPORT_AGAIN]);
	printf("%9zu  about SMTP or SIP, and refused\n", import->counts[IMPORT_REFUSED]);
	print_tally(import, IMPORT_REFUSED);
	printf("%9zu  about something else\n", import->counts[IMPORT_OTHER]);
	print_tally(import, IMPORT_OTHER);
}

static json_t *refused_json(const struct rule_import *import)
{
	json_t *list = json_array();

	for (size_t i = 0; i < import->count; i++) {
		const struct rule_imported *r = &import->rules[i];

		if (r->what == IMPORT_REFUSED)
			json_array_append_new(
				list, json_pack("{s:s, s:i, s:I, s:s}", "file", r->place.file,
						"line", (int)r->place.line, "sid",
						(json_int_t)r->sid, "reason", r->why));
	}
	return list;
}

static json_t *others_json(const struct rule_import *import)
{
	size_t count;
	struct tally *tally = tally_of(import, IMPORT_OTHER, &count);
	json_t *others = json_object();

	for (size_t i = 0; i < count; i++)
		json_object_set_new(others, *tally[i].what ? tally[i].what : "?",
				    json_integer((json_int_t)tally[i].count));
	free(tally);
	return others;
}

static void print_json(const struct rule_import *import, unsigned files)
{
	const size_t *counts = import->counts;
	json_t *all = json_pack("{s:i, s:I, s:I, s:I, s:I, s:o, s:o}", "files", (int)files, "rules",
				(json_int_t)import->count, "taken",
				(json_int_t)(counts[IMPORT_TAKEN] + counts[IMPORT_MAPPED]),
				"mapped", (json_int_t)counts[IMPORT_MAPPED], "again",
				(json_int_t)counts[IMPORT_AGAIN], "refused", refused_json(import),
				"others", others_json(import));

	json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(all);
}

static int write_rules(const struct rule_import *import, const char *path)
{
	FILE *out = fopen(path, "w");
	const char *file = "";
	bool bad;

	if (!out) {
		fprintf(stderr, "postern rules import: %s: %s\n", path, strerror(errno));
		return 1;
	}
	for (size_t i = 0; i < import->count; i++) {
		const struct rule_imported *r = &import->rules[i];

		if (r->what > IMPORT_MAPPED)
			continue;
		if (strcmp(file, r->place.file) != 0)
			fprintf(out, "\n# %s\n", r->place.file);
		file = r->place.file;
		if (r->what == IMPORT_MAPPED)
			fprintf(out, "# from the raw payload:\n");
		fprintf(out, "%s\n", r->text);
	}
	bad = ferror(out);
	if (fclose(out) != 0 || bad) {
		fprintf(stderr, "postern rules import: %s: %s\n", path, strerror(errno));
		return 1;
	}
	return 0;
}

int rules_import_main(int argc, char **argv)
{
	struct rule_import import = {0};
	struct options o = {0};
	int status = read_options(&o, argc, argv);
	unsigned files = 0;

	if (status >= 0)
		return status;
	status = 0;
	import.vars = &o.vars;
	import.renumber = o.renumber;
	for (int i = optind; i < argc; i++)
		if (read_path(&import, argv[i], &files) < 0)
			status = 1;
	if (o.json)
		print_json(&import, files);
	else
		print_text(&import, &o, files);
	if (o.output && write_rules(&import, o.output) != 0)
		status = 1;
	rule_import_fini(&import);
	return status;
}
