/* SPDX-License-Identifier: BSD-3-Clause */
/* What a rule of Suricata's is about, and which buffers hold what it looks for in the payload. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "control/rules/rule_import_internal.h"

static bool has_word(struct rule_word in, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i + len <= in.len; i++)
		if (!memcmp(in.p + i, word, len) &&
		    (i == 0 || !isalnum((unsigned char)in.p[i - 1])) &&
		    (i + len == in.len ||
		     (!isalnum((unsigned char)in.p[i + len]) && in.p[i + len] != '_')))
			return true;
	return false;
}

/* Negated, a port or server says what the rule is not about. */
static bool names_one(struct rule_word word, const char *const *names)
{
	if (word.len && word.p[0] == '!')
		return false;
	for (; *names; names++)
		if (has_word(word, *names))
			return true;
	return false;
}

static const char *const smtp_ports[] = {"25", "465", "587", "2525", "SMTP_PORTS", NULL};
static const char *const sip_ports[] = {"5060", "5061", "SIP_PORTS", NULL};
static const char *const smtp_servers[] = {"SMTP_SERVERS", NULL};
static const char *const sip_servers[] = {"SIP_SERVERS", NULL};

static bool is_transport(struct rule_word proto)
{
	static const char *const names[] = {"tcp", "udp", "ip", "tcp-pkt", "tcp-stream", "pkthdr"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (rule_word_is(proto, names[i]))
			return true;
	return false;
}

static bool starts(struct rule_word word, const char *with)
{
	return word.len >= strlen(with) && !memcmp(word.p, with, strlen(with));
}

static void look_at_header(struct import_candidate *c)
{
	const struct rule_word *h = c->header;

	c->smtp = rule_word_is(h[1], "smtp") || starts(h[1], "smtp:");
	c->sip = rule_word_is(h[1], "sip") || starts(h[1], "sip:");
	if (!is_transport(h[1]))
		return;
	c->smtp = !rule_word_is(h[1], "udp") &&
		  (names_one(h[3], smtp_ports) || names_one(h[6], smtp_ports) ||
		   ((names_one(h[2], smtp_servers) || names_one(h[5], smtp_servers)) &&
		    rule_word_is(h[3], "any") && rule_word_is(h[6], "any")));
	c->sip = names_one(h[3], sip_ports) || names_one(h[6], sip_ports) ||
		 names_one(h[2], sip_servers) || names_one(h[5], sip_servers);
	c->to_client = names_one(h[3], smtp_ports) && !names_one(h[6], smtp_ports);
}

static void look_at_option(struct import_candidate *c, struct rule_word keyword,
			   struct rule_word value)
{
	enum rule_buffer buffer = rule_buffer_find(keyword.p, keyword.len);
	int64_t sid;

	if (rule_word_is(keyword, "sid") && rule_number(value, 1, UINT32_MAX, &sid))
		c->sid = (uint32_t)sid;
	if (buffer != RULE_BUFFER_COUNT || rule_word_is(keyword, "file_data"))
		c->buffers = true;
	if (starts(keyword, "smtp.") || starts(keyword, "email.") ||
	    (rule_word_is(keyword, "app-layer-protocol") && rule_word_is(value, "smtp")))
		c->smtp = true;
	if (starts(keyword, "sip.") || starts(keyword, "sdp.") ||
	    (rule_word_is(keyword, "app-layer-protocol") && rule_word_is(value, "sip")))
		c->sip = true;
	if (rule_word_is(keyword, "flow"))
		c->to_client |= has_word(value, "to_client") || has_word(value, "from_server");
	/* Another protocol's, whatever the ports: its own reason will be said. */
	if (rule_refused_why(keyword) && memchr(keyword.p, '.', keyword.len))
		c->buffers = true;
}

/* Calls with each option; false: the rule can't be cut into options. */
static bool each_option(struct import_candidate *c,
			void (*look)(struct import_candidate *c, struct rule_word keyword,
				     struct rule_word value))
{
	struct rule_word keyword, value;
	const char *cursor = c->options;
	bool has_value;

	for (;;) {
		cursor += strspn(cursor, " \t");
		if (*cursor == ')')
			return true;
		if (!rule_next_option(&cursor, &keyword, &value, &has_value))
			return false;
		look(c, keyword, value);
	}
}

bool import_look_at(struct import_candidate *c, const struct rule_line *line)
{
	const char *cursor = line->text + strspn(line->text, " \t");

	memset(c, 0, sizeof(*c));
	c->text = cursor;
	c->place = rule_place_of(line, cursor);
	for (size_t i = 0; i < IMPORT_HEADER_WORDS; i++)
		c->header[i] = rule_next_word(&cursor);
	look_at_header(c);
	cursor += strspn(cursor, " \t");
	c->options = *cursor == '(' ? cursor + 1 : cursor + strlen(cursor);
	return each_option(c, look_at_option);
}

/* ---- what a rule without a buffer looks at ---- */

static bool is_payload(struct rule_word keyword)
{
	static const char *const names[] = {"content",   "pcre",         "isdataat", "byte_test",
					    "byte_jump", "byte_extract", "byte_math"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (rule_word_is(keyword, names[i]))
			return true;
	return false;
}

/* Does the content of a rule (as written) begin with the name of a field that heads a mail? */
static bool is_mail_field(struct rule_word value)
{
	static const char *const names[] = {"subject",  "from",       "to",         "cc",
					    "date",     "message-id", "x-mailer",   "user-agent",
					    "received", "reply-to",   "return-path"};
	struct rule_word name;

	/* Encoded words are decoded before rules see them. */
	if (value.len < 3 || value.p[0] != '"' || memmem(value.p, value.len, "=?", 2) ||
	    memmem(value.p, value.len, "0d", 2) || memmem(value.p, value.len, "0D", 2) ||
	    memmem(value.p, value.len, "0a", 2) || memmem(value.p, value.len, "0A", 2))
		return false;
	name = (struct rule_word){value.p + 1, strcspn(value.p + 1, ":|\\\"")};
	if (strncasecmp(name.p + name.len, "|3a|", 4) &&
	    strncasecmp(name.p + name.len, "|3a 20", 6))
		return false;
	if (name.len > 2 && !strncasecmp(name.p, "x-", 2))
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (name.len == strlen(names[i]) && !strncasecmp(name.p, names[i], name.len))
			return true;
	return false;
}

/* A record of TLS: its type and version. */
static bool is_tls(struct rule_word value)
{
	static const char *const types[] = {"|14", "|15", "|16", "|17", "|18"};

	if (value.len < 8 || value.p[0] != '"' ||
	    (memcmp(value.p + 4, " 03", 3) && memcmp(value.p + 4, "03", 2)))
		return false;
	for (size_t i = 0; i < 5; i++)
		if (!memcmp(value.p + 1, types[i], 3))
			return true;
	return false;
}

/* One line of a reply, and nothing of its code. */
static bool is_reply_text(struct rule_word value)
{
	return value.len > 2 && value.p[0] == '"' && isalpha((unsigned char)value.p[1]) &&
	       !memchr(value.p, '|', value.len);
}

/* What Suricata would look for in the payload, and whether all of it is of a kind. */
struct payload {
	struct rule_word first; /* keyword */
	struct rule_word contents[IMPORT_INSERTS_MAX];
	size_t count, contents_count;
	bool fields, replies; /* all are contents of this kind */
	bool tls;             /* some are of TLS */
	bool placed;          /* some stand relative to others or to the start */
};

static void payload_look(struct payload *p, struct rule_word keyword, struct rule_word value)
{
	static const char *const places[] = {"offset", "depth",      "distance",
					     "within", "startswith", "endswith"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		p->placed |= rule_word_is(keyword, places[i]);
	if (!is_payload(keyword))
		return;
	if (!p->count++)
		p->first = keyword;
	if (!rule_word_is(keyword, "content") || p->contents_count == IMPORT_INSERTS_MAX) {
		p->fields = p->replies = false;
		return;
	}
	p->contents[p->contents_count++] = keyword;
	p->tls |= is_tls(value);
	p->fields &= is_mail_field(value);
	p->replies &= is_reply_text(value);
}

static void payload_of(const struct import_candidate *c, struct payload *p)
{
	struct rule_word keyword, value;
	const char *cursor = c->options;
	bool has_value;

	*p = (struct payload){.fields = true, .replies = true};
	for (;;) {
		cursor += strspn(cursor, " \t");
		if (*cursor == ')' || !rule_next_option(&cursor, &keyword, &value, &has_value))
			return;
		payload_look(p, keyword, value);
	}
}

static void insert_add(struct import_inserts *inserts, const char *at, const char *word)
{
	inserts->list[inserts->count++] = (struct import_insert){at, word};
}

const char *import_map_payload(const struct import_candidate *c, struct import_inserts *inserts)
{
	struct payload p;

	payload_of(c, &p);
	if (c->buffers || !p.count)
		return NULL;
	if (p.tls)
		return "it looks at TLS's own records, which the gate does not read";
	if (c->sip) {
		insert_add(inserts, p.first.p, "sip.message; ");
		return NULL;
	}
	if (c->to_client && p.replies && p.count == 1 && !p.placed) {
		insert_add(inserts, p.first.p, "smtp.reply_text; ");
		return NULL;
	}
	if (!c->to_client && p.fields && !p.placed) {
		for (size_t i = 0; i < p.contents_count; i++)
			insert_add(inserts, p.contents[i].p, "email.header; ");
		return NULL;
	}
	return "it looks at the connection's raw bytes, which the gate does not keep: write it for "
	       "what they say (email.header, email.body, file.data, the smtp. buffers)";
}
