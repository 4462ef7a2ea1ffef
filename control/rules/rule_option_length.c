/* SPDX-License-Identifier: BSD-3-Clause */
/* What is said about lengths: isdataat, bsize. */
#include <string.h>

#include "control/rules/rule_parse.h"

#define LENGTH_MAX 1048576 /* bytes */

static bool isdataat_word(struct rule_parser *parser, struct rule_word word, struct rule_step *step)
{
	if (rule_word_is(word, "relative"))
		step->relative = true;
	else if (!rule_word_is(word, "rawbytes")) /* no effect, as in Suricata */
		return rule_fail(parser, word.p, "isdataat: '%.*s' can't be honoured",
				 (int)word.len, word.p);
	return true;
}

bool rule_option_isdataat(struct rule_parser *parser, struct rule_word keyword,
			  struct rule_word value)
{
	struct rule_step *step = rule_add_step(parser, keyword, RULE_STEP_DATA_AT);
	struct rule_word word, rest = value, more;
	int64_t n = 0;

	if (!step)
		return false;
	if (rest.p[0] == '!') {
		step->negated = true;
		rest = rule_trim((struct rule_word){rest.p + 1, rest.len - 1});
	}
	rule_split(rest, ',', &word, &rest);
	if (!rule_number(word, 0, LENGTH_MAX, &n)) {
		step->lo_var = rule_variable_find(parser, word);
		if (!step->lo_var)
			return rule_fail(parser, value.p,
					 "isdataat: expected a number up to %d, or a name that "
					 "byte_extract or byte_math has given before",
					 LENGTH_MAX);
	}
	step->lo = (int32_t)n;
	while (rest.len) {
		rule_split(rest, ',', &more, &rest);
		if (!isdataat_word(parser, more, step))
			return false;
	}
	return !parser->failed;
}

/* Drops `text` from the word's beginning, if it stands there. */
static bool begins(struct rule_word *word, const char *text)
{
	size_t len = strlen(text);

	if (word->len < len || memcmp(word->p, text, len))
		return false;
	*word = rule_trim((struct rule_word){word->p + len, word->len - len});
	return true;
}

/* A number; of an attachment (a larger `max`) maybe in KB, MB or GB. */
static bool read_amount(struct rule_word word, int64_t min, int64_t max, int64_t *n)
{
	static const char units[] = "kmg";
	const char *unit = NULL;

	if (max > LENGTH_MAX && word.len > 2 && (word.p[word.len - 1] | 0x20) == 'b')
		unit = strchr(units, word.p[word.len - 2] | 0x20);
	if (!unit)
		return rule_number(word, min, max, n);
	word = rule_trim((struct rule_word){word.p, word.len - 2});
	if (!rule_number(word, 0, max >> (10 * (unit - units + 1)), n))
		return false;
	*n <<= 10 * (unit - units + 1);
	return *n >= min;
}

/* N<>M and N-M: between both, neither included. */
static bool read_range(struct rule_word value, int64_t max, struct rule_step *step, bool *ok)
{
	const char *mark = memmem(value.p, value.len, "<>", 2);
	size_t len = mark ? 2 : 1, head;
	int64_t lo, hi;

	if (!mark && value.len)
		mark = memchr(value.p, '-', value.len);
	if (!mark)
		return false;
	head = (size_t)(mark - value.p);
	*ok = read_amount(rule_trim((struct rule_word){value.p, head}), 0, max, &lo) &&
	      read_amount(rule_trim((struct rule_word){mark + len, value.len - head - len}), lo + 2,
			  max, &hi);
	if (*ok) {
		step->lo = (int32_t)lo + 1;
		step->hi = (int32_t)hi - 1;
	}
	return true;
}

static bool read_length(struct rule_word value, int64_t max, struct rule_step *step)
{
	enum { EQUAL, BELOW, UP_TO, ABOVE, FROM } op = EQUAL;
	int64_t n;

	if (begins(&value, "<="))
		op = UP_TO;
	else if (begins(&value, ">="))
		op = FROM;
	else if (begins(&value, "<"))
		op = BELOW;
	else if (begins(&value, ">"))
		op = ABOVE;
	else
		begins(&value, "=");
	if (!read_amount(value, op == BELOW, max, &n))
		return false;
	step->lo = op == EQUAL || op == FROM ? (int32_t)n : op == ABOVE ? (int32_t)n + 1 : 0;
	step->hi = op == EQUAL || op == UP_TO ? (int32_t)n
		   : op == BELOW              ? (int32_t)n - 1
					      : RULESET_NO_LIMIT;
	return true;
}

bool rule_length_read(struct rule_word value, int64_t max, struct rule_step *step)
{
	bool ok;

	step->hi = RULESET_NO_LIMIT;
	step->negated = begins(&value, "!=") || begins(&value, "!");
	if (!read_range(value, max, step, &ok))
		ok = read_length(value, max, step);
	return ok;
}

bool rule_option_bsize(struct rule_parser *parser, struct rule_word keyword, struct rule_word value)
{
	struct rule_step *step = rule_add_step(parser, keyword, RULE_STEP_SIZE);

	if (!step)
		return false;
	return rule_length_read(value, LENGTH_MAX, step) ||
	       rule_fail(parser, value.p,
			 "bsize: expected N, <N, <=N, >N, >=N, N<>M, or ! before one");
}
