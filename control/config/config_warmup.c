/* SPDX-License-Identifier: BSD-3-Clause */
/* Schedules of tiers for new tenants, as control/policy/warmup.h goes by them. */
#include <stdlib.h>

#include "control/config/config.h"
#include "control/policy/warmup.h"

static const struct config_warmup *step_at(const struct config_tier *tier, size_t i)
{
	return (const struct config_warmup *)tier->warmup.items + i;
}

void config_check_warmup(const struct config_tier *tier, struct diag *diag)
{
	if (tier->warmup.count > WARMUP_STEPS)
		setting_error(diag, step_at(tier, WARMUP_STEPS)->where, "expected at most %d steps",
			      WARMUP_STEPS);
	for (size_t i = 1; i < tier->warmup.count; i++)
		if (step_at(tier, i)->days <= step_at(tier, i - 1)->days)
			setting_error(
				diag, step_at(tier, i)->where,
				"expected more days than those of the step before, %u, not %u",
				step_at(tier, i - 1)->days, step_at(tier, i)->days);
}

static void take_step(struct warmup_step *step, const struct config_warmup *from)
{
	const struct rate *each = &from->limits.recipients_per_message;

	step->days = from->days;
	if (each->state == RATE_LIMITED)
		step->recipients_per_message = (uint32_t)each->count;
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		rate_gcra(&from->limits.rate[i], i == LIMIT_BYTES, &step->limit[i]);
}

struct warmup *config_warmup(const struct config_tier *tier)
{
	const size_t count = tier->warmup.count;
	struct warmup *w = count ? calloc(1, sizeof(*w) + count * sizeof(w->step[0])) : NULL;

	for (size_t i = 0; w && i < count; i++)
		take_step(&w->step[w->count++], step_at(tier, i));
	return w;
}

uint64_t config_since(const struct config_tenant *tenant)
{
	uint64_t seconds;

	return tenant->since && value_date(tenant->since, &seconds) == 0 ? seconds : 0;
}
