/* SPDX-License-Identifier: BSD-3-Clause */
/* What a new configuration changes. */
#ifndef POSTERN_CONTROL_RELOAD_DIFF_H
#define POSTERN_CONTROL_RELOAD_DIFF_H

#include <jansson.h>
#include <stdbool.h>

#include "control/daemon/roster.h"

#define DIFF_NAMES 50 /* tenants and sids that are named one by one */

/*
 * {"tenants": {"added": {"count", "names"}, "removed", "changed"}, "rules": {"added": {"count",
 * "sids"}, "removed", "modified", "changed": bool}, "settings": […]}, or NULL: no memory.
 * "changed": what was compiled is different. `old` NULL: everything is new.
 */
json_t *reload_changes(const struct roster *old, const struct roster *next);

/*
 * Settings that differ from those of the programs' start, with which program has to be started
 * again: [{"setting": "gate.workers", "restart": "postern-dataplane"}].
 */
json_t *reload_restarts(const json_t *started, const struct roster *next);

/* Whether the dataplane alone reads it, out of the first policy that it gets. */
bool reload_is_dataplanes(const char *setting);

#endif
