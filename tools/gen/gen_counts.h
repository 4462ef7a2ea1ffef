/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was generated: the truth that a replay of it is held against. Counts
 * mean what the gate's summary means by them.
 */
#ifndef POSTERN_GEN_COUNTS_H
#define POSTERN_GEN_COUNTS_H

#include <stdint.h>
#include <stdio.h>

/* clang-format off */
#define GEN_SMTP_VERBS(X) X(EHLO) X(STARTTLS) X(MAIL) X(RCPT) X(DATA) X(BDAT) X(QUIT)
#define GEN_SIP_METHODS(X) X(INVITE) X(ACK) X(BYE) X(CANCEL)
/* clang-format on */

enum gen_smtp_verb {
#define X(verb) GEN_##verb,
	GEN_SMTP_VERBS(X)
#undef X
		GEN_SMTP_VERB_COUNT,
};

enum gen_sip_method {
#define X(method) GEN_##method,
	GEN_SIP_METHODS(X)
#undef X
		GEN_SIP_METHOD_COUNT,
};

struct gen_counts {
	uint64_t packets;
	uint64_t bytes;

	uint64_t tcp_flows;
	uint64_t retransmitted, reordered, overlapped, fragmented, decoys;

	uint64_t smtp_sessions;
	uint64_t smtp_starttls;
	uint64_t smtp_commands[GEN_SMTP_VERB_COUNT];
	uint64_t smtp_replies[600]; /* by code */
	uint64_t messages_attempted, messages_accepted, messages_refused;
	uint64_t recipients_attempted, recipients_accepted, recipients_delivered;
	uint64_t messages_spam, recipients_opted_out;

	uint64_t sip_requests[GEN_SIP_METHOD_COUNT];
	uint64_t sip_responses[700]; /* by code */
	uint64_t calls_attempted, calls_answered, calls_short, calls_completed;
	uint64_t calls_emergency, calls_opted_out;
};

/* One JSON object and a newline. */
void counts_print(const struct gen_counts *counts, FILE *out);

#endif
