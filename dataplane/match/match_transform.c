/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What transforms make of a buffer. Those of pieces are filters with a few bytes of state; over a
 * buffer that lies there whole each works where the one before left it.
 */
#include <string.h>

#include "dataplane/match/match_digest.h"
#include "dataplane/match/match_internal.h"
#include "dataplane/proto/bytes.h"

static bool is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t to_lower(const uint8_t *p, size_t len, uint8_t *out)
{
	for (size_t i = 0; i < len; i++)
		out[i] = ascii_lower(p[i]);
	return len;
}

static size_t to_upper(const uint8_t *p, size_t len, uint8_t *out)
{
	for (size_t i = 0; i < len; i++)
		out[i] = ascii_upper(p[i]);
	return len;
}

static size_t strip(const uint8_t *p, size_t len, uint8_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (!is_blank(p[i]))
			out[n++] = p[i];
	return n;
}

static size_t compress(struct match_filter *f, const uint8_t *p, size_t len, uint8_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = p[i]; /* out[n - 1] may be this byte */
		bool blank = is_blank(c);

		if (!blank || !f->flag)
			out[n++] = c;
		f->flag = blank;
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

/* One byte more: up to three come out. What is no %HH stays as it is. */
static size_t url_decode_byte(struct match_filter *f, uint8_t c, uint8_t *out)
{
	size_t n = 0;

	if (f->count && hex_value(c) >= 0) {
		f->held[f->count++ - 1] = c;
		if (f->count < 3)
			return 0;
		f->count = 0;
		out[0] = (uint8_t)(hex_value(f->held[0]) << 4 | hex_value(f->held[1]));
		return 1;
	}
	n = match_filter_end(f, out);
	if (c == '%')
		f->count = 1;
	else
		out[n++] = c == '+' ? ' ' : c;
	return n;
}

/* Here `count` is of the '%' and a digit behind it, which `held` has. */
size_t match_filter_end(struct match_filter *f, uint8_t *out)
{
	size_t n = f->count;

	if (n > 0)
		out[0] = '%';
	if (n > 1)
		out[1] = f->held[0];
	f->count = 0;
	return n;
}

/* Nothing is written over that is still to be read: what was held came out of these very bytes. */
static size_t url_decode(struct match_filter *f, const uint8_t *p, size_t len, uint8_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += url_decode_byte(f, p[i], out + n);
	return n;
}

/* As Suricata's: the name of each line. */
static size_t header_lower(struct match_filter *f, const uint8_t *p, size_t len, uint8_t *out)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t c = p[i];

		out[i] = f->flag ? c : ascii_lower(c);
		f->flag = c != '\n' && (f->flag || c == ':');
	}
	return len;
}

static size_t xor_key(struct match_filter *f, const uint8_t *key, uint32_t key_len,
		      const uint8_t *p, size_t len, uint8_t *out)
{
	for (size_t i = 0; i < len; i++) {
		out[i] = p[i] ^ key[f->at];
		f->at = f->at + 1 == key_len ? 0 : f->at + 1;
	}
	return len;
}

size_t match_filter(struct match_filter *f, enum rule_transform transform, struct ruleset_str key,
		    const char *strings, const uint8_t *p, size_t len, uint8_t *out)
{
	switch (transform) {
	case RULE_TRANSFORM_TO_LOWERCASE:
		return to_lower(p, len, out);
	case RULE_TRANSFORM_TO_UPPERCASE:
		return to_upper(p, len, out);
	case RULE_TRANSFORM_STRIP_WHITESPACE:
		return strip(p, len, out);
	case RULE_TRANSFORM_COMPRESS_WHITESPACE:
		return compress(f, p, len, out);
	case RULE_TRANSFORM_URL_DECODE:
		return url_decode(f, p, len, out);
	case RULE_TRANSFORM_HEADER_LOWERCASE:
		return header_lower(f, p, len, out);
	case RULE_TRANSFORM_XOR:
		return xor_key(f, (const uint8_t *)strings + key.offset, key.len, p, len, out);
	default: /* the image was checked: none of pieces */
		return 0;
	}
}

/* Whole buffers ------------------------------------------------------------ */

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

static int digit_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters, padding among them maybe: up to three bytes. 0: they are none. */
static size_t decode_four(const uint8_t four[4], bool strict, uint8_t *out)
{
	int a = digit_value(four[0]), b = digit_value(four[1]), c = digit_value(four[2]),
	    d = digit_value(four[3]);
	size_t n = four[2] == '=' ? 1 : four[3] == '=' ? 2 : 3;

	if (a < 0 || b < 0 || (n > 1 && c < 0) || (n > 2 && d < 0) ||
	    (strict && ((n == 1 && (four[3] != '=' || (b & 15))) || (n == 2 && (c & 3)))))
		return 0;
	out[0] = (uint8_t)(a << 2 | b >> 4);
	if (n > 1)
		out[1] = (uint8_t)(b << 4 | c >> 2);
	if (n > 2)
		out[2] = (uint8_t)(c << 6 | d);
	return n;
}

/*
 * In place. rfc4648: up to the first byte of another alphabet; rfc2045: those are passed over, and
 * a last group that is not whole is left out; strict: all of it, padded, or nothing. 0: it is none.
 */
static size_t decode_base64(uint8_t *p, size_t len, uint32_t mode)
{
	uint8_t four[4];
	size_t n = 0, have = 0, got = 3;

	if (mode == RULE_BASE64_STRICT && len % 4)
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (digit_value(p[i]) < 0 && p[i] != '=') {
			if (mode == RULE_BASE64_RFC2045)
				continue;
			if (mode == RULE_BASE64_STRICT)
				return 0;
			break;
		}
		four[have++] = p[i];
		if (have < 4)
			continue;
		if (mode == RULE_BASE64_STRICT && got < 3) /* something behind the padding */
			return 0;
		got = decode_four(four, mode == RULE_BASE64_STRICT, p + n);
		if (!got)
			return 0;
		n += got;
		have = 0;
	}
	if (!have || mode != RULE_BASE64_RFC4648)
		return n;
	while (have < 4)
		four[have++] = '=';
	got = decode_four(four, false, p + n);
	return got ? n + got : 0;
}

/* What can't be decoded stays as it is, as in Suricata. */
static size_t from_base64(const struct ruleset_argument *a, uint8_t *p, size_t len, uint8_t *spare)
{
	size_t from = a->offset, bytes = a->bytes, n;

	if (from > len || bytes > len - from)
		return len;
	bytes = bytes ? bytes : len - from;
	memcpy(spare, p + from, bytes);
	n = decode_base64(spare, bytes, a->mode);
	if (!n)
		return len;
	memcpy(p, spare, n);
	return n;
}

static size_t leave_group(const struct matcher *m, const struct ruleset_argument *a, uint8_t *p,
			  size_t len)
{
	const PCRE2_SIZE *found = pcre2_get_ovector_pointer(m->state->group);
	int rc = pcre2_match(m->ruleset->pcres[a->pcre - 1], p, len, 0, 0, m->state->group,
			     m->ruleset->limits);

	if (rc < 2 || found[2] == PCRE2_UNSET || found[3] < found[2])
		return len;
	memmove(p, p + found[2], found[3] - found[2]);
	return found[3] - found[2];
}

static size_t transform_one(const struct matcher *m, enum rule_transform transform,
			    uint32_t argument, uint8_t *p, size_t len)
{
	static const struct ruleset_argument none;
	const struct ruleset_argument *a = argument ? &m->ruleset->arguments[argument - 1] : &none;
	struct match_filter f = {.count = 0};

	switch (transform) {
	case RULE_TRANSFORM_DOTPREFIX:
		return dot_before(p, len);
	case RULE_TRANSFORM_FROM_BASE64:
		return from_base64(a, p, len, m->state->spare);
	case RULE_TRANSFORM_PCREXFORM:
		return leave_group(m, a, p, len);
	case RULE_TRANSFORM_TO_MD5:
	case RULE_TRANSFORM_TO_SHA1:
	case RULE_TRANSFORM_TO_SHA256:
		return digest(transform, p, len);
	default:
		len = match_filter(&f, transform, a->text, RULESET_AT(m->image, char, strings), p,
				   len, p);
		return len + match_filter_end(&f, p + len);
	}
}

bool match_transform(const struct matcher *m, const struct ruleset_lane *lane, unsigned first,
		     const uint8_t *p, size_t len, const uint8_t **out, size_t *out_len)
{
	uint8_t *into = m->state->transformed;

	/* A dot may come with each. */
	if (len + lane->count > MATCH_TRANSFORM_MAX + RULESET_TRANSFORMS)
		return false;
	if (len)
		memcpy(into, p, len);
	for (unsigned i = first; i < lane->count; i++)
		len = transform_one(m, (enum rule_transform)lane->transform[i], lane->argument[i],
				    into, len);
	*out = into;
	*out_len = len;
	return true;
}
