/* SPDX-License-Identifier: BSD-3-Clause */
/* How a score is made: the policy's reference points, samples, fading, caps, shares. */
#include <math.h>

#include "control/risk/risk.h"
#include "control/risk/wilson.h"
#include "tests/unit/risk_fixture.h"
#include "tests/unit/risk_simulation.h"
#include "tests/unit/test.h"

static struct risk_config config;

static int setup(void **state)
{
	config = risk_config_default();
	return 0;
}

static void assert_near(double value, double expected, double within)
{
	if (!(fabs(value - expected) <= within))
		fail_msg("%g is not %g, within %g", value, expected, within);
}

/* The ratio's term of a tenant with this sample alone. */
static struct risk_term term_of(struct risk_sample sample, enum risk_ratio which)
{
	const struct risk_tenant t = tenant_of(&config, sample);

	return ratio_of(&t, &config, START, which);
}

static void bounds_are_wilsons(void **state)
{
	assert_near(wilson_bounds(0, 3, 1.96).high, 0.562, 0.001);
	assert_near(wilson_bounds(0, 3, 3).high, 0.750, 0.001);
	assert_near(wilson_bounds(120, 300, 3).high, 0.487, 0.001);
	assert_near(wilson_bounds(90, 300, 3).high, 0.384, 0.001);
	assert_near(wilson_bounds(0, 10, 3).low, 0, 1e-12);
	assert_near(wilson_bounds(10, 10, 3).high, 1, 1e-12);
	/* Of nothing, and of what can't be, everything is possible. */
	assert_near(wilson_bounds(0, 0, 3).low, 0, 0);
	assert_near(wilson_bounds(0, 0, 3).high, 1, 0);
	assert_near(wilson_bounds(5, 0, 3).high, 1, 0);
	assert_near(wilson_bounds(NAN, NAN, 3).high, 1, 0);
	assert_near(wilson_bounds(20, 10, 3).high, 1, 1e-12);
}

static void reference_points_of_the_asr(void **state)
{
	struct risk_term watch = term_of(SAMPLE(.seized = 300, .answered = 120), RISK_RATIO_ASR);
	struct risk_term worse = term_of(SAMPLE(.seized = 300, .answered = 90), RISK_RATIO_ASR);

	assert_near(watch.bound, 0.487, 0.001);
	assert_near(watch.points, 31, 0.5);
	assert_true(watch.breach);
	assert_near(worse.bound, 0.384, 0.001);
	assert_near(worse.points, 55, 0);
	assert_near(term_of(SAMPLE(.seized = 300, .answered = 210), RISK_RATIO_ASR).points, 0, 0);
}

static void their_levels(void **state)
{
	struct risk_tenant watch = tenant_of(&config, SAMPLE(.seized = 300, .answered = 120));
	struct risk_tenant worse = tenant_of(&config, SAMPLE(.seized = 300, .answered = 90));

	assert_int_equal(risk_evaluate(&watch, &config, START).to, RISK_LEVEL_WATCH);
	assert_int_equal(risk_evaluate(&worse, &config, START).to, RISK_LEVEL_THROTTLE);
}

static void three_of_anything_are_nothing(void **state)
{
	const struct risk_sample few[] = {
		SAMPLE(.seized = 3),
		SAMPLE(.seized = 99),
		SAMPLE(.seized = 3, .answered = 3, .shorts = 3),
		SAMPLE(.recipients = 3, .bounced = 3),
		SAMPLE(.recipients = 199, .bounced = 199),
		SAMPLE(.delivered = 90, .complaints = 1),
		SAMPLE(.delivered = 999, .complaints = 999),
		SAMPLE(.delivered = 1000, .complaints = 4),
	};

	for (unsigned i = 0; i < sizeof(few) / sizeof(few[0]); i++) {
		const struct risk_tenant t = tenant_of(&config, few[i]);

		assert_near(score_of(&t, &config, START), 0, 0);
	}
	assert_int_equal(term_of(few[0], RISK_RATIO_ASR).held, RISK_HELD_SAMPLE);
}

static void reference_points_of_the_other_ratios(void **state)
{
	struct risk_term shorts =
		term_of(SAMPLE(.seized = 200, .answered = 200, .shorts = 80), RISK_RATIO_SHORT);
	struct risk_term bounces =
		term_of(SAMPLE(.recipients = 300, .bounced = 60), RISK_RATIO_BOUNCES);
	struct risk_term complaints =
		term_of(SAMPLE(.delivered = 2000, .complaints = 20), RISK_RATIO_COMPLAINTS);

	assert_true(shorts.breach);
	assert_near(shorts.bound, 0.302, 0.001);
	assert_near(shorts.points, 55, 0);
	assert_true(bounces.breach);
	assert_near(bounces.points, 55, 0);
	assert_true(complaints.breach);
	assert_near(complaints.points, 60, 0);
}

/* "An ASR of more than 60 %": at exactly 60 % the bound is a breach, by no points as yet. */
static void limits_are_strict(void **state)
{
	struct risk_term at;

	config.z = 0;
	at = term_of(SAMPLE(.seized = 1000, .answered = 600), RISK_RATIO_ASR);
	assert_true(at.breach);
	assert_near(at.points, 0, 1e-9);
	assert_false(term_of(SAMPLE(.seized = 1000, .answered = 601), RISK_RATIO_ASR).breach);
	assert_true(term_of(SAMPLE(.answered = 1000, .shorts = 150), RISK_RATIO_SHORT).breach);
	assert_false(term_of(SAMPLE(.answered = 1000, .shorts = 149), RISK_RATIO_SHORT).breach);
}

static void one_callee_tells_nothing(void **state)
{
	struct risk_sample calls = SAMPLE(.seized = 300),
			   mails = SAMPLE(.recipients = 300, .bounced = 60);

	calls.callees = 19;
	mails.domains = 4;
	assert_int_equal(term_of(calls, RISK_RATIO_ASR).held, RISK_HELD_DISTINCT);
	assert_int_equal(term_of(mails, RISK_RATIO_BOUNCES).held, RISK_HELD_DISTINCT);
	calls.callees = 20;
	mails.domains = 5;
	assert_near(term_of(calls, RISK_RATIO_ASR).points, 55, 0);
	assert_near(term_of(mails, RISK_RATIO_BOUNCES).points, 55, 0);
}

static void a_carriers_outage_is_not_the_tenants(void **state)
{
	struct risk_sample s = SAMPLE(.seized = 300, .answered = 90, .outage = 61);

	assert_int_equal(term_of(s, RISK_RATIO_ASR).held, RISK_HELD_OUTAGE);
	s.outage = 60; /* 20 %, and not more */
	assert_near(term_of(s, RISK_RATIO_ASR).points, 55, 0);
}

static void counts_fade_by_half_in_three_days(void **state)
{
	struct risk_tenant t = tenant_of(&config, SAMPLE(.seized = 400, .answered = 120));
	struct risk_term term = ratio_of(&t, &config, START + 3 * DAY, RISK_RATIO_ASR);

	assert_near(term.whole, 200, 1e-6);
	assert_near(term.parts, 60, 1e-6);
	risk_count(&t, &config, START + 3 * DAY, &SAMPLE(.seized = 10));
	assert_near(t.ratio[RISK_RATIO_ASR].whole, 210, 1e-6);
	/* Too few in the end, then none: the tenant costs nothing any more. */
	assert_int_equal(ratio_of(&t, &config, START + 9 * DAY, RISK_RATIO_ASR).held,
			 RISK_HELD_SAMPLE);
	assert_false(risk_is_empty(&t));
	risk_count(&t, &config, START + 300 * DAY, &SAMPLE());
	assert_true(risk_is_empty(&t));
}

static void a_part_may_come_before_its_whole(void **state)
{
	struct risk_tenant t = tenant_of(&config, SAMPLE());

	risk_count(&t, &config, START, &SAMPLE(.complaints = 1));
	risk_count(&t, &config, START + SECOND, &SAMPLE());
	risk_count(&t, &config, START + 2 * SECOND, &SAMPLE(.delivered = 1));
	assert_near(t.ratio[RISK_RATIO_COMPLAINTS].parts, 1, 1e-4);
	assert_near(t.ratio[RISK_RATIO_COMPLAINTS].whole, 1, 1e-4);
}

static void many_small_steps_fade_as_one(void **state)
{
	struct risk_tenant t = tenant_of(&config, SAMPLE(.seized = 400, .answered = 120));

	for (unsigned i = 1; i <= 24 * 3600; i++)
		risk_count(&t, &config, START + i * 3 * SECOND, &SAMPLE());
	assert_near(t.ratio[RISK_RATIO_ASR].whole, 200, 1e-6);
}

static void a_clock_that_goes_back_gains_and_loses_nothing(void **state)
{
	struct risk_tenant t = tenant_of(&config, SAMPLE(.seized = 400));

	risk_add(&t, &config, START, RISK_EVENT_TRAP, 1);
	risk_count(&t, &config, START - DAY, &SAMPLE());
	assert_near(t.ratio[RISK_RATIO_ASR].whole, 400, 0);
	assert_int_equal(t.counted, START);
	risk_add(&t, &config, START - DAY, RISK_EVENT_TRAP, 1);
	assert_near(t.event[RISK_EVENT_TRAP].value, 50, 0);
	assert_int_equal(t.event[RISK_EVENT_TRAP].last, START / SECOND);
	risk_evaluate(&t, &config, START - DAY);
	risk_evaluate(&t, &config, START);
	assert_near(t.score, 100, 0);
}

static void events_fade_and_have_a_cap(void **state)
{
	struct risk_tenant t = {0};

	for (int i = 0; i < 100; i++)
		risk_add(&t, &config, START, RISK_EVENT_BLOCK_REPLY, 1);
	assert_near(score_of(&t, &config, START), 40, 0);
	assert_near(score_of(&t, &config, START + DAY), 20, 1e-6);
	assert_int_equal(t.event[RISK_EVENT_BLOCK_REPLY].count, 100);
	t = (struct risk_tenant){0};
	risk_add(&t, &config, START, RISK_EVENT_TRAP, 1);
	assert_near(score_of(&t, &config, START), 25, 0);
	assert_near(score_of(&t, &config, START + 7 * DAY), 12.5, 1e-6);
	risk_add(&t, &config, START + 7 * DAY, RISK_EVENT_TRAP, 1);
	assert_near(score_of(&t, &config, START + 7 * DAY), 37.5, 1e-6);
}

static void a_rate_counts_once_a_minute(void **state)
{
	struct risk_tenant t = {0};

	for (unsigned i = 0; i < 600; i++) /* a second each */
		risk_add(&t, &config, START + i * SECOND, RISK_EVENT_BULK, 1);
	assert_near(score_of(&t, &config, START + 10 * MINUTE), 9.4, 0.2);
	for (unsigned i = 600; i < 6000; i++)
		risk_add(&t, &config, START + i * SECOND, RISK_EVENT_BULK, 1);
	assert_near(score_of(&t, &config, START + 6000 * SECOND), 10, 0.2);
}

static void a_score_ends_at_100(void **state)
{
	struct risk_tenant t =
		tenant_of(&config, SAMPLE(.seized = 300, .answered = 90, .shorts = 0));

	for (int i = 0; i < RISK_EVENT_COUNT; i++)
		for (int k = 0; k < 100; k++)
			risk_add(&t, &config, START, (enum risk_event)i, 1);
	assert_near(score_of(&t, &config, START), 100, 0);
}

static void block_list_points_are_split_by_bad_events(void **state)
{
	const double bad[] = {30, 10, 0}, none[] = {0, 0};
	struct risk_tenant t[3] = {0};

	for (unsigned i = 0; i < 3; i++)
		risk_add(&t[i], &config, START, RISK_EVENT_DNSBL, risk_share(bad, 3, i));
	assert_near(score_of(&t[0], &config, START), 22.5, 1e-6);
	assert_near(score_of(&t[1], &config, START), 7.5, 1e-6);
	assert_near(score_of(&t[2], &config, START), 0, 0);
	assert_near(risk_share(none, 2, 0), 0, 0);
}

static void every_point_is_in_a_term(void **state)
{
	struct risk_tenant t = tenant_of(
		&config, SAMPLE(.seized = 300, .answered = 120, .recipients = 300, .bounced = 20));
	struct risk_term terms[RISK_TERMS];
	double score, sum = 0;
	int n;

	risk_add(&t, &config, START, RISK_EVENT_TRAP_RECYCLED, 1);
	risk_add(&t, &config, START, RISK_EVENT_CALLER_ID, 1);
	n = risk_terms(&t, &config, START, terms, &score);
	assert_int_equal(n, RISK_RATIO_COUNT + 2);
	for (int i = 0; i < n; i++)
		sum += terms[i].points;
	assert_near(sum, score, 1e-9);
	assert_int_equal(terms[RISK_RATIO_COUNT].which, RISK_EVENT_TRAP_RECYCLED);
	assert_int_equal(terms[RISK_RATIO_COUNT].family, RISK_FAMILY_DELIVERY);
}

/*
 * Exact, by the chain of all outcomes: 56.9 %, 0.21 %, 176 and 200. (The policy's figures, 58 %,
 * 0.5 % and 199, are of some hundred tenants.)
 */
static void the_simulation_agrees_with_the_policy(void **state)
{
	const struct simulated bad = simulate_rule(50, &config, 1);

	assert_near(simulate_naive(70).flagged, 0.569, 0.02);
	assert_near(simulate_rule(70, &config, 1).flagged, 0, 0);
	assert_near(simulate_rule(65, &config, 1).flagged, 0, 0.0005);
	assert_true(simulate_rule(62, &config, 1).flagged <= 0.005);
	assert_near(bad.flagged, 1, 0);
	assert_near(bad.median, 176, 6);
	assert_near(simulate_rule(50, &config, 20).median, 199, 6);
}

/* What is simulated is what the engine does. */
static void the_engine_flags_when_the_simulation_does(void **state)
{
	for (unsigned tenant = 0; tenant < 50; tenant++) {
		struct simulated_calls calls = simulated_calls(50, tenant);
		struct risk_tenant t = {0};
		double answered = 0;

		for (unsigned n = 1; n <= 400; n++) {
			const bool answer = simulated_answer(&calls);
			const struct risk_ratio_config *r = &config.ratio[RISK_RATIO_ASR];
			bool rule;

			answered += answer;
			rule = n >= r->minimum &&
			       wilson_bounds(answered, n, config.z).high <= r->warn;
			risk_count(&t, &config, START, &SAMPLE(.seized = 1, .answered = answer));
			risk_evaluate(&t, &config, START);
			assert_int_equal(t.breached != 0, rule);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_are_wilsons),
		cmocka_unit_test_setup(reference_points_of_the_asr, setup),
		cmocka_unit_test_setup(their_levels, setup),
		cmocka_unit_test_setup(three_of_anything_are_nothing, setup),
		cmocka_unit_test_setup(reference_points_of_the_other_ratios, setup),
		cmocka_unit_test_setup(limits_are_strict, setup),
		cmocka_unit_test_setup(one_callee_tells_nothing, setup),
		cmocka_unit_test_setup(a_carriers_outage_is_not_the_tenants, setup),
		cmocka_unit_test_setup(counts_fade_by_half_in_three_days, setup),
		cmocka_unit_test_setup(a_part_may_come_before_its_whole, setup),
		cmocka_unit_test_setup(many_small_steps_fade_as_one, setup),
		cmocka_unit_test_setup(a_clock_that_goes_back_gains_and_loses_nothing, setup),
		cmocka_unit_test_setup(events_fade_and_have_a_cap, setup),
		cmocka_unit_test_setup(a_rate_counts_once_a_minute, setup),
		cmocka_unit_test_setup(a_score_ends_at_100, setup),
		cmocka_unit_test_setup(block_list_points_are_split_by_bad_events, setup),
		cmocka_unit_test_setup(every_point_is_in_a_term, setup),
		cmocka_unit_test_setup(the_simulation_agrees_with_the_policy, setup),
		cmocka_unit_test_setup(the_engine_flags_when_the_simulation_does, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
