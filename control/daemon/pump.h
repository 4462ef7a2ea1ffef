/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the dataplane's memory to the log and to those who follow: events, several times a
 * second, and a stats event now and then. The event loop's thread.
 */
#ifndef POSTERN_CONTROL_PUMP_H
#define POSTERN_CONTROL_PUMP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/counters.h"

struct daemon;
struct event;
struct shm_head;

struct pump {
	struct event *turn, *stats;
	uint64_t events;    /* read */
	uint64_t bad;       /* records that could not be written as EVE */
	struct pump_flows { /* verdicts about flows, for the kernel */
		uint64_t put, late, refused;
	} flows;
	uint64_t lost_told; /* of the counter of lost events, when it was last told */
};

/* 0 or -ENOMEM. */
int pump_init(struct daemon *daemon);
void pump_fini(struct daemon *daemon);

/* What is there now, to the last record; before the dataplane's memory goes away. */
void pump_drain(struct daemon *daemon);

/* A stats event, the kernel's counters in it where it has some. NULL: no memory. */
json_t *pump_stats(const struct daemon *daemon);
/* Whether there is anybody who counts. */
bool pump_has_stats(const struct daemon *daemon);

/* All workers' counters. */
void counters_sum(const struct shm_head *memory, struct counters *sum);
struct tenant_counters tenant_counters_sum(const struct shm_head *memory, uint32_t slot);
/* Different recipients of mails that it sent, and their domains: estimates (bpf/hll.h, sketch.h).
 */
struct tenant_distinct {
	uint64_t recipients; /* of the last 12 to 24 hours */
	uint64_t domains;    /* of the last three to six days, 1420 at the most */
};
struct tenant_distinct tenant_distinct(const struct shm_head *memory, uint32_t slot, uint64_t now);
/* Records that had no room in their ring, and places at which a ring made no sense. */
uint64_t events_lost(const struct shm_head *memory, uint64_t *damaged);

#endif
