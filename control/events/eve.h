/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Event records as EVE JSON: one object a line, Suricata's names. docs/eve.md
 * describes the format, docs/eve.schema.json checks it; the fields come from
 * the table in bpf/event.h.
 *
 * Control only: may allocate, and eve_write() writes to a stream. No state: any
 * thread.
 */
#ifndef POSTERN_CONTROL_EVE_H
#define POSTERN_CONTROL_EVE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bpf/event_record.h"
#include "control/base/json_out.h"
#include "control/daemon/tenant_name.h"
#include "control/events/person.h"

/*
 * Appends the record at head, of whose bytes len are readable, as one line;
 * nothing for EVENT_ADDRESS and EVENT_KERNEL, which are none of EVE's. 0; -EBADMSG: no record, or
 * of no known type; -ENOMEM. `people`: recipients are written as keyed hashes; NULL: as they are.
 */
int eve_format(struct json_out *out, const struct event_head *head, size_t len,
	       const struct tenant_names *names, const struct person_key *people);

/* What every record has: time, type, addresses, tenant; members without braces. */
void eve_head(struct json_out *out, const struct event_head *head,
	      const struct tenant_names *names);

/* The same, written to a stream. Also -EIO: it refused. */
int eve_write(FILE *file, const struct event_head *head, size_t len,
	      const struct tenant_names *names);

/* Any other object as a line of the log. 0 or -EIO. */
int eve_write_object(FILE *file, const json_t *object);

/* ns since 1970 as "2026-11-23T22:46:50.123456+0000"; buf of EVE_TIME_SIZE bytes is returned. */
#define EVE_TIME_SIZE 48
const char *eve_time(char *buf, uint64_t ns);

/* A field's place ("smtp.helo", "" for none in EVE) and kind. */
const char *eve_field_path(enum field_key key);
enum field_kind eve_field_kind(enum field_key key);

/* "smtp", …; NULL: no such type. */
const char *eve_type_name(enum event_type type);

#endif
