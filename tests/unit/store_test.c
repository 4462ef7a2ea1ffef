/* SPDX-License-Identifier: BSD-3-Clause */
/* What posternd keeps: on the disk when it is acknowledged, and whole. */
#include <errno.h>
#include <event2/event.h>

#include "tests/unit/store_fixture.h"

static void values_come_back_as_they_went(void **unused)
{
	struct store *store = open_it();
	struct store_rows *rows;
	const void *raw;
	size_t len;

	assert_int_equal(put(store, number_unit(store, 7)).rc, 0);
	store_close(store);
	store = open_it();
	rows = store_query(store, "SELECT n, half, word, raw, NULL FROM number WHERE n > ?1",
			   STORE_INT(6));
	assert_true(store_next(rows));
	assert_int_equal(store_column_int(rows, 0), 7);
	assert_true(store_column_real(rows, 1) == 3.5);
	assert_string_equal(store_column_text(rows, 2), "w\xc3\xb6rd");
	raw = store_column_blob(rows, 3, &len);
	assert_int_equal(len, 4);
	assert_memory_equal(raw, "\0\1\0\377", 4);
	assert_true(store_column_null(rows, 4));
	assert_false(store_next(rows));
	assert_int_equal(store_end(rows), 0);
	store_close(store);
}

static void a_unit_is_all_or_nothing_and_its_neighbours_stand(void **unused)
{
	struct store *store = open_it();
	struct store_result results[4];
	struct store_unit *u;

	for (int i = 0; i < 4; i++) {
		u = number_unit(store, 10 * i);
		store_add(u, "INSERT INTO number(n) VALUES (?1)",
			  STORE_INT(i == 2 ? 0 : 10 * i + 1)); /* 0 is there already */
		store_commit(store, u, note_result, &results[i]);
	}
	store_sync(store);
	for (int i = 0; i < 4; i++)
		assert_int_equal(results[i].rc, i == 2 ? -EEXIST : 0);
	assert_int_equal(results[1].changes, 2);
	assert_int_equal(results[2].changes, 0);
	assert_int_equal(ask(store, COUNT), 6);
	assert_int_equal(ask(store, "SELECT count(*) FROM number WHERE n IN (20, 21)"), 0);
	assert_int_equal(store_stats(store).committed, 3);
	assert_int_equal(store_stats(store).failed, 1);
	assert_non_null(strstr(store_stats(store).error, "UNIQUE"));
	store_close(store);
}

static void a_statement_that_makes_no_sense_is_a_failure(void **unused)
{
	struct store *store = open_it();
	struct store_unit *u = store_begin(store);

	store_add(u, "INSERT INTO nowhere VALUES (1)");
	assert_true(put(store, u).rc < 0);
	for (int i = 0; i < 2; i++) {
		struct store_rows *rows = store_query(store, "SELECT * FROM nowhere");

		assert_false(store_next(rows));
		assert_int_equal(store_end(rows), -EINVAL);
	}
	/* The reader can't write. */
	assert_int_equal(store_end(store_query(store, COUNT)), 0);
	{
		struct store_rows *rows = store_query(store, "DELETE FROM number");

		assert_false(store_next(rows));
		assert_int_equal(store_end(rows), -EROFS);
	}
	store_close(store);
}

/* Work inside a unit */

struct doubling {
	int64_t from, to;
};

static int insert_double(struct store_db *db, void *arg)
{
	const struct doubling *d = arg;
	struct store_rows *rows =
		store_db_query(db, "SELECT n FROM number WHERE n = ?1", STORE_INT(d->from));
	int64_t n = store_next(rows) ? store_column_int(rows, 0) : -1;
	int rc = store_end(rows);

	if (rc || n < 0)
		return rc ? rc : -ENOENT;
	return store_db_run(db, "INSERT INTO number(n) VALUES (?1)", STORE_INT(d->to));
}

static void work_sees_what_its_unit_did_and_may_undo_it(void **unused)
{
	struct store *store = open_it();
	struct store_unit *u = number_unit(store, 5);

	store_call(u, insert_double, &(struct doubling){5, 10}, sizeof(struct doubling));
	assert_int_equal(put(store, u).rc, 0);
	u = number_unit(store, 6);
	store_call(u, insert_double, &(struct doubling){99, 12}, sizeof(struct doubling));
	assert_int_equal(put(store, u).rc, -ENOENT);
	assert_int_equal(ask(store, "SELECT sum(n) FROM number"), 15);
	store_close(store);
}

/* Acknowledgements */

struct told {
	struct event_base *base;
	int last;
};

static void note_order(void *ctx, const struct store_result *result)
{
	struct told *told = ctx;

	assert_int_equal(result->rc, 0);
	if (++told->last == 100)
		event_base_loopbreak(told->base);
}

static void acknowledgements_come_on_the_loops_thread(void **unused)
{
	struct told told = {event_base_new(), 0};
	struct store *store = open_parts(number_parts, told.base);
	const struct timeval deadline = {60, 0};

	event_base_loopexit(told.base, &deadline);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(store_commit(store, number_unit(store, i), note_order, &told), 0);
		assert_int_equal(told.last, 0); /* never before the loop runs */
	}
	event_base_dispatch(told.base);
	assert_int_equal(told.last, 100);
	assert_int_equal(ask(store, COUNT), 100);
	store_close(store);
	event_base_free(told.base);
}

static void closing_writes_what_nobody_waits_for(void **unused)
{
	struct store *store = open_it();

	for (int i = 0; i < 1000; i++)
		assert_int_equal(store_commit(store, number_unit(store, i), NULL, NULL), 0);
	store_close(store);
	store = open_it();
	assert_int_equal(ask(store, COUNT), 1000);
	store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(values_come_back_as_they_went),
		TEST(a_unit_is_all_or_nothing_and_its_neighbours_stand),
		TEST(a_statement_that_makes_no_sense_is_a_failure),
		TEST(work_sees_what_its_unit_did_and_may_undo_it),
		TEST(acknowledgements_come_on_the_loops_thread),
		TEST(closing_writes_what_nobody_waits_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
