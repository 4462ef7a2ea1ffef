/* SPDX-License-Identifier: BSD-3-Clause */
/* What is made of a buffer before it is looked at. */
#include <string.h>

#include "control/rule_parse.h"

static enum rule_transform transform_find(struct rule_word name)
{
	static const char *const names[] = {
#define X(id, text, doc) [RULE_TRANSFORM_##id] = text,
		RULE_TRANSFORMS(X)
#undef X
	};
	unsigned i;

	for (i = 0; i < RULE_TRANSFORM_COUNT && !rule_word_is(name, names[i]); i++)
		;
	return (enum rule_transform)i;
}

static bool hashes(enum rule_transform transform)
{
	return transform == RULE_TRANSFORM_TO_MD5 || transform == RULE_TRANSFORM_TO_SHA1 ||
	       transform == RULE_TRANSFORM_TO_SHA256;
}

bool rule_option_transform(struct rule_parser *parser, struct rule_word keyword,
			   struct rule_word value)
{
	enum rule_transform transform = transform_find(keyword);

	if (!parser->part || !parser->fresh)
		return rule_fail(parser, keyword.p,
				 "'%.*s' stands right after the buffer that it transforms",
				 (int)keyword.len, keyword.p);
	if (parser->part->count) /* the buffer as it is has conditions already */
		rule_split_part(parser);
	if (rule_part_streams(parser->part) && !hashes(transform))
		return rule_fail(
			parser, keyword.p,
			"'%.*s' needs the buffer as a whole, and this one comes in pieces: "
			"only its hashes are made; nocase and an expression may do",
			(int)keyword.len, keyword.p);
	if (parser->part->transforms_count == RULESET_TRANSFORMS)
		return rule_fail(parser, keyword.p, "more than %d transforms of one buffer",
				 RULESET_TRANSFORMS);
	parser->part->transforms[parser->part->transforms_count++] = (uint8_t)transform;
	return true;
}
