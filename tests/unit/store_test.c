/* SPDX-License-Identifier: BSD-3-Clause */
/* What posternd keeps: on the disk when it is acknowledged, whole, and nobody else's. */
#include "control/store.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

static const char *const number_schema[] = {
	"CREATE TABLE number(n INTEGER PRIMARY KEY, half REAL, word TEXT, raw BLOB) STRICT",
	NULL,
};
static const struct store_part numbers = {.name = "number", .schema = number_schema};
static const struct store_part *const parts[] = {&numbers, NULL};

static const char *const later_schema[] = {
	"CREATE TABLE number(n INTEGER PRIMARY KEY, half REAL, word TEXT, raw BLOB) STRICT",
	"ALTER TABLE number ADD COLUMN twice INTEGER; UPDATE number SET twice = 2 * n",
	NULL,
};
static const struct store_part later_numbers = {.name = "number", .schema = later_schema};
static const char *const word_schema[] = {"CREATE TABLE word(w TEXT) STRICT", NULL};
static const struct store_part words = {.name = "word", .schema = word_schema};
static const struct store_part *const later_parts[] = {&words, &later_numbers, NULL};

#define INSERT "INSERT INTO number(n, half, word, raw) VALUES (?1, ?2, ?3, ?4)"

static char error[STORE_ERROR];

static struct store *open_parts(const struct store_part *const *which, struct event_base *base)
{
	struct store *store;
	int rc = store_open(scratch_dir, which, base, &store, error);

	if (rc)
		fail_msg("%d: %s", rc, error);
	return store;
}

static struct store *open_it(void)
{
	return open_parts(parts, NULL);
}

static void note_result(void *ctx, const struct store_result *result)
{
	*(struct store_result *)ctx = *result;
}

static struct store_unit *number_unit(struct store *store, int64_t n)
{
	static const uint8_t raw[] = {0, 1, 0, 255};
	struct store_unit *u = store_begin(store);

	store_add(u, INSERT, STORE_INT(n), STORE_REAL((double)n / 2), STORE_TEXT("w\xc3\xb6rd"),
		  STORE_BLOB(raw, sizeof(raw)));
	return u;
}

/* Its result, when it is on the disk. */
static struct store_result put(struct store *store, struct store_unit *u)
{
	struct store_result result = {.rc = 1};

	assert_int_equal(store_commit(store, u, note_result, &result), 0);
	store_sync(store);
	assert_int_not_equal(result.rc, 1);
	return result;
}

static int64_t ask(struct store *store, const char *sql)
{
	struct store_rows *rows = store_query(store, sql);
	int64_t n;

	assert_true(store_next(rows));
	n = store_column_int(rows, 0);
	assert_false(store_next(rows));
	assert_int_equal(store_end(rows), 0);
	return n;
}

#define COUNT "SELECT count(*) FROM number"

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
	assert_null(store_query(store, "SELECT * FROM nowhere"));
	assert_false(store_next(NULL));
	assert_true(store_end(NULL) < 0);
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
	struct store *store = open_parts(parts, told.base);
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

/* Too much, and no room */

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

/* Files that are not it */

static void refuses(const struct store_part *const *which, int expected, const char *words_of_it)
{
	struct store *store = NULL;
	int rc = store_open(scratch_dir, which, NULL, &store, error);

	if (rc != expected || !strstr(error, words_of_it))
		fail_msg("%d: %s", rc, rc ? error : "opened");
	assert_null(store);
}

static void nobody_opens_it_twice(void **unused)
{
	struct store *store = open_it();

	refuses(parts, -EBUSY, "another posternd");
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
	refuses(parts, -EINVAL, "state.db");
	assert_int_equal(truncate(scratch_path("state.db"), 9000), 0);
	refuses(parts, -EINVAL, "state.db");
	overwrite(0, junk, sizeof(junk));
	refuses(parts, -EINVAL, "not a database");
	assert_int_equal(access(scratch_path("state.db"), F_OK), 0);
	assert_int_equal(truncate(scratch_path("state.db"), 7), 0);
	refuses(parts, -EINVAL, "not a database");

	unlink(scratch_path("state.db"));
	assert_int_equal(sqlite3_open(scratch_path("state.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE theirs(x)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	refuses(parts, -EINVAL, "not one of posternd's");
	unlink(scratch_path("state.db"));
	assert_int_equal(mkdir(scratch_path("state.db"), 0700), 0);
	assert_true(store_open(scratch_dir, parts, NULL, &store, error) < 0);
	rmdir(scratch_path("state.db"));
	assert_int_equal(store_open("/nonexistent", parts, NULL, &store, error), -ENOENT);
	assert_non_null(strstr(error, "/nonexistent: "));
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
	refuses(parts, -EINVAL, "newer posternd: \"number\" is of version 2");
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

/* What is not kept */

static const char *const people_schema[] = {
	"CREATE TABLE people(id INTEGER PRIMARY KEY, who INTEGER, time INTEGER, said TEXT) STRICT",
	NULL,
};
static const char *const people_forget[] = {"DELETE FROM people WHERE who = ?1", NULL};
static const struct store_part people_part = {
	.name = "people",
	.schema = people_schema,
	.retention = "people",
	.expire = "DELETE FROM people WHERE id IN (SELECT id FROM people WHERE time < ?1 LIMIT ?2)",
	.forget = people_forget,
};
static const struct store_part *const people_parts[] = {&numbers, &people_part, NULL};

static void add_people(struct store *store, int n)
{
	for (int i = 0; i < n; i++) {
		struct store_unit *u = store_begin(store);

		store_add(u, "INSERT INTO people(who, time, said) VALUES (?1, ?2, ?3)",
			  STORE_INT(i % 10), STORE_INT(i),
			  STORE_TEXT(i % 10 == 3 ? "a secret of somebody" : "nothing"));
		store_commit(store, u, NULL, NULL);
	}
	store_sync(store);
}

static bool is_in_files(const char *text)
{
	char command[256], out[16];

	snprintf(command, sizeof(command), "grep -rlaF '%s' %s", text, scratch_dir);
	return shell_output(command, out, sizeof(out)) == 0;
}

static void who_is_forgotten_leaves_nothing_in_the_files(void **unused)
{
	struct store *store = open_parts(people_parts, NULL);
	struct store_result result = {.rc = 1};

	add_people(store, 1000);
	assert_true(is_in_files("a secret of somebody"));
	assert_int_equal(store_forget(store, 3, note_result, &result), 0);
	store_sync(store);
	assert_int_equal(result.rc, 0);
	assert_int_equal(result.changes, 100);
	assert_int_equal(ask(store, "SELECT count(*) FROM people"), 900);
	assert_false(is_in_files("a secret of somebody"));
	assert_int_equal(store_forget(store, 3, note_result, &result), 0);
	store_sync(store);
	assert_int_equal(result.changes, 0);
	store_close(store);
}

static void what_is_old_goes_in_steps(void **unused)
{
	struct store *store = open_parts(people_parts, NULL);
	struct store_result result = {.rc = 1};
	int steps = 0;

	add_people(store, 1000);
	do {
		assert_int_equal(store_expire(store, &people_part, 750, 200, note_result, &result),
				 0);
		store_sync(store);
		assert_int_equal(result.rc, 0);
		assert_true(result.changes <= 200);
		steps++;
	} while (result.changes == 200);
	assert_int_equal(steps, 4);
	assert_int_equal(ask(store, "SELECT count(*) FROM people"), 250);
	assert_int_equal(ask(store, "SELECT min(time) FROM people"), 750);
	store_close(store);
}

/* kill -9 */

#define IN_FLIGHT 32

struct teller {
	int pipe;
	int64_t told;
};

static void tell(void *ctx, const struct store_result *result)
{
	struct teller *t = ctx;

	t->told++;
	if (result->rc || write(t->pipe, &t->told, sizeof(t->told)) != sizeof(t->told))
		_exit(1);
}

/* Numbers in pairs, from `n` on, until it is killed. */
static _Noreturn void write_for_ever(int64_t n, int out)
{
	struct teller t = {out, n - 1};
	struct store *store;

	if (store_open(scratch_dir, parts, NULL, &store, error) != 0)
		_exit(2);
	for (;; n++) {
		struct store_unit *u = number_unit(store, n);

		store_add(u, "INSERT INTO number(n) VALUES (?1)", STORE_INT(-n));
		if (store_commit(store, u, tell, &t) != 0)
			_exit(3);
		while (n - t.told >= IN_FLIGHT)
			store_dispatch(store);
	}
}

/* A life: ends after some microseconds. Returns the last number that was acknowledged. */
static int64_t live_and_be_killed(int64_t next, unsigned microseconds)
{
	int told[2], status;
	int64_t last = next - 1, n;
	pid_t pid;

	assert_int_equal(pipe(told), 0);
	pid = fork();
	if (pid == 0) {
		close(told[0]);
		write_for_ever(next, told[1]);
	}
	close(told[1]);
	/* From the first word on: a life that was too short to open it says nothing. */
	if (read(told[0], &n, sizeof(n)) == sizeof(n))
		last = n;
	usleep(microseconds);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status))
		fail_msg("it ended by itself: %d", WEXITSTATUS(status));
	while (read(told[0], &n, sizeof(n)) == sizeof(n))
		last = n;
	close(told[0]);
	return last;
}

static void killed_at_any_time_nothing_acknowledged_is_lost(void **unused)
{
	const char *asked = getenv("POSTERN_KILLS");
	const int rounds = asked ? atoi(asked) : 5;
	int64_t last = 0, there = 0;

	srand(1);
	for (int i = 0; i < rounds; i++) {
		struct store *store;

		last = live_and_be_killed(there + 1, (unsigned)rand() % 60000);
		store = open_it();
		assert_int_equal(ask(store, "SELECT count(*) FROM pragma_integrity_check "
					    "WHERE integrity_check <> 'ok'"),
				 0);
		there = ask(store, "SELECT max(n) FROM number");
		assert_true(there >= last);
		/* None is missing, and none is there by half. */
		assert_int_equal(ask(store, "SELECT count(*) FROM number WHERE n > 0"), there);
		assert_int_equal(ask(store, "SELECT count(*) FROM number WHERE n < 0"), there);
		assert_int_equal(ask(store, "SELECT min(n) FROM number"), -there);
		store_close(store);
	}
	print_message("# %d kills, %lld pairs acknowledged, %lld there\n", rounds, (long long)last,
		      (long long)there);
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
		TEST(what_finds_no_room_is_counted),
		TEST(a_full_disk_is_told_and_gets_over),
		TEST(nobody_opens_it_twice),
		TEST(damaged_and_foreign_files_are_refused_and_kept),
		TEST(an_empty_file_is_a_beginning),
		TEST(tables_are_brought_to_their_version_and_never_back),
		TEST(a_migration_that_fails_changes_nothing),
		TEST(who_is_forgotten_leaves_nothing_in_the_files),
		TEST(what_is_old_goes_in_steps),
		TEST(killed_at_any_time_nothing_acknowledged_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
