/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls of the last hour: what is in it, when a breach is told, and when again. */
#include "control/risk/risk_window.h"
#include "tests/unit/risk_fixture.h"
#include "tests/unit/test.h"

#define ASR   (1U << RISK_RATIO_ASR)
#define SHORT (1U << RISK_RATIO_SHORT)

static const struct risk_tenant many = {.callees = 100};
static struct risk_config config;
static struct risk_window window;

static int setup(void **state)
{
	config = risk_config_default();
	window = (struct risk_window){0};
	return 0;
}

static void put(uint64_t when, double seized, double answered, double shorts)
{
	const struct risk_sample s = {.seized = seized, .answered = answered, .shorts = shorts};

	risk_window_count(&window, &config, when, &s);
}

static unsigned alarms(uint64_t when)
{
	return risk_window_alarms(&window, &many, &config, when);
}

static void what_is_older_than_the_window_is_out_of_it(void **state)
{
	put(START, 10, 5, 1);
	put(START + 30 * MINUTE, 7, 7, 0);
	assert_int_equal(risk_window_sum(&window, &config, START + 30 * MINUTE).seized, 17);
	assert_int_equal(risk_window_sum(&window, &config, START + 49 * MINUTE).seized, 17);
	assert_int_equal(risk_window_sum(&window, &config, START + 61 * MINUTE).seized, 7);
	assert_int_equal(risk_window_sum(&window, &config, START + 61 * MINUTE).answered, 7);
	assert_int_equal(risk_window_sum(&window, &config, START + 91 * MINUTE).seized, 0);
	assert_int_equal(risk_window_sum(&window, &config, START + 400 * DAY).seized, 0);
	/* Whoever comes back after years begins anew; a clock that goes back loses nothing. */
	put(START + 400 * DAY, 3, 0, 0);
	assert_int_equal(risk_window_sum(&window, &config, START + 400 * DAY).seized, 3);
	put(START + 399 * DAY, 1, 0, 0);
	assert_int_equal(risk_window_sum(&window, &config, START + 400 * DAY).seized, 4);
}

static void a_window_of_another_length_begins_anew(void **state)
{
	put(START, 10, 5, 1);
	config.window = 6 * HOUR;
	assert_int_equal(risk_window_sum(&window, &config, START).seized, 0);
	put(START, 3, 0, 0);
	assert_int_equal(risk_window_sum(&window, &config, START).seized, 3);
	config.window = HOUR;
	put(START + HOUR, 2, 0, 0);
	assert_int_equal(risk_window_sum(&window, &config, START + HOUR).seized, 2);
}

static void the_policys_samples_breach_and_three_calls_do_not(void **state)
{
	put(START, 3, 0, 0);
	assert_int_equal(alarms(START), 0);
	put(START, 97, 97, 0);
	assert_int_equal(alarms(START), 0);
	setup(NULL);
	put(START, 300, 120, 0);
	assert_int_equal(alarms(START), ASR);
	setup(NULL);
	put(START, 200, 200, 80);
	assert_int_equal(alarms(START), SHORT);
	setup(NULL);
	put(START, 300, 120, 80);
	assert_int_equal(alarms(START), ASR | SHORT);
}

static void limits_are_strict(void **state)
{
	struct risk_term terms[RISK_WINDOW_RATIOS];

	put(START, 300, 120, 18);
	risk_window_terms(&window, &many, &config, START, terms);
	config.ratio[RISK_RATIO_ASR].warn = terms[RISK_RATIO_ASR].bound;
	config.ratio[RISK_RATIO_SHORT].warn = terms[RISK_RATIO_SHORT].bound;
	assert_int_equal(alarms(START), ASR | SHORT);
}

static void a_breach_is_told_once_until_an_hour_was_without(void **state)
{
	put(START, 300, 120, 0);
	assert_int_equal(alarms(START), ASR);
	assert_int_equal(alarms(START + MINUTE), 0);
	put(START + 20 * MINUTE, 300, 300, 0); /* it trembles */
	assert_int_equal(alarms(START + 20 * MINUTE), 0);
	put(START + 40 * MINUTE, 1000, 100, 0);
	assert_int_equal(alarms(START + 40 * MINUTE), 0);
	assert_int_equal(alarms(START + 3 * HOUR), 0);
	put(START + 3 * HOUR, 300, 120, 0);
	assert_int_equal(alarms(START + 3 * HOUR), ASR);
}

static void a_carriers_outage_and_few_callees_breach_nothing(void **state)
{
	const struct risk_tenant few = {.callees = 3};
	const struct risk_sample outage = {.seized = 300, .answered = 120, .outage = 61};

	put(START, 300, 120, 0);
	assert_int_equal(risk_window_alarms(&window, &few, &config, START), 0);
	setup(NULL);
	risk_window_count(&window, &config, START, &outage);
	assert_int_equal(alarms(START), 0);
}

static void without_a_window_nothing_is_counted(void **state)
{
	config.window = 0;
	put(START, 300, 0, 0);
	assert_int_equal(alarms(START), 0);
	assert_int_equal(risk_window_sum(&window, &config, START).seized, 0);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_older_than_the_window_is_out_of_it),
		TEST(a_window_of_another_length_begins_anew),
		TEST(the_policys_samples_breach_and_three_calls_do_not),
		TEST(limits_are_strict),
		TEST(a_breach_is_told_once_until_an_hour_was_without),
		TEST(a_carriers_outage_and_few_callees_breach_nothing),
		TEST(without_a_window_nothing_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
