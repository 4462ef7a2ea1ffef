/* SPDX-License-Identifier: BSD-3-Clause */
/* How tenants are scored: the policy's numbers, each of which may be another. */
#include <string.h>

#include "control/base/suggest.h"
#include "control/config/config.h"

#define SECOND INT64_C(1000000000)
#define DAY    (86400 * SECOND)

#define AT(member) .offset = offsetof(struct config, risk.member)

static const char *const modes[] = {
	[RISK_OFF] = "off",
	[RISK_SHADOW] = "shadow",
	[RISK_ON] = "on",
	NULL,
};

/* clang-format off */
#define RATIO_SETTINGS(id, key, family, row, parts, whole, bad, worse, most, sample, few)           \
	static const struct setting id##_settings[] = {                                            \
		{.name = "warn", .type = SETTING_NUMBER, AT(ratio[RISK_RATIO_##id].warn),          \
		 .fallback = #bad, .min = 0, .max = 100,                                           \
		 .help = "where points begin, in % (" row ")"},                                    \
		{.name = "critical", .type = SETTING_NUMBER, AT(ratio[RISK_RATIO_##id].critical),  \
		 .fallback = #worse, .min = 0, .max = 100,                                         \
		 .help = "where all of the points are given, in %"},                               \
		{.name = "points", .type = SETTING_NUMBER, AT(ratio[RISK_RATIO_##id].points),      \
		 .fallback = #most, .min = 0, .max = 100, .help = "all of the points"},            \
		{.name = "minimum", .type = SETTING_NUMBER, AT(ratio[RISK_RATIO_##id].minimum),    \
		 .fallback = #sample, .min = 1, .max = 1000000,                                    \
		 .help = "without so many " whole " there is no ratio"},                           \
		{.name = "minimum_parts", .type = SETTING_NUMBER,                                  \
		 AT(ratio[RISK_RATIO_##id].minimum_parts), .fallback = #few, .min = 0,             \
		 .max = 1000000, .help = "nor without so many " parts},                            \
		{0},                                                                               \
	};
RISK_RATIOS(RATIO_SETTINGS)
#undef RATIO_SETTINGS

static const struct setting event_settings[] = {
	{.name = "points", .type = SETTING_NUMBER, .offset = offsetof(struct config_risk_event, points),
	 .min = 0, .max = 100, .help = "that one event gives; 0: it is shown and gives none"},
	{.name = "cap", .type = SETTING_NUMBER, .offset = offsetof(struct config_risk_event, cap),
	 .min = 0, .max = 100, .help = "that all of them give at the most"},
	{.name = "half_life", .type = SETTING_DURATION, .offset = offsetof(struct config_risk_event, half_life),
	 .min = SECOND, .max = 400 * DAY, .help = "in which half of the points go"},
	{.name = "every", .type = SETTING_DURATION, .offset = offsetof(struct config_risk_event, every),
	 .min = 0, .max = DAY, .help = "several events in this time are one"},
	{0},
};

const struct setting config_risk_settings[] = {
	{.name = "mode", .type = SETTING_CHOICE, AT(mode), .choices = modes, .fallback = "shadow",
	 .help = "`off`: nothing is scored; `shadow`: scored, shown and told, and nothing follows; `on`: a tenant's limits and state follow its score"},
	{.name = "z", .type = SETTING_NUMBER, AT(z), .fallback = "3", .min = 0, .max = 10,
	 .help = "how sure a ratio must be: standard deviations of Wilson's bound"},
	{.name = "half_life", .type = SETTING_DURATION, AT(half_life), .fallback = "3d",
	 .min = 60 * SECOND, .max = 400 * DAY, .help = "in which half of what ratios are made of is forgotten"},
	{.name = "watch", .type = SETTING_NUMBER, AT(watch), .fallback = "25", .min = 1, .max = 100,
	 .help = "score from which a tenant is watched: an event says so"},
	{.name = "throttle", .type = SETTING_NUMBER, AT(throttle), .fallback = "50", .min = 1, .max = 100,
	 .help = "score from which its limits are lower"},
	{.name = "suspend", .type = SETTING_NUMBER, AT(suspend), .fallback = "80", .min = 1, .max = 100,
	 .help = "score from which it is suspended, or a person is asked to"},
	{.name = "leave", .type = SETTING_NUMBER, AT(leave), .fallback = "60", .min = 1, .max = 100,
	 .help = "in % of each threshold: below it the level is left"},
	{.name = "limits", .type = SETTING_NUMBER, AT(factor), .fallback = "10", .min = 1, .max = 100,
	 .help = "in %: what a throttled tenant has left of each of its limits, rate and burst"},
	{.name = "family_points", .type = SETTING_NUMBER, AT(family_points), .fallback = "10", .min = 0, .max = 100,
	 .help = "that a family of reasons must give to be one of the two that suspend without a person"},
	{.name = "notice", .type = SETTING_DURATION, AT(notice), .fallback = "24h", .min = 60 * SECOND, .max = 400 * DAY,
	 .help = "a ratio's breach that lasts so long after the tenant was first told suspends by itself"},
	{.name = "window", .type = SETTING_DURATION, AT(window), .fallback = "1h", .min = 0, .max = 400 * DAY,
	 .help = "calls of so long are looked at beside the score: a ratio's breach among them is told (`calls_breach`), and nothing follows; 0: none are"},
	{.name = "pardon", .type = SETTING_DURATION, AT(pardon), .fallback = "24h", .min = 0, .max = 400 * DAY,
	 .help = "how long no score suspends a tenant that a person has let go"},
	{.name = "outage", .type = SETTING_NUMBER, AT(outage), .fallback = "20", .min = 0, .max = 100,
	 .help = "in %: with more seizures that end in 408, 500, 503 or 504 an ASR says nothing about the tenant"},
	{.name = "callees", .type = SETTING_COUNT, AT(callees), .fallback = "20", .min = 0, .max = 1000,
	 .help = "distinct callees, at the least, for ratios of calls"},
	{.name = "domains", .type = SETTING_COUNT, AT(domains), .fallback = "5", .min = 0, .max = 1000,
	 .help = "distinct domains of recipients, at the least, for ratios of mails"},
#define RATIO(id, key, family, row, parts, whole, bad, worse, most, sample, few)                    \
	{.name = key, .type = SETTING_GROUP, .members = id##_settings,                             \
	 .help = parts " in " whole},
	RISK_RATIOS(RATIO)
#undef RATIO
	{.name = "events", .type = SETTING_NAMED, .offset = offsetof(struct config, risk_events),
	 .members = event_settings, .size = sizeof(struct config_risk_event),
	 .help = "events whose numbers are others than in [risk.md](risk.md), by name: `trap = { points = 30; }`"},
	{0},
};
/* clang-format on */

static const config_setting_t *place_of(const struct config *config, const char *name)
{
	char path[64];
	const config_setting_t *place;

	snprintf(path, sizeof(path), "risk.%s", name);
	place = config_lookup(&config->file, path);
	return place ? place : config_lookup(&config->file, "risk");
}

static void check_event(struct diag *diag, const struct config_risk_event *e)
{
	const char *name = config_setting_name(e->where), *nearest = risk_event_text[0].name;

	if (risk_event_find(name) < RISK_EVENT_COUNT)
		return;
	for (unsigned i = 1; i < RISK_EVENT_COUNT; i++)
		if (suggest_distance(name, risk_event_text[i].name) <
		    suggest_distance(name, nearest))
			nearest = risk_event_text[i].name;
	setting_error(diag, e->where,
		      "there is no such event of risk; did you mean \"%s\"? (docs/risk.md has all)",
		      nearest);
}

static void check_ratio(const struct config *config, struct diag *diag, enum risk_ratio which)
{
	const struct risk_ratio_config *r = &config->risk.ratio[which];
	const bool low_is_bad = which == RISK_RATIO_ASR;

	if (low_is_bad ? r->critical < r->warn : r->critical > r->warn)
		return;
	setting_error(diag, place_of(config, risk_ratio_text[which].name),
		      "expected \"critical\" %s \"warn\", not %g and %g",
		      low_is_bad ? "below" : "above", r->critical, r->warn);
}

void config_check_risk(const struct config *config, struct diag *diag)
{
	const struct risk_config *r = &config->risk;

	if (!(r->watch < r->throttle && r->throttle < r->suspend))
		setting_error(diag, place_of(config, "throttle"),
			      "expected watch below throttle below suspend, not %g, %g and %g",
			      r->watch, r->throttle, r->suspend);
	for (unsigned i = 0; i < RISK_RATIO_COUNT; i++)
		check_ratio(config, diag, (enum risk_ratio)i);
	for (size_t i = 0; i < config->risk_events.count; i++)
		check_event(diag, (struct config_risk_event *)config->risk_events.items + i);
}

static bool is_written(const struct config_risk_event *e, const char *name)
{
	return config_setting_get_member(e->where, name);
}

static void take_event(struct risk_config *risk, const struct config_risk_event *e)
{
	const enum risk_event event = risk_event_find(config_setting_name(e->where));
	struct risk_event_config *to = &risk->event[event];

	if (event == RISK_EVENT_COUNT)
		return;
	if (is_written(e, "points"))
		to->points = e->points;
	if (is_written(e, "cap"))
		to->cap = e->cap;
	if (is_written(e, "half_life"))
		to->half_life = e->half_life;
	if (is_written(e, "every"))
		to->spacing = e->every;
}

struct risk_config config_risk(const struct config *config)
{
	struct risk_config risk = config->risk;

	risk.leave /= 100;
	risk.factor /= 100;
	risk.outage /= 100;
	for (unsigned i = 0; i < RISK_RATIO_COUNT; i++) {
		risk.ratio[i].warn /= 100;
		risk.ratio[i].critical /= 100;
	}
	memcpy(risk.event, risk_config_default().event, sizeof(risk.event));
	for (size_t i = 0; i < config->risk_events.count; i++)
		take_event(&risk, (struct config_risk_event *)config->risk_events.items + i);
	return risk;
}

/* A gate that only watches (policy.shadow) acts on no score either. */
int config_risk_of(const struct config *config, const struct config_tenant *tenant)
{
	const int mode = tenant->risk == CONFIG_RISK_GATE ? config->risk.mode : tenant->risk - 1;

	return mode == RISK_ON && config->shadow ? RISK_SHADOW : mode;
}
