/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A tenant dials for help: an alarm for people (AUP-EMERGENCY), whether the call went through or
 * was refused. One of a tenant's in ten seconds: who dials again and again is told of once. Event
 * loop.
 */
#ifndef POSTERN_CONTROL_EMERGENCY_ALARM_H
#define POSTERN_CONTROL_EMERGENCY_ALARM_H

#include <stdint.h>

#define EMERGENCY_ALARMS 64 /* tenants whose last alarm is remembered */

struct daemon;
struct event_head;

struct emergency_alarms {
	struct {
		uint32_t slot;
		uint64_t time; /* ns since 1970 */
	} last[EMERGENCY_ALARMS];
};

/* Any record of the dataplane's. */
void emergency_record(struct daemon *daemon, const struct event_head *head);

#endif
