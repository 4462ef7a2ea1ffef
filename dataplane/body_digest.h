/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is a body the same as another? A hash of its text as it passes, eight bytes at a time: letters in
 * one case, digits all alike (so a number that counts up doesn't make another body of it), the rest
 * as it is. Not keyed: who wants another one writes another word. The same however the text was
 * cut.
 */
#ifndef POSTERN_BODY_DIGEST_H
#define POSTERN_BODY_DIGEST_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BODY_DIGEST_MOST  16384 /* bytes of text that are looked at */
#define BODY_DIGEST_LEAST 64    /* what is shorter is the same by chance */

struct body_digest {
	uint64_t hash, tail; /* the tail: bytes that don't fill a word yet, in memory's order */
	uint32_t len;
};

#define BODY_DIGEST_BYTES(b) (UINT64_C(0x0101010101010101) * (b))

/* Of each byte from 0x30 to 0x3f, the digits among them, 0x30; capitals as small letters. */
static inline uint64_t body_digest_normal(uint64_t word)
{
	const uint64_t low = BODY_DIGEST_BYTES(0x7f);
	const uint64_t other = (word & BODY_DIGEST_BYTES(0xf0)) ^ BODY_DIGEST_BYTES(0x30);
	/* The top bit of each byte whose upper half isn't 3; then all bits of the others' lower. */
	const uint64_t is_other = ((((other & low) + low) | other) & BODY_DIGEST_BYTES(0x80)) >> 7;
	const uint64_t digits = (is_other ^ BODY_DIGEST_BYTES(1)) * 0x0f;

	return (word & ~digits) | BODY_DIGEST_BYTES(0x20);
}

static inline void body_digest_word(struct body_digest *d, uint64_t word)
{
	d->hash = (d->hash ^ body_digest_normal(word)) * UINT64_C(0x9e3779b97f4a7c15);
	d->hash ^= d->hash >> 29;
}

static inline void body_digest_add(struct body_digest *d, const uint8_t *p, size_t len)
{
	if (len > BODY_DIGEST_MOST - d->len)
		len = BODY_DIGEST_MOST - d->len;
	while (len) {
		const size_t have = d->len % 8, n = len < 8 - have ? len : 8 - have;

		memcpy((uint8_t *)&d->tail + have, p, n);
		d->len += (uint32_t)n;
		p += n;
		len -= n;
		if (d->len % 8)
			return;
		body_digest_word(d, d->tail);
		d->tail = 0;
	}
}

/* 0: too short to be told from others. */
static inline uint64_t body_digest_end(const struct body_digest *d)
{
	struct body_digest end = *d;

	if (d->len < BODY_DIGEST_LEAST)
		return 0;
	body_digest_word(&end, end.tail);
	body_digest_word(&end, end.len);
	return end.hash ? end.hash : 1;
}

#endif
