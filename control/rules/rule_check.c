/* SPDX-License-Identifier: BSD-3-Clause */
/* What only the whole rule shows: missing words, buffers that never meet, contradictions. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "bpf/reason.h"
#include "control/rules/rule_parse.h"

#define CONDITIONS_MAX 64
#define STEPS_MAX      64 /* of a part: the matcher nests as deep */

static bool fail_at(struct rule_parser *parser, struct rule_place place, const char *message)
{
	rule_diag_add(parser->diags, RULE_ERROR, place, parser->rule.sid, "%s", message);
	parser->failed = true;
	return false;
}

static const struct rule_buffer_info *part_info(const struct rule_part *part)
{
	return &rule_buffers[part->buffer];
}

static bool check_family(struct rule_parser *parser)
{
	const struct rule *rule = &parser->rule;

	for (size_t i = 0; i < rule->parts_count; i++) {
		const struct rule_part *part = &rule->parts[i];
		uint8_t family = part_info(part)->family;

		if (family != part_info(&rule->parts[0])->family)
			return fail_at(parser, part->place,
				       "buffers of SMTP and of SIP never meet in one transaction");
		if (rule->proto == RULE_SMTP && family != BUFFER_SMTP)
			return fail_at(parser, part->place, "a rule on smtp has no buffer of SIP");
		if (rule->proto == RULE_SIP && family != BUFFER_SIP)
			return fail_at(parser, part->place,
				       "a rule on sip has no buffer of SMTP or of mail");
		if (rule->proto == RULE_UDP && family != BUFFER_SIP)
			return fail_at(parser, part->place, "there is no SMTP over UDP");
	}
	return true;
}

static bool check_direction(struct rule_parser *parser)
{
	const struct rule *rule = &parser->rule;
	const uint8_t ways = RULE_FLOW_TO_SERVER | RULE_FLOW_TO_CLIENT;
	bool client = false, server = false;

	if (rule->direction == RULE_TRANSACTION && (rule->flow & ways))
		return fail_at(parser, rule->flow_place,
			       "flow: '=>' is about both directions already");
	for (size_t i = 0; i < rule->parts_count; i++) {
		const struct rule_part *part = &rule->parts[i];

		client |= part_info(part)->side == BUFFER_CLIENT;
		server |= part_info(part)->side == BUFFER_SERVER;
		if ((rule->flow & RULE_FLOW_TO_SERVER) && part_info(part)->side == BUFFER_SERVER)
			return fail_at(parser, part->place,
				       "the server writes this buffer, and flow says to_server");
		if ((rule->flow & RULE_FLOW_TO_CLIENT) && part_info(part)->side == BUFFER_CLIENT)
			return fail_at(parser, part->place,
				       "the client writes this buffer, and flow says to_client");
		if (client && server && rule->direction != RULE_TRANSACTION)
			return fail_at(
				parser, part->place,
				"buffers of both directions in one rule: write '=>' in place "
				"of '->'");
	}
	return true;
}

/* Absolute places become lo..hi from the start, relative ones from the step before. */
static bool check_content(struct rule_parser *parser, struct rule_step *step)
{
	bool absolute = step->has_offset || step->has_depth;
	bool relative = step->has_distance || step->has_within;

	if (absolute && relative)
		return fail_at(parser, step->place,
			       "content: offset and depth count from the buffer's start, distance "
			       "and within from the match before: not both");
	if (step->startswith && (absolute || relative))
		return fail_at(
			parser, step->place,
			"content: startswith says it all: no offset, depth, distance, within");
	step->relative = relative;
	step->lo = relative ? step->distance : step->offset;
	step->hi = RULESET_NO_LIMIT;
	/* Where variables stand in their place these are 0. */
	if (step->startswith)
		step->hi = (int32_t)step->len;
	else if (step->has_depth)
		step->hi = step->offset + step->depth;
	else if (step->has_within)
		step->hi = step->distance + step->within;
	return true;
}

/* Does it leave a place behind for a relative step to count from? */
static bool leaves_place(const struct rule_step *step)
{
	if (step->relative || step->kind == RULE_STEP_JUMP || step->kind == RULE_STEP_EXTRACT ||
	    step->kind == RULE_STEP_MATH)
		return true;
	return !step->negated && (step->kind == RULE_STEP_CONTENT || step->kind == RULE_STEP_PCRE);
}

/*
 * What neither counts from a place nor leaves one (a length, an absence) may stand anywhere: behind
 * the others it does not part a step from what that counts from.
 */
static void steps_sort(struct rule_parser *parser, struct rule_part *part)
{
	struct rule_step *behind = arena_alloc(&parser->list->arena, part->count * sizeof(*behind));
	size_t kept = 0, moved = 0;
	bool place = false;

	for (size_t i = 0; i < part->count; i++) {
		const struct rule_step *step = &part->steps[i];

		if (place && !leaves_place(step) && !rule_step_uses_variable(step))
			behind[moved++] = *step;
		else
			part->steps[kept++] = *step;
		place |= leaves_place(step);
	}
	if (moved)
		memcpy(part->steps + kept, behind, moved * sizeof(*behind));
}

/* What can never hold, because the buffer's length is said too. */
static bool check_lengths(struct rule_parser *parser, const struct rule_part *part)
{
	int32_t longest = RULESET_NO_LIMIT;

	for (size_t i = 0; i < part->count; i++) {
		const struct rule_step *step = &part->steps[i];

		if (step->kind == RULE_STEP_SIZE && !step->negated && step->hi < longest)
			longest = step->hi;
	}
	for (size_t i = 0; i < part->count; i++) {
		const struct rule_step *step = &part->steps[i];

		if (step->kind == RULE_STEP_CONTENT && !step->negated &&
		    (int64_t)step->len + (step->relative ? 0 : step->offset) > longest)
			return fail_at(parser, step->place,
				       "content: longer than bsize lets the buffer be: the rule "
				       "could never match");
	}
	return true;
}

/* A window of the buffer knows no place in it but those of what was found there. */
static bool check_number(struct rule_parser *parser, const struct rule_step *step)
{
	if (!step->relative && step->kind >= RULE_STEP_TEST)
		return fail_at(parser, step->place,
			       "in a buffer that comes in pieces a number is read relative to a "
			       "match: add 'relative'");
	if (!step->relative && rule_step_uses_variable(step))
		return fail_at(parser, step->place,
			       "in a buffer that comes in pieces a number from the data counts "
			       "from a match: distance or within, or 'relative'");
	if (step->number.flags & (RULE_NUMBER_FROM_START | RULE_NUMBER_FROM_END))
		return fail_at(parser, step->place,
			       "byte_jump: a buffer that comes in pieces has no beginning or end "
			       "to jump from");
	return true;
}

/* Does the expression hold an escape of one of these letters? */
static bool has_escape(const struct rule_step *step, const char *letters)
{
	for (size_t i = 0; i + 1 < step->len; i++) {
		if (step->text[i] != '\\')
			continue;
		i++;
		if (step->text[i] && strchr(letters, step->text[i]))
			return true;
	}
	return false;
}

/* An expression sees a window of a buffer that comes in pieces; only ^ and $ know its ends. */
static bool check_anchors(struct rule_parser *parser, const struct rule_step *step)
{
	if (!step->relative && ((step->pcre_options & PCRE2_ANCHORED) || has_escape(step, "AG")))
		return fail_at(parser, step->place,
			       "pcre: in a buffer that comes in pieces the start is written ^, not "
			       "\\A, \\G or flag A");
	if (has_escape(step, "zZ"))
		return fail_at(parser, step->place,
			       "pcre: in a buffer that comes in pieces the end is written $, not "
			       "\\z or \\Z");
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* May byte i of the content be in what this transform leaves? */
static bool transform_leaves(enum rule_transform transform, const struct rule_step *step, size_t i)
{
	char c = step->text[i];

	switch (transform) {
	case RULE_TRANSFORM_TO_LOWERCASE:
		return step->nocase || c < 'A' || c > 'Z';
	case RULE_TRANSFORM_TO_UPPERCASE:
		return step->nocase || c < 'a' || c > 'z';
	case RULE_TRANSFORM_STRIP_WHITESPACE:
		return !is_blank(c);
	case RULE_TRANSFORM_COMPRESS_WHITESPACE:
		return !is_blank(c) || i + 1 == step->len || !is_blank(step->text[i + 1]);
	default:
		return true;
	}
}

static bool check_transformed(struct rule_parser *parser, const struct rule_part *part,
			      const struct rule_step *step)
{
	size_t last = part->transforms_count;

	if (step->kind != RULE_STEP_CONTENT || !last)
		return true;
	for (size_t i = 0; i < step->len; i++)
		if (!transform_leaves((enum rule_transform)part->transforms[last - 1], step, i))
			return fail_at(parser, step->place,
				       "content: the transform before it leaves nothing like it");
	return true;
}

static bool check_part(struct rule_parser *parser, struct rule_part *part)
{
	bool streams = rule_part_streams(part);

	if (!part->count && !part->absent)
		return fail_at(parser, part->place, "nothing is asked of this buffer");
	if (part->count > STEPS_MAX)
		return fail_at(parser, part->steps[STEPS_MAX].place,
			       "more than 64 conditions on one buffer");
	for (size_t i = 0; i < part->count; i++)
		if (part->steps[i].kind == RULE_STEP_CONTENT &&
		    !check_content(parser, &part->steps[i]))
			return false;
	steps_sort(parser, part);
	for (size_t i = 0; i < part->count; i++) {
		struct rule_step *step = &part->steps[i];

		if (step->kind == RULE_STEP_PCRE && streams && !check_anchors(parser, step))
			return false;
		if (streams && !check_number(parser, step))
			return false;
		if (streams && step->kind == RULE_STEP_DATASET)
			return fail_at(
				parser, step->place,
				"dataset: this buffer comes in pieces: sets of its hashes can "
				"be asked for (to_sha256, to_md5)");
		if (!check_transformed(parser, part, step))
			return false;
		if (step->relative && i > 0 && !leaves_place(step - 1))
			return fail_at(
				parser, step->place,
				"relative to a match, but what stands before it leaves none: "
				"put it right after the content or pcre that it means");
	}
	return check_lengths(parser, part);
}

/* Does the rule ask for another buffer of this name already, in that group? */
static bool group_has(const struct rule *rule, size_t until, uint8_t group)
{
	const struct rule_part *part = &rule->parts[until];

	for (size_t i = 0; i < until; i++) {
		const struct rule_part *other = &rule->parts[i];

		if (other->group == group && !other->joins && other->buffer == part->buffer &&
		    rule_same_transforms(other, part))
			return true;
	}
	return false;
}

/*
 * What a rule says of an attachment's name, content and length is about one attachment: naming
 * again what was named begins the next. A group of one needs no watching.
 */
static void group_parts(struct rule *rule)
{
	size_t members[UINT8_MAX + 1] = {0};
	uint8_t group = 0;

	for (size_t i = 0; i < rule->parts_count; i++) {
		struct rule_part *part = &rule->parts[i];

		if ((part->buffer != RULE_BUFFER_FILE_NAME &&
		     part->buffer != RULE_BUFFER_FILE_DATA) ||
		    part->none || part->absent)
			continue;
		if (!group || (!part->joins && group < UINT8_MAX && group_has(rule, i, group)))
			group++;
		part->group = group;
		members[group]++;
	}
	for (size_t i = 0; i < rule->parts_count; i++)
		if (members[rule->parts[i].group] < 2)
			rule->parts[i].group = 0;
}

/* A trap: "one of them lacks it" where "none of them has it" is meant. */
static void warn_of_absence(struct rule_parser *parser, const struct rule_part *part)
{
	if (part_info(part)->count != BUFFER_MANY || part->none || part->absent || part->group ||
	    !part->count)
		return;
	for (size_t i = 0; i < part->count; i++)
		if (!part->steps[i].negated || (part->steps[i].kind != RULE_STEP_CONTENT &&
						part->steps[i].kind != RULE_STEP_PCRE))
			return;
	rule_diag_add(parser->diags, RULE_WARNING, part->steps[0].place, parser->rule.sid,
		      "there may be many of this buffer, and one without this is enough: 'none' "
		      "after the buffer, and no '!', asks that none has it");
}

static bool check_reply_code(struct rule_parser *parser)
{
	const struct rule *rule = &parser->rule;
	const char *reply = rule->reply;

	if (!reply || part_info(&rule->parts[0])->family != BUFFER_SMTP)
		return true;
	if (reply[0] == '6')
		return fail_at(parser, rule->reply_place, "reply: SMTP has no 6yz");
	/* RFC 3463 2: the class of the enhanced code is the reply's. */
	if (strlen(reply) > 6 && reply[5] == '.' && reply[4] != reply[0])
		return fail_at(parser, rule->reply_place,
			       "reply: the enhanced code is of another class than the code");
	return true;
}

/* Does it find something in a mail's body that has a place there? */
static bool finds_in_body(const struct rule_part *part)
{
	if ((part->buffer != RULE_BUFFER_EMAIL_BODY && part->buffer != RULE_BUFFER_FILE_DATA) ||
	    part->none || !rule_part_streams(part))
		return false;
	for (size_t i = 0; i < part->count; i++)
		if (!part->steps[i].negated && (part->steps[i].kind == RULE_STEP_CONTENT ||
						part->steps[i].kind == RULE_STEP_PCRE))
			return true;
	return false;
}

static bool may_refuse(const struct rule *rule)
{
	bool may = rule->action >= VERDICT_DROP;

	for (size_t i = 0; i < rule->conditions_count; i++)
		may |= rule->conditions[i].kind == RULE_ON_RATE &&
		       rule->conditions[i].op >= VERDICT_DROP;
	return may;
}

/* Bytes of a body are kept of mails that are refused for what is in it, and of no others. */
static bool check_keep(struct rule_parser *parser)
{
	const struct rule *rule = &parser->rule;
	bool finds = false;

	if (!rule->keep)
		return true;
	if (!may_refuse(rule))
		return fail_at(parser, rule->keep_place,
			       "keep: of mails that are refused: the rule drops and rejects none");
	for (size_t i = 0; i < rule->parts_count; i++)
		finds |= finds_in_body(&rule->parts[i]);
	return finds || fail_at(parser, rule->keep_place,
				"keep: the rule finds nothing in email.body or file.data that has "
				"a place there");
}

/* What a rule puts in a set is what its one buffer holds when it holds. */
static bool check_writes(struct rule_parser *parser)
{
	const struct rule *rule = &parser->rule;
	const struct rule_part *part = rule->parts;

	for (size_t i = 0; i < rule->conditions_count; i++) {
		const struct rule_condition *c = &rule->conditions[i];

		if (c->kind == RULE_ON_RATE && c->op >= VERDICT_DROP && rule->noalert)
			return fail_at(parser, c->place,
				       "noalert: nothing is withheld without an event");
		if (c->kind != RULE_ON_DATASET)
			continue;
		if (rule->parts_count > 1 || part->none || part->absent)
			return fail_at(parser, c->place,
				       "dataset: a rule that writes a set looks at one buffer, and "
				       "at what is there; flowbits tell it of others");
		if (rule_part_streams(part))
			return fail_at(parser, c->place,
				       "dataset: this buffer comes in pieces: its hash can be put "
				       "in (to_sha256, to_md5)");
	}
	return true;
}

bool rule_check(struct rule_parser *parser)
{
	struct rule *rule = &parser->rule;
	bool ok = true;

	if (!rule->sid)
		ok = fail_at(parser, rule->place, "the rule has no sid");
	if (!rule->msg)
		rule_diag_add(parser->diags, RULE_WARNING, rule->place, rule->sid,
			      "the rule has no msg: its alerts will say nothing");
	if (rule->noalert && rule->action >= VERDICT_DROP)
		ok = fail_at(parser, rule->place,
			     "noalert: nothing is withheld without an event: of alert and pass "
			     "rules only");
	if (rule->proto == RULE_SMTP && (rule->flow & RULE_FLOW_DATAGRAM))
		ok = fail_at(parser, rule->flow_place, "flow: SMTP is always a stream");
	if (rule->conditions_count > CONDITIONS_MAX)
		ok = fail_at(parser, rule->conditions[CONDITIONS_MAX].place,
			     "more than 64 flowbits, xbits, tenants and tiers");
	if (!rule->parts_count)
		return fail_at(parser, rule->place,
			       "the rule looks at no buffer: name one, and what it must hold");
	for (size_t i = 0; i < rule->parts_count; i++)
		ok &= check_part(parser, &rule->parts[i]);
	group_parts(rule);
	for (size_t i = 0; i < rule->parts_count; i++)
		warn_of_absence(parser, &rule->parts[i]);
	return check_writes(parser) && check_keep(parser) && check_family(parser) &&
	       check_direction(parser) && check_reply_code(parser) && ok;
}
