/* SPDX-License-Identifier: BSD-3-Clause */
/* The numbers, and what is kept of a tenant. */
#include "control/risk/risk_json.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static const char *const modes[] = {"off", "shadow", "on"};

const char *risk_mode_name(int mode)
{
	return modes[mode];
}

int risk_mode_find(const char *name)
{
	int mode = 0;

	while (mode < RISK_MODE_COUNT && (!name || strcmp(name, modes[mode]) != 0))
		mode++;
	return mode;
}

/* Members of struct risk_config that are double, uint64_t and uint32_t. */
#define NUMBERS(X) \
	X(z) X(watch) X(throttle) X(suspend) X(leave) X(family_points) X(outage) X(factor)
#define TIMES(X)  X(half_life) X(notice) X(pardon) X(window)
#define COUNTS(X) X(callees) X(domains)

json_t *risk_config_json(const struct risk_config *c)
{
	json_t *root = json_object(), *ratios = json_object(), *events = json_object();

	json_object_set_new(root, "mode", json_string(risk_mode_name(c->mode)));
#define X(member) json_object_set_new(root, #member, json_real(c->member));
	NUMBERS(X)
#undef X
#define X(member) json_object_set_new(root, #member, json_integer((json_int_t)c->member));
	TIMES(X)
	COUNTS(X)
#undef X
	for (int i = 0; i < RISK_RATIO_COUNT; i++) {
		const struct risk_ratio_config *r = &c->ratio[i];

		json_object_set_new(ratios, risk_ratio_text[i].name,
				    json_pack("[f, f, f, f, f]", r->warn, r->critical, r->points,
					      r->minimum, r->minimum_parts));
	}
	for (int i = 0; i < RISK_EVENT_COUNT; i++) {
		const struct risk_event_config *e = &c->event[i];

		json_object_set_new(events, risk_event_text[i].name,
				    json_pack("[f, f, I, I]", e->points, e->cap,
					      (json_int_t)e->half_life, (json_int_t)e->spacing));
	}
	json_object_set_new(root, "ratios", ratios);
	json_object_set_new(root, "events", events);
	return root;
}

int risk_config_parse(const json_t *root, struct risk_config *c)
{
	json_t *object = (json_t *)(uintptr_t)root;
	json_int_t half_life, spacing;
	json_error_t error;

	*c = (struct risk_config){
		.mode = risk_mode_find(json_string_value(json_object_get(root, "mode")))};
	if (c->mode == RISK_MODE_COUNT)
		return -EINVAL;
#define X(member) c->member = json_number_value(json_object_get(root, #member));
	NUMBERS(X)
#undef X
#define X(member) c->member = (uint64_t)json_integer_value(json_object_get(root, #member));
	TIMES(X)
#undef X
#define X(member) c->member = (uint32_t)json_integer_value(json_object_get(root, #member));
	COUNTS(X)
#undef X
	for (int i = 0; i < RISK_RATIO_COUNT; i++) {
		struct risk_ratio_config *r = &c->ratio[i];

		if (json_unpack_ex(object, &error, 0, "{s:{s:[F, F, F, F, F]}}", "ratios",
				   risk_ratio_text[i].name, &r->warn, &r->critical, &r->points,
				   &r->minimum, &r->minimum_parts) != 0)
			return -EINVAL;
	}
	for (int i = 0; i < RISK_EVENT_COUNT; i++) {
		struct risk_event_config *e = &c->event[i];

		if (json_unpack_ex(object, &error, 0, "{s:{s:[F, F, I, I]}}", "events",
				   risk_event_text[i].name, &e->points, &e->cap, &half_life,
				   &spacing) != 0)
			return -EINVAL;
		e->half_life = (uint64_t)half_life;
		e->spacing = (uint64_t)spacing;
	}
	return 0;
}

/* A tenant */

/* No file makes a score of what is no number. */
static double number_of(const json_t *value)
{
	const double n = json_number_value(value);

	return n > 0 && isfinite(n) ? n : 0;
}

static uint32_t count_of(const json_t *value)
{
	const json_int_t n = json_integer_value(value);

	return n > 0 && n <= UINT32_MAX ? (uint32_t)n : 0;
}

static uint64_t time_of(const json_t *object, const char *name)
{
	const json_int_t n = json_integer_value(json_object_get(object, name));

	return n > 0 ? (uint64_t)n : 0;
}

static void parse_terms(const json_t *object, struct risk_tenant *t)
{
	const json_t *ratios = json_object_get(object, "ratios"),
		     *events = json_object_get(object, "events");

	for (int i = 0; i < RISK_RATIO_COUNT; i++) {
		const json_t *ratio = json_object_get(ratios, risk_ratio_text[i].name);

		t->ratio[i] = (struct risk_count){number_of(json_array_get(ratio, 0)),
						  number_of(json_array_get(ratio, 1))};
	}
	for (int i = 0; i < RISK_EVENT_COUNT; i++) {
		const json_t *event = json_object_get(events, risk_event_text[i].name);

		t->event[i] = (struct risk_mark){
			(float)number_of(json_array_get(event, 0)),
			count_of(json_array_get(event, 1)),
			count_of(json_array_get(event, 2)),
		};
	}
}

int risk_tenant_parse(const json_t *object, uint32_t *id, struct risk_tenant *t)
{
	const json_int_t number = json_integer_value(json_object_get(object, "id"));
	const char *level = json_string_value(json_object_get(object, "level"));

	if (number <= 0 || number > UINT32_MAX || !level ||
	    risk_level_find(level) == RISK_LEVEL_COUNT)
		return -EINVAL;
	*id = (uint32_t)number;
	*t = (struct risk_tenant){
		.counted = time_of(object, "counted"),
		.outage = number_of(json_object_get(object, "outage")),
		.callees = count_of(json_object_get(object, "callees")),
		.domains = count_of(json_object_get(object, "domains")),
		.level = (uint8_t)risk_level_find(level),
		.asked = json_is_true(json_object_get(object, "asked")),
		.score = (float)number_of(json_object_get(object, "score")),
		.slow = (float)number_of(json_object_get(object, "slow")),
		.scored = time_of(object, "scored"),
		.since = time_of(object, "since"),
		.breached = time_of(object, "breached"),
		.noticed = time_of(object, "noticed"),
		.pardoned = time_of(object, "pardoned"),
	};
	parse_terms(object, t);
	return 0;
}

json_t *risk_points_json(const struct risk_tenant *t, const struct risk_config *c, uint64_t now)
{
	struct risk_term terms[RISK_TERMS];
	const int n = risk_terms(t, c, now, terms, NULL);
	json_t *object = json_object();

	for (int i = 0; i < n; i++)
		if (terms[i].points > 0)
			json_object_set_new(object,
					    terms[i].is_ratio
						    ? risk_ratio_text[terms[i].which].name
						    : risk_event_text[terms[i].which].name,
					    json_real(round(terms[i].points * 100) / 100));
	return object;
}
