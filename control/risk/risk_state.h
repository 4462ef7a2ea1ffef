/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scores in the store, a row a tenant (control/risk/risk_pack.h), so that a restart forgets none. A
 * tenant that the configuration has no more keeps its row for gate.retention.scores: it may come
 * back. The event loop's thread.
 */
#ifndef POSTERN_CONTROL_RISK_STATE_H
#define POSTERN_CONTROL_RISK_STATE_H

#include "control/risk/risk_board.h"
#include "control/store/store.h"

extern const struct store_part risk_part;

/*
 * What the board knows of the slot's tenant, onto the disk with the unit. `now`: ns since 1970. It
 * is store_add_fleeting()'s: the next write has it anew; risk_state_put_last(): there is no next.
 */
void risk_state_put(struct store_unit *unit, const struct risk_board *board, uint32_t slot,
		    uint64_t now);
void risk_state_put_last(struct store_unit *unit, const struct risk_board *board, uint32_t slot,
			 uint64_t now);

/* 0; -ENOENT: there is nothing of that tenant; -EINVAL: it makes no sense; -errno. */
int risk_state_find(struct store *store, uint32_t tenant, struct risk_saved *saved);

/* The tenant left, or came back. */
void risk_state_leave(struct store_unit *unit, uint32_t tenant, uint64_t now);
void risk_state_return(struct store_unit *unit, uint32_t tenant);

/* How many are there, gone ones too. */
uint64_t risk_state_count(struct store *store);

/*
 * DIR/risk.jsonl of posternds of before: taken over once, where there is no newer row, and
 * removed. It blocks. *taken tenants, *bad lines that made no sense. 0; -errno: it stays.
 */
int risk_state_take_file(struct store *store, size_t *taken, size_t *bad);

#endif
