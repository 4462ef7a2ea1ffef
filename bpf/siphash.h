/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash of 64 bits, so that
 * nobody without the key finds addresses that collide, or tests a stored
 * set for an address. Pure; about 20 ns for an e-mail address.
 */
#ifndef POSTERN_SIPHASH_H
#define POSTERN_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_SIZE 16

struct siphash {
	uint64_t v[4];
	uint64_t tail; /* bytes that do not fill a word yet */
	uint64_t len;
};

void siphash_init(struct siphash *h, const uint8_t key[SIPHASH_KEY_SIZE]);
void siphash_add(struct siphash *h, const void *data, size_t len);
uint64_t siphash_end(struct siphash *h); /* h is used up */

/* All of it at once; the key as two words of this host. */
uint64_t siphash(const uint64_t key[2], const void *data, size_t len);

#endif
