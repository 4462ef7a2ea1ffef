/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/policy/policy.h"

#include <stdio.h>
#include <string.h>

#include "tools/live/live.h"

static const struct {
	const char *name, *help;
	int (*run)(int argc, char **argv);
} commands[] = {
	/* Asked of posternd; tools/live/live.c has it. */
	{"show", "limits, checks and thresholds in force, and where each comes from", NULL},
	{"diff", "what is different in another file, or of two", policy_diff_main},
	{"lint", "what is legal in a file and odd all the same", policy_lint_main},
};

static int usage(FILE *out, int status)
{
	fprintf(out, "usage: postern policy COMMAND ...\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
	fprintf(out, "postern policy COMMAND --help says more.\n");
	return status;
}

int policy_main(int argc, char **argv)
{
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
		return usage(stdout, 0);
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run ? commands[i].run(argc - 1, argv + 1)
					       : live_main(argc, argv);
	if (argc > 1)
		fprintf(stderr, "postern policy: there is no command '%s'\n", argv[1]);
	return usage(stderr, 2);
}
