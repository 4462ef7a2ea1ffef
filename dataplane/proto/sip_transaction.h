/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which transaction a SIP message belongs to, as one 64-bit hash.
 *
 * RFC 3261 17.2.3: topmost branch, sent-by and method, where ACK counts as
 * INVITE; a response is given the method of its CSeq and so gets its request's key.
 * Without RFC 3261's branch cookie, RFC 2543's rule: Call-ID, From tag, CSeq
 * number and method, and the topmost Via (the To tag, which an ACK has and its
 * INVITE hasn't, and the Request-URI, which a response hasn't, are left out).
 *
 * A CANCEL is a transaction of its own (RFC 3261 9.1): sip_transaction_cancelled()
 * is the key of the INVITE that it is about.
 *
 * sip_transaction_read() is for who remembers transactions that are over: a request and all that
 * may still be said about it have one key, and which of them it is, the method says. Pure; any
 * thread.
 */
#ifndef POSTERN_PROTO_SIP_TRANSACTION_H
#define POSTERN_PROTO_SIP_TRANSACTION_H

#include "dataplane/proto/sip.h"
#include "dataplane/proto/siphash.h"

/* 0: the message has no top Via, or no method. */
uint64_t sip_transaction_key(const struct sip_message *msg, const uint8_t key[SIPHASH_KEY_SIZE]);

/* For a CANCEL: the INVITE's key. 0 otherwise. */
uint64_t sip_transaction_cancelled(const struct sip_message *msg,
				   const uint8_t key[SIPHASH_KEY_SIZE]);

struct sip_transaction {
	uint64_t key;    /* 0: nothing in the message tells it from others */
	uint32_t method; /* a hash of its name; an ACK's is INVITE's */
};

#define SIP_METHOD_ANY 0 /* of a CANCEL: whichever request it is about (RFC 3261 9.2) */

/*
 * Branch, sent-by, Call-ID, From tag and CSeq number: RFC 3261 17.2.3 and 17.1.1.3 together. A
 * branch alone would do by 17.2.3; but who makes them badly, or on purpose the same for two
 * requests, has each of them looked at.
 */
struct sip_transaction sip_transaction_read(const struct sip_message *msg,
					    const uint8_t key[SIPHASH_KEY_SIZE]);

#endif
