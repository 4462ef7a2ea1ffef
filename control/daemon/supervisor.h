/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starts the dataplane and starts it again when it died, after a pause that doubles while it
 * doesn't live long. The event loop's thread.
 */
#ifndef POSTERN_CONTROL_SUPERVISOR_H
#define POSTERN_CONTROL_SUPERVISOR_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SUPERVISOR_PAUSE_MIN UINT64_C(200)   /* ms */
#define SUPERVISOR_PAUSE_MAX UINT64_C(30000) /* ms */
#define SUPERVISOR_SETTLED   UINT64_C(10000) /* ms: who lived so long begins with a short pause */

struct supervisor;

struct supervisor_stats {
	pid_t pid; /* 0: none of ours runs */
	uint64_t starts, deaths;
	uint64_t pause_ms; /* until the next start; 0: it runs */
};

/*
 * `argv` is copied. `died` is called for each death, with how ("exit 1", "signal 9").
 * `prepare` runs in the child before exec. Nothing is started yet. 0 or -ENOMEM.
 */
int supervisor_new(struct event_base *base, char *const argv[], void (*prepare)(void *ctx),
		   void (*died)(void *ctx, pid_t pid, const char *how), void *ctx,
		   struct supervisor **supervisorp);

/* From now on there is one, unless somebody else's is wanted (hold). */
void supervisor_start(struct supervisor *supervisor);

/* `held`: another one serves; none is started until that has gone. */
void supervisor_hold(struct supervisor *supervisor, bool held);

/* Lets what runs run. NULL is fine. */
void supervisor_free(struct supervisor *supervisor);
struct supervisor_stats supervisor_stats(const struct supervisor *supervisor);

#endif
