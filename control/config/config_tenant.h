/* SPDX-License-Identifier: BSD-3-Clause */
/* What tenants' settings become: part of control/config/config.h. */
#ifndef POSTERN_CONFIG_TENANT_H
#define POSTERN_CONFIG_TENANT_H

#include "control/config/config.h"
#include "control/policy/prefix_build.h"

/* The tenant at index i of the configuration has the slot i + 1. */
static inline uint32_t config_tenant_slot(size_t index)
{
	return (uint32_t)index + 1;
}

/*
 * All tenants' prefixes, each with its slot, and its index in the tenant's list as
 * origin; those that can't be read are errors in `diag` and left out. -ENOMEM or 0;
 * the caller frees.
 */
int config_prefixes(const struct config *config, struct diag *diag, struct prefix **prefixes,
		    size_t *count);

/* The same of the networks in lists.blocked, sorted and each once; all have the slot 1. */
int config_blocked(const struct config *config, struct diag *diag, struct prefix **prefixes,
		   size_t *count);

#endif
