/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the parts of `postern rules bench`: what was measured, and who shows it. */
#ifndef POSTERN_TOOLS_RULES_BENCH_H
#define POSTERN_TOOLS_RULES_BENCH_H

#include <jansson.h>
#include <stdio.h>

#include "control/rules/rule_plan.h"
#include "dataplane/match/match_cost.h"
#include "tools/rules/rules_replay.h"

/* One rule's own cost: what is done because of it alone. */
struct bench_rule {
	const struct rule *rule;
	uint64_t found;
	double ns;       /* in one play of the tape */
	bool expression; /* Hyperscan runs one of its own */
	bool brief;      /* its literal is so short that it is everywhere */
	bool estimate;   /* `ns` is one, because of that */
	bool always;     /* looked at in every instance of a buffer */
	struct rule_plan plan;
};

struct bench {
	const char **paths, **files;
	size_t path_count, file_count;
	const char *config;
	unsigned rounds, top;
	bool json;
	struct rules_compiled rules;
	struct rules_traffic traffic;
	struct match_tape tape;
	struct replay_stats stats;
	struct match_cost cost;
	struct bench_rule *row; /* slowest first */
	double own;             /* ns of all rows */
	bool without;           /* estimates: all rules with it and without it; else it alone */
	size_t unmeasured;      /* that should have been, but there were too many */
};

/* What is known of how the rule is found, in a few words: "'viagra' found 12 times". */
void bench_why(const struct bench_rule *r, char *buf, size_t size);

void bench_page(const struct bench *b, FILE *out);
json_t *bench_json(const struct bench *b);

#endif
