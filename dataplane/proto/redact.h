/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Takes out of a piece of a mail's body what tells of people or opens doors, before anybody keeps
 * it. What stands for it says its class:
 *
 *     [address]  an e-mail address: the word around an @ (%40, &#64;)
 *     [number]   seven ASCII digits or more, with blanks, + - . / ( ) or a line end among them
 *     [user]     a URL's user-info: between :// and @
 *     [query]    a URL's query and fragment, behind ? or #; what is behind ? in another word that
 *                has an = there
 *     [secret]   what follows a word such as password, token, code or key; keys between BEGIN and
 *                END; a word of 16 bytes or more that mixes letters and digits, or a long one of
 *                both cases
 *     [cut]      a word or number that goes on beyond the piece: nobody knows what it is
 *
 * All else stays, names and prose among it. A NUL between letters (UTF-16) is passed over. Pure:
 * no memory but the caller's and some 2 KB of stack. Any thread.
 */
#ifndef POSTERN_PROTO_REDACT_H
#define POSTERN_PROTO_REDACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/proto/bytes.h"

#define REDACT_MAX 1024 /* bytes of a piece */

struct redact_piece {
	struct bytes bytes; /* REDACT_MAX at the most, the rest is not looked at */
	size_t from, to;    /* what is asked for; the rest only helps to tell what it is */
	bool starts, ends;  /* the text starts with the first byte, ends with the last */
};

/* Bytes that `out` must have for `n` bytes asked for. */
#define REDACT_ROOM(n) (4 * (n) + 16)

/*
 * Writes what is left of [from, to) to `out`; returns its length, `room` at the most. What is
 * replaced and lies in it in part is replaced by one mark.
 */
size_t redact(const struct redact_piece *piece, uint8_t *out, size_t room);

#endif
