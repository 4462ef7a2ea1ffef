/* SPDX-License-Identifier: BSD-3-Clause */
/* A disk that takes nothing for a while: what is kept of that time, and what isn't. */
#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/store_failing.h"
#include "tests/unit/store_fixture.h"

/* In the place after the last one: the place says in which order they came onto the disk. */
#define NEXT                                                                             \
	"INSERT INTO number(n, word, raw) VALUES ((SELECT coalesce(max(n), 0) + 1 FROM " \
	"number), ?1, ?2)"
#define IN_ORDER                                                                        \
	"SELECT count(*) FROM number a JOIN number b ON b.n = a.n + 1 WHERE a.word >= " \
	"b.word"

static struct store_unit *next_unit(struct store *store, int number, size_t size)
{
	static const uint8_t bytes[1 << 20];
	struct store_unit *u = store_begin(store);
	char word[16];

	snprintf(word, sizeof(word), "%06d", number);
	store_add(u, NEXT, STORE_TEXT(word), STORE_BLOB(bytes, size));
	return u;
}

static void commit_next(struct store *store, int from, int to, size_t size)
{
	for (int i = from; i < to; i++)
		assert_int_equal(store_commit(store, next_unit(store, i, size), NULL, NULL), 0);
}

static void assert_works(struct store *store)
{
	const struct store_stats stats = store_stats(store);

	assert_int_equal(stats.trouble, 0);
	assert_int_equal(stats.queued, 0);
	assert_int_equal(stats.bytes, 0);
	assert_int_equal(stats.kept, 0);
	assert_int_equal(stats.kept_bytes, 0);
	assert_int_equal(stats.kept_since, 0);
}

static void what_nobody_waits_for_is_written_when_the_disk_is_well(void **unused)
{
	struct store *store = open_it();
	struct store_stats stats;

	commit_next(store, 0, 10, 4);
	store_sync(store);
	DISK_FAILS();
	commit_next(store, 10, 20, 4);
	store_sync(store);
	commit_next(store, 20, 300, 4);
	store_sync(store);
	store_probe(store);
	store_sync(store);
	stats = store_stats(store);
	assert_int_equal(stats.trouble, -EIO);
	assert_int_equal(stats.kept, 290);
	assert_int_equal(stats.queued, 290);
	assert_int_equal(stats.postponed, 290);
	assert_int_equal(stats.kept_bytes, stats.bytes);
	assert_true(stats.kept_since > 0);
	assert_int_equal(ask(store, COUNT), 10);
	DISK_WORKS();
	store_probe(store);
	store_sync(store);
	assert_works(store);
	assert_int_equal(ask(store, COUNT), 300);
	assert_int_equal(ask(store, IN_ORDER), 0);
	assert_int_equal(store_stats(store).failed, 0);
	assert_int_equal(store_stats(store).lost, 0);
	store_close(store);
}

/* There is room for some of them: those that were written are not written again. */
static void what_still_finds_no_place_goes_on_waiting_in_its_order(void **unused)
{
	struct store *store = open_it();
	struct store_stats stats;

	DISK_FAILS();
	commit_next(store, 0, 20, 1 << 20);
	store_sync(store);
	assert_int_equal(store_stats(store).kept, 20);
	disk_takes(6 << 20);
	store_probe(store);
	store_sync(store);
	stats = store_stats(store);
	assert_int_equal(stats.trouble, -EIO);
	assert_in_range(stats.kept, 5, 19); /* more than a transaction has */
	assert_int_equal(ask(store, COUNT), 20 - (int64_t)stats.kept);
	commit_next(store, 20, 22, 4);
	DISK_WORKS();
	store_probe(store);
	store_sync(store);
	assert_works(store);
	assert_int_equal(ask(store, COUNT), 22);
	assert_int_equal(ask(store, IN_ORDER), 0);
	store_close(store);
}

static void who_waits_is_refused_at_once_and_overtakes_nothing(void **unused)
{
	struct store *store = open_it();
	struct store_result result = {.rc = 1};

	DISK_FAILS();
	commit_next(store, 0, 3, 4);
	assert_int_equal(put(store, next_unit(store, 900, 4)).rc, -EIO);
	DISK_WORKS();
	/* The disk would take it, but there are others before it. */
	assert_int_equal(put(store, next_unit(store, 901, 4)).rc, -EIO);
	assert_int_equal(store_forget(store, store_begin(store), 7, NULL, note_result, &result), 0);
	store_sync(store);
	assert_int_equal(result.rc, 0); /* of parts that know of nobody: nothing to do */
	assert_int_equal(ask(store, COUNT), 0);
	store_probe(store);
	store_sync(store);
	assert_works(store);
	assert_int_equal(put(store, next_unit(store, 3, 4)).rc, 0);
	assert_int_equal(ask(store, COUNT), 4);
	assert_int_equal(ask(store, IN_ORDER), 0);
	assert_int_equal(store_stats(store).failed, 2);
	store_close(store);
}

static void count_told(void *ctx, const struct store_result *result)
{
	assert_int_equal(result->rc, -EIO);
	++*(int *)ctx;
}

static void who_lets_it_wait_is_told_and_it_is_there_later(void **unused)
{
	struct store *store = open_it();
	struct store_unit *u;
	int told = 0;

	DISK_FAILS();
	for (int i = 0; i < 5; i++) {
		u = next_unit(store, i, 4);
		store_keep(u);
		assert_int_equal(store_commit(store, u, count_told, &told), 0);
		commit_next(store, i, i + 1, 4);
		store_sync(store);
		assert_int_equal(told, i + 1);
	}
	assert_int_equal(store_stats(store).kept, 10);
	DISK_WORKS();
	store_probe(store);
	store_sync(store);
	assert_works(store);
	assert_int_equal(told, 5);
	assert_int_equal(ask(store, COUNT), 10);
	store_close(store);
}

/* Each as it would have gone: there is nothing to wait for. */
static void a_unit_that_is_wrong_is_not_kept_and_holds_nobody_up(void **unused)
{
	struct store *store = open_it();

	commit_next(store, 0, 1, 4);
	store_sync(store);
	DISK_FAILS();
	commit_next(store, 1, 3, 4);
	store_sync(store);
	store_commit(store, number_unit(store, 1), NULL, NULL); /* there is one already */
	commit_next(store, 4, 6, 4);
	store_sync(store);
	assert_int_equal(store_stats(store).kept, 5);
	DISK_WORKS();
	store_probe(store);
	store_sync(store);
	assert_works(store);
	assert_int_equal(ask(store, COUNT), 5);
	assert_int_equal(ask(store, IN_ORDER), 0);
	assert_int_equal(store_stats(store).failed, 1);
	assert_non_null(strstr(store_stats(store).error, "UNIQUE"));
	/* Alone it is no trouble. */
	store_commit(store, number_unit(store, 1), NULL, NULL);
	store_sync(store);
	assert_works(store);
	store_close(store);
}

static void beyond_the_bound_it_is_lost_and_people_still_find_room(void **unused)
{
	const int most = (int)(STORE_KEPT >> 20);
	struct store *store = open_it();
	struct store_stats stats;

	DISK_FAILS();
	for (int i = 0; i < most + 8; i++) {
		commit_next(store, i, i + 1, (1 << 20) - 4096);
		store_sync(store);
	}
	stats = store_stats(store);
	assert_in_range(stats.kept, most / 2, most);
	assert_in_range(stats.kept_bytes, 1, STORE_KEPT);
	assert_int_equal(stats.lost, (uint64_t)most + 8 - stats.kept);
	assert_false(store_ready(store));
	assert_int_equal(put(store, next_unit(store, 999, 1 << 20)).rc, -EIO); /* not -ENOBUFS */
	DISK_WORKS();
	store_probe(store);
	store_sync(store);
	assert_works(store);
	assert_true(store_ready(store));
	assert_int_equal(ask(store, COUNT), stats.kept);
	assert_int_equal(ask(store, IN_ORDER), 0);
	store_close(store);
}

static void what_is_written_anew_anyway_is_not_kept(void **unused)
{
	static const char text[100000];
	struct store *store = open_it();
	struct store_unit *u;

	DISK_FAILS();
	u = store_begin(store);
	store_add_fleeting(u, NEXT, STORE_TEXT("fleeting"), STORE_BLOB(text, sizeof(text)));
	store_commit(store, u, NULL, NULL);
	store_sync(store);
	assert_int_equal(store_stats(store).kept, 0);
	assert_int_equal(store_stats(store).failed, 1);
	u = store_begin(store);
	store_add_fleeting(u, NEXT, STORE_TEXT("fleeting"), STORE_BLOB(text, sizeof(text)));
	store_add(u, NEXT, STORE_TEXT("1"), STORE_BLOB(text, 10));
	store_add_fleeting(u, NEXT, STORE_TEXT("fleeting"), STORE_BLOB(text, sizeof(text)));
	store_add(u, NEXT, STORE_TEXT("2"), STORE_BLOB(text, 20));
	store_commit(store, u, NULL, NULL);
	store_sync(store);
	assert_int_equal(store_stats(store).kept, 1);
	assert_in_range(store_stats(store).kept_bytes, 1, 4096);
	DISK_WORKS();
	store_probe(store);
	store_sync(store);
	assert_works(store);
	assert_int_equal(ask(store, COUNT), 2);
	assert_int_equal(ask(store, "SELECT count(*) FROM number WHERE word = n"), 2);
	assert_int_equal(ask(store, "SELECT sum(length(raw)) FROM number"), 30);
	/* Where the disk is well it is written as all else is. */
	u = store_begin(store);
	store_add_fleeting(u, NEXT, STORE_TEXT("3"), STORE_BLOB(text, 30));
	assert_int_equal(put(store, u).rc, 0);
	assert_int_equal(ask(store, COUNT), 3);
	store_close(store);
}

struct square {
	int64_t of;
	char word[8];
};

static int insert_square(struct store_db *db, void *arg)
{
	const struct square *s = arg;

	return store_db_run(db, "INSERT INTO number(n, word) VALUES (?1, ?2)",
			    STORE_INT(s->of * s->of), STORE_TEXT(s->word));
}

static void work_is_kept_with_what_it_works_on(void **unused)
{
	struct store *store = open_it();
	struct square square = {.of = 7, .word = "square"};
	struct store_unit *u = store_begin(store);

	DISK_FAILS();
	store_call(u, insert_square, &square, sizeof(square));
	store_commit(store, u, NULL, NULL);
	store_sync(store);
	square = (struct square){0};
	DISK_WORKS();
	store_probe(store);
	store_sync(store);
	assert_int_equal(ask(store, "SELECT n FROM number WHERE word = 'square'"), 49);
	store_close(store);
}

static int fit(struct store_db *db, void *arg)
{
	return atomic_load(*(atomic_bool **)arg) ? 0 : -ENOSPC;
}

/* The disk has no room for it, and would have for those behind it. */
static void what_would_fit_does_not_overtake_what_does_not(void **unused)
{
	struct store *store = open_it();
	struct store_unit *u = next_unit(store, 0, 4);
	atomic_bool fits = false, *at = &fits;
	struct store_result result = {.rc = 1};

	store_call(u, fit, &at, sizeof(at));
	assert_int_equal(store_commit(store, u, NULL, NULL), 0);
	commit_next(store, 1, 3, 4);
	assert_int_equal(store_commit(store, next_unit(store, 900, 4), note_result, &result), 0);
	store_sync(store);
	assert_int_equal(result.rc, -ENOSPC);
	assert_int_equal(store_stats(store).kept, 3);
	assert_int_equal(ask(store, COUNT), 0);
	store_probe(store);
	store_sync(store);
	assert_int_equal(store_stats(store).trouble, -ENOSPC);
	assert_int_equal(ask(store, COUNT), 0);
	atomic_store(&fits, true);
	store_probe(store);
	store_sync(store);
	assert_works(store);
	assert_int_equal(ask(store, COUNT), 3);
	assert_int_equal(ask(store, IN_ORDER), 0);
	store_close(store);
}

static void what_is_kept_ends_with_it_but_for_a_last_try(void **unused)
{
	struct store *store = open_it();

	DISK_FAILS();
	commit_next(store, 0, 5, 4);
	store_sync(store);
	store_close(store); /* lost */
	DISK_WORKS();
	store = open_it();
	assert_int_equal(ask(store, COUNT), 0);
	DISK_FAILS();
	commit_next(store, 0, 5, 4);
	store_sync(store);
	assert_int_equal(store_stats(store).kept, 5);
	DISK_WORKS();
	store_retry(store);
	store_close(store);
	store = open_it();
	assert_int_equal(ask(store, COUNT), 5);
	assert_int_equal(ask(store, IN_ORDER), 0);
	store_close(store);
}

static int wait_a_moment_for_a_lock(struct store_db *db, void *arg)
{
	return store_db_run(db, "PRAGMA busy_timeout=50");
}

static sqlite3 *lock_it(struct store *store)
{
	struct store_unit *u = store_begin(store);
	sqlite3 *other;

	store_call(u, wait_a_moment_for_a_lock, NULL, 0);
	assert_int_equal(put(store, u).rc, 0);
	assert_int_equal(sqlite3_open(scratch_path("state.db"), &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return other;
}

static void unlock_it(sqlite3 *other)
{
	assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
}

/* Somebody has the database locked: that is over some time, too. */
static void what_meets_a_lock_is_kept(void **unused)
{
	struct store *store = open_it();
	sqlite3 *other = lock_it(store);

	commit_next(store, 0, 2, 4);
	store_sync(store);
	assert_int_equal(store_stats(store).trouble, -EBUSY);
	assert_int_equal(store_stats(store).kept, 2);
	unlock_it(other);
	store_probe(store);
	store_sync(store);
	assert_works(store);
	assert_int_equal(ask(store, COUNT), 2);
	store_close(store);
}

static void who_waits_is_answered_under_a_lock_however_often_it_is_tried(void **unused)
{
	struct store *store = open_it();
	sqlite3 *other = lock_it(store);

	commit_next(store, 0, 2, 4);
	store_sync(store);
	for (int i = 0; i < 20; i++) {
		struct store_result result = {.rc = 1};

		store_probe(store);
		assert_int_equal(
			store_commit(store, next_unit(store, 900, 4), note_result, &result), 0);
		while (result.rc == 1) {
			store_probe(store);
			sched_yield();
			store_dispatch(store);
		}
		assert_int_equal(result.rc, -EBUSY);
	}
	unlock_it(other);
	store_retry(store);
	assert_works(store);
	assert_int_equal(ask(store, COUNT), 2);
	store_close(store);
}

struct slow {
	sem_t began, on;
};

/* A try at the disk that takes as long as the test likes, and comes to nothing. */
static int be_slow(struct store_db *db, void *arg)
{
	struct slow *slow = *(struct slow **)arg;

	sem_post(&slow->began);
	sem_wait(&slow->on);
	return -EIO;
}

static void who_waits_is_answered_between_two_slow_tries(void **unused)
{
	struct store *store = open_it();
	struct store_unit *u = next_unit(store, 0, 4);
	struct slow slow, *at = &slow;
	struct store_result result = {.rc = 1};

	sem_init(&slow.began, 0, 0);
	sem_init(&slow.on, 0, 1);
	store_call(u, be_slow, &at, sizeof(at));
	assert_int_equal(store_commit(store, u, NULL, NULL), 0);
	store_sync(store);
	assert_int_equal(store_stats(store).kept, 1);
	sem_wait(&slow.began);
	store_probe(store);
	sem_wait(&slow.began); /* it is on */
	assert_int_equal(store_commit(store, next_unit(store, 1, 4), note_result, &result), 0);
	store_probe(store); /* so that another would follow */
	sem_post(&slow.on);
	for (int tries = 0; result.rc == 1; store_dispatch(store)) {
		if (sem_trywait(&slow.began) != 0) {
			sched_yield();
			continue;
		}
		assert_in_range(++tries, 1, 5);
		store_probe(store);
		sem_post(&slow.on);
	}
	assert_int_equal(result.rc, -EIO);
	for (int i = 0; i < 10; i++)
		sem_post(&slow.on);
	store_close(store);
	sem_destroy(&slow.began);
	sem_destroy(&slow.on);
}

/* What PRAGMA busy_timeout says, for the test; 0, or -ENOSPC as long as it is not to fit. */
struct patience {
	atomic_int ms;
	atomic_bool fits;
};

static int note_patience(struct store_db *db, void *arg)
{
	struct patience *p = *(struct patience **)arg;
	struct store_rows *rows = store_db_query(db, "PRAGMA busy_timeout");

	atomic_store(&p->ms, store_next(rows) ? (int)store_column_int(rows, 0) : -1);
	store_end(rows);
	return atomic_load(&p->fits) ? 0 : -ENOSPC;
}

static void a_lock_is_waited_for_but_not_while_something_is_kept(void **unused)
{
	struct store *store = open_it();
	struct store_unit *u = store_begin(store);
	struct patience patience = {.fits = false}, *at = &patience;

	store_call(u, note_patience, &at, sizeof(at));
	assert_int_equal(store_commit(store, u, NULL, NULL), 0);
	store_sync(store);
	assert_int_equal(store_stats(store).kept, 1);
	assert_in_range(atomic_load(&patience.ms), 1000, 10000);
	store_probe(store);
	store_sync(store);
	assert_int_equal(atomic_load(&patience.ms), 0);
	atomic_store(&patience.fits, true);
	commit_next(store, 0, 1, 4);
	store_probe(store);
	store_sync(store);
	assert_works(store);
	u = store_begin(store);
	store_call(u, note_patience, &at, sizeof(at));
	assert_int_equal(put(store, u).rc, 0);
	assert_in_range(atomic_load(&patience.ms), 1000, 10000);
	store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_nobody_waits_for_is_written_when_the_disk_is_well),
		TEST(what_still_finds_no_place_goes_on_waiting_in_its_order),
		TEST(who_waits_is_refused_at_once_and_overtakes_nothing),
		TEST(who_lets_it_wait_is_told_and_it_is_there_later),
		TEST(a_unit_that_is_wrong_is_not_kept_and_holds_nobody_up),
		TEST(beyond_the_bound_it_is_lost_and_people_still_find_room),
		TEST(what_is_written_anew_anyway_is_not_kept),
		TEST(work_is_kept_with_what_it_works_on),
		TEST(what_would_fit_does_not_overtake_what_does_not),
		TEST(what_is_kept_ends_with_it_but_for_a_last_try),
		TEST(what_meets_a_lock_is_kept),
		TEST(who_waits_is_answered_under_a_lock_however_often_it_is_tried),
		TEST(who_waits_is_answered_between_two_slow_tries),
		TEST(a_lock_is_waited_for_but_not_while_something_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
