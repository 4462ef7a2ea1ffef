/* SPDX-License-Identifier: BSD-3-Clause */
/* content and its modifiers. */
#include <string.h>

#include "control/rules/rule_parse.h"

#define CONTENT_MAX 255 /* bytes, as in Suricata */

int rule_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

/* From the byte after a '|' to the closing one: pairs of digits, blanks between them. */
static const char *read_hex(struct rule_parser *parser, const char *p, const char *end,
			    struct rule_step *step)
{
	const char *start = p;

	while (p < end && *p != '|') {
		int hi, lo;

		if (*p == ' ' || *p == '\t') {
			p++;
			continue;
		}
		hi = rule_hex_digit(*p);
		lo = p + 1 < end ? rule_hex_digit(p[1]) : -1;
		if (hi < 0 || lo < 0) {
			rule_fail(parser, p, "content: expected two hex digits");
			return NULL;
		}
		step->text[step->len++] = (char)(hi << 4 | lo);
		p += 2;
	}
	if (p == end) {
		rule_fail(parser, start - 1, "content: this '|' has no end");
		return NULL;
	}
	return p + 1;
}

bool rule_content_read(struct rule_parser *parser, struct rule_word inner, struct rule_step *step)
{
	const char *p = inner.p, *end = inner.p + inner.len;

	step->text = arena_alloc(&parser->list->arena, inner.len + 1);
	while (p < end) {
		if (*p == '|') {
			p = read_hex(parser, p + 1, end, step);
			if (!p)
				return false;
			continue;
		}
		if (*p == '\\') {
			if (p + 1 == end || !strchr("\\\";:", p[1]))
				return rule_fail(
					parser, p,
					"content: only \\\\ \\\" \\; \\: are escapes; write "
					"other bytes as |hex|");
			p++;
		} else if (*p == '"') {
			return rule_fail(parser, p, "content: a '\"' inside is written \\\"");
		}
		step->text[step->len++] = *p++;
	}
	if (!step->len)
		return rule_fail(parser, inner.p, "content: empty");
	if (step->len > CONTENT_MAX)
		return rule_fail(parser, inner.p, "content: longer than %d bytes", CONTENT_MAX);
	return true;
}

bool rule_option_content(struct rule_parser *parser, struct rule_word keyword,
			 struct rule_word value)
{
	struct rule_word inner = {0};
	struct rule_step *step;
	bool negated;

	parser->step = NULL;
	parser->step_lost = true;
	if (!rule_unquote(parser, value, &negated, &inner))
		return false;
	step = rule_add_step(parser, keyword, RULE_STEP_CONTENT);
	if (!step)
		return false;
	step->negated = negated;
	return rule_content_read(parser, inner, step);
}

bool rule_option_nocase(struct rule_parser *parser, struct rule_word keyword,
			struct rule_word value)
{
	struct rule_step *step = rule_last_content(parser, keyword);

	if (step)
		step->nocase = true;
	return step != NULL;
}

static bool set_once(struct rule_parser *parser, struct rule_word keyword, bool *has)
{
	if (*has)
		return rule_fail(parser, keyword.p, "'%.*s' twice for one content",
				 (int)keyword.len, keyword.p);
	*has = true;
	return true;
}

/* Where a content may stand: which member each word sets. */
struct position {
	const char *name;
	size_t has, field;
	bool length; /* as long as the content at least */
	bool width;  /* it adds to where the place ends */
	int32_t min;
};

#define POSITION_MAX 1048576 /* bytes */

static const struct position positions[] = {
	{"offset", offsetof(struct rule_step, has_offset), offsetof(struct rule_step, offset),
	 false, false, 0},
	{"depth", offsetof(struct rule_step, has_depth), offsetof(struct rule_step, depth), true,
	 true, 0},
	{"distance", offsetof(struct rule_step, has_distance), offsetof(struct rule_step, distance),
	 false, false, -POSITION_MAX},
	{"within", offsetof(struct rule_step, has_within), offsetof(struct rule_step, within), true,
	 true, 0},
};

static bool read_position(struct rule_parser *parser, const struct position *position,
			  struct rule_step *step, struct rule_word value)
{
	int32_t *field = (int32_t *)(void *)((char *)step + position->field);
	int64_t n, min = position->length ? (int64_t)step->len : position->min;
	uint8_t var;

	if (!rule_number(value, INT32_MIN, INT32_MAX, &n)) {
		var = rule_variable_find(parser, value);
		if (!var)
			return rule_fail(parser, value.p,
					 "%s: expected a number, or a name that byte_extract or "
					 "byte_math has given before",
					 position->name);
		*(position->width ? &step->hi_var : &step->lo_var) = var;
		return !parser->failed;
	}
	if (n < min && position->length)
		return rule_fail(parser, value.p,
				 "%s: smaller than the content, which has %zu bytes",
				 position->name, step->len);
	if (n < min || n > POSITION_MAX)
		return rule_fail(parser, value.p, "%s: expected a number from %lld to %d",
				 position->name, (long long)min, POSITION_MAX);
	*field = (int32_t)n;
	return true;
}

bool rule_option_position(struct rule_parser *parser, struct rule_word keyword,
			  struct rule_word value)
{
	struct rule_step *step = rule_last_content(parser, keyword);
	const struct position *position = positions;

	if (!step)
		return false;
	while (!rule_word_is(keyword, position->name))
		position++;
	return read_position(parser, position, step, value) &&
	       set_once(parser, keyword, (bool *)((char *)step + position->has));
}

bool rule_option_startswith(struct rule_parser *parser, struct rule_word keyword,
			    struct rule_word value)
{
	struct rule_step *step = rule_last_content(parser, keyword);

	return step && set_once(parser, keyword, &step->startswith);
}

bool rule_option_endswith(struct rule_parser *parser, struct rule_word keyword,
			  struct rule_word value)
{
	struct rule_step *step = rule_last_content(parser, keyword);

	return step && set_once(parser, keyword, &step->endswith);
}

bool rule_option_fast_pattern(struct rule_parser *parser, struct rule_word keyword,
			      struct rule_word value)
{
	struct rule_step *step = rule_last_content(parser, keyword);
	struct rule_word from, count;
	int64_t offset, len;

	if (!step)
		return false;
	if (step->negated)
		return rule_fail(parser, keyword.p, "fast_pattern: a negated content can't be it");
	if (parser->rule.has_fast)
		return rule_fail(parser, keyword.p, "fast_pattern: a rule has one");
	parser->rule.has_fast = step->fast = true;
	if (!value.len || rule_word_is(value, "only"))
		return true;
	if (!rule_split(value, ',', &from, &count) || !rule_number(from, 0, CONTENT_MAX, &offset) ||
	    !rule_number(rule_trim(count), 1, CONTENT_MAX, &len))
		return rule_fail(parser, value.p, "fast_pattern: expected only, or offset,length");
	if ((size_t)(offset + len) > step->len)
		return rule_fail(parser, value.p, "fast_pattern: the content has only %zu bytes",
				 step->len);
	step->fast_offset = (uint32_t)offset;
	step->fast_len = (uint32_t)len;
	return true;
}

/* The gate looks for the best content first, unless it is told which. */
bool rule_option_prefilter(struct rule_parser *parser, struct rule_word keyword,
			   struct rule_word value)
{
	return rule_option_fast_pattern(parser, keyword, (struct rule_word){keyword.p, 0});
}

bool rule_option_rawbytes(struct rule_parser *parser, struct rule_word keyword,
			  struct rule_word value)
{
	return rule_last_content(parser, keyword) != NULL;
}
