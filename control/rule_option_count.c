/* SPDX-License-Identifier: BSD-3-Clause */
/* threshold and detection_filter. */
#include <string.h>

#include "control/rule_parse.h"

#define COUNT_MAX   1000000
#define SECONDS_MAX (31 * 86400)

static bool read_type(struct rule_parser *parser, struct rule_word word, uint8_t *type)
{
	static const char *const types[] = {[RULE_COUNT_LIMIT] = "limit",
					    [RULE_COUNT_THRESHOLD] = "threshold",
					    [RULE_COUNT_BOTH] = "both"};

	for (uint8_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (rule_word_is(word, types[i])) {
			*type = i;
			return true;
		}
	}
	if (rule_word_is(word, "backoff"))
		return rule_fail(parser, word.p,
				 "threshold: backoff is about packets of one flow: a rule alerts "
				 "once a transaction here; write type limit, track by_flow");
	return rule_fail(parser, word.p, "threshold: type: expected limit, threshold or both");
}

static bool read_track(struct rule_parser *parser, struct rule_word word, uint8_t *track)
{
	static const struct {
		const char *name;
		uint8_t track;
	} tracks[] = {{"by_src", RULE_TRACK_SRC},   {"by_dst", RULE_TRACK_DST},
		      {"by_both", RULE_TRACK_BOTH}, {"by_rule", RULE_TRACK_RULE},
		      {"by_flow", RULE_TRACK_FLOW}, {"by_tenant", RULE_TRACK_TENANT}};

	for (size_t i = 0; i < sizeof(tracks) / sizeof(tracks[0]); i++) {
		if (rule_word_is(word, tracks[i].name)) {
			*track = tracks[i].track;
			return true;
		}
	}
	return rule_fail(parser, word.p,
			 "track: expected by_src, by_dst, by_both, by_rule, by_flow or by_tenant");
}

enum { HAS_TYPE = 1, HAS_TRACK = 2, HAS_COUNT = 4, HAS_SECONDS = 8 };

static bool read_amount(struct rule_parser *parser, struct rule_word key, struct rule_word value,
			int64_t max, uint32_t *out)
{
	int64_t n;

	if (!rule_number(value, 1, max, &n))
		return rule_fail(parser, value.p, "%.*s: expected a number from 1 to %lld",
				 (int)key.len, key.p, (long long)max);
	*out = (uint32_t)n;
	return true;
}

static bool count_word(struct rule_parser *parser, struct rule_word word, struct rule_condition *c,
		       unsigned *has)
{
	struct rule_word key, value;

	rule_split(word, ' ', &key, &value);
	value = rule_trim(value);
	if (rule_word_is(key, "type") && !(*has & HAS_TYPE)) {
		*has |= HAS_TYPE;
		return read_type(parser, value, &c->op);
	}
	if (rule_word_is(key, "track") && !(*has & HAS_TRACK)) {
		*has |= HAS_TRACK;
		return read_track(parser, value, &c->track);
	}
	if (rule_word_is(key, "count") && !(*has & HAS_COUNT)) {
		*has |= HAS_COUNT;
		return read_amount(parser, key, value, COUNT_MAX, &c->count);
	}
	if (rule_word_is(key, "seconds") && !(*has & HAS_SECONDS)) {
		*has |= HAS_SECONDS;
		return read_amount(parser, key, value, SECONDS_MAX, &c->seconds);
	}
	if (rule_word_is(key, "unique_on"))
		return rule_fail(parser, key.p, "unique_on: ports of mail and calls say nothing");
	return rule_fail(parser, key.p, "'%.*s' can't be honoured here", (int)word.len, word.p);
}

/* Without a type: detection_filter. */
static bool read_count(struct rule_parser *parser, struct rule_word keyword, struct rule_word value,
		       bool filter)
{
	struct rule_condition *c = rule_add_condition(parser, keyword, RULE_ON_COUNT);
	unsigned has = filter ? HAS_TYPE : 0;
	struct rule_word word, rest = value;

	c->op = RULE_COUNT_FILTER;
	while (rest.len) {
		rule_split(rest, ',', &word, &rest);
		if (!count_word(parser, word, c, &has))
			return false;
	}
	for (size_t i = 0; i + 1 < parser->rule.conditions_count; i++)
		if (parser->rule.conditions[i].kind == RULE_ON_COUNT)
			return rule_fail(parser, keyword.p,
					 "a rule has one threshold or detection_filter");
	if (has != (HAS_TYPE | HAS_TRACK | HAS_COUNT | HAS_SECONDS))
		return rule_fail(parser, value.p, "expected %strack BY, count N, seconds N",
				 filter ? "" : "type TYPE, ");
	return true;
}

bool rule_option_threshold(struct rule_parser *parser, struct rule_word keyword,
			   struct rule_word value)
{
	return read_count(parser, keyword, value, false);
}

bool rule_option_detection_filter(struct rule_parser *parser, struct rule_word keyword,
				  struct rule_word value)
{
	return read_count(parser, keyword, value, true);
}
