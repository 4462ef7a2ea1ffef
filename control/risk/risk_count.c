/* SPDX-License-Identifier: BSD-3-Clause */
/* What is counted of a tenant, and how it fades. */
#include <math.h>

#include "control/risk/risk.h"

#define SECOND   UINT64_C(1000000000)
#define HOUR     (3600 * SECOND)
#define DAY      (24 * HOUR)
#define NEGLIGED 0.01 /* calls or recipients: nothing any more */

#define RATIO(id, name, family, row, parts, whole, warn, critical, points, minimum, least) \
	[RISK_RATIO_##id] = {warn / 100.0, critical / 100.0, points, minimum, least},
#define EVENT(id, name, family, row, points, cap, hours, seconds, text) \
	[RISK_EVENT_##id] = {points, cap, (hours)*HOUR, (seconds)*SECOND},

struct risk_config risk_config_default(void)
{
	return (struct risk_config){
		.mode = RISK_SHADOW,
		.z = 3,
		.half_life = 3 * DAY,
		.watch = 25,
		.throttle = 50,
		.suspend = 80,
		.leave = 0.6,
		.family_points = 10,
		.notice = 24 * HOUR,
		.pardon = 24 * HOUR,
		.window = HOUR,
		.outage = 0.2,
		.callees = 20,
		.domains = 5,
		.factor = 0.1,
		.ratio = {RISK_RATIOS(RATIO)},
		.event = {RISK_EVENTS(EVENT)},
	};
}

double risk_decay(uint64_t from, uint64_t now, uint64_t half_life)
{
	if (now <= from || !half_life)
		return 1;
	return exp2(-(double)(now - from) / (double)half_life);
}

bool risk_is_empty(const struct risk_tenant *t)
{
	if (t->level || t->asked || t->pardoned || t->outage > 0)
		return false;
	for (int i = 0; i < RISK_RATIO_COUNT; i++)
		if (t->ratio[i].whole > 0 || t->ratio[i].parts > 0)
			return false;
	for (int i = 0; i < RISK_EVENT_COUNT; i++)
		if (t->event[i].value > 0)
			return false;
	return true;
}

static void fade(struct risk_tenant *t, const struct risk_config *c, uint64_t now)
{
	const double by = risk_decay(t->counted, now, c->half_life);

	for (int i = 0; i < RISK_RATIO_COUNT; i++) {
		t->ratio[i].parts *= by;
		t->ratio[i].whole *= by;
		/* A complaint may be known before what it is a part of: counters come by turns. */
		if (t->ratio[i].whole < NEGLIGED && t->ratio[i].parts < NEGLIGED)
			t->ratio[i] = (struct risk_count){0, 0};
	}
	t->outage = t->outage * by < NEGLIGED ? 0 : t->outage * by;
	if (now > t->counted)
		t->counted = now;
}

static void put(struct risk_count *count, double parts, double whole)
{
	count->parts += parts;
	count->whole += whole;
}

void risk_count(struct risk_tenant *t, const struct risk_config *c, uint64_t now,
		const struct risk_sample *s)
{
	fade(t, c, now);
	put(&t->ratio[RISK_RATIO_ASR], s->answered, s->seized);
	put(&t->ratio[RISK_RATIO_SHORT], s->shorts, s->answered);
	put(&t->ratio[RISK_RATIO_BOUNCES], s->bounced, s->recipients);
	put(&t->ratio[RISK_RATIO_COMPLAINTS], s->complaints, s->delivered);
	t->outage += s->outage;
	t->callees = s->callees;
	t->domains = s->domains;
}

void risk_add(struct risk_tenant *t, const struct risk_config *c, uint64_t now,
	      enum risk_event event, double weight)
{
	const struct risk_event_config *e = &c->event[event];
	struct risk_mark *m = &t->event[event];
	const uint64_t last = m->last * SECOND;
	double value;

	if (m->count < UINT32_MAX)
		m->count++;
	/* Also of a clock that went back: nothing counts twice. */
	if (e->spacing && m->value > 0 && now < last + e->spacing)
		return;
	value = m->value * risk_decay(last, now, e->half_life) + e->points * weight;
	/* A cap that was lowered takes nothing away from what is there. */
	m->value = (float)fmax(fmin(value, e->cap), fmin(m->value, e->cap));
	m->last = now > last ? (uint32_t)(now / SECOND) : m->last;
}

double risk_share(const double *bad, size_t n, size_t i)
{
	double all = 0;

	for (size_t k = 0; k < n; k++)
		all += bad[k];
	return all > 0 ? bad[i] / all : 0;
}
