/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose a failure is: one that is not a unit's own must not cost what was to be written. */
#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>

#include "control/store/store_internal.h"
#include "tests/unit/store_fixture.h"

/* "BEGIN" or "COMMIT": SQLite refuses it, with a code that is no disk's (SQLITE_AUTH). */
static const char *_Atomic refused;

static int authorize(void *ctx, int action, const char *what, const char *b, const char *c,
		     const char *d)
{
	const char *word = atomic_load(&refused);

	return action == SQLITE_TRANSACTION && word && strcmp(what, word) == 0 ? SQLITE_DENY
									       : SQLITE_OK;
}

/* From here on all statements are asked about anew, until they are allowed. */
static int be_asked(struct store_db *db, void *arg)
{
	assert_int_equal(sqlite3_set_authorizer(db->handle, authorize, NULL), SQLITE_OK);
	return 0;
}

static void assert_kept_until_it_is_over(struct store *store, unsigned kept, int rc)
{
	assert_int_equal(store_stats(store).trouble, rc);
	assert_int_equal(store_stats(store).kept, kept);
	assert_int_equal(ask(store, COUNT), 0);
	store_retry(store);
	assert_int_equal(store_stats(store).kept, kept);
}

static void assert_all_is_there(struct store *store, unsigned count)
{
	const struct store_stats stats = store_stats(store);

	assert_int_equal(stats.trouble, 0);
	assert_int_equal(stats.kept, 0);
	assert_int_equal(stats.failed, 0);
	assert_int_equal(ask(store, COUNT), count);
}

static void a_transaction_that_can_not_begin_loses_nothing(void **unused)
{
	struct store *store = open_it();
	struct store_unit *u = store_begin(store);

	store_call(u, be_asked, NULL, 0);
	assert_int_equal(put(store, u).rc, 0);
	atomic_store(&refused, "BEGIN");
	for (int i = 0; i < 5; i++)
		store_commit(store, number_unit(store, i), NULL, NULL);
	store_sync(store);
	assert_kept_until_it_is_over(store, 5, -EIO);
	assert_non_null(strstr(store_stats(store).error, "not authorized"));
	atomic_store(&refused, NULL);
	store_retry(store);
	assert_all_is_there(store, 5);
	store_close(store);
}

static void a_transaction_that_can_not_end_loses_nothing(void **unused)
{
	struct store *store = open_it();
	struct store_unit *u = number_unit(store, 0);

	atomic_store(&refused, "COMMIT");
	store_call(u, be_asked, NULL, 0);
	store_commit(store, u, NULL, NULL);
	for (int i = 1; i < 5; i++)
		store_commit(store, number_unit(store, i), NULL, NULL);
	store_sync(store);
	assert_kept_until_it_is_over(store, 5, -EIO);
	atomic_store(&refused, NULL);
	store_retry(store);
	assert_all_is_there(store, 5);
	store_close(store);
}

/* There is none for a copy of the value while the statement is made ready. */
static void memory_that_is_short_for_a_value_is_not_the_units_fault(void **unused)
{
	static const uint8_t big[4 << 20];
	struct store *store = open_it();
	struct store_unit *u = store_begin(store);

	store_add(u, INSERT, STORE_INT(1), STORE_REAL(0), STORE_TEXT("w"),
		  STORE_BLOB(big, sizeof(big)));
	sqlite3_hard_heap_limit64(sqlite3_memory_used() + (1 << 20));
	store_commit(store, u, NULL, NULL);
	store_sync(store);
	assert_kept_until_it_is_over(store, 1, -ENOMEM);
	sqlite3_hard_heap_limit64(0);
	store_retry(store);
	assert_all_is_there(store, 1);
	store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_transaction_that_can_not_begin_loses_nothing),
		TEST(a_transaction_that_can_not_end_loses_nothing),
		TEST(memory_that_is_short_for_a_value_is_not_the_units_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
