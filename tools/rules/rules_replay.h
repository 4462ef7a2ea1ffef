/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures through the whole gate, for commands that ask something of rules. One thread. */
#ifndef POSTERN_TOOLS_RULES_REPLAY_H
#define POSTERN_TOOLS_RULES_REPLAY_H

#include "control/rules/ruleset_build.h"
#include "dataplane/match/match_tape.h"
#include "tools/replay/replay.h"

/* Captures that `--on` names, and the configuration of `-c`. */
struct rules_traffic {
	const char *config; /* NULL: none */
	const char **files;
	size_t file_count;
	struct policy *policy; /* of the last run, or the next */
	bool used;
};

/* 0, or 1 after saying why. */
int rules_traffic_open(struct rules_traffic *t);
void rules_traffic_close(struct rules_traffic *t);

/*
 * Runs the captures through a gate with these rules (NULL: none). `tape`: records what a matcher
 * would be fed. `sinks`: who hears of events; NULL: nobody. 0, or 1 after saying why: a capture
 * could not be read, or not to its end.
 */
int rules_replay(struct rules_traffic *t, const struct ruleset *ruleset, struct match_tape *tape,
		 const struct replay_sinks *sinks, struct replay_stats *stats);

/* Rules of files and folders, compiled and loaded. All zero is empty. */
struct rules_compiled {
	struct rule_list list;
	struct ruleset_build_stats stats;
	void *image;
	size_t size;
	struct ruleset *ruleset;
};

/*
 * Reads and compiles; mistakes and (if `warnings`) warnings are said on standard error. 0, or 1:
 * they are not good.
 */
int rules_compiled_read(struct rules_compiled *c, const char *const *paths, size_t count,
			bool warnings);
/* Compiles what c->list holds already. */
int rules_compiled_build(struct rules_compiled *c, bool warnings);
void rules_compiled_fini(struct rules_compiled *c);

#endif
