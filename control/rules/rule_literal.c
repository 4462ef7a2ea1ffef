/* SPDX-License-Identifier: BSD-3-Clause */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <ctype.h>
#include <pcre2.h>
#include <string.h>

#include "control/rules/rule_literal.h"

#define LITERAL_MIN 2 /* shorter ones are everywhere */
#define WORD_MIN    3 /* of the alternatives */
#define WORDS_DEPTH 8 /* groups in groups that are looked into */

/* Longer is rarer; blanks, line ends and repetitions hardly count. */
static unsigned literal_weight(const struct rule_literal *l)
{
	unsigned weight = 0;

	for (size_t i = 0; i < l->len; i++) {
		uint8_t c = l->bytes[i];

		weight += 2;
		if (c == ' ' || c == '\r' || c == '\n' || c == '\0' || (i && c == l->bytes[i - 1]))
			weight -= 1;
		else if (!l->nocase || c < 'a' || c > 'z')
			weight += 1;
	}
	return weight;
}

static void literal_set(struct rule_literal *l, const void *bytes, size_t len, bool nocase)
{
	memcpy(l->bytes, bytes, len);
	l->len = len;
	l->nocase = nocase;
	if (nocase)
		for (size_t i = 0; i < len; i++)
			l->bytes[i] = rule_lower(l->bytes[i]);
	l->weight = literal_weight(l);
}

/* Reading an expression: `run` is the run of plain bytes that is open. */
struct scan {
	const char *p, *end;
	uint8_t run[RULE_LITERAL_MAX];
	size_t len;
	bool nocase;
	bool words; /* in each alternative of a group that must be there */
	unsigned depth;
	struct rule_literal best;
};

static bool scan_one(struct scan *s);

static void run_end(struct scan *s)
{
	struct rule_literal l;

	if (s->len >= LITERAL_MIN) {
		literal_set(&l, s->run, s->len, s->nocase);
		if (l.weight > s->best.weight || !s->best.len)
			s->best = l;
	}
	s->len = 0;
}

static bool is_quantifier(char c)
{
	return c == '?' || c == '*' || c == '+' || c == '{';
}

/* One plain byte. What quantifies it may leave it out. */
static void run_add(struct scan *s, uint8_t c)
{
	bool quantified = s->p < s->end && is_quantifier(*s->p);

	if (quantified && *s->p != '+') {
		run_end(s);
		return;
	}
	if (s->len == sizeof(s->run))
		run_end(s);
	s->run[s->len++] = c;
	if (quantified)
		run_end(s);
}

/* Over "[...]"; the cursor stands after the '['. */
static bool skip_class(struct scan *s)
{
	if (s->p < s->end && *s->p == '^')
		s->p++;
	if (s->p < s->end && *s->p == ']')
		s->p++;
	for (; s->p < s->end && *s->p != ']'; s->p++) {
		if (*s->p == '\\' && s->p + 1 < s->end)
			s->p++;
		else if (*s->p == '[' && s->p + 1 < s->end && strchr(":.=", s->p[1]))
			return false; /* a POSIX class: its own ']' */
	}
	if (s->p == s->end)
		return false;
	s->p++;
	return true;
}

/* Over "(...)"; the cursor stands after the '('. */
static bool skip_group(struct scan *s)
{
	unsigned depth = 1;

	/* (?i) and the like change what follows; (*VERB) too. */
	if (s->p < s->end && *s->p == '*')
		return false;
	if (s->end - s->p > 1 && s->p[0] == '?' && !strchr(":=!<>P|'", s->p[1]))
		return false;
	while (s->p < s->end && depth) {
		char c = *s->p++;

		if (c == '\\' && s->p < s->end) {
			if (*s->p == 'Q')
				return false;
			s->p++;
		} else if (c == '[') {
			if (!skip_class(s))
				return false;
		} else if (c == '(') {
			depth++;
		} else if (c == ')') {
			depth--;
		}
	}
	return depth == 0;
}

static bool alternatives_have_words(const struct scan *around, const char *p, const char *end);

/* The same, with what its alternatives hold. */
static bool scan_group(struct scan *s)
{
	const char *start = s->p;

	if (!skip_group(s))
		return false;
	if (s->p - start > 2 && start[0] == '?') {
		if (start[1] != ':')
			return true; /* it takes nothing, or has a name */
		start += 2;
	}
	if (s->p < s->end && is_quantifier(*s->p) && *s->p != '+')
		return true;
	s->words = s->words || alternatives_have_words(s, start, s->p - 1);
	return true;
}

static int hex_value(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, rule_lower((uint8_t)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* The cursor stands after the '\'. */
static bool scan_escape(struct scan *s)
{
	char c = *s->p++;
	int hi, lo;

	switch (c) {
	case 'x':
		hi = s->p < s->end ? hex_value(s->p[0]) : -1;
		lo = s->end - s->p > 1 ? hex_value(s->p[1]) : -1;
		if (hi < 0 || lo < 0)
			return false;
		s->p += 2;
		run_add(s, (uint8_t)(hi << 4 | lo));
		return true;
	case 'r':
		run_add(s, '\r');
		return true;
	case 'n':
		run_add(s, '\n');
		return true;
	case 't':
		run_add(s, '\t');
		return true;
	case 'd':
	case 'D':
	case 's':
	case 'S':
	case 'w':
	case 'W':
	case 'b':
	case 'B':
	case 'A':
	case 'z':
	case 'Z':
	case 'h':
	case 'v':
	case 'R':
	case 'N':
		run_end(s);
		return true;
	default:
		/* A group again; more digits could be a byte in octal. */
		if (c >= '1' && c <= '9' && (s->p == s->end || !isdigit((unsigned char)*s->p))) {
			run_end(s);
			return true;
		}
		/* Letters and digits not named here mean something else; the rest itself. */
		if (isalnum((unsigned char)c))
			return false;
		run_add(s, (uint8_t)c);
		return true;
	}
}

/* After a class, a group or a dot: over "?", "*", "+", "{n,m}" and their "?" or "+". */
static void skip_quantifier(struct scan *s)
{
	if (s->p < s->end && *s->p == '{')
		while (s->p < s->end && *s->p != '}')
			s->p++;
	else if (s->p == s->end || !is_quantifier(*s->p))
		return;
	if (s->p < s->end)
		s->p++;
	if (s->p < s->end && (*s->p == '?' || *s->p == '+'))
		s->p++;
}

static bool scan_one(struct scan *s)
{
	char c = *s->p++;

	switch (c) {
	case '|':
		return false;
	case '\\':
		return s->p < s->end && scan_escape(s);
	case '[':
		run_end(s);
		return skip_class(s);
	case '(':
		run_end(s);
		return scan_group(s);
	case '.':
	case '^':
	case '$':
		run_end(s);
		return true;
	case '?':
	case '*':
	case '+':
	case '{':
		s->p--;
		run_end(s);
		skip_quantifier(s);
		return true;
	default:
		run_add(s, (uint8_t)c);
		return true;
	}
}

static bool scan_all(struct scan *s)
{
	while (s->p < s->end)
		if (!scan_one(s))
			return false;
	run_end(s);
	return true;
}

/* The next '|' that is in no group and no class, or the end; NULL: too clever. */
static const char *alternative_end(const char *p, const char *end)
{
	struct scan s = {.p = p, .end = end};

	while (s.p < s.end && *s.p != '|') {
		char c = *s.p++;
		bool ok = true;

		if (c == '\\')
			s.p += s.p < s.end;
		else if (c == '[')
			ok = skip_class(&s);
		else if (c == '(')
			ok = skip_group(&s);
		if (!ok)
			return NULL;
	}
	return s.p;
}

static bool alternatives_have_words(const struct scan *around, const char *p, const char *end)
{
	if (around->depth == WORDS_DEPTH)
		return false;
	for (;;) {
		const char *next = alternative_end(p, end);
		struct scan s = {
			.p = p, .end = next, .nocase = around->nocase, .depth = around->depth + 1};

		if (!next || !scan_all(&s) || !(s.words || s.best.len >= WORD_MIN))
			return false;
		if (next == end)
			return true;
		p = next + 1;
	}
}

bool rule_pcre_has_words(const struct rule_step *step)
{
	const struct scan around = {.nocase = step->pcre_options & PCRE2_CASELESS};

	return !(step->pcre_options & PCRE2_EXTENDED) &&
	       alternatives_have_words(&around, step->text, step->text + step->len);
}

bool rule_literal_of_pcre(const struct rule_step *step, struct rule_literal *literal)
{
	struct scan s = {.p = step->text,
			 .end = step->text + step->len,
			 .nocase = step->pcre_options & PCRE2_CASELESS};

	if (step->pcre_options & PCRE2_EXTENDED)
		return false;
	/* (?i) at the very start is the flag written another way. */
	if (step->len >= 4 && !memcmp(s.p, "(?i)", 4)) {
		s.nocase = true;
		s.p += 4;
	}
	if (!scan_all(&s))
		return false;
	*literal = s.best;
	literal->whole = false;
	return s.best.len > 0;
}

bool rule_literal_choose(const struct rule_part *part, size_t first, size_t count,
			 struct rule_literal *literal)
{
	struct rule_literal l;

	literal->len = 0;
	for (size_t i = first; i < first + count; i++) {
		const struct rule_step *step = &part->steps[i];

		memset(&l, 0, sizeof(l));
		if (step->negated)
			continue;
		if (step->kind == RULE_STEP_CONTENT) {
			size_t len = step->fast_len ? step->fast_len : step->len;

			literal_set(&l, step->text + step->fast_offset, len, step->nocase);
			l.whole = len == step->len;
			l.weight += 4; /* a content is confirmed more cheaply than an expression */
		} else if (step->kind != RULE_STEP_PCRE || !rule_literal_of_pcre(step, &l)) {
			continue;
		}
		l.step = (uint32_t)i;
		if (step->fast) {
			l.weight = UINT32_MAX;
			*literal = l;
			return true;
		}
		if (!literal->len || l.weight > literal->weight)
			*literal = l;
	}
	return literal->len > 0;
}
