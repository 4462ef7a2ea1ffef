/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The matcher against a plain, slow evaluator (match_plain.h): random rules, random buffers,
 * cut at random places. Seeded; RULES_SEED=N tries another seed.
 */
#include <netinet/in.h>

#include "tests/rules_fixture.h"
#include "tests/unit/match_plain.h"
#include "tests/unit/test.h"

#define SETS  150
#define RULES 12 /* a set */
#define TXNS  30 /* a set */

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

/* Letters are digits in hex: 10 to 12. */
static void random_number(struct step *s, int kind, bool in_pieces)
{
	static const char *const ops[] = {"=", "<", ">", "<=", ">=", "&", "^"};

	s->kind = kind;
	s->string = chance(60);
	s->count = 1 + (int)rnd(s->string && kind == TEST ? 3 : 2);
	s->little = !s->string && chance(30);
	s->lo = (int)rnd(5) - (s->relative ? 2 : 0);
	s->multiplier = 1;
	s->negated = false;
	if (kind == TEST) {
		s->negated = chance(25);
		strcpy(s->op, ops[rnd(7)]);
		s->value = s->string ? 8 + (int)rnd(6) + (chance(30) ? 160 : 0)
				     : 'A' + (int)rnd(40);
		return;
	}
	s->string = true;
	s->little = false;
	s->count = 1;
	s->multiplier = 1 + (int)rnd(2);
	if (kind == EXTRACT)
		return;
	s->post = -(int)rnd(12);
	s->from_start = !in_pieces && chance(20);
	s->from_end = !in_pieces && !s->from_start && chance(20);
	if (s->from_end)
		s->post -= 12;
}

/* What was extracted before, in place of a number. */
static void random_variable(struct step *s, bool named, bool stream)
{
	if (!named || chance(50) || (stream && !s->relative))
		return;
	if (s->kind == TEST) {
		s->var = true;
	} else if (s->kind == DATA_AT || (s->kind == CONTENT && !s->starts)) {
		s->var = true;
		s->hi -= s->hi < 0 ? 0 : s->lo;
		s->lo = 0;
	}
}

static void random_transforms(struct part *part, bool stream)
{
	part->transforms_count = (int)rnd(3);
	for (int i = 0; i < part->transforms_count; i++)
		part->transforms[i] = (int)rnd(stream ? PIECES : TRANSFORMS);
}

static void random_part(struct part *part, enum rule_buffer buffer, bool bounded)
{
	bool stream = false, leaves_place = true, named = false;
	int last;

	part->buffer = buffer;
	stream = rule_buffers[part->buffer].mode == BUFFER_STREAM;
	part->count = 1 + (int)rnd(STEPS_MAX);
	part->none = chance(8);
	part->absent = !part->none && chance(8);
	if (part->absent && chance(50)) {
		part->count = 0;
		return;
	}
	if (chance(35))
		random_transforms(part, stream);
	last = part->transforms_count ? part->transforms[part->transforms_count - 1] : -1;
	for (int i = 0; i < part->count; i++) {
		struct step *s = &part->steps[i];

		s->negated = chance(15);
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
		} else if ((s->relative || !stream) && i > 0 && chance(15)) {
			random_number(s, TEST, stream);
		} else if (!bounded && (s->relative || !stream) && i > 0 && chance(12)) {
			random_number(s, JUMP, stream);
		} else if (!bounded && (s->relative || !stream) && i > 0 && !named && chance(15)) {
			random_number(s, EXTRACT, stream);
		} else {
			random_content(s, bounded);
			/* Of these the transform leaves one case alone. */
			s->nocase |= last == LOWER || last == UPPER;
		}
		random_variable(s, named, stream);
		named |= s->kind == EXTRACT;
		/* What stands between does not part a step from what it counts from. */
		leaves_place = (i > 0 && leaves_place) || s->relative || s->kind >= JUMP ||
			       (!s->negated && (s->kind == CONTENT || s->kind == PCRE));
	}
}

static void write_amount(FILE *f, bool var, int n)
{
	if (var)
		fprintf(f, "v");
	else
		fprintf(f, "%d", n);
}

static void write_number(FILE *f, const struct step *s)
{
	fprintf(f, "%s%s%s; ", s->relative ? ",relative" : "", s->string ? ",string,hex" : "",
		s->little ? ",little" : "");
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
		fprintf(f, "isdataat:%s", no);
		write_amount(f, s->var, s->lo);
		fprintf(f, "%s; ", s->relative ? ",relative" : "");
		return;
	case TEST:
		fprintf(f, "byte_test:%d,%s%s,", s->count, no, s->op);
		write_amount(f, s->var, s->value);
		fprintf(f, ",%d", s->lo);
		write_number(f, s);
		return;
	case JUMP:
		fprintf(f, "byte_jump:%d,%d,multiplier %d,post_offset %d%s%s", s->count, s->lo,
			s->multiplier, s->post, s->from_start ? ",from_beginning" : "",
			s->from_end ? ",from_end" : "");
		write_number(f, s);
		return;
	case EXTRACT:
		fprintf(f, "byte_extract:%d,%d,v,multiplier %d", s->count, s->lo, s->multiplier);
		write_number(f, s);
		return;
	case PCRE:
		fprintf(f, "pcre:%s\"/%s/%s%s\"; ", no, s->text, s->nocase ? "i" : "",
			s->relative ? "R" : "");
		return;
	}
	fprintf(f, "content:%s\"%s\"; %s%s%s", no, s->text, s->nocase ? "nocase; " : "",
		s->starts ? "startswith; " : "", s->ends ? "endswith; " : "");
	if (s->relative) {
		fprintf(f, "distance:");
		write_amount(f, s->var, s->lo);
		fprintf(f, "; ");
		if (s->hi >= 0)
			fprintf(f, "within:%d; ", s->hi - s->lo);
	} else if (s->var || s->lo || s->hi >= 0) {
		fprintf(f, "offset:");
		write_amount(f, s->var, s->lo);
		fprintf(f, "; ");
		if (s->hi >= 0)
			fprintf(f, "depth:%d; ", s->hi - s->lo);
	}
}

static const char *const transform_names[] = {[LOWER] = "to_lowercase",
					      [UPPER] = "to_uppercase",
					      [STRIP] = "strip_whitespace",
					      [COMPRESS] = "compress_whitespace",
					      [DOT] = "dotprefix",
					      [DECODE] = "url_decode",
					      [NAMES] = "header_lowercase",
					      [XOR] = "xor:\"030023\"",
					      [MAIL64] = "from_base64:mode rfc2045",
					      [PLAIN64] = "from_base64",
					      [GROUP] = "pcrexform:\"a(.*)b\""};

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
			buffer = buffers[p && chance(30) ? FILES + rnd(2) : rnd(BUFFERS)];
		} while (p && buffer == rule->parts[0].buffer &&
			 rule_buffers[buffer].count == BUFFER_ONE);
		random_part(&rule->parts[p], buffer, bounded);
		fprintf(f, "%s; ", rule_buffers[rule->parts[p].buffer].name);
		for (int i = 0; i < rule->parts[p].transforms_count; i++)
			fprintf(f, "%s; ", transform_names[rule->parts[p].transforms[i]]);
		if (rule->parts[p].none)
			fprintf(f, "none; ");
		if (rule->parts[p].absent)
			fprintf(f, rule->parts[p].count ? "absent:or_else; " : "absent; ");
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
		if (!large && chance(25))
			for (uint32_t i = 1 + rnd(3); i > 0; i--)
				in->text[in->len++] = " \t+\n:"[rnd(5)];
		if (!large && chance(10)) {
			memcpy(in->text + in->len, "%61%%6", 6);
			in->len += 3 + rnd(4);
		}
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

static void feed(struct matcher *m, struct match_txn *txn, int b, int i)
{
	const struct instance *in = &instances[b][i];

	if (rule_buffers[buffers[b]].mode == BUFFER_STREAM)
		feed_stream(m, txn, buffers[b], in);
	else
		match_block(m, txn, buffers[b], in->text, in->len);
}

static void run_txn(struct rules_fixture *f)
{
	struct match_flow flow = rules_fixture_flow(IPPROTO_TCP, 25);
	struct match_txn txn;

	match_begin(f->matcher, &txn, &flow, NULL);
	for (int b = 0; b < FILES; b++)
		for (int i = 0; i < instances_count[b]; i++)
			feed(f->matcher, &txn, b, i);
	for (int i = 0; i < INSTANCES; i++) {
		match_attachment_begin(f->matcher, &txn);
		for (int b = FILES; b < BUFFERS; b++)
			if (i < instances_count[b])
				feed(f->matcher, &txn, b, i);
	}
	match_whole(f->matcher, &txn, BUFFER_SMTP);
	assert_false(txn.over_budget);
	match_end(f->matcher, &txn);
}

struct tally {
	unsigned rules, refused, verdicts, hits;
	unsigned with_numbers, with_transforms, in_pieces, with_names, with_absence,
		of_one; /* of the hits */
};

static bool has_transforms(const struct plain_rule *rule)
{
	return rule->parts[0].transforms_count || rule->parts[1].transforms_count;
}

static bool transforms_pieces(const struct part *part)
{
	return part->transforms_count && part->count && !part->none &&
	       rule_buffers[part->buffer].mode == BUFFER_STREAM;
}

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
			tally->with_numbers += expected && strstr(text[sid - 1], "byte_");
			tally->with_names += expected && strstr(text[sid - 1], ":v");
			tally->with_transforms += expected && has_transforms(&plain[sid - 1]);
			tally->in_pieces += expected && transforms_pieces(&plain[sid - 1].parts[0]);
			tally->with_absence += expected && (plain[sid - 1].parts[0].none ||
							    plain[sid - 1].parts[0].absent);
			tally->of_one += expected && belong_together(&plain[sid - 1]);
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
	print_message(
		"# %u rules (%u refused), %u verdicts, %u hits; %u with numbers, %u with names, "
		"%u with transforms (%u of pieces), %u with absence, %u of one attachment\n",
		tally.rules, tally.refused, tally.verdicts, tally.hits, tally.with_numbers,
		tally.with_names, tally.with_transforms, tally.in_pieces, tally.with_absence,
		tally.of_one);
	assert_true(tally.with_numbers > 0 && (large || tally.with_names > 0) &&
		    tally.with_transforms > 0 && tally.in_pieces > 0 && tally.with_absence > 0 &&
		    tally.of_one > 0);
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
