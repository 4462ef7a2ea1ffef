/* SPDX-License-Identifier: BSD-3-Clause */
/* The audit log: every entry hangs on the one before, and nothing can be taken from it unseen. */
#include "control/store/audit.h"

#include <errno.h>
#include <sqlite3.h>

#include "tests/unit/scratch.h"
#include "tests/unit/store_failing.h"
#include "tests/unit/test.h"

#define SECOND  UINT64_C(1000000000)
#define ENTRIES 10

static const struct store_part *const parts[] = {&audit_part, NULL};
static char error[STORE_ERROR];
static struct store *store;
static struct audit *audit;

static void open_log(void)
{
	if (store_open(scratch_dir, parts, NULL, &store, error) != 0 ||
	    audit_open(store, &audit, error) != 0)
		fail_msg("%s", error);
}

static void close_log(void)
{
	store_close(store);
	audit_close(audit);
}

static void note_result(void *ctx, const struct store_result *result)
{
	*(int *)ctx = result->rc;
}

static struct store_unit *entry(const char *action, uint32_t tenant, uint64_t time)
{
	struct store_unit *unit = store_begin(store);
	struct audit_note note = {
		.time = time,
		.action = action,
		.actor = "alice \"quoted\" \xc3\xa9",
		.uid = 1000,
		.tenant = tenant,
		.tenant_name = tenant ? "acme" : NULL,
		.generation = 12,
		.fields = json_pack("{s:s, s:{s:i}}", "reason", "why\n", "before", "a", 1),
	};

	assert_int_equal(audit_add(audit, unit, &note), 0);
	return unit;
}

static void add(const char *action, uint32_t tenant, uint64_t time)
{
	int rc = 1;

	assert_int_equal(store_commit(store, entry(action, tenant, time), note_result, &rc), 0);
	store_sync(store);
	assert_int_equal(rc, 0);
}

static void add_some(void)
{
	for (uint32_t i = 1; i <= ENTRIES; i++)
		add("tenant suspend", 1 + i % 3, i * SECOND);
}

/* The entry that is not the chain's next, 0: all are; UINT64_MAX: the end is missing, or not
 * posternd's. */
static uint64_t first_bad(void)
{
	const struct audit_head head = audit_head(audit);
	json_t *list = audit_entries(audit, 0, 1000, 0, 0, UINT64_MAX), *item;
	struct audit_walk walk = {0};
	uint8_t hash[AUDIT_HASH];
	uint64_t bad = 0;
	size_t i;

	assert_non_null(list);
	json_array_foreach(list, i, item)
	{
		const uint64_t seq = (uint64_t)json_integer_value(json_object_get(item, "seq"));

		if (!audit_unhex(json_string_value(json_object_get(item, "hash")), hash) ||
		    audit_step(&walk, seq, hash,
			       json_string_value(json_object_get(item, "text")))) {
			bad = seq;
			break;
		}
	}
	json_decref(list);
	if (!bad &&
	    (!head.good || head.seq != walk.seq || memcmp(head.hash, walk.hash, AUDIT_HASH) != 0))
		bad = UINT64_MAX;
	return bad;
}

static void entries_hang_on_one_another(void **unused)
{
	json_t *list, *entry;
	const char *text;

	open_log();
	assert_int_equal(first_bad(), 0);
	add_some();
	assert_int_equal(audit_head(audit).seq, ENTRIES);
	assert_int_equal(first_bad(), 0);
	close_log();
	open_log();
	add("posternd starts", 0, 99 * SECOND);
	assert_int_equal(audit_head(audit).seq, ENTRIES + 1);
	assert_int_equal(first_bad(), 0);

	list = audit_entries(audit, ENTRIES, 5, 0, 0, UINT64_MAX);
	assert_int_equal(json_array_size(list), 1);
	text = json_string_value(json_object_get(json_array_get(list, 0), "text"));
	assert_string_equal(
		text,
		"{\"action\":\"posternd starts\",\"actor\":\"alice \\\"quoted\\\" \xc3\xa9\","
		"\"at\":99000000000,\"before\":{\"a\":1},\"generation\":12,"
		"\"reason\":\"why\\n\",\"time\":\"1970-01-01T00:01:39.000000+0000\",\"uid\":1000}");
	entry = json_loads(text, 0, NULL);
	assert_non_null(entry);
	json_decref(entry);
	json_decref(list);
	close_log();
}

static size_t count_of(uint32_t tenant, uint64_t from, uint64_t to)
{
	json_t *list = audit_entries(audit, 0, 1000, tenant, from, to);
	const size_t n = json_array_size(list);

	json_decref(list);
	return n;
}

static void entries_are_found_by_tenant_and_time(void **unused)
{
	open_log();
	add_some();
	assert_int_equal(count_of(0, 0, UINT64_MAX), 10);
	assert_int_equal(count_of(1, 0, UINT64_MAX), 3);
	assert_int_equal(count_of(2, 0, UINT64_MAX), 4);
	assert_int_equal(count_of(9, 0, UINT64_MAX), 0);
	assert_int_equal(count_of(0, 3 * SECOND, 5 * SECOND), 2);
	assert_int_equal(count_of(2, 4 * SECOND, 8 * SECOND), 2);
	close_log();
}

/* What somebody does who may write to the file, but doesn't have the key. */
static void edit(const char *sql)
{
	char *why = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(scratch_path("state.db"), &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	assert_true(sqlite3_total_changes(db) > 0);
	sqlite3_close(db);
}

#define FREE "DROP TRIGGER audit_entry_changed; DROP TRIGGER audit_entry_deleted; "

static void what_was_done_to_the_log_shows_and_where(void **unused)
{
	static const struct {
		const char *sql;
		uint64_t bad;
	} edits[] = {
		{FREE
		 "UPDATE audit_entry SET text = replace(text, 'alice', 'malice') WHERE seq = 4",
		 4},
		{FREE "UPDATE audit_entry SET text = replace(text, 'why', 'whi') WHERE seq = 1", 1},
		{FREE "UPDATE audit_entry SET hash = zeroblob(32) WHERE seq = 5", 5},
		{FREE "UPDATE audit_entry SET hash = x'00' WHERE seq = 5", 5},
		{FREE "DELETE FROM audit_entry WHERE seq = 3", 4},
		{FREE "DELETE FROM audit_entry WHERE seq = 1", 2},
		/* Two change places, with their hashes and without. */
		{FREE "UPDATE audit_entry SET seq = 100 WHERE seq = 6; "
		      "UPDATE audit_entry SET seq = 6 WHERE seq = 7; "
		      "UPDATE audit_entry SET seq = 7 WHERE seq = 100",
		 6},
		{FREE
		 "CREATE TEMP TABLE t AS SELECT seq, text FROM audit_entry; "
		 "UPDATE audit_entry SET text = (SELECT text FROM t WHERE seq = 7) WHERE seq = 6; "
		 "UPDATE audit_entry SET text = (SELECT text FROM t WHERE seq = 6) WHERE seq = 7",
		 6},
		/* Cut off at the end: with its head, and with another's made up. */
		{FREE "DELETE FROM audit_entry WHERE seq > 7", UINT64_MAX},
		{FREE "DELETE FROM audit_entry WHERE seq > 7; UPDATE audit_head SET seq = 7, "
		      "hash = (SELECT hash FROM audit_entry WHERE seq = 7)",
		 UINT64_MAX},
		{FREE "DELETE FROM audit_entry; DELETE FROM audit_head WHERE 0", UINT64_MAX},
		{"UPDATE audit_head SET mac = zeroblob(32)", UINT64_MAX},
		{"DELETE FROM audit_head", UINT64_MAX},
		/* One more that nobody wrote. */
		{"INSERT INTO audit_entry(seq, hash, text) VALUES (11, zeroblob(32), '{}')", 11},
	};

	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		uint64_t bad;

		open_log();
		add_some();
		assert_int_equal(first_bad(), 0);
		close_log();
		edit(edits[i].sql);
		open_log();
		bad = first_bad();
		if (bad != edits[i].bad)
			fail_msg("%s: %llu", edits[i].sql, (unsigned long long)bad);
		close_log();
		scratch_files(true);
	}
}

/* posternd goes on writing, and what was cut off before is not hidden by that. */
static void what_was_cut_off_shows_after_posternd_went_on(void **unused)
{
	json_t *list;

	open_log();
	add_some();
	close_log();
	edit(FREE "DELETE FROM audit_entry WHERE seq > 7; UPDATE audit_head SET seq = 7, "
		  "hash = (SELECT hash FROM audit_entry WHERE seq = 7)");
	open_log();
	add("posternd starts", 0, 99 * SECOND);
	assert_true(audit_head(audit).good);
	/* Which is told once. */
	assert_true(audit_found_broken(audit));
	assert_false(audit_found_broken(audit));
	list = audit_entries(audit, 7, 10, 0, 0, UINT64_MAX);
	assert_int_equal(json_array_size(list), 2);
	assert_non_null(strstr(json_string_value(json_object_get(json_array_get(list, 0), "text")),
			       "\"action\":\"" AUDIT_BROKEN "\""));
	json_decref(list);
	close_log();
}

/* Who looks while entries are written sees one state of the log, and never half of two. */
static void the_head_is_good_while_entries_are_written(void **unused)
{
	struct audit_note note = {.action = "limits set", .actor = "alice"};
	uint64_t seen = 0;

	open_log();
	for (unsigned i = 0; i < 300; i++) {
		struct store_unit *unit = store_begin(store);

		assert_int_equal(audit_add(audit, unit, &note), 0);
		assert_int_equal(store_commit(store, unit, NULL, NULL), 0);
	}
	while (seen < 300) {
		const struct audit_head head = audit_head(audit);

		assert_true(head.good && head.seq >= seen);
		seen = head.seq;
	}
	assert_false(audit_found_broken(audit));
	assert_int_equal(first_bad(), 0);
	close_log();
}

static void the_log_can_not_be_changed_by_mistake(void **unused)
{
	char *why = NULL;
	sqlite3 *db;

	open_log();
	add_some();
	close_log();
	assert_int_equal(sqlite3_open(scratch_path("state.db"), &db), SQLITE_OK);
	assert_int_not_equal(sqlite3_exec(db, "DELETE FROM audit_entry", NULL, NULL, &why),
			     SQLITE_OK);
	assert_non_null(strstr(why, "only appended to"));
	sqlite3_free(why);
	sqlite3_close(db);
}

static int refuse(struct store_db *db, void *arg)
{
	return -ECANCELED;
}

static void an_entry_of_what_was_not_stored_is_not_there(void **unused)
{
	struct audit_note note = {.time = 1, .action = "x", .actor = "y"};
	struct store_unit *unit;
	int rc = 1;

	open_log();
	add_some();
	unit = store_begin(store);
	assert_int_equal(audit_add(audit, unit, &note), 0);
	store_call(unit, refuse, "", 1);
	store_commit(store, unit, note_result, &rc);
	store_sync(store);
	assert_int_equal(rc, -ECANCELED);
	add("after it", 0, 99 * SECOND);
	assert_int_equal(audit_head(audit).seq, ENTRIES + 1);
	assert_int_equal(first_bad(), 0);
	close_log();
}

/* Where each is in the chain is only known when it is written. */
static void entries_of_a_disk_that_takes_nothing_follow_in_their_order(void **unused)
{
	json_t *list, *one;
	size_t i;

	open_log();
	add_some();
	DISK_FAILS();
	for (uint32_t n = 1; n <= 50; n++) {
		struct store_unit *unit = entry("kept", n, (100 + n) * SECOND);
		int rc = 1;

		store_keep(unit);
		store_commit(store, unit, n % 2 ? NULL : note_result, &rc);
		store_sync(store);
		assert_int_equal(rc, n % 2 ? 1 : -EIO);
	}
	store_probe(store);
	store_sync(store);
	assert_int_equal(audit_head(audit).seq, ENTRIES);
	DISK_WORKS();
	store_probe(store);
	store_sync(store);
	add("after them", 0, 999 * SECOND);
	assert_int_equal(audit_head(audit).seq, ENTRIES + 51);
	assert_int_equal(first_bad(), 0);
	list = audit_entries(audit, ENTRIES, 1000, 0, 100 * SECOND, 200 * SECOND);
	assert_int_equal(json_array_size(list), 50);
	json_array_foreach(list, i, one)
	{
		json_t *text = json_loads(json_string_value(json_object_get(one, "text")), 0, NULL);

		assert_int_equal(json_integer_value(json_object_get(text, "tenant_id")), i + 1);
		json_decref(text);
	}
	json_decref(list);
	close_log();
}

static void a_key_that_was_cut_is_refused(void **unused)
{
	open_log();
	close_log();
	assert_int_equal(truncate(scratch_path("audit.key"), 31), 0);
	assert_int_equal(store_open(scratch_dir, parts, NULL, &store, error), 0);
	assert_int_equal(audit_open(store, &audit, error), -EBADMSG);
	assert_non_null(strstr(error, "audit.key"));
	store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(entries_hang_on_one_another),
		TEST(entries_are_found_by_tenant_and_time),
		TEST(what_was_done_to_the_log_shows_and_where),
		TEST(what_was_cut_off_shows_after_posternd_went_on),
		TEST(the_head_is_good_while_entries_are_written),
		TEST(the_log_can_not_be_changed_by_mistake),
		TEST(an_entry_of_what_was_not_stored_is_not_there),
		TEST(entries_of_a_disk_that_takes_nothing_follow_in_their_order),
		TEST(a_key_that_was_cut_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
