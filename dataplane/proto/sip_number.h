/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The telephone number in a URI, and whether a list holds it.
 *
 * Read as the one who dials would, not as the one who hides: the user part is
 * unescaped once (never twice), ends at its parameters or at a NUL (where a C
 * string would end), and loses its visual separators (RFC 3966 3: "-.()", and
 * spaces) and a closing '#', which ends dialling. What is then not digits, '*',
 * '#', A-D and a leading '+' is no number. Matching is exact, never by prefix:
 * "911" does not match "+911", "0911" or "9112345678"; a list that is to catch
 * "+1911" says so.
 *
 * Pure functions; any thread; linear.
 */
#ifndef POSTERN_PROTO_SIP_NUMBER_H
#define POSTERN_PROTO_SIP_NUMBER_H

#include "dataplane/proto/sip_uri.h"

#define SIP_NUMBER_MAX 32 /* digits and signs; a longer one is no number */

struct sip_number {
	char digits[SIP_NUMBER_MAX + 1]; /* NUL-terminated; "" when it is no number */
	uint8_t len;
	bool global; /* begins with '+' */
};

/* False, and an empty number, when the URI holds none. sip:, sips: and tel: can. */
bool sip_number_read(const struct sip_uri *uri, struct sip_number *out);

/* urn:service:sos and what is below it (RFC 5031 4.2); not urn:service:test.sos. */
bool sip_uri_is_sos(const struct sip_uri *uri);

/* `list`: `count` strings of the alphabet above, in strcmp() order. */
bool sip_number_listed(const struct sip_number *number, const char *const *list, size_t count);

/* Is this URI an emergency call? `list` as above. */
bool sip_uri_is_emergency(const struct sip_uri *uri, const char *const *list, size_t count);

#endif
