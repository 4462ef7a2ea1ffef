/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SIP header lines (RFC 3261 7.3): names, compact forms, folding, lists.
 * Pure functions over the caller's bytes; any thread; linear.
 */
#ifndef POSTERN_PROTO_SIP_HEADER_H
#define POSTERN_PROTO_SIP_HEADER_H

#include "dataplane/proto/bytes.h"

/* id, name, compact form (IANA's registry of SIP header fields) */
/* clang-format off */
#define SIP_HEADERS(X)                                                                             \
	X(VIA, "Via", 'v')                                                                          \
	X(FROM, "From", 'f')                                                                        \
	X(TO, "To", 't')                                                                            \
	X(CALL_ID, "Call-ID", 'i')                                                                  \
	X(CSEQ, "CSeq", 0)                                                                          \
	X(CONTACT, "Contact", 'm')                                                                  \
	X(CONTENT_LENGTH, "Content-Length", 'l')                                                    \
	X(CONTENT_TYPE, "Content-Type", 'c')                                                        \
	X(CONTENT_ENCODING, "Content-Encoding", 'e')                                                \
	X(MAX_FORWARDS, "Max-Forwards", 0)                                                          \
	X(ROUTE, "Route", 0)                                                                        \
	X(RECORD_ROUTE, "Record-Route", 0)                                                          \
	X(EXPIRES, "Expires", 0)                                                                    \
	X(USER_AGENT, "User-Agent", 0)                                                              \
	X(SERVER, "Server", 0)                                                                      \
	X(P_ASSERTED_IDENTITY, "P-Asserted-Identity", 0)                                            \
	X(P_PREFERRED_IDENTITY, "P-Preferred-Identity", 0)                                          \
	X(IDENTITY, "Identity", 'y')                                                                \
	X(PRIVACY, "Privacy", 0)                                                                    \
	X(REMOTE_PARTY_ID, "Remote-Party-ID", 0)                                                    \
	X(DIVERSION, "Diversion", 0)                                                                \
	X(SUBJECT, "Subject", 's')                                                                  \
	X(SUPPORTED, "Supported", 'k')                                                              \
	X(REQUIRE, "Require", 0)                                                                    \
	X(REFER_TO, "Refer-To", 'r')                                                                \
	X(REFERRED_BY, "Referred-By", 'b')                                                          \
	X(EVENT, "Event", 'o')                                                                      \
	X(ALLOW_EVENTS, "Allow-Events", 'u')                                                        \
	X(SESSION_EXPIRES, "Session-Expires", 'x')                                                  \
	X(REQUEST_DISPOSITION, "Request-Disposition", 'd')                                          \
	X(ACCEPT_CONTACT, "Accept-Contact", 'a')                                                    \
	X(REJECT_CONTACT, "Reject-Contact", 'j')                                                    \
	X(AUTHORIZATION, "Authorization", 0)                                                        \
	X(PROXY_AUTHORIZATION, "Proxy-Authorization", 0)                                            \
	X(WWW_AUTHENTICATE, "WWW-Authenticate", 0)                                                  \
	X(PROXY_AUTHENTICATE, "Proxy-Authenticate", 0)                                              \
	X(RETRY_AFTER, "Retry-After", 0)                                                            \
	X(REASON, "Reason", 0)                                                                      \
	X(WARNING, "Warning", 0)
/* clang-format on */

enum sip_header_id {
	SIP_HEADER_OTHER,
#define X(id, name, compact) SIP_HEADER_##id,
	SIP_HEADERS(X)
#undef X
		SIP_HEADER_COUNT,
};

struct sip_header {
	struct bytes name;  /* as written */
	struct bytes value; /* trimmed; folds are still in it when `folded` */
	uint8_t id;         /* enum sip_header_id */
	bool folded;
};

enum sip_header_next {
	SIP_HEADER_FOUND,
	SIP_HEADER_BAD,   /* a line without a name and a colon; out is not set */
	SIP_HEADER_END,   /* the empty line, which is consumed too */
	SIP_HEADER_UNEND, /* the bytes are used up before an empty line */
};

/*
 * Takes one header, folds included, off the front of *rest. A last line
 * without a line end counts as a header: the end is then SIP_HEADER_UNEND.
 * Adds SIP_FLAG_BARE_LF to *flags where a line ends so.
 */
enum sip_header_next sip_header_next(struct bytes *rest, struct sip_header *out, uint32_t *flags);

enum sip_header_id sip_header_id(struct bytes name);
const char *sip_header_name(enum sip_header_id id); /* "" for SIP_HEADER_OTHER */

/*
 * A value without its folds: each becomes one space (RFC 3261 7.3.1). Writes
 * at most `size` bytes to buf (no NUL), returns how many. An unfolded value
 * needs no call: it is used in place.
 */
size_t sip_header_unfold(struct bytes value, char *buf, size_t size);

/*
 * Takes the next element of a comma-joined list off *rest, trimmed; commas in
 * "quotes" and <brackets> do not separate. Empty elements are skipped. False: no more.
 */
bool sip_list_next(struct bytes *rest, struct bytes *out);

/* SP, HTAB, and the CR and LF of folds. */
static inline bool sip_is_lws(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool sip_is_token(struct bytes s); /* RFC 3261 25.1; an empty one is none */
bool sip_is_token_char(uint8_t c);

/*
 * Decimal digits alone, at most `max`; -1 otherwise. Leading zeros are digits like others.
 */
int64_t sip_number_value(struct bytes s, uint64_t max);

#endif
