/* SPDX-License-Identifier: BSD-3-Clause */
/* What is in force and where it comes from: the commands `policy` and `policy settings`. */
#ifndef POSTERN_CONTROL_POLICY_SHOW_H
#define POSTERN_CONTROL_POLICY_SHOW_H

#include "control/daemon/command.h"

enum command_outcome run_policy(struct request *request, json_t **result);
enum command_outcome run_policy_settings(struct request *request, json_t **result);

#endif
