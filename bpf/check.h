/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * What the gate itself looks for in mail and calls, limits of rate and rules aside: each a row of
 * the policy (docs/policy.md), with the reason that a verdict about it gives and what becomes of
 * it where the configuration (policy.actions) says nothing. `pass` is off: nobody looks.
 *
 * The order is ABI: bits of tenant_slot.shadow_checks.
 */
#ifndef POSTERN_CHECK_H
#define POSTERN_CHECK_H

#include "bpf/reason.h"

/* clang-format off */
#define POLICY_CHECKS(X)                                                                           \
	/* reason, row of the policy, verdict */                                                    \
	X(DOMAIN_CONSENT, "AUP-DOMAIN-CONSENT", REJECT)                                             \
	X(OPT_OUT, "AUP-OPTOUT", REJECT)                                                            \
	X(SPAM_TRAP, "AUP-LIST", ALERT)                                                             \
	X(SPAM_TRAP_RECYCLED, "AUP-LIST", ALERT)                                                    \
	X(DO_NOT_CALL, "AUP-DNC", REJECT)                                                           \
	X(HEADER_MISSING, "AUP-HDR-FORGED", REJECT)                                                 \
	X(HEADER_REPEATED, "AUP-HDR-FORGED", REJECT)                                                \
	X(HEADER_NUL, "AUP-HDR-FORGED", REJECT)                                                     \
	X(RECEIVED_FORGED, "AUP-HDR-FORGED", REJECT)                                                \
	X(DOMAIN_INVALID, "AUP-DOMAIN-INVALID", REJECT)                                             \
	X(UNSUBSCRIBE, "AUP-UNSUB", ALERT)                                                          \
	X(HELO_NAME, "AUP-ORIGIN", ALERT)                                                           \
	X(TAG_ALTERED, "AUP-ORIGIN", ALERT)                                                         \
	X(TAG_MISSING, "AUP-TAG", REJECT)                                                           \
	X(SUBJECT_REPLY, "AUP-SUBJECT", ALERT)                                                      \
	X(TRADEMARK, "AUP-TRADEMARK", ALERT) \
	X(SUPPRESSED, "AUP-SUPPRESS-LEARNED", REJECT)                                               \
	X(MAILBOMB, "AUP-MAILBOMB", REJECT)                                                         \
	X(PER_DOMAIN, "AUP-SPAM-BULK", REJECT)                                                      \
	X(DISTINCT_RECIPIENTS, "AUP-SPAM-BULK", REJECT)                                             \
	X(DISTINCT_DOMAINS, "AUP-SPAM-BULK", REJECT)                                                \
	X(HARVEST, "AUP-HARVEST", ALERT)                                                            \
	X(NEW_RECIPIENTS, "AUP-LIST", ALERT)                                                        \
	X(SAME_BODY, "AUP-SPAM-BULK", ALERT)                                                        \
	X(RELAY, "AUP-RELAY", ALERT)                                                                \
	X(CALLS_AT_ONCE, "AUP-DATA-TIER", REJECT)                                                   \
	X(CALLER_ID, "AUP-CALLERID", REJECT)                                                        \
	X(CALL_UNSIGNED, "AUP-CALLERID", PASS)                                                      \
	X(CALL_UNWANTED, "AUP-DNC", ALERT)                                                          \
	X(SMS_OPT_OUT, "AUP-SMS", REJECT)                                                           \
	X(SMS_STOP, "AUP-SMS", ALERT)                                                               \
	X(SMS_START, "AUP-SMS", ALERT)                                                              \
	X(PROBING, "AUP-DOS", ALERT)                                                                \
	X(AUTH_FAILURES, "AUP-DOS", ALERT)                                                          \
	X(RESTRICTED_INDUSTRY, "AUP-INDUSTRY", REJECT)
/* clang-format on */

enum policy_check {
#define X(id, row, verdict) POLICY_CHECK_##id,
	POLICY_CHECKS(X)
#undef X
		POLICY_CHECK_COUNT,
};

_Static_assert(POLICY_CHECK_COUNT <= 48, "they share a list of 63 names with limits");

/* By enum policy_check. */
struct policy_check_info {
	const char *row;
	enum reason reason;
	enum verdict fallback;
};

#ifndef __bpf__
extern const struct policy_check_info policy_checks[POLICY_CHECK_COUNT];

/* POLICY_CHECK_COUNT: the reason is none of a check's. */
enum policy_check policy_check_of(enum reason reason);
#endif

#endif
