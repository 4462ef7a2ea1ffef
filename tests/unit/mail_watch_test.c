/* SPDX-License-Identifier: BSD-3-Clause */
/* What is kept of tenants' mail: counts of a day, which several workers take of. */
#include "dataplane/smtp/mail_watch.h"

#include <pthread.h>

#include "tests/unit/test.h"

#define SECOND UINT64_C(1000000000)
#define DAY    (86400 * SECOND)
#define NOON   (20000 * DAY + DAY / 2)
#define TENANT 7

static void a_days_count_stops_at_its_limit_and_begins_anew_at_midnight(void **state)
{
	_Atomic uint64_t word = 0;

	for (uint32_t i = 1; i <= 3; i++)
		assert_int_equal(mail_watch_day_add(&word, TENANT, NOON + i, 3), i);
	assert_int_equal(mail_watch_day_add(&word, TENANT, NOON + 4, 3), 0);
	assert_int_equal(mail_watch_day_add(&word, TENANT, NOON + DAY / 2 - 1, 3), 0);
	assert_int_equal(mail_watch_day_add(&word, TENANT, NOON + DAY / 2, 3), 1);
	/* A worker whose clock is a little behind counts for the day that has begun. */
	assert_int_equal(mail_watch_day_add(&word, TENANT, NOON + DAY / 2 - 1, 3), 2);
	assert_int_equal(mail_watch_day_add(&word, TENANT, NOON + DAY, 3), 3);
	assert_int_equal(mail_watch_day_add(&word, TENANT, NOON + DAY, 3), 0);
	/* Without a limit it only counts; a lower one holds at once. */
	assert_int_equal(mail_watch_day_add(&word, TENANT, NOON + DAY, 0), 4);
	assert_int_equal(mail_watch_day_add(&word, TENANT, NOON + DAY, 2), 0);
	assert_int_equal(mail_watch_day_add(&word, TENANT, NOON + 9 * DAY, 2), 1);
	/* A clock that was set back by days begins anew. */
	assert_int_equal(mail_watch_day_add(&word, TENANT, NOON, 2), 1);
}

static void what_came_to_nothing_is_taken_back_but_not_of_another_day(void **state)
{
	_Atomic uint64_t word = 0;

	mail_watch_day_undo(&word, TENANT, NOON);
	assert_int_equal(mail_watch_day_add(&word, TENANT, NOON, 2), 1);
	mail_watch_day_undo(&word, TENANT, NOON + DAY);
	assert_int_equal(mail_watch_day_add(&word, TENANT, NOON, 2), 2);
	mail_watch_day_undo(&word, TENANT, NOON);
	mail_watch_day_undo(&word, TENANT, NOON);
	mail_watch_day_undo(&word, TENANT, NOON);
	assert_int_equal(mail_watch_day_add(&word, TENANT, NOON, 2), 1);
}

static void whoever_had_the_slot_leaves_no_count_to_the_next(void **state)
{
	_Atomic uint64_t word = 0;

	for (uint32_t i = 1; i <= 3; i++)
		assert_int_equal(mail_watch_day_add(&word, TENANT, NOON, 3), i);
	mail_watch_day_undo(&word, TENANT + 1, NOON);
	assert_int_equal(mail_watch_day_add(&word, TENANT, NOON, 3), 0);
	assert_int_equal(mail_watch_day_add(&word, TENANT + 1, NOON, 3), 1);
	assert_int_equal(mail_watch_day_add(&word, TENANT + 1, NOON, 3), 2);
	/* Its count was of before 1024 days, which a word tells apart. */
	assert_int_equal(mail_watch_day_add(&word, TENANT, NOON + 1023 * DAY, 3), 1);
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
		t->took += mail_watch_day_add(t->word, TENANT, NOON + i, MOST) != 0;
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

static struct mail_watch *watch_new(void)
{
	const struct policy_budgets budgets = {
		.recipient_counts = 256, .known_recipients = 256, .suppressed = 4096};
	struct mail_watch *w = NULL;

	assert_int_equal(mail_watch_new(&budgets, 2, NULL, &w), 0);
	return w;
}

#define TIMES 200000

struct suppresser {
	pthread_t thread;
	struct mail_watch *watch;
	pthread_barrier_t *begin;
	_Atomic uint64_t *next;
	uint64_t hash;
	unsigned lost;
};

/* The tenant's word says when the last of its entries ends, and is asked before they are. */
static void *suppress(void *arg)
{
	struct suppresser *s = arg;
	uint64_t end = 0;

	pthread_barrier_wait(s->begin);
	for (unsigned i = 0; i < TIMES; i++) {
		s->lost += atomic_load(&s->watch->tenant[1].suppressed) < end;
		end = NOON + atomic_fetch_add(s->next, 1) * SECOND;
		mail_watch_suppress(s->watch, 1, s->hash, NOON, end);
	}
	return NULL;
}

static void of_suppressions_that_come_at_once_none_ends_early(void **state)
{
	struct mail_watch *w = watch_new();
	struct suppresser each[WORKERS];
	_Atomic uint64_t next = 1;
	pthread_barrier_t begin;

	pthread_barrier_init(&begin, NULL, WORKERS);
	for (unsigned i = 0; i < WORKERS; i++) {
		each[i] = (struct suppresser){
			.watch = w, .begin = &begin, .next = &next, .hash = i + 1};
		assert_int_equal(pthread_create(&each[i].thread, NULL, suppress, &each[i]), 0);
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		pthread_join(each[i].thread, NULL);
		assert_int_equal(each[i].lost, 0);
	}
	assert_int_equal(atomic_load(&w->tenant[1].suppressed), NOON + WORKERS * TIMES * SECOND);
	pthread_barrier_destroy(&begin);
	mail_watch_free(w);
}

#define HOSTS 150

struct hearer {
	pthread_t thread;
	struct mail_watch *watch;
	pthread_barrier_t *begin;
	unsigned told;
};

static void *hear(void *arg)
{
	struct hearer *h = arg;

	pthread_barrier_wait(h->begin);
	for (uint8_t i = 0; i < HOSTS; i++) {
		const uint8_t server[16] = {192, 0, 2, i};

		h->told += mail_watch_host(h->watch, 1, server, NOON, 60 * SECOND, HOSTS);
	}
	return NULL;
}

static unsigned hear_together(struct mail_watch *w)
{
	struct hearer hearers[WORKERS];
	pthread_barrier_t begin;
	unsigned told = 0;

	pthread_barrier_init(&begin, NULL, WORKERS);
	for (unsigned i = 0; i < WORKERS; i++) {
		hearers[i] = (struct hearer){.watch = w, .begin = &begin};
		assert_int_equal(pthread_create(&hearers[i].thread, NULL, hear, &hearers[i]), 0);
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		pthread_join(hearers[i].thread, NULL);
		told += hearers[i].told;
	}
	pthread_barrier_destroy(&begin);
	return told;
}

static void a_server_that_several_workers_hear_at_once_counts_once(void **state)
{
	const uint8_t server[16] = {192, 0, 2, 1}, another[16] = {198, 51, 100, 1};

	for (unsigned round = 0; round < 50; round++) {
		struct mail_watch *w = watch_new();

		assert_int_equal(hear_together(w), 1);
		/* And the next ones are counted from one on. */
		assert_false(mail_watch_host(w, 1, server, NOON, 60 * SECOND, 1));
		assert_true(mail_watch_host(w, 1, another, NOON, 60 * SECOND, 1));
		mail_watch_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_days_count_stops_at_its_limit_and_begins_anew_at_midnight),
		cmocka_unit_test(what_came_to_nothing_is_taken_back_but_not_of_another_day),
		cmocka_unit_test(whoever_had_the_slot_leaves_no_count_to_the_next),
		cmocka_unit_test(several_workers_take_no_more_than_there_is),
		cmocka_unit_test(of_suppressions_that_come_at_once_none_ends_early),
		cmocka_unit_test(a_server_that_several_workers_hear_at_once_counts_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
