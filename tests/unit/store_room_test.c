/* SPDX-License-Identifier: BSD-3-Clause */
/* A queue that is full, a disk that is full or can't be written. */
#include <errno.h>
#include <unistd.h>

#include "tests/unit/store_fixture.h"

static int hold(struct store_db *db, void *arg)
{
	char byte;

	return read(*(int *)arg, &byte, 1) == 1 ? 0 : -EIO; /* until the test lets it go */
}

static void what_finds_no_room_is_counted(void **unused)
{
	static char megabyte[1 << 20];
	struct store *store = open_it();
	struct store_unit *u = store_begin(store);
	struct store_stats stats;
	int gate[2], taken = 0, rc = 0;

	assert_int_equal(pipe(gate), 0);
	memset(megabyte, 'x', sizeof(megabyte) - 1);
	store_call(u, hold, &gate[0], sizeof(gate[0]));
	assert_int_equal(store_commit(store, u, NULL, NULL), 0);
	assert_true(store_ready(store));
	while (!rc && taken < 1000) {
		u = store_begin(store);
		store_add(u, "INSERT INTO number(n, word) VALUES (?1, ?2)", STORE_INT(taken),
			  STORE_TEXT(megabyte));
		rc = store_commit(store, u, NULL, NULL);
		taken += rc == 0;
	}
	assert_int_equal(rc, -ENOBUFS);
	assert_false(store_ready(store));
	stats = store_stats(store);
	assert_int_equal(stats.lost, 1);
	assert_int_equal(stats.waited, 1);
	assert_in_range(stats.bytes, STORE_ROOM / 2, STORE_ROOM);
	assert_int_equal(write(gate[1], "", 1), 1);
	store_sync(store);
	assert_true(store_ready(store));
	assert_int_equal(store_stats(store).bytes, 0);
	assert_int_equal(store_stats(store).queued, 0);
	assert_int_equal(ask(store, COUNT), taken);
	store_close(store);
	close(gate[0]);
	close(gate[1]);
}

static int bound_pages(struct store_db *db, void *arg)
{
	return *(bool *)arg ? store_db_run(db, "PRAGMA max_page_count=30")
			    : store_db_run(db, "PRAGMA max_page_count=1000000");
}

static void a_full_disk_is_told_and_gets_over(void **unused)
{
	static char text[20000];
	struct store *store = open_it();
	struct store_unit *u = store_begin(store);
	struct store_result results[64];
	int failed = 0;

	memset(text, 'x', sizeof(text) - 1);
	store_call(u, bound_pages, &(bool){true}, sizeof(bool));
	assert_int_equal(put(store, u).rc, 0);
	for (int i = 0; i < 64; i++) {
		u = store_begin(store);
		store_add(u, "INSERT INTO number(n, word) VALUES (?1, ?2)", STORE_INT(i),
			  STORE_TEXT(text));
		store_commit(store, u, note_result, &results[i]);
	}
	store_sync(store);
	for (int i = 0; i < 64; i++) {
		assert_true(results[i].rc == 0 || results[i].rc == -ENOSPC);
		failed += results[i].rc != 0;
	}
	assert_in_range(failed, 1, 64);
	/* What was acknowledged is there, and nothing else. */
	assert_int_equal(ask(store, COUNT), 64 - failed);
	u = store_begin(store);
	store_call(u, bound_pages, &(bool){false}, sizeof(bool));
	assert_int_equal(put(store, u).rc, 0);
	assert_int_equal(put(store, number_unit(store, 1000)).rc, 0);
	store_close(store);
}

/* As a file that can't be written. */
static int forbid(struct store_db *db, void *arg)
{
	return store_db_run(db, "PRAGMA query_only=1");
}

static void a_store_that_cannot_be_written_says_so(void **unused)
{
	struct store *store = open_it();
	struct store_unit *u = store_begin(store);

	assert_int_equal(put(store, number_unit(store, 1)).rc, 0);
	assert_int_equal(store_stats(store).trouble, 0);
	assert_true(store_stats(store).last > 0);
	store_call(u, forbid, NULL, 0);
	put(store, u);
	assert_int_equal(put(store, number_unit(store, 2)).rc, -EROFS);
	store_probe(store);
	store_sync(store);
	assert_int_equal(store_stats(store).trouble, -EROFS);
	assert_int_equal(store_stats(store).failed, 2);
	assert_int_equal(ask(store, COUNT), 1); /* it can still be read */
	store_close(store);
}

static void trouble_is_over_with_the_first_row_that_is_taken(void **unused)
{
	static char text[400000];
	struct store *store = open_it();
	struct store_unit *u = store_begin(store);

	memset(text, 'x', sizeof(text) - 1);
	store_call(u, bound_pages, &(bool){true}, sizeof(bool));
	put(store, u);
	u = number_unit(store, 1);
	store_add(u, "UPDATE number SET word = ?1", STORE_TEXT(text));
	assert_int_equal(put(store, u).rc, -ENOSPC);
	assert_int_equal(store_stats(store).trouble, -ENOSPC);
	store_probe(store);
	store_sync(store);
	assert_int_equal(store_stats(store).trouble, 0);
	store_close(store);
}

/* What a unit itself is wrong about is no trouble of the disk's. */
static void a_unit_that_is_wrong_is_no_trouble(void **unused)
{
	struct store *store = open_it();

	assert_int_equal(put(store, number_unit(store, 1)).rc, 0);
	assert_int_equal(put(store, number_unit(store, 1)).rc, -EEXIST);
	assert_int_equal(store_stats(store).trouble, 0);
	store_close(store);
}

static void the_log_of_writes_stays_small(void **unused)
{
	static char text[20000];
	struct store *store = open_it();
	struct store_sizes sizes;
	uint64_t most = 0;

	memset(text, 'x', sizeof(text) - 1);
	for (int i = 0; i < 2000; i++) {
		struct store_unit *u = store_begin(store);

		store_add(u, "INSERT INTO number(n, word) VALUES (?1, ?2)",
			  STORE_INT(i % 200 ? i : -i), STORE_TEXT(text));
		store_commit(store, u, NULL, NULL);
		if (i % 50 == 0)
			store_sync(store);
		store_sizes(store, &sizes);
		most = sizes.log > most ? sizes.log : most;
	}
	store_sync(store);
	store_sizes(store, &sizes);
	assert_in_range(most, 1, 16 << 20);
	assert_true(sizes.database > 30 << 20);
	assert_in_range(store_stats(store).checkpoints, 2, 2000);
	assert_true(store_stats(store).checkpointed > 0);
	store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_finds_no_room_is_counted),
		TEST(a_full_disk_is_told_and_gets_over),
		TEST(a_store_that_cannot_be_written_says_so),
		TEST(trouble_is_over_with_the_first_row_that_is_taken),
		TEST(a_unit_that_is_wrong_is_no_trouble),
		TEST(the_log_of_writes_stays_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
