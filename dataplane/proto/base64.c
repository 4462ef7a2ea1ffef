/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/base64.h"
#include "dataplane/proto/base64_wide.h"

#define SKIP 0x80
#define PAD  0x81

/* clang-format off */
static const uint8_t values[256] = {
	[0 ... '+' - 1] = SKIP,
	['+'] = 62, SKIP, SKIP, SKIP, ['/'] = 63,
	['0'] = 52, 53, 54, 55, 56, 57, 58, 59, 60, 61,
	['9' + 1] = SKIP, SKIP, SKIP, ['='] = PAD, SKIP, SKIP, SKIP,
	['A'] = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
	['Z' + 1 ... 'a' - 1] = SKIP,
	['a'] = 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51,
	['z' + 1 ... 255] = SKIP,
};
/* clang-format on */

/* Four characters, three bytes (and one beyond); false if one is not of the alphabet. */
static inline bool decode_four(const uint8_t *p, uint8_t *out)
{
	uint8_t a = values[p[0]], b = values[p[1]], c = values[p[2]], d = values[p[3]];

	if ((a | b | c | d) & SKIP)
		return false;
	out[0] = (uint8_t)(a << 2 | b >> 4);
	out[1] = (uint8_t)(b << 4 | c >> 2);
	out[2] = (uint8_t)(c << 6 | d);
	return true;
}

#ifdef __x86_64__

BASE64_WIDE_CPU static void take_wide(const uint8_t **p, const uint8_t *end, uint8_t **out,
				      const uint8_t *out_end)
{
	while (end - *p >= BASE64_WIDE && out_end - *out >= BASE64_WIDE &&
	       base64_decode_wide(*p, *out)) {
		*p += 16;
		*out += 12;
	}
}

#endif

/* Whole groups and line ends, as many as come; mail has hardly anything else. */
static void take_groups(const uint8_t **in, const uint8_t *end, uint8_t **out,
			const uint8_t *out_end)
{
	const uint8_t *p = *in;
	uint8_t *o = *out;

#ifdef __x86_64__
	if (base64_has_wide())
		take_wide(&p, end, &o, out_end);
#endif
	while (end - p >= 4 && out_end - o >= BASE64_ROOM && decode_four(p, o)) {
		p += 4;
		o += 3;
	}
	while (p < end && (*p == '\r' || *p == '\n'))
		p++;
	*in = p;
	*out = o;
}

/* The bytes that n characters of an unfinished group are worth. */
static size_t put_partial(struct base64 *b, uint8_t *out)
{
	size_t n = b->n ? b->n - 1u : 0;

	if (n >= 1)
		out[0] = (uint8_t)(b->acc >> (b->n == 2 ? 4 : 10));
	if (n == 2)
		out[1] = (uint8_t)(b->acc >> 2);
	b->acc = 0;
	b->n = 0;
	b->pads = 0;
	return n;
}

/* One character; returns the bytes written. */
static inline size_t decode_one(struct base64 *b, uint8_t v, uint8_t *out)
{
	if (v == PAD) {
		/* Padding counts from the third character on; a stray one is junk. */
		if (b->n < 2 || b->n + ++b->pads < 4)
			return 0;
		b->padded = true;
		return put_partial(b, out);
	}
	if (v & SKIP)
		return 0;
	b->acc = b->acc << 6 | v;
	if (++b->n < 4)
		return 0;
	out[0] = (uint8_t)(b->acc >> 16);
	out[1] = (uint8_t)(b->acc >> 8);
	out[2] = (uint8_t)b->acc;
	b->acc = 0;
	b->n = 0;
	b->pads = 0;
	return 3;
}

size_t base64_decode(struct base64 *b, const uint8_t **in, const uint8_t *end, uint8_t *out,
		     size_t cap)
{
	const uint8_t *p = *in;
	uint8_t *o = out;
	uint8_t *last = out + cap - BASE64_ROOM;
	bool was_padded = b->padded;

	while (p < end && o <= last) {
		if (b->n == 0) {
			const uint8_t *before = p;

			take_groups(&p, end, &o, out + cap);
			if (p != before)
				continue;
		}
		o += decode_one(b, values[*p++], o);
		if (b->padded != was_padded)
			break;
	}
	*in = p;
	return (size_t)(o - out);
}

size_t base64_finish(struct base64 *b, uint8_t out[2])
{
	return put_partial(b, out);
}
