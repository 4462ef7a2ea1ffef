/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Risk as JSON: its numbers on their way from the compiler's child to posternd, tenants of an
 * older posternd's file, and a score taken apart for people. Any thread; allocates. NULL: no
 * memory.
 */
#ifndef POSTERN_CONTROL_RISK_JSON_H
#define POSTERN_CONTROL_RISK_JSON_H

#include <jansson.h>

#include "control/risk/risk_board.h"

/* "off", "shadow", "on"; RISK_MODE_COUNT: it is none of them. */
const char *risk_mode_name(int mode);
int risk_mode_find(const char *name);

json_t *risk_config_json(const struct risk_config *config);
/* 0, or -EINVAL: something is not there. */
int risk_config_parse(const json_t *object, struct risk_config *config);

/* A line of risk.jsonl, of posternds of before. What is not there is zero; events and ratios of
 * other names are left out. 0, or -EINVAL. */
int risk_tenant_parse(const json_t *object, uint32_t *id, struct risk_tenant *tenant);

/* A time in ns since 1970 as events have it; null for 0. */
json_t *risk_time_json(uint64_t ns);

/* Score, level, trend, and what ratios are now; for a line about the tenant. */
json_t *risk_brief_json(const struct risk_tenant *tenant, const struct risk_config *config,
			uint64_t now, int mode);

/* Every term with all that made it; `trace` may be NULL. */
json_t *risk_terms_json(const struct risk_tenant *tenant, const struct risk_config *config,
			const struct risk_trace *trace, uint64_t now);

/* {"asr": 31.1, "bulk": 3}: the terms that give points. */
json_t *risk_points_json(const struct risk_tenant *tenant, const struct risk_config *config,
			 uint64_t now);

/* A ratio of calls of late (control/risk/risk_window.h), and all of them: empty where none are
 * looked at.
 */
json_t *risk_window_ratio_json(const struct risk_board *board, uint32_t slot, enum risk_ratio which,
			       uint64_t now);
json_t *risk_window_json(const struct risk_board *board, uint32_t slot, uint64_t now);

#endif
