/* SPDX-License-Identifier: BSD-3-Clause */
/* What is made of a buffer before it is looked at. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "control/rules/rule_parse.h"

#define KEY_MAX    255     /* bytes of xor's key, as in Suricata */
#define BASE64_MAX 1048576 /* bytes and offset of from_base64 */

static enum rule_transform transform_find(struct rule_word name)
{
	static const char *const names[] = {
#define X(id, text, value, how, doc) [RULE_TRANSFORM_##id] = text,
		RULE_TRANSFORMS(X)
#undef X
	};
	unsigned i;

	for (i = 0; i < RULE_TRANSFORM_COUNT && !rule_word_is(name, names[i]); i++)
		;
	return (enum rule_transform)i;
}

static bool same_argument(const struct rule_argument *a, const struct rule_argument *b)
{
	if (!a || !b)
		return a == b;
	return a->len == b->len && !memcmp(a->text, b->text, a->len) && a->bytes == b->bytes &&
	       a->offset == b->offset && a->mode == b->mode;
}

bool rule_same_transforms(const struct rule_part *a, const struct rule_part *b)
{
	if (a->transforms_count != b->transforms_count)
		return false;
	for (size_t i = 0; i < a->transforms_count; i++)
		if (a->transforms[i] != b->transforms[i] ||
		    !same_argument(a->arguments[i], b->arguments[i]))
			return false;
	return true;
}

static bool read_key(struct rule_parser *parser, struct rule_word value, struct rule_argument *out)
{
	struct rule_word inner = {0};
	bool negated;
	char *key;

	if (!rule_unquote(parser, value, &negated, &inner))
		return false;
	if (negated || !inner.len || inner.len % 2 || inner.len / 2 > KEY_MAX)
		return rule_fail(parser, value.p,
				 "xor: expected \"hex digits\", two for each byte");
	key = arena_alloc(&parser->list->arena, inner.len / 2);
	for (size_t i = 0; i < inner.len; i += 2) {
		int hi = rule_hex_digit(inner.p[i]), lo = rule_hex_digit(inner.p[i + 1]);

		if (hi < 0 || lo < 0)
			return rule_fail(parser, inner.p + i, "xor: expected two hex digits");
		key[i / 2] = (char)(hi << 4 | lo);
	}
	out->text = key;
	out->len = inner.len / 2;
	return true;
}

/* One group, whose text is left. */
static bool read_expression(struct rule_parser *parser, struct rule_word value,
			    struct rule_argument *out)
{
	PCRE2_UCHAR words[160];
	uint32_t groups = 0;
	pcre2_code *code;
	PCRE2_SIZE where;
	int error, jit;

	if (!rule_text(parser, value, &out->text))
		return false;
	out->len = strlen(out->text);
	code = pcre2_compile((PCRE2_SPTR)out->text, out->len, 0, &error, &where, NULL);
	if (!code) {
		pcre2_get_error_message(error, words, sizeof(words));
		return rule_fail(parser, value.p, "pcrexform: %s", (const char *)words);
	}
	pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
	jit = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	pcre2_code_free(code);
	if (groups != 1)
		return rule_fail(parser, value.p,
				 "pcrexform: expected one group, whose text is what is left");
	if (jit != 0)
		return rule_fail(parser, value.p,
				 "pcrexform: it can't be compiled to machine code, and the gate "
				 "interprets none");
	return true;
}

static bool base64_word(struct rule_parser *parser, struct rule_word word,
			struct rule_argument *out)
{
	static const char *const modes[] = {[RULE_BASE64_RFC4648] = "rfc4648",
					    [RULE_BASE64_RFC2045] = "rfc2045",
					    [RULE_BASE64_STRICT] = "strict"};
	struct rule_word key, value;
	int64_t n;

	rule_split(word, ' ', &key, &value);
	value = rule_trim(value);
	if (rule_word_is(key, "mode"))
		for (uint32_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
			if (rule_word_is(value, modes[i])) {
				out->mode = i;
				return true;
			}
	if (rule_word_is(key, "bytes") && rule_number(value, 1, BASE64_MAX, &n)) {
		out->bytes = (uint32_t)n;
		return true;
	}
	if (rule_word_is(key, "offset") && rule_number(value, 0, BASE64_MAX, &n)) {
		out->offset = (uint32_t)n;
		return true;
	}
	return rule_fail(parser, word.p,
			 "from_base64: expected bytes N, offset N, or mode rfc4648, rfc2045, "
			 "strict");
}

static bool read_base64(struct rule_parser *parser, struct rule_word value,
			struct rule_argument *out)
{
	struct rule_word word, rest = value;

	while (rest.len) {
		rule_split(rest, ',', &word, &rest);
		if (!base64_word(parser, word, out))
			return false;
	}
	return true;
}

/* False with a mistake said; an argument of none where the transform takes no value. */
static bool read_argument(struct rule_parser *parser, enum rule_transform transform,
			  struct rule_word value, const struct rule_argument **argument)
{
	struct rule_argument *out = arena_alloc(&parser->list->arena, sizeof(*out));

	*out = (struct rule_argument){.text = ""};
	*argument = out;
	if (transform == RULE_TRANSFORM_XOR)
		return read_key(parser, value, out);
	if (transform == RULE_TRANSFORM_PCREXFORM)
		return read_expression(parser, value, out);
	if (transform == RULE_TRANSFORM_FROM_BASE64)
		return read_base64(parser, value, out);
	*argument = NULL;
	return true;
}

bool rule_option_transform(struct rule_parser *parser, struct rule_word keyword,
			   struct rule_word value)
{
	enum rule_transform transform = transform_find(keyword);
	struct rule_part *part;

	if (!parser->part || !parser->fresh)
		return rule_fail(parser, keyword.p,
				 "'%.*s' stands right after the buffer that it transforms",
				 (int)keyword.len, keyword.p);
	if (parser->part->none || parser->part->absent)
		return rule_fail(parser, keyword.p,
				 "'%.*s' stands right after the buffer: before absent and none",
				 (int)keyword.len, keyword.p);
	if (parser->part->count) /* the buffer as it is has conditions already */
		rule_split_part(parser);
	part = parser->part;
	if (rule_part_streams(part) && rule_transform_how(transform) == RULE_TRANSFORM_WHOLE)
		return rule_fail(parser, keyword.p,
				 "'%.*s' needs the buffer as a whole, and this one comes in pieces",
				 (int)keyword.len, keyword.p);
	if (part->transforms_count == RULESET_TRANSFORMS)
		return rule_fail(parser, keyword.p, "more than %d transforms of one buffer",
				 RULESET_TRANSFORMS);
	part->transforms[part->transforms_count] = (uint8_t)transform;
	return read_argument(parser, transform, value, &part->arguments[part->transforms_count++]);
}
