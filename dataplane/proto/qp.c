/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/qp.h"

#define NO 0x80

/* clang-format off */
static const uint8_t digits[256] = {
	[0 ... '0' - 1] = NO,
	['0'] = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
	['9' + 1 ... 'A' - 1] = NO,
	['A'] = 10, 11, 12, 13, 14, 15,
	['F' + 1 ... 'a' - 1] = NO,
	['a'] = 10, 11, 12, 13, 14, 15,
	['f' + 1 ... 255] = NO,
};
/* clang-format on */

int qp_hex(uint8_t high, uint8_t low)
{
	uint8_t h = digits[high], l = digits[low];

	return (h | l) & NO ? -1 : h << 4 | l;
}

static bool is_hex(uint8_t c)
{
	return !(digits[c] & NO);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* May c follow what is pending, short of finishing it? */
static bool can_follow(const struct qp *q, uint8_t c)
{
	uint8_t last = q->pending[q->n - 1];

	if (q->n == QP_PENDING || last == '\r')
		return false;
	if (c == '\r' || is_blank(c))
		return last == '=' || is_blank(last);
	return q->n == 1 && is_hex(c);
}

/* Is what is pending a soft break but for its line end? */
static bool is_soft(const struct qp *q)
{
	uint8_t last = q->pending[q->n - 1];

	return last == '=' || last == '\r' || is_blank(last);
}

static void put_pending(struct qp *q, uint8_t **out)
{
	memcpy(*out, q->pending, q->n);
	*out += q->n;
	q->n = 0;
}

/* The next byte of an escape. False: it was none, and c is still to be read. */
static bool escape_step(struct qp *q, uint8_t c, uint8_t **out)
{
	if (c == '\n' && is_soft(q)) {
		q->n = 0;
		return true;
	}
	if (!is_soft(q) && is_hex(c)) {
		*(*out)++ = (uint8_t)qp_hex(q->pending[1], c);
		q->n = 0;
		return true;
	}
	if (can_follow(q, c)) {
		q->pending[q->n++] = c;
		return true;
	}
	put_pending(q, out);
	return false;
}

/* Bytes before the first '=' of eight, or 8. */
static inline size_t plain_of_eight(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	/* A byte that is '=' becomes 0; subtracting one borrows its top bit, the lowest such is
	 * sure. */
	v ^= UINT64_C(0x3d3d3d3d3d3d3d3d);
	v = (v - UINT64_C(0x0101010101010101)) & ~v & UINT64_C(0x8080808080808080);
	return v ? (size_t)__builtin_ctzll(v) / 8 : 8;
}

/* What needs no decoding, up to the next '='. */
static void take_plain(const uint8_t **in, const uint8_t *end, uint8_t **out, const uint8_t *last)
{
	const uint8_t *p = *in;
	uint8_t *o = *out;
	size_t n = 8;

	while (n == 8 && end - p >= 8 && o <= last) {
		n = plain_of_eight(p);
		memcpy(o, p, 8); /* QP_ROOM is free */
		p += n;
		o += n;
	}
	while (n == 8 && p < end && o <= last && *p != '=')
		*o++ = *p++;
	*in = p;
	*out = o;
}

/* An escape that is all there, at p; returns its length, or 0: it is for escape_step to tell. */
static size_t take_escape(const uint8_t *p, const uint8_t *end, uint8_t **out)
{
	int value;

	if (end - p < 3)
		return 0;
	value = qp_hex(p[1], p[2]);
	if (value >= 0) {
		*(*out)++ = (uint8_t)value;
		return 3;
	}
	if (p[1] == '\n')
		return 2;
	return p[1] == '\r' && p[2] == '\n' ? 3 : 0;
}

size_t qp_decode(struct qp *q, const uint8_t **in, const uint8_t *end, uint8_t *out, size_t cap)
{
	const uint8_t *p = *in;
	uint8_t *o = out;
	uint8_t *last = out + cap - QP_ROOM;
	size_t n;

	while (p < end && o <= last) {
		if (q->n) {
			if (escape_step(q, *p, &o))
				p++;
			continue;
		}
		take_plain(&p, end, &o, last);
		if (p == end || o > last)
			break;
		n = take_escape(p, end, &o);
		if (!n) {
			q->pending[q->n++] = '=';
			n = 1;
		}
		p += n;
	}
	*in = p;
	return (size_t)(o - out);
}

size_t qp_finish(struct qp *q, uint8_t *out)
{
	uint8_t *o = out;

	if (q->n && !is_soft(q))
		put_pending(q, &o);
	q->n = 0;
	return (size_t)(o - out);
}
