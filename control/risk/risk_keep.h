/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What of risk goes to the disk, when, and comes back. Only tenants of whom there is news are
 * written, every few seconds and so many at a time; what was decided over a tenant goes there at
 * once, and is told when it is there. Event loop.
 */
#ifndef POSTERN_CONTROL_RISK_KEEP_H
#define POSTERN_CONTROL_RISK_KEEP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/risk/risk_state.h"

#define RISK_KEEP_INTERVAL UINT64_C(5000000000) /* ns: between two writes */
#define RISK_KEEP_MOST     20000                /* tenants in one of them */

struct daemon;
struct risk_lookup;

struct risk_keep {
	struct risk_lookup *last; /* the tenant that was looked up last */
	struct store_unit *unit;  /* of the slice in hand; NULL: empty */
	bool writing;             /* in this round */
	uint32_t from, left;      /* the slot that is next; tenants that may still be written */
	uint64_t next;            /* ns, monotonic */
	uint64_t failures;        /* of the store, as last seen */
	uint64_t written;         /* tenants */
};

/* Takes an older posternd's file over. 0 or -ENOMEM. */
int risk_keep_open(struct daemon *daemon);
/* All that is not on the disk yet, and the end. */
void risk_keep_close(struct daemon *daemon);

/* What the disk has of a tenant who is not on the board; NULL: nothing. Until the next call. */
const struct risk_saved *risk_keep_find(const struct daemon *daemon, uint32_t tenant);

/* The configuration's tenants are the board's from now on. */
void risk_keep_adopt(struct daemon *daemon);

/* A round begins; a slot was evaluated; a slice of a round ends. */
void risk_keep_round(struct daemon *daemon);
void risk_keep_slot(struct daemon *daemon, uint32_t slot);
void risk_keep_slice(struct daemon *daemon);

/* Into a unit of somebody's, who is told when the disk has it. */
void risk_keep_put(struct daemon *daemon, uint32_t slot, struct store_unit *unit);

/*
 * The unit (of risk_keep_put(), and what belongs to it) at once; then daemon_event(event, slot,
 * fields), when the disk has it, or can't have it.
 */
void risk_keep_tell(struct daemon *daemon, struct store_unit *unit, uint32_t slot,
		    const char *event, json_t *fields);

#endif
