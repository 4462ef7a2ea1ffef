/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the gate refused, grouped: verdict records of the same tenant, object,
 * reason and words are one kind. Memory is bounded: past REFUSAL_KINDS kinds,
 * further ones are only counted.
 *
 * Control only, one thread at a time; no allocation.
 */
#ifndef POSTERN_CONTROL_REFUSALS_H
#define POSTERN_CONTROL_REFUSALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event_record.h"

#define REFUSAL_KINDS 256

/* Strings are NUL-terminated, cut to their room, and as raw as the record's. */
struct refusal {
	uint32_t tenant; /* slot */
	uint32_t sid;    /* the rule's, 0: none */
	bool shadow;     /* would have been refused */
	char action[8];
	char object[16];
	char reason[32];
	char reply[128];
	/* Not part of what makes the kind: */
	uint64_t count;
	uint64_t first; /* ns since 1970, of the earliest */
};

struct refusals {
	struct refusal kind[REFUSAL_KINDS];
	unsigned kinds;
	uint64_t total;     /* refusals, shadow excluded */
	uint64_t shadow;    /* would-be refusals */
	uint64_t uncounted; /* of either, of kinds that found no room */
};

/* Takes a record of type EVENT_VERDICT that event_open() accepted. */
void refusals_add(struct refusals *refusals, const struct event_head *head);

/* The most frequent first; equal ones by time. */
void refusals_sort(struct refusals *refusals);

#endif
