/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scores at a capture's end, by posternd's engine. Events count when they happened; what only
 * counters tell (how calls and recipients ended, packets and SYNs beyond a limit) counts at the
 * end. So the result is the same with any number of workers. Nothing follows from it: limits and
 * states stay as they are.
 */
#ifndef POSTERN_TOOLS_REPLAY_RISK_H
#define POSTERN_TOOLS_REPLAY_RISK_H

#include <jansson.h>

#include "control/risk/risk_board.h"
#include "dataplane/gate.h"
#include "tools/inputs.h"

struct replay_risk {
	struct risk_board board; /* no slots: nobody is scored */
	const struct policy *policy;
	const struct inputs_tenants *inputs;
	const struct ruleset *ruleset; /* NULL: none */
	json_t **result;               /* by slot; NULL before the end */
};

/* 0 or -ENOMEM. All is borrowed. */
int replay_risk_init(struct replay_risk *risk, const struct policy *policy,
		     const struct inputs_tenants *inputs, const struct ruleset *ruleset);
void replay_risk_fini(struct replay_risk *risk);

void replay_risk_event(struct replay_risk *risk, const struct event_head *head);

/* The run is over; `now`: the last packet's time, ns. -ENOMEM or 0. */
int replay_risk_end(struct replay_risk *risk, const struct gate *gate, uint64_t now);

#endif
