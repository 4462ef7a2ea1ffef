/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Nothing is kept longer than is set: each kind, of the tables that posternd has, by a clock of the
 * test's own; and each kind has its setting.
 */
#include "control/config/config.h"
#include "control/store/store.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

#define ROWS 100 /* of each kind, one of each second */
#define STEP 7   /* at a time, as few as no posternd would */

/* How a row of the time ?1 (s) is made, and of what kind it is; another that never goes. */
static const struct {
	const char *kind, *insert, *stays, *table;
} kinds[] = {
	{"cases",
	 "INSERT INTO case_one(tenant, state, opened, told, due, closed)"
	 " VALUES (7, 'closed', 1, 1, 1, ?1)",
	 "INSERT INTO case_one(tenant, state, opened, told, due, closed)"
	 " VALUES (7, 'open', 1, 1, 1, 0)",
	 "SELECT count(*) FROM case_one"},
	{"evidence",
	 "INSERT INTO evidence_one(tenant, time, flow, generation, source, destination, reason,"
	 " sid, reply, mail_from, header, cut) VALUES (7, ?1, '', 0, '', '', '', 0, '', '', x'', "
	 "0)",
	 NULL, "SELECT count(*) FROM evidence_one"},
	{"reports",
	 "INSERT INTO feedback_report(time, source, kind, result, matched_by, tenant, message_id,"
	 " address, reporter, type, status, text, arrived)"
	 " VALUES (?1, '', '', '', '', 7, '', '', '', '', '', '', '')",
	 NULL, "SELECT count(*) FROM feedback_report"},
	{"scores",
	 "INSERT INTO risk_tenant(tenant, level, score, time, gone, data)"
	 " VALUES (?1 + 1, 'none', 0, 0, ?1, x'01')",
	 "INSERT INTO risk_tenant(tenant, level, score, time, gone, data)"
	 " VALUES (1000, 'none', 0, 0, 0, x'01')",
	 "SELECT count(*) FROM risk_tenant"},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct store *store;

static int setup(void **state)
{
	char error[STORE_ERROR];

	return scratch_setup(state) || store_open(scratch_dir, store_parts, NULL, &store, error);
}

static int teardown(void **state)
{
	store_close(store);
	return scratch_teardown(state);
}

static size_t kind_of(const char *name)
{
	size_t i = 0;

	while (i < KINDS && strcmp(kinds[i].kind, name) != 0)
		i++;
	if (i == KINDS)
		fail_msg("nothing is known here of the kind %s", name);
	return i;
}

static int64_t count_of(size_t kind)
{
	struct store_rows *rows = store_query(store, kinds[kind].table);
	int64_t n;

	assert_true(store_next(rows));
	n = store_column_int(rows, 0);
	store_end(rows);
	return n;
}

static void note_result(void *ctx, const struct store_result *result)
{
	*(struct store_result *)ctx = *result;
}

static void fill(size_t kind)
{
	struct store_unit *unit = store_begin(store);
	struct store_result result = {.rc = 1};

	for (int i = 1; i <= ROWS; i++)
		store_add(unit, kinds[kind].insert, STORE_INT(i));
	if (kinds[kind].stays)
		store_add(unit, kinds[kind].stays);
	store_commit(store, unit, note_result, &result);
	store_sync(store);
	assert_int_equal(result.rc, 0);
}

/* Steps until there is no more. */
static int64_t expire(const struct store_part *part, uint64_t before)
{
	struct store_result result = {.changes = STEP};
	int64_t gone = 0;

	while (result.changes >= STEP) {
		assert_int_equal(store_expire(store, part, before, STEP, note_result, &result), 0);
		store_sync(store);
		assert_int_equal(result.rc, 0);
		gone += (int64_t)result.changes;
	}
	return gone;
}

static void each_kind_goes_when_it_is_old_enough_and_not_before(void **state)
{
	unsigned seen = 0;

	for (size_t i = 0; store_parts[i]; i++) {
		const struct store_part *part = store_parts[i];
		size_t kind;
		int64_t more;

		if (!part->retention)
			continue;
		kind = kind_of(part->retention);
		more = kinds[kind].stays != NULL;
		seen |= 1U << kind;
		fill(kind);
		assert_int_equal(expire(part, 1), 0);
		assert_int_equal(count_of(kind), ROWS + more);
		assert_int_equal(expire(part, 41), 40);
		assert_int_equal(count_of(kind), ROWS - 40 + more);
		assert_int_equal(expire(part, 41), 0);
		assert_int_equal(expire(part, UINT64_C(1) << 62), ROWS - 40);
		assert_int_equal(count_of(kind), more);
	}
	assert_int_equal(seen, (1U << KINDS) - 1);
}

static const struct setting *find(const struct setting *list, const char *name)
{
	while (list->name && strcmp(list->name, name) != 0)
		list++;
	return list->name ? list : NULL;
}

static void each_kind_has_its_setting_and_each_setting_its_kind(void **state)
{
	const struct setting *gate = find(config_settings, "gate");
	const struct setting *retention = gate ? find(gate->members, "retention") : NULL;
	size_t settings = 0;

	assert_non_null(retention);
	for (const struct setting *s = retention->members; s->name; s++) {
		kind_of(s->name);
		assert_string_not_equal(s->fallback, "0");
		settings++;
	}
	assert_int_equal(settings, KINDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_kind_goes_when_it_is_old_enough_and_not_before,
						setup, teardown),
		cmocka_unit_test(each_kind_has_its_setting_and_each_setting_its_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
