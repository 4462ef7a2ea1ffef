/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/base/json_text.h"

#include <stdint.h>
#include <stdlib.h>

#include "control/base/utf8.h"

size_t json_text_plain(const uint8_t *p, size_t left)
{
	if (p[0] == '\\' && left > 1 && p[1] == 'x')
		return 0;
	return utf8_len(p, left);
}

static json_t *escaped(const uint8_t *p, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	char *text = malloc(4 * len);
	size_t at = 0;
	json_t *json;

	if (!text)
		return NULL;
	for (size_t i = 0, n; i < len; i += n) {
		n = json_text_plain(p + i, len - i);
		for (size_t k = 0; k < n; k++)
			text[at++] = (char)p[i + k];
		if (n)
			continue;
		text[at++] = '\\';
		text[at++] = 'x';
		text[at++] = hex[p[i] >> 4];
		text[at++] = hex[p[i] & 15];
		n = 1;
	}
	json = json_stringn_nocheck(text, at);
	free(text);
	return json;
}

json_t *json_text(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0, n; i < len; i += n) {
		n = json_text_plain(p + i, len - i);
		if (!n)
			return escaped(p, len);
	}
	return json_stringn_nocheck(len ? (const char *)p : "", len);
}
