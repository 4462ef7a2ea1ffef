/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rules/rule_parse.h"

#include <stdarg.h>
#include <string.h>
#include <xxhash.h>

#include "bpf/reason.h"
#include "control/base/suggest.h"
#include "control/lists/hashset_build.h"

bool rule_fail(struct rule_parser *parser, const char *at, const char *format, ...)
{
	char message[480];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	rule_diag_add(parser->diags, RULE_ERROR, rule_place_of(&parser->line, at), parser->rule.sid,
		      "%s", message);
	parser->failed = true;
	return false;
}

bool rule_unquote(struct rule_parser *parser, struct rule_word value, bool *negated,
		  struct rule_word *inner)
{
	const char *start = value.p;

	*negated = value.len && value.p[0] == '!';
	if (*negated) {
		value.p++;
		value.len--;
		value = rule_trim(value);
	}
	if (value.len < 2 || value.p[0] != '"' || value.p[value.len - 1] != '"')
		return rule_fail(parser, start, "expected a \"quoted\" value");
	*inner = (struct rule_word){value.p + 1, value.len - 2};
	return true;
}

bool rule_text(struct rule_parser *parser, struct rule_word value, const char **text)
{
	struct rule_word inner = {0};
	bool negated;
	char *out;
	size_t n = 0;

	if (!rule_unquote(parser, value, &negated, &inner))
		return false;
	if (negated)
		return rule_fail(parser, value.p, "'!' has no meaning here");
	out = arena_alloc(&parser->list->arena, inner.len + 1);
	for (size_t i = 0; i < inner.len; i++) {
		if (inner.p[i] == '\\' && i + 1 < inner.len && strchr("\";\\:", inner.p[i + 1]))
			i++;
		out[n++] = inner.p[i];
	}
	*text = out;
	return true;
}

struct rule_step *rule_last_content(struct rule_parser *parser, struct rule_word keyword)
{
	if (parser->step && parser->step->kind == RULE_STEP_CONTENT)
		return parser->step;
	if (!parser->step_lost)
		rule_fail(parser, keyword.p, "'%.*s' needs a content before it", (int)keyword.len,
			  keyword.p);
	return NULL;
}

void rule_add_part(struct rule_parser *parser, struct rule_place place, enum rule_buffer buffer)
{
	struct rule *rule = &parser->rule;

	rule->parts = arena_grow(&parser->list->arena, rule->parts, rule->parts_count,
				 &rule->parts_capacity, sizeof(*rule->parts));
	parser->part = &rule->parts[rule->parts_count++];
	memset(parser->part, 0, sizeof(*parser->part));
	parser->part->buffer = buffer;
	parser->part->place = place;
}

void rule_split_part(struct rule_parser *parser)
{
	rule_add_part(parser, parser->part->place, parser->part->buffer);
}

/*
 * Naming a buffer again goes on with the same part where there is only one of
 * it, and asks for another instance where there may be several. What transforms
 * have made of it is another buffer.
 */
static void open_part(struct rule_parser *parser, struct rule_word keyword, enum rule_buffer buffer)
{
	struct rule *rule = &parser->rule;

	parser->step = NULL;
	parser->step_lost = false;
	parser->fresh = true;
	parser->closed = false;
	for (size_t i = 0; i < rule->parts_count; i++) {
		parser->part = &rule->parts[i];
		if (parser->part->buffer == buffer && !parser->part->transforms_count &&
		    !parser->part->none && !parser->part->absent &&
		    rule_buffers[buffer].count == BUFFER_ONE)
			return;
	}
	rule_add_part(parser, rule_place_of(&parser->line, keyword.p), buffer);
}

struct rule_step *rule_add_step(struct rule_parser *parser, struct rule_word keyword,
				enum ruleset_step_kind kind)
{
	struct rule_part *part;

	/* As in Suricata: what a datagram of the protocol holds. */
	if (!parser->part && parser->rule.proto == RULE_SIP)
		open_part(parser, keyword, RULE_BUFFER_SIP_MESSAGE);
	part = parser->part;
	parser->step_lost = !part;
	if (!part && parser->payload_said)
		return NULL;
	if (!part) {
		parser->payload_said = true;
		rule_fail(parser, keyword.p,
			  "'%.*s' without a sticky buffer means the raw payload, which the gate "
			  "does not keep: name a buffer before it, such as email.subject, "
			  "email.header, email.body or sip.message",
			  (int)keyword.len, keyword.p);
		return NULL;
	}
	parser->fresh = false;
	if (parser->closed) {
		parser->step_lost = true;
		rule_fail(parser, keyword.p,
			  "'%.*s' of a buffer that is not there: absent:or_else takes either",
			  (int)keyword.len, keyword.p);
		return NULL;
	}
	part->steps = arena_grow(&parser->list->arena, part->steps, part->count, &part->capacity,
				 sizeof(*part->steps));
	parser->step = &part->steps[part->count++];
	parser->step->kind = kind;
	parser->step->place = rule_place_of(&parser->line, keyword.p);
	return parser->step;
}

static bool parse_action(struct rule_parser *parser, struct rule_word word)
{
	for (int v = 0; v < VERDICT_COUNT; v++) {
		if (rule_word_is(word, verdict_name((enum verdict)v))) {
			parser->rule.action = (uint8_t)v;
			return true;
		}
	}
	if (memchr(word.p, ':', word.len) || rule_word_is(word, "accept"))
		return rule_fail(parser, word.p,
				 "action '%.*s' is of Suricata's firewall mode: expected pass, "
				 "alert, drop or reject",
				 (int)word.len, word.p);
	return rule_fail(parser, word.p,
			 "unknown action '%.*s': expected pass, alert, drop or reject",
			 (int)word.len, word.p);
}

static bool parse_proto(struct rule_parser *parser, struct rule_word word)
{
	static const char *const names[] = {
		[RULE_SMTP] = "smtp", [RULE_SIP] = "sip", [RULE_TCP] = "tcp",
		[RULE_UDP] = "udp",   [RULE_IP] = "ip",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (rule_word_is(word, names[i])) {
			parser->rule.proto = (enum ruleset_proto)i;
			return true;
		}
	}
	if (memchr(word.p, ':', word.len))
		return rule_fail(
			parser, word.p,
			"protocol '%.*s' names a state of Suricata's parser: rules look at "
			"buffers",
			(int)word.len, word.p);
	return rule_fail(parser, word.p,
			 "protocol '%.*s' is not inspected: expected smtp, sip, tcp, udp or ip",
			 (int)word.len, word.p);
}

static bool parse_direction(struct rule_parser *parser, struct rule_word word)
{
	static const char *const names[] = {
		[RULE_ONE_WAY] = "->", [RULE_BOTH_WAYS] = "<>", [RULE_TRANSACTION] = "=>"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (rule_word_is(word, names[i])) {
			parser->rule.direction = (enum ruleset_direction)i;
			return true;
		}
	}
	return rule_fail(parser, word.p, "expected '->', '<>' or '=>', found '%.*s'", (int)word.len,
			 word.p);
}

static bool parse_header(struct rule_parser *parser, const char **cursor)
{
	static const char *const names[] = {"an action",        "a protocol",
					    "source addresses", "source ports",
					    "a direction",      "destination addresses",
					    "destination ports"};
	struct rule *rule = &parser->rule;
	struct rule_word words[7];

	for (size_t i = 0; i < 7; i++) {
		words[i] = rule_next_word(cursor);
		if (!words[i].len)
			return rule_fail(parser, words[i].p, "expected %s", names[i]);
		if (i == 0 && !parse_action(parser, words[i]))
			return false;
		if (i == 1 && !parse_proto(parser, words[i]))
			return false;
	}
	return parse_direction(parser, words[4]) &&
	       rule_parse_nets(parser, words[2], &rule->src, &rule->src_count) &&
	       rule_parse_ports(parser, words[3], &rule->sport, &rule->sport_count) &&
	       rule_parse_nets(parser, words[5], &rule->dst, &rule->dst_count) &&
	       rule_parse_ports(parser, words[6], &rule->dport, &rule->dport_count);
}

/* Legacy names of buffers. */
static enum rule_buffer find_buffer(struct rule_word keyword)
{
	if (rule_word_is(keyword, "file_data"))
		return RULE_BUFFER_FILE_DATA;
	/* Suricata's manual calls it so, and its parser the other. */
	if (rule_word_is(keyword, "sdp.media.session_info"))
		return RULE_BUFFER_SDP_MEDIA_INFO;
	return rule_buffer_find(keyword.p, keyword.len);
}

static void suggest(const char *given, const char *name, unsigned *best, const char **nearest)
{
	unsigned distance = suggest_distance(given, name);

	if (distance < *best) {
		*best = distance;
		*nearest = name;
	}
}

static bool unknown_keyword(struct rule_parser *parser, struct rule_word keyword)
{
	const char *given = arena_copy(&parser->list->arena, keyword.p, keyword.len);
	unsigned best = suggest_limit(given) + 1;
	const char *nearest = NULL;
	const struct rule_option *options;
	size_t count;

	options = rule_options(&count);
	for (size_t i = 0; i < count; i++)
		suggest(given, options[i].name, &best, &nearest);
	for (int b = 0; b < RULE_BUFFER_COUNT; b++)
		suggest(given, rule_buffers[b].name, &best, &nearest);
	if (nearest)
		return rule_fail(parser, keyword.p, "unknown keyword '%s': did you mean '%s'?",
				 given, nearest);
	return rule_fail(parser, keyword.p, "unknown keyword '%s'", given);
}

static bool parse_option(struct rule_parser *parser, struct rule_word keyword,
			 struct rule_word value, bool has_value)
{
	const struct rule_option *option = rule_option_find(keyword);
	enum rule_buffer buffer = find_buffer(keyword);
	const char *why = rule_refused_why(keyword);

	if (buffer != RULE_BUFFER_COUNT) {
		if (has_value)
			return rule_fail(parser, value.p, "'%.*s' takes no value", (int)keyword.len,
					 keyword.p);
		open_part(parser, keyword, buffer);
		return true;
	}
	if (!option && why)
		return rule_fail(parser, keyword.p, "keyword '%.*s' can't be honoured: %s",
				 (int)keyword.len, keyword.p, why);
	if (!option)
		return unknown_keyword(parser, keyword);
	if (option->value == VALUE_NONE && has_value)
		return rule_fail(parser, value.p, "'%s' takes no value", option->name);
	if (option->value == VALUE_REQUIRED && !value.len)
		return rule_fail(parser, keyword.p, "'%s' needs a value", option->name);
	return option->parse(parser, keyword, value);
}

static bool parse_options(struct rule_parser *parser, const char *cursor)
{
	struct rule_word keyword, value;
	bool has_value, ok = true;

	for (;;) {
		while (*cursor == ' ' || *cursor == '\t')
			cursor++;
		if (*cursor == ')')
			break;
		if (!rule_next_option(&cursor, &keyword, &value, &has_value)) {
			if (*cursor)
				return rule_fail(parser, cursor,
						 "a ';' inside quotes is written \\; or |3b|");
			return rule_fail(parser, cursor,
					 "the rule ends here: expected ';' and at last ')'");
		}
		if (!keyword.len)
			ok = rule_fail(parser, keyword.p, "expected a keyword before ';'");
		else if (!parse_option(parser, keyword, value, has_value))
			ok = false;
	}
	for (cursor++; *cursor == ' ' || *cursor == '\t'; cursor++)
		;
	if (*cursor && *cursor != '#')
		return rule_fail(parser, cursor, "nothing may follow the rule's ')'");
	return ok;
}

static bool check_sid_is_new(struct rule_parser *parser)
{
	const struct rule_list *list = parser->list;
	uint32_t sid = parser->rule.sid;

	for (size_t i = 0; i < list->sids_count; i++) {
		const struct rule_sid *other = &list->sids[(sid + i) & (list->sids_count - 1)];

		if (!other->sid)
			break;
		if (other->sid != sid)
			continue;
		rule_diag_add(parser->diags, RULE_ERROR, parser->rule.sid_place, sid,
			      "sid %u is taken by the rule at %s:%u", sid, other->place.file,
			      other->place.line);
		return false;
	}
	return true;
}

static void rule_sid_insert(struct rule_sid *sids, size_t count, struct rule_sid sid)
{
	size_t at = sid.sid & (count - 1);

	while (sids[at].sid)
		at = (at + 1) & (count - 1);
	sids[at] = sid;
}

/* An open-addressed set, at most half full. */
static void remember_sid(struct rule_list *list, const struct rule *rule)
{
	if (list->sids_used * 2 >= list->sids_count) {
		size_t count = list->sids_count ? list->sids_count * 2 : 256;
		struct rule_sid *sids = arena_alloc(&list->arena, count * sizeof(*sids));

		for (size_t i = 0; i < list->sids_count; i++)
			if (list->sids[i].sid)
				rule_sid_insert(sids, count, list->sids[i]);
		list->sids = sids;
		list->sids_count = count;
	}
	rule_sid_insert(list->sids, list->sids_count, (struct rule_sid){rule->sid, rule->place});
	list->sids_used++;
}

/* Blanks around a rule are not its own. */
static uint64_t digest_of(const struct rule_line *line, const char *start)
{
	size_t len = line->len - (size_t)(start - line->text);

	while (len && strchr(" \t\r", start[len - 1]))
		len--;
	return XXH3_64bits(start, len);
}

static bool parse_rule(struct rule_parser *parser)
{
	const char *cursor = parser->line.text;
	bool ok;

	while (*cursor == ' ' || *cursor == '\t')
		cursor++;
	parser->rule.digest = digest_of(&parser->line, cursor);
	parser->rule.place = rule_place_of(&parser->line, cursor);
	if (parser->line.too_long)
		return rule_fail(parser, cursor, "a rule longer than %d bytes", RULE_LINE_MAX);
	if (memchr(parser->line.text, '\0', parser->line.len))
		return rule_fail(parser, parser->line.text + strlen(parser->line.text),
				 "a NUL byte");
	if (!parse_header(parser, &cursor))
		return false;
	while (*cursor == ' ' || *cursor == '\t')
		cursor++;
	if (*cursor != '(')
		return rule_fail(parser, cursor, "expected '(' and the rule's options");
	ok = parse_options(parser, cursor + 1);
	return ok && rule_check(parser) && check_sid_is_new(parser);
}

void rules_parse(struct rule_list *list, struct rule_diags *diags, const struct rule_vars *vars,
		 const char *file, const char *text, size_t len)
{
	struct rule_reader reader = {arena_copy(&list->arena, file, strlen(file)), text, text + len,
				     0};
	struct rule_parser parser = {.list = list, .diags = diags, .vars = vars};

	while (rule_read_line(&reader, &list->arena, &parser.line)) {
		memset(&parser.rule, 0, sizeof(parser.rule));
		parser.part = NULL;
		parser.step = NULL;
		parser.failed = parser.step_lost = parser.payload_said = parser.fresh = false;
		parser.closed = false;
		parser.names_count = 0;
		parser.rule.priority = 3;
		if (!parse_rule(&parser)) {
			list->refused++;
			continue;
		}
		list->rules = arena_grow(&list->arena, list->rules, list->count, &list->capacity,
					 sizeof(*list->rules));
		list->rules[list->count++] = parser.rule;
		remember_sid(list, &parser.rule);
	}
}

void rule_list_fini(struct rule_list *list)
{
	for (size_t i = 0; i < list->datasets_count; i++)
		hashset_fini(&list->datasets[i].set);
	arena_fini(&list->arena);
	memset(list, 0, sizeof(*list));
}
