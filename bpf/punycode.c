/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
#include "bpf/punycode.h"

#include <stdbool.h>
#include <string.h>

/* RFC 3492 5 */
#define BASE         36
#define T_MIN        1
#define T_MAX        26
#define SKEW         38
#define DAMP         700
#define INITIAL_BIAS 72
#define INITIAL_N    128

#define POINTS_MAX 59 /* 63 octets less "xn--": a code point is one at least */

/* The next code point (RFC 3629 4), or UINT32_MAX: that is none. */
static uint32_t utf8_next(const uint8_t **in, const uint8_t *end)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	uint8_t first = *(*in)++;
	unsigned more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
	uint32_t point;

	if (first < 0x80)
		return first;
	if (first < 0xc2 || first > 0xf4 || (size_t)(end - *in) < more)
		return UINT32_MAX;
	point = first & (0x3fu >> more);
	for (unsigned i = 0; i < more; i++) {
		uint8_t next = *(*in)++;

		if ((next & 0xc0) != 0x80)
			return UINT32_MAX;
		point = point << 6 | (next & 0x3f);
	}
	if (point < least[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
		return UINT32_MAX;
	return point;
}

static size_t points_of(const uint8_t *in, size_t len, uint32_t points[POINTS_MAX])
{
	const uint8_t *end = in + len;
	size_t n = 0;

	while (in < end) {
		if (n == POINTS_MAX)
			return 0;
		points[n] = utf8_next(&in, end);
		if (points[n++] == UINT32_MAX)
			return 0;
	}
	return n;
}

/* RFC 3492 6.1 */
static uint32_t adapt(uint32_t delta, uint32_t count, bool first)
{
	uint32_t k = 0;

	delta /= first ? DAMP : 2;
	delta += delta / count;
	for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
		delta /= BASE - T_MIN;
	return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

struct writer {
	uint8_t *out;
	size_t len, room;
};

static void put(struct writer *w, uint8_t byte)
{
	if (w->len < w->room)
		w->out[w->len] = byte;
	w->len++;
}

static uint8_t digit(uint32_t value)
{
	return (uint8_t)(value < 26 ? 'a' + value : '0' + (value - 26));
}

/* A generalised variable-length integer (RFC 3492 3.3). */
static void put_delta(struct writer *w, uint32_t delta, uint32_t bias)
{
	uint32_t q = delta;

	for (uint32_t k = BASE;; k += BASE) {
		uint32_t t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;

		if (q < t)
			break;
		put(w, digit(t + (q - t) % (BASE - t)));
		q = (q - t) / (BASE - t);
	}
	put(w, digit(q));
}

static uint32_t least_from(const uint32_t *points, size_t count, uint32_t n)
{
	uint32_t least = UINT32_MAX;

	for (size_t i = 0; i < count; i++)
		if (points[i] >= n && points[i] < least)
			least = points[i];
	return least;
}

/* RFC 3492 6.3. 59 points below 0x110000 don't overflow 32 bits. */
static void encode(struct writer *w, const uint32_t *points, size_t count)
{
	uint32_t n = INITIAL_N, delta = 0, bias = INITIAL_BIAS, basic = 0, done;

	for (size_t i = 0; i < count; i++)
		if (points[i] < INITIAL_N) {
			put(w, (uint8_t)points[i]);
			basic++;
		}
	if (basic)
		put(w, '-');
	for (done = basic; done < count; n++, delta++) {
		uint32_t next = least_from(points, count, n);

		delta += (next - n) * (done + 1);
		n = next;
		for (size_t i = 0; i < count; i++) {
			delta += points[i] < n;
			if (points[i] != n)
				continue;
			put_delta(w, delta, bias);
			bias = adapt(delta, done + 1, done == basic);
			done++;
			delta = 0;
		}
	}
}

size_t punycode_label(const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
	struct writer w = {.out = out, .room = room};
	uint32_t points[POINTS_MAX];
	size_t count = points_of(in, len, points);

	if (!count)
		return 0;
	for (const char *prefix = "xn--"; *prefix; prefix++)
		put(&w, (uint8_t)*prefix);
	encode(&w, points, count);
	return w.len <= room ? w.len : 0;
}
