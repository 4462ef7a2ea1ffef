/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/policy/limit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "control/config/value.h"
#include "tests/unit/test.h"

#define MS     UINT64_C(1000000)
#define SECOND (1000 * MS)
#define MINUTE (60 * SECOND)
#define DAY    (24 * 60 * MINUTE)

/* 2026-01-01, as a capture's clock has it. */
#define THEN (UINT64_C(1767225600) * SECOND)

struct fixture {
	struct policy policy;
	struct tenant_slot slots[2];
};

static struct fixture *new_fixture(enum tenant_limit limit, const char *text)
{
	struct fixture *f = aligned_alloc(64, (sizeof(*f) + 63) / 64 * 64);
	struct rate rate;

	assert_non_null(f);
	memset(f, 0, sizeof(*f));
	f->policy.slots = f->slots;
	f->policy.slot_count = 2;
	assert_int_equal(value_rate(text, &rate), 0);
	assert_int_equal(rate_gcra(&rate, limit == LIMIT_BYTES, &f->slots[1].limit[limit]), 0);
	return f;
}

static unsigned taken(struct fixture *f, enum tenant_limit limit, uint64_t now, unsigned tries)
{
	unsigned within = 0;

	for (unsigned i = 0; i < tries; i++)
		within += limit_take(&f->policy, 1, limit, now, 1) == LIMIT_WITHIN;
	return within;
}

static void the_31st_message_in_a_minute_is_refused_and_the_next_minute_passes(void **state)
{
	struct fixture *f = new_fixture(LIMIT_MESSAGES, "30/min");

	for (unsigned i = 0; i < 30; i++)
		assert_int_equal(limit_take(&f->policy, 1, LIMIT_MESSAGES, THEN + i * MS, 1),
				 LIMIT_WITHIN);
	assert_int_equal(limit_take(&f->policy, 1, LIMIT_MESSAGES, THEN + 30 * MS, 1), LIMIT_OVER);
	assert_int_equal(taken(f, LIMIT_MESSAGES, THEN + MINUTE + 30 * MS, 31), 30);
	free(f);
}

static void a_bucket_drains_at_its_rate(void **state)
{
	struct fixture *f = new_fixture(LIMIT_MESSAGES, "30/min");

	assert_int_equal(taken(f, LIMIT_MESSAGES, THEN, 100), 30);
	assert_int_equal(taken(f, LIMIT_MESSAGES, THEN + 2 * SECOND - 1, 9), 0);
	assert_int_equal(taken(f, LIMIT_MESSAGES, THEN + 2 * SECOND, 9), 1);
	assert_int_equal(taken(f, LIMIT_MESSAGES, THEN + 8 * SECOND, 9), 3);
	/* Years of silence are worth one burst, not more. */
	assert_int_equal(taken(f, LIMIT_MESSAGES, THEN + 2000 * DAY, 100), 30);
	free(f);
}

static void a_day_lets_through_its_number_and_the_refill(void **state)
{
	struct fixture *f = new_fixture(LIMIT_RECIPIENTS, "10000/day burst 100");
	unsigned within = 0;

	for (uint64_t t = 0; t < DAY; t += SECOND)
		within += taken(f, LIMIT_RECIPIENTS, THEN + t, 2);
	assert_in_range(within, 10090, 10100);
	free(f);
}

static void over_takes_nothing(void **state)
{
	struct fixture *f = new_fixture(LIMIT_CALLS, "5/s");
	gcra_word before;

	assert_int_equal(taken(f, LIMIT_CALLS, THEN, 5), 5);
	before = f->slots[1].bucket[LIMIT_CALLS];
	assert_int_equal(taken(f, LIMIT_CALLS, THEN, 1000), 0);
	assert_int_equal(f->slots[1].bucket[LIMIT_CALLS], before);
	free(f);
}

static void shadow_counts_and_lets_go_on(void **state)
{
	struct fixture *f = new_fixture(LIMIT_CALLS, "1/s");

	f->slots[1].shadow = 1U << LIMIT_CALLS;
	assert_int_equal(limit_take(&f->policy, 1, LIMIT_CALLS, THEN, 1), LIMIT_WITHIN);
	assert_int_equal(limit_take(&f->policy, 1, LIMIT_CALLS, THEN, 1), LIMIT_SHADOW_OVER);
	f->slots[1].shadow = 1U << LIMIT_BYTES;
	assert_int_equal(limit_take(&f->policy, 1, LIMIT_CALLS, THEN, 1), LIMIT_OVER);
	f->policy.shadow = true;
	assert_int_equal(limit_take(&f->policy, 1, LIMIT_CALLS, THEN, 1), LIMIT_SHADOW_OVER);
	free(f);
}

static void a_clock_that_goes_back_gains_nothing_and_recovers(void **state)
{
	struct fixture *f = new_fixture(LIMIT_CALLS, "1/s burst 3");

	assert_int_equal(taken(f, LIMIT_CALLS, THEN, 9), 3);
	assert_int_equal(taken(f, LIMIT_CALLS, THEN - 10 * SECOND, 9), 0);
	assert_int_equal(taken(f, LIMIT_CALLS, THEN - 365 * DAY, 9), 0);
	assert_int_equal(taken(f, LIMIT_CALLS, THEN + SECOND, 9), 1);
	assert_int_equal(taken(f, LIMIT_CALLS, THEN + 4 * SECOND, 9), 3);
	free(f);
}

/* A gate that changes its mode: time since 1970 and the machine's own, in one bucket. */
static void what_another_clock_left_in_a_bucket_is_no_debt(void **state)
{
	struct fixture *f = new_fixture(LIMIT_PACKETS, "1/s burst 3");
	const uint64_t uptime = 90 * DAY;

	assert_int_equal(taken(f, LIMIT_PACKETS, THEN, 9), 3);
	assert_int_equal(taken(f, LIMIT_PACKETS, uptime, 9), 3);
	assert_int_equal(taken(f, LIMIT_PACKETS, uptime, 9), 0);
	assert_int_equal(taken(f, LIMIT_PACKETS, uptime + 2 * SECOND, 9), 2);
	assert_int_equal(taken(f, LIMIT_PACKETS, THEN + SECOND, 9), 3);
	assert_int_equal(taken(f, LIMIT_PACKETS, THEN + SECOND, 9), 0);
	free(f);
}

static void huge_costs_do_not_wrap_around(void **state)
{
	struct fixture *f = new_fixture(LIMIT_RECIPIENTS, "1/day");

	assert_int_equal(limit_take(&f->policy, 1, LIMIT_RECIPIENTS, THEN, UINT64_MAX),
			 LIMIT_WITHIN);
	assert_true(f->slots[1].bucket[LIMIT_RECIPIENTS] > THEN);
	assert_int_equal(taken(f, LIMIT_RECIPIENTS, THEN, 9), 0);
	assert_int_equal(taken(f, LIMIT_RECIPIENTS, THEN + 365 * DAY, 9), 0);
	free(f);
}

static void bytes_are_counted_finer_than_nanoseconds(void **state)
{
	/* 100 Gbit/s: less than a tenth of a ns a byte. */
	struct fixture *f = new_fixture(LIMIT_BYTES, "12500M/s burst 1M");
	uint64_t passed = 0;

	for (uint64_t t = 0; t < 20 * MS; t += 50)
		if (limit_take(&f->policy, 1, LIMIT_BYTES, THEN + t, 1500) == LIMIT_WITHIN)
			passed += 1500;
	/* 30 GB/s offered for 20 ms: 250 MB and a burst go through, within 3 %. */
	assert_in_range(passed, 243000000, 258000000);
	free(f);
}

static void an_unset_limit_lets_everything_through(void **state)
{
	struct fixture *f = new_fixture(LIMIT_BYTES, "unlimited");

	assert_int_equal(taken(f, LIMIT_BYTES, THEN, 1000), 1000);
	assert_int_equal(f->slots[1].bucket[LIMIT_BYTES], 0);
	free(f);
}

struct racer {
	struct fixture *fixture;
	pthread_t thread;
	unsigned within;
};

static void *race(void *arg)
{
	struct racer *r = arg;

	r->within = taken(r->fixture, LIMIT_CALLS, THEN, 20000);
	return NULL;
}

static void threads_share_one_bucket(void **state)
{
	struct fixture *f = new_fixture(LIMIT_CALLS, "5000/h");
	struct racer racers[4];
	unsigned within = 0;

	for (unsigned i = 0; i < 4; i++) {
		racers[i] = (struct racer){.fixture = f};
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(racers[i].thread, NULL);
		within += racers[i].within;
	}
	assert_int_equal(within, 5000);
	free(f);
}

struct changer {
	pthread_t thread;
	struct gcra *limit;
	_Atomic bool stop;
};

/* Control takes a limit away and brings it back. */
static void *change(void *arg)
{
	struct changer *c = arg;
	const struct gcra none = {0}, some = {MS, SECOND};

	while (!atomic_load(&c->stop)) {
		gcra_write(c->limit, &none);
		gcra_write(c->limit, &some);
	}
	return NULL;
}

static void what_is_within_both_limits_is_so_while_one_becomes_the_other(void **state)
{
	struct fixture *f = new_fixture(LIMIT_CALLS, "unlimited");
	struct changer c = {.limit = &f->slots[1].limit[LIMIT_CALLS]};

	assert_int_equal(pthread_create(&c.thread, NULL, change, &c), 0);
	for (unsigned i = 0; i < 200000; i++)
		assert_int_equal(taken(f, LIMIT_CALLS, THEN + i * 4 * MS, 3), 3);
	atomic_store(&c.stop, true);
	pthread_join(c.thread, NULL);
	free(f);
}

/* A worker has read the one word, stands still, and reads the other: as if by hand. */
static void a_limit_that_is_taken_away_leaves_its_tolerance(void **state)
{
	const struct gcra some = {MS, SECOND}, none = {0}, other = {2 * MS, 3 * SECOND};
	struct gcra live = {0};

	gcra_write(&live, &some);
	assert_true(gcra_is(&live, &some));
	assert_false(gcra_is(&live, &none));
	gcra_write(&live, &none);
	assert_true(gcra_is(&live, &none));
	assert_int_equal(live.interval, 0);
	assert_int_equal(live.tolerance, SECOND);
	gcra_write(&live, &other);
	assert_int_equal(gcra_read(&live).interval, 2 * MS);
	assert_int_equal(gcra_read(&live).tolerance, 3 * SECOND);
}

/* Who lost all of its races takes all the same, and takes no more than there is. */
static void who_is_always_second_takes_what_is_there(void **state)
{
	const struct gcra limit = {MS, 9 * MS};
	gcra_word bucket = 0;

	for (unsigned i = 0; i < 4; i++)
		assert_true(gcra_take(&bucket, &limit, THEN, 1));
	for (unsigned i = 0; i < 6; i++)
		assert_true(gcra_take_crowded(&bucket, &limit, THEN, 1));
	assert_true(bucket == THEN + 10 * MS);
	assert_false(gcra_take_crowded(&bucket, &limit, THEN, 1));
	assert_false(gcra_take(&bucket, &limit, THEN, 1));
	assert_true(bucket == THEN + 10 * MS);
	assert_true(gcra_take_crowded(&bucket, &limit, THEN + 4 * MS, 4));
	assert_false(gcra_take_crowded(&bucket, &limit, THEN + 4 * MS, 1));
	assert_true(gcra_take(&bucket, &limit, THEN + 5 * MS, 1));
}

static void *crowd(void *arg)
{
	struct racer *r = arg;

	for (unsigned i = 0; i < 20000; i++)
		r->within += gcra_take_crowded(&r->fixture->slots[1].bucket[LIMIT_CALLS],
					       &r->fixture->slots[1].limit[LIMIT_CALLS], THEN, 1);
	return NULL;
}

/* Some by the one way and some by the other; nobody is refused while there are any. */
static void of_a_crowd_nobody_is_refused_while_there_is_one_left(void **state)
{
	static const struct {
		const char *rate;
		unsigned passed;
	} tests[] = {{"80001/h", 80001}, {"50000/h", 50000}};

	for (unsigned t = 0; t < 2; t++) {
		struct fixture *f = new_fixture(LIMIT_CALLS, tests[t].rate);
		struct racer racers[4];
		/* There is no crowd where nobody took yet. */
		unsigned within = taken(f, LIMIT_CALLS, THEN, 1);

		for (unsigned i = 0; i < 4; i++) {
			racers[i] = (struct racer){.fixture = f};
			assert_int_equal(pthread_create(&racers[i].thread, NULL,
							i & 1 ? crowd : race, &racers[i]),
					 0);
		}
		for (unsigned i = 0; i < 4; i++) {
			pthread_join(racers[i].thread, NULL);
			within += racers[i].within;
		}
		assert_int_equal(within, tests[t].passed);
		free(f);
	}
}

static void every_limit_has_its_reason(void **state)
{
	assert_int_equal(limit_reason(LIMIT_MESSAGES), REASON_LIMIT_MESSAGES);
	assert_int_equal(limit_reason(LIMIT_SIP_REQUESTS), REASON_LIMIT_SIP_REQUESTS);
}

static void of_sip_a_few_packets_a_second_are_read_whatever_else_was_sent(void **state)
{
	struct fixture *f = new_fixture(LIMIT_PACKETS, "3/d");
	unsigned read = 0;

	assert_int_equal(taken(f, LIMIT_PACKETS, THEN, 10), 3);
	for (unsigned i = 0; i < 1000; i++)
		read += limit_spend_read(&f->slots[1], 1, THEN);
	assert_int_equal(read, LIMIT_CALLS_READ);
	/* Ten seconds of a thousand a second: as many as come back, and no more. */
	for (unsigned i = 0; i < 10000; i++)
		read += limit_spend_read(&f->slots[1], 1, THEN + i * MS);
	assert_in_range(read, 11 * LIMIT_CALLS_READ - 1, 11 * LIMIT_CALLS_READ);
	/* All the while others of the tenant's have theirs; but no more of them than there are
	 * buckets.
	 */
	read = 0;
	for (uint64_t sender = 0; sender < 100; sender++)
		for (unsigned i = 0; i < 10; i++)
			read += limit_spend_read(&f->slots[1], sender, THEN + 10 * SECOND);
	assert_in_range(read, (LIMIT_CALLS_WAYS - 1) * LIMIT_CALLS_READ,
			LIMIT_CALLS_WAYS * LIMIT_CALLS_READ);
	assert_int_equal(taken(f, LIMIT_PACKETS, THEN + 10 * SECOND, 1), 0);
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_31st_message_in_a_minute_is_refused_and_the_next_minute_passes),
		cmocka_unit_test(a_bucket_drains_at_its_rate),
		cmocka_unit_test(a_day_lets_through_its_number_and_the_refill),
		cmocka_unit_test(over_takes_nothing),
		cmocka_unit_test(shadow_counts_and_lets_go_on),
		cmocka_unit_test(a_clock_that_goes_back_gains_nothing_and_recovers),
		cmocka_unit_test(what_another_clock_left_in_a_bucket_is_no_debt),
		cmocka_unit_test(huge_costs_do_not_wrap_around),
		cmocka_unit_test(bytes_are_counted_finer_than_nanoseconds),
		cmocka_unit_test(an_unset_limit_lets_everything_through),
		cmocka_unit_test(threads_share_one_bucket),
		cmocka_unit_test(what_is_within_both_limits_is_so_while_one_becomes_the_other),
		cmocka_unit_test(a_limit_that_is_taken_away_leaves_its_tolerance),
		cmocka_unit_test(who_is_always_second_takes_what_is_there),
		cmocka_unit_test(of_a_crowd_nobody_is_refused_while_there_is_one_left),
		cmocka_unit_test(every_limit_has_its_reason),
		cmocka_unit_test(of_sip_a_few_packets_a_second_are_read_whatever_else_was_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
