/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Character sets of header text to UTF-8: the single-byte ones that mail is
 * written in. UTF-8 and US-ASCII pass as they are, and so does any other set
 * (gb2312, iso-2022-jp, euc-kr …): its bytes are handed out undecoded. Pure.
 */
#ifndef POSTERN_PROTO_CHARSET_H
#define POSTERN_PROTO_CHARSET_H

#include "dataplane/proto/bytes.h"

#define CHARSET_EXPANSION 3 /* most UTF-8 bytes that one byte becomes */

/*
 * The upper half of a single-byte set as code points, or NULL: no conversion.
 * An RFC 2231 language suffix ("utf-8*en") is ignored.
 */
const uint16_t *charset_lookup(struct bytes name);

/*
 * Writes `in`, converted if `set` is not NULL, to out. Stops before a
 * character that does not fit. Returns bytes written, and through *used (may be
 * NULL) how much of `in` that was.
 */
size_t charset_to_utf8(const uint16_t *set, struct bytes in, uint8_t *out, size_t cap,
		       size_t *used);

#endif
