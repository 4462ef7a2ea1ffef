/* SPDX-License-Identifier: BSD-3-Clause */
/* Files that are no store, or another's; tables of another version. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "tests/unit/store_fixture.h"

static const char *const later_schema[] = {
	"CREATE TABLE number(n INTEGER PRIMARY KEY, half REAL, word TEXT, raw BLOB) STRICT",
	"ALTER TABLE number ADD COLUMN twice INTEGER; UPDATE number SET twice = 2 * n",
	NULL,
};
static const struct store_part later_numbers = {.name = "number", .schema = later_schema};
static const char *const word_schema[] = {"CREATE TABLE word(w TEXT) STRICT", NULL};
static const struct store_part words = {.name = "word", .schema = word_schema};
static const struct store_part *const later_parts[] = {&words, &later_numbers, NULL};

static void refuses(const struct store_part *const *which, int expected, const char *words_of_it)
{
	struct store *store = NULL;
	int rc = store_open(scratch_dir, which, NULL, &store, store_error);

	if (rc != expected || !strstr(store_error, words_of_it))
		fail_msg("%d: %s", rc, rc ? store_error : "opened");
	assert_null(store);
}

static void nobody_opens_it_twice(void **unused)
{
	struct store *store = open_it();

	refuses(number_parts, -EBUSY, "another posternd");
	store_close(store);
	store_close(open_it());
}

static void overwrite(off_t at, const char *with, size_t len)
{
	int fd = open(scratch_path("state.db"), O_WRONLY | O_CREAT, 0600);

	assert_int_equal(pwrite(fd, with, len, at), len);
	close(fd);
}

static void damaged_and_foreign_files_are_refused_and_kept(void **unused)
{
	static const char junk[300] = "nothing of SQLite's";
	struct store *store = open_it();
	sqlite3 *db;

	for (int i = 0; i < 2000; i++)
		store_commit(store, number_unit(store, i), NULL, NULL);
	store_close(store);
	overwrite(8192, junk, sizeof(junk)); /* a page of the table */
	refuses(number_parts, -EINVAL, "state.db");
	assert_int_equal(truncate(scratch_path("state.db"), 9000), 0);
	refuses(number_parts, -EINVAL, "state.db");
	overwrite(0, junk, sizeof(junk));
	refuses(number_parts, -EINVAL, "not a database");
	assert_int_equal(access(scratch_path("state.db"), F_OK), 0);
	assert_int_equal(truncate(scratch_path("state.db"), 7), 0);
	refuses(number_parts, -EINVAL, "not a database");

	unlink(scratch_path("state.db"));
	assert_int_equal(sqlite3_open(scratch_path("state.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE theirs(x)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	refuses(number_parts, -EINVAL, "not one of posternd's");
	unlink(scratch_path("state.db"));
	assert_int_equal(mkdir(scratch_path("state.db"), 0700), 0);
	assert_true(store_open(scratch_dir, number_parts, NULL, &store, store_error) < 0);
	rmdir(scratch_path("state.db"));
	assert_int_equal(store_open("/nonexistent", number_parts, NULL, &store, store_error),
			 -ENOENT);
	assert_non_null(strstr(store_error, "/nonexistent: "));
}

static void an_empty_file_is_a_beginning(void **unused)
{
	close(open(scratch_path("state.db"), O_WRONLY | O_CREAT, 0600));
	store_close(open_it());
}

static void tables_are_brought_to_their_version_and_never_back(void **unused)
{
	struct store *store = open_it();

	assert_int_equal(put(store, number_unit(store, 21)).rc, 0);
	store_close(store);
	store = open_parts(later_parts, NULL);
	assert_int_equal(ask(store, "SELECT twice FROM number"), 42);
	assert_int_equal(ask(store, "SELECT count(*) FROM word"), 0);
	store_close(store);
	refuses(number_parts, -EINVAL, "newer posternd: \"number\" is of version 2");
	store_close(open_parts(later_parts, NULL));
}

static void a_migration_that_fails_changes_nothing(void **unused)
{
	static const char *const bad_schema[] = {
		"CREATE TABLE number(n INTEGER PRIMARY KEY, half REAL, word TEXT, raw BLOB) STRICT",
		"ALTER TABLE number ADD COLUMN twice INTEGER; UPDATE nowhere SET x = 1",
		NULL,
	};
	static const struct store_part bad = {.name = "number", .schema = bad_schema};
	static const struct store_part *const bad_parts[] = {&words, &bad, NULL};
	struct store *store = open_it();

	assert_int_equal(put(store, number_unit(store, 21)).rc, 0);
	store_close(store);
	refuses(bad_parts, -EINVAL, "no such table: nowhere");
	store = open_parts(later_parts, NULL);
	assert_int_equal(ask(store, "SELECT twice FROM number"), 42);
	store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_opens_it_twice),
		TEST(damaged_and_foreign_files_are_refused_and_kept),
		TEST(an_empty_file_is_a_beginning),
		TEST(tables_are_brought_to_their_version_and_never_back),
		TEST(a_migration_that_fails_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
