/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/feedback/feedback.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "bpf/list.h"
#include "control/base/utf8.h"
#include "dataplane/smtp/bounce.h"

static const char *const sources[] = {
#define X(id, name, ...) name,
	FEEDBACK_SOURCES(X)
#undef X
};
static const char *const kinds[] = {
#define X(id, name, ...) name,
	FEEDBACK_KINDS(X)
#undef X
};

const char *feedback_source_name(enum feedback_source source)
{
	return sources[source];
}

const char *feedback_kind_name(enum feedback_kind kind)
{
	return kinds[kind];
}

enum feedback_kind feedback_kind_find(const char *name)
{
	unsigned i = 0;

	while (i < FEEDBACK_KIND_COUNT && strcmp(kinds[i], name) != 0)
		i++;
	return (enum feedback_kind)i;
}

enum feedback_source feedback_source_find(const char *name)
{
	unsigned i = 0;

	while (i < FEEDBACK_SOURCE_COUNT && strcmp(sources[i], name) != 0)
		i++;
	return (enum feedback_source)i;
}

size_t feedback_message_id(struct bytes value, char out[FEEDBACK_ID])
{
	const uint8_t *open = bytes_chr(value, '<'), *close;
	size_t n = 0;

	if (open) {
		value = bytes_of(open + 1, (size_t)(value.p + value.len - open) - 1);
		close = bytes_chr(value, '>');
		value.len = close ? (size_t)(close - value.p) : value.len;
	}
	for (size_t i = 0; i < value.len && n + 1 < FEEDBACK_ID; i++) {
		const uint8_t c = value.p[i];

		if (c > ' ')
			out[n++] = c < 0x7f ? (char)c : '?';
	}
	out[n] = '\0';
	return n;
}

void feedback_text(struct bytes value, char *out, size_t size)
{
	bool blank = false;
	size_t n = 0;

	for (size_t i = 0, len; i < value.len; i += len) {
		const uint8_t c = value.p[i];
		const size_t is = c < 0x80 ? 1 : utf8_len(value.p + i, value.len - i);

		len = is ? is : 1;
		if (c <= ' ') {
			blank = n > 0;
			continue;
		}
		if (n + blank + len >= size)
			break;
		if (blank)
			out[n++] = ' ';
		blank = false;
		if (!is || c == 0x7f)
			out[n++] = '?';
		else
			memcpy(out + n, value.p + i, len);
		n += is && c != 0x7f ? len : 0;
	}
	out[n] = '\0';
}

void feedback_address(struct bytes value, char out[FEEDBACK_ADDRESS])
{
	const uint8_t *semicolon, *at;

	value = bytes_trim(value);
	/* RFC 3464 2.1.2: "rfc822; user@example.org"; a quoted local part may hold a semicolon. */
	semicolon = bytes_chr(value, ';');
	at = bytes_chr(value, '@');
	if (semicolon && (!at || semicolon < at) && value.p[0] != '"' && value.p[0] != '<')
		value = bytes_trim(
			bytes_of(semicolon + 1, (size_t)(value.p + value.len - semicolon) - 1));
	if (value.len >= 2 && value.p[0] == '<' && value.p[value.len - 1] == '>')
		value = bytes_of(value.p + 1, value.len - 2);
	feedback_text(value, out, FEEDBACK_ADDRESS);
}

void feedback_ip(struct bytes value, char out[FEEDBACK_IP])
{
	struct in6_addr address;
	char text[FEEDBACK_IP];
	int family;

	out[0] = '\0';
	value = bytes_trim(value);
	if (value.len >= 2 && value.p[0] == '[' && value.p[value.len - 1] == ']')
		value = bytes_of(value.p + 1, value.len - 2);
	if (bytes_case_starts(value, BYTES("IPv6:")))
		value = bytes_of(value.p + 5, value.len - 5);
	if (value.len >= sizeof(text))
		return;
	snprintf(text, sizeof(text), "%.*s", (int)value.len, (const char *)value.p);
	family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(family, text, &address) == 1)
		inet_ntop(family, &address, out, FEEDBACK_IP);
}

void feedback_without_addresses(const char *text, char *out, size_t size)
{
	static const char ends[] = " <>()[]{},;:\"'", mark[] = "[address]";
	size_t n = 0;

	while (*text) {
		size_t len = strcspn(text, ends);
		const bool is_address = memchr(text, '@', len) != NULL;
		const char *word = is_address ? mark : text;
		size_t word_len = is_address ? strlen(mark) : len ? len : 1;

		if (n + word_len >= size)
			break;
		memcpy(out + n, word, word_len);
		n += word_len;
		text += len ? len : 1;
	}
	out[n] = '\0';
}

/* "550 ", "550-" */
static unsigned code_of(struct bytes s)
{
	if (s.len < 3 || s.p[0] < '2' || s.p[0] > '5' || !ascii_isdigit(s.p[1]) ||
	    !ascii_isdigit(s.p[2]))
		return 0;
	if (s.len > 3 && s.p[3] != ' ' && s.p[3] != '-')
		return 0;
	return (unsigned)(s.p[0] - '0') * 100 + (unsigned)(s.p[1] - '0') * 10 +
	       (unsigned)(s.p[2] - '0');
}

/*
 * The enhanced code that begins s, of the reply code's class (as the gate's parser strips it): its
 * length, 0 if there is none.
 */
static size_t enhanced_len(struct bytes s, unsigned code)
{
	size_t n = 0;

	if (s.len < 5 || s.p[0] != '0' + code / 100 || s.p[1] != '.')
		return 0;
	for (unsigned part = 1; part < 3; part++) {
		size_t digits = 0;

		n += part == 1 ? 2 : 1;
		while (n < s.len && digits < 3 && ascii_isdigit(s.p[n])) {
			n++;
			digits++;
		}
		if (!digits || (part == 1 && (n >= s.len || s.p[n] != '.')))
			return 0;
	}
	return n == s.len || s.p[n] == ' ' ? n : 0;
}

/*
 * Postfix and the writers of Diagnostic-Code put a reply's lines into one: every "550-5.7.1 " in it
 * that repeats the first one's code is the begin of a line (POLICY: first strip, then join).
 */
void feedback_reply(struct bytes reply, char *out, size_t size, unsigned *code)
{
	char text[2 * FEEDBACK_TEXT];
	unsigned first;
	size_t n = 0;

	reply = bytes_trim(reply);
	first = code_of(reply);
	for (size_t i = 0; i < reply.len && n < sizeof(text);) {
		const bool begins = i == 0 || reply.p[i - 1] == ' ' || reply.p[i - 1] == '\n';
		struct bytes rest = bytes_of(reply.p + i, reply.len - i);

		if (first && begins && code_of(rest) == first && (i == 0 || rest.len > 3)) {
			i += rest.len > 3 ? 4 : 3;
			rest = bytes_of(reply.p + i, reply.len - i);
			i += enhanced_len(rest, first);
			continue;
		}
		text[n++] = (char)reply.p[i++];
	}
	feedback_text(bytes_of(text, n), out, size);
	if (code)
		*code = first;
}

enum feedback_kind feedback_failure(unsigned code, const char *status, const char *text)
{
	unsigned class = 0, subject = 0, detail = 0;

	if (sscanf(status, "%1u.%3u.%3u", &class, &subject, &detail) != 3)
		class = subject = detail = 0;
	if (!code && class)
		code = class * 100 + 50; /* no reply, but a class is one's first digit */
	return bounce_is_hard(code, class, subject, detail, bytes_of(text, strlen(text)))
		       ? FEEDBACK_HARD
		       : FEEDBACK_SOFT;
}
