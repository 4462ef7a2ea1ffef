/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
#include "bpf/siphash.h"

#include <endian.h>
#include <string.h>

static inline uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline uint64_t word_read(const uint8_t *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return le64toh(w);
}

/* Less than a word, one byte at least: pieces that overlap say the same twice. */
static inline uint64_t part_read(const uint8_t *p, size_t len)
{
	uint32_t low, high;

	if (len < 4)
		return p[0] | (uint64_t)p[len / 2] << 8 * (len / 2) |
		       (uint64_t)p[len - 1] << 8 * (len - 1);
	memcpy(&low, p, sizeof(low));
	memcpy(&high, p + len - 4, sizeof(high));
	return le32toh(low) | (uint64_t)le32toh(high) << 8 * (len - 4);
}

static inline void rounds(uint64_t v[4], int n)
{
	while (n-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

static inline void word_add(struct siphash *h, uint64_t word)
{
	h->v[3] ^= word;
	rounds(h->v, 2);
	h->v[0] ^= word;
}

void siphash_init(struct siphash *h, const uint8_t key[SIPHASH_KEY_SIZE])
{
	uint64_t k0 = word_read(key), k1 = word_read(key + 8);

	h->v[0] = k0 ^ UINT64_C(0x736f6d6570736575);
	h->v[1] = k1 ^ UINT64_C(0x646f72616e646f6d);
	h->v[2] = k0 ^ UINT64_C(0x6c7967656e657261);
	h->v[3] = k1 ^ UINT64_C(0x7465646279746573);
	h->tail = 0;
	h->len = 0;
}

void siphash_add(struct siphash *h, const void *data, size_t len)
{
	const uint8_t *p = data;
	unsigned filled = 8 * (h->len & 7); /* bits */

	h->len += len;
	for (; len >= 8; p += 8, len -= 8) {
		uint64_t word = word_read(p);

		word_add(h, h->tail | word << filled);
		h->tail = filled ? word >> (64 - filled) : 0;
	}
	if (!len)
		return;

	uint64_t word = part_read(p, len);

	h->tail |= word << filled;
	if (filled + 8 * len >= 64) {
		word_add(h, h->tail);
		h->tail = filled ? word >> (64 - filled) : 0;
	}
}

uint64_t siphash_end(struct siphash *h)
{
	word_add(h, h->len << 56 | h->tail);
	h->v[2] ^= 0xff;
	rounds(h->v, 4);
	return h->v[0] ^ h->v[1] ^ h->v[2] ^ h->v[3];
}

uint64_t siphash(const uint64_t key[2], const void *data, size_t len)
{
	struct siphash h;

	siphash_init(&h, (const uint8_t *)key);
	siphash_add(&h, data, len);
	return siphash_end(&h);
}
