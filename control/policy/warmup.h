/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Limits of a tenant that is new: a tier's schedule, by how old the tenant is. A step holds while
 * the tenant is younger than its days; of the step and the tenant's own limits the lower holds.
 * Pure: the clock is the caller's.
 */
#ifndef POSTERN_CONTROL_WARMUP_H
#define POSTERN_CONTROL_WARMUP_H

#include <jansson.h>
#include <stdbool.h>

#include "bpf/tenant.h"

#define WARMUP_STEPS 32
#define WARMUP_DAY   UINT64_C(86400) /* s */

struct warmup_step {
	uint32_t days; /* ascending; younger than so many */
	uint32_t recipients_per_message;
	struct gcra limit[LIMIT_COUNT]; /* interval 0: none */
};

struct warmup {
	uint32_t count;
	struct warmup_step step[]; /* count of them */
};

/* The step at `now` (s since 1970) of a tenant since `since`; NULL: it has passed, or has none. */
const struct warmup_step *warmup_step_at(const struct warmup *warmup, uint64_t since, uint64_t now);

/* When that ends, s since 1970; 0: never, nothing is to come. */
uint64_t warmup_next(const struct warmup *warmup, uint64_t since, uint64_t now);

/*
 * The step's limits where they are lower than those of `wanted`, but those of `set` (a bit each,
 * and WARMUP_RECIPIENTS): what a person has set stays. NULL: none.
 */
#define WARMUP_RECIPIENTS (1u << LIMIT_COUNT)
void warmup_apply(const struct warmup_step *step, uint32_t set, struct tenant_slot *wanted);

_Static_assert(LIMIT_COUNT < 31, "a bit for each limit, and one more");

/* On their way from the compiler's child. NULL: no memory; 0, -EINVAL, -ENOMEM. */
json_t *warmup_json(const struct warmup *warmup);
int warmup_parse(const json_t *list, struct warmup **warmup);

#endif
