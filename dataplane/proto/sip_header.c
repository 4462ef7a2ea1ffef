/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/sip.h"

#ifdef __SSE2__
#include <immintrin.h>
#endif

_Static_assert((int)SIP_HEADER_COUNT < 'a', "ids and letters must not meet");

static const char names[SIP_HEADER_COUNT][24] = {
#define X(id, name, compact) [SIP_HEADER_##id] = name,
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

/*
 * Where two differ in more than the case of letters. Known names are of letters, which have
 * bit 0x40, and of '-'.
 */
static uint64_t words_differ(const void *p, const char *name)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	uint64_t a, b;

	memcpy(&a, p, sizeof(a));
	memcpy(&b, name, sizeof(b));
	return (a ^ b) & ~((b & 0x40 * each) >> 1);
}

/* Both of the same length, LONGEST_NAME at most. */
static bool is_name(struct bytes s, const char *name)
{
	if (s.len <= 8)
		return bytes_caseeq(s, bytes_of(name, s.len));
	return !(words_differ(s.p, name) | words_differ(s.p + s.len - 8, name + s.len - 8)) &&
	       (s.len <= 16 || !words_differ(s.p + 8, name + 8));
}

/* The one header that it can be, by the length of its name, two at least, and a letter. */
static uint8_t id_by_shape(const uint8_t *p, size_t len)
{
	return by_shape[len][p[len > 2 ? 2 : 1] % LETTERS];
}

static enum sip_header_id compact_id(uint8_t c)
{
	c = ascii_lower(c);
	return c >= 'a' && c <= 'z' ? compact_forms[c] : SIP_HEADER_OTHER;
}

enum sip_header_id sip_header_id(struct bytes name)
{
	if (name.len == 1)
		return compact_id(name.p[0]);
	if (name.len < 2 || name.len > LONGEST_NAME)
		return SIP_HEADER_OTHER;

	uint8_t id = id_by_shape(name.p, name.len);

	return id && is_name(name, names[id]) ? (enum sip_header_id)id : SIP_HEADER_OTHER;
}

const char *sip_header_name(enum sip_header_id id)
{
	return names[id];
}

/* A line without its end. */
struct line {
	struct bytes text;
	size_t colon; /* where its first one is, if among the first NEAR bytes; or anything beyond
		       */
	bool ended;
};

#define NEAR 16

#ifdef __SSE2__

static uint32_t mask16(const uint8_t *p, char c)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);

	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
}

static uint64_t mask64(const uint8_t *p, char c)
{
	return mask16(p, c) | mask16(p + 16, c) << 16 |
	       (uint64_t)(mask16(p + 32, c) | mask16(p + 48, c) << 16) << 32;
}

/* The first LF, or NULL. Most lines are shorter than a look: no branch depends on how long they
 * are. */
static const uint8_t *line_find(struct bytes rest, size_t *colon)
{
	const uint8_t *p = rest.p, *end = rest.p + rest.len;

	*colon = SIZE_MAX;
	if (rest.len < NEAR)
		return bytes_chr(rest, '\n');
	*colon = (size_t)__builtin_ctz(mask16(p, ':') | 1 << NEAR);
	for (; end - p >= 64; p += 64) {
		uint64_t ends = mask64(p, '\n');

		if (ends)
			return p + __builtin_ctzll(ends);
	}
	for (; end - p >= 16; p += 16) {
		uint32_t ends = mask16(p, '\n');

		if (ends)
			return p + __builtin_ctz(ends);
	}

	/* The last ones by a look that ends with them; what it has seen before falls out. */
	uint32_t ends = mask16(end - 16, '\n') >> (16 - (end - p));

	return ends ? p + __builtin_ctz(ends) : NULL;
}

#else

static const uint8_t *line_find(struct bytes rest, size_t *colon)
{
	*colon = SIZE_MAX; /* unknown: the name is looked for byte by byte */
	return bytes_chr(rest, '\n');
}

#endif

/* The id of a name in a line of NEAR bytes or more that can be read, whatever they are. */
static enum sip_header_id id_near(const uint8_t *p, size_t len)
{
	/* Bytes of a name, and none of what follows it. */
	static const uint8_t masks[2 * NEAR] = {[0 ... NEAR - 1] = 0xff};
	uint64_t mask[2];
	uint8_t id;

	if (len < 2)
		return len ? compact_id(p[0]) : SIP_HEADER_OTHER;
	memcpy(mask, masks + NEAR - len, sizeof(mask));
	id = id_by_shape(p, len);
	return (words_differ(p, names[id]) & mask[0]) |
			       (words_differ(p + 8, names[id] + 8) & mask[1])
		       ? SIP_HEADER_OTHER
		       : (enum sip_header_id)id;
}

/* Takes a line with its end off the front of *rest. */
static inline struct line line_next(struct bytes *rest, uint32_t *flags)
{
	struct line line = {.text = *rest};
	const uint8_t *lf = line_find(*rest, &line.colon);

	if (!lf) {
		*rest = bytes_of(rest->p + rest->len, 0);
		return line;
	}
	line.ended = true;
	line.text.len = (size_t)(lf - rest->p);
	*rest = bytes_of(lf + 1, rest->len - line.text.len - 1);
	if (line.text.len && lf[-1] == '\r')
		line.text.len--;
	else
		*flags |= SIP_FLAG_BARE_LF;
	return line;
}

/* A header's name and id, and where its colon is; NULL: it has none, or its name is no token. */
static inline const uint8_t *name_read(const struct line *line, struct sip_header *out)
{
	struct bytes text = line->text;

	if (line->colon < text.len) {
		out->name = bytes_of(text.p, line->colon);
		out->id = (uint8_t)id_near(text.p, line->colon);
		if (out->id != SIP_HEADER_OTHER)
			return text.p + line->colon;
	}

	const uint8_t *colon = bytes_chr(text, ':');

	if (!colon || text.p[0] == ' ' || text.p[0] == '\t')
		return NULL;
	/* RFC 3261 7.3.1: white space may come before the colon. */
	out->name = bytes_trim(bytes_of(text.p, (size_t)(colon - text.p)));
	out->id = (uint8_t)sip_header_id(out->name);
	return sip_is_token(out->name) ? colon : NULL;
}

enum sip_header_next sip_header_next(struct bytes *rest, struct sip_header *out, uint32_t *flags)
{
	if (rest->len == 0)
		return SIP_HEADER_UNEND;

	struct line line = line_next(rest, flags);
	struct bytes *text = &line.text;

	/* A lone CR at the very end is half an empty line. */
	if (text->len == 0 || (!line.ended && text->len == 1 && text->p[0] == '\r'))
		return line.ended ? SIP_HEADER_END : SIP_HEADER_UNEND;

	out->folded = false;
	/* RFC 3261 7.3.1: a line that begins with white space continues the one before. */
	while (line.ended && rest->len && (rest->p[0] == ' ' || rest->p[0] == '\t')) {
		struct line more = line_next(rest, flags);

		line.ended = more.ended;
		text->len = (size_t)(more.text.p + more.text.len - text->p);
		out->folded = true;
	}

	const uint8_t *colon = name_read(&line, out);

	if (!colon)
		return SIP_HEADER_BAD;
	out->value = bytes_trim(bytes_of(colon + 1, (size_t)(text->p + text->len - colon - 1)));
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
