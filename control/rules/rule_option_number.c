/* SPDX-License-Identifier: BSD-3-Clause */
/* byte_test, byte_jump, byte_extract, byte_math: numbers in the data, and the names they get. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "control/rules/rule_parse.h"

#define WORDS_MAX 16 /* of a value: what commas part */

struct words {
	struct rule_word word[WORDS_MAX];
	size_t count;
};

static bool split_words(struct rule_parser *parser, struct rule_word value, struct words *words)
{
	bool more = true;

	for (words->count = 0; more; words->count++) {
		if (words->count == WORDS_MAX)
			return rule_fail(parser, value.p, "more than %d words", WORDS_MAX);
		more = rule_split(value, ',', &words->word[words->count], &value);
	}
	return true;
}

static bool is_name(struct rule_word word)
{
	if (!word.len || (!isalpha((unsigned char)word.p[0]) && word.p[0] != '_'))
		return false;
	for (size_t i = 0; i < word.len; i++)
		if (!isalnum((unsigned char)word.p[i]) && !strchr("_-.", word.p[i]))
			return false;
	return true;
}

static size_t part_index(const struct rule_parser *parser)
{
	return (size_t)(parser->part - parser->rule.parts);
}

/* The open part's variable of that name, 0: it has none; `others`: the first of another part. */
static uint8_t variable_of(const struct rule_parser *parser, struct rule_word name, uint8_t *others)
{
	*others = 0;
	for (uint8_t i = 0; i < parser->names_count; i++) {
		if (!rule_word_is(name, parser->names[i].text))
			continue;
		if (parser->names[i].part == part_index(parser))
			return (uint8_t)(i + 1);
		*others = *others ? *others : (uint8_t)(i + 1);
	}
	return 0;
}

uint8_t rule_variable_find(struct rule_parser *parser, struct rule_word name)
{
	uint8_t others, own = variable_of(parser, name, &others);

	if (!own && others)
		rule_fail(parser, name.p,
			  "'%.*s' is a number of another buffer, which is looked at by itself",
			  (int)name.len, name.p);
	return own ? own : others;
}

static bool variable_add(struct rule_parser *parser, struct rule_word name, uint8_t *var)
{
	uint8_t others;

	if (!is_name(name))
		return rule_fail(parser, name.p, "expected a name for the number");
	*var = variable_of(parser, name, &others);
	if (*var) /* a name may be given anew */
		return true;
	if (parser->names_count == RULESET_VARIABLES)
		return rule_fail(parser, name.p, "more than %d names for numbers in one rule",
				 RULESET_VARIABLES);
	parser->names[parser->names_count].text =
		arena_copy(&parser->list->arena, name.p, name.len);
	parser->names[parser->names_count].part = part_index(parser);
	*var = ++parser->names_count;
	return true;
}

/* Decimal, 0x hex or 0 octal, as C writes them. */
static bool read_unsigned(struct rule_word word, uint64_t max, uint64_t *out)
{
	char text[32], *end;

	if (!word.len || word.len >= sizeof(text) || !isdigit((unsigned char)word.p[0]))
		return false;
	memcpy(text, word.p, word.len);
	text[word.len] = '\0';
	errno = 0;
	*out = strtoull(text, &end, 0);
	return !*end && !errno && *out <= max;
}

/* A number or a name. */
static bool read_operand(struct rule_parser *parser, struct rule_word word, const char *what,
			 uint64_t max, uint64_t *value, uint8_t *var)
{
	if (read_unsigned(word, max, value))
		return true;
	*var = is_name(word) ? rule_variable_find(parser, word) : 0;
	if (*var)
		return !parser->failed;
	return rule_fail(
		parser, word.p, "%s: expected a number%s, found '%.*s'", what,
		is_name(word) ? " or a name that byte_extract or byte_math has given before" : "",
		(int)word.len, word.p);
}

static bool read_offset(struct rule_parser *parser, struct rule_word word, struct ruleset_number *n)
{
	uint64_t unused;
	int64_t offset;

	if (rule_number(word, -65535, 65535, &offset)) {
		n->offset = (int32_t)offset;
		return true;
	}
	return read_operand(parser, word, "offset", 0, &unused, &n->offset_var);
}

static bool read_count(struct rule_parser *parser, struct rule_word word, struct ruleset_number *n)
{
	uint64_t count = 0;

	if (!read_operand(parser, word, "number of bytes", RULESET_NUMBER_BYTES, &count,
			  &n->count_var))
		return false;
	n->count = (uint8_t)count;
	return true;
}

static bool word_is_nocase(struct rule_word word, const char *text)
{
	return strlen(text) == word.len && !strncasecmp(word.p, text, word.len);
}

/* "key value" */
static bool keyed(struct rule_word word, const char *key, struct rule_word *value)
{
	struct rule_word head, tail;

	if (!rule_split(word, ' ', &head, &tail) || !word_is_nocase(head, key))
		return false;
	*value = rule_trim(tail);
	return true;
}

static bool read_base(struct rule_parser *parser, struct rule_word word, struct ruleset_number *n)
{
	static const struct {
		const char *name;
		uint8_t base;
	} bases[] = {{"hex", 16}, {"dec", 10}, {"oct", 8}};

	for (size_t i = 0; i < 3; i++) {
		if (word_is_nocase(word, bases[i].name)) {
			n->base = bases[i].base;
			return true;
		}
	}
	return rule_fail(parser, word.p, "string: expected hex, dec or oct");
}

static bool read_mask(struct rule_parser *parser, struct rule_word word, struct ruleset_number *n,
		      int base)
{
	char text[32] = "", *end;

	if (word.len && word.len < sizeof(text) && isxdigit((unsigned char)word.p[0])) {
		memcpy(text, word.p, word.len);
		n->mask = strtoull(text, &end, base);
		if (!*end && n->mask && n->mask <= UINT32_MAX)
			return true;
	}
	return rule_fail(parser, word.p, "bitmask: expected a number that is not 0");
}

/* What all four may say of the number; false and nothing said: it is none of these. */
static bool common_word(struct rule_parser *parser, struct rule_step *step, struct rule_word word,
			bool *taken)
{
	struct ruleset_number *n = &step->number;
	struct rule_word value;

	*taken = true;
	if (word_is_nocase(word, "relative"))
		step->relative = true;
	else if (word_is_nocase(word, "big"))
		n->flags &= (uint8_t)~RULE_NUMBER_LITTLE;
	else if (word_is_nocase(word, "little"))
		n->flags |= RULE_NUMBER_LITTLE;
	else if (word_is_nocase(word, "string"))
		n->flags |= RULE_NUMBER_STRING;
	else if (word_is_nocase(word, "hex") || word_is_nocase(word, "dec") ||
		 word_is_nocase(word, "oct"))
		return read_base(parser, word, n);
	else if (word_is_nocase(word, "dce"))
		return rule_fail(parser, word.p, "dce: there is no DCERPC in mail and calls");
	else if (keyed(word, "bitmask", &value) && step->kind != RULE_STEP_EXTRACT)
		return read_mask(parser, value, n, step->kind == RULE_STEP_MATH ? 16 : 0);
	else
		*taken = false;
	return true;
}

static bool unknown_word(struct rule_parser *parser, struct rule_word word)
{
	return rule_fail(parser, word.p, "'%.*s' can't be honoured here", (int)word.len, word.p);
}

/* How many bytes a number can have. */
static bool check_count(struct rule_parser *parser, struct rule_word keyword,
			const struct rule_step *step)
{
	const struct ruleset_number *n = &step->number;
	bool string = n->flags & RULE_NUMBER_STRING;
	unsigned max = !string                                           ? 8
		       : step->kind != RULE_STEP_EXTRACT || n->base == 8 ? 23
		       : n->base == 16                                   ? 14
									 : 20;
	unsigned min = step->kind == RULE_STEP_JUMP && !string ? 0 : 1;

	if (n->base && !string)
		return rule_fail(parser, keyword.p, "'%.*s': hex, dec and oct are of a string",
				 (int)keyword.len, keyword.p);
	if (!n->count_var && (n->count > max || n->count < min))
		return rule_fail(parser, keyword.p, "'%.*s' reads %u to %u bytes%s",
				 (int)keyword.len, keyword.p, min, max,
				 string ? " of a string" : "; of digits with 'string'");
	return true;
}

static struct rule_step *number_step(struct rule_parser *parser, struct rule_word keyword,
				     struct rule_word value, enum ruleset_step_kind kind,
				     size_t min, const char *form, struct words *words)
{
	struct rule_step *step = rule_add_step(parser, keyword, kind);

	if (!step || !split_words(parser, value, words))
		return NULL;
	step->number.multiplier = 1;
	if (words->count >= min)
		return step;
	rule_fail(parser, value.p, "expected %.*s:%s", (int)keyword.len, keyword.p, form);
	return NULL;
}

static bool read_test_op(struct rule_parser *parser, struct rule_word word, struct rule_step *step)
{
	static const struct {
		const char *name;
		uint8_t op;
	} ops[] = {{"=", RULE_OP_EQUAL},       {"<", RULE_OP_LESS}, {">", RULE_OP_GREATER},
		   {"<=", RULE_OP_LESS_EQUAL}, {"&", RULE_OP_AND},  {">=", RULE_OP_GREATER_EQUAL},
		   {"^", RULE_OP_XOR},         {"", RULE_OP_EQUAL}};
	struct rule_word op = word;

	if (op.len && op.p[0] == '!') {
		step->negated = true;
		op = rule_trim((struct rule_word){op.p + 1, op.len - 1});
	}
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (rule_word_is(op, ops[i].name) && (op.len || step->negated)) {
			step->number.op = ops[i].op;
			return true;
		}
	}
	return rule_fail(parser, word.p, "expected an operator: = < > <= >= & ^, or ! before one");
}

bool rule_option_byte_test(struct rule_parser *parser, struct rule_word keyword,
			   struct rule_word value)
{
	struct words w;
	struct rule_step *step = number_step(parser, keyword, value, RULE_STEP_TEST, 4,
					     "BYTES,OPERATOR,VALUE,OFFSET[,relative][,little]"
					     "[,string,hex|dec|oct][,bitmask MASK]",
					     &w);
	bool taken;

	if (!step || !read_count(parser, w.word[0], &step->number) ||
	    !read_test_op(parser, w.word[1], step) ||
	    !read_operand(parser, w.word[2], "value", UINT64_MAX, &step->number.value,
			  &step->number.value_var) ||
	    !read_offset(parser, w.word[3], &step->number))
		return false;
	for (size_t i = 4; i < w.count; i++) {
		if (!common_word(parser, step, w.word[i], &taken))
			return false;
		if (!taken)
			return unknown_word(parser, w.word[i]);
	}
	return check_count(parser, keyword, step);
}

/* What only a jump says. */
static bool jump_word(struct rule_parser *parser, struct rule_word word, struct ruleset_number *n)
{
	struct rule_word value;
	int64_t number;

	if (word_is_nocase(word, "align")) {
		n->align = 4;
	} else if (word_is_nocase(word, "from_beginning")) {
		n->flags |= RULE_NUMBER_FROM_START;
	} else if (word_is_nocase(word, "from_end")) {
		n->flags |= RULE_NUMBER_FROM_END;
	} else if (keyed(word, "multiplier", &value)) {
		if (!rule_number(value, 1, 65535, &number))
			return rule_fail(parser, value.p, "multiplier: expected 1 to 65535");
		n->multiplier = (uint32_t)number;
	} else if (keyed(word, "post_offset", &value)) {
		if (!rule_number(value, -65535, 65535, &number))
			return rule_fail(parser, value.p, "post_offset: expected -65535 to 65535");
		n->post = (int32_t)number;
	} else {
		return unknown_word(parser, word);
	}
	if ((n->flags & RULE_NUMBER_FROM_START) && (n->flags & RULE_NUMBER_FROM_END))
		return rule_fail(parser, word.p, "from_beginning and from_end");
	return true;
}

bool rule_option_byte_jump(struct rule_parser *parser, struct rule_word keyword,
			   struct rule_word value)
{
	struct words w;
	struct rule_step *step = number_step(
		parser, keyword, value, RULE_STEP_JUMP, 2,
		"BYTES,OFFSET[,relative][,multiplier N][,little][,string,hex|dec|oct][,align]"
		"[,from_beginning][,from_end][,post_offset N][,bitmask MASK]",
		&w);
	bool taken;

	if (!step || !read_count(parser, w.word[0], &step->number) ||
	    !read_offset(parser, w.word[1], &step->number))
		return false;
	for (size_t i = 2; i < w.count; i++) {
		if (!common_word(parser, step, w.word[i], &taken) ||
		    (!taken && !jump_word(parser, w.word[i], &step->number)))
			return false;
	}
	return check_count(parser, keyword, step);
}

static bool extract_word(struct rule_parser *parser, struct rule_word word,
			 struct ruleset_number *n)
{
	struct rule_word value;
	int64_t number;

	if (keyed(word, "multiplier", &value)) {
		if (!rule_number(value, 1, 65535, &number))
			return rule_fail(parser, value.p, "multiplier: expected 1 to 65535");
		n->multiplier = (uint32_t)number;
		return true;
	}
	if (keyed(word, "align", &value)) {
		if (!rule_word_is(value, "2") && !rule_word_is(value, "4"))
			return rule_fail(parser, value.p, "align: expected 2 or 4");
		n->align = (uint8_t)(value.p[0] - '0');
		return true;
	}
	return unknown_word(parser, word);
}

bool rule_option_byte_extract(struct rule_parser *parser, struct rule_word keyword,
			      struct rule_word value)
{
	struct words w;
	struct rule_step *step = number_step(parser, keyword, value, RULE_STEP_EXTRACT, 3,
					     "BYTES,OFFSET,NAME[,relative][,multiplier N][,little]"
					     "[,string,hex|dec|oct][,align 2|4]",
					     &w);
	bool taken;

	if (!step || !read_count(parser, w.word[0], &step->number) ||
	    !read_offset(parser, w.word[1], &step->number))
		return false;
	for (size_t i = 3; i < w.count; i++) {
		if (!common_word(parser, step, w.word[i], &taken) ||
		    (!taken && !extract_word(parser, w.word[i], &step->number)))
			return false;
	}
	return check_count(parser, keyword, step) &&
	       variable_add(parser, w.word[2], &step->number.result);
}

static bool read_math_op(struct rule_parser *parser, struct rule_word word,
			 struct ruleset_number *n)
{
	static const char *const ops[] = {"+", "-", "*", "/", "<<", ">>"};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (rule_word_is(word, ops[i])) {
			n->op = (uint8_t)(RULE_OP_ADD + i);
			return true;
		}
	}
	return rule_fail(parser, word.p, "oper: expected + - * / << or >>");
}

/* Every word of byte_math has a key. */
static bool math_word(struct rule_parser *parser, struct rule_step *step, struct rule_word word,
		      unsigned *given, struct rule_word *result)
{
	struct ruleset_number *n = &step->number;
	struct rule_word value;
	bool taken;

	if (keyed(word, "bytes", &value)) {
		*given |= 1;
		return read_count(parser, value, n);
	}
	if (keyed(word, "offset", &value)) {
		*given |= 2;
		return read_offset(parser, value, n);
	}
	if (keyed(word, "oper", &value)) {
		*given |= 4;
		return read_math_op(parser, value, n);
	}
	if (keyed(word, "rvalue", &value)) {
		*given |= 8;
		return read_operand(parser, value, "rvalue", UINT32_MAX, &n->value, &n->value_var);
	}
	if (keyed(word, "result", result)) {
		*given |= 16;
		return true;
	}
	if (keyed(word, "string", &value)) {
		n->flags |= RULE_NUMBER_STRING;
		return read_base(parser, value, n);
	}
	if (keyed(word, "endian", &value))
		word = value;
	return common_word(parser, step, word, &taken) && (taken || unknown_word(parser, word));
}

bool rule_option_byte_math(struct rule_parser *parser, struct rule_word keyword,
			   struct rule_word value)
{
	static const char form[] = "bytes N, offset N, oper +|-|*|/|<<|>>, rvalue N, result NAME"
				   "[, relative][, endian little][, string hex|dec|oct]"
				   "[, bitmask MASK]";
	struct words w;
	struct rule_word result = {0};
	struct rule_step *step = number_step(parser, keyword, value, RULE_STEP_MATH, 5, form, &w);
	unsigned given = 0;

	if (!step)
		return false;
	for (size_t i = 0; i < w.count; i++)
		if (!math_word(parser, step, w.word[i], &given, &result))
			return false;
	if (given != 31)
		return rule_fail(parser, value.p, "expected byte_math:%s", form);
	return check_count(parser, keyword, step) &&
	       variable_add(parser, result, &step->number.result);
}
