/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * A tenant's policy and state: one slot of an array that the XDP program, the
 * dataplane and posternd read and write in place (in replay: plain memory).
 * Fixed layout, no pointers; a change of it bumps TENANT_ABI.
 *
 * Slot 0 is traffic of no configured tenant.
 */
#ifndef POSTERN_TENANT_H
#define POSTERN_TENANT_H

#include <stddef.h>

#include "bpf/gcra.h"

#define TENANT_ABI 8

enum tenant_state {
	TENANT_ACTIVE,
	TENANT_SUSPENDED,
};

/* One token bucket each. The order is ABI; names are the configuration's. */
#define TENANT_LIMITS(X)                                                         \
	X(MESSAGES, "messages")         /* SMTP MAIL commands */                 \
	X(RECIPIENTS, "recipients")     /* SMTP RCPT commands */                 \
	X(CONNECTIONS, "connections")   /* new inspected TCP connections */      \
	X(BYTES, "bytes")               /* bytes on the wire, outbound */        \
	X(CALLS, "calls")               /* SIP call attempts */                  \
	X(SIP_REQUESTS, "sip_requests") /* SIP requests but what ends calls */   \
	X(PACKETS, "packets")           /* packets, outbound */                  \
	X(SYNS, "syns")                 /* TCP connections begun, to any port */ \
	X(SMS, "sms")                   /* SIP MESSAGE requests */               \
	X(REGISTERS, "registers")       /* SIP REGISTER requests */

enum tenant_limit {
#define X(id, name) LIMIT_##id,
	TENANT_LIMITS(X)
#undef X
		LIMIT_COUNT,
};

/* A bucket for each limit, and those of what is let through beyond one. */
enum tenant_bucket {
	BUCKET_SYNS_KNOWN =
		LIMIT_COUNT, /* to peers that answered before: as large as LIMIT_SYNS' */
	BUCKET_CALLS_READ,   /* packets of SIP, by who sends them: limit_spend_read() */
	BUCKET_COUNT = BUCKET_CALLS_READ + 8,
};

/* How many at the most, a number each. The name is the configuration's and struct tenant_slot's. */
#define TENANT_COUNTS(X)                                                            \
	X(RECIPIENTS, recipients_per_message, 1000000)         /* of one mail */    \
	X(CALLS, calls_at_once, 1000000)                       /* that are open */  \
	X(DISTINCT_RECIPIENTS, distinct_recipients, 100000000) /* in a day (UTC) */ \
	X(DISTINCT_DOMAINS, distinct_domains, 100000000)       /* the same */       \
	X(SAME_BODY, same_body, 65535) /* within policy_mail.same_body_window */

enum tenant_count {
#define X(id, name, most) COUNT_##id,
	TENANT_COUNTS(X)
#undef X
		COUNT_KINDS,
};

enum emergency_mode {
	EMERGENCY_ALERT, /* forward, urgent alarm: the engine's own default */
	EMERGENCY_REJECT,
	EMERGENCY_ALLOW,
};

enum tenant_flag {
	/* The tenant may send only from its own domains (AUP-DOMAIN-CONSENT). */
	TENANT_DOMAIN_CONSENT = 1 << 0,
	TENANT_HAS_OPTOUT = 1 << 1,
	TENANT_HAS_DNC = 1 << 2,
	TENANT_HAS_TAG = 1 << 3, /* its mails must have a field: policy.tags */
	/* What it sends (AUP-UNSUB); neither: both kinds, a mail's marks tell. */
	TENANT_MAIL_BULK = 1 << 4,
	TENANT_MAIL_TRANSACTIONAL = 1 << 5,
	TENANT_HAS_NUMBERS = 1 << 6, /* the configuration's; others may be imported */
	TENANT_RESTRICTED = 1 << 7,  /* its industry is one of those (AUP-INDUSTRY) */
	/* It is suspended, for so long that its mail need not come again: 554 instead of 421. */
	TENANT_CLOSED = 1 << 8,
};

/*
 * Of a packet that nobody reads three lines are touched: the first, that of the limits of bytes
 * and packets, that of the buckets. With many tenants sending at once each of them is a miss.
 */
struct tenant_slot {
	uint32_t id; /* the configuration's, 0 in slot 0 */
	uint32_t state;
	uint32_t flags;
	uint32_t emergency;              /* enum emergency_mode */
	uint32_t recipients_per_message; /* 0: no limit */
	uint32_t country;                /* two ASCII letters, first in the low byte; 0: unknown */
	uint32_t shadow;                 /* bit per enum tenant_limit: count, do not enforce */
	uint32_t configured_state;       /* the file's, while `state` is what holds */
	uint64_t shadow_checks;          /* bit per enum policy_check (bpf/check.h): the same */
	uint32_t calls_at_once;          /* 0: no limit */
	/* Of mail; 0: no limit. The same text: within policy_mail.same_body_window. */
	uint32_t same_body;
	uint32_t distinct_recipients, distinct_domains; /* in a day (UTC) */
	uint64_t pad;
	struct gcra per_domain; /* of mail: recipients of one domain */
	struct gcra limit[LIMIT_COUNT];
	gcra_word bucket[BUCKET_COUNT] __attribute__((aligned(64)));
} __attribute__((aligned(64)));

#define TENANT_LINE(member) (offsetof(struct tenant_slot, member) / 64)
_Static_assert(TENANT_LINE(shadow_checks) == 0 && TENANT_LINE(distinct_domains) == 0 &&
		       TENANT_LINE(limit[LIMIT_BYTES]) == TENANT_LINE(limit[LIMIT_PACKETS]) &&
		       TENANT_LINE(bucket[LIMIT_BYTES]) == TENANT_LINE(bucket[LIMIT_SYNS]),
	       "what every packet asks for lies together");
#undef TENANT_LINE

/* 0: no limit. */
static inline uint32_t tenant_count_get(const struct tenant_slot *slot, enum tenant_count count)
{
	switch (count) {
#define X(id, name, most) \
	case COUNT_##id:  \
		return slot->name;
		TENANT_COUNTS(X)
#undef X
	case COUNT_KINDS:
		break;
	}
	return 0;
}

static inline void tenant_count_set(struct tenant_slot *slot, enum tenant_count count, uint32_t n)
{
	switch (count) {
#define X(id, name, most)       \
	case COUNT_##id:        \
		slot->name = n; \
		break;
		TENANT_COUNTS(X)
#undef X
	case COUNT_KINDS:
		break;
	}
}

#endif
