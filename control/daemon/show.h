/* SPDX-License-Identifier: BSD-3-Clause */
/* What posternd says of itself, the dataplane and the traffic. Event loop. */
#ifndef POSTERN_CONTROL_SHOW_H
#define POSTERN_CONTROL_SHOW_H

#include "control/daemon/command.h"

/* The functions of the table. */
enum command_outcome run_status(struct request *request, json_t **result);
enum command_outcome run_show(struct request *request, json_t **result);
enum command_outcome run_stats(struct request *request, json_t **result);
enum command_outcome run_ports(struct request *request, json_t **result);
enum command_outcome run_failure(struct request *request, json_t **result);

#endif
