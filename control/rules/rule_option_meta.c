/* SPDX-License-Identifier: BSD-3-Clause */
/* metadata and reference: what a rule says about itself, and what Postern reads from it. */
#include <ctype.h>
#include <string.h>

#include "control/rules/rule_parse.h"

#define REPLY_MAX 400 /* bytes; RFC 5321 4.5.3.1.5 gives a reply line 512 */
#define INFO_MAX  4096

static void add_info(struct rule_parser *parser, struct rule_word word)
{
	struct rule *rule = &parser->rule;
	size_t have = rule->info ? strlen(rule->info) : 0;

	if (have + word.len > INFO_MAX)
		return;
	rule->info = arena_printf(&parser->list->arena, "%s%s%.*s", have ? rule->info : "",
				  have ? ", " : "", (int)word.len, word.p);
}

bool rule_option_reference(struct rule_parser *parser, struct rule_word keyword,
			   struct rule_word value)
{
	add_info(parser, value);
	return true;
}

bool rule_option_target(struct rule_parser *parser, struct rule_word keyword,
			struct rule_word value)
{
	if (!rule_word_is(value, "src_ip") && !rule_word_is(value, "dest_ip"))
		return rule_fail(parser, value.p, "target: expected src_ip or dest_ip");
	add_info(parser, (struct rule_word){keyword.p, (size_t)(value.p + value.len - keyword.p)});
	return true;
}

bool rule_option_gid(struct rule_parser *parser, struct rule_word keyword, struct rule_word value)
{
	return rule_word_is(value, "1") ||
	       rule_fail(parser, value.p, "gid: rules have no groups here: a sid is unique");
}

/* "ddd[ d.d.d] words": what a client may be told. */
static bool check_reply(struct rule_parser *parser, const char *at, const char *reply)
{
	size_t len = strlen(reply);

	if (len > REPLY_MAX)
		return rule_fail(parser, at, "reply: longer than %d bytes", REPLY_MAX);
	for (size_t i = 0; i < len; i++)
		if (!isprint((unsigned char)reply[i]))
			return rule_fail(parser, at, "reply: printable ASCII only");
	if (len < 5 || reply[0] < '4' || reply[0] > '6' || !isdigit((unsigned char)reply[1]) ||
	    !isdigit((unsigned char)reply[2]) || reply[3] != ' ')
		return rule_fail(parser, at,
				 "reply: expected a code and words, such as \"550 5.7.1 Refused\" "
				 "or \"403 Forbidden\"");
	return true;
}

static bool read_reply(struct rule_parser *parser, struct rule_word value)
{
	parser->rule.reply_place = rule_place_of(&parser->line, value.p);
	return rule_text(parser, value, &parser->rule.reply) &&
	       check_reply(parser, value.p, parser->rule.reply);
}

static bool read_risk(struct rule_parser *parser, struct rule_word value)
{
	int64_t n;

	if (!rule_number(value, 0, 100, &n))
		return rule_fail(parser, value.p, "risk: expected points from 0 to 100");
	parser->rule.risk = (uint8_t)n;
	return true;
}

static bool read_keep(struct rule_parser *parser, struct rule_word key, struct rule_word value)
{
	int64_t n;

	if (!rule_number(value, RULESET_KEEP_MIN, RULESET_KEEP_MAX, &n))
		return rule_fail(parser, value.p, "keep: expected %d to %d bytes of a body",
				 RULESET_KEEP_MIN, RULESET_KEEP_MAX);
	parser->rule.keep = (uint16_t)n;
	parser->rule.keep_place = rule_place_of(&parser->line, key.p);
	return true;
}

static bool read_shadow(struct rule_parser *parser, struct rule_word value)
{
	if (!rule_word_is(value, "yes") && !rule_word_is(value, "no"))
		return rule_fail(parser, value.p, "shadow: expected yes or no");
	parser->rule.shadow = rule_word_is(value, "yes");
	return true;
}

/* Whose mail and calls the rule is about; of several one is enough. A tenant may be an id. */
static bool read_subject(struct rule_parser *parser, enum ruleset_condition_kind kind,
			 struct rule_word key, struct rule_word value)
{
	struct rule_condition *c;
	const char *text = NULL;
	int64_t id;

	if (!value.len)
		return rule_fail(parser, key.p, "%.*s: expected a name", (int)key.len, key.p);
	if (value.p[0] == '"' && !rule_text(parser, value, &text))
		return false;
	c = rule_add_condition(parser, key, kind);
	c->names_count = 1;
	c->names[0] = text ? text : arena_copy(&parser->list->arena, value.p, value.len);
	if (kind == RULE_ON_TENANT && !text && rule_number(value, 1, UINT32_MAX, &id))
		c->count = (uint32_t)id;
	return true;
}

static bool read_entry(struct rule_parser *parser, struct rule_word entry)
{
	struct rule_word key, value;

	entry = rule_trim(entry);
	if (!entry.len)
		return true;
	rule_split(entry, ' ', &key, &value);
	value = rule_trim(value);
	if (rule_word_is(key, "reply"))
		return read_reply(parser, value);
	if (rule_word_is(key, "risk"))
		return read_risk(parser, value);
	if (rule_word_is(key, "shadow"))
		return read_shadow(parser, value);
	if (rule_word_is(key, "keep"))
		return read_keep(parser, key, value);
	if (rule_word_is(key, "aup")) {
		if (!value.len)
			return rule_fail(parser, key.p, "aup: expected a row of the policy");
		parser->rule.aup = arena_copy(&parser->list->arena, value.p, value.len);
		return true;
	}
	if (rule_word_is(key, "tenant"))
		return read_subject(parser, RULE_ON_TENANT, key, value);
	if (rule_word_is(key, "tier"))
		return read_subject(parser, RULE_ON_TIER, key, value);
	add_info(parser, entry);
	return true;
}

/* Commas part entries, but not inside quotes. */
bool rule_option_metadata(struct rule_parser *parser, struct rule_word keyword,
			  struct rule_word value)
{
	const char *p = value.p, *end = value.p + value.len, *start = p;
	bool quoted = false, ok = true;

	for (; p < end; p++) {
		if (*p == '\\' && quoted && p + 1 < end)
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (*p == ',' && !quoted) {
			ok &= read_entry(parser, (struct rule_word){start, (size_t)(p - start)});
			start = p + 1;
		}
	}
	return read_entry(parser, (struct rule_word){start, (size_t)(end - start)}) && ok;
}
