/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether the kernel's failure policy acts: on packets that the dataplane should have read and
 * could not, because there was no socket or its heartbeat was old. Seen by what the kernel counts;
 * an alarm when it begins, an event when it is over. Event loop.
 */
#ifndef POSTERN_CONTROL_FAILURE_WATCH_H
#define POSTERN_CONTROL_FAILURE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct daemon;

/* Packets, of both ports, since the maps were made. */
struct failure_counts {
	uint64_t passed, dropped;
	uint64_t calls; /* of `passed`: suspended tenants' SIP */
};

struct failure_watch {
	bool known;  /* `last` is valid */
	bool acting; /* and it has been told */
	struct failure_counts first, last;
	uint64_t began, seen; /* ns, monotonic: when it did, and when a packet last met it */
	uint64_t next;        /* ns, monotonic: when to look again */
	uint64_t times;       /* that it began */
};

/* Zeroes without a kernel's side. */
struct failure_counts failure_counts(const struct daemon *daemon);

/* `now`: ns, monotonic. As often as one likes. */
void failure_watch_turn(struct daemon *daemon, uint64_t now);

#endif
