/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * U-labels to A-labels (RFC 3492, RFC 5890 2.3.2.1): a domain said in UTF-8 and the same domain as
 * it is in the DNS become one. Pure, no allocation: workers need it for SMTPUTF8's addresses (RFC
 * 6531), for which libidn2, which allocates, is none.
 *
 * Letters beyond ASCII are not mapped to lower case, and nothing is checked against Unicode's
 * tables (RFC 5892): whoever registered a domain did.
 */
#ifndef POSTERN_PUNYCODE_H
#define POSTERN_PUNYCODE_H

#include <stddef.h>
#include <stdint.h>

/*
 * One label, without dots, into `out`. Its length, with "xn--"; 0: it is no UTF-8, or longer than
 * `room` or 59 code points, which no label of the DNS is (RFC 1035 2.3.4).
 */
size_t punycode_label(const uint8_t *in, size_t len, uint8_t *out, size_t room);

#endif
