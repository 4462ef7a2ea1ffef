/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/url.h"

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

/* Is c the last byte but one of a beginning? Most colons and dots are told by this. */
static bool may_begin(uint8_t c, uint8_t last)
{
	c = ascii_lower(c);
	return last == '.' ? c == 'w' : c == 'p' || c == 's' || c == 'o';
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

		if (!bytes_caseeq(bytes_of(start, b->text.len), b->text) ||
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

static const uint8_t *find(const uint8_t *p, const uint8_t *end, uint8_t c)
{
	const uint8_t *at = memchr(p, c, (size_t)(end - p));

	return at ? at : end;
}

/* The next byte from p on that may end a beginning; colon and dot remember where one was found. */
static const uint8_t *next(const uint8_t *p, const uint8_t *end, const uint8_t **colon,
			   const uint8_t **dot)
{
	if (*colon < p)
		*colon = find(p, end, ':');
	if (*dot < p)
		*dot = find(p, end, '.');
	return *colon < *dot ? *colon : *dot;
}

void url_feed(struct url_scan *u, struct bytes text, url_found found, void *ctx)
{
	const uint8_t *p = text.p;
	const uint8_t *end = p + text.len;
	const uint8_t *colon, *dot;
	uint8_t tail[URL_TAIL];

	if (!text.len)
		return;
	colon = find(p, end, ':');
	dot = find(p, end, '.');
	while (p < end) {
		if (u->len) {
			p = collect(u, p, end, found, ctx);
			continue;
		}
		p = next(p, end, &colon, &dot);
		if (p < end)
			begin(u, text, (size_t)(++p - text.p));
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
