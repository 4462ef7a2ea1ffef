/* SPDX-License-Identifier: BSD-3-Clause */
/* From counts to terms, from terms to levels. */
#include <math.h>

#include "control/risk/risk.h"
#include "control/risk/wilson.h"

#define SECOND       UINT64_C(1000000000)
#define SLOW         (3 * 3600 * SECOND) /* half-life of the mean that a trend is read against */
#define POINTS_LEAST 0.05                /* less is shown as nothing, and is nothing */

/* Fewer seizures than tell a ratio tell no outage either. */
static bool is_outage(const struct risk_tenant *t, const struct risk_config *c)
{
	const double seized = t->ratio[RISK_RATIO_ASR].whole;

	return seized > 0 && t->outage > c->outage * seized;
}

static enum risk_held held_back(const struct risk_tenant *t, const struct risk_config *c,
				enum risk_ratio which)
{
	const bool of_calls = risk_ratio_text[which].family == RISK_FAMILY_CALLS;
	const struct risk_ratio_config *r = &c->ratio[which];
	const struct risk_count *n = &t->ratio[which];

	if (n->whole < r->minimum || n->parts < r->minimum_parts)
		return RISK_HELD_SAMPLE;
	if (of_calls ? t->callees < c->callees : t->domains < c->domains)
		return RISK_HELD_DISTINCT;
	return which == RISK_RATIO_ASR && is_outage(t, c) ? RISK_HELD_OUTAGE : RISK_HELD_NOTHING;
}

/* ASR is bad when it is low, everything else when it is high: `critical` says which. */
static struct risk_term ratio_term(const struct risk_tenant *t, const struct risk_config *c,
				   enum risk_ratio which)
{
	const struct risk_ratio_config *r = &c->ratio[which];
	const double whole = t->ratio[which].whole, parts = t->ratio[which].parts;
	const struct wilson w = wilson_bounds(parts, whole, c->z);
	const bool low_is_bad = r->critical < r->warn;
	struct risk_term term = {
		.is_ratio = true,
		.which = (uint8_t)which,
		.family = risk_ratio_text[which].family,
		.parts = parts,
		.whole = whole,
		.bound = low_is_bad ? w.high : w.low,
		.held = held_back(t, c, which),
	};

	if (term.held)
		return term;
	/* "More than 60 %": exactly 60 % is a breach already. */
	term.breach = low_is_bad ? term.bound <= r->warn : term.bound >= r->warn;
	term.points = r->points *
		      fmin(fmax((term.bound - r->warn) / (r->critical - r->warn), 0), 1);
	return term;
}

static double event_points(const struct risk_mark *m, const struct risk_event_config *e,
			   uint64_t now)
{
	return fmin(m->value * risk_decay(m->last * SECOND, now, e->half_life), e->cap);
}

int risk_terms(const struct risk_tenant *t, const struct risk_config *c, uint64_t now,
	       struct risk_term *terms, double *score)
{
	/* Counts that nothing was added to fade all the same. */
	const double fade = risk_decay(t->counted, now, c->half_life);
	struct risk_tenant faded = *t;
	double sum = 0;
	int n = 0;

	for (int i = 0; i < RISK_RATIO_COUNT; i++) {
		faded.ratio[i].parts *= fade;
		faded.ratio[i].whole *= fade;
	}
	faded.outage *= fade;
	for (int i = 0; i < RISK_RATIO_COUNT; i++)
		terms[n++] = ratio_term(&faded, c, (enum risk_ratio)i);
	for (int i = 0; i < RISK_EVENT_COUNT; i++) {
		const double points =
			t->event[i].value > 0 ? event_points(&t->event[i], &c->event[i], now) : 0;

		if (points >= POINTS_LEAST)
			terms[n++] = (struct risk_term){.which = (uint8_t)i,
							.family = risk_event_text[i].family,
							.points = points};
	}
	for (int i = 0; i < n; i++)
		sum += terms[i].points;
	if (score)
		*score = fmin(sum, RISK_SCORE_MAX);
	return n;
}

static unsigned families_of(const struct risk_config *c, const struct risk_term *terms, int n)
{
	double points[RISK_FAMILY_COUNT] = {0};
	unsigned families = 0;

	for (int i = 0; i < n; i++)
		points[terms[i].family] += terms[i].points;
	for (int i = 0; i < RISK_FAMILY_COUNT; i++)
		families += points[i] > 0 && points[i] >= c->family_points;
	return families;
}

static bool is_malware(const struct risk_term *terms, int n)
{
	for (int i = 0; i < n; i++)
		if (!terms[i].is_ratio && terms[i].which == RISK_EVENT_MALWARE)
			return true;
	return false;
}

/* In breach all the time since, and noticed all the time. */
static bool has_lasted(const struct risk_tenant *t, const struct risk_config *c, uint64_t now)
{
	const uint64_t from = t->breached > t->noticed ? t->breached : t->noticed;

	return t->breached && t->noticed && now >= from && now - from >= c->notice;
}

bool risk_may_suspend(const struct risk_tenant *t, const struct risk_config *c, uint64_t now,
		      const struct risk_term *terms, int n)
{
	if (now < t->pardoned)
		return false;
	return families_of(c, terms, n) >= 2 || is_malware(terms, n) || has_lasted(t, c, now);
}

static double threshold(const struct risk_config *c, unsigned level)
{
	const double thresholds[] = {0, c->watch, c->throttle, c->suspend};

	return thresholds[level];
}

static void note_breach(struct risk_tenant *t, uint64_t now, const struct risk_term *terms)
{
	bool breach = false;

	for (int i = 0; i < RISK_RATIO_COUNT; i++)
		breach |= terms[i].breach;
	if (!breach)
		t->breached = 0;
	else if (!t->breached)
		t->breached = now;
}

/* A threshold is passed at its height and left well below it: between the two nothing moves. */
static unsigned next_level(const struct risk_tenant *t, const struct risk_config *c, double score,
			   bool may_suspend)
{
	const unsigned highest = may_suspend ? RISK_LEVEL_SUSPEND : RISK_LEVEL_THROTTLE;
	unsigned level = t->level;

	while (level && score < c->leave * threshold(c, level))
		level--;
	while (level < highest && score >= threshold(c, level + 1))
		level++;
	return level;
}

static void note_score(struct risk_tenant *t, uint64_t now, double score)
{
	const double keep = t->scored ? risk_decay(t->scored, now, SLOW) : 1;

	t->slow = (float)(score + (t->slow - score) * keep);
	t->score = (float)score;
	t->scored = now;
}

struct risk_change risk_evaluate(struct risk_tenant *t, const struct risk_config *c, uint64_t now)
{
	struct risk_term terms[RISK_TERMS];
	struct risk_change change = {.from = (enum risk_level)t->level};
	double score;
	const int n = risk_terms(t, c, now, terms, &score);
	bool may;

	if (now >= t->pardoned)
		t->pardoned = 0;
	note_breach(t, now, terms);
	note_score(t, now, score);
	may = risk_may_suspend(t, c, now, terms, n);
	change.to = (enum risk_level)next_level(t, c, score, may);
	if (change.to != change.from) {
		t->level = (uint8_t)change.to;
		t->since = now;
	}
	if (!change.to)
		t->noticed = 0;
	else if (!t->noticed)
		t->noticed = now;
	change.ask = !may && score >= c->suspend && t->level < RISK_LEVEL_SUSPEND && !t->asked &&
		     now >= t->pardoned;
	if (change.ask)
		t->asked = true;
	/* Asked anew only when it has been well below for once. */
	if (t->level == RISK_LEVEL_SUSPEND || score < c->leave * c->suspend)
		t->asked = false;
	return change;
}

void risk_pardon(struct risk_tenant *t, const struct risk_config *c, uint64_t now)
{
	if (t->level == RISK_LEVEL_SUSPEND) {
		t->level = RISK_LEVEL_THROTTLE;
		t->since = now;
	}
	t->pardoned = now + c->pardon;
	t->asked = false;
}
