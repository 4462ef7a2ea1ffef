/* SPDX-License-Identifier: BSD-3-Clause */
/* What rules remember: until when, whose share, and that several workers count together. */
#include "dataplane/match/match_memory.h"

#include <errno.h>
#include <pthread.h>

#include "tests/unit/test.h"

#define SECOND 1000000000ull
#define START  (1800000000 * SECOND) /* ns since 1970, as the gate's clock */

static struct match_memory_key key_of(uint64_t what, uint32_t tenant)
{
	return (struct match_memory_key){.what = what, .kind = 1, .tenant = tenant};
}

static struct match_memory *memory_of(uint32_t entries)
{
	struct match_memory *memory;

	assert_int_equal(match_memory_new(entries, NULL, &memory), 0);
	return memory;
}

static void a_bit_is_there_until_its_end(void **state)
{
	struct match_memory *m = memory_of(64);
	struct match_memory_key a = key_of(1, 1), b = key_of(2, 1);

	assert_false(match_memory_has(m, &a, START));
	assert_true(match_memory_set(m, &a, START, START + SECOND));
	assert_true(match_memory_has(m, &a, START + SECOND - 1000000));
	assert_false(match_memory_has(m, &a, START + SECOND));
	assert_false(match_memory_has(m, &b, START));
	assert_true(match_memory_set(m, &a, START, START + 5 * SECOND));
	assert_true(match_memory_has(m, &a, START + 4 * SECOND));
	match_memory_clear(m, &a, START);
	assert_false(match_memory_has(m, &a, START));
	match_memory_free(m);
}

static void a_count_starts_over_when_its_time_is_up(void **state)
{
	struct match_memory *m = memory_of(64);
	struct match_memory_key a = key_of(1, 1);

	assert_int_equal(match_memory_count(m, &a, START, 10 * SECOND, 0), 1);
	assert_int_equal(match_memory_count(m, &a, START + 9 * SECOND, 10 * SECOND, 0), 2);
	assert_int_equal(match_memory_count(m, &a, START + 10 * SECOND, 10 * SECOND, 0), 1);
	assert_int_equal(match_memory_count(m, &a, START + 11 * SECOND, 10 * SECOND, 2), 2);
	assert_int_equal(match_memory_count(m, &a, START + 12 * SECOND, 10 * SECOND, 2), 1);
	match_memory_free(m);
}

/* One place of eight: a tenant's fifth takes its own first to end; another's stay. */
static void a_tenant_has_half_of_a_place(void **state)
{
	struct match_memory *m = memory_of(8);
	struct match_memory_key other = key_of(99, 2);

	assert_true(match_memory_set(m, &other, START, START + SECOND));
	for (uint64_t i = 0; i < 4; i++) {
		struct match_memory_key key = key_of(i, 1);

		assert_true(match_memory_set(m, &key, START, START + (10 + i) * SECOND));
	}
	for (uint64_t i = 4; i < 100; i++) {
		struct match_memory_key key = key_of(i, 1);

		assert_true(match_memory_set(m, &key, START, START + (10 + i) * SECOND));
		key = key_of(i - 4, 1);
		assert_false(match_memory_has(m, &key, START));
	}
	assert_true(match_memory_has(m, &other, START));
	assert_int_equal(match_memory_full(m), 96);
	match_memory_free(m);
}

static void without_a_place_nothing_is_remembered(void **state)
{
	struct match_memory *m = memory_of(8);
	struct match_memory_key third = key_of(1, 3);

	for (uint64_t i = 0; i < 4; i++) {
		for (uint32_t tenant = 1; tenant < 3; tenant++) {
			struct match_memory_key key = key_of(i, tenant);

			assert_true(match_memory_set(m, &key, START, START + SECOND));
		}
	}
	assert_false(match_memory_set(m, &third, START, START + SECOND));
	assert_int_equal(match_memory_count(m, &third, START, SECOND, 0), 0);
	/* What is over makes room. */
	assert_int_equal(match_memory_count(m, &third, START + SECOND, SECOND, 0), 1);
	match_memory_free(m);
}

#define THREADS 4
#define TIMES   20000
#define KEYS    50

static void *count_all(void *memory)
{
	for (uint64_t i = 0; i < TIMES; i++) {
		struct match_memory_key key = key_of(i % KEYS, (uint32_t)(i % KEYS));

		if (!match_memory_count(memory, &key, START, 1000 * SECOND, 0))
			return memory;
	}
	return NULL;
}

static void workers_count_together(void **state)
{
	struct match_memory *m = memory_of(4096);
	pthread_t thread[THREADS];
	void *failed;

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, count_all, m), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(thread[i], &failed), 0);
		assert_null(failed);
	}
	for (uint64_t i = 0; i < KEYS; i++) {
		struct match_memory_key key = key_of(i, (uint32_t)i);

		assert_int_equal(match_memory_count(m, &key, START, 1000 * SECOND, 0),
				 THREADS * TIMES / KEYS + 1);
	}
	match_memory_free(m);
}

#define ROUNDS 2000
#define COUNTS 8

struct maker {
	pthread_t thread;
	pthread_barrier_t *barrier;
	struct match_memory *memory;
	uint64_t now;
};

/* Half of them are half a second ahead. */
static uint64_t clock_of_maker(unsigned index)
{
	return START + index % 2 * SECOND / 2;
}

static struct match_memory_key key_of_round(uint64_t i)
{
	return key_of(i, 1 + (uint32_t)i % 2);
}

static void *make_each_round(void *arg)
{
	const struct maker *m = arg;

	for (uint64_t i = 0; i < ROUNDS; i++) {
		const struct match_memory_key key = key_of_round(i);

		pthread_barrier_wait(m->barrier);
		for (unsigned n = 0; n < COUNTS; n++)
			match_memory_count(m->memory, &key, m->now + i * SECOND, 2 * SECOND, 0);
		pthread_barrier_wait(m->barrier);
	}
	return NULL;
}

/*
 * Workers' clocks differ, so what is over for the one, and may be had, isn't for the other: they
 * make one key's entry in two places. All of a round's counts are in it in the end.
 */
static void an_entry_that_two_make_at_once_has_what_both_counted(void **state)
{
	struct maker makers[THREADS];
	pthread_barrier_t barrier;
	struct match_memory *m = memory_of(8);
	unsigned wrong = 0;

	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (unsigned i = 0; i < THREADS; i++) {
		makers[i] =
			(struct maker){.barrier = &barrier, .memory = m, .now = clock_of_maker(i)};
		assert_int_equal(
			pthread_create(&makers[i].thread, NULL, make_each_round, &makers[i]), 0);
	}
	for (uint64_t i = 0; i < ROUNDS; i++) {
		const struct match_memory_key key = key_of_round(i);

		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		wrong += match_memory_count(m, &key, clock_of_maker(1) + i * SECOND, 2 * SECOND,
					    0) != THREADS * COUNTS + 1;
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(makers[i].thread, NULL);
	assert_int_equal(wrong, 0);
	pthread_barrier_destroy(&barrier);
	match_memory_free(m);
}

static void a_size_that_is_none_is_refused(void **state)
{
	struct match_memory *m;

	assert_int_equal(match_memory_new(4, NULL, &m), -EINVAL);
	assert_int_equal(match_memory_new(100, NULL, &m), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bit_is_there_until_its_end),
		cmocka_unit_test(a_count_starts_over_when_its_time_is_up),
		cmocka_unit_test(a_tenant_has_half_of_a_place),
		cmocka_unit_test(without_a_place_nothing_is_remembered),
		cmocka_unit_test(workers_count_together),
		cmocka_unit_test(an_entry_that_two_make_at_once_has_what_both_counted),
		cmocka_unit_test(a_size_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
