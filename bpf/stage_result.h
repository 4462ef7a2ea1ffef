/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/* What stage one says of a packet, and what it was told of flows. */
#ifndef POSTERN_STAGE_RESULT_H
#define POSTERN_STAGE_RESULT_H

#include <stdint.h>

#include "bpf/flow_key.h"

/* The side of the gate that a packet came in by. */
enum stage_from {
	FROM_ANYWHERE, /* a capture: the tenant's side is the one with its address */
	FROM_INSIDE,   /* the tenants' port */
	FROM_OUTSIDE,
};

/* What becomes of it. The order is ABI. */
enum wire_action {
	WIRE_PASS,    /* to the other port, unread */
	WIRE_INSPECT, /* to the dataplane */
	WIRE_DROP,
	WIRE_COUNT,
};

/* Everything for which stage one drops, in the order of the checks; names are reasons'. ABI. */
#define STAGE_CHECKS(X)     \
	X(SPOOFED)          \
	X(TENANT_SUSPENDED) \
	X(BLOCKED)          \
	X(LIMIT_PACKETS)    \
	X(LIMIT_BYTES)      \
	X(LIMIT_SYNS)       \
	X(PROBING)          \
	X(FLOW_DECIDED)

enum stage_check {
#define X(id) CHECK_##id,
	STAGE_CHECKS(X)
#undef X
		CHECK_COUNT,
};

/* What the dataplane found out about a flow, for a while. */
enum flow_decision {
	FLOW_UNDECIDED,
	FLOW_DROP,
	FLOW_PASS, /* nothing more to inspect in it */
};

/*
 * A verdict of TCP's holds as long as the connection that it was made of: `epoch` is what stood at
 * `place` of the table of epochs then, and a worker that sees a SYN between the same ports counts
 * that up before the SYN goes on.
 */
struct flow_verdict {
	uint64_t expires;  /* ns, CLOCK_MONOTONIC */
	uint16_t decision; /* enum flow_decision */
	uint16_t own;   /* the tenant has made the connection: it counts as one of its under TLS */
	uint32_t place; /* FLOW_EPOCHS: of no connection */
	uint64_t epoch;
};

/* What a worker asks control to put into the kernel, whose maps take system calls. */
struct kernel_flow {
	struct flow_key key;
	struct flow_verdict verdict;
};

#define FLOW_EPOCHS (1U << 16) /* places; flows that share one end each other's verdicts */

struct stage_result {
	uint32_t tenant; /* slot, 0: nobody's */
	uint8_t outbound;
	uint8_t action;    /* enum wire_action */
	uint8_t reason;    /* enum reason */
	uint8_t shadowed;  /* bit per enum stage_check: would have been dropped for it */
	uint8_t suspended; /* the tenant is */
	uint8_t optional;  /* WIRE_INSPECT: passes where no dataplane is */
	uint8_t call;      /* and this is its SIP */
	uint8_t tls;       /* passes unread, of a connection of the tenant's under TLS */
	uint8_t media;     /* an emergency call's: dropped for nothing of the tenant's */
	uint32_t blamed;   /* slot of who alone has the VLAN that a spoofed packet came by; 0 */
};

#endif
