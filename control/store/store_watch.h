/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether the disk takes what posternd writes: an alarm when it doesn't any more, an event when it
 * does again. The gate goes on either way. Event loop.
 */
#ifndef POSTERN_CONTROL_STORE_WATCH_H
#define POSTERN_CONTROL_STORE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct daemon;

struct store_watch {
	bool failing;   /* and it has been told */
	uint64_t probe; /* ns, monotonic: when it is tried again */
	uint64_t times; /* that it began */
};

/* About once a second. */
void store_watch_turn(struct daemon *daemon);

#endif
