/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * A worker's counters: written by it alone, plain stores; read by control at
 * any time. All count since start. Summing over workers gives the gate's.
 */
#ifndef POSTERN_COUNTERS_H
#define POSTERN_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/hll.h"
#include "bpf/reason.h"
#include "bpf/sketch.h"
#include "bpf/tenant.h"

#define COUNTED_NAMES     256 /* distinct SMTP verbs, SIP methods */
#define COUNTED_NAME_SIZE 24

/* Names that tenants invent (verbs, methods): a bounded table; the last slot takes the rest. */
struct counted_name {
	char name[COUNTED_NAME_SIZE]; /* NUL-terminated, upper case, cut */
	uint64_t count;
};

enum stage {
	STAGE_RX,
	STAGE_DECODE,
	STAGE_FLOW,
	STAGE_STREAM,
	STAGE_INSPECT,
	STAGE_VERDICT,
	STAGE_TX,
	STAGE_COUNT,
};

struct counters {
	struct {
		uint64_t packets, bytes; /* bytes on the wire */
		uint64_t decoded, not_ip, fragments, malformed, truncated, not_inspected, tunnels;
	} link;
	struct {
		uint64_t flows, midstream, out_of_order, retransmitted, overlap_differs, gaps;
	} tcp;
	struct {
		uint64_t sessions, starttls, auth, implicit_tls;
		uint64_t messages_attempted, messages_accepted, messages_refused_by_peer,
			messages_refused_by_gate;
		uint64_t rcpt_attempted, rcpt_accepted, rcpt_delivered, rcpt_hard_bounced;
		uint64_t replies[1000]; /* by code */
		struct counted_name commands[COUNTED_NAMES];
	} smtp;
	struct {
		uint64_t malformed;
		uint64_t calls_attempted, calls_seized, calls_answered, calls_short,
			calls_completed;
		uint64_t responses[1000]; /* by code */
		struct counted_name requests[COUNTED_NAMES];
	} sip;
	uint64_t flows_created, flows_now, flows_peak;
	uint64_t verdicts[VERDICT_COUNT]; /* packets: their sum is the packets decided upon */
	uint64_t reasons[REASON_COUNT];   /* times given */
	uint64_t cycles[STAGE_COUNT];     /* of the TSC, spent in each stage */
	uint64_t events, events_lost;
};

/*
 * Per tenant slot and worker. In its first line is what every packet counts, in its second what
 * calls do: with many tenants sending at once each line of one is a miss.
 */
struct tenant_counters {
	uint64_t packets, bytes;
	uint64_t verdicts[VERDICT_COUNT];
	/*
	 * Of connections (of UDP: flows) that it makes to inspected ports: those that were
	 * let in, and those of them under TLS; and, when they end,
	 * their bytes both ways, of those in the clear and of those under TLS.
	 */
	uint64_t connections, bytes_clear;
	uint64_t calls, calls_seized, calls_answered, calls_short, calls_completed;
	uint64_t calls_open;     /* summed over workers: that ring or are talked on now */
	uint64_t calls_outage;   /* seized ones that ended in 408, 500, 503 or 504 */
	uint64_t calls_unwanted; /* in 607 (RFC 8197) */
	uint64_t messages, messages_accepted, recipients;
	/* Of mail that the tenant sends: RCPTs that a server took or refused for good (2yz, 5yz).
	 */
	uint64_t recipients_answered, recipients_bounced;
	uint64_t connections_tls, bytes_tls;
	uint64_t reasons[REASON_COUNT];
	/* No sums, from here on. */
	struct sketch callees; /* of call attempts */
	struct sketch domains; /* of recipients */
	struct hll distinct_recipients;
} __attribute__((aligned(64)));

_Static_assert(offsetof(struct tenant_counters, calls) == 64, "what every packet counts: a line");
_Static_assert(offsetof(struct tenant_counters, messages) == 128, "what calls count: a line");

/* How near a tenant came to each limit: percent of its bucket, at the most. Per slot and worker. */
struct limit_peak {
	uint8_t percent[LIMIT_COUNT];
};

#endif
