/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/mime_word.h"
#include "dataplane/proto/base64.h"
#include "dataplane/proto/charset.h"
#include "dataplane/proto/qp.h"

#define CHARSET_NAME 64 /* longest that is taken for one */
#define PIECE        256

struct word {
	struct bytes charset;
	bool base64;
	struct bytes text;
	const uint8_t *end; /* first byte after the word */
};

struct output {
	uint8_t *p;
	size_t len, cap;
	bool cut;
};

bool word_suspected(struct bytes s)
{
	/* '?' is the rarer one of "=?", and memchr outruns memmem by far. */
	const uint8_t *p = bytes_chr(s, '?');

	while (p && (p == s.p || p[-1] != '=')) {
		p++;
		p = bytes_chr(bytes_of(p, (size_t)(s.p + s.len - p)), '?');
	}
	return p;
}

/* "charset?encoding?" after "=?"; the text and its end are looked for elsewhere. */
static bool word_opens(const uint8_t *p, const uint8_t *end, struct word *w)
{
	size_t left = (size_t)(end - p);
	const uint8_t *mark = memchr(p, '?', left < CHARSET_NAME + 1 ? left : CHARSET_NAME + 1);

	if (!mark || mark == p || end - mark < 3 || mark[2] != '?')
		return false;
	w->charset = bytes_of(p, (size_t)(mark - p));
	w->base64 = ascii_lower(mark[1]) == 'b';
	w->text.p = mark + 3;
	return w->base64 || ascii_lower(mark[1]) == 'q';
}

/*
 * The next whole word at or after p. *closes remembers where the last "?=" was
 * found, so that words which never close cost one search, not one each.
 */
static const uint8_t *word_next(const uint8_t *p, const uint8_t *end, const uint8_t **closes,
				struct word *w)
{
	while (p < end && (p = memmem(p, (size_t)(end - p), "=?", 2))) {
		if (word_opens(p + 2, end, w)) {
			if (*closes < w->text.p)
				*closes = memmem(w->text.p, (size_t)(end - w->text.p), "?=", 2);
			if (!*closes)
				return NULL;
			w->text.len = (size_t)(*closes - w->text.p);
			w->end = *closes + 2;
			return p;
		}
		p += 2;
	}
	return NULL;
}

static void put(struct output *out, const uint16_t *charset, struct bytes s)
{
	size_t used;

	out->len += charset_to_utf8(charset, s, out->p + out->len, out->cap - out->len, &used);
	if (used < s.len)
		out->cut = true;
}

static void put_base64(struct output *out, const uint16_t *charset, struct bytes text)
{
	struct base64 state = {0};
	uint8_t piece[PIECE];
	const uint8_t *p = text.p;

	while (p < text.p + text.len && !out->cut) {
		size_t n = base64_decode(&state, &p, text.p + text.len, piece, sizeof(piece));

		put(out, charset, bytes_of(piece, n));
	}
	put(out, charset, bytes_of(piece, base64_finish(&state, piece)));
}

/* RFC 2047 4.2: '_' is a space, "=XX" a byte. */
static void put_q(struct output *out, const uint16_t *charset, struct bytes text)
{
	uint8_t piece[PIECE];
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.p[i];
		int value = -1;

		if (c == '=' && text.len - i >= 3)
			value = qp_hex(text.p[i + 1], text.p[i + 2]);
		if (value >= 0) {
			c = (uint8_t)value;
			i += 2;
		} else if (c == '_') {
			c = ' ';
		}
		piece[n++] = c;
		if (n == sizeof(piece)) {
			put(out, charset, bytes_of(piece, n));
			n = 0;
		}
	}
	put(out, charset, bytes_of(piece, n));
}

size_t word_decode(struct bytes in, uint8_t *buf, size_t cap, bool *cut)
{
	struct output out = {.p = buf, .cap = cap};
	const uint8_t *p = in.p;
	const uint8_t *end = in.p + in.len;
	const uint8_t *closes = in.p;
	const uint8_t *start;
	struct word w;
	bool after_word = false;

	while (!out.cut && p < end && (start = word_next(p, end, &closes, &w))) {
		struct bytes between = bytes_of(p, (size_t)(start - p));
		const uint16_t *charset = charset_lookup(w.charset);

		if (!after_word || bytes_trim(between).len)
			put(&out, NULL, between);
		if (w.base64)
			put_base64(&out, charset, w.text);
		else
			put_q(&out, charset, w.text);
		p = w.end;
		after_word = true;
	}
	if (p < end && !out.cut)
		put(&out, NULL, bytes_of(p, (size_t)(end - p)));
	*cut = out.cut;
	return out.len;
}
