/* SPDX-License-Identifier: BSD-3-Clause */
/* What is not kept: people who are forgotten, rows that are old. */
#include <errno.h>

#include "tests/unit/store_fixture.h"

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
	assert_int_equal(store_forget(store, store_begin(store), 3, NULL, note_result, &result), 0);
	store_sync(store);
	assert_int_equal(result.rc, 0);
	assert_int_equal(result.changes, 100);
	assert_int_equal(ask(store, "SELECT count(*) FROM people"), 900);
	assert_false(is_in_files("a secret of somebody"));
	assert_int_equal(store_forget(store, store_begin(store), 3, NULL, note_result, &result), 0);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_forgotten_leaves_nothing_in_the_files),
		TEST(what_is_old_goes_in_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
