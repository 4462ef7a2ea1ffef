/* SPDX-License-Identifier: BSD-3-Clause */
/* A sample as SIP messages (RFC 3261). */
#include <stdio.h>
#include <string.h>

#include "tools/samples/samples_script.h"

enum { CLIENT, SERVER };

static bool has(const struct sample *s, enum rule_buffer buffer)
{
	return sample_value(s, buffer, 0);
}

static bool value_is(const struct sample *s, enum rule_buffer buffer, const char *text)
{
	const struct sample_item *item = sample_value(s, buffer, 0);

	return item && item->len == strlen(text) && memcmp(item->text, text, item->len) == 0;
}

static void put_value(struct gen_buffer *out, const struct sample *s, enum rule_buffer buffer,
		      const char *ordinary)
{
	const struct sample_item *item = sample_value(s, buffer, 0);

	if (item)
		buffer_put(out, item->text, item->len);
	else
		buffer_puts(out, ordinary);
}

/* A header with the sample's value, or with the ordinary one (NULL: none). */
static void put_header(struct gen_buffer *out, const struct sample *s, enum rule_buffer buffer,
		       const char *name, const char *ordinary)
{
	bool given = buffer != RULE_BUFFER_COUNT && has(s, buffer);

	if (!given && (!ordinary || sample_names_header(s, RULE_BUFFER_SIP_HEADER, name)))
		return;
	buffer_printf(out, "%s: ", name);
	if (given)
		put_value(out, s, buffer, "");
	else
		buffer_puts(out, ordinary);
	buffer_puts(out, "\r\n");
}

/* As many of a header as the sample has, or the ordinary one. */
static void put_many(struct gen_buffer *out, const struct sample *s, enum rule_buffer buffer,
		     const char *name, const char *ordinary)
{
	const struct sample_item *item;

	if (!has(s, buffer))
		put_header(out, s, buffer, name, ordinary);
	for (unsigned i = 0; (item = sample_value(s, buffer, i)); i++)
		buffer_printf(out, "%s: %.*s\r\n", name, (int)item->len, item->text);
}

/* What tells one request from the next (RFC 3261 17.2.3) is another each time. */
struct numbered {
	char cseq[48], via[80], from[80], call_id[64];
};

static void number(struct numbered *n, const struct sample *s, const char *method)
{
	char nth[16] = "";

	if (s->nth)
		snprintf(nth, sizeof(nth), "-%u", s->nth);
	snprintf(n->cseq, sizeof(n->cseq), "1 %.32s", method);
	snprintf(n->via, sizeof(n->via), "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKsample%s", nth);
	snprintf(n->from, sizeof(n->from), "<sip:alice@example.com>;tag=1928301774%s", nth);
	snprintf(n->call_id, sizeof(n->call_id), "a84b4c76e66710%s@example.com", nth);
}

static void put_headers(struct gen_buffer *out, const struct sample *s, const char *method)
{
	const struct sample_item *item;
	struct numbered n;

	number(&n, s, method);
	put_many(out, s, RULE_BUFFER_SIP_VIA, "Via", n.via);
	put_header(out, s, RULE_BUFFER_COUNT, "Max-Forwards", "70");
	put_header(out, s, RULE_BUFFER_SIP_FROM, "From", n.from);
	put_header(out, s, RULE_BUFFER_SIP_TO, "To", "<sip:bob@example.net>");
	put_header(out, s, RULE_BUFFER_SIP_CALL_ID, "Call-ID", n.call_id);
	put_header(out, s, RULE_BUFFER_COUNT, "CSeq", n.cseq);
	put_header(out, s, RULE_BUFFER_SIP_USER_AGENT, "User-Agent", "Phone/1.0");
	put_many(out, s, RULE_BUFFER_SIP_CONTACT, "Contact", "<sip:alice@192.0.2.1>");
	for (unsigned i = 0; (item = sample_value(s, RULE_BUFFER_SIP_HEADER, i)); i++) {
		buffer_put(out, item->text, item->len);
		buffer_puts(out, "\r\n");
	}
}

/* Lines of SDP, in the order of RFC 8866 9. */
static const struct sdp_line {
	enum rule_buffer buffer;
	const char *type, *ordinary; /* NULL: none */
} session_lines[] =
	{
		{RULE_BUFFER_SDP_ORIGIN, "o", "alice 1 1 IN IP4 192.0.2.1"},
		{RULE_BUFFER_SDP_SESSION_NAME, "s", "-"},
		{RULE_BUFFER_SDP_SESSION_INFO, "i", NULL},
		{RULE_BUFFER_SDP_URI, "u", NULL},
		{RULE_BUFFER_SDP_EMAIL, "e", NULL},
		{RULE_BUFFER_SDP_PHONE_NUMBER, "p", NULL},
		{RULE_BUFFER_SDP_CONNECTION_DATA, "c", "IN IP4 192.0.2.1"},
		{RULE_BUFFER_SDP_BANDWIDTH, "b", NULL},
		{RULE_BUFFER_SDP_TIME, "t", "0 0"},
		{RULE_BUFFER_SDP_REPEAT_TIME, "r", NULL},
		{RULE_BUFFER_SDP_TIMEZONE, "z", NULL},
		{RULE_BUFFER_SDP_ENCRYPTION_KEY, "k", NULL},
		{RULE_BUFFER_SDP_ATTRIBUTE, "a", NULL},
},
  media_lines[] = {
	  {RULE_BUFFER_SDP_MEDIA_INFO, "i", NULL},
	  {RULE_BUFFER_SDP_MEDIA_CONNECTION_DATA, "c", NULL},
	  {RULE_BUFFER_SDP_MEDIA_BANDWIDTH, "b", NULL},
	  {RULE_BUFFER_SDP_MEDIA_ENCRYPTION_KEY, "k", NULL},
	  {RULE_BUFFER_SDP_MEDIA_ATTRIBUTE, "a", NULL},
};

static bool has_sdp(const struct sample *s)
{
	for (int b = RULE_BUFFER_SDP_ORIGIN; b <= RULE_BUFFER_SDP_MEDIA_ATTRIBUTE; b++)
		if (has(s, (enum rule_buffer)b))
			return true;
	return false;
}

static void put_sdp_lines(struct gen_buffer *out, const struct sample *s,
			  const struct sdp_line *lines, size_t count)
{
	for (size_t l = 0; l < count; l++) {
		const struct sample_item *item;

		for (unsigned i = 0; (item = sample_value(s, lines[l].buffer, i)); i++)
			buffer_printf(out, "%s=%.*s\r\n", lines[l].type, (int)item->len,
				      item->text);
		if (!has(s, lines[l].buffer) && lines[l].ordinary)
			buffer_printf(out, "%s=%s\r\n", lines[l].type, lines[l].ordinary);
	}
}

/* The description that its lines make; what is of media belongs to the last m=. */
static void put_sdp(struct gen_buffer *out, const struct sample *s)
{
	static const struct sdp_line media[] = {
		{RULE_BUFFER_SDP_MEDIA_MEDIA, "m", "audio 49170 RTP/AVP 0"}};

	buffer_puts(out, "v=0\r\n");
	put_sdp_lines(out, s, session_lines, sizeof(session_lines) / sizeof(session_lines[0]));
	put_sdp_lines(out, s, media, 1);
	put_sdp_lines(out, s, media_lines, sizeof(media_lines) / sizeof(media_lines[0]));
}

static void put_body(struct gen_buffer *out, const struct sample *s, const char *type)
{
	const struct sample_item *given = sample_value(s, RULE_BUFFER_SIP_BODY, 0);
	struct gen_buffer body = {0};
	char length[24];

	if (given)
		buffer_put(&body, given->text, given->len);
	else if (has_sdp(s))
		put_sdp(&body, s);
	if (!given && body.len)
		type = "application/sdp";
	snprintf(length, sizeof(length), "%zu", body.len);
	put_header(out, s, RULE_BUFFER_SIP_CONTENT_TYPE, "Content-Type", body.len ? type : NULL);
	put_header(out, s, RULE_BUFFER_SIP_CONTENT_LENGTH, "Content-Length", length);
	buffer_puts(out, "\r\n");
	if (body.len)
		buffer_put(out, body.bytes, body.len);
	buffer_free(&body);
}

/* What the method is by itself: text goes in a MESSAGE, calls and the rest in an INVITE. */
static const char *method_of(const struct sample *s, char method[40])
{
	const struct sample_item *item = sample_value(s, RULE_BUFFER_SIP_METHOD, 0);
	const struct sample_item *line = sample_value(s, RULE_BUFFER_SIP_REQUEST_LINE, 0);

	if (item)
		snprintf(method, 40, "%.*s", (int)item->len, item->text);
	else if (line)
		snprintf(method, 40, "%.*s", (int)strcspn(line->text, " "), line->text);
	else
		snprintf(method, 40, "%s", has(s, RULE_BUFFER_SIP_BODY) ? "MESSAGE" : "INVITE");
	return method;
}

static void put_request(struct gen_buffer *out, const struct sample *s)
{
	char method[40];

	method_of(s, method);
	if (has(s, RULE_BUFFER_SIP_REQUEST_LINE)) {
		put_value(out, s, RULE_BUFFER_SIP_REQUEST_LINE, "");
	} else {
		buffer_printf(out, "%s ", method);
		put_value(out, s, RULE_BUFFER_SIP_URI, "sip:bob@example.net");
		buffer_puts(out, " ");
		put_value(out, s, RULE_BUFFER_SIP_PROTOCOL, "SIP/2.0");
	}
	buffer_puts(out, "\r\n");
	put_headers(out, s, method);
	put_body(out, s,
		 value_is(s, RULE_BUFFER_SIP_METHOD, "INVITE") ? "application/sdp"
							       : "text/plain;charset=UTF-8");
}

static void put_response(struct gen_buffer *out, const struct sample *s)
{
	if (has(s, RULE_BUFFER_SIP_RESPONSE_LINE)) {
		put_value(out, s, RULE_BUFFER_SIP_RESPONSE_LINE, "");
	} else {
		put_value(out, s, RULE_BUFFER_SIP_PROTOCOL, "SIP/2.0");
		buffer_puts(out, " ");
		put_value(out, s, RULE_BUFFER_SIP_STAT_CODE, "403");
		buffer_puts(out, " ");
		put_value(out, s, RULE_BUFFER_SIP_STAT_MSG, "Forbidden");
	}
	buffer_puts(out, "\r\n");
	put_headers(out, s, "OPTIONS");
	put_body(out, s, "text/plain");
}

static void say_ping(struct script *script, const struct sample *s)
{
	struct numbered n;

	number(&n, s, "OPTIONS");
	script_begin(script, CLIENT);
	script_says(script, CLIENT,
		    "OPTIONS sip:example.net SIP/2.0\r\n"
		    "Via: %s\r\n"
		    "From: %s\r\n"
		    "To: <sip:bob@example.net>\r\n"
		    "Call-ID: %s\r\n"
		    "CSeq: %s\r\n"
		    "Content-Length: 0\r\n\r\n",
		    n.via, n.from, n.call_id, n.cseq);
}

static void say_values(struct script *script, const struct sample *s)
{
	bool response = has(s, RULE_BUFFER_SIP_STAT_CODE) || has(s, RULE_BUFFER_SIP_STAT_MSG) ||
			has(s, RULE_BUFFER_SIP_RESPONSE_LINE);
	struct gen_buffer message = {0};

	if (has(s, RULE_BUFFER_SIP_MESSAGE)) {
		response = false;
		put_value(&message, s, RULE_BUFFER_SIP_MESSAGE, "");
	} else if (response) {
		say_ping(script, s);
		put_response(&message, s);
	} else {
		put_request(&message, s);
	}
	script_begin(script, response ? SERVER : CLIENT);
	script_say(script, response ? SERVER : CLIENT, message.bytes, message.len);
	buffer_free(&message);
}

/* Where a whole message's headers end; its length if they never do. */
static size_t head_len(const struct sample_item *item)
{
	const char *end = memmem(item->text, item->len, "\r\n\r\n", 4);

	return end ? (size_t)(end - item->text) + 2 : item->len;
}

static bool says_length(const struct sample_item *item, size_t head)
{
	for (size_t i = 0; i + 2 < head; i++)
		if (item->text[i] == '\n' &&
		    (strncasecmp(item->text + i + 1, "l:", 2) == 0 ||
		     strncasecmp(item->text + i + 1, "Content-Length", 14) == 0))
			return true;
	return false;
}

/* As it is; with its body's length, which nobody counts by hand. */
static void say_message(struct script *script, const struct sample_item *item)
{
	bool server = item->kind == SAMPLE_SIP_ANSWER;
	size_t head = head_len(item);
	char length[40];

	script_begin(script, server);
	if (says_length(item, head)) {
		script_say_item(script, server, item);
		return;
	}
	for (size_t i = 0; i < item->cut_count && script->cut_count < SCRIPT_CUTS; i++)
		script->cuts[script->cut_count++] = script->bytes.len + item->cuts[i];
	script_say(script, server, item->text, head);
	snprintf(length, sizeof(length), "Content-Length: %zu\r\n",
		 item->len > head ? item->len - head - 2 : 0);
	for (size_t i = 0; i < script->cut_count; i++)
		if (script->cuts[i] > script->bytes.len)
			script->cuts[i] += strlen(length);
	script_say(script, server, length, strlen(length));
	if (item->len > head)
		script_say(script, server, item->text + head, item->len - head);
	else
		script_say(script, server, "\r\n", 2);
}

void script_write_sip(struct script *script, const struct sample *s)
{
	if (s->items[0].kind == SAMPLE_VALUE) {
		say_values(script, s);
		return;
	}
	for (size_t i = 0; i < s->count; i++)
		say_message(script, &s->items[i]);
}
