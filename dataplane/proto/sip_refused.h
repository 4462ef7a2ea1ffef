/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests that the gate has answered itself, so that the same answer goes out when one is sent
 * again, and nothing of its transaction goes on: RFC 3261 17.2.1 and 17.2.2, Completed.
 *
 * Each is remembered for as long as its sender may send it again (timers H and J: 64*T1), counted
 * from the first answer: what is sent again doesn't make it longer. Nothing goes before its time;
 * who has no room is told so.
 *
 * The table lives in memory of the caller's and belongs to one thread at a time, but for
 * sip_refused_count(). Times are ns of the packets' clock. All operations are O(1), amortized.
 */
#ifndef POSTERN_PROTO_SIP_REFUSED_H
#define POSTERN_PROTO_SIP_REFUSED_H

#include "dataplane/proto/sip_transaction.h"

#define SIP_PHRASE_MAX  96 /* bytes of words that are kept */
#define SIP_WARNING_MAX 120

struct sip_refused {
	uint64_t key;
	uint64_t since; /* ns: the first answer */
	uint32_t method;
	uint32_t tenant;
	uint32_t next; /* in its hash chain */
	uint16_t code; /* 0: dropped without a word */
	uint16_t retry_after;
	bool acked; /* an ACK came: RFC 3261 17.2.1, Confirmed */
	uint8_t phrase_len, warning_len;
	char phrase[SIP_PHRASE_MAX];
	char warning[SIP_WARNING_MAX];
};

struct sip_refused_config {
	uint32_t entries;    /* of the table */
	uint32_t tenants;    /* slots: tenant < tenants */
	uint32_t tenant_max; /* entries of one tenant, at most */
	uint64_t linger_ns;
};

struct sip_refused_table; /* opaque: at the beginning of the caller's memory */

size_t sip_refused_size(const struct sip_refused_config *config); /* bytes, 64-byte aligned */
struct sip_refused_table *sip_refused_init(void *memory, const struct sip_refused_config *config);
void sip_refused_linger(struct sip_refused_table *table, uint64_t linger_ns);

/* Of a tenant, some of them past their time perhaps. Any thread; 0: none that it could know of. */
uint32_t sip_refused_count(const struct sip_refused_table *table, uint32_t tenant);

/* NULL: none, or its time is over. Valid until the next sip_refused_add(). */
struct sip_refused *sip_refused_find(struct sip_refused_table *table, uint64_t now, uint32_t tenant,
				     struct sip_transaction transaction);

/* A new one, code and words the caller's to fill in. NULL: no room, or a key of 0. */
struct sip_refused *sip_refused_add(struct sip_refused_table *table, uint64_t now, uint32_t tenant,
				    struct sip_transaction transaction);

/* Forgets what is past its time, at most `budget`. */
void sip_refused_expire(struct sip_refused_table *table, uint64_t now, uint32_t budget);

#endif
