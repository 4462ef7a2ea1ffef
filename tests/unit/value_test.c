/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config/value.h"

#include <errno.h>

#include "control/base/suggest.h"
#include "control/config/cidr.h"
#include "tests/unit/test.h"

#define SECOND UINT64_C(1000000000)

static void durations_have_a_unit(void **state)
{
	uint64_t ns;

	assert_int_equal(value_duration("500ms", &ns), 0);
	assert_int_equal(ns, SECOND / 2);
	assert_int_equal(value_duration("5min", &ns), 0);
	assert_int_equal(ns, 300 * SECOND);
	assert_int_equal(value_duration("7d", &ns), 0);
	assert_int_equal(ns, 7 * 86400 * SECOND);
	assert_int_equal(value_duration("0s", &ns), 0);
	assert_int_equal(value_duration("30", &ns), -EINVAL);
	assert_int_equal(value_duration("5m", &ns), -EINVAL);
	assert_int_equal(value_duration("", &ns), -EINVAL);
	assert_int_equal(value_duration("s", &ns), -EINVAL);
	assert_int_equal(value_duration("-1s", &ns), -EINVAL);
	assert_int_equal(value_duration("1s ", &ns), -EINVAL);
	assert_int_equal(value_duration("401d", &ns), -ERANGE);
	assert_int_equal(value_duration("99999999999999999999s", &ns), -ERANGE);
	assert_int_equal(value_duration("99999999999999999d", &ns), -ERANGE);
}

static void sizes_may_have_a_unit(void **state)
{
	uint64_t size;

	assert_int_equal(value_size("1500", &size), 0);
	assert_int_equal(size, 1500);
	assert_int_equal(value_size("10M", &size), 0);
	assert_int_equal(size, 10000000);
	assert_int_equal(value_size("64Ki", &size), 0);
	assert_int_equal(size, 65536);
	assert_int_equal(value_size("1k", &size), -EINVAL);
	assert_int_equal(value_size("1.5M", &size), -EINVAL);
	assert_int_equal(value_size("99999999999G", &size), -ERANGE);
}

static void a_rate_is_a_count_a_period_and_perhaps_a_burst(void **state)
{
	struct rate r;

	assert_int_equal(value_rate("30/min", &r), 0);
	assert_int_equal(r.state, RATE_LIMITED);
	assert_int_equal(r.count, 30);
	assert_int_equal(r.period, 60 * SECOND);
	assert_int_equal(r.burst, 30);
	assert_int_equal(value_rate("10M/s burst 20M", &r), 0);
	assert_int_equal(r.count, 10000000);
	assert_int_equal(r.burst, 20000000);
	assert_int_equal(value_rate("1/10s", &r), 0);
	assert_int_equal(r.period, 10 * SECOND);
	assert_int_equal(value_rate("10000/day", &r), 0);
	assert_int_equal(value_rate("unlimited", &r), 0);
	assert_int_equal(r.state, RATE_UNLIMITED);
}

static void what_is_no_rate_leaves_the_rate_alone(void **state)
{
	static const char *const wrong[] = {
		"",
		"30",
		"30/",
		"/min",
		"30 per min",
		"0/min",
		"30/0s",
		"30/fortnight",
		"30/min burst",
		"30/min burst 0",
		"30/minburst 3",
		"30/min burst 3 ",
		"-3/min",
		"30/min, burst 3",
		"Unlimited",
		"99999999999999999999/s",
		"1/99999999999d",
	};
	struct rate r = {.count = 7};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_not_equal(value_rate(wrong[i], &r), 0);
		assert_int_equal(r.count, 7);
	}
}

static int to_gcra(const char *text, bool bytes, struct gcra *gcra)
{
	struct rate r;

	assert_int_equal(value_rate(text, &r), 0);
	return rate_gcra(&r, bytes, gcra);
}

static void rates_become_intervals_and_tolerances(void **state)
{
	struct gcra g;

	assert_int_equal(to_gcra("30/min", false, &g), 0);
	assert_int_equal(g.interval, 2 * SECOND);
	assert_int_equal(g.tolerance, 58 * SECOND);
	assert_int_equal(to_gcra("5/s burst 1", false, &g), 0);
	assert_int_equal(g.interval, SECOND / 5);
	assert_int_equal(g.tolerance, 0);
	assert_int_equal(to_gcra("1M/s", true, &g), 0);
	assert_int_equal(g.interval, 1000 * GCRA_BYTES_UNIT);
	assert_int_equal(to_gcra("unlimited", false, &g), 0);
	assert_int_equal(g.interval, 0);
	assert_int_equal(to_gcra("3G/s", false, &g), -ERANGE);
	assert_int_equal(to_gcra("1/400d burst 3", false, &g), -ERANGE);
	/* Its product is 2^128 and a little: no burst of nothing. */
	assert_int_equal(to_gcra("1/400d burst 9614000000000000001", true, &g), -ERANGE);
}

static int network(const char *text, char *shown)
{
	struct prefix p = {0};
	int err = cidr_parse(text, &p);

	if (err != -EINVAL)
		cidr_format(&p, shown);
	return err;
}

static void networks_are_addresses_with_a_length(void **state)
{
	static const char *const wrong[] = {
		"",           "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0/8",
		"::/129",     "10.0.0.0/-1", "host/8",    "10.0.0.0/8 ", "1.2.3.4/8/8",
		"010.0.0.0/8"};
	char shown[CIDR_TEXT_SIZE];

	assert_int_equal(network("10.0.0.0/8", shown), 0);
	assert_string_equal(shown, "10.0.0.0/8");
	assert_int_equal(network("192.0.2.7", shown), 0);
	assert_string_equal(shown, "192.0.2.7/32");
	assert_int_equal(network("2001:DB8::/32", shown), 0);
	assert_string_equal(shown, "2001:db8::/32");
	assert_int_equal(network("0.0.0.0/0", shown), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(network(wrong[i], shown), -EINVAL);
}

static void host_bits_are_told_with_the_network_that_was_meant(void **state)
{
	char shown[CIDR_TEXT_SIZE];

	assert_int_equal(network("10.1.2.3/12", shown), -EDOM);
	assert_string_equal(shown, "10.0.0.0/12");
	assert_int_equal(network("2001:db8::1/64", shown), -EDOM);
	assert_string_equal(shown, "2001:db8::/64");
}

static void neighbouring_letters_swapped_are_one_mistake(void **state)
{
	assert_int_equal(suggest_distance("tier", "tier"), 0);
	assert_int_equal(suggest_distance("teir", "tier"), 1);
	assert_int_equal(suggest_distance("recipiens", "recipients"), 1);
	assert_int_equal(suggest_distance("kitten", "sitting"), 3);
	assert_int_equal(suggest_distance("", "abc"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_have_a_unit),
		cmocka_unit_test(sizes_may_have_a_unit),
		cmocka_unit_test(a_rate_is_a_count_a_period_and_perhaps_a_burst),
		cmocka_unit_test(what_is_no_rate_leaves_the_rate_alone),
		cmocka_unit_test(rates_become_intervals_and_tolerances),
		cmocka_unit_test(networks_are_addresses_with_a_length),
		cmocka_unit_test(host_bits_are_told_with_the_network_that_was_meant),
		cmocka_unit_test(neighbouring_letters_swapped_are_one_mistake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
