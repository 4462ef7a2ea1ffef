/* SPDX-License-Identifier: BSD-3-Clause */
/* What of some bytes is UTF-8 (RFC 3629 section 4: no overlong form, no surrogate, at most
 * U+10FFFF). */
#ifndef POSTERN_CONTROL_UTF8_H
#define POSTERN_CONTROL_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The length of the character at p, of which left > 0 bytes are readable; 0: there is none. */
size_t utf8_len(const uint8_t *p, size_t left);

#endif
