/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the files to what the dataplane takes, in a child process with bounds on memory and time:
 * whatever is in the files, the event loop goes on.
 */
#ifndef POSTERN_CONTROL_COMPILE_H
#define POSTERN_CONTROL_COMPILE_H

#include <event2/event.h>
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "control/tenant_slots.h"

#define COMPILE_PROBLEMS 200 /* of errors and warnings, those that are told one by one */

struct compile_job {
	const char *config; /* path */
	const char *cache;  /* directory of compiled databases (control/db_cache.h); NULL: none */
	const struct tenant_slots *slots;
	uint64_t now; /* ns since 1970, for the slots */
	uint64_t generation;
	uint64_t memory; /* bytes more than posternd has */
	uint64_t time;   /* ns */
};

/*
 * What came of it. `report` is an object:
 *
 *   ok        whether the images are there
 *   problems  [{"file", "line", "column", "severity", "message"}], as `postern check` tells them
 *   errors, warnings   how many there were
 *   tenants   [{"slot", "id", "name", "tier", "prefixes"}], ascending by slot
 *   counts    {"tenants", "prefixes", "tiers", "list_entries", "rules", "literals", "regexes"}
 *   rules     [sid, …], ascending
 *   blocked   how many of the prefixes, the last ones, are blocked destinations
 *   digest    of the compiled rules
 *   settings  of `gate` and `budgets`, by their paths
 */
struct compiled {
	json_t *report;
	uint64_t generation, now; /* the job's */
	int policy, ruleset;      /* sealed memfds; -1: none */
	int prefixes;             /* struct prefix: those of tenants, then blocked destinations */
	size_t policy_size, ruleset_size, prefixes_size;
};

struct compile;

/*
 * Begins; `done` is called once from the loop, and takes `result` over: NULL with a text in `why`
 * when the child died or took too much. 0 or -errno.
 */
int compile_start(struct event_base *base, const struct compile_job *job,
		  void (*done)(void *ctx, struct compiled *result, const char *why), void *ctx,
		  struct compile **compilep);

/* Kills it; `done` is not called any more. NULL is fine. */
void compile_cancel(struct compile *compile);

void compiled_free(struct compiled *compiled);

/* The child's work, in this process: report and images into files open for writing. */
int compile_files(const struct compile_job *job, int report, int policy, int ruleset, int prefixes);

#endif
