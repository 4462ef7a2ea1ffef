/* SPDX-License-Identifier: BSD-3-Clause */
/* What a replay puts out: the event log, packets that left the gate, the summary, the page. */
#ifndef POSTERN_TOOLS_REPLAY_OUTPUT_H
#define POSTERN_TOOLS_REPLAY_OUTPUT_H

#include "control/daemon/tenant_name.h"
#include "control/page/page.h"
#include "control/page/summary.h"
#include "dataplane/capture/capture_writer.h"
#include "dataplane/match/match.h"
#include "tools/replay/replay.h"
#include "tools/replay/replay_risk.h"

struct replay_output {
	const struct replay_options *options;
	const struct policy *policy;
	const struct ruleset *ruleset; /* NULL: none */
	struct tenant_name *name;
	struct tenant_names names;
	FILE *events, *json, *evidence;
	struct capture_writer *writer;
	struct page *page;
	struct summary summary;
	struct replay_risk risk;
	int event_error, write_error; /* -errno, the first */
};

/* 0, or an exit status after saying why. */
int replay_output_open(struct replay_output *out, const struct replay_options *o,
		       const struct policy *policy, const struct inputs_tenants *tenants,
		       const struct ruleset *ruleset);
struct replay_sinks replay_output_sinks(struct replay_output *out);

/* The run is over: everything that tells of it as a whole. The same. */
int replay_output_finish(struct replay_output *out, const struct gate *gate,
			 const struct replay_stats *stats);
void replay_output_close(struct replay_output *out);

#endif
