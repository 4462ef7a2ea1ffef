/* SPDX-License-Identifier: BSD-3-Clause */
/* What a matcher is fed, kept and played again; and what that costs. */
#include <errno.h>
#include <netinet/in.h>

#include "control/rules/rules_cost.h"
#include "dataplane/match/match_cost.h"
#include "tests/rules_fixture.h"
#include "tests/unit/test.h"

#define RULES                                                                                 \
	"alert smtp any any -> any any (msg:\"s\"; email.subject; content:\"win\"; sid:1;)\n" \
	"alert smtp any any -> any any (msg:\"b\"; email.body; content:\"cheap\"; "           \
	"content:\"pills\"; distance:0; within:20; sid:2;)\n"                                 \
	"alert smtp any any -> any any (msg:\"h\"; smtp.helo; content:\"evil\"; "             \
	"email.subject; content:\"win\"; sid:3;)\n"                                           \
	"alert smtp any any -> any any (msg:\"r\"; smtp.rcpt_to; content:\"@\"; sid:4;)\n"

#define MAILS 200 /* at once: more than a tape has room for at first */

struct mails {
	struct match_txn session, mail[MAILS];
	uint64_t hits;
};

static void drain(struct matcher *m, struct mails *all)
{
	all->hits += m->nhits;
	m->nhits = 0;
}

static void block(struct matcher *m, struct mails *all, struct match_txn *txn,
		  enum rule_buffer buffer, const char *text)
{
	match_block(m, txn, buffer, text, strlen(text));
	drain(m, all);
}

static void feed(struct matcher *m, struct mails *all, struct match_txn *txn, const char *text)
{
	match_stream_feed(m, txn, RULE_BUFFER_EMAIL_BODY, text, strlen(text));
	drain(m, all);
}

/* Two hundred mails at once, each a piece at a time: every third wins, every other is cheap. */
static uint64_t say_all(struct matcher *m)
{
	static struct mails all;
	struct match_flow flow = rules_fixture_flow(IPPROTO_TCP, 25);

	all.hits = 0;
	match_begin(m, &all.session, &flow, NULL);
	block(m, &all, &all.session, RULE_BUFFER_SMTP_HELO, "evil.example");
	for (unsigned i = 0; i < MAILS; i++) {
		struct match_txn *txn = &all.mail[i];

		match_begin(m, txn, &flow, i % 2 ? &all.session : NULL);
		for (unsigned r = 0; r < 3; r++) {
			match_renew(txn);
			block(m, &all, txn, RULE_BUFFER_SMTP_RCPT_TO, "a@example.net");
		}
		block(m, &all, txn, RULE_BUFFER_EMAIL_SUBJECT, i % 3 ? "hello" : "you win");
		if (i < 60)
			assert_true(match_stream_open(m, txn, RULE_BUFFER_EMAIL_BODY));
	}
	for (unsigned i = 0; i < 60; i++)
		feed(m, &all, &all.mail[i], i % 2 ? "so che" : "so dear");
	for (unsigned i = 0; i < 60; i++)
		feed(m, &all, &all.mail[i], "ap are pills");
	for (unsigned i = 0; i < 60; i++) {
		match_stream_close(m, &all.mail[i], RULE_BUFFER_EMAIL_BODY);
		drain(m, &all);
	}
	for (unsigned i = 0; i < MAILS; i++)
		match_end(m, &all.mail[i]);
	return all.hits;
}

/* Recipients: 3 a mail; subjects: 67 win, 33 of them in sessions of evil; bodies: 30. */
#define EXPECTED (3 * MAILS + 67 + 33 + 30)

static void record(struct match_tape *tape)
{
	struct rules_fixture none;

	*tape = (struct match_tape){0};
	rules_fixture_init(&none, "");
	match_tape_record(tape, none.matcher);
	assert_int_equal(say_all(none.matcher), 0);
	rules_fixture_fini(&none);
	assert_false(tape->failed);
}

/* As the fixture, with room for this test's streams. */
static struct matcher *roomy(struct rules_fixture *f)
{
	matcher_free(f->matcher);
	assert_int_equal(matcher_new(f->ruleset, 60, &f->matcher), 0);
	return f->matcher;
}

static void a_tape_played_hits_what_the_traffic_did(void **state)
{
	struct match_player player;
	struct match_tape tape;
	struct rules_fixture f;

	rules_fixture_init(&f, RULES);
	assert_int_equal(say_all(roomy(&f)), EXPECTED);
	record(&tape);
	assert_int_equal(tape.fed[RULE_BUFFER_EMAIL_BODY], 60 * strlen("so dear") - 30 + 60 * 12);
	assert_int_equal(tape.fed[RULE_BUFFER_EMAIL_SUBJECT], 67 * 7 + 133 * 5);
	assert_int_equal(match_player_init(&player, &tape, f.ruleset), 0);
	for (uint64_t i = 1; i <= 3; i++) { /* and again: a play leaves nothing behind */
		match_player_run(&player, MATCH_TAPE_ALL, 1);
		assert_int_equal(player.hits, i * EXPECTED);
	}
	player.hits = 0;
	match_player_run(&player, RULE_BUFFER_EMAIL_BODY, 5);
	assert_int_equal(player.hits, 5 * 30);
	match_player_run(&player, RULE_BUFFER_SIP_URI, 1); /* there is none */
	assert_int_equal(player.hits, 5 * 30);
	match_player_fini(&player);
	match_tape_fini(&tape);
	rules_fixture_fini(&f);
}

/* A connection that broke: its body was never closed, its mail never ended. */
static void what_is_left_open_ends_with_the_play(void **state)
{
	struct match_flow flow = rules_fixture_flow(IPPROTO_TCP, 25);
	struct match_tape tape = {0};
	struct match_player player;
	struct rules_fixture f;
	char mails[3];

	rules_fixture_init(&f, RULES);
	for (unsigned i = 0; i < 3; i++) {
		match_tape_begin(&tape, &mails[i], &flow, NULL);
		match_tape_open(&tape, &mails[i], RULE_BUFFER_EMAIL_BODY);
		match_tape_feed(&tape, &mails[i], RULE_BUFFER_EMAIL_BODY, "cheap pills", 11);
	}
	assert_int_equal(match_player_init(&player, &tape, f.ruleset), 0);
	match_player_run(&player, MATCH_TAPE_ALL, 100);
	assert_int_equal(player.matcher->stats.over_budget, 0);
	assert_int_equal(player.matcher->stats.bytes[RULE_BUFFER_EMAIL_BODY], 100 * 33);
	match_player_fini(&player);
	match_tape_fini(&tape);
	rules_fixture_fini(&f);
}

static void costs_have_their_parts(void **state)
{
	struct match_share shares[4];
	struct match_cost cost;
	struct match_tape tape;
	struct rules_fixture f;

	rules_fixture_init(&f, RULES);
	record(&tape);
	assert_int_equal(match_cost_measure(&tape, f.ruleset, 0, 1000, true, &cost), -EINVAL);
	assert_int_equal(match_cost_measure(&tape, f.ruleset, 3, 1000, true, &cost), 0);
	assert_int_equal(cost.hits, EXPECTED);
	assert_true(cost.all.low > 0 && cost.all.low <= cost.all.median &&
		    cost.all.median <= cost.all.high);
	assert_true(cost.buffer[RULE_BUFFER_SIP_URI].high == 0);
	assert_int_equal(cost.stats.bytes[RULE_BUFFER_EMAIL_BODY],
			 tape.fed[RULE_BUFFER_EMAIL_BODY]);
	assert_int_equal(match_cost_shares(&tape, f.ruleset, 2, shares), 0);
	/* A literal of one part, and of two; in pieces: found, and then looked at. */
	assert_int_equal(shares[0].found, 67);
	assert_int_equal(shares[2].found, 67 + 1);
	assert_int_equal(shares[3].found, 3 * MAILS);
	assert_true(shares[1].found >= 60);
	tape.failed = true;
	assert_int_equal(match_cost_measure(&tape, f.ruleset, 3, 1000, true, &cost), -EINVAL);
	match_tape_fini(&tape);
	rules_fixture_fini(&f);
}

static void figures_are_of_bytes_and_time(void **state)
{
	assert_true(match_ns_per_kib(1000, 2048) == 500);
	assert_true(match_gbits(1000, 2000) == 16);
	assert_true(match_ns_per_kib(1000, 0) == 0);
	assert_true(match_gbits(0, 1000) == 0);
}

static void the_sample_is_of_mails_and_calls_and_always_the_same(void **state)
{
	static const enum rule_buffer filled[] = {
		RULE_BUFFER_SMTP_HELO,      RULE_BUFFER_SMTP_MAIL_FROM, RULE_BUFFER_SMTP_REPLY_TEXT,
		RULE_BUFFER_EMAIL_RECEIVED, RULE_BUFFER_EMAIL_SUBJECT,  RULE_BUFFER_EMAIL_BODY,
		RULE_BUFFER_EMAIL_URL,      RULE_BUFFER_FILE_NAME,      RULE_BUFFER_FILE_DATA,
		RULE_BUFFER_SIP_URI,        RULE_BUFFER_SIP_HEADER,     RULE_BUFFER_SIP_BODY,
		RULE_BUFFER_SIP_STAT_CODE,  RULE_BUFFER_EMAIL_HEADER,   RULE_BUFFER_SIP_CONTACT,
	};
	struct match_tape a, b;

	assert_int_equal(rules_cost_sample(&a), 0);
	assert_int_equal(rules_cost_sample(&b), 0);
	assert_int_equal(a.used, b.used);
	assert_memory_equal(a.bytes, b.bytes, a.used);
	assert_int_equal(a.traffic, b.traffic);
	for (unsigned i = 0; i < sizeof(filled) / sizeof(filled[0]); i++)
		assert_true(a.fed[filled[i]] > 0);
	match_tape_fini(&a);
	match_tape_fini(&b);
}

static void an_image_is_estimated_and_a_broken_one_refused(void **state)
{
	struct rules_cost cost = {0};
	struct rules_fixture f;
	char error[128] = "";

	rules_fixture_init(&f, RULES);
	assert_int_equal(
		rules_cost_estimate(f.image, f.stats.image_bytes, &cost, error, sizeof(error)), 0);
	assert_true(cost.low_ns > 0 && cost.low_ns <= cost.ns_per_kib &&
		    cost.ns_per_kib <= cost.high_ns);
	assert_true(cost.gbits_per_core * cost.ns_per_kib > 8191 &&
		    cost.gbits_per_core * cost.ns_per_kib < 8193);
	assert_true(cost.bytes > 100000);
	assert_int_equal(
		rules_cost_estimate(f.image, f.stats.image_bytes - 64, &cost, error, sizeof(error)),
		-EINVAL);
	assert_string_equal(error, "the ruleset is cut short");
	rules_fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tape_played_hits_what_the_traffic_did),
		cmocka_unit_test(what_is_left_open_ends_with_the_play),
		cmocka_unit_test(costs_have_their_parts),
		cmocka_unit_test(figures_are_of_bytes_and_time),
		cmocka_unit_test(the_sample_is_of_mails_and_calls_and_always_the_same),
		cmocka_unit_test(an_image_is_estimated_and_a_broken_one_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
