/* SPDX-License-Identifier: BSD-3-Clause */
/* `postern rules keywords`: the language, one line each, from the tables that the parser uses. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "control/rules/rule_parse.h"
#include "tools/rules/rules.h"

#define NAME_WIDTH 20

static const char *side_of(const struct rule_buffer_info *buffer)
{
	static const char *const sides[] = {
		[BUFFER_CLIENT] = "client", [BUFFER_SERVER] = "server", [BUFFER_SENDER] = "sender"};

	return sides[buffer->side];
}

static void print_buffers(void)
{
	printf("buffers: who wrote it; one, or many that are each looked at by themselves; what it "
	       "holds\n");
	for (int b = 0; b < RULE_BUFFER_COUNT; b++) {
		const struct rule_buffer_info *info = &rule_buffers[b];

		printf("  %-*s %-7s %-5s %s%s\n", NAME_WIDTH, info->name, side_of(info),
		       info->count == BUFFER_MANY ? "many" : "one",
		       info->mode == BUFFER_STREAM ? "in pieces: " : "", info->doc);
	}
}

static void print_keywords(void)
{
	size_t count;
	const struct rule_option *options = rule_options(&count);

	printf("keywords:\n");
	for (size_t i = 0; i < count; i++)
		printf("  %-*s %s\n", NAME_WIDTH, options[i].name, options[i].doc);
}

static void print_refusals(void)
{
	size_t count;
	const struct rule_refused *refused = rule_refusals(&count);

	printf("of Suricata's, refused (a name that ends in . _ or - stands for all that begin "
	       "so):\n");
	for (size_t i = 0; i < count; i++)
		printf("  %-*s %s\n", NAME_WIDTH, refused[i].name, refused[i].why);
}

static json_t *json_buffers(void)
{
	json_t *list = json_array();

	for (int b = 0; b < RULE_BUFFER_COUNT; b++) {
		const struct rule_buffer_info *info = &rule_buffers[b];

		json_array_append_new(
			list, json_pack("{s:s, s:s, s:b, s:b, s:s}", "name", info->name, "side",
					side_of(info), "many", info->count == BUFFER_MANY, "pieces",
					info->mode == BUFFER_STREAM, "words", info->doc));
	}
	return list;
}

static json_t *json_keywords(void)
{
	size_t count;
	const struct rule_option *options = rule_options(&count);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:s, s:s}", "name", options[i].name,
						      "words", options[i].doc));
	return list;
}

static json_t *json_refusals(void)
{
	size_t count;
	const struct rule_refused *refused = rule_refusals(&count);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:s, s:s}", "name", refused[i].name,
						      "words", refused[i].why));
	return list;
}

static const struct {
	const char *name;
	void (*print)(void);
	json_t *(*json)(void);
} lists[] = {{"buffers", print_buffers, json_buffers},
	     {"keywords", print_keywords, json_keywords},
	     {"refused", print_refusals, json_refusals}};

#define LISTS (sizeof(lists) / sizeof(lists[0]))

static const char usage[] = "usage: postern rules keywords [--json] [buffers|keywords|refused]\n";

static void print_json(size_t only)
{
	json_t *all = json_object();

	for (size_t i = 0; i < LISTS; i++)
		if (only == LISTS || only == i)
			json_object_set_new(all, lists[i].name, lists[i].json());
	json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(all);
}

int rules_keywords_main(int argc, char **argv)
{
	size_t only = LISTS;
	bool json = false;

	for (int a = 1; a < argc; a++) {
		size_t i = 0;

		if (!strcmp(argv[a], "--help") || !strcmp(argv[a], "-h")) {
			fputs(usage, stdout);
			return 0;
		}
		if (!strcmp(argv[a], "--json")) {
			json = true;
			continue;
		}
		while (i < LISTS && strcmp(argv[a], lists[i].name) != 0)
			i++;
		if (i == LISTS || only != LISTS) {
			fputs(usage, stderr);
			return 2;
		}
		only = i;
	}
	for (size_t i = 0; i < LISTS && !json; i++)
		if (only == LISTS || only == i)
			lists[i].print();
	if (json)
		print_json(only);
	return 0;
}
