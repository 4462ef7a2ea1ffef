/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rules/rules_cost.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/match/match_cost.h"

#define ROUNDS   9
#define ROUND_NS 30000000u

static int measure(const struct ruleset *ruleset, struct rules_cost *cost)
{
	struct match_tape tape = {0};
	struct match_cost all;
	int rc = rules_cost_sample(&tape);

	if (rc == 0)
		rc = match_cost_measure(&tape, ruleset, ROUNDS, ROUND_NS, false, &all);
	if (rc == 0)
		*cost = (struct rules_cost){
			.ns_per_kib = match_ns_per_kib(all.all.median, tape.traffic),
			.low_ns = match_ns_per_kib(all.all.low, tape.traffic),
			.high_ns = match_ns_per_kib(all.all.high, tape.traffic),
			.gbits_per_core = match_gbits(all.all.median, tape.traffic),
			.bytes = tape.traffic,
		};
	match_tape_fini(&tape);
	return rc;
}

int rules_cost_estimate(const void *image, size_t size, struct rules_cost *cost, char *error,
			size_t error_size)
{
	struct ruleset *ruleset;
	int rc = ruleset_load(image, size, &ruleset, error, error_size);

	if (rc < 0)
		return rc;
	rc = measure(ruleset, cost);
	if (rc < 0)
		snprintf(error, error_size, "%s", strerror(-rc));
	ruleset_free(ruleset);
	return rc;
}
