/* SPDX-License-Identifier: BSD-3-Clause */
/* Suricata's older words for attachments: filename, fileext, filesize. */
#include <string.h>

#include "control/rules/rule_parse.h"

/* A part of its own, of the attachment that the rule's other words are about; no buffer is open
 * behind it, as in Suricata. */
static struct rule_step *file_step(struct rule_parser *parser, struct rule_word keyword,
				   enum rule_buffer buffer, enum ruleset_step_kind kind)
{
	struct rule_step *step;

	rule_add_part(parser, rule_place_of(&parser->line, keyword.p), buffer);
	parser->part->joins = true;
	parser->closed = false;
	step = rule_add_step(parser, keyword, kind);
	parser->part = NULL;
	parser->step = NULL;
	return step;
}

/* With quotes or without. */
static bool read_name(struct rule_parser *parser, struct rule_word value, struct rule_step *step)
{
	struct rule_word inner = value;

	if (!memchr(value.p, '"', value.len)) {
		step->negated = value.p[0] == '!';
		if (step->negated)
			inner = rule_trim((struct rule_word){value.p + 1, value.len - 1});
	} else if (!rule_unquote(parser, value, &step->negated, &inner)) {
		return false;
	}
	return rule_content_read(parser, inner, step);
}

bool rule_option_filename(struct rule_parser *parser, struct rule_word keyword,
			  struct rule_word value)
{
	struct rule_step *step =
		file_step(parser, keyword, RULE_BUFFER_FILE_NAME, RULE_STEP_CONTENT);
	char *text;

	step->nocase = true;
	if (!read_name(parser, value, step))
		return false;
	if (rule_word_is(keyword, "filename"))
		return true;
	step->endswith = true;
	if (step->text[0] == '.')
		return true;
	text = arena_alloc(&parser->list->arena, step->len + 2);
	text[0] = '.';
	memcpy(text + 1, step->text, step->len);
	step->text = text;
	step->len++;
	return true;
}

bool rule_option_filesize(struct rule_parser *parser, struct rule_word keyword,
			  struct rule_word value)
{
	struct rule_step *step = file_step(parser, keyword, RULE_BUFFER_FILE_DATA, RULE_STEP_SIZE);

	return rule_length_read(value, INT32_MAX - 1, step) ||
	       rule_fail(parser, value.p,
			 "filesize: expected N, <N, <=N, >N, >=N, N<>M, or ! before one; N up to "
			 "2 GB, or with KB, MB, GB");
}
