/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must outlive posternd: the tenants' overrides. A file of JSON that is replaced as a whole:
 * whatever happens, it is the one before or the one after. One thread; state_store() blocks until
 * the disk has it.
 */
#ifndef POSTERN_CONTROL_STATE_H
#define POSTERN_CONTROL_STATE_H

#include <stddef.h>

#include "control/override.h"

struct state;

#define STATE_ERROR 512

/*
 * Reads DIR/state.json, or begins without one. 0; -EINVAL: the file is not posternd's, or
 * damaged; -errno: it can't be read. `error` says it in words.
 */
int state_open(const char *dir, struct state **statep, char error[STATE_ERROR]);
void state_close(struct state *state);

/* A tenant's override, until the next state_store(); NULL: it has none. */
const struct override *state_find(const struct state *state, uint32_t tenant);

/* All of them, ascending by tenant. */
const struct override *state_all(const struct state *state, size_t *count);

/* Where files that outlive posternd are; the state's. */
int state_dir(const struct state *state);

/*
 * Takes the override instead of the one that the tenant had; an empty one is forgotten. 0: it is
 * on the disk. -errno: it holds until posternd ends, and is not on the disk; the next
 * state_store() tries again with everything.
 */
int state_store(struct state *state, const struct override *override);

/*
 * A number above all that it ever gave out, for the next configuration or ruleset, stored before
 * it is returned (as well as that can be: see state_flush()).
 */
uint64_t state_generation(struct state *state);

/* Tries again after a failure. 0: everything is on the disk. */
int state_flush(struct state *state);

#endif
