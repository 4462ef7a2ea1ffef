/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Recipients in events, as keyed hashes (control/events/person.h): those of fields that name one,
 * and addresses and URIs in texts that may quote one. Senders are the tenant's own and stay. Pure,
 * any thread.
 */
#ifndef POSTERN_CONTROL_EVE_PEOPLE_H
#define POSTERN_CONTROL_EVE_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/event.h"
#include "control/events/person.h"

/* Whether the field can have any. */
bool eve_people_in(enum field_key key);

/*
 * The value as it may be kept, at most as long as `size`, without a NUL: of a field that names a
 * recipient nothing but hashes. Returns its length; what has no room is cut.
 */
size_t eve_people_hide(const struct person_key *key, enum field_key field, const void *value,
		       size_t len, char *out, size_t size);

#endif
