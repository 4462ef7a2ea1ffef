/* SPDX-License-Identifier: BSD-3-Clause */
/* A store with a table of numbers, in a directory of the test's own. */
#ifndef POSTERN_TESTS_UNIT_STORE_FIXTURE_H
#define POSTERN_TESTS_UNIT_STORE_FIXTURE_H

#include "control/store/store.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

static const char *const number_schema[] = {
	"CREATE TABLE number(n INTEGER PRIMARY KEY, half REAL, word TEXT, raw BLOB) STRICT",
	NULL,
};
static const struct store_part numbers = {.name = "number", .schema = number_schema};
static const struct store_part *const number_parts[] = {&numbers, NULL};

#define INSERT "INSERT INTO number(n, half, word, raw) VALUES (?1, ?2, ?3, ?4)"

static char store_error[STORE_ERROR];

static inline struct store *open_parts(const struct store_part *const *which,
				       struct event_base *base)
{
	struct store *store;
	int rc = store_open(scratch_dir, which, base, &store, store_error);

	if (rc)
		fail_msg("%d: %s", rc, store_error);
	return store;
}

static inline struct store *open_it(void)
{
	return open_parts(number_parts, NULL);
}

static inline void note_result(void *ctx, const struct store_result *result)
{
	*(struct store_result *)ctx = *result;
}

static inline struct store_unit *number_unit(struct store *store, int64_t n)
{
	static const uint8_t raw[] = {0, 1, 0, 255};
	struct store_unit *u = store_begin(store);

	store_add(u, INSERT, STORE_INT(n), STORE_REAL((double)n / 2), STORE_TEXT("w\xc3\xb6rd"),
		  STORE_BLOB(raw, sizeof(raw)));
	return u;
}

/* Its result, when it is on the disk. */
static inline struct store_result put(struct store *store, struct store_unit *u)
{
	struct store_result result = {.rc = 1};

	assert_int_equal(store_commit(store, u, note_result, &result), 0);
	store_sync(store);
	assert_int_not_equal(result.rc, 1);
	return result;
}

static inline int64_t ask(struct store *store, const char *sql)
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

#endif
