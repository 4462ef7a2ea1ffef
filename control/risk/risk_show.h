/* SPDX-License-Identifier: BSD-3-Clause */
/* Risk for whoever asks. The event loop's thread. */
#ifndef POSTERN_CONTROL_RISK_SHOW_H
#define POSTERN_CONTROL_RISK_SHOW_H

#include "control/daemon/command.h"

/* Of a line about the tenant; null: its score is off. */
json_t *risk_line_json(const struct daemon *daemon, uint32_t slot);

/* Its calls of late; empty: they, or its score, are off. */
json_t *risk_window_of(const struct daemon *daemon, uint32_t slot);

/*
 * The slots of all tenants, *n of them, the caller's to free(): as they are, or by score, the
 * highest first. NULL and *n 0: no memory.
 */
uint32_t *risk_order(const struct daemon *daemon, bool by_score, uint32_t *n);

enum command_outcome run_explain(struct request *request, json_t **result);

#endif
