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

#include "control/policy/tenant_slots.h"
#include "control/rules/rule_index.h"
#include "control/rules/rules_text.h"

#define COMPILE_PROBLEMS 200 /* of errors and warnings, those that are told one by one */

/* Which rules, and what was decided over them. */
struct compile_rules {
	const struct rules_text *text; /* pushed now; NULL: */
	const char *stored;            /* the digest of one that was; NULL: those of gate.rules */
	bool pushed;       /* what is stored was pushed; false: it is a copy of gate.rules' */
	bool fall_back;    /* where `stored` is of no use, those of gate.rules */
	const char *store; /* the directory of texts (control/rules/rules_text.h) */
	const struct rule_overrides *overrides; /* NULL: none */
	const struct rule_index *before;        /* in force */
	bool shadow; /* what `before` hasn't, or has with another text, only counts */
};

struct compile_job {
	const char *config; /* path */
	const char
		*cache; /* directory of compiled databases (control/rules/db_cache.h); NULL: none */
	const struct tenant_slots *slots;
	uint64_t now; /* ns since 1970, for the slots */
	uint64_t generation;
	uint64_t memory; /* bytes more than posternd has */
	uint64_t time;   /* ns */
	bool rules_only; /* nothing else is read: the configuration may be in the middle of an edit
			  */
	struct compile_rules rules;
	/* Of rules alone, where there is no configuration that says it: gate.rules_budget and what
	 * becomes of those beyond. */
	uint32_t budget;
	bool refuse;
};

/*
 * What came of it. `report` is an object:
 *
 *   ok        whether the images are there
 *   problems  [{"file", "line", "column", "severity", "message"}], as `postern check` tells them
 *   errors, warnings   how many there were
 *   tenants   [{"slot", "id", "name", "tier", "prefixes", "risk", "since"}], in the file's order
 *   warmup    {TIER: steps} (control/policy/warmup.h), of those that have some
 *   counts    {"tenants", "prefixes", "tiers", "list_entries", "rules", "shadow", "disabled",
 *             "literals", "regexes"}; "rules": those that are compiled
 *   blocked   how many of the prefixes, the last ones, are blocked destinations
 *   digest    of the compiled rules
 *   text      of the rules' text
 *   pushed    whether that was pushed; false: it is gate.rules'
 *   unstored  why the text could not be stored; left out: it was
 *   times     {"parse_s", "compile_s"}
 *   databases {"count", "found"}: Hyperscan's, and those of them that the cache had
 *   cost      {"ns_per_kib", "gbits_per_core", "budget_ns_per_kib"}; left out: not estimated
 *   refused   why not, though there is no mistake: too slow
 *   settings  of `gate` and `budgets`, by their paths
 *
 * Of rules alone: "counts" has those of rules, and there are neither "tenants" nor "blocked" nor
 * "settings".
 */
struct compiled {
	json_t *report;
	uint64_t generation, now; /* the job's */
	int policy, ruleset;      /* sealed memfds; -1: none */
	int prefixes;             /* struct prefix: those of tenants, then blocked destinations */
	int index;                /* control/rules/rule_index.h */
	int settings;             /* control/config/settings_index.h */
	int replies;              /* the ruleset of control/rules/reply_rules.h; -1: empty */
	size_t policy_size, ruleset_size, prefixes_size, index_size, settings_size;
	size_t replies_size;
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

/* Rules alone take what else there is from `from`. 0 or -errno. */
int compiled_complete(struct compiled *compiled, const struct compiled *from);

/* Files open for writing. */
struct compile_output {
	int report, policy, ruleset, prefixes, index, settings;
	int replies;
};

/* The child's work, in this process. */
int compile_files(const struct compile_job *job, const struct compile_output *output);

#endif
