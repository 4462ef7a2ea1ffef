/* SPDX-License-Identifier: BSD-3-Clause */
/* A rule's header against the flow. */
#include <netinet/in.h>
#include <string.h>

#include "dataplane/match/match_internal.h"

/* One end of the flow. */
struct endpoint {
	const uint8_t *addr;
	uint16_t port;
	bool client;
};

static bool prefix_holds(const struct ruleset_net *net, const uint8_t *addr)
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	if (memcmp(net->addr, addr, whole))
		return false;
	return !rest || !((net->addr[whole] ^ addr[whole]) >> (8 - rest));
}

static bool tenants_hold(const struct match_flow *flow, bool client)
{
	return flow->tenants == MATCH_TENANTS_BOTH ||
	       flow->tenants == (client ? MATCH_TENANTS_CLIENT : MATCH_TENANTS_SERVER);
}

/* Where nobody knows who the tenants are, an entry about them says nothing against a match. */
static bool net_holds(const struct ruleset_net *net, const struct match_flow *flow,
		      const struct endpoint *end)
{
	if (net->kind != RULE_NET_TENANTS)
		return net->family == flow->family && prefix_holds(net, end->addr);
	if (flow->tenants == MATCH_TENANTS_UNKNOWN)
		return !net->negated;
	return tenants_hold(flow, end->client);
}

static bool nets_hold(const struct ruleset *rs, struct ruleset_span span,
		      const struct match_flow *flow, const struct endpoint *end)
{
	bool plain = false, held = false;

	for (uint32_t i = 0; i < span.count; i++) {
		const struct ruleset_net *net = &rs->nets[span.offset + i];
		bool holds = net_holds(net, flow, end);

		if (net->negated && holds)
			return false;
		plain |= !net->negated;
		held |= !net->negated && holds;
	}
	return held || !plain;
}

static bool ports_hold(const struct ruleset *rs, struct ruleset_span span, uint16_t port)
{
	bool plain = false, held = false;

	for (uint32_t i = 0; i < span.count; i++) {
		const struct ruleset_port *p = &rs->ports[span.offset + i];
		bool holds = port >= p->lo && port <= p->hi;

		if (p->negated && holds)
			return false;
		plain |= !p->negated;
		held |= !p->negated && holds;
	}
	return held || !plain;
}

static bool ends_hold(const struct ruleset *rs, const struct ruleset_scope *scope,
		      const struct match_flow *flow, const struct endpoint *src,
		      const struct endpoint *dst)
{
	return ports_hold(rs, scope->sport, src->port) && ports_hold(rs, scope->dport, dst->port) &&
	       nets_hold(rs, scope->src, flow, src) && nets_hold(rs, scope->dst, flow, dst);
}

bool match_to_server(const struct match_flow *flow, enum rule_buffer buffer)
{
	switch ((enum rule_buffer_side)rule_buffers[buffer].side) {
	case BUFFER_CLIENT:
		return true;
	case BUFFER_SERVER:
		return false;
	case BUFFER_SENDER:
		break;
	}
	return flow->direction == TO_SERVER;
}

static bool flow_holds(const struct ruleset_scope *scope, const struct match_flow *flow,
		       bool forward)
{
	if ((scope->flow & RULE_FLOW_TO_SERVER) && !forward)
		return false;
	if ((scope->flow & RULE_FLOW_TO_CLIENT) && forward)
		return false;
	if ((scope->flow & RULE_FLOW_STREAM) && flow->transport != IPPROTO_TCP)
		return false;
	if ((scope->flow & RULE_FLOW_DATAGRAM) && flow->transport == IPPROTO_TCP)
		return false;
	if ((scope->flow & RULE_FLOW_ESTABLISHED) && flow->unanswered)
		return false;
	return !(scope->flow & RULE_FLOW_NOT_ESTABLISHED) || flow->unanswered;
}

bool match_scope_holds(const struct ruleset *rs, const struct ruleset_scope *scope,
		       const struct match_flow *flow, enum rule_buffer buffer)
{
	struct endpoint client = {flow->client, flow->client_port, true};
	struct endpoint server = {flow->server, flow->server_port, false};
	bool forward = scope->direction == RULE_TRANSACTION || match_to_server(flow, buffer);

	if (scope->transport && scope->transport != flow->transport)
		return false;
	if (!flow_holds(scope, flow, forward))
		return false;
	if (ends_hold(rs, scope, flow, forward ? &client : &server, forward ? &server : &client))
		return true;
	return scope->direction == RULE_BOTH_WAYS &&
	       ends_hold(rs, scope, flow, forward ? &server : &client, forward ? &client : &server);
}
