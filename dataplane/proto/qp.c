/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/qp.h"

static int hex_digit(uint8_t c)
{
	if (ascii_isdigit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int qp_hex(uint8_t high, uint8_t low)
{
	int h = hex_digit(high), l = hex_digit(low);

	return h < 0 || l < 0 ? -1 : h << 4 | l;
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
	return q->n == 1 && hex_digit(c) >= 0;
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
	if (!is_soft(q) && hex_digit(c) >= 0) {
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

size_t qp_decode(struct qp *q, const uint8_t **in, const uint8_t *end, uint8_t *out, size_t cap)
{
	const uint8_t *p = *in;
	uint8_t *o = out;
	uint8_t *last = out + cap - QP_ROOM;

	while (p < end && o <= last) {
		if (q->n) {
			if (escape_step(q, *p, &o))
				p++;
			continue;
		}

		size_t room = (size_t)(last - o) + 1;
		size_t left = (size_t)(end - p);
		size_t n = left < room ? left : room;
		const uint8_t *eq = memchr(p, '=', n);

		if (eq)
			n = (size_t)(eq - p);
		memcpy(o, p, n);
		o += n;
		p += n;
		if (eq) {
			q->pending[q->n++] = '=';
			p++;
		}
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
