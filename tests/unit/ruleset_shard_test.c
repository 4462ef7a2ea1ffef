/* SPDX-License-Identifier: BSD-3-Clause */
/* Expressions without a literal in several databases: one that changes, and what is found. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/rules/db_cache.h"
#include "control/rules/rule_literal.h"
#include "tests/rules_fixture.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

#define RULES 200

/* Each has a digit run and two letters of its own; "words" has one of two words instead. */
static void expression_write(FILE *f, unsigned n, bool words, bool edited)
{
	if (words)
		fprintf(f, "(?:word%04u|other%04u)[0-9]{2}", n, n);
	else
		fprintf(f, "[0-9]{%u}[%c][a-z]{2}[%c]", 3 + n % 5 + (edited ? 6 : 0),
			'a' + n / 26 % 26, 'a' + n % 26);
}

/* `from` <= sid < `to`; one of them is another after an edit. */
static char *rules_make(const char *buffer, unsigned from, unsigned to, bool words, unsigned edited)
{
	size_t size;
	char *text;
	FILE *f = open_memstream(&text, &size);

	fprintf(f, "alert smtp any any -> any any (msg:\"l\"; %s; content:\"literal\"; sid:1;)\n",
		buffer);
	for (unsigned sid = from; sid < to; sid++) {
		fprintf(f, "alert smtp any any -> any any (msg:\"e\"; %s; pcre:\"/", buffer);
		expression_write(f, sid, words, sid == edited);
		fprintf(f, "/\"; sid:%u;)\n", sid);
	}
	fclose(f);
	return text;
}

static void build(struct db_cache *cache, char *rules, struct ruleset_build_stats *stats)
{
	const struct ruleset_build_options options = {.generation = 1, .cache = cache};
	struct rule_list list = {0};
	struct rule_diags diags = {0};
	void *image = NULL;
	size_t size;

	rules_parse(&list, &diags, NULL, "x.rules", rules, strlen(rules));
	assert_int_equal(diags.errors, 0);
	assert_int_equal(ruleset_build_with(&list, &options, &diags, &image, &size, stats), 0);
	free(image);
	free(rules);
	rule_list_fini(&list);
	rule_diags_fini(&diags);
}

static size_t compiled(const struct ruleset_build_stats *stats)
{
	return stats->databases - stats->databases_found;
}

static void few_expressions_stay_with_the_literals(void **state)
{
	struct ruleset_build_stats stats;

	build(NULL, rules_make("email.body", 10, 25, false, 0), &stats);
	assert_int_equal(stats.databases, 1);
	build(NULL, rules_make("email.body", 10, 26, false, 0), &stats);
	assert_int_equal(stats.databases, 2);
	build(NULL, rules_make("email.body", 10, 210, false, 0), &stats);
	assert_int_equal(stats.databases, 1 + (200 + 15) / 16);
	/* Words are as good as literals, until there are very many. */
	build(NULL, rules_make("email.body", 10, 210, true, 0), &stats);
	assert_int_equal(stats.databases, 1);
	build(NULL, rules_make("email.body", 10, 10 + 384, true, 0), &stats);
	assert_int_equal(stats.databases, 3);
}

static void a_changed_rule_has_one_database_compiled(void **state)
{
	struct ruleset_build_stats stats;
	struct db_cache *cache;

	assert_int_equal(db_cache_open(scratch_dir, DB_CACHE_LIMIT, &cache), 0);
	for (unsigned sid = 10; sid < 100; sid += 7) {
		build(cache, rules_make("email.body", 10, 110, false, 0), &stats);
		build(cache, rules_make("email.body", 10, 110, false, sid), &stats);
		assert_int_equal(compiled(&stats), 1);
	}
	/* Whatever is added or taken away, few of them are others: here through all sizes. */
	for (unsigned to = 27; to < 150; to++) {
		size_t most = to == 27 ? 2 : 3;

		build(cache, rules_make("email.body", 10, to - 1, false, 0), &stats);
		build(cache, rules_make("email.body", 10, to, false, 0), &stats);
		assert_true(compiled(&stats) <= most);
	}
	db_cache_close(cache);
}

/* A text that the rule's expression holds in, with what no other has. */
static size_t text_write(char *out, unsigned sid)
{
	unsigned digits = 3 + sid % 5;

	return (size_t)sprintf(out, "%.*s%czz%c", (int)digits, "12345678", 'a' + sid / 26 % 26,
			       'a' + sid % 26);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Which must be found: a run of more digits holds the shorter ones too. */
static bool should_hit(unsigned sid, unsigned of)
{
	return sid / 26 % 26 == of / 26 % 26 && sid % 26 == of % 26 && sid % 5 <= of % 5;
}

static void feed(struct rules_fixture *f, bool stream, const char *text, size_t len, uint32_t *seed)
{
	struct match_flow flow = rules_fixture_flow(IPPROTO_TCP, 25);
	struct match_txn txn;

	match_begin(f->matcher, &txn, &flow, NULL);
	if (!stream) {
		match_block(f->matcher, &txn, RULE_BUFFER_EMAIL_SUBJECT, text, len);
		match_end(f->matcher, &txn);
		return;
	}
	assert_true(match_stream_open(f->matcher, &txn, RULE_BUFFER_EMAIL_BODY));
	for (size_t at = 0, n; at < len; at += n) {
		n = 1 + next_random(seed) % 9;
		n = n < len - at ? n : len - at;
		match_stream_feed(f->matcher, &txn, RULE_BUFFER_EMAIL_BODY, text + at, n);
	}
	match_stream_close(f->matcher, &txn, RULE_BUFFER_EMAIL_BODY);
	match_end(f->matcher, &txn);
}

static void find_each(const char *buffer, bool stream)
{
	char *rules = rules_make(buffer, 10, 10 + RULES, false, 0);
	struct rules_fixture f;
	uint32_t seed = 7;
	char text[64];

	rules_fixture_init(&f, rules);
	assert_non_null(f.matcher);
	assert_true(f.stats.databases > 10);
	for (unsigned of = 10; of < 10 + RULES; of++) {
		size_t len = text_write(text, of);

		f.matcher->nhits = 0;
		feed(&f, stream, text, len, &seed);
		for (unsigned sid = 10; sid < 10 + RULES; sid++)
			if (rules_fixture_hit(&f, sid) != should_hit(sid, of))
				fail_msg("%s: rule %u, text of %u", buffer, sid, of);
	}
	rules_fixture_fini(&f);
	free(rules);
}

static void each_is_found_in_whichever_database_it_is(void **state)
{
	find_each("email.body", true);
	find_each("email.subject", false);
}

/* A transaction may end, or a stream be left, in the midst of things: the next one begins anew. */
static void a_stream_that_was_left_is_new_in_every_database(void **state)
{
	char *rules = rules_make("email.body", 10, 10 + RULES, false, 0);
	struct match_flow flow = rules_fixture_flow(IPPROTO_TCP, 25);
	struct rules_fixture f;
	struct match_txn txn;
	char text[64];

	rules_fixture_init(&f, rules);
	for (unsigned of = 10; of < 10 + RULES; of++) {
		size_t len = text_write(text, of);

		for (int half = 0; half < 2; half++) {
			match_begin(f.matcher, &txn, &flow, NULL);
			match_stream_open(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY);
			match_stream_feed(f.matcher, &txn, RULE_BUFFER_EMAIL_BODY,
					  half ? text + len - 4 : text, half ? 4 : len - 4);
			match_end(f.matcher, &txn);
		}
		assert_int_equal(f.matcher->nhits, 0);
	}
	rules_fixture_fini(&f);
	free(rules);
}

static bool has_words(const char *expression)
{
	const struct rule_step step = {
		.kind = RULE_STEP_PCRE, .text = (char *)expression, .len = strlen(expression)};

	return rule_pcre_has_words(&step);
}

static void words_are_told_from_what_runs_on_every_byte(void **state)
{
	static const char *const with[] = {
		"foo|bar|baz",
		"\\b(?:foo|bar)\\b",
		"[0-9]+(foo|bar)+x",
		"a(?:(?:foo|bar)|quux)",
		"x(?:foo[0-9])",
		"(?:a|b)(?:foo|bar)\\d",
		"foo",
		"(?:a[)|(]foo|\\)\\|bar)",
	};
	static const char *const without[] = {
		"[0-9]{3}x",
		"foo|b",
		"(?:foo|bar)?[0-9]",
		"(?:foo|bar){0,3}[0-9]",
		"(?=foo|bar).",
		"(?!foo|bar).",
		"(?:foo|)x[0-9]",
		"(?:foo|[a-c]+)",
		"(?i)(foo|bar)",
		"foo|(bar|b)?",
		"|foo",
		"",
		"(?<n>foo|bar)",
	};
	char deep[512] = "";

	for (size_t i = 0; i < sizeof(with) / sizeof(*with); i++)
		if (!has_words(with[i]))
			fail_msg("%s has words", with[i]);
	for (size_t i = 0; i < sizeof(without) / sizeof(*without); i++)
		if (has_words(without[i]))
			fail_msg("%s has no words", without[i]);
	for (int i = 0; i < 100; i++)
		strcat(deep, "(");
	strcat(deep, "foo");
	for (int i = 0; i < 100; i++)
		strcat(deep, ")");
	assert_false(has_words(deep));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_expressions_stay_with_the_literals),
		cmocka_unit_test(a_changed_rule_has_one_database_compiled),
		cmocka_unit_test(each_is_found_in_whichever_database_it_is),
		cmocka_unit_test(a_stream_that_was_left_is_new_in_every_database),
		cmocka_unit_test(words_are_told_from_what_runs_on_every_byte),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
