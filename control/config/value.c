/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config/value.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define AMOUNT_TEXT 24

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit time_units[] = {
	{"ms", 1000000},
	{"s", 1000000000},
	{"sec", 1000000000},
	{"second", 1000000000},
	{"min", UINT64_C(60) * 1000000000},
	{"minute", UINT64_C(60) * 1000000000},
	{"h", UINT64_C(3600) * 1000000000},
	{"hour", UINT64_C(3600) * 1000000000},
	{"d", UINT64_C(86400) * 1000000000},
	{"day", UINT64_C(86400) * 1000000000},
	{NULL, 0},
};

static const struct unit size_units[] = {
	{"", 1},
	{"K", 1000},
	{"M", 1000000},
	{"G", 1000000000},
	{"T", UINT64_C(1000000000000)},
	{"Ki", 1024},
	{"Mi", 1024 * 1024},
	{"Gi", 1024 * 1024 * 1024},
	{NULL, 0},
};

static void skip_blanks(const char **p)
{
	*p += strspn(*p, " \t");
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Digits at *p; moves past them. */
static int parse_digits(const char **p, uint64_t *value)
{
	if (**p < '0' || **p > '9')
		return -EINVAL;
	for (*value = 0; **p >= '0' && **p <= '9'; ++*p)
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, (uint64_t)(**p - '0'), value))
			return -ERANGE;
	return 0;
}

/* The word at *p as one of `units`; moves past it. */
static int parse_unit(const char **p, const struct unit *units, uint64_t *factor)
{
	size_t len = 0;

	while (is_letter((*p)[len]))
		len++;
	for (; units->name; units++) {
		if (strlen(units->name) == len && memcmp(units->name, *p, len) == 0) {
			*factor = units->factor;
			*p += len;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_quantity(const char **p, const struct unit *units, uint64_t *value)
{
	uint64_t factor;
	int err = parse_digits(p, value);

	if (!err)
		err = parse_unit(p, units, &factor);
	if (!err && __builtin_mul_overflow(*value, factor, value))
		err = -ERANGE;
	return err;
}

int value_duration(const char *text, uint64_t *ns)
{
	int err = parse_quantity(&text, time_units, ns);

	if (err)
		return err;
	if (*text)
		return -EINVAL;
	return *ns <= VALUE_DURATION_MAX ? 0 : -ERANGE;
}

int value_size(const char *text, uint64_t *size)
{
	int err = parse_quantity(&text, size_units, size);

	if (err)
		return err;
	return *text ? -EINVAL : 0;
}

static int parse_period(const char **p, uint64_t *ns)
{
	int err = is_letter(**p) ? parse_unit(p, time_units, ns)
				 : parse_quantity(p, time_units, ns);

	if (err)
		return err;
	if (!*ns)
		return -EINVAL;
	return *ns <= VALUE_DURATION_MAX ? 0 : -ERANGE;
}

static int parse_burst(const char **p, uint64_t *burst)
{
	if (strncmp(*p, "burst", 5) != 0 || ((*p)[5] != ' ' && (*p)[5] != '\t'))
		return -EINVAL;
	*p += 5;
	skip_blanks(p);
	return parse_quantity(p, size_units, burst);
}

int value_time(const char *text, uint64_t *seconds)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	time_t time;

	if (!end || (strcmp(end, "Z") != 0 && strcmp(end, "+00:00") != 0))
		return -EINVAL;
	time = timegm(&tm);
	if (time <= 0)
		return -EINVAL;
	*seconds = (uint64_t)time;
	return 0;
}

int value_date(const char *text, uint64_t *seconds)
{
	char time[32];

	if (strlen(text) != strlen("2026-11-30"))
		return value_time(text, seconds);
	snprintf(time, sizeof(time), "%sT00:00:00Z", text);
	return value_time(time, seconds);
}

int value_rate(const char *text, struct rate *rate)
{
	struct rate r = {.state = RATE_LIMITED};
	int err;

	if (strcmp(text, "unlimited") == 0) {
		*rate = (struct rate){.state = RATE_UNLIMITED};
		return 0;
	}
	err = parse_quantity(&text, size_units, &r.count);
	if (err)
		return err;
	if (*text++ != '/')
		return -EINVAL;
	err = parse_period(&text, &r.period);
	if (err)
		return err;
	r.burst = r.count;
	if (*text == ' ' || *text == '\t') {
		skip_blanks(&text);
		err = parse_burst(&text, &r.burst);
		if (err)
			return err;
	}
	if (*text || !r.count || !r.burst)
		return -EINVAL;
	*rate = r;
	return 0;
}

static void period_text(uint64_t ns, char *text, size_t size)
{
	static const struct unit units[] = {{"day", UINT64_C(86400) * 1000000000},
					    {"h", UINT64_C(3600) * 1000000000},
					    {"min", UINT64_C(60) * 1000000000},
					    {"s", UINT64_C(1000000000)},
					    {"ms", 1000000}};
	const struct unit *unit = units;

	while (ns % unit->factor && unit < &units[4])
		unit++;
	if (ns == unit->factor)
		snprintf(text, size, "%s", unit->name);
	else
		snprintf(text, size, "%llu%s", (unsigned long long)(ns / unit->factor), unit->name);
}

/* 100M, 30, 10000: short where it loses nothing, and nobody has to count zeros. */
static const char *amount_text(uint64_t n, char text[AMOUNT_TEXT])
{
	if (n && n % UINT64_C(1000000000) == 0)
		snprintf(text, AMOUNT_TEXT, "%lluG", (unsigned long long)(n / 1000000000));
	else if (n && n % 1000000 == 0)
		snprintf(text, AMOUNT_TEXT, "%lluM", (unsigned long long)(n / 1000000));
	else
		snprintf(text, AMOUNT_TEXT, "%llu", (unsigned long long)n);
	return text;
}

const char *rate_text(const struct rate *rate, char text[VALUE_TEXT])
{
	char period[24], count[AMOUNT_TEXT], most[AMOUNT_TEXT], burst[AMOUNT_TEXT + 8] = "";

	period_text(rate->period ? rate->period : 1000000000, period, sizeof(period));
	if (rate->burst != rate->count)
		snprintf(burst, sizeof(burst), " burst %s", amount_text(rate->burst, most));
	if (rate->state == RATE_LIMITED)
		snprintf(text, VALUE_TEXT, "%s/%s%s", amount_text(rate->count, count), period,
			 burst);
	else
		snprintf(text, VALUE_TEXT, "%s", rate->state == RATE_UNSET ? "" : "unlimited");
	return text;
}

int rate_gcra(const struct rate *rate, bool bytes, struct gcra *gcra)
{
	unsigned __int128 unit = bytes ? GCRA_BYTES_UNIT : 1;
	unsigned __int128 interval;

	*gcra = (struct gcra){0};
	if (rate->state != RATE_LIMITED)
		return 0;
	interval = (rate->period * unit + rate->count / 2) / rate->count;
	if (!interval || interval / unit > VALUE_DURATION_MAX)
		return -ERANGE;
	if (rate->burst - 1 > VALUE_DURATION_MAX * unit / interval)
		return -ERANGE;
	*gcra = (struct gcra){
		.interval = (gcra_word)interval,
		.tolerance = (gcra_word)((rate->burst - 1) * interval / unit),
	};
	return 0;
}
