/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "tools/replay/replay.h"

static const char usage[] =
	"usage: postern replay [options] capture...\n"
	"  -c, --config FILE     tenants, limits, lists; without it everything is nobody's\n"
	"  -r, --rules PATH      a file of rules, or a directory of *.rules; may be given again\n"
	"      --lists DIR       what posternd has of lists (postern list): its state_dir\n"
	"      --json FILE       one summary object (- is standard output)\n"
	"      --events FILE     EVE JSON, one event a line\n"
	"      --evidence FILE   what posternd would keep of refused mails, one object a line\n"
	"      --write FILE      what left the gate, as pcapng\n"
	"      --workers N       worker threads, 1 to 32 (1); the results do not depend on it\n"
	"      --checksums MODE  auto: ignore those of senders that leave them to their NIC;\n"
	"                        check; ignore\n"
	"      --digests         SHA-256 of messages and their parts in email events\n"
	"      --bench           from memory, as fast as it goes; no events\n"
	"      --loop N          with --bench: N times over, each with new flows (1)\n"
	"      --untouched       with --bench: memory as it is needed, not all of it first\n"
	"      --no-inspect      stop at the flow table\n"
	"  -q, --quiet           no page on standard output\n"
	"  -h, --help\n";

enum {
	OPT_JSON = 256,
	OPT_LISTS,
	OPT_EVENTS,
	OPT_EVIDENCE,
	OPT_WRITE,
	OPT_WORKERS,
	OPT_CHECKSUMS,
	OPT_DIGESTS,
	OPT_BENCH,
	OPT_LOOP,
	OPT_NO_INSPECT,
	OPT_UNTOUCHED,
};

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'},
	{"rules", required_argument, NULL, 'r'},
	{"lists", required_argument, NULL, OPT_LISTS},
	{"json", required_argument, NULL, OPT_JSON},
	{"events", required_argument, NULL, OPT_EVENTS},
	{"evidence", required_argument, NULL, OPT_EVIDENCE},
	{"write", required_argument, NULL, OPT_WRITE},
	{"workers", required_argument, NULL, OPT_WORKERS},
	{"checksums", required_argument, NULL, OPT_CHECKSUMS},
	{"digests", no_argument, NULL, OPT_DIGESTS},
	{"bench", no_argument, NULL, OPT_BENCH},
	{"loop", required_argument, NULL, OPT_LOOP},
	{"untouched", no_argument, NULL, OPT_UNTOUCHED},
	{"no-inspect", no_argument, NULL, OPT_NO_INSPECT},
	{"quiet", no_argument, NULL, 'q'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int bad(const char *option, const char *value, const char *expected)
{
	fprintf(stderr, "postern replay: %s: '%s' is not %s\n", option, value, expected);
	return 2;
}

static int parse_number(const char *option, const char *value, unsigned long max,
			const char *expected, unsigned *out)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (errno || *end || end == value || *value == '-' || n < 1 || n > max)
		return bad(option, value, expected);
	*out = (unsigned)n;
	return 0;
}

static int parse_checksums(const char *value, enum checksum_choice *out)
{
	static const char *const names[] = {"auto", "check", "ignore"};

	for (unsigned i = 0; i < 3; i++) {
		if (strcmp(value, names[i]) == 0) {
			*out = (enum checksum_choice)i;
			return 0;
		}
	}
	return bad("--checksums", value, "auto, check or ignore");
}

static int parse_option(struct replay_options *o, int c, const char *value)
{
	switch (c) {
	case 'c':
		o->config = value;
		return 0;
	case 'r':
		o->rules[o->rule_count++] = value;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case OPT_LISTS:
		o->lists = value;
		return 0;
	case OPT_JSON:
		o->json = value;
		return 0;
	case OPT_EVENTS:
		o->events = value;
		return 0;
	case OPT_EVIDENCE:
		o->evidence = value;
		return 0;
	case OPT_WRITE:
		o->write = value;
		return 0;
	case OPT_WORKERS:
		return parse_number("--workers", value, GATE_WORKERS_MAX, "a number from 1 to 32",
				    &o->workers);
	case OPT_CHECKSUMS:
		return parse_checksums(value, &o->checksums);
	case OPT_DIGESTS:
		o->digests = true;
		return 0;
	case OPT_BENCH:
		o->bench = true;
		return 0;
	case OPT_LOOP:
		return parse_number("--loop", value, 1000000, "a number from 1 to 1000000",
				    &o->loops);
	case OPT_NO_INSPECT:
		o->no_inspect = true;
		return 0;
	case OPT_UNTOUCHED:
		o->untouched = true;
		return 0;
	default:
		fputs(usage, stderr);
		return 2;
	}
}

static int check(const struct replay_options *o)
{
	const char *const files[] = {o->json, o->events, o->write, o->evidence};
	unsigned to_stdout = 0;

	if (!o->file_count) {
		fprintf(stderr, "postern replay: which capture?\n%s", usage);
		return 2;
	}
	for (size_t i = 0; i < RTE_DIM(files); i++)
		to_stdout += files[i] && strcmp(files[i], "-") == 0;
	if (to_stdout > 1) {
		fprintf(stderr, "postern replay: only one output can go to standard output\n");
		return 2;
	}
	if ((o->loops > 1 || o->untouched) && !o->bench) {
		fprintf(stderr, "postern replay: %s goes with --bench\n",
			o->untouched ? "--untouched" : "--loop");
		return 2;
	}
	if (o->bench && (o->events || o->evidence || o->write)) {
		fprintf(stderr, "postern replay: --bench writes no events and no packets\n");
		return 2;
	}
	return 0;
}

int replay_options_parse(struct replay_options *o, int argc, char **argv, bool *done)
{
	int c, rc;

	*done = false;
	*o = (struct replay_options){
		.workers = 1,
		.loops = 1,
		.rules = calloc((size_t)argc, sizeof(char *)),
	};
	if (!o->rules)
		return 1;
	while ((c = getopt_long(argc, argv, "c:r:qh", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage, stdout);
			*done = true;
			return 0;
		}
		rc = parse_option(o, c, optarg);
		if (rc)
			return rc;
	}
	o->files = (const char **)(uintptr_t)(argv + optind);
	o->file_count = (size_t)(argc - optind);
	/* Output in place of the page. */
	for (int i = 0; i < 4; i++) {
		const char *f = i == 0   ? o->json
				: i == 1 ? o->events
				: i == 2 ? o->evidence
					 : o->write;

		o->quiet |= f && strcmp(f, "-") == 0;
	}
	return check(o);
}

void replay_options_fini(struct replay_options *o)
{
	free(o->rules);
}
