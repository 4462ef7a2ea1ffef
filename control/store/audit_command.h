/* SPDX-License-Identifier: BSD-3-Clause */
/* The audit log's functions of the table of commands. Event loop. */
#ifndef POSTERN_CONTROL_AUDIT_COMMAND_H
#define POSTERN_CONTROL_AUDIT_COMMAND_H

#include "control/daemon/command.h"

enum command_outcome run_audit_entries(struct request *request, json_t **result);
enum command_outcome run_audit_export(struct request *request, json_t **result);

#endif
