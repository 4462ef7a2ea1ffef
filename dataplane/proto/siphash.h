/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SipHash-2-4 (Aumasson, Bernstein, 2012), fed in pieces: a hash that senders of
 * hostile keys can't steer, as long as the 16-byte key stays ours. Any thread.
 */
#ifndef POSTERN_PROTO_SIPHASH_H
#define POSTERN_PROTO_SIPHASH_H

#include "dataplane/proto/bytes.h"

#define SIPHASH_KEY_SIZE 16

struct siphash {
	uint64_t v[4];
	uint64_t tail; /* bytes that do not fill a word yet */
	uint64_t len;
};

void siphash_init(struct siphash *h, const uint8_t key[SIPHASH_KEY_SIZE]);
void siphash_add(struct siphash *h, const void *data, size_t len);
uint64_t siphash_end(struct siphash *h); /* h is used up */

/* A span and its length, so that ("ab", "c") and ("a", "bc") differ. */
static inline void siphash_add_bytes(struct siphash *h, struct bytes s)
{
	uint32_t len = (uint32_t)s.len;

	siphash_add(h, &len, sizeof(len));
	siphash_add(h, s.p, s.len);
}

#endif
