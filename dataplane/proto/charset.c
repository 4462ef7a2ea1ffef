/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/charset.h"
#include "dataplane/proto/charset_tables.h"

/* ISO-8859-1 is the first 256 code points (RFC 1345); its upper half, spelled by rows. */
#define ROW(x) x, x + 1, x + 2, x + 3, x + 4, x + 5, x + 6, x + 7
static const uint16_t iso8859_1[128] = {
	ROW(0x80), ROW(0x88), ROW(0x90), ROW(0x98), ROW(0xa0), ROW(0xa8), ROW(0xb0), ROW(0xb8),
	ROW(0xc0), ROW(0xc8), ROW(0xd0), ROW(0xd8), ROW(0xe0), ROW(0xe8), ROW(0xf0), ROW(0xf8),
};

static const struct {
	struct bytes name;
	const uint16_t *upper;
} sets[] = {
#define SET(name, upper)                                         \
	{                                                        \
		{(const uint8_t *)name, sizeof(name) - 1}, upper \
	}
	SET("iso-8859-1", iso8859_1),
	SET("iso8859-1", iso8859_1),
	SET("latin1", iso8859_1),
	SET("iso-8859-2", iso8859_2),
	SET("iso-8859-5", iso8859_5),
	SET("iso-8859-9", iso8859_9),
	SET("iso-8859-15", iso8859_15),
	SET("iso8859-15", iso8859_15),
	SET("windows-1250", windows_1250),
	SET("windows-1251", windows_1251),
	SET("cp1251", windows_1251),
	SET("windows-1252", windows_1252),
	SET("cp1252", windows_1252),
	SET("windows-1254", windows_1254),
	SET("koi8-r", koi8_r),
	SET("koi8-u", koi8_u),
#undef SET
};

const uint16_t *charset_lookup(struct bytes name)
{
	const uint8_t *star = bytes_chr(name, '*');

	if (star)
		name.len = (size_t)(star - name.p);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		if (bytes_caseeq(name, sets[i].name))
			return sets[i].upper;
	return NULL;
}

/* One code point below U+10000 (RFC 3629 section 3). */
static size_t put_utf8(uint16_t c, uint8_t out[CHARSET_EXPANSION])
{
	if (c < 0x80) {
		out[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (uint8_t)(0xc0 | c >> 6);
		out[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	out[0] = (uint8_t)(0xe0 | c >> 12);
	out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	out[2] = (uint8_t)(0x80 | (c & 0x3f));
	return 3;
}

static size_t copy_bytes(struct bytes in, uint8_t *out, size_t cap, size_t *used)
{
	size_t n = in.len < cap ? in.len : cap;

	if (n)
		memcpy(out, in.p, n);
	if (used)
		*used = n;
	return n;
}

size_t charset_to_utf8(const uint16_t *set, struct bytes in, uint8_t *out, size_t cap, size_t *used)
{
	size_t n = 0;
	size_t i = 0;

	if (!set)
		return copy_bytes(in, out, cap, used);
	for (; i < in.len; i++) {
		uint8_t utf8[CHARSET_EXPANSION];
		uint8_t c = in.p[i];
		size_t len = put_utf8(c < 0x80 ? c : set[c - 0x80], utf8);

		if (cap - n < len)
			break;
		memcpy(out + n, utf8, len);
		n += len;
	}
	if (used)
		*used = i;
	return n;
}
