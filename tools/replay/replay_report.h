/* SPDX-License-Identifier: BSD-3-Clause */
/* The workers' counters as one report. */
#ifndef POSTERN_TOOLS_REPLAY_REPORT_H
#define POSTERN_TOOLS_REPLAY_REPORT_H

#include "control/page/report.h"
#include "tools/replay/replay_output.h"

struct replay_report {
	struct report report;
	struct counters total;
	struct tenant_counters *tenant;
	struct rule_hits *rule;
	struct limit_use *limit;
	uint64_t last; /* ns since 1970: the last packet's time */
};

/* Borrows from all its arguments. 0 or -ENOMEM. */
int replay_report_init(struct replay_report *r, const struct replay_output *out,
		       const struct gate *gate, const struct replay_stats *stats);
void replay_report_fini(struct replay_report *r);

/* The `stats` event: the totals, once. */
void stats_write(FILE *out, const struct replay_report *r);

#endif
