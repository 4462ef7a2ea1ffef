/* SPDX-License-Identifier: BSD-3-Clause */
/* How many different addresses the kernel sees a tenant send to: how near, and how long. */
#include <math.h>
#include <string.h>

#include "bpf/reach.h"
#include "tests/unit/test.h"

#define SECOND UINT64_C(1000000000)

static struct reach reach;
static uint64_t seed;

static uint64_t hash_of(uint32_t address)
{
	const uint64_t key[2] = {seed * 7919, ~seed};
	uint8_t addr[16] = {10, (uint8_t)(address >> 16), (uint8_t)(address >> 8),
			    (uint8_t)address};

	return reach_hash(key, addr);
}

static enum reach_result sends(uint32_t address, uint64_t now, uint32_t most, bool drop)
{
	return reach_send(&reach, hash_of(address), now, most, drop);
}

static double count(void)
{
	return (double)reach.count / REACH_UNIT;
}

static int begin(void **state)
{
	memset(&reach, 0, sizeof(reach));
	seed = 1;
	return 0;
}

/* Root of the mean square of 400 tries; the header says 0.3 % and 1.2 %. */
static void estimates_are_as_near_as_is_said(void **state)
{
	static const struct {
		uint32_t addresses;
		double most;
	} at[] = {{10, 0.01}, {100, 0.005}, {1000, 0.004}, {10000, 0.01}, {30000, 0.015}};

	for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		double sum = 0, mean = 0;

		for (seed = 1; seed <= 400; seed++) {
			double error;

			memset(&reach, 0, sizeof(reach));
			for (uint32_t a = 0; a < at[i].addresses; a++)
				sends(a, SECOND, 30000, false);
			error = count() / at[i].addresses - 1;
			sum += error * error;
			mean += error;
		}
		print_message("# %u addresses: %.2f %% (on the average %+.2f %%)\n",
			      at[i].addresses, sqrt(sum / 400) * 100, mean / 4);
		assert_true(sqrt(sum / 400) < at[i].most);
		assert_true(fabs(mean / 400) < at[i].most / 4);
	}
}

static void it_is_told_once_a_minute(void **state)
{
	for (unsigned minute = 0; minute < 3; minute++) {
		const uint64_t now = (100 + 60 * minute) * SECOND;

		for (uint32_t a = 0; a < 1500; a++)
			sends(a, now + a, 1000, false);
		assert_int_equal(reach.times, minute + 1);
		for (uint32_t a = 0; a < 1500; a++)
			assert_int_equal(sends(a, now + 59 * SECOND, 1000, false), REACH_KNOWN);
	}
	/* Spread over two minutes they are not too many. */
	for (uint32_t a = 0; a < 1800; a++)
		sends(a, (1000 + a / 15) * SECOND, 1000, false);
	assert_int_equal(reach.times, 3);
}

static void beyond_it_what_is_new_is_dropped(void **state)
{
	unsigned beyond = 0, again = 0;

	for (uint32_t a = 0; a < 4; a++)
		assert_int_equal(sends(a, SECOND, 4, true), REACH_NEW);
	for (uint32_t a = 4; a < 1004; a++)
		beyond += sends(a, SECOND, 4, true) == REACH_BEYOND;
	/* As many as have two of the four's bits. */
	assert_in_range(beyond, 999, 1000);
	assert_int_equal(reach.bits, 8);
	assert_int_equal(reach.times, 1);
	for (uint32_t a = 4; a < 1004; a++)
		again += sends(a, SECOND, 4, true) == REACH_BEYOND;
	assert_int_equal(again, beyond);
	for (uint32_t a = 0; a < 4; a++)
		assert_int_equal(sends(a, SECOND, 4, true), REACH_KNOWN);
	/* The next minute. */
	for (uint32_t a = 4; a < 8; a++)
		assert_int_equal(sends(a, 62 * SECOND, 4, true), REACH_NEW);
}

/* At the default of 1,000: what share of other addresses counts as one of them. */
static void scanners_are_held_at_the_default(void **state)
{
	unsigned passed = 0;

	for (uint32_t a = 0; a < 101000; a++)
		passed += sends(a, SECOND, 1000, true) != REACH_BEYOND;
	print_message("# %u of 101,000 addresses were reached within the minute\n", passed);
	assert_in_range(passed, 1000 + 1000, 1000 + 1700);
}

static void who_was_heard_is_so_for_a_minute_or_two(void **state)
{
	const uint64_t age = UINT64_C(1) << REACH_AGE_SHIFT, now = 9 * age;

	assert_false(reach_was_heard(&reach, hash_of(1), now));
	reach_hear(&reach, hash_of(1), now);
	assert_true(reach_was_heard(&reach, hash_of(1), now));
	assert_true(reach_was_heard(&reach, hash_of(1), now + 2 * age - 1));
	assert_false(reach_was_heard(&reach, hash_of(1), now + 2 * age));
	/* While others are. */
	reach_hear(&reach, hash_of(2), now + age);
	assert_true(reach_was_heard(&reach, hash_of(1), now + age));
	reach_hear(&reach, hash_of(2), now + 2 * age);
	assert_false(reach_was_heard(&reach, hash_of(1), now + 2 * age));
	assert_true(reach_was_heard(&reach, hash_of(2), now + 2 * age));
	/* After a pause nothing of before is left. */
	reach_hear(&reach, hash_of(3), now + 9 * age);
	assert_false(reach_was_heard(&reach, hash_of(2), now + 9 * age));
	assert_false(reach_was_heard(&reach, hash_of(1), now + 9 * age));
}

/* However many: nothing overflows, and it only says too little. */
static void a_full_map_says_no_more(void **state)
{
	for (uint32_t a = 0; a < 1000000; a++)
		sends(a, SECOND, 30000, false);
	assert_int_equal(reach.bits, REACH_BITS);
	assert_true(count() > 60000);
	assert_int_equal(reach.times, 1);
	assert_int_equal(sends(2000000, SECOND, 30000, false), REACH_KNOWN);
}

/* CPUs read the clock before they come to the table, and one may be a tick behind. */
static void a_cpu_that_is_a_moment_behind_begins_no_minute(void **state)
{
	for (uint32_t a = 0; a < 10; a++)
		sends(a, 100 * SECOND, 1000, false);
	assert_int_equal(sends(10, 100 * SECOND - 1, 1000, false), REACH_NEW);
	assert_int_equal(sends(1, 100 * SECOND - 1, 1000, false), REACH_KNOWN);
	assert_true(count() > 10.5 && count() < 11.5);
	assert_true(reach.began == 100 * SECOND);
}

static void a_cpu_that_is_a_moment_behind_takes_back_nothing_heard(void **state)
{
	const uint64_t now = UINT64_C(100) << REACH_AGE_SHIFT;

	reach_hear(&reach, hash_of(1), now - 2);
	reach_hear(&reach, hash_of(2), now);
	reach_hear(&reach, hash_of(3), now - 1);
	for (uint32_t a = 1; a <= 3; a++) {
		assert_true(reach_was_heard(&reach, hash_of(a), now));
		assert_true(reach_was_heard(&reach, hash_of(a), now - 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(estimates_are_as_near_as_is_said, begin),
		cmocka_unit_test_setup(it_is_told_once_a_minute, begin),
		cmocka_unit_test_setup(beyond_it_what_is_new_is_dropped, begin),
		cmocka_unit_test_setup(scanners_are_held_at_the_default, begin),
		cmocka_unit_test_setup(who_was_heard_is_so_for_a_minute_or_two, begin),
		cmocka_unit_test_setup(a_full_map_says_no_more, begin),
		cmocka_unit_test_setup(a_cpu_that_is_a_moment_behind_begins_no_minute, begin),
		cmocka_unit_test_setup(a_cpu_that_is_a_moment_behind_takes_back_nothing_heard,
				       begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
