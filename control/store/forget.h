/* SPDX-License-Identifier: BSD-3-Clause */
/* Nothing is kept longer than it must be: retention, and `postern forget`. Event loop. */
#ifndef POSTERN_CONTROL_FORGET_H
#define POSTERN_CONTROL_FORGET_H

#include "control/daemon/command.h"

struct retention {
	uint64_t next; /* ns, monotonic: when rows are looked for again */
	bool running;  /* a step is on its way to the disk */
	uint64_t rows; /* that were deleted for their age */
};

/* Once a second; deletes a bounded number of rows at a time. */
void retention_turn(struct daemon *daemon);

/* The function of the table. */
enum command_outcome run_forget(struct request *request, json_t **result);

#endif
