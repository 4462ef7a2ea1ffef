/* SPDX-License-Identifier: BSD-3-Clause */
/* Tenants as answers say them. Event loop. */
#ifndef POSTERN_CONTROL_TENANT_SHOW_H
#define POSTERN_CONTROL_TENANT_SHOW_H

#include "control/daemon/command.h"

/* Everything of one, or of a list only what fits on a line. NULL: no memory. */
json_t *tenant_json(const struct daemon *daemon, uint32_t slot);
json_t *tenant_line_json(const struct daemon *daemon, uint32_t slot);

/* The functions of the table. */
enum command_outcome run_tenants(struct request *request, json_t **result);
enum command_outcome run_tenant(struct request *request, json_t **result);
enum command_outcome run_limits(struct request *request, json_t **result);

#endif
