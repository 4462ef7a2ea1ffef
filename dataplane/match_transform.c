/* SPDX-License-Identifier: BSD-3-Clause */
/* What transforms make of a buffer that lies there whole. Each works where the one before left it.
 */
#include <string.h>

#include "dataplane/match_digest.h"
#include "dataplane/match_internal.h"
#include "dataplane/proto/bytes.h"

static bool is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t to_lower(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = ascii_lower(p[i]);
	return len;
}

static size_t to_upper(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] >= 'a' && p[i] <= 'z')
			p[i] &= (uint8_t)~0x20;
	return len;
}

static size_t strip(uint8_t *p, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (!is_blank(p[i]))
			p[n++] = p[i];
	return n;
}

static size_t compress(uint8_t *p, size_t len)
{
	bool before = false; /* p[n - 1] may be this byte already */
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bool blank = is_blank(p[i]);

		if (!blank || !before)
			p[n++] = p[i];
		before = blank;
	}
	return n;
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What is no %HH stays as it is. */
static size_t url_decode(uint8_t *p, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int hi = p[i] == '%' && i + 2 < len ? hex_value(p[i + 1]) : -1;
		int lo = hi >= 0 ? hex_value(p[i + 2]) : -1;

		if (lo >= 0) {
			p[n++] = (uint8_t)(hi << 4 | lo);
			i += 2;
		} else {
			p[n++] = p[i] == '+' ? ' ' : p[i];
		}
	}
	return n;
}

static size_t header_lower(uint8_t *p, size_t len)
{
	const uint8_t *colon = len ? memchr(p, ':', len) : NULL;

	to_lower(p, colon ? (size_t)(colon - p) : len);
	return len;
}

static size_t dot_before(uint8_t *p, size_t len)
{
	memmove(p + 1, p, len);
	p[0] = '.';
	return len + 1;
}

static size_t digest(enum rule_transform transform, uint8_t *p, size_t len)
{
	struct match_digests d;

	match_digests_init(&d, 1u << transform);
	match_digests_update(&d, p, len);
	return match_digests_end(&d, transform, p);
}

static size_t transform_one(enum rule_transform transform, uint8_t *p, size_t len)
{
	switch (transform) {
	case RULE_TRANSFORM_TO_LOWERCASE:
		return to_lower(p, len);
	case RULE_TRANSFORM_TO_UPPERCASE:
		return to_upper(p, len);
	case RULE_TRANSFORM_STRIP_WHITESPACE:
		return strip(p, len);
	case RULE_TRANSFORM_COMPRESS_WHITESPACE:
		return compress(p, len);
	case RULE_TRANSFORM_DOTPREFIX:
		return dot_before(p, len);
	case RULE_TRANSFORM_URL_DECODE:
		return url_decode(p, len);
	case RULE_TRANSFORM_HEADER_LOWERCASE:
		return header_lower(p, len);
	case RULE_TRANSFORM_TO_MD5:
	case RULE_TRANSFORM_TO_SHA1:
	case RULE_TRANSFORM_TO_SHA256:
		return digest(transform, p, len);
	case RULE_TRANSFORM_COUNT:
		break;
	}
	return len;
}

bool match_transform(const struct ruleset_lane *lane, unsigned first, const uint8_t *p, size_t len,
		     uint8_t *into, const uint8_t **out, size_t *out_len)
{
	/* A dot may come with each. */
	if (len + lane->count > MATCH_TRANSFORM_MAX + RULESET_TRANSFORMS)
		return false;
	if (len)
		memcpy(into, p, len);
	for (unsigned i = first; i < lane->count; i++)
		len = transform_one((enum rule_transform)lane->transform[i], into, len);
	*out = into;
	*out_len = len;
	return true;
}
