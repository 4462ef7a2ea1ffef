/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/sip.h"

_Static_assert((int)SIP_HEADER_COUNT < 'a', "ids and letters must not meet");

static const struct bytes names[SIP_HEADER_COUNT] = {
#define X(id, name, compact) [SIP_HEADER_##id] = {(const uint8_t *)(name), sizeof(name) - 1},
	SIP_HEADERS(X)
#undef X
};

/* Compact forms by letter. Headers without one fall on their id, below 'a'. */
static const uint8_t compact_forms['z' + 1] = {
#define X(id, name, compact) [(compact) ? (compact) : SIP_HEADER_##id] = SIP_HEADER_##id,
	SIP_HEADERS(X)
#undef X
};

#define LONGEST_NAME 20
#define SAME_LEN     8

/* The same list by length of name: few are left to compare. A test holds it complete. */
static const uint8_t by_length[LONGEST_NAME + 1][SAME_LEN] = {
	[2] = {SIP_HEADER_TO},
	[3] = {SIP_HEADER_VIA},
	[4] = {SIP_HEADER_FROM, SIP_HEADER_CSEQ},
	[5] = {SIP_HEADER_ROUTE, SIP_HEADER_EVENT},
	[6] = {SIP_HEADER_REASON, SIP_HEADER_SERVER},
	[7] = {SIP_HEADER_CALL_ID, SIP_HEADER_CONTACT, SIP_HEADER_EXPIRES, SIP_HEADER_PRIVACY,
	       SIP_HEADER_SUBJECT, SIP_HEADER_REQUIRE, SIP_HEADER_WARNING},
	[8] = {SIP_HEADER_IDENTITY, SIP_HEADER_REFER_TO},
	[9] = {SIP_HEADER_SUPPORTED, SIP_HEADER_DIVERSION},
	[10] = {SIP_HEADER_USER_AGENT},
	[11] = {SIP_HEADER_REFERRED_BY, SIP_HEADER_RETRY_AFTER},
	[12] = {SIP_HEADER_CONTENT_TYPE, SIP_HEADER_MAX_FORWARDS, SIP_HEADER_RECORD_ROUTE,
		SIP_HEADER_ALLOW_EVENTS},
	[13] = {SIP_HEADER_AUTHORIZATION},
	[14] = {SIP_HEADER_CONTENT_LENGTH, SIP_HEADER_ACCEPT_CONTACT, SIP_HEADER_REJECT_CONTACT},
	[15] = {SIP_HEADER_REMOTE_PARTY_ID, SIP_HEADER_SESSION_EXPIRES},
	[16] = {SIP_HEADER_CONTENT_ENCODING, SIP_HEADER_WWW_AUTHENTICATE},
	[18] = {SIP_HEADER_PROXY_AUTHENTICATE},
	[19] = {SIP_HEADER_P_ASSERTED_IDENTITY, SIP_HEADER_REQUEST_DISPOSITION,
		SIP_HEADER_PROXY_AUTHORIZATION},
	[20] = {SIP_HEADER_P_PREFERRED_IDENTITY},
};

/* RFC 3261 25.1: token = 1*(alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / "'" / "~")
 */
static const bool token_chars[256] = {
	['0' ... '9'] = true, ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['-'] = true,
	['.'] = true,         ['!'] = true,         ['%'] = true,         ['*'] = true,
	['_'] = true,         ['+'] = true,         ['`'] = true,         ['\''] = true,
	['~'] = true,
};

bool sip_is_token_char(uint8_t c)
{
	return token_chars[c];
}

bool sip_is_token(struct bytes s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!token_chars[s.p[i]])
			return false;
	return s.len > 0;
}

int64_t sip_number_value(struct bytes s, uint64_t max)
{
	uint64_t value = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (!ascii_isdigit(s.p[i]))
			return -1;
		value = value * 10 + (s.p[i] - '0');
		if (value > max)
			return -1;
	}
	return s.len ? (int64_t)value : -1;
}

enum sip_header_id sip_header_id(struct bytes name)
{
	if (name.len == 1) {
		uint8_t c = ascii_lower(name.p[0]);

		return c >= 'a' && c <= 'z' ? compact_forms[c] : SIP_HEADER_OTHER;
	}
	if (name.len > LONGEST_NAME)
		return SIP_HEADER_OTHER;

	const uint8_t *same = by_length[name.len];

	for (int i = 0; i < SAME_LEN && same[i]; i++)
		if (bytes_caseeq(names[same[i]], name))
			return (enum sip_header_id)same[i];
	return SIP_HEADER_OTHER;
}

const char *sip_header_name(enum sip_header_id id)
{
	return id == SIP_HEADER_OTHER ? "" : (const char *)names[id].p;
}

/* Takes a line with its end off the front of *rest. *ended: there was a line end. */
static struct bytes line_next(struct bytes *rest, bool *ended, uint32_t *flags)
{
	const uint8_t *lf = bytes_chr(*rest, '\n');
	size_t taken = lf ? (size_t)(lf - rest->p) + 1 : rest->len;
	struct bytes line = {rest->p, lf ? taken - 1 : taken};

	*ended = lf != NULL;
	if (lf) {
		if (line.len && line.p[line.len - 1] == '\r')
			line.len--;
		else
			*flags |= SIP_FLAG_BARE_LF;
	}
	*rest = bytes_of(rest->p + taken, rest->len - taken);
	return line;
}

enum sip_header_next sip_header_next(struct bytes *rest, struct sip_header *out, uint32_t *flags)
{
	bool ended;

	if (rest->len == 0)
		return SIP_HEADER_UNEND;

	struct bytes line = line_next(rest, &ended, flags);

	/* A lone CR at the very end is half an empty line. */
	if (line.len == 0 || (!ended && line.len == 1 && line.p[0] == '\r'))
		return ended ? SIP_HEADER_END : SIP_HEADER_UNEND;

	out->folded = false;
	/* RFC 3261 7.3.1: a line that begins with white space continues the one before. */
	while (ended && rest->len && (rest->p[0] == ' ' || rest->p[0] == '\t')) {
		struct bytes more = line_next(rest, &ended, flags);

		line.len = (size_t)(more.p + more.len - line.p);
		out->folded = true;
	}

	const uint8_t *colon = bytes_chr(line, ':');

	if (!colon || line.p[0] == ' ' || line.p[0] == '\t')
		return SIP_HEADER_BAD;
	out->name = bytes_trim(bytes_of(line.p, (size_t)(colon - line.p)));
	if (!sip_is_token(out->name))
		return SIP_HEADER_BAD;
	out->value = bytes_trim(bytes_of(colon + 1, (size_t)(line.p + line.len - colon - 1)));
	out->id = (uint8_t)sip_header_id(out->name);
	/* A fold before the value's first or after its last character is trimmed off. */
	out->folded = out->folded && bytes_chr(out->value, '\n');
	return SIP_HEADER_FOUND;
}

size_t sip_header_unfold(struct bytes value, char *buf, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < value.len && n < size; i++) {
		if (value.p[i] != '\r' && value.p[i] != '\n') {
			buf[n++] = (char)value.p[i];
			continue;
		}
		/* White space around the line end belongs to the fold. */
		while (n && (buf[n - 1] == ' ' || buf[n - 1] == '\t'))
			n--;
		while (i + 1 < value.len && sip_is_lws(value.p[i + 1]))
			i++;
		buf[n++] = ' ';
	}
	return n;
}

bool sip_list_next(struct bytes *rest, struct bytes *out)
{
	while (rest->len) {
		bool quoted = false, bracketed = false;
		size_t i;

		for (i = 0; i < rest->len; i++) {
			uint8_t c = rest->p[i];

			if (quoted && c == '\\')
				i++;
			else if (c == '"' && !bracketed)
				quoted = !quoted;
			else if (!quoted && c == '<')
				bracketed = true;
			else if (!quoted && c == '>')
				bracketed = false;
			else if (!quoted && !bracketed && c == ',')
				break;
		}
		if (i > rest->len)
			i = rest->len;
		*out = bytes_trim(bytes_of(rest->p, i));
		i += i < rest->len;
		*rest = bytes_of(rest->p + i, rest->len - i);
		if (out->len)
			return true;
	}
	return false;
}
