/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose words a rule is about: flow, app-layer-protocol; and what it requires of the gate. */
#include <stdlib.h>
#include <string.h>

#include "control/rules/rule_parse.h"

bool rule_option_flow(struct rule_parser *parser, struct rule_word keyword, struct rule_word value)
{
	static const struct {
		const char *name;
		uint8_t bits;
	} names[] = {
		{"to_server", RULE_FLOW_TO_SERVER},
		{"from_client", RULE_FLOW_TO_SERVER},
		{"to_client", RULE_FLOW_TO_CLIENT},
		{"from_server", RULE_FLOW_TO_CLIENT},
		{"established", RULE_FLOW_ESTABLISHED},
		{"not_established", RULE_FLOW_NOT_ESTABLISHED},
		{"stateless", 0},
		{"only_stream", RULE_FLOW_STREAM},
		{"no_stream", RULE_FLOW_DATAGRAM},
	};
	struct rule *rule = &parser->rule;
	struct rule_word word;
	bool more = true;

	rule->flow_place = rule_place_of(&parser->line, keyword.p);
	while (more) {
		size_t i;

		more = rule_split(value, ',', &word, &value);
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (rule_word_is(word, names[i].name))
				break;
		if (i == sizeof(names) / sizeof(names[0]))
			return rule_fail(parser, word.p,
					 "flow: '%.*s' can't be honoured: expected to_server, "
					 "to_client, from_client, from_server, established, "
					 "not_established, stateless, only_stream or "
					 "no_stream; what was fragmented is put together first",
					 (int)word.len, word.p);
		rule->flow |= names[i].bits;
	}
	if ((rule->flow & RULE_FLOW_TO_SERVER) && (rule->flow & RULE_FLOW_TO_CLIENT))
		return rule_fail(parser, keyword.p, "flow: both directions: leave them out");
	if ((rule->flow & RULE_FLOW_STREAM) && (rule->flow & RULE_FLOW_DATAGRAM))
		return rule_fail(parser, keyword.p, "flow: only_stream and no_stream");
	if ((rule->flow & RULE_FLOW_ESTABLISHED) && (rule->flow & RULE_FLOW_NOT_ESTABLISHED))
		return rule_fail(parser, keyword.p, "flow: established and not_established");
	return true;
}

bool rule_option_proto(struct rule_parser *parser, struct rule_word keyword, struct rule_word value)
{
	bool smtp = rule_word_is(value, "smtp"), sip = rule_word_is(value, "sip");
	enum ruleset_proto *proto = &parser->rule.proto;

	if (!smtp && !sip)
		return rule_fail(parser, value.p, "app-layer-protocol: expected smtp or sip");
	if (*proto == (smtp ? RULE_SIP : RULE_SMTP) || (smtp && *proto == RULE_UDP))
		return rule_fail(parser, value.p,
				 "app-layer-protocol: another one than the header says");
	/* sip over one transport stays so: its buffers are SIP's anyhow. */
	if (smtp || *proto == RULE_IP)
		*proto = smtp ? RULE_SMTP : RULE_SIP;
	return true;
}

/* The language that rules are read in. */
#define SURICATA_MAJOR 8

/* ">= 7.0.3", "< 8": compared by the first number, of the language that is spoken here. */
static bool version_holds(struct rule_parser *parser, struct rule_word word)
{
	bool below = word.len && word.p[0] == '<', equal = word.len > 1 && word.p[1] == '=';
	size_t op = word.len ? 1u + equal : 0;
	struct rule_word number = rule_trim((struct rule_word){word.p + op, word.len - op});
	long major = number.len ? strtol(number.p, NULL, 10) : 0;
	bool holds = below ? SURICATA_MAJOR < major || (equal && SURICATA_MAJOR == major)
			   : SURICATA_MAJOR >= major;

	if (!word.len || (word.p[0] != '<' && word.p[0] != '>') || major < 1)
		return rule_fail(parser, word.p, "requires: expected version >= N");
	return holds || rule_fail(parser, word.p, "requires: rules are read as Suricata %d's",
				  SURICATA_MAJOR);
}

static bool requirement_holds(struct rule_parser *parser, struct rule_word word)
{
	struct rule_word key, value;

	rule_split(word, ' ', &key, &value);
	value = rule_trim(value);
	if (rule_word_is(key, "version")) {
		while (value.len) {
			struct rule_word one;

			rule_split(value, '|', &one, &value);
			if (!version_holds(parser, one))
				return false;
		}
		return true;
	}
	if (rule_word_is(key, "keyword"))
		return rule_option_find(value) ||
		       rule_buffer_find(value.p, value.len) != RULE_BUFFER_COUNT ||
		       rule_fail(parser, value.p, "requires: there is no keyword '%.*s' here",
				 (int)value.len, value.p);
	return rule_fail(parser, word.p, "requires: '%.*s' is not known here", (int)word.len,
			 word.p);
}

bool rule_option_requires(struct rule_parser *parser, struct rule_word keyword,
			  struct rule_word value)
{
	struct rule_word word;
	bool more = true;

	while (more) {
		more = rule_split(value, ',', &word, &value);
		if (!requirement_holds(parser, word))
			return false;
	}
	return true;
}
