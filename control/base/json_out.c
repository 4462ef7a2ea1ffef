/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/base/json_out.h"

#include <stdlib.h>

#include "control/base/json_text.h"

void json_out_init(struct json_out *out, char *buf, size_t size)
{
	*out = (struct json_out){.text = buf, .room = size};
}

void json_out_fini(struct json_out *out)
{
	free(out->heap);
	*out = (struct json_out){0};
}

/* Room for more bytes; false: there is none, and what was written is no longer whole. */
static bool reserve(struct json_out *out, size_t more)
{
	size_t room = out->room;
	char *heap;

	if (out->failed)
		return false;
	if (more <= room - out->len)
		return true;
	while (room - out->len < more)
		room = room < 1024 ? 1024 : 2 * room;
	heap = realloc(out->heap, room);
	if (!heap) {
		out->failed = true;
		return false;
	}
	if (!out->heap)
		memcpy(heap, out->text, out->len);
	out->text = out->heap = heap;
	out->room = room;
	return true;
}

void json_out_raw(struct json_out *out, const char *text, size_t len)
{
	if (!reserve(out, len))
		return;
	memcpy(out->text + out->len, text, len);
	out->len += len;
}

/* Printable ASCII that stands for itself. */
static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* One character that is not plain, or one byte of what is none; returns its length. */
static size_t escape(struct json_out *out, const uint8_t *p, size_t left)
{
	static const char hex[] = "0123456789abcdef";
	static const char capitals[] = "0123456789ABCDEF"; /* as jansson's */
	static const char letters[] = "btnvfr"; /* of \b, 8, to \r, 13; JSON knows no \v */
	const char byte[] = {'\\', '\\', 'x', hex[p[0] >> 4], hex[p[0] & 15]};
	const char control[] = {'\\', 'u', '0', '0', hex[p[0] >> 4], capitals[p[0] & 15]};
	const size_t len = json_text_plain(p, left);

	if (!len) {
		json_out_raw(out, byte, sizeof(byte));
		return 1;
	}
	if (p[0] == '"' || p[0] == '\\') {
		json_out_char(out, '\\');
		json_out_char(out, (char)p[0]);
	} else if (p[0] >= 8 && p[0] <= 13 && p[0] != 11) {
		json_out_char(out, '\\');
		json_out_char(out, letters[p[0] - 8]);
	} else if (p[0] < 0x20) {
		json_out_raw(out, control, sizeof(control));
	} else {
		json_out_raw(out, (const char *)p, len);
	}
	return len;
}

void json_out_text(struct json_out *out, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	size_t i = 0;

	json_out_char(out, '"');
	while (i < len) {
		const size_t start = i;

		while (i < len && is_plain(p[i]))
			i++;
		if (i > start)
			json_out_raw(out, (const char *)p + start, i - start);
		if (i < len)
			i += escape(out, p + i, len - i);
	}
	json_out_char(out, '"');
}

void json_out_uint(struct json_out *out, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	if (n > INT64_MAX)
		n = INT64_MAX;
	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	json_out_raw(out, digits + at, sizeof(digits) - at);
}

void json_out_seconds(struct json_out *out, uint64_t ns)
{
	uint32_t fraction = (uint32_t)(ns % 1000000000);
	char digits[10] = ".";
	size_t len = sizeof(digits);

	json_out_uint(out, ns / 1000000000);
	for (size_t i = sizeof(digits); i-- > 1; fraction /= 10)
		digits[i] = (char)('0' + fraction % 10);
	while (len > 2 && digits[len - 1] == '0')
		len--;
	json_out_raw(out, digits, len);
}
