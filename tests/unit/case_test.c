/* SPDX-License-Identifier: BSD-3-Clause */
/* Cases by a clock of the test's own: who was told has time, who was not is never late. */
#include "control/cases/case_book.h"

#include "control/cases/case_words.h"
#include "control/cases/notice.h"
#include "tests/unit/scratch.h"
#include "tests/unit/store_failing.h"
#include "tests/unit/test.h"

#define SECOND UINT64_C(1000000000)
#define HOUR   (3600 * SECOND)
#define NOW    (UINT64_C(1800000000) * SECOND)

static const struct store_part *const parts[] = {&case_part, &notice_part, NULL};

struct fixture {
	struct store *store;
	struct case_book book;
};

static void open_it(struct fixture *f)
{
	char error[STORE_ERROR];

	assert_int_equal(store_open(scratch_dir, parts, NULL, &f->store, error), 0);
	assert_int_equal(case_book_open(&f->book, f->store), 0);
}

static void close_it(struct fixture *f)
{
	case_book_close(&f->book);
	store_close(f->store);
}

static void commit(struct fixture *f, struct store_unit *unit)
{
	assert_int_equal(store_commit(f->store, unit, NULL, NULL), 0);
	store_sync(f->store);
}

static struct case_one *begin(struct fixture *f, uint32_t tenant, uint64_t now)
{
	struct store_unit *unit = store_begin(f->store);
	bool opened;
	struct case_one *one = case_take(&f->book, unit, tenant, now, &opened);

	assert_true(opened);
	commit(f, unit);
	return one;
}

static void tell(struct fixture *f, struct case_one *one, uint64_t now)
{
	struct store_unit *unit = store_begin(f->store);

	case_told(&f->book, unit, one, 48 * HOUR, json_pack("{s:s}", "to", "a@acme.example"), now);
	commit(f, unit);
}

static struct case_one *late(struct fixture *f, uint64_t now)
{
	size_t from = 0;

	return case_late(&f->book, &from, now);
}

static void the_clock_runs_from_when_the_tenant_was_told(void **state)
{
	struct fixture f;
	struct case_one *one;

	open_it(&f);
	one = begin(&f, 7, NOW);
	assert_null(late(&f, NOW + 1000 * HOUR)); /* not told: never late */
	tell(&f, one, NOW + HOUR);
	assert_null(late(&f, NOW + 49 * HOUR - 1));
	assert_ptr_equal(late(&f, NOW + 49 * HOUR), one);
	close_it(&f);
}

static void who_answers_is_not_late(void **state)
{
	struct store_unit *unit;
	struct case_one *one;
	struct fixture f;

	open_it(&f);
	one = begin(&f, 7, NOW);
	tell(&f, one, NOW);
	unit = store_begin(f.store);
	case_answered(&f.book, unit, one, "alice", json_pack("{s:s}", "text", "a stolen password"),
		      NOW + 47 * HOUR);
	commit(&f, unit);
	assert_null(late(&f, NOW + 1000 * HOUR));
	assert_int_equal(one->state, CASE_ANSWERED);
	close_it(&f);
}

static void a_restart_loses_neither_cases_nor_their_clocks(void **state)
{
	struct store_unit *unit;
	struct case_one *one;
	struct fixture f;
	json_t *all, *item;

	open_it(&f);
	tell(&f, begin(&f, 7, NOW), NOW);
	begin(&f, 9, NOW + HOUR);
	close_it(&f);
	open_it(&f);
	assert_int_equal(f.book.count, 2);
	one = late(&f, NOW + 48 * HOUR);
	assert_non_null(one);
	assert_int_equal(one->tenant, 7);
	unit = store_begin(f.store);
	case_overdue(&f.book, unit, one, NOW + 48 * HOUR);
	case_closed(&f.book, unit, one, "alice", json_pack("{s:s}", "why", "they left"),
		    NOW + 50 * HOUR);
	commit(&f, unit);
	assert_int_equal(f.book.count, 1);
	assert_null(case_of(&f.book, 7));
	assert_null(case_find(&f.book, 1));
	close_it(&f);

	/* A number is never given twice, and what is closed can still be read. */
	open_it(&f);
	assert_int_equal(f.book.count, 1);
	assert_int_equal(begin(&f, 7, NOW + 60 * HOUR)->id, 3);
	all = case_json(&f.book, 1);
	assert_string_equal(json_string_value(json_object_get(all, "state")), "closed");
	assert_int_equal(json_array_size(json_object_get(all, "history")), 4);
	item = json_array_get(json_object_get(all, "history"), 3);
	assert_string_equal(json_string_value(json_object_get(item, "by")), "alice");
	json_decref(all);
	assert_null(case_json(&f.book, 4));
	close_it(&f);
}

static void a_tenant_has_one_case_at_a_time(void **state)
{
	struct store_unit *unit;
	struct case_one *one;
	struct fixture f;
	json_t *list;
	bool opened;

	open_it(&f);
	one = begin(&f, 7, NOW);
	unit = store_begin(f.store);
	assert_ptr_equal(case_take(&f.book, unit, 7, NOW + HOUR, &opened), one);
	assert_false(opened);
	case_add(&f.book, unit, one, "report", "", json_pack("{s:s}", "kind", "complaint"), NOW);
	commit(&f, unit);
	begin(&f, 0, NOW); /* nobody's */
	list = case_list(&f.book, 7, false, false, 10);
	assert_int_equal(json_array_size(list), 1);
	json_decref(list);
	list = case_list(&f.book, 0, false, false, 10);
	assert_int_equal(json_array_size(list), 1);
	json_decref(list);
	list = case_list(&f.book, 0, true, false, 10);
	assert_int_equal(json_array_size(list), 2);
	json_decref(list);
	close_it(&f);
}

static void many_are_opened_and_closed(void **state)
{
	struct fixture f;

	open_it(&f);
	for (uint32_t tenant = 1; tenant <= 500; tenant++)
		begin(&f, tenant, NOW + tenant);
	for (uint32_t tenant = 1; tenant <= 500; tenant += 2) {
		struct store_unit *unit = store_begin(f.store);

		case_closed(&f.book, unit, case_of(&f.book, tenant), "alice", NULL, NOW + HOUR);
		assert_int_equal(store_commit(f.store, unit, NULL, NULL), 0);
	}
	store_sync(f.store);
	assert_int_equal(f.book.count, 250);
	for (uint32_t tenant = 1; tenant <= 500; tenant++)
		assert_int_equal(case_of(&f.book, tenant) != NULL, tenant % 2 == 0);
	close_it(&f);
}

static void old_ones_go_with_what_they_had_and_open_ones_stay(void **state)
{
	struct store_unit *unit;
	struct fixture f;
	json_t *all;

	open_it(&f);
	begin(&f, 7, NOW);
	begin(&f, 9, NOW);
	unit = store_begin(f.store);
	case_closed(&f.book, unit, case_of(&f.book, 7), "alice", NULL, NOW + HOUR);
	store_add(unit, case_part.expire, STORE_INT(NOW + 2 * HOUR), STORE_INT(100));
	commit(&f, unit);
	assert_null(case_json(&f.book, 1));
	all = case_json(&f.book, 2);
	assert_int_equal(json_array_size(json_object_get(all, "history")), 1);
	json_decref(all);
	close_it(&f);
}

static void pauses_grow_up_to_the_longest(void **state)
{
	const struct notice_config c = {.first = 60 * SECOND, .most = HOUR};

	assert_int_equal(notice_pause(&c, 1), 60 * SECOND);
	assert_int_equal(notice_pause(&c, 2), 120 * SECOND);
	assert_int_equal(notice_pause(&c, 6), 1920 * SECOND);
	assert_int_equal(notice_pause(&c, 7), HOUR);
	assert_int_equal(notice_pause(&c, 4000000000), HOUR);
}

static void what_is_for_ever_is_not_tried_again(void **state)
{
	assert_true(notice_is_final(NOTICE_MAIL, 550));
	assert_false(notice_is_final(NOTICE_MAIL, 451));
	assert_false(notice_is_final(NOTICE_MAIL, 0));
	assert_true(notice_is_final(NOTICE_WEBHOOK, 404));
	assert_false(notice_is_final(NOTICE_WEBHOOK, 429));
	assert_false(notice_is_final(NOTICE_WEBHOOK, 408));
	assert_false(notice_is_final(NOTICE_WEBHOOK, 500));
	assert_false(notice_is_final(NOTICE_WEBHOOK, 0));
}

static void a_subject_is_one_line_of_ascii_whatever_a_tenant_is_called(void **state)
{
	const struct case_one one = {.id = 12, .tenant = 7, .opened = NOW};
	json_t *fields = json_pack("{s:f, s:{s:f}}", "score", 55.0, "points", "asr", 55.0);
	struct case_words words;

	assert_int_equal(case_words(&words, &one,
				    "b\xc3\xbc"
				    "cher\r\nBcc: x",
				    "case_opened", fields, 48 * HOUR),
			 0);
	assert_null(strpbrk(words.subject, "\r\n"));
	assert_string_equal(words.subject, "[postern] case 12: b??cher??Bcc: x: open");
	assert_non_null(strstr(words.text, "within 48 hours"));
	assert_non_null(strstr(words.text, "asr"));
	case_words_free(&words);
	json_decref(fields);
}

static int64_t count(struct fixture *f, const char *sql)
{
	struct store_rows *rows = store_query(f->store, sql);
	const int64_t n = store_next(rows) ? store_column_int(rows, 0) : -1;

	assert_int_equal(store_end(rows), 0);
	return n;
}

/* Its opening was lost, what followed wasn't: the number would be the next case's, too. */
static void an_item_is_never_there_without_its_case(void **state)
{
	struct store_unit *unit;
	struct case_one *one;
	struct fixture f;
	bool opened;

	open_it(&f);
	unit = store_begin(f.store);
	one = case_take(&f.book, unit, 7, NOW, &opened);
	store_abandon(unit);
	unit = store_begin(f.store);
	case_add(&f.book, unit, one, "note", "alice", NULL, NOW);
	commit(&f, unit);
	assert_int_equal(count(&f, "SELECT count(*) FROM case_one WHERE tenant = 7"), 1);
	assert_int_equal(count(&f, "SELECT count(*) FROM case_item WHERE of NOT IN"
				   " (SELECT id FROM case_one)"),
			 0);
	close_it(&f);
}

static void cases_of_a_disk_that_takes_nothing_are_there_later(void **state)
{
	struct store_unit *unit;
	struct case_one *one;
	struct fixture f;
	json_t *all;

	open_it(&f);
	DISK_FAILS();
	one = begin(&f, 7, NOW);
	tell(&f, one, NOW + HOUR);
	unit = store_begin(f.store);
	case_closed(&f.book, unit, one, "alice", NULL, NOW + 2 * HOUR);
	commit(&f, unit);
	assert_null(case_json(&f.book, 1));
	assert_int_equal(begin(&f, 9, NOW)->id, 2);
	DISK_WORKS();
	store_probe(f.store);
	close_it(&f);
	open_it(&f);
	all = case_json(&f.book, 1);
	assert_string_equal(json_string_value(json_object_get(all, "state")), "closed");
	assert_int_equal(json_array_size(json_object_get(all, "history")), 3);
	json_decref(all);
	assert_int_equal(f.book.count, 1);
	assert_int_equal(f.book.one[0].id, 2);
	close_it(&f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_clock_runs_from_when_the_tenant_was_told),
		TEST(who_answers_is_not_late),
		TEST(a_restart_loses_neither_cases_nor_their_clocks),
		TEST(a_tenant_has_one_case_at_a_time),
		TEST(many_are_opened_and_closed),
		TEST(old_ones_go_with_what_they_had_and_open_ones_stay),
		cmocka_unit_test(pauses_grow_up_to_the_longest),
		cmocka_unit_test(what_is_for_ever_is_not_tried_again),
		cmocka_unit_test(a_subject_is_one_line_of_ascii_whatever_a_tenant_is_called),
		TEST(an_item_is_never_there_without_its_case),
		TEST(cases_of_a_disk_that_takes_nothing_are_there_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
