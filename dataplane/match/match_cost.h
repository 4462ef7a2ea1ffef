/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a ruleset costs over a tape (match_tape.h), on the machine that asks. Processor time of the
 * calling thread, in rounds of several plays each; what is said is the median of the rounds, and
 * the lowest and highest of them. Control's thread or a tool's; takes as long as it measures.
 */
#ifndef POSTERN_MATCH_COST_H
#define POSTERN_MATCH_COST_H

#include "dataplane/match/match_tape.h"
#include "dataplane/match/match_watch.h"

/* ns of one play of the tape. */
struct match_time {
	double median, low, high;
};

struct match_cost {
	struct match_time all;
	struct match_time buffer[RULE_BUFFER_COUNT]; /* each played alone; zero: no rule looks */
	struct match_stats stats;                    /* of one play */
	uint64_t hits;                               /* rules that held, in one play */
};

/* One rule's share. */
struct match_share {
	uint64_t found; /* times something of it was, in one play */
	double ns;      /* of what came of that, in one play */
};

/*
 * `rounds` of at least `round_ns` each, for all buffers together; `buffers`: for each alone, too.
 * 0, -EINVAL without rounds or with a tape that is not whole, or -ENOMEM.
 */
int match_cost_measure(const struct match_tape *tape, const struct ruleset *ruleset,
		       unsigned rounds, uint64_t round_ns, bool buffers, struct match_cost *cost);

/*
 * Plays again with a clock around each rule's own work: shares[] by the rule's place in the image,
 * for as many as it has. Looking at the clock makes the plays slower, and is taken off. 0 or
 * -ENOMEM.
 */
int match_cost_shares(const struct match_tape *tape, const struct ruleset *ruleset, unsigned plays,
		      struct match_share *shares);

/* Of `bytes` in `ns`: nanoseconds for 1,024 of them, 10^9 bits a second. 0 of nothing. */
double match_ns_per_kib(double ns, uint64_t bytes);
double match_gbits(double ns, uint64_t bytes);

#endif
