/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was decided about tenants by command, over the configuration, and numbers that never come
 * twice: in memory, and in the store's tables. The event loop's thread; never waits for the disk
 * but at its opening.
 */
#ifndef POSTERN_CONTROL_STATE_H
#define POSTERN_CONTROL_STATE_H

#include <stddef.h>

#include "control/daemon/override.h"
#include "control/store/store.h"

struct state;

#define STATE_ERROR STORE_ERROR

extern const struct store_part state_part;

/*
 * Reads what the store has. A state.json of posternds before 0.2 beside it is taken over once, and
 * is state.json.taken from then on. 0; -EINVAL: it is damaged, or not posternd's; -errno. `error`
 * says it in words. The store outlives the state.
 */
int state_open(struct store *store, struct state **statep, char error[STATE_ERROR]);
void state_close(struct state *state);

/* A tenant's override, until the next state_put(); NULL: it has none. */
const struct override *state_find(const struct state *state, uint32_t tenant);

/* All of them, ascending by tenant. */
const struct override *state_all(const struct state *state, size_t *count);

/*
 * Takes the override instead of the one that the tenant had; an empty one is forgotten. It holds
 * at once, and is on the disk with the unit. 0, or -ENOMEM: nothing has changed.
 */
int state_put(struct state *state, const struct override *override, struct store_unit *unit);

/* A unit with overrides did not come onto the disk: state_flush() writes all of them. */
void state_unstored(struct state *state);

/* Tries again after a failure; often enough. */
void state_flush(struct state *state);

/*
 * A number above all that it ever gave out, for the next configuration or ruleset. After a
 * posternd that was killed some are left out.
 */
uint64_t state_generation(struct state *state);

#endif
