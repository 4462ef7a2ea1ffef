/* SPDX-License-Identifier: BSD-3-Clause */
/* What a live gate is told, what it calls its ports, and its clock. */
#include "dataplane/live/live.h"

#include <getopt.h>
#include <time.h>

#include "dataplane/live/interface_check.h"
#include "tests/gate_fixture.h"
#include "tests/unit/test.h"

static struct live_options o;

static int parse(const char *line)
{
	static char copy[512];
	char *argv[32] = {(char *)(uintptr_t) "postern-dataplane"}, *save = NULL;
	int argc = 1;
	bool done;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	optind = 0;
	return live_options_parse(&o, argc, argv, &done);
}

static void a_command_line_that_is_good(void **state)
{
	assert_int_equal(parse("--inside a --outside b"), 0);
	assert_int_equal(o.workers, 1);
	assert_int_equal(o.queues, 1);
	assert_int_equal(o.mode, LIVE_DPDK);
	assert_int_equal(parse("--inside a --outside b --workers 3 --lcores 0,4,5,6 --idle-us 50 "
			       "--mode dpdk --huge no --policy p --ruleset r --ring 8"),
			 0);
	assert_int_equal(o.workers, 3);
	assert_int_equal(o.queues, 3);
	assert_int_equal(o.idle_us, 50);
	assert_int_equal(o.ring_mb, 8);
	assert_int_equal(o.huge, HUGE_NO);
	assert_string_equal(o.port[PORT_OUTSIDE], "b");
}

static void command_lines_that_are_not(void **state)
{
	static const char *const lines[] = {
		"",
		"--inside a",
		"--inside a --outside a",
		"--inside a --outside b --workers 0",
		"--inside a --outside b --workers 33",
		"--inside a --outside b --workers 2x",
		"--inside a --outside b --workers -1",
		"--inside a --outside b --lcores 0",
		"--inside a --outside b --lcores 0,x",
		"--inside a --outside b --ruleset r",
		"--inside a --outside b --mode quick",
		"--inside a --outside b --ring 3",
		"--inside a --outside b --mtu 9000",
		"--inside a --outside b --idle-us 1001",
		"--inside a --outside b surplus",
		"--inside a --outside b --nonsense",
		"--inside a --outside b --socket "
		"/012345678901234567890123456789012345678901234567890123456789012345678901234567890"
		"1"
		"23456789012345678901234567890",
	};

	for (unsigned i = 0; i < RTE_DIM(lines); i++)
		assert_int_equal(parse(lines[i]), 2);
}

static void ports_are_interfaces_or_devices(void **state)
{
	char spec[PORT_LIVE_SPEC];

	assert_true(port_live_spec("lo", 1, 2, spec));
	assert_string_equal(spec, "net_af_packet1,iface=lo,qpairs=2");
	assert_true(port_live_spec("net_tap0,iface=x", 0, 1, spec));
	assert_string_equal(spec, "net_tap0,iface=x");
	assert_true(port_live_spec("0000:3b:00.0", 0, 1, spec));
	assert_string_equal(spec, "0000:3b:00.0");
	assert_false(port_live_spec("nosuchport", 0, 1, spec));
	assert_false(port_live_spec("", 0, 1, spec));
	assert_false(port_live_spec_xdp("net_tap0", 0, 0, 1, "x.o", spec));
}

static void the_remedy_is_a_line_to_run(void **state)
{
	struct interface_state merging = {.up = true, .mtu = 1500, .merges = "gro lro"}, real;
	char line[128];

	interface_remedy("eth0", &merging, line, sizeof(line));
	assert_string_equal(line, "ethtool -K eth0 gro off lro off");
	interface_remedy("eth0", &merging, line, 12);
	assert_int_equal(strlen(line), 11);
	assert_int_equal(interface_state_read("lo", &real), 0);
	assert_true(real.mtu > 1500);
	assert_true(interface_state_read("nosuchport", &real) < 0);
	assert_true(interface_state_read("averyveryverylongname", &real) < 0);
}

static uint64_t system_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Within a minute, which says that the units are right: machines that run tests are slow. */
static void the_clock_is_the_systems_and_never_goes_back(void **state)
{
	static struct live_clock clock;
	uint64_t last = 0;

	live_clock_init(&clock);
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t now = live_clock_now(&clock);

		if (i % 1000 == 0)
			live_clock_correct(&clock);
		assert_true(now + 100 >= last); /* ns: where the rate changes */
		last = RTE_MAX(last, now);
	}
	assert_in_range(last, system_ns() - UINT64_C(60000000000),
			system_ns() + UINT64_C(60000000000));
}

static void a_clock_that_is_far_off_is_slewed_not_set(void **state)
{
	static struct live_clock clock;
	uint64_t ns, rate;

	live_clock_init(&clock);
	ns = atomic_load(&clock.ns);
	rate = atomic_load(&clock.rate);
	atomic_store(&clock.ns, ns - UINT64_C(3600000000000)); /* the system's was set forward */
	assert_true(live_clock_correct(&clock) > INT64_C(3500000000000));
	assert_true(live_clock_now(&clock) < ns);
	assert_in_range(atomic_load(&clock.rate), rate / 100 * 105, rate / 100 * 115);
	atomic_store(&clock.ns, ns + UINT64_C(3600000000000)); /* and back */
	assert_true(live_clock_correct(&clock) < INT64_C(-3500000000000));
	assert_in_range(atomic_load(&clock.rate), rate / 100 * 85, rate / 100 * 95);
}

/* The main thread was kept from its CPU between the counter and the clocks. */
static void a_reading_that_took_long_is_not_believed(void **state)
{
	const uint64_t hz = rte_get_tsc_hz(), hour = 3600;
	const uint64_t later = (hour * 10 + 9) * 100000000; /* ns */
	static struct live_clock clock;
	struct live_clock_reading r;
	uint64_t rate;

	live_clock_init(&clock);
	clock.first_width = 0; /* whoever runs this */
	rate = clock.true_rate;
	/* In an hour, so that the machine's own time is far from it. */
	r = (struct live_clock_reading){
		.cycles = clock.first_cycles + hour * hz,
		.width = hz,
		.monotonic = clock.first_monotonic + later,
		.system = live_clock_at(&clock, clock.first_cycles) + later,
	};
	assert_int_equal(live_clock_correct_by(&clock, &r), 0);
	assert_int_equal(clock.true_rate, rate);
	assert_int_equal(atomic_load(&clock.rate), rate);
	/* Beyond any doubt it is behind, though not by how much. */
	r.system += UINT64_C(3000000000);
	assert_in_range(live_clock_correct_by(&clock, &r), 2000000000, 3500000000);
	assert_int_equal(clock.true_rate, rate);
	/* One that is narrow is: the counter is a thousandth faster than it was thought to be. */
	r.cycles += hour * hz / 1000;
	r.width = hz / 1000000;
	r.monotonic = clock.first_monotonic + hour * 1000000000;
	live_clock_correct_by(&clock, &r);
	assert_in_range(clock.true_rate, rate / 10000 * 9985, rate / 10000 * 9995);
}

static int environment(void **state)
{
	gate_fixture_environment();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_line_that_is_good),
		cmocka_unit_test(command_lines_that_are_not),
		cmocka_unit_test(ports_are_interfaces_or_devices),
		cmocka_unit_test(the_remedy_is_a_line_to_run),
		cmocka_unit_test(the_clock_is_the_systems_and_never_goes_back),
		cmocka_unit_test(a_clock_that_is_far_off_is_slewed_not_set),
		cmocka_unit_test(a_reading_that_took_long_is_not_believed),
	};

	return cmocka_run_group_tests(tests, environment, NULL);
}
