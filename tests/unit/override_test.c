/* SPDX-License-Identifier: BSD-3-Clause */
/* Limits as people type them. */
#include "control/daemon/override.h"

#include <errno.h>

#include "control/config/config.h"
#include "control/daemon/roster.h"
#include "tests/unit/test.h"

static struct override override;
static char error[256];

static void good(const char *name, const char *value, unsigned limit, const char *as)
{
	char text[VALUE_TEXT];

	override = (struct override){.tenant = 1};
	if (override_set_limit(&override, name, value, error, sizeof(error)) != 0)
		fail_msg("%s=%s: %s", name, value, error);
	assert_string_equal(rate_text(&override.limit[limit], text), as);
}

static void rates_are_taken_in_both_ways_of_writing_them(void **unused)
{
	good("messages", "30/min", LIMIT_MESSAGES, "30/min");
	good("messages", "30/min burst 60", LIMIT_MESSAGES, "30/min burst 60");
	good("messages_per_minute", "10", LIMIT_MESSAGES, "10/min");
	good("calls_per_second", "5", LIMIT_CALLS, "5/s");
	good("sip_requests_per_hour", "7", LIMIT_SIP_REQUESTS, "7/h");
	good("recipients_per_day", "1000", LIMIT_RECIPIENTS, "1000/day");
	good("bytes", "10M/s burst 20M", LIMIT_BYTES, "10M/s burst 20M");
	good("connections", "unlimited", LIMIT_CONNECTIONS, "unlimited");
	good("connections", "1/10s", LIMIT_CONNECTIONS, "1/10s");
	good("connections", "3/250ms", LIMIT_CONNECTIONS, "3/250ms");
}

static void what_is_none_is_refused_with_words_and_changes_nothing(void **unused)
{
	static const char *const bad[][3] = {
		{"mails", "1/s", "there is no limit \"mails\""},
		{"messages_per_fortnight", "1", "there is no limit"},
		{"messages_per_minute", "fast", "expected a rate"},
		{"messages_per_minute", "unlimited", "expected a rate"},
		{"messages", "0/s", "expected a rate"},
		{"messages", "", "expected a rate"},
		{"messages", "3000M/s", "expected a rate"},
		{"messages", "99999999999999999999/s", "expected a rate"},
		{"recipients_per_message", "0", "expected a number"},
		{"recipients_per_message", "-1", "expected a number"},
		{"recipients_per_message", "1000001", "expected a number"},
		{"recipients_per_message", "10x", "expected a number"},
		{"calls_at_once", "10/s", "calls_at_once: expected a number from 1 to 1000000"},
		{"calls", "x", "expected a rate"},
		{"call", "1/s", "per_domain, recipients_per_message, calls_at_once"},
		{"same_body", "65536", "same_body: expected a number from 1 to 65535"},
		{"", "1/s", "there is no limit"},
	};
	const struct override before = {.tenant = 1, .limit[LIMIT_CALLS] = {RATE_LIMITED, 1, 2, 3}};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		override = before;
		assert_int_equal(
			override_set_limit(&override, bad[i][0], bad[i][1], error, sizeof(error)),
			-EINVAL);
		if (!strstr(error, bad[i][2]))
			fail_msg("%s=%s: %s", bad[i][0], bad[i][1], error);
		assert_memory_equal(&override, &before, sizeof(before));
	}
}

static void words_of_any_length_stay_in_their_room(void **unused)
{
	static char name[5000], value[5000];

	memset(name, 'm', sizeof(name) - 1);
	memset(value, '9', sizeof(value) - 1);
	override = (struct override){.tenant = 1};
	for (size_t room = 1; room < 300; room++) {
		char *small = malloc(room);

		assert_int_equal(override_set_limit(&override, name, value, small, room), -EINVAL);
		assert_true(strlen(small) < room);
		assert_int_equal(override_set_limit(&override, "calls", value, small, room),
				 -EINVAL);
		assert_true(strlen(small) < room);
		free(small);
	}
}

static void default_takes_a_limit_back(void **unused)
{
	override = (struct override){.tenant = 1};
	override_set_limit(&override, "calls", "1/s", error, sizeof(error));
	override_set_limit(&override, "recipients_per_message", "9", error, sizeof(error));
	assert_false(override_is_empty(&override));
	override_set_limit(&override, "calls", "default", error, sizeof(error));
	override_set_limit(&override, "recipients_per_message", "default", error, sizeof(error));
	assert_true(override_is_empty(&override));
}

/* One table: every limit that a tier has, the command knows, and the slot gets it. */
static void every_limit_of_the_configuration_can_be_set(void **unused)
{
	const struct tenant_slot base = {.id = 1};

	for (const struct setting *s = config_limit_settings; s->name; s++) {
		const bool rate = s->type == SETTING_RATE;
		struct tenant_slot slot;

		if (s->type != SETTING_RATE && s->type != SETTING_COUNT_LIMIT)
			continue;
		override = (struct override){.tenant = 1};
		if (override_set_limit(&override, s->name, rate ? "7/s" : "7", error,
				       sizeof(error)) != 0)
			fail_msg("%s", error);
		slot = tenant_effective(&base, &override);
		assert_memory_not_equal(&slot, &base, sizeof(slot));
		assert_false(override_is_empty(&override));
	}
	for (unsigned i = 0; i < COUNT_KINDS; i++) {
		struct tenant_slot slot = base;

		override = (struct override){.tenant = 1};
		override_set_limit(&override, tenant_count_name(i), "7", error, sizeof(error));
		slot = tenant_effective(&slot, &override);
		assert_int_equal(tenant_count_get(&slot, (enum tenant_count)i), 7);
		override_set_limit(&override, tenant_count_name(i), "unlimited", error,
				   sizeof(error));
		slot = tenant_effective(&slot, &override);
		assert_int_equal(tenant_count_get(&slot, (enum tenant_count)i), 0);
	}
}

static void a_suspension_is_long_from_its_hour_on(void **unused)
{
	const uint64_t hour = UINT64_C(3600000000000), since = 1000 * hour;

	assert_false(suspension_is_long(since, since, 72 * hour));
	assert_false(suspension_is_long(since, since + 72 * hour - 1, 72 * hour));
	assert_true(suspension_is_long(since, since + 72 * hour, 72 * hour));
	assert_true(suspension_is_long(since, since + 7200 * hour, 72 * hour));
	/* A clock that went back, one that is not known, and never. */
	assert_false(suspension_is_long(since, since - 100 * hour, 72 * hour));
	assert_false(suspension_is_long(0, since, 72 * hour));
	assert_false(suspension_is_long(since, UINT64_MAX, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_suspension_is_long_from_its_hour_on),
		cmocka_unit_test(rates_are_taken_in_both_ways_of_writing_them),
		cmocka_unit_test(what_is_none_is_refused_with_words_and_changes_nothing),
		cmocka_unit_test(words_of_any_length_stay_in_their_room),
		cmocka_unit_test(default_takes_a_limit_back),
		cmocka_unit_test(every_limit_of_the_configuration_can_be_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
