/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes from the wire as JSON strings. JSON is UTF-8, the wire need not be: a
 * byte that is no part of valid UTF-8 (RFC 3629) becomes the four characters
 * \xHH (lower-case hex). So that this can be undone, a backslash of the wire
 * that stands before an "x" becomes \x5c; every other character is itself.
 * To get the bytes back, replace each \xHH by its byte, once, from the left.
 */
#ifndef POSTERN_CONTROL_JSON_TEXT_H
#define POSTERN_CONTROL_JSON_TEXT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* A new JSON string of len bytes at p; NULL: no memory. Linear in len. Any thread. */
json_t *json_text(const void *p, size_t len);

/*
 * The length of the character at p, of which left > 0 bytes are readable, that
 * stands for itself; 0: the byte at p is to be written as \xHH.
 */
size_t json_text_plain(const uint8_t *p, size_t left);

#endif
