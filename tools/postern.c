/* SPDX-License-Identifier: BSD-3-Clause */
/* The command that people type. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/rules/check.h"
#include "tools/audit.h"
#include "tools/commands.h"
#include "tools/feedback/feedback.h"
#include "tools/list/list.h"
#include "tools/live/live.h"
#include "tools/policy/policy.h"
#include "tools/replay/replay.h"
#include "tools/rules/rules.h"

static int check_main(int argc, char **argv)
{
	if (argc != 2 || argv[1][0] == '-') {
		fprintf(stderr, "usage: postern check CONFIG\n");
		return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
	}
	return check_config(argv[1], stdout);
}

static int version_main(int argc, char **argv)
{
	printf("postern %s\n", POSTERN_VERSION);
	return 0;
}

static const struct {
	const char *name, *help;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"replay", "run captures through the gate", replay_main},
	{"check", "is a configuration good, and what does it say?", check_main},
	{"policy", "limits, checks and thresholds: in force, in files, and what is odd",
	 policy_main},
	{"rules", "rules: their language, and what to do with them", rules_main},
	{"list", "lists of millions: who wants no mail, no calls; traps, domains, numbers",
	 list_main},
	{"audit", "who changed what, and whether that record is whole", audit_main},
	{"feedback", "what came back: complaints, bounces, mail logs", feedback_main},
	{"compile", "the images that a dataplane goes by", compile_main},
	{"version", "which version this is", version_main},
};

static int usage(FILE *out, int status)
{
	fprintf(out, "usage: postern COMMAND ...\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-16s %s\n", commands[i].name, commands[i].help);
	fprintf(out, "of a gate in a wire, asked of posternd:\n");
	live_help(out);
	fprintf(out, "postern COMMAND --help says more.\n");
	return status;
}

/* A page that nobody can read is no success. */
static int end(int status)
{
	if (status || (fflush(stdout) == 0 && !ferror(stdout)))
		return status;
	fprintf(stderr, "postern: standard output: %s\n", strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage(stderr, 2);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return end(commands[i].run(argc - 1, argv + 1));
	if (live_is_command(argv[1]))
		return end(live_main(argc - 1, argv + 1));
	if (strcmp(argv[1], "--version") == 0)
		return end(version_main(argc, argv));
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return end(usage(stdout, 0));
	fprintf(stderr, "postern: there is no command '%s'\n", argv[1]);
	return usage(stderr, 2);
}
