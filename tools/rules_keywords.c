/* SPDX-License-Identifier: BSD-3-Clause */
/* `postern rules keywords`: the language, one line each, from the tables that the parser uses. */
#include <stdio.h>
#include <string.h>

#include "control/rule_parse.h"
#include "tools/rules.h"

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

static const struct {
	const char *name;
	void (*print)(void);
} lists[] = {{"buffers", print_buffers}, {"keywords", print_keywords}, {"refused", print_refusals}};

int rules_keywords_main(int argc, char **argv)
{
	static const size_t count = sizeof(lists) / sizeof(lists[0]);
	size_t only = count;

	for (size_t i = 0; i < count && argc == 2; i++)
		if (!strcmp(argv[1], lists[i].name))
			only = i;
	if (argc > 1 && only == count) {
		bool help = argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));

		fprintf(help ? stdout : stderr,
			"usage: postern rules keywords [buffers|keywords|refused]\n");
		return help ? 0 : 2;
	}
	for (size_t i = 0; i < count; i++)
		if (only == count || only == i)
			lists[i].print();
	return 0;
}
