/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The matcher against a plain, slow evaluator: random rules, random buffers,
 * cut at random places. Seeded; RULES_SEED=N tries another seed.
 *
 * The evaluator knows a rule as this test made it, never the parser's or the
 * compiler's idea of it, and tries every place for every step.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <netinet/in.h>
#include <pcre2.h>

#include "tests/rules_fixture.h"
#include "tests/unit/test.h"

#define SETS      150
#define RULES     12 /* a set */
#define TXNS      30 /* a set */
#define STEPS_MAX 4
#define INSTANCES 2
#define TEXT_MAX  20000

static uint64_t seed = 20240816;

static uint32_t rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 11) % n);
}

static bool chance(uint32_t percent)
{
	return rnd(100) < percent;
}

enum { CONTENT, PCRE, DATA_AT, SIZE };

struct step {
	int kind;
	bool negated, nocase, relative, starts, ends;
	int lo, hi; /* hi < 0: none */
	char text[40];
	pcre2_code *code;
};

struct part {
	enum rule_buffer buffer;
	int count;
	struct step steps[STEPS_MAX + 1]; /* the compiler counts past the last */
};

struct plain_rule {
	int count;
	struct part parts[2];
};

struct instance {
	size_t len;
	char text[TEXT_MAX];
};

static const enum rule_buffer buffers[] = {RULE_BUFFER_EMAIL_SUBJECT, RULE_BUFFER_EMAIL_BODY,
					   RULE_BUFFER_EMAIL_RECEIVED, RULE_BUFFER_FILE_DATA};
#define BUFFERS 4

static struct instance instances[BUFFERS][INSTANCES];
static int instances_count[BUFFERS];

/* ---- the slow evaluator ---- */

static bool same_byte(char a, char b, bool nocase)
{
	if (nocase) {
		a = (char)(a >= 'A' && a <= 'Z' ? a | 0x20 : a);
		b = (char)(b >= 'A' && b <= 'Z' ? b | 0x20 : b);
	}
	return a == b;
}

static bool stands_at(const struct step *s, const struct instance *in, int at, int before)
{
	int base = s->relative ? before : 0, len = (int)strlen(s->text);

	if (at < 0 || at + len > (int)in->len || at < base + s->lo)
		return false;
	if (s->hi >= 0 && at + len > base + s->hi)
		return false;
	if (s->starts && at != 0)
		return false;
	if (s->ends && at + len != (int)in->len)
		return false;
	for (int i = 0; i < len; i++)
		if (!same_byte(in->text[at + i], s->text[i], s->nocase))
			return false;
	return true;
}

/* The end of a match that starts right at `at`, or -1. */
static int matches_at(const struct step *s, const struct instance *in, int at, int before)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	int base = s->relative ? before : 0, end = -1;

	if (at >= base && pcre2_match(s->code, (PCRE2_SPTR)in->text + base, in->len - (size_t)base,
				      (PCRE2_SIZE)(at - base), PCRE2_ANCHORED, data, NULL) >= 0)
		end = base + (int)pcre2_get_ovector_pointer(data)[1];
	pcre2_match_data_free(data);
	return end;
}

static bool holds(const struct part *p, int i, const struct instance *in, int before)
{
	const struct step *s = &p->steps[i];
	int len = (int)in->len;

	if (i == p->count)
		return true;
	if (s->kind == SIZE)
		return len >= s->lo && len <= s->hi && holds(p, i + 1, in, before);
	if (s->kind == DATA_AT) {
		bool there = s->relative ? before + s->lo <= len : s->lo < len;

		return there != s->negated && holds(p, i + 1, in, before);
	}
	for (int at = 0; at <= len; at++) {
		int end = s->kind == PCRE                ? matches_at(s, in, at, before)
			  : stands_at(s, in, at, before) ? at + (int)strlen(s->text)
							 : -1;

		if (end < 0)
			continue;
		if (s->negated)
			return false;
		if (holds(p, i + 1, in, end))
			return true;
	}
	return s->negated && holds(p, i + 1, in, before);
}

static bool rule_holds(const struct plain_rule *rule)
{
	for (int p = 0; p < rule->count; p++) {
		const struct part *part = &rule->parts[p];
		bool any = false;
		int b;

		for (b = 0; buffers[b] != part->buffer; b++)
			;
		for (int i = 0; i < instances_count[b]; i++)
			any |= holds(part, 0, &instances[b][i], 0);
		if (!any)
			return false;
	}
	return true;
}

/* ---- random rules ---- */

static void random_word(char *out, int max)
{
	int len = 1 + (int)rnd((uint32_t)max);

	for (int i = 0; i < len; i++)
		out[i] = "abcAB"[rnd(5)];
	out[len] = '\0';
}

static void random_content(struct step *s, bool bounded)
{
	int len;

	s->kind = CONTENT;
	random_word(s->text, 4);
	len = (int)strlen(s->text);
	s->nocase = chance(30);
	s->hi = -1;
	if (s->relative) {
		s->lo = (int)rnd(9) - 3;
		if (bounded || chance(60))
			s->hi = s->lo + len + (int)rnd(8);
	} else if (chance(15)) {
		s->starts = true;
	} else if (chance(30)) {
		s->lo = (int)rnd(6);
		if (chance(60))
			s->hi = s->lo + len + (int)rnd(12);
	}
	s->ends = chance(10);
}

static void random_pcre(struct step *s)
{
	static const char *const some[] = {"ab+c",      "[ab]c?b",   "a.b",       "^b",
					   "(?:ab|c)a", "b$",        "ca{2}",     "(?<=a)bc",
					   "c(?!a)",    "a[^c]*?bb", "\\x61\\x62"};
	int error;
	PCRE2_SIZE where;

	s->kind = PCRE;
	s->nocase = chance(30);
	strcpy(s->text, some[rnd(sizeof(some) / sizeof(some[0]))]);
	s->code = pcre2_compile((PCRE2_SPTR)s->text, PCRE2_ZERO_TERMINATED,
				s->nocase ? PCRE2_CASELESS : 0, &error, &where, NULL);
	assert_non_null(s->code);
}

static void random_part(struct part *part, enum rule_buffer buffer, bool bounded)
{
	bool stream = false, leaves_place = true;

	part->buffer = buffer;
	stream = rule_buffers[part->buffer].mode == BUFFER_STREAM;
	part->count = 1 + (int)rnd(STEPS_MAX);
	for (int i = 0; i < part->count; i++) {
		struct step *s = &part->steps[i];

		s->negated = chance(i == 0 && stream ? 0 : 15);
		s->relative = i > 0 && leaves_place && chance(55);
		if (i > 0 && chance(12)) {
			s->kind = DATA_AT;
			s->lo = (int)rnd(20);
		} else if (i > 0 && !s->relative && chance(8)) {
			s->kind = SIZE;
			s->negated = false;
			s->lo = (int)rnd(10);
			s->hi = s->lo + (int)rnd(TEXT_MAX);
		} else if (!bounded && chance(20)) {
			random_pcre(s);
		} else {
			random_content(s, bounded);
		}
		leaves_place = s->relative ||
			       (!s->negated && (s->kind == CONTENT || s->kind == PCRE));
	}
}

static void write_step(FILE *f, const struct step *s)
{
	const char *no = s->negated ? "!" : "";

	switch (s->kind) {
	case SIZE:
		if (s->lo > 0)
			fprintf(f, "bsize:>%d; ", s->lo - 1);
		fprintf(f, "bsize:<%d; ", s->hi + 1);
		return;
	case DATA_AT:
		fprintf(f, "isdataat:%s%d%s; ", no, s->lo, s->relative ? ",relative" : "");
		return;
	case PCRE:
		fprintf(f, "pcre:%s\"/%s/%s%s\"; ", no, s->text, s->nocase ? "i" : "",
			s->relative ? "R" : "");
		return;
	}
	fprintf(f, "content:%s\"%s\"; %s%s%s", no, s->text, s->nocase ? "nocase; " : "",
		s->starts ? "startswith; " : "", s->ends ? "endswith; " : "");
	if (s->relative) {
		fprintf(f, "distance:%d; ", s->lo);
		if (s->hi >= 0)
			fprintf(f, "within:%d; ", s->hi - s->lo);
	} else if (s->lo || s->hi >= 0) {
		fprintf(f, "offset:%d; ", s->lo);
		if (s->hi >= 0)
			fprintf(f, "depth:%d; ", s->hi - s->lo);
	}
}

/* One rule as text; parts of one single buffer would become one: not here. */
static void random_rule(struct plain_rule *rule, char *text, size_t size, uint32_t sid,
			bool bounded)
{
	FILE *f = fmemopen(text, size, "w");

	memset(rule, 0, sizeof(*rule));
	rule->count = 1 + (int)rnd(2);
	fprintf(f, "alert smtp any any -> any any (msg:\"t\"; ");
	for (int p = 0; p < rule->count; p++) {
		enum rule_buffer buffer;

		do {
			buffer = buffers[rnd(BUFFERS)];
		} while (p && buffer == rule->parts[0].buffer &&
			 rule_buffers[buffer].count == BUFFER_ONE);
		random_part(&rule->parts[p], buffer, bounded);
		fprintf(f, "%s; ", rule_buffers[rule->parts[p].buffer].name);
		for (int i = 0; i < rule->parts[p].count; i++)
			write_step(f, &rule->parts[p].steps[i]);
	}
	fprintf(f, "sid:%u;)\n", sid);
	fclose(f);
}

static void free_rule(struct plain_rule *rule)
{
	for (int p = 0; p < rule->count; p++)
		for (int i = 0; i < rule->parts[p].count; i++)
			pcre2_code_free(rule->parts[p].steps[i].code);
}

/* ---- random transactions ---- */

static void random_text(struct instance *in, bool large)
{
	char word[8];

	in->len = 0;
	for (uint32_t n = rnd(12); n > 0; n--) {
		random_word(word, 5);
		memcpy(in->text + in->len, word, strlen(word));
		in->len += strlen(word);
		if (large) {
			size_t gap = chance(50) ? rnd(8) : rnd(1600);

			memset(in->text + in->len, '.', gap);
			in->len += gap;
		}
	}
}

static void feed_stream(struct matcher *m, struct match_txn *txn, enum rule_buffer buffer,
			const struct instance *in)
{
	size_t at = 0;

	assert_true(match_stream_open(m, txn, buffer));
	while (at < in->len) {
		size_t n = 1 + rnd(chance(50) ? 3 : 3000);

		if (n > in->len - at)
			n = in->len - at;
		match_stream_feed(m, txn, buffer, in->text + at, n);
		at += n;
	}
	match_stream_close(m, txn, buffer);
}

static void run_txn(struct rules_fixture *f)
{
	struct match_flow flow = rules_fixture_flow(IPPROTO_TCP, 25);
	struct match_txn txn;

	match_begin(f->matcher, &txn, &flow, NULL);
	for (int b = 0; b < BUFFERS; b++) {
		for (int i = 0; i < instances_count[b]; i++) {
			const struct instance *in = &instances[b][i];

			if (rule_buffers[buffers[b]].mode == BUFFER_STREAM)
				feed_stream(f->matcher, &txn, buffers[b], in);
			else
				match_block(f->matcher, &txn, buffers[b], in->text, in->len);
		}
	}
	assert_false(txn.over_budget);
	match_end(f->matcher, &txn);
}

struct tally {
	unsigned rules, refused, verdicts, hits;
};

static void run_set(struct tally *tally, bool large)
{
	struct plain_rule plain[RULES];
	struct rules_fixture f = {0};
	char text[RULES][1024];

	for (uint32_t r = 0; r < RULES; r++) {
		random_rule(&plain[r], text[r], sizeof(text[r]), r + 1, large);
		rules_parse(&f.list, &f.diags, NULL, "random", text[r], strlen(text[r]));
	}
	tally->rules += RULES;
	tally->refused += (unsigned)f.list.refused;
	rules_fixture_build(&f);
	for (size_t i = 0; i < f.diags.count && !f.matcher; i++)
		rule_diag_print(stderr, &f.diags.list[i]);
	assert_non_null(f.matcher);
	for (int t = 0; t < TXNS; t++) {
		for (int b = 0; b < BUFFERS; b++) {
			bool many = rule_buffers[buffers[b]].count == BUFFER_MANY;

			instances_count[b] = (int)rnd(many ? INSTANCES + 1 : 2);
			for (int i = 0; i < instances_count[b]; i++)
				random_text(&instances[b][i], large);
		}
		run_txn(&f);
		for (size_t r = 0; r < f.list.count; r++) {
			uint32_t sid = f.list.rules[r].sid;
			bool expected = rule_holds(&plain[sid - 1]);

			if (rules_fixture_hit(&f, sid) != expected)
				fail_msg("expected %s of %s", expected ? "a hit" : "no hit",
					 text[sid - 1]);
			tally->verdicts++;
			tally->hits += expected;
		}
		f.matcher->nhits = 0;
	}
	for (int r = 0; r < RULES; r++)
		free_rule(&plain[r]);
	rules_fixture_fini(&f);
}

static void run_sets(bool large, int sets)
{
	struct tally tally = {0};

	for (int i = 0; i < sets; i++)
		run_set(&tally, large);
	print_message("# %u rules (%u refused), %u verdicts, %u hits\n", tally.rules, tally.refused,
		      tally.verdicts, tally.hits);
	assert_true(tally.refused * 10 < tally.rules);
	assert_true(tally.hits * 100 > tally.verdicts);
}

static void verdicts_are_those_of_a_plain_evaluator(void **state)
{
	run_sets(false, SETS);
}

/* Beyond the window: chains that say how far they reach. */
static void verdicts_in_long_buffers_are_too(void **state)
{
	run_sets(true, SETS / 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_are_those_of_a_plain_evaluator),
		cmocka_unit_test(verdicts_in_long_buffers_are_too),
	};

	if (getenv("RULES_SEED"))
		seed = strtoull(getenv("RULES_SEED"), NULL, 0) + 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
