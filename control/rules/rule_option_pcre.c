/* SPDX-License-Identifier: BSD-3-Clause */
/* pcre. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "control/rules/rule_parse.h"

/* The flags after the closing slash. */
static bool read_flags(struct rule_parser *parser, struct rule_word flags, struct rule_step *step)
{
	static const struct {
		char flag;
		uint32_t option;
	} known[] = {
		{'i', PCRE2_CASELESS},
		{'s', PCRE2_DOTALL},
		{'m', PCRE2_MULTILINE},
		{'x', PCRE2_EXTENDED},
		{'A', PCRE2_ANCHORED},
		{'G', PCRE2_UNGREEDY},
		{'R', 0},
		{'E', PCRE2_DOLLAR_ENDONLY},
	};

	for (size_t f = 0; f < flags.len; f++) {
		size_t i;

		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (known[i].flag == flags.p[f])
				break;
		if (i == sizeof(known) / sizeof(known[0]))
			return rule_fail(
				parser, flags.p + f,
				"pcre: flag '%c' can't be honoured: expected i s m x A E G "
				"R; a buffer is named by its keyword, before the pcre",
				flags.p[f]);
		step->pcre_options |= known[i].option;
		step->relative |= flags.p[f] == 'R';
	}
	return true;
}

/* PCRE2 itself says whether it is an expression, and where not. */
static bool check_expression(struct rule_parser *parser, const char *at, struct rule_step *step)
{
	PCRE2_UCHAR words[160];
	PCRE2_SIZE where;
	pcre2_code *code;
	int error, jit;

	code = pcre2_compile((PCRE2_SPTR)step->text, step->len, step->pcre_options, &error, &where,
			     NULL);
	if (!code) {
		pcre2_get_error_message(error, words, sizeof(words));
		return rule_fail(parser, at + (where < step->len ? where : step->len), "pcre: %s",
				 (const char *)words);
	}
	jit = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	pcre2_code_free(code);
	if (jit != 0)
		return rule_fail(parser, at,
				 "pcre: it can't be compiled to machine code, and the gate "
				 "interprets none");
	return true;
}

bool rule_option_pcre(struct rule_parser *parser, struct rule_word keyword, struct rule_word value)
{
	struct rule_word inner = {0};
	struct rule_step *step;
	const char *slash;
	bool negated;

	if (!rule_unquote(parser, value, &negated, &inner))
		return false;
	slash = inner.len ? memrchr(inner.p + 1, '/', inner.len - 1) : NULL;
	if (!slash || inner.p[0] != '/')
		return rule_fail(parser, inner.p, "pcre: expected \"/expression/flags\"");
	step = rule_add_step(parser, keyword, RULE_STEP_PCRE);
	if (!step)
		return false;
	step->negated = negated;
	step->len = (size_t)(slash - inner.p - 1);
	step->text = arena_copy(&parser->list->arena, inner.p + 1, step->len);
	return read_flags(parser,
			  (struct rule_word){slash + 1, inner.len - (size_t)(slash + 1 - inner.p)},
			  step) &&
	       check_expression(parser, inner.p + 1, step);
}
