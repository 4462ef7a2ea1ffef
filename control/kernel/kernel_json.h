/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's counters as JSON objects, with the members of docs/eve.md (`stats.kernel`). Each
 * call returns a new object, or NULL: no memory. Event loop.
 */
#ifndef POSTERN_CONTROL_KERNEL_JSON_H
#define POSTERN_CONTROL_KERNEL_JSON_H

#include <jansson.h>
#include <stdint.h>

struct daemon;

/* All but tenants' own. */
json_t *kernel_json(const struct daemon *daemon);
/* A side's (enum kernel_side). */
json_t *kernel_port_json(const struct daemon *daemon, unsigned side);
json_t *kernel_tenant_json(const struct daemon *daemon, uint32_t slot);

#endif
