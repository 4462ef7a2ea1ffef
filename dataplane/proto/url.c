/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/url.h"
#include "dataplane/proto/bytes_wide.h"

struct beginning {
	struct bytes text; /* lower case; its last byte is ':' or '.' */
	bool slashes;
	bool word; /* only where no letter or digit is before it */
};

#define BEGINNING(literal)                                      \
	{                                                       \
		(const uint8_t *)(literal), sizeof(literal) - 1 \
	}

static const struct beginning beginnings[] = {
	{BEGINNING("https:"), true, false}, {BEGINNING("http:"), true, false},
	{BEGINNING("ftp:"), true, true},    {BEGINNING("mailto:"), false, true},
	{BEGINNING("www."), false, true},
};

static bool is_alnum(uint8_t c)
{
	c = ascii_lower(c);
	return ascii_isdigit(c) || (c >= 'a' && c <= 'z');
}

void url_init(struct url_scan *u)
{
	u->len = 0;
	memset(u->tail, ' ', sizeof(u->tail));
}

/* The `n` ≤ URL_TAIL bytes of the text that end at text.p + end, from the tail if need be. */
static void look_back(const struct url_scan *u, struct bytes text, size_t end, uint8_t *out,
		      size_t n)
{
	size_t here = end < n ? end : n;

	memcpy(out, u->tail + URL_TAIL - (n - here), n - here);
	memcpy(out + n - here, text.p + end - here, here);
}

/* Are these the last two bytes of a beginning? Nearly all of a text is told by this. */
static bool may_begin(uint8_t before, uint8_t c)
{
	before |= 0x20; /* lower case, if it is a letter */
	return c == ':' ? before == 'p' || before == 's' || before == 'o'
			: c == '.' && before == 'w';
}

/* Begins a URL if what ends before text.p + end is how one begins. */
static void begin(struct url_scan *u, struct bytes text, size_t end)
{
	uint8_t back[URL_TAIL];

	if (!may_begin(end > 1 ? text.p[end - 2] : u->tail[URL_TAIL - 1], text.p[end - 1]))
		return;
	look_back(u, text, end, back, URL_TAIL);
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
		const struct beginning *b = &beginnings[i];
		const uint8_t *start = back + URL_TAIL - b->text.len;

		if (b->text.p[b->text.len - 2] != (back[URL_TAIL - 2] | 0x20) ||
		    !bytes_caseeq(bytes_of(start, b->text.len), b->text) ||
		    (b->word && is_alnum(start[-1])))
			continue;
		memcpy(u->url, start, b->text.len);
		u->len = u->prefix = (uint16_t)b->text.len;
		u->slashes = b->slashes;
		u->in_quote = start[-1] == '\'';
		u->round = u->square = 0;
		u->cut = false;
		return;
	}
}

static bool bracket_ends(uint8_t *open, bool opens)
{
	if (opens) {
		*open += *open < UINT8_MAX;
		return false;
	}
	if (!*open)
		return true;
	--*open;
	return false;
}

/* Is c none of the URL's? RFC 3986 2 and appendix C, as loosely as readers take them. */
static bool ends_at(struct url_scan *u, uint8_t c)
{
	switch (c) {
	case '"':
	case '<':
	case '>':
	case '`':
	case 0x7f:
		return true;
	case '\'':
		return u->in_quote;
	case '(':
	case ')':
		return bracket_ends(&u->round, c == '(');
	case '[':
	case ']':
		return bracket_ends(&u->square, c == '[');
	default:
		return c <= ' ';
	}
}

/* "http:" without its slashes is no URL; seen at the byte that is none. */
static bool lacks_slashes(const struct url_scan *u, uint8_t c)
{
	return u->slashes && u->len < u->prefix + 2 && c != '/';
}

/* Bytes that are always a URL's own: letters, digits, most of RFC 3986's punctuation, 8-bit. */
static const bool plain[256] = {
	['!'] = true,         ['#' ... '&'] = true, ['*' ... ';'] = true,
	['='] = true,         ['?' ... 'Z'] = true, ['\\'] = true,
	['^' ... '_'] = true, ['a' ... '~'] = true, [0x80 ... 0xff] = true,
};

static bool is_sentence_end(uint8_t c)
{
	return c && strchr(".,;:!?'*", c);
}

/* Takes "&amp;" for '&' (HTML 4.01 B.2.2), in place. */
static size_t unescape(uint8_t *p, size_t len)
{
	size_t n = 0;

	if (!memchr(p, '&', len))
		return len;
	for (size_t i = 0; i < len; i++) {
		p[n++] = p[i];
		if (p[i] == '&' && len - i > 4 && memcmp(p + i, "&amp;", 5) == 0)
			i += 4;
	}
	return n;
}

static void finish(struct url_scan *u, url_found found, void *ctx)
{
	size_t least = u->prefix + (u->slashes ? 2u : 0u);
	size_t len = u->len;

	u->len = 0;
	while (!u->cut && len > least && is_sentence_end(u->url[len - 1]))
		len--;
	if (len > least)
		found(ctx, bytes_of(u->url, unescape(u->url, len)), u->cut);
}

static void append(struct url_scan *u, const uint8_t *p, size_t n)
{
	size_t room = URL_MAX - (size_t)u->len;

	if (n > room) {
		u->cut = true;
		n = room;
	}
	memcpy(u->url + u->len, p, n);
	u->len = (uint16_t)(u->len + n);
}

/* Goes on with a URL; returns the first byte that is not its own. */
static const uint8_t *collect(struct url_scan *u, const uint8_t *p, const uint8_t *end,
			      url_found found, void *ctx)
{
	while (p < end) {
		const uint8_t *start = p;

		if (lacks_slashes(u, *p)) {
			u->len = 0;
			return p;
		}
		if (u->slashes && u->len < u->prefix + 2) {
			append(u, p++, 1);
			continue;
		}
		while (p < end && plain[*p])
			p++;
		append(u, start, (size_t)(p - start));
		if (p == end)
			break;
		if (ends_at(u, *p)) {
			finish(u, found, ctx);
			return p;
		}
		append(u, p++, 1);
	}
	return p;
}

static bool may_end(uint8_t c)
{
	return c == ':' || c == '.';
}

/* Prose has few colons, but many dots. */
BYTES_WIDE_CPU static inline wide_places is_end(const uint8_t *p)
{
	return wide_byte(p, ':') | (wide_byte(p, '.') & wide_letter(p - 1, 'w'));
}

BYTES_WIDE_CPU static size_t next_wide(const uint8_t *p, size_t len)
{
	return wide_find(p, len, is_end);
}

/* The next place from i on where a beginning may end, or the text's end. */
static size_t next(struct bytes text, size_t i)
{
	if (i == 0 && may_end(text.p[0]))
		return 0;
	if (text.len - i > BYTES_WIDE && bytes_has_wide()) {
		i -= i > 0; /* its own place is one behind the first */
		return i + next_wide(text.p + i, text.len - i);
	}
	while (i < text.len && !may_end(text.p[i]))
		i++;
	return i;
}

void url_feed(struct url_scan *u, struct bytes text, url_found found, void *ctx)
{
	const uint8_t *end = text.p + text.len;
	uint8_t tail[URL_TAIL];
	size_t i = 0;

	if (!text.len)
		return;
	while (i < text.len) {
		if (u->len) {
			i = (size_t)(collect(u, text.p + i, end, found, ctx) - text.p);
			continue;
		}
		i = next(text, i);
		if (i < text.len)
			begin(u, text, ++i);
	}

	look_back(u, text, text.len, tail, URL_TAIL);
	memcpy(u->tail, tail, URL_TAIL);
}

void url_finish(struct url_scan *u, url_found found, void *ctx)
{
	if (u->len)
		finish(u, found, ctx);
	url_init(u);
}
