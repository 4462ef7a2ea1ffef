/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>

#include "tests/rules_fixture.h"
#include "tests/unit/test.h"

#define RULE(options) "alert smtp any any -> any any (msg:\"t\"; " options ")\n"

static void block(struct rules_fixture *f, struct match_txn *txn, enum rule_buffer buffer,
		  const char *text)
{
	match_block(f->matcher, txn, buffer, text, strlen(text));
}

static void begin(struct rules_fixture *f, struct match_txn *txn)
{
	struct match_flow flow = rules_fixture_flow(IPPROTO_TCP, 25);

	match_begin(f->matcher, txn, &flow, NULL);
}

static void a_literal_in_a_block_hits_once(void **state)
{
	struct rules_fixture f;
	struct match_txn txn;

	rules_fixture_init(&f, RULE("email.subject; content:\"viagra\"; nocase; sid:1;"));
	begin(&f, &txn);
	block(&f, &txn, RULE_BUFFER_EMAIL_SUBJECT, "cheap VIAGRA, viagra");
	assert_int_equal(f.matcher->nhits, 1);
	assert_int_equal(f.matcher->hits[0].rule->sid, 1);
	assert_int_equal(f.matcher->hits[0].buffer, RULE_BUFFER_EMAIL_SUBJECT);
	assert_string_equal(ruleset_string(f.ruleset, f.matcher->hits[0].rule->msg), "t");
	f.matcher->nhits = 0;
	block(&f, &txn, RULE_BUFFER_EMAIL_SUBJECT, "viagra");
	assert_int_equal(f.matcher->nhits, 0);
	match_end(f.matcher, &txn);
	rules_fixture_fini(&f);
}

static void another_buffer_does_not_count(void **state)
{
	struct rules_fixture f;
	struct match_txn txn;

	rules_fixture_init(&f, RULE("email.subject; content:\"viagra\"; sid:1;"));
	begin(&f, &txn);
	block(&f, &txn, RULE_BUFFER_EMAIL_FROM, "viagra");
	assert_int_equal(f.matcher->nhits, 0);
	match_end(f.matcher, &txn);
	rules_fixture_fini(&f);
}

static void a_rule_of_two_buffers_waits_for_both(void **state)
{
	struct rules_fixture f;
	struct match_txn txn, next;
	struct match_flow flow = rules_fixture_flow(IPPROTO_TCP, 25);

	rules_fixture_init(&f, RULE("smtp.helo; content:\"evil\"; email.subject; content:\"x\"; "
				    "startswith; sid:1;"));
	begin(&f, &txn);
	block(&f, &txn, RULE_BUFFER_SMTP_HELO, "evil.example");
	assert_int_equal(f.matcher->nhits, 0);
	for (int mail = 0; mail < 2; mail++) {
		match_begin(f.matcher, &next, &flow, &txn);
		block(&f, &next, RULE_BUFFER_EMAIL_SUBJECT, "yx");
		assert_int_equal(f.matcher->nhits, 0);
		block(&f, &next, RULE_BUFFER_EMAIL_SUBJECT, "xy");
		assert_int_equal(f.matcher->nhits, 1);
		f.matcher->nhits = 0;
		match_end(f.matcher, &next);
	}
	match_end(f.matcher, &txn);
	rules_fixture_fini(&f);
}

/* Whole, and cut at every byte. */
/* More rules than a transaction has places, and all of them begin with the same. */
static void what_many_rules_ask_first_is_remembered_once(void **state)
{
	enum { RULES = 300 };
	struct rules_fixture f;
	struct match_txn txn;
	char text[RULES * 200];
	size_t len = 0;

	for (unsigned i = 1; i <= RULES; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"alert sip any any -> any any (msg:\"t\"; sip.method; "
					"content:\"INVITE\"; %ssip.user_agent; "
					"content:\"ua-%u.\"; sid:%u;)\n",
					i == 9 ? "nocase; " : "", i, i);
	rules_fixture_init(&f, text);
	assert_non_null(f.matcher);
	begin(&f, &txn);
	block(&f, &txn, RULE_BUFFER_SIP_METHOD, "INVITE");
	assert_int_equal(txn.known, 2);
	block(&f, &txn, RULE_BUFFER_SIP_USER_AGENT, "ua-300.");
	assert_true(rules_fixture_hit(&f, 300));
	assert_int_equal(f.matcher->nhits, 1);
	assert_false(txn.over_budget);
	/* The same words of another transaction are no fact of this one. */
	f.matcher->nhits = 0;
	begin(&f, &txn);
	block(&f, &txn, RULE_BUFFER_SIP_USER_AGENT, "ua-7.");
	assert_int_equal(f.matcher->nhits, 0);
	block(&f, &txn, RULE_BUFFER_SIP_METHOD, "BYE");
	assert_int_equal(f.matcher->nhits, 0);
	block(&f, &txn, RULE_BUFFER_SIP_METHOD, "INVITE");
	assert_int_equal(f.matcher->nhits, 1);
	assert_true(rules_fixture_hit(&f, 7));
	rules_fixture_fini(&f);
}

/* What is kept, whole and cut at every byte; `at`: where it begins. */
static void excerpt_expect(const char *rule, const char *text, size_t len, const char *kept,
			   uint64_t at)
{
	struct rules_fixture f;

	rules_fixture_init(&f, rule);
	for (size_t i = 0; i < f.diags.errors; i++)
		rule_diag_print(stderr, &f.diags.list[i]);
	assert_non_null(f.matcher);
	for (size_t cut = 0; cut <= len + 1; cut++) {
		const bool bytes = cut > len; /* the last time one by one */
		struct match_excerpt e;
		struct match_txn txn;

		begin(&f, &txn);
		assert_true(match_stream_open(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY));
		for (size_t i = 0; bytes && i < len; i++)
			match_stream_feed(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY, text + i, 1);
		if (!bytes) {
			match_stream_feed(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY, text, cut);
			match_stream_feed(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY, text + cut,
					  len - cut);
		}
		match_stream_close(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY);
		assert_int_equal(f.matcher->nhits, 1);
		if (match_excerpt(f.matcher, &txn, f.matcher->hits[0].rule, &e) != (kept != NULL))
			fail_msg("cut at %zu: %s", cut, kept ? "nothing kept" : "something kept");
		if (kept) {
			assert_int_equal(e.at, at);
			assert_int_equal(e.to - e.from, strlen(kept));
			assert_memory_equal(e.p + e.from, kept, strlen(kept));
			assert_memory_equal(e.p, text + at - e.from, e.len);
			assert_int_equal(e.starts, at == e.from);
			assert_int_equal(e.ends, at - e.from + e.len == len);
			assert_int_equal(e.buffer, RULE_BUFFER_EMAIL_BODY);
		}
		f.matcher->nhits = 0;
		match_end(f.matcher, &txn);
	}
	rules_fixture_fini(&f);
}

#define KEEP(options) "reject smtp any any -> any any (msg:\"t\"; " options " sid:1;)\n"
#define EXCERPT(options, text, kept, at) \
	excerpt_expect(KEEP(options), text, sizeof(text) - 1, kept, at)

static void what_a_rule_keeps_does_not_depend_on_cuts(void **state)
{
	static char text[3000];

	EXCERPT("email.body; content:\"needle\"; metadata:keep 16;", "some hay, a needle and hay",
		"a needle and hay", 10);
	EXCERPT("email.body; content:\"needle\"; metadata:keep 16;", "needle and more hay here",
		"needle and mor", 0);
	EXCERPT("email.body; content:\"needle\"; metadata:keep 16;", "here is more hay: needle",
		": needle", 16);
	/* Confirmed later than it is found; the tail holds what was before. */
	EXCERPT("email.body; content:\"need\"; content:\"le\"; distance:1; within:20; "
		"metadata:keep 16;",
		"some hay, a need for le and hay", ", a need for le ", 8);
	/* Found early, and decided by what comes at the end. */
	EXCERPT("email.body; content:\"needle\"; content:!\"pin\"; metadata:keep 16;",
		"some needle and much more hay", "e needle and muc", 3);
	/* The last of two. */
	EXCERPT("email.body; content:\"one\"; content:\"two\"; metadata:keep 16;",
		"it has two words, and not one of them is", " not one of them", 21);
	/* Of a rule that keeps nothing. */
	EXCERPT("email.body; content:\"needle\";", "some hay, a needle and hay", NULL, 0);
	/* Far in, with as much as there may be. */
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 26);
	memcpy(text + 2000, "A needle", 8);
	memset(text + 2300, 0, 1); /* the excerpt is a string for strlen() */
	{
		char kept[513] = "";

		memcpy(kept, text + 2008 - 256, 512);
		excerpt_expect(KEEP("email.body; content:\"A needle\"; metadata:keep 512;"), text,
			       2300, kept, 2008 - 256);
	}
}

/* More rules than a transaction keeps of, and no slot is lost over many. */
static void of_many_rules_the_gravest_are_kept(void **state)
{
	enum { RULES = 9 };
	struct rules_fixture f;
	char text[RULES * 120];
	size_t len = 0;

	for (unsigned i = 1; i <= RULES; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"%s smtp any any -> any any (msg:\"t\"; email.body; "
					"content:\"w%u.\"; metadata:keep 16; sid:%u;)\n",
					i == RULES ? "reject" : "drop", i, i);
	rules_fixture_init(&f, text);
	assert_non_null(f.matcher);
	for (unsigned round = 0; round < 20; round++) { /* there are four slots */
		struct match_excerpt e;
		struct match_txn txn;
		unsigned kept = 0;

		begin(&f, &txn);
		assert_true(match_stream_open(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY));
		match_stream_feed(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY,
				  "w1. w2. w3. w4. w5. w6. w7. w8. w9. ", 36);
		match_stream_close(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY);
		assert_int_equal(f.matcher->nhits, RULES);
		for (unsigned i = 0; i < RULES; i++) {
			bool is = match_excerpt(f.matcher, &txn, f.matcher->hits[i].rule, &e);

			kept += is;
			if (f.matcher->hits[i].rule->sid == RULES)
				assert_true(is);
		}
		assert_int_equal(kept, 4);
		f.matcher->nhits = 0;
		match_end(f.matcher, &txn);
	}
	rules_fixture_fini(&f);
}

/* A rule of two buffers: what it found in another part of the mail is not what it holds for. */
static void what_was_found_last_is_kept(void **state)
{
	struct rules_fixture f;
	struct match_excerpt e;
	struct match_txn txn;

	rules_fixture_init(&f, KEEP("email.body; content:\"needle\"; content:\"pin\"; "
				    "metadata:keep 16;"));
	begin(&f, &txn);
	for (unsigned part = 0; part < 2; part++) {
		static const char *const text[] = {"a needle here", "a needle there, a pin"};

		assert_true(match_stream_open(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY));
		match_stream_feed(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY, text[part],
				  strlen(text[part]));
		match_stream_close(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY);
	}
	assert_int_equal(f.matcher->nhits, 1);
	assert_true(match_excerpt(f.matcher, &txn, f.matcher->hits[0].rule, &e));
	assert_int_equal(e.to - e.from, 8);
	assert_memory_equal(e.p + e.from, "e, a pin", 8);
	match_end(f.matcher, &txn);
	rules_fixture_fini(&f);
}

static void stream_expect(const char *rule, const char *text, size_t len, bool hit)
{
	struct rules_fixture f;

	rules_fixture_init(&f, rule);
	for (size_t i = 0; i < f.diags.errors; i++)
		rule_diag_print(stderr, &f.diags.list[i]);
	assert_non_null(f.matcher);
	for (size_t cut = 0; cut <= len; cut++) {
		struct match_txn txn;

		begin(&f, &txn);
		assert_true(match_stream_open(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY));
		match_stream_feed(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY, text, cut);
		match_stream_feed(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY, text + cut, len - cut);
		match_stream_close(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY);
		assert_int_equal(f.matcher->nhits, hit ? 1 : 0);
		f.matcher->nhits = 0;
		match_end(f.matcher, &txn);
	}
	rules_fixture_fini(&f);
}

#define STREAM_HIT(options, text) \
	stream_expect(RULE("email.body; " options " sid:1;"), text, sizeof(text) - 1, true)
#define STREAM_MISS(options, text) \
	stream_expect(RULE("email.body; " options " sid:1;"), text, sizeof(text) - 1, false)

static void a_stream_finds_what_packets_cut(void **state)
{
	STREAM_HIT("content:\"needle\";", "hay needle hay");
	STREAM_MISS("content:\"needle\";", "hay needl hay");
	STREAM_HIT("content:\"needle\"; offset:4; depth:6;", "hay needle hay");
	STREAM_MISS("content:\"needle\"; offset:5;", "hay needle hay");
	STREAM_MISS("content:\"needle\"; depth:9;", "hay needle hay");
	STREAM_HIT("content:\"hay\"; content:\"needle\"; distance:1; within:6;", "hay needle hay");
	STREAM_MISS("content:\"hay\"; content:\"needle\"; distance:2;", "hay needle hay");
	STREAM_HIT("content:\"needle\"; pcre:\"/^\\s+h[ab]y$/R\";", "hay needle hay");
	STREAM_HIT("content:\"hay\"; endswith;", "hay needle hay");
	STREAM_MISS("content:\"hay\"; endswith;", "hay needle hay ");
}

/* Hyperscan takes other engines for more literals, and the compiler has a say in it. */
static void any_number_of_literals_is_found(void **state)
{
	static const unsigned numbers[] = {1, 23, 24, 25, 103, 104, 105, 299, 300, 301, 1200};

	for (size_t n = 0; n < sizeof(numbers) / sizeof(numbers[0]); n++) {
		static const char hay[] = "ham \xf8\xc1\xfd\xf8\xc1 \xfe\x80\xfd\x80\xfc\x80 hay";
		unsigned last = numbers[n];
		struct rules_fixture f;
		char *rules, body[256];
		size_t size, len;
		FILE *out = open_memstream(&rules, &size);

		for (unsigned i = 1; i <= last; i++)
			fprintf(out, RULE("email.body; content:\"ham%usp\";%s sid:%u;"), i * 7919,
				i % 3 ? "" : " nocase;", i);
		fclose(out);
		rules_fixture_init(&f, rules);
		assert_non_null(f.matcher);
		assert_int_equal(f.stats.literals, last);
		len = (size_t)snprintf(body, sizeof(body), "%sham%usp%sham%usp ham%usp %s", hay,
				       last * 7919, hay, last * 7919, (last + 1) * 7919, hay);
		for (size_t cut = 0; cut <= len; cut++) {
			struct match_txn txn;

			begin(&f, &txn);
			assert_true(match_stream_open(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY));
			match_stream_feed(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY, body, cut);
			match_stream_feed(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY, body + cut,
					  len - cut);
			match_stream_close(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY);
			assert_int_equal(f.matcher->nhits, 1);
			assert_int_equal(f.matcher->hits[0].rule->sid, last);
			f.matcher->nhits = 0;
			match_end(f.matcher, &txn);
		}
		rules_fixture_fini(&f);
		free(rules);
	}
}

/* The first place tells all, but not where rules of one literal want it in other places. */
static void a_literal_that_two_rules_share_is_looked_for_on_behalf_of_both(void **state)
{
	struct rules_fixture f;
	struct match_txn txn;

	rules_fixture_init(&f,
			   RULE("email.body; content:\"needle\"; sid:1;")
				   RULE("email.body; content:\"needle\"; offset:20; sid:2;")
					   RULE("email.body; content:\"needle\"; content:\"x\"; "
						"distance:0; within:1; sid:3;"));
	begin(&f, &txn);
	assert_true(match_stream_open(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY));
	match_stream_feed(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY, "a needle, ", 10);
	assert_int_equal(f.matcher->nhits, 1);
	match_stream_feed(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY, "no more;  a needlex", 19);
	match_stream_close(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY);
	assert_int_equal(f.matcher->nhits, 3);
	match_end(f.matcher, &txn);
	rules_fixture_fini(&f);
}

/* What hangs together may lie in many pieces, long before and behind its literal. */
static void what_is_confirmed_may_lie_in_any_pieces(void **state)
{
	static const char rule[] =
		RULE("email.body; content:\"ab\"; content:\"needle\"; distance:0; within:200; "
		     "content:\"yz\"; distance:0; within:200; sid:1;");
	struct rules_fixture f;
	char body[3000];

	rules_fixture_init(&f, rule);
	memset(body, '.', sizeof(body));
	memcpy(body + 1200, "ab", 2);
	memcpy(body + 1390, "needle", 6);
	memcpy(body + 1590, "yz", 2);
	for (size_t piece = 1; piece <= sizeof(body); piece += piece < 600 ? 1 : 97) {
		struct match_txn txn;

		begin(&f, &txn);
		assert_true(match_stream_open(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY));
		for (size_t at = 0; at < sizeof(body); at += piece)
			match_stream_feed(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY, body + at,
					  sizeof(body) - at < piece ? sizeof(body) - at : piece);
		match_stream_close(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY);
		assert_int_equal(f.matcher->nhits, 1);
		f.matcher->nhits = 0;
		match_end(f.matcher, &txn);
	}
	rules_fixture_fini(&f);
}

static void absence_in_a_stream_is_known_at_its_end(void **state)
{
	STREAM_HIT("content:\"needle\"; content:!\"straw\";", "hay needle hay");
	STREAM_MISS("content:\"needle\"; content:!\"straw\";", "hay needle straw");
	STREAM_MISS("content:\"needle\"; content:!\"straw\";", "straw needle");
	STREAM_HIT("content:\"needle\"; bsize:<15;", "hay needle hay");
	STREAM_MISS("content:\"needle\"; bsize:>14;", "hay needle hay");
	STREAM_HIT("content:\"needle\"; content:!\"straw\"; within:8;", "hay needle a h straw");
}

static void backtracking_tries_the_next_place(void **state)
{
	STREAM_HIT("content:\"ab\"; content:\"cd\"; distance:0; within:2;", "ab xx ab cdabcd");
	STREAM_HIT("content:\"a\"; content:\"b\"; distance:1; within:1; content:\"c\"; distance:0; "
		   "within:1;",
		   "axb axbd axbc");
	STREAM_HIT("content:\"a\"; pcre:\"/b+c?/R\"; content:\"d\"; distance:0; within:1;",
		   "a bc bbd");
}

static void streams_run_out_and_come_back(void **state)
{
	struct rules_fixture f;
	struct match_txn txn[5];

	rules_fixture_init(&f, RULE("email.body; content:\"needle\"; sid:1;"));
	for (int i = 0; i < 5; i++) {
		begin(&f, &txn[i]);
		assert_int_equal(match_stream_open(f.matcher, &txn[i], RULE_BUFFER_EMAIL_BODY),
				 i < 4);
		assert_int_equal(txn[i].over_budget, i == 4);
	}
	match_stream_feed(f.matcher, &txn[4], RULE_BUFFER_EMAIL_BODY, "needle", 6);
	match_stream_close(f.matcher, &txn[4], RULE_BUFFER_EMAIL_BODY);
	assert_int_equal(f.matcher->nhits, 0);
	match_end(f.matcher, &txn[0]);
	assert_true(match_stream_open(f.matcher, &txn[4], RULE_BUFFER_EMAIL_BODY));
	for (int i = 1; i < 5; i++)
		match_end(f.matcher, &txn[i]);
	rules_fixture_fini(&f);
}

/* Every byte is a literal's hit; confirmation is bounded by the bytes fed, and says so. */
static void a_hostile_body_costs_its_length(void **state)
{
	enum { RULES_N = 60, LEN = 200000 };
	struct rules_fixture f;
	struct match_txn txn;
	char *rules, *body = malloc(LEN);
	uint64_t looks;
	size_t size;
	FILE *out = open_memstream(&rules, &size);

	for (int i = 1; i <= RULES_N; i++)
		fprintf(out,
			RULE("email.body; content:\"a\"; content:\"a\"; distance:0; "
			     "content:\"a\"; distance:0; content:\"b%d\"; distance:0; sid:%d;"),
			i, i);
	fprintf(out, RULE("email.body; content:\"needle\"; sid:1000;"));
	fclose(out);
	rules_fixture_init(&f, rules);
	memset(body, 'a', LEN);
	memcpy(body + LEN - 6, "needle", 6);
	for (int i = 1; i <= RULES_N; i++) /* the literals, too early for the rule to hold */
		for (int at = i * 8; at < LEN - 8; at += 512)
			memcpy(body + at, (char[4]){'b', (char)('0' + i % 10)}, 2);
	begin(&f, &txn);
	match_stream_open(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY);
	for (int at = 0; at < LEN; at += 1000)
		match_stream_feed(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY, body + at, 1000);
	match_stream_close(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY);
	looks = f.matcher->stats.confirmed + f.matcher->stats.refuted;
	assert_true(looks <= (uint64_t)RULES_N * (LEN / RULESET_REACH + 2));
	assert_true(rules_fixture_hit(&f, 1000)); /* plain literals are found all the same */
	match_end(f.matcher, &txn);
	rules_fixture_fini(&f);
	free(rules);
	free(body);
}

static void work_beyond_the_credit_is_left_out_and_said(void **state)
{
	enum { LEN = 1991 };
	struct rules_fixture f;
	struct match_txn txn;
	char *body = malloc(LEN);

	rules_fixture_init(&f, RULE("email.body; content:\"ab\"; content:\"a\"; distance:0; "
				    "content:\"b\"; distance:0; content:\"a\"; distance:0; "
				    "content:\"b\"; distance:0; content:\"x\"; distance:0; "
				    "fast_pattern; sid:1;"));
	/* The literal, then 1,990 bytes in which every other step has a thousand places. */
	for (int i = 0; i < LEN; i++)
		body[i] = i ? "ab"[i % 2] : 'x';
	begin(&f, &txn);
	match_stream_open(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY);
	match_stream_feed(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY, body, LEN);
	match_stream_close(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY);
	assert_true(txn.over_budget);
	assert_true(f.matcher->stats.over_budget > 0);
	match_end(f.matcher, &txn);
	rules_fixture_fini(&f);
	free(body);
}

static void headers_decide_who_is_meant(void **state)
{
	static const char text[] =
		"alert smtp 10.0.0.0/8 any -> !10.0.0.0/8 25 (msg:\"t\"; smtp.helo; content:\"x\"; "
		"sid:1;)\n"
		"alert smtp 10.1.0.0/16 any -> any any (msg:\"t\"; smtp.helo; content:\"x\"; "
		"sid:2;)\n"
		"alert smtp any any -> any [26:,![27,28]] (msg:\"t\"; smtp.helo; content:\"x\"; "
		"sid:3;)\n"
		"alert smtp any 25 <> 10.0.0.1 any (msg:\"t\"; smtp.helo; content:\"x\"; sid:4;)\n"
		"alert smtp $TENANTS any -> $EXTERNAL_NET any (msg:\"t\"; smtp.helo; "
		"content:\"x\"; sid:5;)\n"
		"alert smtp $EXTERNAL_NET any -> $TENANTS any (msg:\"t\"; smtp.reply_text; "
		"content:\"x\"; sid:6;)\n"
		"alert udp any any -> any any (msg:\"t\"; sip.method; content:\"x\"; sid:7;)\n";
	struct rules_fixture f;
	struct match_txn txn;
	struct match_flow flow = rules_fixture_flow(IPPROTO_TCP, 25);

	rules_fixture_init(&f, text);
	assert_non_null(f.matcher);
	flow.tenants = MATCH_TENANTS_CLIENT;
	match_begin(f.matcher, &txn, &flow, NULL);
	block(&f, &txn, RULE_BUFFER_SMTP_HELO, "x");
	block(&f, &txn, RULE_BUFFER_SMTP_REPLY_TEXT, "x");
	block(&f, &txn, RULE_BUFFER_SIP_METHOD, "x");
	match_end(f.matcher, &txn);
	assert_true(rules_fixture_hit(&f, 1));
	assert_false(rules_fixture_hit(&f, 2));
	assert_false(rules_fixture_hit(&f, 3));
	assert_true(rules_fixture_hit(&f, 4));
	assert_true(rules_fixture_hit(&f, 5));
	assert_true(rules_fixture_hit(&f, 6));
	assert_false(rules_fixture_hit(&f, 7));

	f.matcher->nhits = 0;
	flow.tenants = MATCH_TENANTS_SERVER;
	match_begin(f.matcher, &txn, &flow, NULL);
	block(&f, &txn, RULE_BUFFER_SMTP_HELO, "x");
	block(&f, &txn, RULE_BUFFER_SMTP_REPLY_TEXT, "x");
	match_end(f.matcher, &txn);
	assert_false(rules_fixture_hit(&f, 5));
	assert_false(rules_fixture_hit(&f, 6));
	rules_fixture_fini(&f);
}

static void a_damaged_image_is_refused(void **state)
{
	struct rules_fixture f;
	struct ruleset *ruleset = NULL;
	char error[160];

	rules_fixture_init(&f, RULE("email.subject; content:\"viagra\"; sid:1;"));
	((char *)f.image)[sizeof(struct ruleset_image) + 100] ^= 1;
	assert_true(ruleset_load(f.image, ((struct ruleset_image *)f.image)->size, &ruleset, error,
				 sizeof(error)) < 0);
	assert_string_equal(error, "the ruleset is damaged");
	assert_true(ruleset_load(f.image, 100, &ruleset, error, sizeof(error)) < 0);
	rules_fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_literal_in_a_block_hits_once),
		cmocka_unit_test(another_buffer_does_not_count),
		cmocka_unit_test(a_rule_of_two_buffers_waits_for_both),
		cmocka_unit_test(what_many_rules_ask_first_is_remembered_once),
		cmocka_unit_test(a_stream_finds_what_packets_cut),
		cmocka_unit_test(what_a_rule_keeps_does_not_depend_on_cuts),
		cmocka_unit_test(of_many_rules_the_gravest_are_kept),
		cmocka_unit_test(what_was_found_last_is_kept),
		cmocka_unit_test(any_number_of_literals_is_found),
		cmocka_unit_test(a_literal_that_two_rules_share_is_looked_for_on_behalf_of_both),
		cmocka_unit_test(what_is_confirmed_may_lie_in_any_pieces),
		cmocka_unit_test(absence_in_a_stream_is_known_at_its_end),
		cmocka_unit_test(backtracking_tries_the_next_place),
		cmocka_unit_test(streams_run_out_and_come_back),
		cmocka_unit_test(a_hostile_body_costs_its_length),
		cmocka_unit_test(work_beyond_the_credit_is_left_out_and_said),
		cmocka_unit_test(headers_decide_who_is_meant),
		cmocka_unit_test(a_damaged_image_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
