/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/override.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const limit_names[OVERRIDE_RATES] = {[OVERRIDE_PER_DOMAIN] = "per_domain",
#define X(id, name) [LIMIT_##id] = name,
							TENANT_LIMITS(X)
#undef X
};

static const char *const count_names[COUNT_KINDS] = {
#define X(id, name, most) [COUNT_##id] = #name,
	TENANT_COUNTS(X)
#undef X
};

static const uint32_t count_most[COUNT_KINDS] = {
#define X(id, name, most) [COUNT_##id] = most,
	TENANT_COUNTS(X)
#undef X
};

const char *tenant_count_name(unsigned count)
{
	return count_names[count];
}

const char *tenant_limit_name(unsigned limit)
{
	return limit_names[limit];
}

bool override_is_empty(const struct override *o)
{
	for (unsigned i = 0; i < OVERRIDE_RATES; i++)
		if (o->limit[i].state != RATE_UNSET)
			return false;
	for (unsigned i = 0; i < COUNT_KINDS; i++)
		if (o->count[i].state != RATE_UNSET)
			return false;
	return !o->suspended;
}

uint32_t override_limits(const struct override *o)
{
	uint32_t set = 0;

	for (unsigned i = 0; o && i < LIMIT_COUNT; i++)
		set |= (uint32_t)(o->limit[i].state != RATE_UNSET) << i;
	return set | (o && o->count[COUNT_RECIPIENTS].state != RATE_UNSET ? WARMUP_RECIPIENTS : 0);
}

static int put_rate(json_t *object, const char *name, const struct rate *rate)
{
	char text[VALUE_TEXT];

	if (rate->state == RATE_UNSET)
		return 0;
	return json_object_set_new(object, name, json_string(rate_text(rate, text)));
}

static int put_count(json_t *object, const char *name, const struct rate *count)
{
	char text[VALUE_TEXT] = "unlimited";

	if (count->state == RATE_UNSET)
		return 0;
	if (count->state == RATE_LIMITED)
		snprintf(text, sizeof(text), "%llu", (unsigned long long)count->count);
	return json_object_set_new(object, name, json_string(text));
}

json_t *override_limits_json(const struct override *o)
{
	json_t *limits = json_object();
	int failed = !limits;

	for (unsigned i = 0; i < OVERRIDE_RATES && !failed; i++)
		failed = put_rate(limits, limit_names[i], &o->limit[i]);
	for (unsigned i = 0; i < COUNT_KINDS && !failed; i++)
		failed = put_count(limits, count_names[i], &o->count[i]);
	if (!failed)
		return limits;
	json_decref(limits);
	return NULL;
}

json_t *override_json(const struct override *o)
{
	json_t *object = json_pack("{s:I, s:o}", "tenant", (json_int_t)o->tenant, "limits",
				   override_limits_json(o));
	json_t *suspended;

	if (!object || !o->suspended)
		return object;
	suspended = json_pack("{s:s, s:s, s:s, s:I, s:I}", "reason", o->reason, "approver",
			      o->approver, "by", o->by, "since", (json_int_t)o->since, "until",
			      (json_int_t)o->until);
	if (json_object_set_new(object, "suspended", suspended) == 0)
		return object;
	json_decref(object);
	return NULL;
}

static int copy_text(const json_t *object, const char *name, char *to, size_t size)
{
	const char *text = json_string_value(json_object_get(object, name));

	if (!text || strlen(text) >= size)
		return -EINVAL;
	memcpy(to, text, strlen(text) + 1);
	return 0;
}

static int copy_time(const json_t *object, const char *name, uint64_t *to)
{
	const json_t *time = json_object_get(object, name);

	if (!json_is_integer(time) || json_integer_value(time) < 0)
		return -EINVAL;
	*to = (uint64_t)json_integer_value(time);
	return 0;
}

static int parse_suspended(const json_t *object, struct override *o, char *error, size_t size)
{
	o->suspended = true;
	if (copy_text(object, "reason", o->reason, sizeof(o->reason)) == 0 &&
	    copy_text(object, "approver", o->approver, sizeof(o->approver)) == 0 &&
	    copy_text(object, "by", o->by, sizeof(o->by)) == 0 &&
	    copy_time(object, "since", &o->since) == 0 &&
	    copy_time(object, "until", &o->until) == 0)
		return 0;
	snprintf(error, size,
		 "\"suspended\" of tenant %u needs reason, approver, by, since and until",
		 o->tenant);
	return -EINVAL;
}

int override_parse(const json_t *object, struct override *o, char *error, size_t size)
{
	const json_t *id = json_object_get(object, "tenant");
	const json_t *suspended = json_object_get(object, "suspended");
	json_t *limits = json_object_get(object, "limits"), *value;
	const char *name;
	int rc = 0;

	*o = (struct override){0};
	if (!json_is_integer(id) || json_integer_value(id) < 1 ||
	    json_integer_value(id) > UINT32_MAX) {
		snprintf(error, size, "expected a tenant's id");
		return -EINVAL;
	}
	o->tenant = (uint32_t)json_integer_value(id);
	if (suspended)
		rc = parse_suspended(suspended, o, error, size);
	json_object_foreach(limits, name, value)
	{
		if (!rc)
			rc = override_set_limit(
				o, name, json_is_string(value) ? json_string_value(value) : "",
				error, size);
	}
	return rc;
}

/* "messages_per_minute": the limit and the unit of its rate; NULL: no such name. */
static const char *split_unit(const char *name, unsigned *limit)
{
	static const char *const units[] = {"second", "minute", "hour", "day"};

	for (unsigned i = 0; i < OVERRIDE_RATES; i++) {
		size_t len = strlen(limit_names[i]);

		if (strncmp(name, limit_names[i], len) != 0 || strncmp(name + len, "_per_", 5) != 0)
			continue;
		for (unsigned u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
			if (strcmp(name + len + 5, units[u]) != 0)
				continue;
			*limit = i;
			return units[u];
		}
	}
	return NULL;
}

static bool find_limit(const char *name, unsigned *limit)
{
	for (*limit = 0; *limit < OVERRIDE_RATES; (*limit)++)
		if (strcmp(name, limit_names[*limit]) == 0)
			return true;
	return false;
}

static bool find_count(const char *name, unsigned *count)
{
	for (*count = 0; *count < COUNT_KINDS; (*count)++)
		if (strcmp(name, count_names[*count]) == 0)
			return true;
	return false;
}

static int set_count(struct override *o, unsigned which, const char *value, char *error,
		     size_t size)
{
	char *end;
	unsigned long long count;

	if (strcmp(value, "default") == 0) {
		o->count[which] = (struct rate){0};
		return 0;
	}
	if (strcmp(value, "unlimited") == 0) {
		o->count[which] = (struct rate){.state = RATE_UNLIMITED};
		return 0;
	}
	count = strtoull(value, &end, 10);
	if (*value >= '0' && *value <= '9' && !*end && count && count <= count_most[which]) {
		o->count[which] = (struct rate){.state = RATE_LIMITED, .count = count};
		return 0;
	}
	snprintf(error, size,
		 "%s: expected a number from 1 to %u, \"unlimited\" or \"default\", not \"%.40s\"",
		 count_names[which], count_most[which], value);
	return -EINVAL;
}

static int unknown_limit(const char *name, char *error, size_t size)
{
	size_t used = (size_t)snprintf(error, size, "there is no limit \"%.40s\", but", name);

	for (unsigned i = 0; i < OVERRIDE_RATES && used < size; i++)
		used += (size_t)snprintf(error + used, size - used, " %s,", limit_names[i]);
	for (unsigned i = 0; i < COUNT_KINDS && used < size; i++)
		used += (size_t)snprintf(error + used, size - used, "%s %s", i ? "," : "",
					 count_names[i]);
	return -EINVAL;
}

int override_set_limit(struct override *o, const char *name, const char *value, char *error,
		       size_t size)
{
	const char *unit = NULL;
	char text[VALUE_TEXT + 16];
	struct rate rate;
	struct gcra gcra;
	unsigned limit;

	if (find_count(name, &limit))
		return set_count(o, limit, value, error, size);
	if (!find_limit(name, &limit) && !(unit = split_unit(name, &limit)))
		return unknown_limit(name, error, size);
	if (strcmp(value, "default") == 0) {
		o->limit[limit] = (struct rate){0};
		return 0;
	}
	snprintf(text, sizeof(text), "%.48s%s%s", value, unit ? "/" : "", unit ? unit : "");
	if (value_rate(text, &rate) == 0 && rate_gcra(&rate, limit == LIMIT_BYTES, &gcra) == 0) {
		o->limit[limit] = rate;
		return 0;
	}
	snprintf(error, size,
		 "%s: expected a rate such as \"30/min\" or \"10M/s burst 20M\", \"unlimited\" or "
		 "\"default\", or %s_per_minute with a number, not \"%.40s\"",
		 limit_names[limit], limit_names[limit], value);
	return -EINVAL;
}
