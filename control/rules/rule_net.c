/* SPDX-License-Identifier: BSD-3-Clause */
/* Address and port expressions: any, $NAME, !, [a,b], prefixes, ranges; flattened into lists. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "control/rules/rule_parse.h"

#define NESTING_MAX 8 /* groups in groups, variables in variables */

/* What stands for itself where the user says nothing else. */
static const struct rule_var builtin_vars[] = {
	{"HOME_NET", "$TENANTS"},      {"EXTERNAL_NET", "!$HOME_NET"},
	{"SMTP_SERVERS", "$HOME_NET"}, {"SMTP_PORTS", "[25,465,587]"},
	{"SIP_SERVERS", "$HOME_NET"},  {"SIP_PORTS", "[5060,5061]"},
};

struct net_list {
	struct ruleset_net *items;
	size_t count, capacity;
};

struct port_list {
	struct ruleset_port *items;
	size_t count, capacity;
};

/* One expression being read; `at` is where mistakes are shown. */
struct expression {
	struct rule_parser *parser;
	struct net_list *nets;   /* or NULL: ports are read */
	struct port_list *ports; /* or NULL */
	const char *at;
	unsigned depth;  /* of groups and variables */
	unsigned groups; /* that are open: 0 is the top, where `any` needs no entry */
};

static const char *find_in(const struct rule_var *vars, size_t count, struct rule_word name)
{
	for (size_t i = 0; i < count; i++)
		if (rule_word_is(name, vars[i].name))
			return vars[i].value;
	return NULL;
}

const char *rule_var_find(const struct rule_vars *vars, struct rule_word name)
{
	const char *value = vars ? find_in(vars->vars, vars->count, name) : NULL;

	return value ? value
		     : find_in(builtin_vars, sizeof(builtin_vars) / sizeof(builtin_vars[0]), name);
}

static void add_net(struct expression *e, const struct ruleset_net *net)
{
	struct net_list *l = e->nets;

	l->items = arena_grow(&e->parser->list->arena, l->items, l->count, &l->capacity,
			      sizeof(*l->items));
	l->items[l->count++] = *net;
}

static void add_port(struct expression *e, struct ruleset_port port)
{
	struct port_list *l = e->ports;

	l->items = arena_grow(&e->parser->list->arena, l->items, l->count, &l->capacity,
			      sizeof(*l->items));
	l->items[l->count++] = port;
}

static bool read_prefix(struct expression *e, struct rule_word word, bool negated)
{
	struct ruleset_net net = {.kind = RULE_NET_PREFIX, .negated = negated};
	struct rule_word addr, bits;
	char text[INET6_ADDRSTRLEN];
	int64_t n;
	bool slash = rule_split(word, '/', &addr, &bits);

	if (!addr.len || addr.len >= sizeof(text))
		goto bad;
	memcpy(text, addr.p, addr.len);
	text[addr.len] = '\0';
	if (inet_pton(AF_INET, text, net.addr) == 1)
		net.family = 4;
	else if (inet_pton(AF_INET6, text, net.addr) == 1)
		net.family = 6;
	else
		goto bad;
	n = net.family == 4 ? 32 : 128;
	if (slash && !rule_number(bits, 0, n, &n))
		goto bad;
	net.bits = (uint8_t)n;
	add_net(e, &net);
	return true;
bad:
	return rule_fail(e->parser, e->at,
			 "'%.*s' is no address: expected any, $NAME, an address, a prefix such as "
			 "192.0.2.0/24, or [..]",
			 (int)word.len, word.p);
}

static bool read_port_range(struct expression *e, struct rule_word word, bool negated)
{
	struct rule_word from, to;
	int64_t lo = 0, hi = UINT16_MAX;
	bool range = rule_split(word, ':', &from, &to);

	to = rule_trim(to);
	if (!word.len || (range && !from.len && !to.len))
		goto bad;
	if (from.len && !rule_number(from, 0, UINT16_MAX, &lo))
		goto bad;
	if (!range)
		hi = lo;
	else if (to.len && !rule_number(to, lo, UINT16_MAX, &hi))
		goto bad;
	add_port(e, (struct ruleset_port){(uint16_t)lo, (uint16_t)hi, negated});
	return true;
bad:
	return rule_fail(e->parser, e->at,
			 "'%.*s' is no port: expected any, $NAME, a port, a range such as "
			 "1024:2047, or [..]",
			 (int)word.len, word.p);
}

static bool read_any(struct expression *e, bool negated)
{
	if (negated)
		return rule_fail(e->parser, e->at, "'!any' can never hold");
	if (e->groups == 0)
		return true;
	if (e->ports) {
		add_port(e, (struct ruleset_port){0, UINT16_MAX, false});
	} else {
		add_net(e, &(struct ruleset_net){.family = 4});
		add_net(e, &(struct ruleset_net){.family = 6});
	}
	return true;
}

static bool read_expression(struct expression *e, struct rule_word word, bool negated);

/* Where the first element of a list ends: a comma outside of brackets, or the end. */
static size_t element_len(struct rule_word word)
{
	int depth = 0;
	size_t i;

	for (i = 0; i < word.len && (depth || word.p[i] != ','); i++)
		depth += word.p[i] == '[' ? 1 : word.p[i] == ']' ? -1 : 0;
	return i;
}

static bool read_group(struct expression *e, struct rule_word word, bool negated)
{
	bool single;

	if (word.len < 2 || word.p[word.len - 1] != ']')
		return rule_fail(e->parser, e->at, "expected ']'");
	word = (struct rule_word){word.p + 1, word.len - 2};
	single = element_len(word) == word.len;
	e->groups++;
	for (;;) {
		size_t n = element_len(word);
		struct rule_word element = rule_trim((struct rule_word){word.p, n});

		if (!element.len)
			return rule_fail(e->parser, e->at, "an empty element in [..]");
		if (negated && !single && element.p[0] == '!')
			return rule_fail(e->parser, e->at,
					 "'!' inside a negated group: write the group out");
		if (!read_expression(e, element, negated))
			return false;
		if (n == word.len)
			break;
		word = (struct rule_word){word.p + n + 1, word.len - n - 1};
	}
	e->groups--;
	return true;
}

static bool read_variable(struct expression *e, struct rule_word name, bool negated)
{
	const char *value;

	if (e->nets && rule_word_is(name, "TENANTS")) {
		add_net(e, &(struct ruleset_net){.kind = RULE_NET_TENANTS, .negated = negated});
		return true;
	}
	value = rule_var_find(e->parser->vars, name);
	if (!value)
		return rule_fail(e->parser, e->at, "$%.*s is not defined", (int)name.len, name.p);
	return read_expression(e, rule_trim((struct rule_word){value, strlen(value)}), negated);
}

static bool read_expression(struct expression *e, struct rule_word word, bool negated)
{
	bool ok;

	if (e->depth > NESTING_MAX)
		return rule_fail(e->parser, e->at, "groups or variables nested more than %d deep",
				 NESTING_MAX);
	while (word.len && word.p[0] == '!') {
		negated = !negated;
		word = rule_trim((struct rule_word){word.p + 1, word.len - 1});
	}
	e->depth++;
	if (rule_word_is(word, "any"))
		ok = read_any(e, negated);
	else if (word.len && word.p[0] == '[')
		ok = read_group(e, word, negated);
	else if (word.len && word.p[0] == '$')
		ok = read_variable(e, (struct rule_word){word.p + 1, word.len - 1}, negated);
	else if (e->nets)
		ok = read_prefix(e, word, negated);
	else
		ok = read_port_range(e, word, negated);
	e->depth--;
	return ok;
}

bool rule_parse_nets(struct rule_parser *parser, struct rule_word word, struct ruleset_net **nets,
		     size_t *count)
{
	struct net_list list = {0};
	struct expression e = {.parser = parser, .nets = &list, .at = word.p};

	if (!read_expression(&e, word, false))
		return false;
	*nets = list.items;
	*count = list.count;
	return true;
}

bool rule_parse_ports(struct rule_parser *parser, struct rule_word word,
		      struct ruleset_port **ports, size_t *count)
{
	struct port_list list = {0};
	struct expression e = {.parser = parser, .ports = &list, .at = word.p};

	if (!read_expression(&e, word, false))
		return false;
	*ports = list.items;
	*count = list.count;
	return true;
}
