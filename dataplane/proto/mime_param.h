/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parameters of Content-Type and Content-Disposition (RFC 2045 5.1), with
 * continuations and character sets (RFC 2231) and the encoded words that mail
 * programs put there against RFC 2047 5(3). Pure.
 */
#ifndef POSTERN_PROTO_MIME_PARAM_H
#define POSTERN_PROTO_MIME_PARAM_H

#include "dataplane/proto/bytes.h"

#define PARAM_SECTIONS 32   /* of one continued parameter */
#define PARAM_VALUE    1024 /* bytes of a value with encoded words, before decoding */

/* The header's first token ("text/plain", "attachment"), as written. */
struct bytes param_token(struct bytes header);

/*
 * Looks `name` (lower case) up in the header's value; the first one counts, and
 * an extended one ("name*=") before a plain one. Writes it to out, unquoted; if
 * `decode`, as UTF-8. Returns its length, or -1 if it is absent. *cut: it did
 * not all fit.
 */
int param_find(struct bytes header, struct bytes name, bool decode, uint8_t *out, size_t cap,
	       bool *cut);

#endif
