/* SPDX-License-Identifier: BSD-3-Clause */
/* The hashes that a rule may ask for, of bytes as they come. */
#ifndef POSTERN_MATCH_DIGEST_H
#define POSTERN_MATCH_DIGEST_H

#include <nettle/md5.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <stddef.h>

#include "bpf/ruleset.h"

struct match_digests {
	unsigned wanted; /* bits: enum rule_transform */
	struct md5_ctx md5;
	struct sha1_ctx sha1;
	struct sha256_ctx sha256;
};

static inline void match_digests_init(struct match_digests *d, unsigned wanted)
{
	d->wanted = wanted;
	md5_init(&d->md5);
	sha1_init(&d->sha1);
	sha256_init(&d->sha256);
}

static inline void match_digests_update(struct match_digests *d, const uint8_t *p, size_t len)
{
	if (d->wanted & 1u << RULE_TRANSFORM_TO_MD5)
		md5_update(&d->md5, len, p);
	if (d->wanted & 1u << RULE_TRANSFORM_TO_SHA1)
		sha1_update(&d->sha1, len, p);
	if (d->wanted & 1u << RULE_TRANSFORM_TO_SHA256)
		sha256_update(&d->sha256, len, p);
}

/* One of them, once: up to 32 bytes. Returns how many; 0: that transform makes no hash. */
static inline size_t match_digests_end(struct match_digests *d, enum rule_transform transform,
				       uint8_t *out)
{
	switch (transform) {
	case RULE_TRANSFORM_TO_MD5:
		md5_digest(&d->md5, MD5_DIGEST_SIZE, out);
		return MD5_DIGEST_SIZE;
	case RULE_TRANSFORM_TO_SHA1:
		sha1_digest(&d->sha1, SHA1_DIGEST_SIZE, out);
		return SHA1_DIGEST_SIZE;
	case RULE_TRANSFORM_TO_SHA256:
		sha256_digest(&d->sha256, SHA256_DIGEST_SIZE, out);
		return SHA256_DIGEST_SIZE;
	default:
		return 0;
	}
}

#endif
