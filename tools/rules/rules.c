/* SPDX-License-Identifier: BSD-3-Clause */
/* `postern rules`: what a rule's author types. */
#include "tools/rules/rules.h"

#include <stdio.h>
#include <string.h>

#include "tools/live/live.h"

static const struct {
	const char *name, *help;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"keywords", "the language: buffers, keywords, and what is refused and why",
	 rules_keywords_main},
	{"check", "are these rules good? Every mistake with its place", rules_check_main},
	{"explain", "a rule in words, how it is looked for, what it costs", rules_explain_main},
	{"test", "runs the rules' samples", rules_test_main},
	{"bench", "what each costs over a capture, slowest first", rules_bench_main},
	{"try", "what they would have hit that the running ones did not", rules_try_main},
	{"import", "takes Suricata's rules, and says why not the others", rules_import_main},
	{"push", "new rules for a running gate: checked, tested, compiled, swapped",
	 rules_push_main},
	/* Asked of posternd; tools/live/live.c has them. */
	{"list", "each rule in force, its state and its matches", NULL},
	{"history", "generations of the rules: who, how, what changed", NULL},
	{"rollback", "the rules of a generation before", NULL},
	{"shadow", "whether a rule only counts", NULL},
	{"disable", "a rule is left out, of pushes to come too", NULL},
	{"enable", "a rule that was disabled runs again", NULL},
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
			return commands[i].run ? commands[i].run(argc - 1, argv + 1)
					       : live_main(argc, argv);
	fprintf(stderr, "postern rules: there is no command '%s'\n", argv[1]);
	return usage(stderr, 2);
}
