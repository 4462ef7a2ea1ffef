/* SPDX-License-Identifier: BSD-3-Clause */
/* Who was met before is known, for as long as was asked; who wasn't seldom is. */
#include "dataplane/policy/known_set.h"

#include <stdio.h>

#include "bpf/hll.h"
#include "control/risk/sketch.h"
#include "tests/unit/test.h"

#define START_DAY 20000

static struct sketch_key key_of(uint64_t tenant, uint64_t thing)
{
	return (struct sketch_key){mix64(tenant * 7919 + 1), mix64(thing * 104729 + 2)};
}

static struct known_set set_of(uint64_t width)
{
	struct known_set set;

	assert_int_equal(known_set_init(&set, width), 0);
	return set;
}

static void who_was_met_is_known_until_it_is_forgotten(void **state)
{
	struct known_set set = set_of(4096);

	assert_false(known_set_meet(&set, key_of(1, 1), START_DAY, 90));
	assert_true(known_set_meet(&set, key_of(1, 1), START_DAY, 90));
	/* Nobody else knows it. */
	assert_false(known_set_meet(&set, key_of(2, 1), START_DAY, 90));
	/* Each time counts from anew. */
	assert_true(known_set_meet(&set, key_of(1, 1), START_DAY + 90, 90));
	assert_true(known_set_meet(&set, key_of(1, 1), START_DAY + 180, 90));
	assert_false(known_set_meet(&set, key_of(1, 1), START_DAY + 271, 90));
	known_set_fini(&set);
}

/* At midnight one worker is in tomorrow already, and another isn't yet. */
static void who_was_met_in_tomorrow_is_known_in_today_and_stays_so(void **state)
{
	/* All days that a cell tells apart, its wrap among them. */
	for (uint64_t today = START_DAY; today < START_DAY + 255; today++) {
		struct known_set set = set_of(256);

		assert_false(known_set_meet(&set, key_of(1, 1), today + 1, 90));
		assert_true(known_set_has(&set, key_of(1, 1), today, 90));
		assert_true(known_set_has(&set, key_of(1, 1), today, 0));
		/* Nothing is taken back: it was met tomorrow. */
		assert_true(known_set_meet(&set, key_of(1, 1), today, 90));
		assert_true(known_set_has(&set, key_of(1, 1), today + 1, 0));
		assert_true(known_set_has(&set, key_of(1, 1), today + 91, 90));
		assert_false(known_set_has(&set, key_of(1, 1), today + 92, 90));
		known_set_fini(&set);
	}
}

/* The share of strangers that are taken for known, of a tenant that met `n`. */
static double mistaken(uint64_t n, uint64_t width)
{
	struct known_set set = set_of(width);
	const unsigned asked = 2000;
	unsigned known = 0;

	for (uint64_t i = 0; i < n; i++)
		known_set_meet(&set, key_of(1, i), START_DAY, 90);
	for (uint64_t i = 0; i < asked; i++)
		known += known_set_meet(&set, key_of(1, n + i), START_DAY, 90);
	known_set_fini(&set);
	return (double)known / asked;
}

static void strangers_are_taken_for_known_as_seldom_as_is_said(void **state)
{
	const uint64_t width = 1 << 20, span = width / SKETCH_SPANS;
	const double quarter = mistaken(span / 4, width), half = mistaken(span / 2, width),
		     one = mistaken(span, width);

	print_message("# s/4: %.4f, s/2: %.4f, s: %.4f\n", quarter, half, one);
	assert_true(quarter < 0.008);
	assert_true(half > 0.01 && half < 0.05);
	assert_true(one > 0.1 && one < 0.25);
}

static void a_tenants_flood_makes_nobody_known_to_others(void **state)
{
	struct known_set set = set_of(1 << 16);
	unsigned known = 0;

	for (uint64_t i = 0; i < 100000; i++)
		known_set_meet(&set, key_of(1, i), START_DAY, 90);
	for (unsigned i = 0; i < 5000; i++)
		known += known_set_meet(&set, key_of(2 + i / 5, i), START_DAY, 90);
	print_message("# %u of 5,000\n", known);
	assert_true(known < 10);
	known_set_fini(&set);
}

static void distinct_ones_of_a_day_are_estimated(void **state)
{
	static const unsigned counts[] = {1, 20, 300, 1000, 10000, 300000};
	const uint64_t day = 2 * HLL_EPOCH, start = 1000 * day;

	for (unsigned k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
		struct hll worker[2] = {{0}};
		uint8_t registers[HLL_REGISTERS] = {0};
		unsigned seen;

		for (unsigned i = 0; i < counts[k]; i++)
			for (unsigned twice = 0; twice < 2; twice++)
				hll_add(&worker[i % 2], start + i % 2 * HLL_EPOCH, mix64(i + 5));
		for (unsigned i = 0; i < 2; i++)
			hll_merge(&worker[i], start + HLL_EPOCH, registers);
		seen = hll_estimate(registers);
		print_message("# %u: %u\n", counts[k], seen);
		/* Three standard errors. */
		assert_in_range(seen, counts[k] - counts[k] / 5, counts[k] + counts[k] / 5);
		for (unsigned i = 0; i < HLL_REGISTERS; i++)
			registers[i] = 0;
		for (unsigned i = 0; i < 2; i++)
			hll_merge(&worker[i], start + 3 * HLL_EPOCH, registers);
		assert_int_equal(hll_estimate(registers), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_was_met_is_known_until_it_is_forgotten),
		cmocka_unit_test(who_was_met_in_tomorrow_is_known_in_today_and_stays_so),
		cmocka_unit_test(strangers_are_taken_for_known_as_seldom_as_is_said),
		cmocka_unit_test(a_tenants_flood_makes_nobody_known_to_others),
		cmocka_unit_test(distinct_ones_of_a_day_are_estimated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
