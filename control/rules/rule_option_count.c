/* SPDX-License-Identifier: BSD-3-Clause */
/* threshold, detection_filter and rate_filter. */
#include <string.h>

#include "bpf/reason.h"
#include "control/rules/rule_parse.h"

#define COUNT_MAX       1000000
#define SECONDS_MAX     (31 * 86400)
#define BACKOFF_SECONDS 3600 /* that a backoff counts on, where it says nothing */

static bool read_type(struct rule_parser *parser, struct rule_word word, uint8_t *type)
{
	static const char *const types[] = {[RULE_COUNT_LIMIT] = "limit",
					    [RULE_COUNT_THRESHOLD] = "threshold",
					    [RULE_COUNT_BOTH] = "both",
					    [RULE_COUNT_FILTER] = "",
					    [RULE_COUNT_BACKOFF] = "backoff"};

	for (uint8_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (word.len && rule_word_is(word, types[i])) {
			*type = i;
			return true;
		}
	}
	return rule_fail(parser, word.p,
			 "threshold: type: expected limit, threshold, both or backoff");
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

enum {
	HAS_TYPE = 1,
	HAS_TRACK = 2,
	HAS_COUNT = 4,
	HAS_SECONDS = 8,
	HAS_MULTIPLIER = 16,
	HAS_ACTION = 32,
	HAS_TIMEOUT = 64
};

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

static bool read_action(struct rule_parser *parser, struct rule_word word, uint8_t *action)
{
	for (int v = 0; v < VERDICT_COUNT; v++) {
		if (rule_word_is(word, verdict_name((enum verdict)v))) {
			*action = (uint8_t)v;
			return true;
		}
	}
	return rule_fail(parser, word.p, "new_action: expected pass, alert, drop or reject");
}

/* Of rate_filter and of backoff alone. */
static bool special_word(struct rule_parser *parser, struct rule_word key, struct rule_word value,
			 struct rule_condition *c, unsigned *has, bool *found)
{
	bool rate = c->kind == RULE_ON_RATE;

	*found = true;
	if (!rate && rule_word_is(key, "multiplier") && !(*has & HAS_MULTIPLIER)) {
		*has |= HAS_MULTIPLIER;
		return read_amount(parser, key, value, COUNT_MAX, &c->extra);
	}
	if (rate && rule_word_is(key, "new_action") && !(*has & HAS_ACTION)) {
		*has |= HAS_ACTION;
		return read_action(parser, value, &c->op);
	}
	if (rate && rule_word_is(key, "timeout") && !(*has & HAS_TIMEOUT)) {
		*has |= HAS_TIMEOUT;
		return read_amount(parser, key, value, SECONDS_MAX, &c->extra);
	}
	*found = false;
	return false;
}

static bool count_word(struct rule_parser *parser, struct rule_word word, struct rule_condition *c,
		       unsigned *has)
{
	struct rule_word key, value;
	bool found, ok;

	rule_split(word, ' ', &key, &value);
	value = rule_trim(value);
	ok = special_word(parser, key, value, c, has, &found);
	if (found)
		return ok;
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
		return rule_fail(
			parser, key.p,
			"unique_on: of Suricata 9, and ports of mail and calls say nothing");
	return rule_fail(parser, key.p, "'%.*s' can't be honoured here", (int)word.len, word.p);
}

/* Everything that there must be, and nothing else. */
static bool check_words(struct rule_parser *parser, const char *at, struct rule_condition *c,
			unsigned has)
{
	const unsigned all = HAS_TRACK | HAS_COUNT | HAS_SECONDS;

	if (c->kind == RULE_ON_RATE)
		return has == (all | HAS_ACTION | HAS_TIMEOUT) ||
		       rule_fail(parser, at,
				 "expected track BY, count N, seconds N, new_action ACTION, "
				 "timeout N");
	if (c->op == RULE_COUNT_BACKOFF) {
		if (!(has & HAS_SECONDS))
			c->seconds = BACKOFF_SECONDS;
		return (has | HAS_SECONDS) == (all | HAS_TYPE | HAS_MULTIPLIER) ||
		       rule_fail(parser, at,
				 "expected type backoff, track BY, count N, multiplier N");
	}
	return has == (all | HAS_TYPE) ||
	       rule_fail(parser, at, "expected %strack BY, count N, seconds N",
			 c->op == RULE_COUNT_FILTER ? "" : "type TYPE, ");
}

/* Without a type: detection_filter. */
static bool read_count(struct rule_parser *parser, struct rule_word keyword, struct rule_word value,
		       enum ruleset_condition_kind kind, bool typed)
{
	struct rule_condition *c = rule_add_condition(parser, keyword, kind);
	unsigned has = typed || kind == RULE_ON_RATE ? 0 : HAS_TYPE;
	struct rule_word word, rest = value;

	if (kind == RULE_ON_COUNT)
		c->op = typed ? RULE_COUNT_LIMIT : RULE_COUNT_FILTER;
	while (rest.len) {
		rule_split(rest, ',', &word, &rest);
		if (!count_word(parser, word, c, &has))
			return false;
	}
	for (size_t i = 0; i + 1 < parser->rule.conditions_count; i++)
		if (parser->rule.conditions[i].kind == kind)
			return rule_fail(parser, keyword.p,
					 kind == RULE_ON_RATE
						 ? "a rule has one rate_filter"
						 : "a rule has one threshold or detection_filter");
	return check_words(parser, value.p, c, has);
}

bool rule_option_threshold(struct rule_parser *parser, struct rule_word keyword,
			   struct rule_word value)
{
	return read_count(parser, keyword, value, RULE_ON_COUNT, true);
}

bool rule_option_detection_filter(struct rule_parser *parser, struct rule_word keyword,
				  struct rule_word value)
{
	return read_count(parser, keyword, value, RULE_ON_COUNT, false);
}

bool rule_option_rate_filter(struct rule_parser *parser, struct rule_word keyword,
			     struct rule_word value)
{
	return read_count(parser, keyword, value, RULE_ON_RATE, false);
}
