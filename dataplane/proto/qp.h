/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Quoted-printable (RFC 2045 6.7), in pieces. A broken escape stands as it is;
 * blanks at the end of a line are kept, since a matcher wants what was sent and
 * not what a reader shows; blanks between the '=' of a soft break and its line
 * end are not (they came in transport). Pure; the state is the caller's.
 */
#ifndef POSTERN_PROTO_QP_H
#define POSTERN_PROTO_QP_H

#include "dataplane/proto/bytes.h"

#define QP_PENDING 40 /* '=', blanks and CR before a soft break's LF: more is no break */

struct qp {
	uint8_t n; /* of pending */
	uint8_t pending[QP_PENDING];
};

#define QP_ROOM (QP_PENDING + 8) /* bytes that must be free at `out` */

/* As base64_decode. */
size_t qp_decode(struct qp *q, const uint8_t **p, const uint8_t *end, uint8_t *out, size_t cap);

/*
 * The input has ended: the unfinished escape, up to QP_PENDING bytes; nothing
 * if that is a soft break whose line end was a delimiter's.
 */
size_t qp_finish(struct qp *q, uint8_t *out);

/* The value of two hexadecimal digits of either case, or -1. */
int qp_hex(uint8_t high, uint8_t low);

#endif
