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

#include "bpf/gcra.h"

#ifdef __bpf__
typedef __u64 tenant_u64;
typedef __u32 tenant_u32;
#else
typedef uint64_t tenant_u64;
typedef uint32_t tenant_u32;
#endif

#define TENANT_ABI 1

enum tenant_state {
	TENANT_ACTIVE,
	TENANT_SUSPENDED,
};

/* One token bucket each. The order is ABI; names are the configuration's. */
#define TENANT_LIMITS(X)                                                    \
	X(MESSAGES, "messages")         /* SMTP MAIL commands */            \
	X(RECIPIENTS, "recipients")     /* SMTP RCPT commands */            \
	X(CONNECTIONS, "connections")   /* new inspected TCP connections */ \
	X(BYTES, "bytes")               /* bytes on the wire, outbound */   \
	X(CALLS, "calls")               /* SIP call attempts */             \
	X(SIP_REQUESTS, "sip_requests") /* SIP requests but ACK and CANCEL */

enum tenant_limit {
#define X(id, name) LIMIT_##id,
	TENANT_LIMITS(X)
#undef X
		LIMIT_COUNT,
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
};

struct tenant_slot {
	tenant_u32 id; /* the configuration's, 0 in slot 0 */
	tenant_u32 state;
	tenant_u32 flags;
	tenant_u32 emergency;              /* enum emergency_mode */
	tenant_u32 recipients_per_message; /* 0: no limit */
	tenant_u32 country; /* two ASCII letters, first in the low byte; 0: unknown */
	tenant_u32 shadow;  /* bit per enum tenant_limit: count, do not enforce */
	tenant_u32 pad;
	struct gcra limit[LIMIT_COUNT];
	gcra_word bucket[LIMIT_COUNT];
} __attribute__((aligned(64)));

#endif
