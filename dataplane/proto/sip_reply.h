/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The gate's own final response to a SIP request (RFC 3261 8.2.6).
 *
 * Stateless (8.2.7): the To tag is made from the seed and the request's identity,
 * so that every retransmission of a request is given the very same bytes. Pure; any thread.
 */
#ifndef POSTERN_PROTO_SIP_REPLY_H
#define POSTERN_PROTO_SIP_REPLY_H

#include "dataplane/proto/sip.h"
#include "dataplane/proto/siphash.h"

struct sip_reply {
	uint16_t code;         /* 300..699 */
	struct bytes reason;   /* the reason phrase; cut at the first control character */
	struct bytes warning;  /* text of a Warning: 399 header; empty: none */
	uint32_t retry_after;  /* seconds, 0: none */
	struct bytes received; /* the packet's source address as text, empty: unknown (18.2.1) */
	uint16_t rport;        /* its source port, put where the client asks for it (RFC 3581) */
	const uint8_t *seed;   /* SIPHASH_KEY_SIZE bytes, for the To tag */
};

/*
 * Writes the response to buf (no NUL) and returns its length. 0 when there is
 * nothing to answer: no request, an ACK, no Via, From, To, Call-ID or CSeq to
 * answer with; or when `size` does not hold it all.
 */
size_t sip_reply_build(const struct sip_message *request, const struct sip_reply *reply, char *buf,
		       size_t size);

/*
 * True: the message has the To tag that the answer to its transaction's INVITE was given; so it is
 * that answer's ACK (RFC 3261 17.1.1.3). Not of requests that had a To tag themselves.
 */
bool sip_reply_is_acked(const struct sip_message *ack, const uint8_t *seed);

#endif
