/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SipHash-2-4 (Aumasson, Bernstein, 2012), fed in pieces: a hash that senders of
 * hostile keys can't steer, as long as the 16-byte key stays ours. Any thread.
 */
#ifndef POSTERN_PROTO_SIPHASH_H
#define POSTERN_PROTO_SIPHASH_H

#include "bpf/siphash.h"
#include "dataplane/proto/bytes.h"

/* A span and its length, so that ("ab", "c") and ("a", "bc") differ. */
static inline void siphash_add_bytes(struct siphash *h, struct bytes s)
{
	uint32_t len = (uint32_t)s.len;

	siphash_add(h, &len, sizeof(len));
	siphash_add(h, s.p, s.len);
}

#endif
