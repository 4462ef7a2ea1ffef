/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands about rules; functions of the table (control/daemon/command_table.c). Event loop. */
#ifndef POSTERN_CONTROL_RULES_COMMAND_H
#define POSTERN_CONTROL_RULES_COMMAND_H

#include "control/daemon/command.h"

enum command_outcome run_rules(struct request *request, json_t **result);
enum command_outcome run_rules_list(struct request *request, json_t **result);
enum command_outcome run_rules_history(struct request *request, json_t **result);

enum command_outcome run_rules_stage(struct request *request, json_t **result);
enum command_outcome run_rules_push(struct request *request, json_t **result);
enum command_outcome run_rules_rollback(struct request *request, json_t **result);
enum command_outcome run_rules_shadow(struct request *request, json_t **result);
enum command_outcome run_rules_disable(struct request *request, json_t **result);
enum command_outcome run_rules_enable(struct request *request, json_t **result);

#endif
