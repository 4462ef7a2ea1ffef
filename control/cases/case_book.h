/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cases: what a person has to look at, each about one tenant, with everything that came of it.
 * Those that are not closed are in memory; all of them are in the store, for as long as
 * gate.retention says. docs/abuse-desk.md explains them to people.
 *
 * The clock of a case runs from when the tenant was told: whoever was not told is not late. One
 * thread; times are ns since 1970.
 */
#ifndef POSTERN_CONTROL_CASE_BOOK_H
#define POSTERN_CONTROL_CASE_BOOK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/store/store.h"

/* clang-format off */
#define CASE_STATES(X)                                                                             \
	X(OPEN, "open", "the tenant has not been told yet")                                        \
	X(TOLD, "told", "the tenant was told, and has time to answer")                             \
	X(ANSWERED, "answered", "the tenant has answered: a person decides")                       \
	X(OVERDUE, "overdue", "the time is over, and there was no answer")                         \
	X(CLOSED, "closed", "it is over")
/* clang-format on */

enum case_state {
#define X(id, ...) CASE_##id,
	CASE_STATES(X)
#undef X
		CASE_STATE_COUNT,
};

const char *case_state_name(enum case_state state);
const char *case_state_text(enum case_state state);

struct case_one {
	uint64_t id;
	uint32_t tenant; /* its id; 0: nobody's, the provider's own */
	enum case_state state;
	uint64_t opened, told, due; /* 0: not yet */
	uint64_t items;
};

struct case_book {
	struct case_one *one; /* those that are not closed, oldest first */
	size_t count, room;
	uint64_t last; /* the highest number that a case ever had */
	struct store *store;
};

extern const struct store_part case_part;

/* 0; -ENOMEM; -EIO: the store can't be read. */
int case_book_open(struct case_book *book, struct store *store);
void case_book_close(struct case_book *book);

/* One that is not closed; NULL: there is none. They are good until the next is opened or closed. */
struct case_one *case_find(struct case_book *book, uint64_t id);
struct case_one *case_of(struct case_book *book, uint32_t tenant);

/*
 * What follows goes to memory at once, and to the disk with `unit`. `by`: who; `fields` (may be
 * NULL) is taken over.
 */

/* The tenant's case, a new one where it has none (*opened). NULL: no memory. */
struct case_one *case_take(struct case_book *book, struct store_unit *unit, uint32_t tenant,
			   uint64_t now, bool *opened);

/* Something that came of it: "risk", "report", "note", "notice" … */
void case_add(struct case_book *book, struct store_unit *unit, struct case_one *one,
	      const char *what, const char *by, json_t *fields, uint64_t now);

/* Its state changes, which is an item of its own; a closed one leaves the book. */
void case_told(struct case_book *book, struct store_unit *unit, struct case_one *one,
	       uint64_t answer_within, json_t *fields, uint64_t now);
void case_answered(struct case_book *book, struct store_unit *unit, struct case_one *one,
		   const char *by, json_t *fields, uint64_t now);
void case_overdue(struct case_book *book, struct store_unit *unit, struct case_one *one,
		  uint64_t now);
void case_closed(struct case_book *book, struct store_unit *unit, struct case_one *one,
		 const char *by, json_t *fields, uint64_t now);

/* The next one whose time is over, from *from on; NULL: there are no more. */
struct case_one *case_late(struct case_book *book, size_t *from, uint64_t now);

/* As objects, newest first: all of a tenant's (0: everybody's), closed ones too if asked for. */
json_t *case_list(struct case_book *book, uint32_t tenant, bool whole, bool closed, unsigned most);
/* One with all its items; NULL: there is none. */
json_t *case_json(struct case_book *book, uint64_t id);

#endif
