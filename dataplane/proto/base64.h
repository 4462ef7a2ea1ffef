/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Base64 as mail has it (RFC 2045 6.8), in pieces: bytes outside the alphabet
 * are skipped, missing padding is no matter, and what follows the padding is
 * decoded on, because some readers do. Pure; the state is the caller's.
 */
#ifndef POSTERN_PROTO_BASE64_H
#define POSTERN_PROTO_BASE64_H

#include "dataplane/proto/bytes.h"

struct base64 {
	uint32_t acc; /* bits of the unfinished group */
	uint8_t n;    /* its characters, 0 to 3 */
	uint8_t pads; /* since its second character */
	bool padded;  /* a group was closed with padding */
};

#define BASE64_ROOM 8 /* bytes that must be free at `out` */

/*
 * Decodes from *p up to `end` into `out` (cap ≥ BASE64_ROOM), until the input
 * is used up, less than BASE64_ROOM is left, or padding first closes a group
 * (so that the caller can tell what came before it from what comes after).
 * Advances *p; returns the bytes written.
 */
size_t base64_decode(struct base64 *b, const uint8_t **p, const uint8_t *end, uint8_t *out,
		     size_t cap);

/* The input has ended: up to two bytes of an unpadded group. Resets the state. */
size_t base64_finish(struct base64 *b, uint8_t out[2]);

#endif
