/* SPDX-License-Identifier: BSD-3-Clause */
/* The clockwork: heartbeats, suspensions that end, the service manager's watchdog. Event loop. */
#ifndef POSTERN_CONTROL_WATCH_H
#define POSTERN_CONTROL_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "control/daemon/failure_watch.h"

struct daemon;
struct event;
struct shm_head;

struct watch {
	struct event *turn;
	uint64_t next_second, next_watchdog, next_anchor; /* ns, monotonic */
	bool stalled;                                     /* some worker is, and it has been told */
	bool live;       /* the workers run, and it has been told */
	uint64_t stalls; /* times that one was */
	struct failure_watch failure;
};

/* Whether there is a dataplane whose workers use what is in force. */
bool watch_is_live(const struct daemon *daemon);

int watch_init(struct daemon *daemon);
void watch_fini(struct daemon *daemon);

/* ns since the worker's last heartbeat. */
uint64_t heartbeat_age(const struct shm_head *memory, unsigned worker);

#endif
