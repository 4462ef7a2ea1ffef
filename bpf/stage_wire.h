/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * After stage one, on a port: the failure policy, and the counters. For the kernel, and for
 * the test that holds it to the same on the host.
 */
#ifndef POSTERN_STAGE_WIRE_H
#define POSTERN_STAGE_WIRE_H

#include "bpf/maps.h"

/* How the dataplane does on the queue of a packet. */
struct stage_dataplane {
	bool socket;        /* it listens */
	uint64_t heartbeat; /* ns, when it last said so; 0: never */
};

/*
 * A packet to be inspected goes there only if the dataplane lives; else where the policy says. A
 * suspended tenant's goes nowhere then: an open gate would let go who was stopped. But for its
 * SIP: an emergency call may be in it, which is decided before any suspension, and here nobody
 * can tell.
 */
STAGE_INLINE void stage_settle(const struct gate_port *port,
			       const struct stage_dataplane *dataplane, uint64_t now,
			       struct stage_result *r)
{
	uint64_t age = now > dataplane->heartbeat ? now - dataplane->heartbeat : 0;

	if (r->action != WIRE_INSPECT)
		return;
	if (!dataplane->socket)
		r->reason = REASON_NO_SOCKET;
	else if (port->heartbeat_max && age > port->heartbeat_max)
		r->reason = REASON_HEARTBEAT_STALE;
	else
		return;
	if (r->optional) {
		r->action = WIRE_PASS;
		r->reason = REASON_NONE;
		return;
	}
	if (port->failure == GATE_FAIL_CLOSED || (r->suspended && !r->call)) {
		r->action = WIRE_DROP;
		return;
	}
	r->action = WIRE_PASS;
	if (r->call)
		r->reason = REASON_CALL_UNREAD;
}

STAGE_INLINE void stage_count_port(struct gate_port_counters *c, const struct stage_packet *p,
				   const struct stage_result *r)
{
	c->packets++;
	c->bytes += p->len;
	if (p->class < CLASS_COUNT)
		c->class[p->class]++;
	if (r->action < WIRE_COUNT) {
		c->action[r->action]++;
		if (r->reason < REASON_COUNT)
			c->reason[r->reason][r->action]++;
	}
	if (!r->shadowed)
		return;
#define X(id) c->shadow[CHECK_##id] += r->shadowed >> CHECK_##id & 1;
	STAGE_CHECKS(X)
#undef X
}

STAGE_INLINE void stage_count_tenant(struct gate_tenant_counters *c, const struct stage_packet *p,
				     const struct stage_result *r)
{
	bool failed = r->reason == REASON_NO_SOCKET || r->reason == REASON_HEARTBEAT_STALE ||
		      r->reason == REASON_CALL_UNREAD;

	c->packets[r->outbound & 1]++;
	c->bytes[r->outbound & 1] += p->len;
	c->inspected += failed || r->action == WIRE_INSPECT;
	c->failed += failed;
	c->bytes_tls += r->tls ? p->len : 0;
	c->media += r->media;
	if (r->action != WIRE_DROP && !r->shadowed)
		return;
#define X(id)                                                                         \
	c->dropped[CHECK_##id] += r->action == WIRE_DROP && r->reason == REASON_##id; \
	c->shadow[CHECK_##id] += r->shadowed >> CHECK_##id & 1;
	STAGE_CHECKS(X)
#undef X
}

#endif
