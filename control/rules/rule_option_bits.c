/* SPDX-License-Identifier: BSD-3-Clause */
/* flowbits and xbits. */
#include <string.h>

#include "control/rules/rule_parse.h"

#define NAME_MAX_LEN   64
#define EXPIRE_DEFAULT 30 /* s, as in Suricata */
#define EXPIRE_MAX     (31 * 86400)

struct rule_condition *rule_add_condition(struct rule_parser *parser, struct rule_word keyword,
					  enum ruleset_condition_kind kind)
{
	struct rule *rule = &parser->rule;
	struct rule_condition *c;

	rule->conditions = arena_grow(&parser->list->arena, rule->conditions,
				      rule->conditions_count, &rule->conditions_capacity,
				      sizeof(*rule->conditions));
	c = &rule->conditions[rule->conditions_count++];
	memset(c, 0, sizeof(*c));
	c->kind = kind;
	c->place = rule_place_of(&parser->line, keyword.p);
	return c;
}

static bool read_op(struct rule_parser *parser, struct rule_word word, uint8_t *op)
{
	static const char *const ops[] = {[RULE_BIT_SET] = "set",
					  [RULE_BIT_UNSET] = "unset",
					  [RULE_BIT_TOGGLE] = "toggle",
					  [RULE_BIT_ISSET] = "isset",
					  [RULE_BIT_ISNOTSET] = "isnotset"};

	for (uint8_t i = 0; i < RULE_BIT_OPS; i++) {
		if (rule_word_is(word, ops[i])) {
			*op = i;
			return true;
		}
	}
	return rule_fail(parser, word.p,
			 "expected set, unset, toggle, isset, isnotset or noalert, found '%.*s'",
			 (int)word.len, word.p);
}

static bool read_name(struct rule_parser *parser, struct rule_word word, const char **name)
{
	if (!word.len || word.len > NAME_MAX_LEN || memchr(word.p, ' ', word.len))
		return rule_fail(parser, word.p,
				 "expected a name of up to %d bytes, without blanks", NAME_MAX_LEN);
	*name = arena_copy(&parser->list->arena, word.p, word.len);
	return true;
}

bool rule_option_flowbits(struct rule_parser *parser, struct rule_word keyword,
			  struct rule_word value)
{
	struct rule_word word, names;
	struct rule_condition *c;
	bool more = true, asks;

	rule_split(value, ',', &word, &names);
	if (rule_word_is(word, "noalert") && !names.len) {
		parser->rule.noalert = true;
		return true;
	}
	c = rule_add_condition(parser, keyword, RULE_ON_FLOWBITS);
	if (!read_op(parser, word, &c->op))
		return false;
	asks = c->op == RULE_BIT_ISSET || c->op == RULE_BIT_ISNOTSET;
	while (more) {
		if (c->names_count == RULE_NAMES_MAX)
			return rule_fail(parser, names.p, "more than %d names", RULE_NAMES_MAX);
		more = rule_split(names, '|', &word, &names);
		if (!read_name(parser, word, &c->names[c->names_count++]))
			return false;
		if (more && !asks)
			return rule_fail(parser, names.p,
					 "flowbits: a list of names is for isset and isnotset");
	}
	return true;
}

static bool read_track(struct rule_parser *parser, struct rule_word word, uint8_t *track)
{
	static const struct {
		const char *name;
		uint8_t track;
	} tracks[] = {{"ip_src", RULE_TRACK_SRC},
		      {"ip_dst", RULE_TRACK_DST},
		      {"ip_pair", RULE_TRACK_PAIR},
		      {"tenant", RULE_TRACK_TENANT}};

	for (size_t i = 0; i < sizeof(tracks) / sizeof(tracks[0]); i++) {
		if (rule_word_is(word, tracks[i].name)) {
			*track = tracks[i].track;
			return true;
		}
	}
	if (rule_word_is(word, "tx"))
		return rule_fail(parser, word.p,
				 "xbits: a transaction is one rule's: name its buffers in one");
	return rule_fail(parser, word.p,
			 "xbits: track: expected ip_src, ip_dst, ip_pair or tenant");
}

/* "track ip_src", "expire 60" */
static bool xbits_word(struct rule_parser *parser, struct rule_word word, struct rule_condition *c,
		       bool *tracked)
{
	struct rule_word key, rest;
	int64_t n;

	rule_split(word, ' ', &key, &rest);
	rest = rule_trim(rest);
	if (rule_word_is(key, "track")) {
		*tracked = true;
		return read_track(parser, rest, &c->track);
	}
	if (!rule_word_is(key, "expire"))
		return rule_fail(parser, word.p, "xbits: expected track or expire, found '%.*s'",
				 (int)word.len, word.p);
	if (!rule_number(rest, 1, EXPIRE_MAX, &n))
		return rule_fail(parser, rest.p, "expire: expected seconds from 1 to %d",
				 EXPIRE_MAX);
	c->seconds = (uint32_t)n;
	return true;
}

bool rule_option_xbits(struct rule_parser *parser, struct rule_word keyword, struct rule_word value)
{
	struct rule_word word, rest = value;
	struct rule_condition *c;
	bool tracked = false;

	rule_split(rest, ',', &word, &rest);
	if (rule_word_is(word, "noalert") && !rest.len) {
		parser->rule.noalert = true;
		return true;
	}
	c = rule_add_condition(parser, keyword, RULE_ON_XBITS);
	c->names_count = 1;
	c->seconds = EXPIRE_DEFAULT;
	if (!read_op(parser, word, &c->op))
		return false;
	rule_split(rest, ',', &word, &rest);
	if (!read_name(parser, word, &c->names[0]))
		return false;
	while (rest.len) {
		rule_split(rest, ',', &word, &rest);
		if (!xbits_word(parser, word, c, &tracked))
			return false;
	}
	return tracked || rule_fail(parser, value.p,
				    "xbits: track ip_src, ip_dst, ip_pair or "
				    "tenant is missing");
}
