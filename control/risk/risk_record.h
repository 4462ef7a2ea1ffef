/* SPDX-License-Identifier: BSD-3-Clause */
/* What an event of the dataplane's says about a tenant's risk. The board's thread. */
#ifndef POSTERN_CONTROL_RISK_RECORD_H
#define POSTERN_CONTROL_RISK_RECORD_H

#include "bpf/event_record.h"
#include "control/risk/risk_board.h"

struct risk_recorder {
	struct risk_board *board;
	/* Points of a rule's metadata (`risk N`). */
	uint32_t (*points)(const void *ctx, uint32_t sid);
	const void *ctx;
	/* Limits give points by their events; without, these are only kept: counters give them. */
	bool limits;
};

/* Of a tenant that is scored; the board has a slot for it. */
void risk_record(const struct risk_recorder *recorder, const struct event_head *head);

#endif
