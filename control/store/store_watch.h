/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether the disk takes what posternd writes: an alarm when it doesn't any more, another when
 * something is lost for it, an event when it does again. The gate goes on either way. Event loop.
 */
#ifndef POSTERN_CONTROL_STORE_WATCH_H
#define POSTERN_CONTROL_STORE_WATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct daemon;

struct store_watch {
	bool failing;   /* and it has been told */
	bool losing;    /* the same */
	uint64_t lost;  /* when it last worked, with nothing waiting */
	uint64_t kept;  /* units that were kept so far, then */
	uint64_t probe; /* ns, monotonic: when it is tried again */
	uint64_t times; /* that it began */
};

/* About once a second. */
void store_watch_turn(struct daemon *daemon);

/* posternd ends: the last try, and what is lost with it. */
void store_watch_end(struct daemon *daemon);

/* For `status`: {"failing", "reason", "kept", "kept_since", "lost"}. */
json_t *store_watch_json(const struct daemon *daemon);

#endif
