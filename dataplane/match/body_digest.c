/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/match/body_digest.h"

#include <string.h>

#define WIDE  16
#define PIECE 512 /* bytes, a multiple of WIDE */

/* Compilers make SSE2 of it, or whatever the CPU surely has. */
typedef uint8_t bytes_wide __attribute__((vector_size(WIDE)));

/* Of each byte from 0x30 to 0x3f, the digits among them, 0x30; capitals as small letters. */
static bytes_wide normal(bytes_wide text)
{
	const bytes_wide is_digit = (bytes_wide)((text & 0xf0) == 0x30);

	return (text & ~(is_digit & 0x0f)) | 0x20;
}

void body_digest_add(struct body_digest *d, const uint8_t *p, size_t len)
{
	uint8_t piece[PIECE];

	if (len > BODY_DIGEST_MOST - d->hash.total_len)
		len = BODY_DIGEST_MOST - d->hash.total_len;
	while (len) {
		const size_t n = len < PIECE ? len : PIECE;
		bytes_wide text;
		size_t i = 0;

		for (; i + WIDE <= n; i += WIDE) {
			memcpy(&text, p + i, WIDE);
			text = normal(text);
			memcpy(piece + i, &text, WIDE);
		}
		if (i < n) {
			text = (bytes_wide){0};
			memcpy(&text, p + i, n - i);
			text = normal(text);
			memcpy(piece + i, &text, WIDE);
		}
		XXH64_update(&d->hash, piece, n);
		p += n;
		len -= n;
	}
}

uint64_t body_digest_end(const struct body_digest *d)
{
	uint64_t hash;

	if (d->hash.total_len < BODY_DIGEST_LEAST)
		return 0;
	hash = XXH64_digest(&d->hash);
	return hash ? hash : 1;
}
