/* SPDX-License-Identifier: BSD-3-Clause */
/* What is not there: absent, none. Both are known when a mail or a message has come whole. */
#include "control/rules/rule_parse.h"

/* The part that the buffer before has opened, without conditions yet; NULL with a mistake said. */
static struct rule_part *fresh_part(struct rule_parser *parser, struct rule_word keyword)
{
	if (!parser->part || !parser->fresh) {
		rule_fail(parser, keyword.p,
			  "'%.*s' stands right after the buffer that it is about", (int)keyword.len,
			  keyword.p);
		return NULL;
	}
	if (parser->part->none || parser->part->absent) {
		rule_fail(parser, keyword.p, "absent and none of one buffer: name it twice");
		return NULL;
	}
	if (parser->part->count) /* the buffer as it is has conditions already */
		rule_split_part(parser);
	return parser->part;
}

bool rule_option_absent(struct rule_parser *parser, struct rule_word keyword,
			struct rule_word value)
{
	struct rule_part *part = fresh_part(parser, keyword);

	if (!part)
		return false;
	if (value.len && !rule_word_is(value, "or_else"))
		return rule_fail(parser, value.p, "absent: expected nothing, or or_else");
	part->absent = true;
	/* Nothing can be asked of what is not there. */
	parser->closed = !value.len;
	return true;
}

bool rule_option_none(struct rule_parser *parser, struct rule_word keyword, struct rule_word value)
{
	struct rule_part *part = fresh_part(parser, keyword);

	if (!part)
		return false;
	part->none = true;
	return true;
}
