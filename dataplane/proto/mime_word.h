/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Encoded words (RFC 2047) in header text, to UTF-8. Pure.
 *
 * More is accepted than the grammar allows, since mail programs that readers
 * use accept it: words of any length, inside quotes or without blanks around,
 * with blanks in them. What is no encoded word stays as it is.
 */
#ifndef POSTERN_PROTO_MIME_WORD_H
#define POSTERN_PROTO_MIME_WORD_H

#include "dataplane/proto/bytes.h"

/* May `s` hold an encoded word? If not, decoding would only copy it. */
bool word_suspected(struct bytes s);

/*
 * Writes `in` with its encoded words decoded to out; blanks between two
 * adjacent words vanish (6.2). Returns bytes written; *cut: it did not all fit.
 * `in` and out must not overlap. Linear in in.len.
 */
size_t word_decode(struct bytes in, uint8_t *out, size_t cap, bool *cut);

#endif
