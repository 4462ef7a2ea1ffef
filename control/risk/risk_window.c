/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/risk/risk_window.h"

#include <string.h>

#define SECOND UINT64_C(1000000000)

_Static_assert(RISK_RATIO_ASR < RISK_WINDOW_RATIOS && RISK_RATIO_SHORT < RISK_WINDOW_RATIOS,
	       "the ratios of calls are the first ones");

static uint64_t length_of(const struct risk_config *c)
{
	return c->window / RISK_WINDOW_PARTS;
}

static uint64_t number_at(const struct risk_config *c, uint64_t now)
{
	return now / length_of(c);
}

/* A clock that goes back counts into the part in hand. */
static struct risk_window_part *part_in_hand(struct risk_window *w, uint64_t number)
{
	if (number > w->newest + RISK_WINDOW_PARTS)
		w->newest = number - RISK_WINDOW_PARTS;
	while (w->newest < number)
		w->part[++w->newest % RISK_WINDOW_PARTS] = (struct risk_window_part){0};
	return &w->part[w->newest % RISK_WINDOW_PARTS];
}

void risk_window_count(struct risk_window *w, const struct risk_config *c, uint64_t now,
		       const struct risk_sample *s)
{
	struct risk_window_part *part;

	if (c->window < RISK_WINDOW_PARTS)
		return;
	if (w->length != length_of(c))
		*w = (struct risk_window){.length = length_of(c)};
	part = part_in_hand(w, number_at(c, now));
	part->seized += (uint32_t)s->seized;
	part->answered += (uint32_t)s->answered;
	part->shorts += (uint32_t)s->shorts;
	part->outage += (uint32_t)s->outage;
}

struct risk_window_part risk_window_sum(const struct risk_window *w, const struct risk_config *c,
					uint64_t now)
{
	struct risk_window_part sum = {0};
	uint64_t number;

	if (c->window < RISK_WINDOW_PARTS || w->length != length_of(c))
		return sum;
	number = number_at(c, now);
	for (uint64_t i = 0; i < RISK_WINDOW_PARTS && i <= w->newest; i++) {
		const struct risk_window_part *part = &w->part[(w->newest - i) % RISK_WINDOW_PARTS];

		if (w->newest - i + RISK_WINDOW_PARTS <= number)
			break;
		sum.seized += part->seized;
		sum.answered += part->answered;
		sum.shorts += part->shorts;
		sum.outage += part->outage;
	}
	return sum;
}

void risk_window_terms(const struct risk_window *w, const struct risk_tenant *tenant,
		       const struct risk_config *c, uint64_t now, struct risk_term *terms)
{
	const struct risk_window_part sum = risk_window_sum(w, c, now);
	struct risk_term all[RISK_TERMS];
	const struct risk_tenant lately = {
		.counted = now,
		.ratio = {[RISK_RATIO_ASR] = {sum.answered, sum.seized},
			  [RISK_RATIO_SHORT] = {sum.shorts, sum.answered}},
		.outage = sum.outage,
		.callees = tenant->callees,
	};

	risk_terms(&lately, c, now, all, NULL);
	memcpy(terms, all, RISK_WINDOW_RATIOS * sizeof(*terms));
}

unsigned risk_window_alarms(struct risk_window *w, const struct risk_tenant *tenant,
			    const struct risk_config *c, uint64_t now)
{
	struct risk_term terms[RISK_WINDOW_RATIOS];
	unsigned alarms = 0;

	/* Nearly always. */
	if (!w->newest || c->window < RISK_WINDOW_PARTS || w->length != length_of(c))
		return 0;
	risk_window_terms(w, tenant, c, now, terms);
	for (int i = 0; i < RISK_WINDOW_RATIOS; i++) {
		uint32_t *breached = &w->breached[i];

		if (terms[i].breach) {
			alarms |= *breached ? 0 : 1U << i;
			*breached = (uint32_t)(now / SECOND);
		} else if (now > *breached * SECOND + c->window) {
			*breached = 0;
		}
	}
	return alarms;
}
