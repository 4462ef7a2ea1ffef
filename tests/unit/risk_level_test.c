/* SPDX-License-Identifier: BSD-3-Clause */
/* Levels: what moves a tenant between them, and that nothing oscillates. The clock is the test's.
 */
#include "control/risk/risk.h"
#include "tests/unit/risk_fixture.h"
#include "tests/unit/risk_simulation.h"
#include "tests/unit/test.h"

static struct risk_config config;

static int setup(void **state)
{
	config = risk_config_default();
	return 0;
}

/* A score of so many points, of a kind that a test can set at will. */
static void set_points(struct risk_tenant *t, enum risk_event event, double points, uint64_t now)
{
	t->event[event] = (struct risk_mark){(float)points, (uint32_t)(now / SECOND), 1};
	config.event[event].cap = 100;
}

static enum risk_level level_at(struct risk_tenant *t, double points)
{
	set_points(t, RISK_EVENT_TRAP, points, START);
	return risk_evaluate(t, &config, START).to;
}

static void a_level_is_left_well_below_its_threshold(void **state)
{
	struct risk_tenant t = {0};

	assert_int_equal(level_at(&t, 24.9), RISK_LEVEL_NONE);
	assert_int_equal(level_at(&t, 25), RISK_LEVEL_WATCH);
	assert_int_equal(level_at(&t, 15.1), RISK_LEVEL_WATCH);
	assert_int_equal(level_at(&t, 14.9), RISK_LEVEL_NONE);
	assert_int_equal(level_at(&t, 15.1), RISK_LEVEL_NONE);
	assert_int_equal(level_at(&t, 50), RISK_LEVEL_THROTTLE);
	assert_int_equal(level_at(&t, 30.1), RISK_LEVEL_THROTTLE);
	assert_int_equal(level_at(&t, 29.9), RISK_LEVEL_WATCH);
	assert_int_equal(level_at(&t, 50), RISK_LEVEL_THROTTLE);
	assert_int_equal(level_at(&t, 1), RISK_LEVEL_NONE);
}

static void one_family_asks_a_person_once(void **state)
{
	struct risk_tenant t = {0};
	struct risk_change change;

	set_points(&t, RISK_EVENT_TRAP, 90, START);
	change = risk_evaluate(&t, &config, START);
	assert_int_equal(change.to, RISK_LEVEL_THROTTLE);
	assert_true(change.ask);
	for (int i = 0; i < 100; i++) {
		set_points(&t, RISK_EVENT_TRAP, i % 2 ? 90 : 79, START);
		assert_false(risk_evaluate(&t, &config, START).ask);
	}
	/* When it had become much better in between, a person is asked again. */
	set_points(&t, RISK_EVENT_TRAP, 47, START);
	assert_false(risk_evaluate(&t, &config, START).ask);
	set_points(&t, RISK_EVENT_TRAP, 80, START);
	assert_true(risk_evaluate(&t, &config, START).ask);
}

static void two_families_suspend(void **state)
{
	struct risk_tenant t = {0};

	set_points(&t, RISK_EVENT_TRAP, 75, START);
	set_points(&t, RISK_EVENT_CALLER_ID, 9.9, START);
	assert_int_equal(risk_evaluate(&t, &config, START).to, RISK_LEVEL_THROTTLE);
	set_points(&t, RISK_EVENT_CALLER_ID, 10, START);
	assert_int_equal(risk_evaluate(&t, &config, START).to, RISK_LEVEL_SUSPEND);
}

static void two_reasons_of_one_family_do_not(void **state)
{
	struct risk_tenant t =
		tenant_of(&config, SAMPLE(.seized = 300, .answered = 100, .shorts = 90));
	struct risk_change change = risk_evaluate(&t, &config, START);

	assert_true(t.score >= config.suspend);
	assert_int_equal(change.to, RISK_LEVEL_THROTTLE);
	assert_true(change.ask);
}

static void malware_suspends_by_itself(void **state)
{
	struct risk_tenant t = {0};

	set_points(&t, RISK_EVENT_MALWARE, 80, START);
	assert_int_equal(risk_evaluate(&t, &config, START).to, RISK_LEVEL_SUSPEND);
}

/* Every minute such a minute of calls. */
static enum risk_level calls_until(struct risk_tenant *t, uint64_t *now, uint64_t until,
				   struct risk_sample minute)
{
	while (*now < until) {
		*now += MINUTE;
		risk_count(t, &config, *now, &minute);
		risk_evaluate(t, &config, *now);
	}
	return (enum risk_level)t->level;
}

static void a_breach_that_lasts_a_day_after_notice_suspends(void **state)
{
	const struct risk_sample bad = SAMPLE(.seized = 10, .answered = 3, .shorts = 3);
	struct risk_tenant t = {0};
	uint64_t now = START;

	assert_int_equal(calls_until(&t, &now, START + 2 * HOUR, bad), RISK_LEVEL_THROTTLE);
	assert_true(t.noticed && t.breached);
	assert_int_equal(calls_until(&t, &now, t.noticed + DAY - MINUTE, bad), RISK_LEVEL_THROTTLE);
	assert_int_equal(calls_until(&t, &now, t.noticed + DAY + MINUTE, bad), RISK_LEVEL_SUSPEND);
}

static void a_breach_that_ended_in_between_begins_anew(void **state)
{
	const struct risk_sample bad = SAMPLE(.seized = 10, .answered = 3, .shorts = 3);
	const struct risk_sample good = SAMPLE(.seized = 1000, .answered = 1000);
	struct risk_tenant t = {0};
	uint64_t now = START;

	calls_until(&t, &now, START + 20 * HOUR, bad);
	assert_int_equal(calls_until(&t, &now, now + 10 * HOUR, good), RISK_LEVEL_NONE);
	assert_int_equal(t.breached, 0);
	assert_int_equal(t.noticed, 0);
}

static void whom_a_person_let_go_is_left_alone_for_a_day(void **state)
{
	struct risk_tenant t = {0};
	struct risk_change change;

	set_points(&t, RISK_EVENT_TRAP, 90, START);
	set_points(&t, RISK_EVENT_CALLER_ID, 90, START);
	assert_int_equal(risk_evaluate(&t, &config, START).to, RISK_LEVEL_SUSPEND);
	risk_pardon(&t, &config, START);
	assert_int_equal(t.level, RISK_LEVEL_THROTTLE);
	set_points(&t, RISK_EVENT_TRAP, 90, START + DAY);
	set_points(&t, RISK_EVENT_CALLER_ID, 90, START + DAY);
	change = risk_evaluate(&t, &config, START + DAY - 1);
	assert_int_equal(change.to, RISK_LEVEL_THROTTLE);
	assert_false(change.ask);
	assert_int_equal(risk_evaluate(&t, &config, START + DAY).to, RISK_LEVEL_SUSPEND);
}

static void a_suspended_tenant_comes_back_by_itself(void **state)
{
	struct risk_tenant t = {0};
	uint64_t now = START;

	set_points(&t, RISK_EVENT_BLOCK_REPLY, 60, START);
	set_points(&t, RISK_EVENT_CALLER_ID, 40, START);
	assert_int_equal(risk_evaluate(&t, &config, now).to, RISK_LEVEL_SUSPEND);
	/* Half-life a day: 100 is 48 after 25.4 hours, 30 after 41.7, 15 after 65.7. */
	now = START + 25 * HOUR;
	assert_int_equal(risk_evaluate(&t, &config, now).to, RISK_LEVEL_SUSPEND);
	now = START + 26 * HOUR;
	assert_int_equal(risk_evaluate(&t, &config, now).to, RISK_LEVEL_THROTTLE);
	now = START + 42 * HOUR;
	assert_int_equal(risk_evaluate(&t, &config, now).to, RISK_LEVEL_WATCH);
	now = START + 66 * HOUR;
	assert_int_equal(risk_evaluate(&t, &config, now).to, RISK_LEVEL_NONE);
}

/* Two weeks of calls at one true rate, evaluated every minute: how often the level changes. */
static unsigned changes_at(unsigned percent, unsigned tenant)
{
	struct simulated_calls calls = simulated_calls(percent, tenant);
	struct risk_tenant t = {0};
	unsigned changes = 0;

	for (uint64_t now = START; now < START + 14 * DAY; now += MINUTE) {
		const bool answered = simulated_answer(&calls);
		struct risk_change change;

		risk_count(&t, &config, now, &SAMPLE(.seized = 1, .answered = answered));
		change = risk_evaluate(&t, &config, now);
		changes += change.from != change.to;
	}
	return changes;
}

static void nothing_oscillates_at_any_rate(void **state)
{
	for (unsigned percent = 35; percent <= 70; percent++) {
		const unsigned changes = changes_at(percent, percent);

		if (changes > 4)
			fail_msg("%u changes in two weeks at %u %%", changes, percent);
	}
}

/* A score that goes up and down around each threshold, by less than the hysteresis. */
static void nothing_oscillates_at_a_threshold(void **state)
{
	const double thresholds[] = {config.watch, config.throttle, config.suspend};

	for (unsigned i = 0; i < 3; i++) {
		struct risk_tenant t = {0};
		unsigned changes = 0;

		for (unsigned k = 0; k < 10000; k++) {
			const uint64_t now = START + k * SECOND;
			const double points = thresholds[i] * (k % 2 ? 1.05 : 0.75);
			struct risk_change change;

			set_points(&t, RISK_EVENT_TRAP, points / 2, now);
			set_points(&t, RISK_EVENT_CALLER_ID, points / 2, now);
			change = risk_evaluate(&t, &config, now);
			changes += change.from != change.to;
		}
		/* Up, once, and for the higher ones not more than through those below. */
		assert_true(changes >= 1 && changes <= 2);
		assert_int_equal(t.level, i + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_level_is_left_well_below_its_threshold, setup),
		cmocka_unit_test_setup(one_family_asks_a_person_once, setup),
		cmocka_unit_test_setup(two_families_suspend, setup),
		cmocka_unit_test_setup(two_reasons_of_one_family_do_not, setup),
		cmocka_unit_test_setup(malware_suspends_by_itself, setup),
		cmocka_unit_test_setup(a_breach_that_lasts_a_day_after_notice_suspends, setup),
		cmocka_unit_test_setup(a_breach_that_ended_in_between_begins_anew, setup),
		cmocka_unit_test_setup(whom_a_person_let_go_is_left_alone_for_a_day, setup),
		cmocka_unit_test_setup(a_suspended_tenant_comes_back_by_itself, setup),
		cmocka_unit_test_setup(nothing_oscillates_at_any_rate, setup),
		cmocka_unit_test_setup(nothing_oscillates_at_a_threshold, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
