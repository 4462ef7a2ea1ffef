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
#define LETTERS      32

/*
 * The same list by length of name and third letter (of "To", the last): one is left to
 * compare with. A test holds it complete.
 */
static const uint8_t by_shape[LONGEST_NAME + 1][LETTERS] = {
#define X(letter, id) [(letter) - 'A' + 1] = SIP_HEADER_##id
	[2] = {X('O', TO)},
	[3] = {X('A', VIA)},
	[4] = {X('O', FROM), X('E', CSEQ)},
	[5] = {X('U', ROUTE), X('E', EVENT)},
	[6] = {X('A', REASON), X('R', SERVER)},
	[7] = {X('L', CALL_ID), X('N', CONTACT), X('P', EXPIRES), X('I', PRIVACY), X('B', SUBJECT),
	       X('Q', REQUIRE), X('R', WARNING)},
	[8] = {X('E', IDENTITY), X('F', REFER_TO)},
	[9] = {X('P', SUPPORTED), X('V', DIVERSION)},
	[10] = {X('E', USER_AGENT)},
	[11] = {X('F', REFERRED_BY), X('T', RETRY_AFTER)},
	[12] = {X('N', CONTENT_TYPE), X('X', MAX_FORWARDS), X('C', RECORD_ROUTE),
		X('L', ALLOW_EVENTS)},
	[13] = {X('T', AUTHORIZATION)},
	[14] = {X('N', CONTENT_LENGTH), X('C', ACCEPT_CONTACT), X('J', REJECT_CONTACT)},
	[15] = {X('M', REMOTE_PARTY_ID), X('S', SESSION_EXPIRES)},
	[16] = {X('N', CONTENT_ENCODING), X('W', WWW_AUTHENTICATE)},
	[18] = {X('O', PROXY_AUTHENTICATE)},
	[19] = {X('A', P_ASSERTED_IDENTITY), X('Q', REQUEST_DISPOSITION),
		X('O', PROXY_AUTHORIZATION)},
	[20] = {X('P', P_PREFERRED_IDENTITY)},
#undef X
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
	if (name.len < 2 || name.len > LONGEST_NAME)
		return SIP_HEADER_OTHER;

	uint8_t letter = name.p[name.len > 2 ? 2 : 1] % LETTERS;
	uint8_t id = by_shape[name.len][letter];

	return id && bytes_caseeq(names[id], name) ? (enum sip_header_id)id : SIP_HEADER_OTHER;
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

/* A header's name, and where its colon is; NULL: it has none, or its name is no token. */
static const uint8_t *name_read(struct bytes line, struct bytes *name)
{
	size_t i = 0;

	while (i < line.len && token_chars[line.p[i]])
		i++;
	*name = bytes_of(line.p, i);
	if (i && i < line.len && line.p[i] == ':')
		return line.p + i;

	/* RFC 3261 7.3.1: white space may come before the colon. */
	const uint8_t *colon = bytes_chr(line, ':');

	if (!colon || line.p[0] == ' ' || line.p[0] == '\t')
		return NULL;
	*name = bytes_trim(bytes_of(line.p, (size_t)(colon - line.p)));
	return sip_is_token(*name) ? colon : NULL;
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

	const uint8_t *colon = name_read(line, &out->name);

	if (!colon)
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

/* Where a list's first element ends: at a comma that separates, or where all ends. */
static size_t element_end(struct bytes list)
{
	bool quoted = false, bracketed = false;
	size_t i;

	if (!bytes_chr(list, ','))
		return list.len;
	for (i = 0; i < list.len; i++) {
		uint8_t c = list.p[i];

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
	return i < list.len ? i : list.len;
}

bool sip_list_next(struct bytes *rest, struct bytes *out)
{
	while (rest->len) {
		size_t i = element_end(*rest);

		*out = bytes_trim(bytes_of(rest->p, i));
		i += i < rest->len;
		*rest = bytes_of(rest->p + i, rest->len - i);
		if (out->len)
			return true;
	}
	return false;
}
