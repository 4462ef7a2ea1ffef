/* SPDX-License-Identifier: BSD-3-Clause */
/* Those who watch events as they come (`postern events -f`). The event loop's thread. */
#ifndef POSTERN_CONTROL_FOLLOW_H
#define POSTERN_CONTROL_FOLLOW_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct request;

struct follower {
	TAILQ_ENTRY(follower) entry;
	struct request *request;
	uint32_t types;  /* bit per enum event_type, and FOLLOW_GATE; 0: all */
	uint32_t tenant; /* id; 0: all */
};

TAILQ_HEAD(follow_list, follower);

struct follow_stats {
	uint64_t lines, cut_off;
	unsigned now;
};

#define FOLLOW_GATE (1U << 31) /* posternd's own events */

/* "smtp", …, "stats", "gate"; 0: there is no such type. */
uint32_t follow_type(const char *name);

/* Goes to those who want it. `type`: 1 << enum event_type, or FOLLOW_GATE. */
void follow_line(struct follow_list *list, struct follow_stats *stats, uint32_t type,
		 uint32_t tenant, const char *line, size_t len);

#endif
