/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters as JSON objects, always with the same members in the same order:
 * the sections of the summary and of the stats events. Each call returns a new
 * object, or NULL: no memory. Any thread.
 */
#ifndef POSTERN_CONTROL_COUNTERS_JSON_H
#define POSTERN_CONTROL_COUNTERS_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "bpf/counters.h"

json_t *link_json(const struct counters *c);
json_t *tcp_json(const struct counters *c);
json_t *smtp_json(const struct counters *c);
json_t *sip_json(const struct counters *c);
json_t *flows_json(const struct counters *c);
json_t *verdicts_json(const uint64_t verdicts[VERDICT_COUNT]);
json_t *reasons_json(const uint64_t reasons[REASON_COUNT]); /* those given at least once */

/* part/whole, null when whole is 0. */
json_t *ratio_json(uint64_t part, uint64_t whole);

/* An event of type stats: all of the above, at a time in ns since 1970. */
json_t *stats_json(uint64_t time, const struct counters *c);

#endif
