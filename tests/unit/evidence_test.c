/* SPDX-License-Identifier: BSD-3-Clause */
/* Headers of refused mails: kept, bounded, found by those they are to, and forgotten. */
#include "control/cases/evidence.h"

#include <sqlite3.h>

#include "bpf/event_record.h"
#include "tests/unit/scratch.h"
#include "tests/unit/store_failing.h"
#include "tests/unit/test.h"

#define HOUR UINT64_C(3600000000000)
#define NOW  (500000 * HOUR)

static const struct store_part *const parts[] = {&evidence_part, NULL};
static const struct person_key key = {{1, 2}};
static const char *body; /* of the next records; NULL: the rule keeps none */

struct fixture {
	struct store *store;
	struct evidence evidence;
};

static void open_it(struct fixture *f)
{
	char error[STORE_ERROR];

	assert_int_equal(store_open(scratch_dir, parts, NULL, &f->store, error), 0);
	assert_int_equal(evidence_open(&f->evidence, 4), 0);
}

static void close_it(struct fixture *f)
{
	evidence_close(&f->evidence);
	store_close(f->store);
}

static bool take(struct fixture *f, uint32_t slot, uint64_t time, const char *rcpt,
		 const char *header, size_t header_len)
{
	static uint8_t room[32768] __attribute__((aligned(8)));
	struct event_builder e = {NULL, 0};

	assert_true(event_begin(&e, room, sizeof(room), EVENT_EVIDENCE));
	e.head->tenant = slot;
	e.head->time = time;
	e.head->family = 4;
	e.head->src[0] = 192;
	event_put_text(&e, FIELD_KEY_VERDICT_REASON, "rule");
	event_put_uint(&e, FIELD_KEY_VERDICT_SID, 9000001);
	event_put_text(&e, FIELD_KEY_VERDICT_REJECT, "550 5.7.0 \xff refused");
	event_put_text(&e, FIELD_KEY_SMTP_MAIL_FROM, "ann@acme.example");
	if (rcpt)
		event_put_text(&e, FIELD_KEY_SMTP_RCPT_TO, rcpt);
	event_put_str(&e, FIELD_KEY_EVIDENCE_HEADER, header, header_len);
	event_put_bool(&e, FIELD_KEY_EVIDENCE_CUT, header_len > 8000);
	if (body) {
		event_put_text(&e, FIELD_KEY_EVIDENCE_BODY, body);
		event_put_text(&e, FIELD_KEY_EVIDENCE_BUFFER, "email.body");
		event_put_uint(&e, FIELD_KEY_EVIDENCE_AT, 120);
	}
	e.head->size = (uint32_t)event_size(&e);
	return evidence_take(&f->evidence, f->store, &key, 70 + slot, e.head);
}

static int64_t ask(struct fixture *f, const char *sql)
{
	struct store_rows *rows;
	int64_t n = -1;

	store_sync(f->store);
	rows = store_query(f->store, sql);
	if (store_next(rows))
		n = store_column_int(rows, 0);
	assert_int_equal(store_end(rows), 0);
	return n;
}

static int64_t hash_of(const char *address)
{
	return (int64_t)person_hash(&key, address, strlen(address));
}

static void forget(struct fixture *f, const char *address)
{
	struct store_unit *unit = store_begin(f->store);

	store_add(unit, evidence_part.forget[0], STORE_INT(hash_of(address)));
	assert_int_equal(store_commit(f->store, unit, NULL, NULL), 0);
}

static void a_header_comes_back_as_it_went(void **state)
{
	static const char header[] = "From: a\r\nTo: b\r\n\tc\r\nX: \0\xff\r\n";
	struct store_rows *rows;
	struct fixture f;
	const void *blob;
	size_t len;

	open_it(&f);
	assert_true(take(&f, 1, NOW, "bob@example.net", header, sizeof(header) - 1));
	store_sync(f.store);
	rows = store_query(f.store, "SELECT header, reply, source, tenant, sid FROM evidence_one");
	assert_true(store_next(rows));
	blob = store_column_blob(rows, 0, &len);
	assert_int_equal(len, sizeof(header) - 1);
	assert_memory_equal(blob, header, len);
	assert_string_equal(store_column_text(rows, 1), "550 5.7.0 ? refused");
	assert_string_equal(store_column_text(rows, 2), "192.0.0.0");
	assert_int_equal(store_column_int(rows, 3), 71);
	assert_int_equal(store_column_int(rows, 4), 9000001);
	store_end(rows);
	close_it(&f);
}

static void a_flood_says_nothing_new(void **state)
{
	struct fixture f;
	unsigned kept = 0;

	open_it(&f);
	for (unsigned i = 0; i < 200; i++)
		kept += take(&f, 1, NOW + i, "bob@example.net", "A: b\r\n", 6);
	assert_int_equal(kept, EVIDENCE_HOURLY);
	assert_int_equal(f.evidence.beyond, 200 - EVIDENCE_HOURLY);
	/* Another tenant, another hour. */
	assert_true(take(&f, 2, NOW, "bob@example.net", "A: b\r\n", 6));
	assert_true(take(&f, 1, NOW + HOUR, "bob@example.net", "A: b\r\n", 6));
	assert_int_equal(ask(&f, "SELECT count(*) FROM evidence_one"), EVIDENCE_HOURLY + 2);
	close_it(&f);
}

static void who_is_forgotten_is_in_none_any_more(void **state)
{
	struct fixture f;

	open_it(&f);
	take(&f, 1, NOW, "bob@example.net", "A: b\r\n", 6);
	take(&f, 1, NOW, "carol@example.net", "A: b\r\n", 6);
	take(&f, 1, NOW, NULL, "A: b\r\n", 6);
	forget(&f, "BOB@Example.NET");
	assert_int_equal(ask(&f, "SELECT count(*) FROM evidence_one"), 2);
	assert_int_equal(ask(&f, "SELECT count(*) FROM evidence_person"), 1);
	forget(&f, "dave@example.net");
	assert_int_equal(ask(&f, "SELECT count(*) FROM evidence_one"), 2);
	close_it(&f);
}

/* What a rule kept of a body is there with its header, and goes with it. */
static void what_is_kept_of_a_body_goes_with_the_rest(void **state)
{
	struct store_rows *rows;
	struct fixture f;
	const void *blob;
	size_t len;

	open_it(&f);
	body = "call [number]\n\xff now";
	take(&f, 1, NOW, "bob@example.net", "A: b\r\n", 6);
	body = NULL;
	take(&f, 1, NOW, "carol@example.net", "A: b\r\n", 6);
	store_sync(f.store);
	rows = store_query(f.store, "SELECT body, buffer, at FROM evidence_one ORDER BY id");
	assert_true(store_next(rows));
	blob = store_column_blob(rows, 0, &len);
	assert_int_equal(len, 19);
	assert_memory_equal(blob, "call [number]\n\xff now", len);
	assert_string_equal(store_column_text(rows, 1), "email.body");
	assert_int_equal(store_column_int(rows, 2), 120);
	assert_true(store_next(rows));
	store_column_blob(rows, 0, &len);
	assert_int_equal(len, 0);
	store_end(rows);
	forget(&f, "bob@example.net");
	assert_int_equal(ask(&f, "SELECT count(*) FROM evidence_one WHERE length(body) > 0"), 0);
	close_it(&f);
}

/* A database of before this was kept. */
static void an_older_database_is_taken_over(void **state)
{
	const char *const *schema = evidence_part.schema;
	const char *const first[] = {schema[0], NULL};
	struct store_part old = evidence_part;
	const struct store_part *const olds[] = {&old, NULL};
	char error[STORE_ERROR];
	struct fixture f;

	old.schema = first;
	assert_int_equal(store_open(scratch_dir, olds, NULL, &f.store, error), 0);
	store_close(f.store);
	open_it(&f);
	body = "kept";
	assert_true(take(&f, 1, NOW, "bob@example.net", "A: b\r\n", 6));
	body = NULL;
	assert_int_equal(ask(&f, "SELECT length(body) FROM evidence_one"), 4);
	close_it(&f);
}

static void old_ones_go_a_bounded_number_at_a_time(void **state)
{
	struct store_unit *unit;
	struct fixture f;

	open_it(&f);
	for (unsigned i = 0; i < 10; i++)
		take(&f, 1, NOW + i * HOUR, "bob@example.net", "A: b\r\n", 6);
	unit = store_begin(f.store);
	store_add(unit, evidence_part.expire, STORE_INT(NOW + 8 * HOUR), STORE_INT(3));
	assert_int_equal(store_commit(f.store, unit, NULL, NULL), 0);
	assert_int_equal(ask(&f, "SELECT count(*) FROM evidence_one"), 7);
	assert_int_equal(ask(&f, "SELECT min(time) FROM evidence_one"), (int64_t)(NOW + 3 * HOUR));
	close_it(&f);
}

static void what_is_refused_while_the_disk_takes_nothing_is_there_later(void **state)
{
	struct fixture f;

	open_it(&f);
	assert_true(take(&f, 1, NOW, "bob@example.net", "A: 1\r\n", 6));
	store_sync(f.store);
	DISK_FAILS();
	for (unsigned i = 0; i < 20; i++)
		assert_true(take(&f, 1 + i % 3, NOW + i, i % 2 ? "a@b.example" : "c@d.example",
				 "A: 2\r\n", 6));
	store_sync(f.store);
	assert_int_equal(store_stats(f.store).kept, 20);
	assert_int_equal(ask(&f, "SELECT count(*) FROM evidence_one"), 1);
	DISK_WORKS();
	store_probe(f.store);
	assert_int_equal(ask(&f, "SELECT count(*) FROM evidence_one"), 21);
	/* Each with its own recipient. */
	assert_int_equal(ask(&f, "SELECT count(DISTINCT of) FROM evidence_person"), 21);
	forget(&f, "a@b.example");
	assert_int_equal(ask(&f, "SELECT count(*) FROM evidence_one"), 11);
	assert_int_equal(f.evidence.kept, 21);
	assert_int_equal(f.evidence.lost, 0);
	close_it(&f);
}

/* What people decide, and its entries in the audit log, find room when it has none. */
static void it_gives_way_before_all_else(void **state)
{
	static char header[16384];
	struct store_unit *unit;
	struct fixture f;
	unsigned kept = 0;

	open_it(&f);
	DISK_FAILS();
	while (take(&f, 1, NOW + kept * HOUR, "bob@example.net", header, sizeof(header))) {
		store_sync(f.store);
		assert_true(++kept < 10000);
	}
	assert_int_equal(f.evidence.lost, 1);
	assert_int_equal(store_stats(f.store).lost, 0);
	unit = store_begin(f.store);
	store_add(unit, evidence_part.expire, STORE_INT(0), STORE_INT(1));
	assert_int_equal(store_commit(f.store, unit, NULL, NULL), 0);
	store_sync(f.store);
	assert_int_equal(store_stats(f.store).kept, kept + 1);
	DISK_WORKS();
	close_it(&f);
}

static void what_is_no_evidence_is_nothing(void **state)
{
	static uint8_t room[4096] __attribute__((aligned(8)));
	struct event_builder e = {NULL, 0};
	struct fixture f;

	open_it(&f);
	assert_true(event_begin(&e, room, sizeof(room), EVENT_VERDICT));
	e.head->size = (uint32_t)event_size(&e);
	assert_false(evidence_take(&f.evidence, f.store, &key, 7, e.head));
	assert_false(take(&f, 4, NOW, "bob@example.net", "A: b\r\n", 6)); /* no such slot */
	assert_int_equal(ask(&f, "SELECT count(*) FROM evidence_one"), 0);
	close_it(&f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_header_comes_back_as_it_went),
		TEST(a_flood_says_nothing_new),
		TEST(who_is_forgotten_is_in_none_any_more),
		TEST(what_is_kept_of_a_body_goes_with_the_rest),
		TEST(an_older_database_is_taken_over),
		TEST(old_ones_go_a_bounded_number_at_a_time),
		TEST(what_is_refused_while_the_disk_takes_nothing_is_there_later),
		TEST(it_gives_way_before_all_else),
		TEST(what_is_no_evidence_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
