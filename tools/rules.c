/* SPDX-License-Identifier: BSD-3-Clause */
/* `postern rules`: what a rule's author types. */
#include "tools/rules.h"

#include <stdio.h>
#include <string.h>

#include "tools/live.h"

static const struct {
	const char *name, *help;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"bench", "what each costs over a capture, slowest first", rules_bench_main},
	{"keywords", "the language: buffers, keywords, and what is refused and why",
	 rules_keywords_main},
};

static int usage(FILE *out, int status)
{
	fprintf(out, "usage: postern rules COMMAND ...\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
	fprintf(out, "postern rules COMMAND --help says more.\n"
		     "       postern rules [--json] [--socket PATH]\n"
		     "  rules in force and what matched, asked of posternd\n");
	return status;
}

int rules_main(int argc, char **argv)
{
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
		return usage(stdout, 0);
	if (argc < 2 || argv[1][0] == '-')
		return live_main(argc, argv);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "postern rules: there is no command '%s'\n", argv[1]);
	return usage(stderr, 2);
}
