/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/risk/risk_kind.h"

#include <string.h>

const struct risk_ratio_text risk_ratio_text[RISK_RATIO_COUNT] = {
#define X(id, name, family, row, parts, whole, ...) {name, row, parts, whole, RISK_FAMILY_##family},
	RISK_RATIOS(X)
#undef X
};

const struct risk_event_text risk_event_text[RISK_EVENT_COUNT] = {
#define X(id, name, family, row, points, cap, half_life, spacing, text) \
	{name, row, text, RISK_FAMILY_##family},
	RISK_EVENTS(X)
#undef X
};

static const char *const families[] = {
#define X(id, name, text) name,
	RISK_FAMILIES(X)
#undef X
};

static const char *const levels[] = {
#define X(id, name) name,
	RISK_LEVELS(X)
#undef X
};

static const struct {
	const char *name, *text;
} helds[] = {
#define X(id, name, text) {name, text},
	RISK_HELD(X)
#undef X
};

const char *risk_family_name(enum risk_family family)
{
	return families[family];
}

const char *risk_level_name(enum risk_level level)
{
	return levels[level];
}

const char *risk_held_name(enum risk_held held)
{
	return helds[held].name;
}

const char *risk_held_text(enum risk_held held)
{
	return helds[held].text;
}

enum risk_event risk_event_find(const char *name)
{
	unsigned i = 0;

	while (i < RISK_EVENT_COUNT && strcmp(risk_event_text[i].name, name) != 0)
		i++;
	return (enum risk_event)i;
}

enum risk_level risk_level_find(const char *name)
{
	unsigned i = 0;

	while (i < RISK_LEVEL_COUNT && strcmp(levels[i], name) != 0)
		i++;
	return (enum risk_level)i;
}
