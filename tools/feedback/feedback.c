/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/feedback/feedback.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "tools/live/live.h"

#define BATCH_ITEMS 64
#define BATCH_BYTES \
	40000 /* of a line of 64 KiB; an item has at most some 2 KiB, more where escaped */

static const char usage[] =
	"usage: postern feedback arf|dsn [FILE|FOLDER|-]... [--dry-run|--parse] [--json]\n"
	"       postern feedback log [FILE|-]... [--dry-run|--parse] [--json]\n"
	"       postern feedback list [--tenant TENANT] [--result RESULT] [--json]\n"
	"  arf        reports of feedback loops (RFC 5965), mails that were forwarded as "
	"attachments\n"
	"  dsn        delivery reports (RFC 3464)\n"
	"  log        Postfix's log\n"
	"  list       what came, whoever's it is\n"
	"Without a file, or with -, from standard input. A file may be a mailbox (mbox) of many; "
	"of a\n"
	"folder (a Maildir) every file is read.\n"
	"  --dry-run      matched, and nothing counted or kept\n"
	"  --parse        only read; posternd isn't asked\n"
	"  --json         for programs\n"
	"  --socket PATH  posternd's, instead of " LIVE_SOCKET "\n";

/* At once, where a person reads: a mailbox may be of any size. */
static void show_match(struct feedback_call *c, json_t *match)
{
	struct page_out out = {.file = stdout, .colour = page_colour(stdout)};

	if (c->json)
		json_array_append(c->matches, match);
	else
		feedback_page_match(&out, match);
}

bool feedback_flush(struct feedback_call *c)
{
	json_t *arguments, *result, *value;
	const char *name;
	size_t i;

	if (c->failed || !json_array_size(c->batch))
		return !c->failed;
	arguments = json_pack("{s:o, s:b}", "reports", c->batch, "dry_run", c->dry_run);
	c->batch = json_array();
	c->batch_size = 0;
	result = live_ask(&c->client, "feedback report", arguments) == 0 ? live_result(&c->client)
									 : NULL;
	c->failed = !result;
	json_object_foreach(json_object_get(result, "results"), name, value) json_object_set_new(
		c->results, name,
		json_integer(json_integer_value(value) +
			     json_integer_value(json_object_get(c->results, name))));
	json_array_foreach(json_object_get(result, "matches"), i, value) show_match(c, value);
	json_decref(result);
	return !c->failed;
}

static void show(struct feedback_call *c, const struct feedback_item *item)
{
	struct page_out out = {.file = stdout, .colour = page_colour(stdout)};

	if (c->json)
		json_array_append_new(c->items, feedback_item_json(item));
	else
		feedback_page_item(&out, item);
}

void feedback_send(void *ctx, const struct feedback_item *item)
{
	struct feedback_call *c = ctx;
	json_t *object;
	size_t size;

	if (c->parse) {
		show(c, item);
		return;
	}
	object = feedback_item_json(item);
	size = json_dumpb(object, NULL, 0, JSON_COMPACT);
	if (json_array_size(c->batch) == BATCH_ITEMS || c->batch_size + size > BATCH_BYTES)
		feedback_flush(c);
	json_array_append_new(c->batch, object);
	c->batch_size += size;
}

/* -1: go on; else the exit status. */
static int parse_options(struct feedback_call *c, int argc, char **argv)
{
	static const struct option options[] = {
		{"dry-run", no_argument, NULL, 'n'}, {"parse", no_argument, NULL, 'p'},
		{"json", no_argument, NULL, 'j'},    {"socket", required_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},    {0},
	};
	int option;

	c->socket = live_socket();
	while ((option = getopt_long(argc, argv, "nh", options, NULL)) != -1) {
		switch (option) {
		case 'n':
			c->dry_run = true;
			break;
		case 'p':
			c->parse = true;
			break;
		case 'j':
			c->json = true;
			break;
		case 's':
			c->socket = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	return -1;
}

static bool parse_verb(struct feedback_call *c, const char *verb)
{
	static const char *const verbs[] = {"arf", "dsn", "log"};

	for (unsigned i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verb, verbs[i]) != 0)
			continue;
		c->input = (enum feedback_input)i;
		return true;
	}
	return false;
}

static json_t *summary(const struct feedback_call *c)
{
	if (c->parse)
		return json_pack("{s:O, s:I, s:I, s:O, s:I, s:O*}", "items", c->items, "mails",
				 (json_int_t)c->mails, "useless", (json_int_t)c->useless, "unread",
				 c->unread, "recipients_left_out", (json_int_t)c->left_out, "log",
				 c->log);
	return json_pack("{s:O, s:O, s:I, s:I, s:O, s:I, s:b, s:O*}", "results", c->results,
			 "matches", c->matches, "mails", (json_int_t)c->mails, "useless",
			 (json_int_t)c->useless, "unread", c->unread, "recipients_left_out",
			 (json_int_t)c->left_out, "dry_run", c->dry_run, "log", c->log);
}

static void print(const struct feedback_call *c)
{
	struct page_out out = {.file = stdout, .colour = page_colour(stdout)};
	json_t *object;

	if (!c->json) {
		feedback_page(&out, c);
		return;
	}
	object = summary(c);
	json_dumpf(object, stdout, JSON_INDENT(2));
	fputc('\n', stdout);
	json_decref(object);
}

/* 1: something could not be read, or nothing of it was what was asked for. */
static int run(struct feedback_call *c, int count, char **paths)
{
	int rc = 0;

	for (int i = 0; i < count && !c->failed; i++)
		rc |= feedback_read(c, paths[i]);
	if (!count)
		rc = feedback_read(c, "-");
	rc |= feedback_read_end(c);
	if (!c->parse && !feedback_flush(c))
		return 1;
	print(c);
	return rc || (c->mails && c->useless == c->mails);
}

/* Which fields tell a tenant is the configuration's to say. */
static bool ask_tags(struct feedback_call *c)
{
	json_t *result = live_ask(&c->client, "feedback stats", NULL) == 0 ? live_result(&c->client)
									   : NULL;
	const json_t *names = json_object_get(result, "tags");
	json_t *name;
	size_t i;

	c->tags = calloc(json_array_size(names) + 1, sizeof(*c->tags));
	json_array_foreach(names, i, name)
	{
		if (c->tags)
			c->tags[i] = strdup(json_string_value(name));
	}
	json_decref(result);
	return result && c->tags;
}

static void tags_free(struct feedback_call *c)
{
	for (size_t i = 0; c->tags && c->tags[i]; i++)
		free(c->tags[i]);
	free(c->tags);
}

int feedback_main(int argc, char **argv)
{
	struct feedback_call c = {0};
	int rc;

	if (argc > 1 && strcmp(argv[1], "list") == 0)
		return live_main(argc, argv);
	rc = parse_options(&c, argc, argv);
	if (rc >= 0)
		return rc;
	if (optind == argc || !parse_verb(&c, argv[optind])) {
		fputs(usage, stderr);
		return 2;
	}
	rc = c.parse ? 0 : live_open(&c.client, c.socket);
	if (rc)
		return rc;
	c.batch = json_array();
	c.results = json_object();
	c.matches = json_array();
	c.items = json_array();
	c.unread = json_array();
	rc = c.parse || ask_tags(&c) ? 0 : 1;
	if (!rc)
		rc = run(&c, argc - optind - 1, argv + optind + 1);
	json_decref(c.batch);
	json_decref(c.results);
	json_decref(c.matches);
	json_decref(c.items);
	json_decref(c.unread);
	tags_free(&c);
	json_decref(c.log);
	if (!c.parse)
		live_close(&c.client);
	return rc;
}
