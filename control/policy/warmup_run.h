/* SPDX-License-Identifier: BSD-3-Clause */
/* Warm-up in posternd: steps change over by themselves. The event loop's thread. */
#ifndef POSTERN_CONTROL_WARMUP_RUN_H
#define POSTERN_CONTROL_WARMUP_RUN_H

#include <stdint.h>

struct daemon;
struct roster;

struct warmup_run {
	uint64_t seen,
		next; /* s since 1970: the last look; when the next step ends, 0: none does */
};

/* When the first step after `now` ends; 0: none does. */
uint64_t warmup_run_next(const struct roster *roster, uint64_t now);

/* Another configuration is in force. */
void warmup_run_adopt(struct daemon *daemon, uint64_t now);

/* About once a second: slots of tenants whose step has ended are written anew, and told. */
void warmup_run_turn(struct daemon *daemon, uint64_t now);

#endif
