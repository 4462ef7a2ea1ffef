/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One SIP message (RFC 3261), read in place.
 *
 * All spans of a `struct sip_message` point into the bytes given to
 * sip_parse(), and live as long as those. Nothing is allocated or changed; any
 * thread. Time is linear in the length, whatever the bytes are.
 *
 * What the three results mean:
 *
 *  SIP_OK         a valid start line and a framing that can be trusted. Whatever
 *                 else is wrong (no From, a bad CSeq, a Request-URI in <>) is a
 *                 flag: unknown or sloppy is not hostile.
 *  SIP_MALFORMED  meant as SIP, but not readable by its start line (`kind` is
 *                 then SIP_NEITHER) or by its framing: headers that stop in the
 *                 middle of a line or before an announced body, no usable
 *                 Content-Length, less body than announced (RFC 3261 18.3).
 *                 `error` says which.
 *  SIP_NOT_SIP    keep-alives (CRLFs, a NUL), STUN, anything else that shares the
 *                 port. Neither counted as a message nor as malformed.
 *
 * Addresses, URIs and Via values are found, and looked into only when somebody asks: most
 * messages are forwarded without.
 *
 * A message counts among requests or responses whenever `kind` says so, and is
 * to be inspected then, SIP_MALFORMED or not: a sloppy receiver may still act
 * on it. Everything that could be read is filled in.
 */
#ifndef POSTERN_PROTO_SIP_H
#define POSTERN_PROTO_SIP_H

#include "dataplane/proto/bytes.h"
#include "dataplane/proto/sip_header.h"
#include "dataplane/proto/sip_uri.h"

#define SIP_HEADERS_KEPT 64 /* more are read for what they say, and counted, but not listed */
#define SIP_METHOD_MAX   64 /* bytes; a longer one is SIP_ERROR_METHOD */
#define SIP_BODY_MAX     (16u << 20) /* bytes; a larger Content-Length is no length */

/* clang-format off */
#define SIP_METHODS(X)                                                                             \
	X(INVITE) X(ACK) X(BYE) X(CANCEL) X(OPTIONS) X(REGISTER) X(PRACK) X(SUBSCRIBE) X(NOTIFY)    \
	X(PUBLISH) X(INFO) X(REFER) X(MESSAGE) X(UPDATE)

#define SIP_ERRORS(X)                                                                              \
	X(NONE, "nothing wrong")                                                                    \
	X(START_LINE, "not a request or status line")                                               \
	X(METHOD, "a method that is no token, or an endless one")                                   \
	X(VERSION, "a version other than SIP/2.0")                                                  \
	X(STATUS_CODE, "a status code outside 100 to 699")                                          \
	X(HEAD_END, "headers that stop short")                                              \
	X(CONTENT_LENGTH, "a Content-Length that is no length")                                     \
	X(CONTENT_LENGTHS, "several Content-Lengths that differ")                                   \
	X(BODY_TRUNCATED, "less body than Content-Length says")

/* What is odd about a message that can be read all the same. */
#define SIP_FLAGS(X)                                                                               \
	X(NO_VIA) X(NO_FROM) X(NO_TO) X(NO_CALL_ID) X(NO_CSEQ) X(NO_FROM_TAG)                       \
	X(DUPLICATE)         /* From, To, Call-ID, CSeq or Content-Length twice; the first counts */ \
	X(BAD_CSEQ) X(CSEQ_METHOD) /* no number or method; another method than the request's */      \
	X(BAD_URI) X(BAD_FROM) X(BAD_TO) X(BAD_VIA)                                                 \
	X(BAD_HEADER)        /* a line that is no header: skipped */                                 \
	X(START_SPACES)      /* superfluous white space in the start line */                         \
	X(BARE_LF) X(FOLDED)                                                                        \
	X(HEADERS_CUT)       /* more than SIP_HEADERS_KEPT */                                        \
	X(NO_HEAD_END)       /* no empty line, but Content-Length 0, or none and whole lines */ \
	X(NO_CONTENT_LENGTH) /* body runs to the datagram's end */                                   \
	X(BODY_EXTRA)        /* bytes after the body, ignored (RFC 3261 18.3) */
/* clang-format on */

enum sip_method {
	SIP_METHOD_OTHER,
#define X(name) SIP_METHOD_##name,
	SIP_METHODS(X)
#undef X
};

enum sip_error {
#define X(id, text) SIP_ERROR_##id,
	SIP_ERRORS(X)
#undef X
};

enum sip_flag_bit {
#define X(id) SIP_FLAG_BIT_##id,
	SIP_FLAGS(X)
#undef X
		SIP_FLAG_COUNT,
};

enum sip_flag {
#define X(id) SIP_FLAG_##id = 1 << SIP_FLAG_BIT_##id,
	SIP_FLAGS(X)
#undef X
};

enum sip_result { SIP_OK, SIP_MALFORMED, SIP_NOT_SIP };
enum sip_kind { SIP_NEITHER, SIP_REQUEST, SIP_RESPONSE };

struct sip_message {
	uint8_t kind;          /* enum sip_kind; SIP_NEITHER unless the start line is valid */
	uint8_t error;         /* enum sip_error */
	uint8_t method_id;     /* requests: enum sip_method */
	uint8_t cseq_method;   /* enum sip_method */
	uint16_t code;         /* responses: 100..699 */
	uint16_t header_count; /* listed in headers[] */
	uint32_t header_total; /* seen */
	uint32_t flags;        /* of enum sip_flag; sip_message_flags() has some more */

	struct bytes start_line; /* without its line end */
	struct bytes method;     /* as written; method_id does not mind its case */
	struct bytes version;
	struct bytes reason; /* responses: the reason phrase, may be empty */
	struct bytes uri;    /* requests: the Request-URI, for sip_uri_parse() */

	struct bytes head; /* start line to the empty line, both included */
	struct bytes body;

	struct sip_address from;
	struct sip_address to;
	struct bytes call_id;
	struct bytes cseq; /* the header's value */
	uint32_t cseq_number;
	struct bytes via;       /* the first such header's value, for sip_message_via() */
	int64_t content_length; /* -1: none */
	int64_t expires;        /* seconds, -1: none or no number */
	uint64_t call_hash;     /* call_hash()'s, for whoever wants to keep it here; 0: not yet */
	struct bytes contact;   /* this and below: the first such header's value */
	struct bytes user_agent;
	struct bytes p_asserted_identity;
	struct bytes p_preferred_identity;
	struct bytes identity;
	struct bytes privacy;

	struct sip_header headers[SIP_HEADERS_KEPT]; /* in order; header_count are valid */
};

/* A datagram's payload. `out` is filled as far as the message could be read. */
enum sip_result sip_parse(const uint8_t *data, size_t len, struct sip_message *out);

/*
 * The start line and headers alone: `len` ends with the empty line, or with
 * whatever there is. Leaves the body empty; sip_frame.h uses it on streams,
 * where the framer knows the body.
 */
enum sip_result sip_parse_head(const uint8_t *data, size_t len, struct sip_message *out);

/* Does a line (no line end) begin a SIP message? Fills in what it says, as sip_parse_head() would.
 */
enum sip_result sip_parse_start_line(struct bytes line, struct sip_message *out);

/* The topmost Via. False: there is none, or its grammar is left. */
bool sip_message_via(const struct sip_message *msg, struct sip_via *out);

/* The flags, and those that only a closer look shows: SIP_FLAG_BAD_URI, _FROM, _TO, _VIA. */
uint32_t sip_message_flags(const struct sip_message *msg);

enum sip_method sip_method_id(struct bytes name);
const char *sip_error_text(enum sip_error error);
const char *sip_flag_name(enum sip_flag_bit bit);

/* The next listed header of that id at or after *index, which moves beyond it; NULL: none. */
const struct sip_header *sip_header_find(const struct sip_message *msg, enum sip_header_id id,
					 unsigned *index);

#endif
