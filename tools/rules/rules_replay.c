/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rules/rules_replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/policy/policy_build.h"
#include "tools/inputs.h"

int rules_traffic_open(struct rules_traffic *t)
{
	t->policy = inputs_policy(t->config);
	return t->policy ? 0 : 1;
}

void rules_traffic_close(struct rules_traffic *t)
{
	policy_free(t->policy);
	t->policy = NULL;
	gate_environment_end();
}

static int nobody_hears(void *ctx, const struct event_head *e, size_t len)
{
	return 0;
}

/* The tape's recorder: a ruleset without rules. */
static int no_rules(struct rules_compiled *none)
{
	*none = (struct rules_compiled){0};
	return rules_compiled_build(none, false);
}

/* Tenants' buckets are full again, as they were before the run before. */
static int renew_policy(struct rules_traffic *t)
{
	if (!t->used) {
		t->used = true;
		return 0;
	}
	policy_free(t->policy);
	return rules_traffic_open(t);
}

static int run(struct rules_traffic *t, const struct ruleset *ruleset, struct match_tape *tape,
	       const struct replay_sinks *sinks, struct replay_stats *stats)
{
	const struct replay_sinks silent = {.event = nobody_hears};
	struct replay_options options = {
		.workers = 1,
		.loops = 1,
		.files = t->files,
		.file_count = t->file_count,
		.bench = !sinks, /* no events */
		.untouched = true,
	};
	struct checksum_survey *survey = NULL;
	struct replay_feed *feed = NULL;
	struct port_capture port = {0};
	struct gate *gate = NULL;
	int rc = renew_policy(t);

	if (!rc)
		rc = replay_gate_open(&options, t->policy, ruleset, &gate, &port);
	if (!rc) {
		survey = checksum_survey_new(gate, t->files, t->file_count);
		feed = survey ? feed_files_open(&options, survey) : NULL;
		rc = feed ? 0 : 1;
	}
	if (!rc) {
		if (tape)
			match_tape_record(tape, gate->worker[0]->newest);
		replay_run(gate, &port, feed, sinks ? sinks : &silent, stats);
		if (tape)
			tape->traffic = gate->worker[0]->counters->link.bytes;
		rc = stats->failed || stats->no_buffer ? 1 : 0;
	}
	if (feed)
		feed->close(feed);
	checksum_survey_free(survey);
	if (port.queues)
		port_capture_close(&port);
	gate_free(gate);
	return rc;
}

int rules_replay(struct rules_traffic *t, const struct ruleset *ruleset, struct match_tape *tape,
		 const struct replay_sinks *sinks, struct replay_stats *stats)
{
	struct rules_compiled none;
	int rc;

	*stats = (struct replay_stats){0};
	if (!tape)
		return run(t, ruleset, NULL, sinks, stats);
	rc = no_rules(&none);
	if (!rc)
		rc = run(t, none.ruleset, tape, sinks, stats);
	rules_compiled_fini(&none);
	if (!rc && tape->failed) {
		fprintf(stderr, "postern: %s\n", strerror(ENOMEM));
		rc = 1;
	}
	return rc;
}

static void say(const struct rule_diags *diags, bool warnings)
{
	for (size_t i = 0; i < diags->count; i++)
		if (warnings || diags->list[i].severity == RULE_ERROR)
			rule_diag_print(stderr, &diags->list[i]);
}

static int build(struct rules_compiled *c, struct rule_diags *diags)
{
	char error[256];
	int rc = ruleset_build(&c->list, 1, diags, &c->image, &c->size, &c->stats);

	if (rc == 0)
		rc = ruleset_load(c->image, c->size, &c->ruleset, error, sizeof(error));
	else
		snprintf(error, sizeof(error), "%s", strerror(-rc));
	if (rc < 0 && !diags->errors)
		fprintf(stderr, "postern: %s\n", error);
	return rc;
}

int rules_compiled_build(struct rules_compiled *c, bool warnings)
{
	struct rule_diags diags = {0};
	int rc = build(c, &diags);

	say(&diags, warnings);
	rule_diags_fini(&diags);
	return rc ? 1 : 0;
}

int rules_compiled_read(struct rules_compiled *c, const char *const *paths, size_t count,
			bool warnings)
{
	struct rule_diags diags = {0};
	int rc = 0;

	for (size_t i = 0; i < count; i++)
		rules_load_path(&c->list, &diags, NULL, paths[i]);
	if (!diags.errors)
		rc = build(c, &diags);
	say(&diags, warnings);
	rc = rc || diags.errors ? 1 : 0;
	rule_diags_fini(&diags);
	return rc;
}

void rules_compiled_fini(struct rules_compiled *c)
{
	ruleset_free(c->ruleset);
	free(c->image);
	rule_list_fini(&c->list);
	*c = (struct rules_compiled){0};
}
