/* SPDX-License-Identifier: BSD-3-Clause */
/* `postern rules push`: from files to a running gate, through posternd's socket. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/base/utf8.h"
#include "control/rules/rule_dataset.h"
#include "control/rules/rules_text.h"
#include "control/rules/ruleset_build.h"
#include "tools/live/live_client.h"
#include "tools/live/live_page.h"
#include "tools/rules/rules.h"
#include "tools/rules/rules_push_test.h"

#define PIECE 8000 /* bytes of text in a request: its JSON may take six for one */

static const char usage[] =
	"usage: postern rules push [--shadow] [--reason TEXT] [--no-test] [--json] [--socket PATH] "
	"PATH...\n"
	"       postern rules push --configuration\n"
	"  instead of the rules in force: files of rules, and directories of *.rules; checked,\n"
	"  tested with the samples beside them, compiled and swapped, all or nothing\n"
	"  --shadow           what is new or changed only counts, until a push without this\n"
	"  --configuration    back to gate.rules: reads them with a reload\n"
	"  --no-test          samples are not run\n"
	"  --reason TEXT      why, for the history and the events\n";

struct push {
	const char *socket, *reason;
	bool json, shadow, configuration, untested;
	struct rules_push_tested tested;
	char **paths;
	int count;
	struct rules_text text;
	struct rule_list rules;
	struct live_client client;
	int failed;
};

/* Longest prefix of at most `most` bytes that ends between two characters. */
static size_t piece_of(const char *text, size_t len, size_t most)
{
	size_t n = len < most ? len : most;

	while (n && n < len && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static size_t line_of(const char *text, size_t at)
{
	size_t line = 1;

	for (size_t i = 0; i < at; i++)
		line += text[i] == '\n';
	return line;
}

/* The socket speaks JSON: UTF-8, no NULs. */
static bool is_text(const char *path, const char *text, size_t len)
{
	size_t good = 0, n = 1;

	while (good < len && n && text[good]) {
		n = utf8_len((const uint8_t *)text + good, len - good);
		good += n;
	}
	if (good == len)
		return true;
	fprintf(stderr, "%s:%zu: error: not UTF-8, or a NUL; a rule says such bytes as |hh|\n",
		path, line_of(text, good));
	return false;
}

static int say_too_much(void)
{
	fprintf(stderr, "postern rules push: more than %u MiB, or %u files\n", RULES_TEXT_MAX >> 20,
		RULES_FILES_MAX);
	return 1;
}

static int stage(struct push *p, const struct rules_file *file, const char *text, size_t len)
{
	json_t *result;

	if (live_ask(&p->client, "rules stage",
		     json_pack("{s:s, s:s%, s:b}", "file", file->name, "text", text, len, "data",
			       file->data)) != 0)
		return 1;
	result = live_result(&p->client);
	json_decref(result);
	return !result;
}

static int stage_file(struct push *p, const struct rules_file *file)
{
	const char *text = file->text;
	size_t len = file->len;
	int rc = 0;

	while (len && !rc) {
		size_t n = piece_of(text, len, PIECE);

		rc = stage(p, file, text, n);
		text += n;
		len -= n;
	}
	return rc;
}

static int stage_all(struct push *p)
{
	int rc = 0;

	for (size_t i = 0; i < p->text.count && !rc; i++)
		rc = stage_file(p, &p->text.files[i]);
	return rc;
}

/* Their names from the root: posternd has another working directory. */
static void take_file(void *ctx, const char *path, const char *text, size_t len)
{
	struct push *p = ctx;
	char here[PATH_MAX], name[2 * PATH_MAX];

	if (*path == '/' || !getcwd(here, sizeof(here)))
		snprintf(name, sizeof(name), "%s", path);
	else
		snprintf(name, sizeof(name), "%s/%s", here, path);
	if (!is_text(path, text, len))
		p->failed = 1;
	else if (rules_text_add(&p->text, name, false, text, len) != 0)
		p->failed = say_too_much();
}

/* What rules load goes with them. */
static int take_data(void *ctx, const char *path, char **textp, size_t *sizep)
{
	struct push *p = ctx;
	int rc = rule_dataset_read(path, textp, sizep);

	if (rc || rules_text_data(&p->text, path))
		return rc;
	if (!is_text(path, *textp, *sizep))
		p->failed = 1;
	else if (rules_text_add(&p->text, path, true, *textp, *sizep) != 0)
		p->failed = say_too_much();
	return 0;
}

/* Reads all that is to be pushed, and sees whether the rules are good. */
static int read_all(struct push *p)
{
	const struct rule_files files = {take_data, p};
	struct rule_diags diags = {0};

	for (int i = 0; i < p->count && !p->failed; i++)
		p->failed |= rules_each_file(&diags, p->paths[i], take_file, p) != 0;
	if (!p->failed && !p->text.bytes) {
		fprintf(stderr, "postern rules push: there is nothing in these files\n");
		p->failed = 1;
	}
	p->rules.files = &files;
	if (!p->failed)
		rules_text_parse(&p->text, &p->rules, &diags);
	p->rules.files = NULL;
	p->failed |= diags.errors > 0;
	for (size_t i = 0; i < diags.count; i++)
		if (diags.list[i].severity == RULE_ERROR)
			rule_diag_print(stderr, &diags.list[i]);
	rule_diags_fini(&diags);
	return p->failed;
}

static int push(struct push *p)
{
	json_t *arguments = json_pack("{s:b, s:b, s:s*}", "shadow", p->shadow, "configuration",
				      p->configuration, "reason", p->reason);
	struct page_out out = {.file = stdout, .colour = page_colour(stdout)};
	json_t *result;

	if (live_ask(&p->client, "rules push", arguments) != 0)
		return 1;
	result = live_result(&p->client);
	if (result)
		json_object_set_new(result, "tested",
				    json_pack("{s:I, s:f}", "samples",
					      (json_int_t)p->tested.samples, "took_s",
					      p->tested.seconds));
	if (result && p->json) {
		json_dumpf(result, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
		fputc('\n', stdout);
	} else if (result) {
		live_page_rules_change(&out, result);
	}
	json_decref(result);
	return !result;
}

/* -1: go on; else the exit status. */
static int parse(struct push *p, int argc, char **argv)
{
	static const struct option options[] = {
		{"shadow", no_argument, NULL, 's'},       {"configuration", no_argument, NULL, 'c'},
		{"reason", required_argument, NULL, 'r'}, {"no-test", no_argument, NULL, 'n'},
		{"json", no_argument, NULL, 'j'},         {"socket", required_argument, NULL, 'S'},
		{"help", no_argument, NULL, 'h'},         {0},
	};
	int option;

	p->socket = live_socket();
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 's':
			p->shadow = true;
			break;
		case 'c':
			p->configuration = true;
			break;
		case 'r':
			p->reason = optarg;
			break;
		case 'n':
			p->untested = true;
			break;
		case 'j':
			p->json = true;
			break;
		case 'S':
			p->socket = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	p->paths = argv + optind;
	p->count = argc - optind;
	if (!p->count == p->configuration && (!p->reason || *p->reason))
		return -1;
	fputs(usage, stderr);
	return 2;
}

static int ask(struct push *p)
{
	int rc = p->configuration ? 0 : stage_all(p);

	if (!rc)
		rc = push(p);
	live_close(&p->client);
	return rc;
}

int rules_push_main(int argc, char **argv)
{
	struct push p = {0};
	int rc = parse(&p, argc, argv);

	if (rc >= 0)
		return rc;
	rc = p.configuration ? 0 : read_all(&p);
	if (!rc && !p.configuration && !p.untested)
		rc = rules_push_test(&p.rules, p.paths, p.count, &p.tested);
	if (!rc)
		rc = live_open(&p.client, p.socket);
	if (!rc)
		rc = ask(&p);
	rules_text_fini(&p.text);
	rule_list_fini(&p.rules);
	return rc;
}
