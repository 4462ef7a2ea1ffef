/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The values that people write in strings: durations, sizes, rates. Pure.
 *
 *   duration  "500ms" "30s" "5min" "72h" "7d"
 *   size      "1500" "64K" "10M" "1G" (powers of 1000), "64Ki" "10Mi" "1Gi" (of 1024)
 *   rate      COUNT/PERIOD [burst COUNT]: "30/min" "10M/s burst 20M" "1/10s"; "unlimited"
 *
 * PERIOD is a duration, or a unit alone: s, min, h, d, or second, minute, hour, day.
 */
#ifndef POSTERN_VALUE_H
#define POSTERN_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/gcra.h"

enum rate_state {
	RATE_UNSET, /* not written */
	RATE_UNLIMITED,
	RATE_LIMITED,
};

struct rate {
	enum rate_state state;
	uint64_t count;  /* > 0 */
	uint64_t period; /* ns, > 0 */
	uint64_t burst;  /* > 0; `count` unless written */
};

#define VALUE_DURATION_MAX (UINT64_C(400) * 86400 * 1000000000) /* 400 days, ns */

/* 0, or -EINVAL: not one; -ERANGE: too large. */
int value_duration(const char *text, uint64_t *ns);
int value_size(const char *text, uint64_t *size);
int value_rate(const char *text, struct rate *rate);

/* "2026-11-30T08:00:00Z": s since 1970. 0 or -EINVAL. */
int value_time(const char *text, uint64_t *seconds);
/* The same, or "2026-11-30": the day's beginning, UTC. */
int value_date(const char *text, uint64_t *seconds);

/* The rate as value_rate() reads it, shortest; "" when it is not set. Returns text. */
#define VALUE_TEXT 96
const char *rate_text(const struct rate *rate, char text[VALUE_TEXT]);

/*
 * The rate as the limiter counts it, `bytes` in GCRA_BYTES_UNIT. 0, or -ERANGE: too fast to
 * be counted in ns, or a burst that takes longer than 400 days to come back.
 */
int rate_gcra(const struct rate *rate, bool bytes, struct gcra *gcra);

#endif
