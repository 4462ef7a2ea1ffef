/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config/setting_scalar.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/suggest.h"

#define EXPECTED_SIZE  400
#define CHOICES_LISTED 12 /* of more, the nearest one is named */

/* What stands there, for "not ..." at the end of an error. */
static void describe(const config_setting_t *value, char *out, size_t size)
{
	switch (config_setting_type(value)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		snprintf(out, size, "%lld", config_setting_get_int64(value));
		break;
	case CONFIG_TYPE_STRING:
		snprintf(out, size, "\"%.60s\"", config_setting_get_string(value));
		break;
	case CONFIG_TYPE_BOOL:
		snprintf(out, size, "%s", config_setting_get_bool(value) ? "true" : "false");
		break;
	case CONFIG_TYPE_FLOAT:
		snprintf(out, size, "%g", config_setting_get_float(value));
		break;
	case CONFIG_TYPE_GROUP:
		snprintf(out, size, "a group");
		break;
	default:
		snprintf(out, size, "a list");
	}
}

static void wrong(struct diag *diag, const config_setting_t *value, const char *expected)
{
	char found[80];

	describe(value, found, sizeof(found));
	setting_error(diag, value, "expected %s, not %s", expected, found);
}

static bool is_integer(const config_setting_t *value)
{
	return config_setting_type(value) == CONFIG_TYPE_INT ||
	       config_setting_type(value) == CONFIG_TYPE_INT64;
}

static double number_of(const config_setting_t *value)
{
	return is_integer(value) ? (double)config_setting_get_int64(value)
				 : config_setting_get_float(value);
}

static const char *text_of(const config_setting_t *value)
{
	return config_setting_type(value) == CONFIG_TYPE_STRING ? config_setting_get_string(value)
								: NULL;
}

static void list_choices(const struct setting *setting, char *out, size_t size)
{
	size_t used = 0;

	for (const char *const *c = setting->choices; *c && used < size; c++)
		used += snprintf(out + used, size - used, "%s\"%s\"",
				 c == setting->choices ? ""
				 : c[1]                ? ", "
						       : " or ",
				 *c);
}

/* Of a list's names, for one that isn't among them (NULL: it is no name at all). */
static void list_names(const struct setting *setting, const char *found, char *out, size_t size)
{
	const char *nearest = setting->choices[0];
	unsigned count = 0;

	for (const char *const *c = setting->choices; *c; c++, count++)
		if (found && suggest_distance(found, *c) < suggest_distance(found, nearest))
			nearest = *c;
	if (count <= CHOICES_LISTED)
		list_choices(setting, out, size);
	else
		snprintf(out, size, "a name such as \"%s\"", nearest);
}

/* The bounds in the unit they were meant in. */
static void bound_text(const struct setting *setting, int64_t bound, char *out, size_t size)
{
	static const struct {
		int64_t ns;
		const char *unit;
	} units[] = {{INT64_C(86400000000000), "d"},
		     {INT64_C(3600000000000), "h"},
		     {INT64_C(60000000000), "min"},
		     {INT64_C(1000000000), "s"},
		     {INT64_C(1000000), "ms"}};

	if (setting->type != SETTING_DURATION) {
		snprintf(out, size, "%" PRId64, bound);
		return;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (bound % units[i].ns && i < 4)
			continue;
		snprintf(out, size, "%" PRId64 "%s", bound / units[i].ns, units[i].unit);
		return;
	}
}

static void expected_of(const struct setting *setting, char *out, size_t size)
{
	char low[32], high[32], names[EXPECTED_SIZE - 16];

	bound_text(setting, setting->min, low, sizeof(low));
	bound_text(setting, setting->max, high, sizeof(high));
	switch (setting->type) {
	case SETTING_COUNT:
		snprintf(out, size, "a whole number from %s to %s", low, high);
		break;
	case SETTING_COUNT_LIMIT:
		snprintf(out, size, "a whole number from %s to %s or \"unlimited\"", low, high);
		break;
	case SETTING_NUMBER:
		snprintf(out, size, "a number from %s to %s", low, high);
		break;
	case SETTING_BOOL:
		snprintf(out, size, "true or false");
		break;
	case SETTING_CHOICE:
		list_choices(setting, names, sizeof(names));
		snprintf(out, size, "%s", names);
		break;
	case SETTING_CHOICES:
		list_names(setting, NULL, names, sizeof(names));
		snprintf(out, size, "a list of %s", names);
		break;
	case SETTING_DURATION:
		snprintf(out, size, "a duration from \"%s\" to \"%s\"", low, high);
		break;
	case SETTING_SIZE:
		snprintf(out, size, "a size from %s to %s, such as \"64K\" or \"1Mi\"", low, high);
		break;
	case SETTING_RATE:
		snprintf(out, size,
			 "a rate such as \"30/min\", \"10M/s burst 20M\" or \"unlimited\"");
		break;
	case SETTING_PORTS:
		snprintf(out, size, "a list of port numbers: [ 25, 587 ]");
		break;
	default:
		snprintf(out, size, "a string");
	}
}

static bool in_bounds(const struct setting *setting, uint64_t value)
{
	return value <= INT64_MAX && (int64_t)value >= setting->min &&
	       (int64_t)value <= setting->max;
}

static bool parse_choice(const struct setting *setting, const char *text, int *target)
{
	for (int i = 0; setting->choices[i]; i++) {
		if (strcmp(setting->choices[i], text) == 0) {
			*target = i;
			return true;
		}
	}
	return false;
}

/* What strings can say; also what defaults are written in. */
static bool parse_text(const struct setting *setting, const char *text, void *target)
{
	uint64_t number;

	switch (setting->type) {
	case SETTING_DURATION:
		if (value_duration(text, &number) != 0 || !in_bounds(setting, number))
			return false;
		*(uint64_t *)target = number;
		return true;
	case SETTING_SIZE:
		if (value_size(text, &number) != 0 || !in_bounds(setting, number))
			return false;
		*(uint64_t *)target = number;
		return true;
	case SETTING_RATE:
		return value_rate(text, target) == 0;
	case SETTING_COUNT_LIMIT:
		if (strcmp(text, "unlimited") != 0)
			return false;
		*(struct rate *)target = (struct rate){.state = RATE_UNLIMITED};
		return true;
	case SETTING_CHOICE:
		return parse_choice(setting, text, target);
	default:
		return false;
	}
}

static bool parse_number(const struct setting *setting, long long number, void *target)
{
	if (number < 0 || !in_bounds(setting, number))
		return false;
	switch (setting->type) {
	case SETTING_COUNT:
		*(uint32_t *)target = number;
		return true;
	case SETTING_COUNT_LIMIT:
		*(struct rate *)target = (struct rate){.state = RATE_LIMITED, .count = number};
		return true;
	case SETTING_SIZE:
		*(uint64_t *)target = number;
		return true;
	default:
		return false;
	}
}

static bool read_number(const struct setting *setting, double number, double *target)
{
	if (!(number >= (double)setting->min && number <= (double)setting->max))
		return false;
	*target = number;
	return true;
}

static bool read_choices(struct diag *diag, const config_setting_t *value,
			 const struct setting *setting, uint64_t *target)
{
	if (!config_setting_is_array(value) && !config_setting_is_list(value))
		return false;
	*target = SETTING_GIVEN;
	for (int i = 0; i < config_setting_length(value); i++) {
		const config_setting_t *item = config_setting_get_elem(value, i);
		char names[EXPECTED_SIZE];
		int choice;

		if (text_of(item) && parse_choice(setting, text_of(item), &choice)) {
			*target |= UINT64_C(1) << choice;
			continue;
		}
		list_names(setting, text_of(item), names, sizeof(names));
		wrong(diag, item, names);
	}
	return true;
}

static bool read_ports(struct diag *diag, const config_setting_t *value,
		       struct setting_ports *target)
{
	if (!config_setting_is_array(value) && !config_setting_is_list(value))
		return false;
	target->where = value;
	for (int i = 0; i < config_setting_length(value); i++) {
		const config_setting_t *item = config_setting_get_elem(value, i);
		long long port = is_integer(item) ? config_setting_get_int64(item) : 0;

		if (port < 1 || port > 65535)
			wrong(diag, item, "a port number from 1 to 65535");
		else if (target->count == SETTING_PORTS_MAX)
			setting_error(diag, item, "more than %d ports", SETTING_PORTS_MAX);
		else
			target->ports[target->count++] = port;
	}
	return true;
}

bool setting_read_text(struct diag *diag, const config_setting_t *value,
		       const struct setting *setting, const char **text)
{
	const char *expected = "a string";

	*text = text_of(value);
	if (*text)
		expected = setting->check ? setting->check(*text) : NULL;
	if (!expected)
		return true;
	wrong(diag, value, expected);
	*text = NULL;
	return false;
}

void setting_read_scalar(struct diag *diag, const config_setting_t *value,
			 const struct setting *setting, void *target)
{
	char expected[EXPECTED_SIZE];
	bool ok = false;

	if (setting->type == SETTING_TEXT) {
		setting_read_text(diag, value, setting, target);
		return;
	}
	if (setting->type == SETTING_CHOICES)
		ok = read_choices(diag, value, setting, target);
	else if (setting->type == SETTING_PORTS)
		ok = read_ports(diag, value, target);
	else if (setting->type == SETTING_BOOL)
		ok = config_setting_type(value) == CONFIG_TYPE_BOOL;
	else if (setting->type == SETTING_NUMBER && config_setting_is_number(value))
		ok = read_number(setting, number_of(value), target);
	else if (is_integer(value))
		ok = parse_number(setting, config_setting_get_int64(value), target);
	else if (text_of(value))
		ok = parse_text(setting, text_of(value), target);
	if (ok && setting->type == SETTING_BOOL)
		*(bool *)target = config_setting_get_bool(value);
	if (!ok) {
		expected_of(setting, expected, sizeof(expected));
		wrong(diag, value, expected);
	}
}

static void default_ports(const char *text, struct setting_ports *target)
{
	char *end;

	for (; *text; text = end + strspn(end, " "))
		target->ports[target->count++] = strtoul(text, &end, 10);
}

void setting_read_default(const struct setting *setting, void *target)
{
	const char *text = setting->fallback;
	bool ok = true;

	switch (setting->type) {
	case SETTING_TEXT:
		*(const char **)target = text;
		break;
	case SETTING_BOOL:
		*(bool *)target = strcmp(text, "true") == 0;
		break;
	case SETTING_NUMBER:
		ok = read_number(setting, strtod(text, NULL), target);
		break;
	case SETTING_COUNT:
		ok = parse_number(setting, strtoll(text, NULL, 10), target);
		break;
	case SETTING_PORTS:
		default_ports(text, target);
		break;
	default:
		ok = parse_text(setting, text, target);
	}
	assert(ok);
	(void)ok;
}
