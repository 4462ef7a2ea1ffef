/* SPDX-License-Identifier: BSD-3-Clause */
/* What is kept of tenants' mail: counts of a day, which several workers take of. */
#include "dataplane/smtp/mail_watch.h"

#include <pthread.h>

#include "tests/unit/test.h"

#define SECOND UINT64_C(1000000000)
#define DAY    (86400 * SECOND)
#define NOON   (20000 * DAY + DAY / 2)

static void a_days_count_stops_at_its_limit_and_begins_anew_at_midnight(void **state)
{
	_Atomic uint64_t word = 0;

	for (uint32_t i = 1; i <= 3; i++)
		assert_int_equal(mail_watch_day_add(&word, NOON + i, 3), i);
	assert_int_equal(mail_watch_day_add(&word, NOON + 4, 3), 0);
	assert_int_equal(mail_watch_day_add(&word, NOON + DAY / 2 - 1, 3), 0);
	assert_int_equal(mail_watch_day_add(&word, NOON + DAY / 2, 3), 1);
	/* A worker whose clock is a little behind counts for the day that has begun. */
	assert_int_equal(mail_watch_day_add(&word, NOON + DAY / 2 - 1, 3), 2);
	assert_int_equal(mail_watch_day_add(&word, NOON + DAY, 3), 3);
	assert_int_equal(mail_watch_day_add(&word, NOON + DAY, 3), 0);
	/* Without a limit it only counts; a lower one holds at once. */
	assert_int_equal(mail_watch_day_add(&word, NOON + DAY, 0), 4);
	assert_int_equal(mail_watch_day_add(&word, NOON + DAY, 2), 0);
	assert_int_equal(mail_watch_day_add(&word, NOON + 9 * DAY, 2), 1);
	/* A clock that was set back by days begins anew. */
	assert_int_equal(mail_watch_day_add(&word, NOON, 2), 1);
}

static void what_came_to_nothing_is_taken_back_but_not_of_another_day(void **state)
{
	_Atomic uint64_t word = 0;

	mail_watch_day_undo(&word, NOON);
	assert_int_equal(mail_watch_day_add(&word, NOON, 2), 1);
	mail_watch_day_undo(&word, NOON + DAY);
	assert_int_equal(mail_watch_day_add(&word, NOON, 2), 2);
	mail_watch_day_undo(&word, NOON);
	mail_watch_day_undo(&word, NOON);
	mail_watch_day_undo(&word, NOON);
	assert_int_equal(mail_watch_day_add(&word, NOON, 2), 1);
}

#define WORKERS 4
#define EACH    20000
#define MOST    30000

struct taker {
	pthread_t thread;
	_Atomic uint64_t *word;
	uint32_t took;
};

static void *take(void *arg)
{
	struct taker *t = arg;

	for (unsigned i = 0; i < EACH; i++)
		t->took += mail_watch_day_add(t->word, NOON + i, MOST) != 0;
	return NULL;
}

static void several_workers_take_no_more_than_there_is(void **state)
{
	struct taker takers[WORKERS];
	_Atomic uint64_t word = 0;
	uint32_t took = 0;

	for (unsigned i = 0; i < WORKERS; i++) {
		takers[i] = (struct taker){.word = &word};
		assert_int_equal(pthread_create(&takers[i].thread, NULL, take, &takers[i]), 0);
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		pthread_join(takers[i].thread, NULL);
		took += takers[i].took;
	}
	assert_int_equal(took, MOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_days_count_stops_at_its_limit_and_begins_anew_at_midnight),
		cmocka_unit_test(what_came_to_nothing_is_taken_back_but_not_of_another_day),
		cmocka_unit_test(several_workers_take_no_more_than_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
