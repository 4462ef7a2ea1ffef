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

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_finds_no_room_is_counted),
		TEST(a_full_disk_is_told_and_gets_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
