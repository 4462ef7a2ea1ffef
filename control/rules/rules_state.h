/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is remembered of rules, on the disk: which text is in force, the generations before it, and
 * what was decided over single rules. DIR/rules/rules.json, and the texts beside it
 * (control/rules/rules_text.h). One thread; rules_state_flush() blocks until the disk has it.
 */
#ifndef POSTERN_CONTROL_RULES_STATE_H
#define POSTERN_CONTROL_RULES_STATE_H

#include <limits.h>

#include "control/daemon/state.h"
#include "control/rules/rule_override.h"
#include "control/rules/rules_text.h"

#define RULES_HISTORY    200                   /* generations that are remembered */
#define RULES_TEXTS_KEPT (UINT64_C(256) << 20) /* bytes of the texts of those */

struct rules_state {
	int dir; /* -1: not open */
	char path[PATH_MAX];
	bool pushed;                  /* rules come from `text`, not from gate.rules */
	char text[RULES_DIGEST_SIZE]; /* in force; "": none */
	struct rule_overrides overrides;
	json_t *history; /* objects, the oldest first: docs/control.md, `rules history` */
	bool dirty;      /* the disk has less */
};

/* As state_open(). */
int rules_state_open(const char *dir, struct rules_state *state, char error[STATE_ERROR]);
void rules_state_close(struct rules_state *state);

/* Takes the entry over; the oldest one goes where there are too many. */
void rules_state_note(struct rules_state *state, json_t *entry);

/* The entry of that generation; 0: the newest whose text is not in force. NULL: there is none. */
const json_t *rules_state_find(const struct rules_state *state, uint64_t generation);

/* 0: everything is on the disk. -errno: it holds until posternd ends. */
int rules_state_flush(struct rules_state *state);

#endif
