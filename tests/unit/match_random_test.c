/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The matcher against a plain, slow evaluator: random rules, random buffers,
 * cut at random places. Seeded; RULES_SEED=N tries another seed.
 *
 * The evaluator knows a rule as this test made it, never the parser's or the
 * compiler's idea of it, and tries every place for every step.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <ctype.h>
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

enum { CONTENT, PCRE, DATA_AT, SIZE, TEST, JUMP, EXTRACT };
enum { LOWER, UPPER, STRIP, COMPRESS, DECODE, NAMES, XOR, DOT, MAIL64, PLAIN64, GROUP, TRANSFORMS };
#define PIECES DOT /* those before it are made of pieces too */

struct step {
	int kind;
	bool negated, nocase, relative, starts, ends;
	int lo, hi; /* hi < 0: none */
	char text[40];
	pcre2_code *code;
	/* Numbers: read at `lo`. */
	int count, value, post, multiplier;
	bool string, little, from_start, from_end;
	char op[3];
	bool var; /* `lo` of a content or DATA_AT, or `value`, is what was extracted */
};

struct part {
	enum rule_buffer buffer;
	bool none, absent; /* with steps: or_else */
	int count, transforms_count;
	int transforms[2];
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
					   RULE_BUFFER_EMAIL_RECEIVED, RULE_BUFFER_FILE_NAME,
					   RULE_BUFFER_FILE_DATA};
#define BUFFERS 5
#define FILES   3 /* where those of attachments begin: instance i is of attachment i */

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

static int extracted; /* by the chain that is being looked at */

static bool stands_at(const struct step *s, const struct instance *in, int at, int before)
{
	int base = (s->relative ? before : 0) + (s->var ? extracted : 0);
	int len = (int)strlen(s->text);

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

/* The number as C's library reads it, and where it ends; false: there is none.
 */
static bool number_at(const struct step *s, const struct instance *in, int before, uint64_t *value,
		      int *after)
{
	int at = (s->relative ? before : 0) + s->lo;
	char digits[32], *end;

	if (at < 0 || at + s->count > (int)in->len || !in->len)
		return false;
	*after = at + s->count;
	if (s->string) {
		memcpy(digits, in->text + at, (size_t)s->count);
		digits[s->count] = '\0';
		*value = strtoull(digits, &end, 16);
		*after = at + (int)(end - digits);
		return end > digits;
	}
	*value = 0;
	for (int i = 0; i < s->count; i++) {
		int place = s->little ? i : s->count - 1 - i;

		*value += (uint64_t)(uint8_t)in->text[at + i] << (8 * place);
	}
	return true;
}

static bool test_holds(const struct step *s, uint64_t value, uint64_t with)
{
	bool holds = !strcmp(s->op, "=")    ? value == with
		     : !strcmp(s->op, "<")  ? value < with
		     : !strcmp(s->op, ">")  ? value > with
		     : !strcmp(s->op, "<=") ? value <= with
		     : !strcmp(s->op, ">=") ? value >= with
		     : !strcmp(s->op, "&")  ? (value & with) != 0
					    : (value ^ with) != 0;

	return holds != s->negated;
}

static bool holds(const struct part *p, int i, const struct instance *in, int before);

static bool number_holds(const struct part *p, int i, const struct instance *in, int before)
{
	const struct step *s = &p->steps[i];
	int after = 0, old = extracted, base;
	uint64_t value = 0;
	int64_t to;
	bool rest;

	if (!number_at(s, in, before, &value, &after))
		return false;
	if (s->kind == TEST)
		return test_holds(s, value, (uint64_t)(s->var ? extracted : s->value)) &&
		       holds(p, i + 1, in, before);
	if (s->kind == EXTRACT) {
		extracted = (int)value * s->multiplier;
		rest = holds(p, i + 1, in, after);
		extracted = old;
		return rest;
	}
	base = s->from_start ? 0 : s->from_end ? (int)in->len : after;
	to = (int64_t)(value * (uint64_t)s->multiplier) + s->post + base;
	return to < (int64_t)in->len && holds(p, i + 1, in, to < 0 ? 0 : (int)to);
}

static bool holds(const struct part *p, int i, const struct instance *in, int before)
{
	const struct step *s = &p->steps[i];
	int len = (int)in->len;

	if (i == p->count)
		return true;
	if (s->kind >= TEST)
		return number_holds(p, i, in, before);
	if (s->kind == SIZE)
		return len >= s->lo && len <= s->hi && holds(p, i + 1, in, before);
	if (s->kind == DATA_AT) {
		int at = s->var ? extracted : s->lo;
		bool there = s->relative ? before + at <= len : at < len;

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

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static const char xor_key[] = "\x03\0\x23";

/* Base64 of texts without padding: digits alone (others passed over, or the end), six bits each. */
static void decode64(const struct instance *in, bool pass_over, struct instance *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static char bits[6 * TEXT_MAX];
	size_t n = 0;

	for (size_t i = 0; i < in->len; i++) {
		const char *digit = strchr(digits, in->text[i]);

		if (!digit && !pass_over)
			break;
		for (int b = 5; digit && b >= 0; b--)
			bits[n++] = (char)('0' + ((digit - digits) >> b & 1));
	}
	if (pass_over)
		n -= n % 24;
	if (n % 24 == 6)
		n = 0; /* one digit is no byte */
	*out = *in;
	if (n)
		out->len = n / 8;
	for (size_t i = 0; n && i < out->len; i++) {
		out->text[i] = 0;
		for (int b = 0; b < 8; b++)
			out->text[i] = (char)(out->text[i] << 1 | (bits[8 * i + (size_t)b] - '0'));
	}
}

/* What a(.*)b leaves. */
static void leave_group(const struct instance *in, struct instance *out)
{
	*out = *in;
	for (size_t i = 0; i < in->len; i++) {
		size_t last = 0;

		for (size_t j = i + 1; in->text[i] == 'a' && j < in->len && in->text[j] != '\n';
		     j++)
			last = in->text[j] == 'b' ? j : last;
		if (!last)
			continue;
		out->len = last - i - 1;
		memcpy(out->text, in->text + i + 1, out->len);
		return;
	}
}

static void transform(int kind, const struct instance *in, struct instance *out)
{
	bool name = true; /* of a line */

	if (kind == MAIL64 || kind == PLAIN64) {
		decode64(in, kind == MAIL64, out);
		return;
	}
	if (kind == GROUP) {
		leave_group(in, out);
		return;
	}
	out->len = 0;
	if (kind == DOT)
		out->text[out->len++] = '.';
	for (size_t i = 0; i < in->len; i++) {
		char c = in->text[i], hex[3] = {0}, *end = hex;

		if (kind == LOWER && c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		if (kind == UPPER && c >= 'a' && c <= 'z')
			c = (char)(c - 32);
		if (kind == STRIP && blank(c))
			continue;
		if (kind == COMPRESS && blank(c) && i && blank(in->text[i - 1]))
			continue;
		if (kind == DECODE && c == '+')
			c = ' ';
		if (kind == DECODE && c == '%' && i + 2 < in->len && isxdigit(in->text[i + 1]) &&
		    isxdigit(in->text[i + 2])) {
			memcpy(hex, in->text + i + 1, 2);
			c = (char)strtol(hex, &end, 16);
			i += 2;
		}
		if (kind == NAMES && name && c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		name = c == '\n' || (name && c != ':');
		if (kind == XOR)
			c = (char)(c ^ xor_key[i % 3]);
		out->text[out->len++] = c;
	}
}

/* The instance as the part's transforms make it. */
static const struct instance *transformed(const struct part *p, const struct instance *in)
{
	static struct instance made[2];

	for (int i = 0; i < p->transforms_count; i++) {
		transform(p->transforms[i], in, &made[i]);
		in = &made[i];
	}
	return in;
}

static int index_of(const struct part *part)
{
	int b;

	for (b = 0; buffers[b] != part->buffer; b++)
		;
	return b;
}

static bool instance_holds(const struct part *part, int i)
{
	int b = index_of(part);

	return i < instances_count[b] && holds(part, 0, transformed(part, &instances[b][i]), 0);
}

static bool part_holds(const struct part *part)
{
	bool any = false;

	if (part->absent && !instances_count[index_of(part)])
		return true;
	if (!part->count)
		return false;
	for (int i = 0; i < INSTANCES; i++)
		any |= instance_holds(part, i);
	return any != part->none;
}

static bool of_attachment(const struct part *part)
{
	return index_of(part) >= FILES && !part->none && !part->absent;
}

/* Do they speak of one attachment? Naming one thing twice speaks of two. */
static bool belong_together(const struct plain_rule *rule)
{
	const struct part *a = &rule->parts[0], *b = &rule->parts[1];

	return rule->count == 2 && of_attachment(a) && of_attachment(b) &&
	       (a->buffer != b->buffer || a->transforms_count != b->transforms_count ||
		memcmp(a->transforms, b->transforms,
		       (size_t)a->transforms_count * sizeof(a->transforms[0])) != 0);
}

static bool rule_holds(const struct plain_rule *rule)
{
	if (belong_together(rule)) {
		for (int i = 0; i < INSTANCES; i++)
			if (instance_holds(&rule->parts[0], i) &&
			    instance_holds(&rule->parts[1], i))
				return true;
		return false;
	}
	for (int p = 0; p < rule->count; p++)
		if (!part_holds(&rule->parts[p]))
			return false;
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
