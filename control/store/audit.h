/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who changed what, when, and why: a log that is only appended to, whose entries hang on one
 * another (control/store/audit_chain.h). An entry is a line of JSON, members sorted:
 *
 *   {"action": "tenant suspend", "actor": "alice", "after": {…}, "arguments": {…}, "at": ns,
 *    "before": {…}, "generation": 12, "tenant": "acme", "tenant_id": 7, "time": "…Z", "uid": 1000}
 *
 * People are in it by names that mean nothing (audit_person()), so that nothing in it ever has to
 * be forgotten. The event loop's thread.
 */
#ifndef POSTERN_CONTROL_AUDIT_H
#define POSTERN_CONTROL_AUDIT_H

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

#include "control/store/audit_chain.h"
#include "control/store/store.h"

#define AUDIT_PERSON 24 /* "person:" and 16 digits, with its NUL */

struct audit;

extern const struct store_part audit_part;

struct audit_note {
	uint64_t time; /* ns since 1970 */
	const char *action, *actor;
	uid_t uid;
	uint32_t tenant;         /* its id; 0: of none */
	const char *tenant_name; /* NULL: of none */
	uint64_t generation;     /* of what was in force after it; 0: nothing was */
	json_t *fields;          /* more members, taken over; NULL: none. No reals */
};

struct audit_head {
	uint64_t seq; /* 0: there are no entries */
	uint8_t hash[AUDIT_HASH];
	bool good; /* posternd itself wrote it */
};

/* The key of the head is in DIR/audit.key. As store_open(). */
int audit_open(struct store *store, struct audit **auditp, char error[STORE_ERROR]);
void audit_close(struct audit *audit);

/*
 * A person in an entry of the unit's: by a name that means nothing, for entries are for ever. Who
 * it is, is a row beside them until that person is forgotten. `person`: control/events/person.h; 0:
 * nobody is to know.
 */
const char *audit_person(struct store_unit *unit, uint64_t person, char text[AUDIT_PERSON]);

/*
 * Its entry, with the unit's other statements: both are stored, or neither. 0, or -ENOMEM.
 *
 * Where the head is not what posternd left, somebody has written to the log: that becomes an entry
 * itself, AUDIT_BROKEN, and what follows hangs on that.
 */
#define AUDIT_BROKEN "audit broken"
int audit_add(struct audit *audit, struct store_unit *unit, const struct audit_note *note);

/* The last entry that is on the disk. */
struct audit_head audit_head(const struct audit *audit);

/* Whether the log was found broken, which became an entry, since this was asked before. */
bool audit_found_broken(struct audit *audit);

/*
 * Entries after `after`, at most `limit`, of a tenant (0: of all) and a time (ns; 0, UINT64_MAX):
 * an array of {"seq", "hash", "previous", "text"}, and "persons": who the names in the text are, of
 * those who were not forgotten. NULL: it can't be read.
 */
json_t *audit_entries(const struct audit *audit, uint64_t after, unsigned limit, uint32_t tenant,
		      uint64_t from, uint64_t to);

#endif
