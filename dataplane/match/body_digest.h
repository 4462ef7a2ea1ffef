/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is a body the same as another? A hash of its text as it passes: letters in one case, digits all
 * alike (so a number that counts up doesn't make another body of it), the rest as it is. Not
 * keyed: who wants another one writes another word. The same however the text was cut. Pure;
 * any thread.
 */
#ifndef POSTERN_BODY_DIGEST_H
#define POSTERN_BODY_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#define BODY_DIGEST_MOST  16384 /* bytes of text that are looked at */
#define BODY_DIGEST_LEAST 64    /* what is shorter is the same by chance */

struct body_digest {
	XXH64_state_t hash;
};

static inline void body_digest_init(struct body_digest *d)
{
	XXH64_reset(&d->hash, 0);
}

void body_digest_add(struct body_digest *d, const uint8_t *p, size_t len);

/* 0: too short to be told from others. */
uint64_t body_digest_end(const struct body_digest *d);

#endif
