/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Samples sent through a gate with the rules compiled: by several processes, each
 * with a gate of its own. The calling process must not have a DPDK environment.
 */
#ifndef POSTERN_TOOLS_SAMPLES_RUN_H
#define POSTERN_TOOLS_SAMPLES_RUN_H

#include "control/rules/samples.h"

struct samples_job {
	const struct sample_list *samples;
	const struct rule_list *rules; /* that `image` was built of */
	const void *image;             /* ruleset_build()'s */
	size_t image_size;
	const char *config; /* instead of one tenant, 10.0.0.0/8 and fd00::/8; NULL: that one */
	unsigned processes; /* 0: as many as there are CPUs to run on */
	/* May be NULL. Called now and then, by the calling thread. */
	void (*progress)(void *ctx, size_t done, size_t total);
	void *ctx;
};

/* What a buffer held when a sample failed; printable. */
struct sample_held {
	const char *buffer, *text;
};

struct sample_failure {
	const struct sample *sample;
	const char *way; /* how it was cut into packets; "" */
	const char *
		what; /* why it could not be run; "": it ran, and the rule did what it should not */
	const struct sample_held *held; /* of the buffers that the rule looks at, as they came */
	size_t held_count;
	const uint32_t *others; /* other rules that hit: sids */
	size_t other_count;
	bool over_budget; /* the matcher left candidates out */
};

struct samples_outcome {
	struct arena arena;
	size_t samples, conversations; /* that ran */
	struct sample_failure *failures;
	size_t failure_count, failure_room;
	double seconds;
};

/*
 * 0, whatever failed of the samples; -errno with words on standard error when they could not be
 * run at all. `out` is for samples_outcome_fini() in any case.
 */
int samples_run(const struct samples_job *job, struct samples_outcome *out);
void samples_outcome_fini(struct samples_outcome *out);

/* One failure, as lines for a person: place, what was wanted, what was found. */
void sample_failure_print(FILE *out, const struct sample_failure *failure);

/*
 * Between the parts: the samples of process `k` of `n`, each told as a line of JSON into `fd`.
 * `nothing`: a ruleset without rules, to see what buffers held.
 */
struct ruleset;
void samples_child(const struct samples_job *job, const struct ruleset *ruleset,
		   const struct ruleset *nothing, unsigned k, unsigned n, int fd);

#endif
