/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What control calls the tenants in what it writes: records and counters know
 * only slots. Slot 0 is traffic of no configured tenant.
 */
#ifndef POSTERN_CONTROL_TENANT_NAME_H
#define POSTERN_CONTROL_TENANT_NAME_H

#include <stddef.h>
#include <stdint.h>

struct tenant_name {
	uint32_t id;       /* the configuration's */
	const char *name;  /* UTF-8; "": it has none */
	const char *state; /* "active", "suspended" */
};

/* Indexed by slot; borrowed by whoever gets it, for the time it says. */
struct tenant_names {
	const struct tenant_name *slot;
	size_t count;
};

/* The tenant of a slot, or NULL: a slot beyond the table. */
static inline const struct tenant_name *tenant_name_of(const struct tenant_names *names,
						       uint32_t slot)
{
	return slot < names->count ? &names->slot[slot] : NULL;
}

#endif
