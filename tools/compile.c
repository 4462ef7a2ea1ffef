/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `postern compile`: the images that a dataplane goes by, into files or straight to one that
 * runs without a control daemon.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/daemon/channel_client.h"
#include "control/policy/policy_build.h"
#include "control/policy/policy_image.h"
#include "tools/commands.h"
#include "tools/inputs.h"

#define PUSH_TIMEOUT 30000 /* ms */
#define RULES_MAX    64

static const char usage[] =
	"usage: postern compile [options]\n"
	"  -c, --config FILE     the configuration\n"
	"  -r, --rules PATH      a file of rules, or a directory of *.rules; may be given again\n"
	"      --policy FILE     writes the configuration's image\n"
	"      --ruleset FILE    writes the rules' image\n"
	"      --push SOCKET     sends both to the dataplane that listens there\n"
	"      --generation N    their number in events (1)\n"
	"  -h, --help\n";

struct compile {
	const char *config, *policy_file, *ruleset_file, *socket;
	const char *rules[RULES_MAX];
	size_t rule_count;
	uint32_t generation;
	void *policy, *ruleset; /* images */
	size_t policy_size, ruleset_size;
};

static int take(struct compile *c, int option, const char *arg)
{
	char *end;

	switch (option) {
	case 'c':
		c->config = arg;
		return 0;
	case 'r':
		if (c->rule_count == RULES_MAX)
			return 2;
		c->rules[c->rule_count++] = arg;
		return 0;
	case 'P':
		c->policy_file = arg;
		return 0;
	case 'R':
		c->ruleset_file = arg;
		return 0;
	case 'S':
		c->socket = arg;
		return 0;
	case 'G':
		c->generation = (uint32_t)strtoul(arg, &end, 10);
		if (end != arg && !*end && c->generation)
			return 0;
		fprintf(stderr, "postern compile: --generation: '%s' is not a number above 0\n",
			arg);
		return 2;
	default:
		return 2;
	}
}

static int parse(struct compile *c, int argc, char **argv, bool *done)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"rules", required_argument, NULL, 'r'},
		{"policy", required_argument, NULL, 'P'},
		{"ruleset", required_argument, NULL, 'R'},
		{"push", required_argument, NULL, 'S'},
		{"generation", required_argument, NULL, 'G'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	*done = false;
	while ((option = getopt_long(argc, argv, "c:r:h", options, NULL)) != -1) {
		int rc;

		if (option == 'h') {
			fputs(usage, stdout);
			*done = true;
			return 0;
		}
		rc = take(c, option, optarg);
		if (rc)
			return rc;
	}
	if (optind < argc || (!c->policy_file && !c->ruleset_file && !c->socket)) {
		fputs(usage, stderr);
		return 2;
	}
	return 0;
}

static int build(struct compile *c)
{
	struct inputs_tenants tenants = {0};
	struct policy *policy = inputs_policy_tenants(c->config, &tenants);
	int rc;

	/* Nobody will change over: what is new today stays so in this image. */
	if (policy)
		inputs_warm(policy, &tenants, (uint64_t)time(NULL));
	inputs_tenants_fini(&tenants);
	if (!policy)
		return 1;
	policy->generation = c->generation;
	rc = policy_image_build(policy, &c->policy, &c->policy_size);
	policy_free(policy);
	if (rc) {
		fprintf(stderr, "postern: %s\n", strerror(-rc));
		return 1;
	}
	if (!c->rule_count)
		return 0;
	return inputs_rules(c->rules, c->rule_count, c->generation, &c->ruleset, &c->ruleset_size);
}

/* Under another name first: a dataplane that starts meanwhile finds the old one or the new. */
static int put(const char *path, const void *image, size_t size)
{
	char *fresh = NULL;
	FILE *f;
	bool ok;

	if (!path)
		return 0;
	if (asprintf(&fresh, "%s.new", path) < 0)
		return 1;
	f = fopen(fresh, "w");
	ok = f && fwrite(image, 1, size, f) == size && fflush(f) == 0 && fsync(fileno(f)) == 0;
	if (f && fclose(f) != 0)
		ok = false;
	if (!ok || rename(fresh, path) != 0) {
		fprintf(stderr, "postern: %s: %s\n", path, strerror(errno));
		unlink(fresh);
		ok = false;
	}
	free(fresh);
	return ok ? 0 : 1;
}

static int push(const struct compile *c)
{
	char words[CHANNEL_WORDS];
	int channel, rc;

	if (!c->socket)
		return 0;
	channel = channel_connect(c->socket, PUSH_TIMEOUT);
	if (channel < 0) {
		fprintf(stderr, "postern: %s: %s\n", c->socket, strerror(-channel));
		return 1;
	}
	rc = channel_push(channel, CHANNEL_POLICY, c->policy, c->policy_size, c->generation, words);
	if (!rc)
		rc = channel_push(channel, CHANNEL_RULESET, c->ruleset, c->ruleset_size,
				  c->generation, words);
	close(channel);
	if (!rc)
		return 0;
	fprintf(stderr, "postern: the dataplane refuses: %s\n", words);
	return 1;
}

int compile_main(int argc, char **argv)
{
	struct compile c = {.generation = 1};
	bool done;
	int rc = parse(&c, argc, argv, &done);

	if (rc || done)
		return rc;
	if (c.ruleset_file && !c.rule_count) {
		fprintf(stderr, "postern compile: --ruleset: no rules were given: -r\n");
		return 2;
	}
	rc = build(&c);
	if (!rc)
		rc = put(c.policy_file, c.policy, c.policy_size);
	if (!rc)
		rc = put(c.ruleset_file, c.ruleset, c.ruleset_size);
	if (!rc)
		rc = push(&c);
	free(c.policy);
	free(c.ruleset);
	return rc;
}
