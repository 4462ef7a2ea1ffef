/* SPDX-License-Identifier: BSD-3-Clause */
/* What posternd's parts write into the audit log (control/store/audit.h). The event loop's thread.
 */
#ifndef POSTERN_CONTROL_AUDIT_NOTE_H
#define POSTERN_CONTROL_AUDIT_NOTE_H

#include <jansson.h>
#include <stdint.h>

struct daemon;
struct request;
struct store_unit;

/* A command that changed something, with what it has to store. */
void audit_request(struct request *request, struct store_unit *unit);

/*
 * What posternd did by itself, about the tenant in a slot (0: none). `fields` (may be NULL) is
 * taken over, and has no reals. `unit`: stored with it; NULL: by itself, soon.
 */
void audit_daemon(struct daemon *daemon, const char *action, uint32_t slot, json_t *fields,
		  struct store_unit *unit);

/* A line with the last entry's number and hash, where there are new ones since the last such line.
 */
void audit_anchor(struct daemon *daemon);

/*
 * Every second: a line where somebody wrote to the log, which the next entry found; once the disk
 * takes that entry.
 */
void audit_turn(struct daemon *daemon);

#endif
