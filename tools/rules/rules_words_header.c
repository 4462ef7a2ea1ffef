/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rules/rules_words.h"

#define IS(word, text) rule_word_is(word, text)

static const char *end_name(struct arena *arena, struct rule_word net, struct rule_word port)
{
	const char *who = IS(net, "any")                                ? "anyone"
			  : IS(net, "$TENANTS") || IS(net, "$HOME_NET") ? "a tenant"
			  : IS(net, "!$TENANTS") || IS(net, "$EXTERNAL_NET")
				  ? "whoever is no tenant"
				  : arena_printf(arena, "%.*s", (int)net.len, net.p);

	if (IS(port, "any"))
		return who;
	return arena_printf(arena, "%s, port %.*s", who, (int)port.len, port.p);
}

static const char *protocol_words(struct rule_word protocol)
{
	static const struct {
		const char *name, *words;
	} known[] = {
		{"smtp", "mail (SMTP)"},
		{"sip", "calls and messages (SIP)"},
		{"tcp", "whatever is read over TCP"},
		{"udp", "whatever is read over UDP"},
		{"ip", "whatever is read"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (IS(protocol, known[i].name))
			return known[i].words;
	return "traffic";
}

const char *rules_words_header(const struct rules_lines *out, struct arena *arena,
			       const char *cursor, struct rule_word *action)
{
	struct rule_word protocol, from, from_port, arrow, to, to_port;
	const char *source, *target;

	*action = rule_next_word(&cursor);
	protocol = rule_next_word(&cursor);
	from = rule_next_word(&cursor);
	from_port = rule_next_word(&cursor);
	arrow = rule_next_word(&cursor);
	to = rule_next_word(&cursor);
	to_port = rule_next_word(&cursor);
	source = end_name(arena, from, from_port);
	target = end_name(arena, to, to_port);
	if (IS(arrow, "<>"))
		rules_printf(out, "of", "%s between %s and %s, either way",
			     protocol_words(protocol), source, target);
	else if (IS(arrow, "=>"))
		rules_printf(out, "of", "%s from %s to %s, with what both of them say",
			     protocol_words(protocol), source, target);
	else
		rules_printf(out, "of", "%s from %s to %s", protocol_words(protocol), source,
			     target);
	while (*cursor && *cursor != '(')
		cursor++;
	return *cursor ? cursor + 1 : cursor;
}
