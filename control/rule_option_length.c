/* SPDX-License-Identifier: BSD-3-Clause */
/* What is said about lengths: isdataat, bsize. */
#include <string.h>

#include "control/rule_parse.h"

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

/* N<>M and N-M: between both, neither included. */
static bool read_range(struct rule_word value, struct rule_step *step, bool *ok)
{
	const char *mark = memmem(value.p, value.len, "<>", 2);
	size_t len = mark ? 2 : 1, head;
	int64_t lo, hi;

	if (!mark && value.len)
		mark = memchr(value.p, '-', value.len);
	if (!mark)
		return false;
	head = (size_t)(mark - value.p);
	*ok = rule_number(rule_trim((struct rule_word){value.p, head}), 0, LENGTH_MAX, &lo) &&
	      rule_number(rule_trim((struct rule_word){mark + len, value.len - head - len}), lo + 2,
			  LENGTH_MAX, &hi);
	if (*ok) {
		step->lo = (int32_t)lo + 1;
		step->hi = (int32_t)hi - 1;
	}
	return true;
}

static bool read_length(struct rule_word value, struct rule_step *step)
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
	if (!rule_number(value, op == BELOW, LENGTH_MAX, &n))
		return false;
	step->lo = op == EQUAL || op == FROM ? (int32_t)n : op == ABOVE ? (int32_t)n + 1 : 0;
	step->hi = op == EQUAL || op == UP_TO ? (int32_t)n
		   : op == BELOW              ? (int32_t)n - 1
					      : RULESET_NO_LIMIT;
	return true;
}

bool rule_option_bsize(struct rule_parser *parser, struct rule_word keyword, struct rule_word value)
{
	struct rule_step *step = rule_add_step(parser, keyword, RULE_STEP_SIZE);
	struct rule_word rest = value;
	bool ok;

	if (!step)
		return false;
	step->hi = RULESET_NO_LIMIT;
	step->negated = begins(&rest, "!=") || begins(&rest, "!");
	if (!read_range(rest, step, &ok))
		ok = read_length(rest, step);
	return ok || rule_fail(parser, value.p,
			       "bsize: expected N, <N, <=N, >N, >=N, N<>M, or ! before one");
}
