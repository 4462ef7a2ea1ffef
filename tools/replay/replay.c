/* SPDX-License-Identifier: BSD-3-Clause */
/* Configuration and rules in, the gate between captures, results out. */
#include "tools/replay/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/lists/list_store.h"
#include "control/policy/policy_build.h"
#include "tools/inputs.h"
#include "tools/replay/replay_output.h"

/* Everything that a replay owns, in the order in which it comes to be. */
struct replay {
	struct replay_options options;
	struct policy *policy;
	struct inputs_tenants tenants;
	struct list_store lists;
	void *image;
	struct ruleset *ruleset;
	struct gate *gate;
	struct port_capture port;
	struct checksum_survey *survey;
	struct replay_feed *feed;
	struct replay_output output;
};

static int load_policy(struct replay *r)
{
	char error[LIST_STORE_ERROR];

	r->policy = inputs_policy_tenants(r->options.config, &r->tenants);
	if (!r->policy)
		return 1;
	if (!r->options.lists)
		return 0;
	if (list_store_open(r->options.lists, false, &r->lists, error) != 0) {
		fprintf(stderr, "postern: %s\n", error);
		return 1;
	}
	/* As they are today, whenever the capture was made. */
	r->lists.now = (uint64_t)time(NULL);
	r->policy->sets = &r->lists.sets;
	return 0;
}

static int load_rules(struct replay *r)
{
	char error[256];
	size_t size;

	if (!r->options.rule_count)
		return 0;
	if (inputs_rules(r->options.rules, r->options.rule_count, 1, &r->image, &size))
		return 1;
	if (ruleset_load(r->image, size, &r->ruleset, error, sizeof(error)) == 0)
		return 0;
	fprintf(stderr, "postern: %s\n", error);
	return 1;
}

static int open_gate(struct replay *r)
{
	return replay_gate_open(&r->options, r->policy, r->ruleset, &r->gate, &r->port);
}

static int open_feed(struct replay *r)
{
	const struct replay_options *o = &r->options;

	if (o->checksums == CHECKSUMS_AUTO) {
		r->survey = checksum_survey_new(r->gate, o->files, o->file_count);
		if (!r->survey) {
			fprintf(stderr, "postern: %s\n", strerror(ENOMEM));
			return 1;
		}
	}
	r->feed = o->bench ? feed_bench_open(r->gate, o, r->survey) : feed_files_open(o, r->survey);
	return r->feed ? 0 : 1;
}

/* New tenants are as old as the capture's first packet says, all of it through. */
static void begin(void *ctx, uint64_t time)
{
	struct replay *r = ctx;

	inputs_warm(r->policy, &r->tenants, time / 1000000000);
}

static int run(struct replay *r)
{
	struct replay_stats stats = {0};
	struct replay_sinks sinks;
	int rc = replay_output_open(&r->output, &r->options, r->policy, &r->tenants, r->ruleset);

	if (rc)
		return rc;
	sinks = replay_output_sinks(&r->output);
	sinks.begin = begin;
	sinks.begin_ctx = r;
	replay_run(r->gate, &r->port, r->feed, &sinks, &stats);
	rc = replay_output_finish(&r->output, r->gate, &stats);
	if (stats.no_buffer) {
		fprintf(stderr, "postern: %llu packets found no buffer and were not replayed\n",
			(unsigned long long)stats.no_buffer);
		rc = 1;
	}
	return rc || stats.failed ? 1 : 0;
}

static void replay_close(struct replay *r)
{
	replay_output_close(&r->output);
	if (r->feed)
		r->feed->close(r->feed);
	checksum_survey_free(r->survey);
	if (r->port.queues)
		port_capture_close(&r->port);
	gate_free(r->gate);
	gate_environment_end();
	ruleset_free(r->ruleset);
	free(r->image);
	policy_free(r->policy);
	inputs_tenants_fini(&r->tenants);
	list_store_close(&r->lists);
}

int replay_main(int argc, char **argv)
{
	struct replay r = {0};
	bool done;
	int rc;

	list_store_init(&r.lists);
	rc = replay_options_parse(&r.options, argc, argv, &done);

	if (rc || done)
		goto out;
	rc = load_policy(&r);
	if (!rc)
		rc = load_rules(&r);
	if (!rc)
		rc = open_gate(&r);
	if (!rc)
		rc = open_feed(&r);
	if (!rc)
		rc = run(&r);
	replay_close(&r);
out:
	replay_options_fini(&r.options);
	return rc;
}
