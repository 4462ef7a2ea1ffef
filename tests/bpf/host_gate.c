/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bpf/host_gate.h"

#include <assert.h>
#include <string.h>

#include "bpf/stage_decode.h"
#include "bpf/stage_media.h"
#include "bpf/stage_tenant.h"
#include "bpf/stage_wire.h"

struct stage_tables {
	struct host_gate *gate;
	const struct gate_port *port;
	uint64_t now;
};

STAGE_INLINE void stage_walk(const struct stage_cursor *c, struct stage_walk *w)
{
	stage_walk_step(c->base, c->limit, w);
}

static bool prefix_holds(const struct prefix *p, uint16_t vlan, uint8_t family, const uint8_t *addr)
{
	unsigned bytes = p->length / 8, bits = p->length % 8;

	if (p->vlan != vlan || p->family != family || memcmp(p->addr, addr, bytes) != 0)
		return false;
	return !bits || ((p->addr[bytes] ^ addr[bytes]) & 0xff << (8 - bits) & 0xff) == 0;
}

static uint32_t prefix_longest(const struct prefix_list *list, uint16_t vlan, uint8_t family,
			       const uint8_t *addr)
{
	const struct prefix *best = NULL;

	for (size_t i = 0; i < list->count; i++) {
		const struct prefix *p = &list->items[i];

		if (prefix_holds(p, vlan, family, addr) && (!best || p->length > best->length))
			best = p;
	}
	return best ? best->slot : 0;
}

STAGE_INLINE uint32_t stage_owner(struct stage_tables *t, const struct stage_packet *p,
				  const uint8_t addr[16])
{
	uint32_t slot = 0;

	if (p->vlan[0])
		slot = prefix_longest(&t->gate->prefixes, p->vlan[0], p->family, addr);
	return slot ? slot : prefix_longest(&t->gate->prefixes, 0, p->family, addr);
}

STAGE_INLINE struct tenant_slot *stage_slot(struct stage_tables *t, uint32_t slot)
{
	return &t->gate->tenants[slot];
}

STAGE_INLINE uint32_t stage_vlan_owner(struct stage_tables *t, uint16_t vlan)
{
	return t->gate->shared.vlan_owner[vlan & (VLANS - 1)];
}

STAGE_INLINE bool stage_blocked(struct stage_tables *t, const struct stage_packet *p)
{
	return prefix_longest(&t->gate->blocked, 0, p->family, p->dst);
}

STAGE_INLINE bool stage_port_read(struct stage_tables *t, uint8_t proto, uint16_t port)
{
	return t->gate->inspected[gate_port_word(proto, port)] >> (port % 64) & 1;
}

STAGE_INLINE bool stage_port_calls(struct stage_tables *t, uint8_t proto, uint16_t port)
{
	return t->gate->inspected[GATE_PORT_CALLS + gate_port_word(proto, port)] >> (port % 64) & 1;
}

STAGE_INLINE uint64_t stage_epoch(struct stage_tables *t, uint32_t place)
{
	return t->gate->epochs[place];
}

STAGE_INLINE const struct flow_verdict *stage_known(struct stage_tables *t,
						    const struct stage_packet *p)
{
	struct flow_key key;

	stage_flow_key(p, &key);
	for (unsigned i = 0; i < t->gate->flow_count; i++)
		if (memcmp(&t->gate->flows[i].key, &key, sizeof(key)) == 0)
			return &t->gate->flows[i].verdict;
	return NULL;
}

STAGE_INLINE struct peer_set *stage_peer_set(struct stage_tables *t, uint32_t slot, uint32_t set)
{
	return &t->gate->peers[gate_peer_set(slot, set)];
}

STAGE_INLINE enum peer_result stage_peer(struct stage_tables *t, const struct stage_packet *p,
					 uint32_t slot, enum peer_step step)
{
	return stage_peer_of(t, p, slot, step);
}

STAGE_INLINE const uint64_t *stage_key(struct stage_tables *t)
{
	return t->gate->shared.key;
}

STAGE_INLINE uint32_t stage_reach_most(struct stage_tables *t, bool *drop)
{
	*drop = t->gate->shared.reach_drop;
	return t->gate->shared.reach;
}

STAGE_INLINE enum reach_result stage_reach(struct stage_tables *t, uint32_t slot, uint64_t hash,
					   uint32_t most, bool drop, bool replies)
{
	struct reach *r = &t->gate->reach[slot];

	if (replies && reach_was_heard(r, hash, t->now))
		return REACH_KNOWN;
	return reach_send(r, hash, t->now, most, drop);
}

STAGE_INLINE void stage_reach_hear(struct stage_tables *t, uint32_t slot, uint64_t hash)
{
	reach_hear(&t->gate->reach[slot], hash, t->now);
}

/* Nothing but the gate. */
struct media_table {
	struct host_gate gate;
};

STAGE_INLINE uint32_t media_first(struct media_table *t, uint32_t tenant)
{
	return t->gate.media_first[tenant];
}

STAGE_INLINE struct media *media_at(struct media_table *t, uint32_t place)
{
	return place <= HOST_MEDIA ? &t->gate.media[place - 1] : NULL;
}

STAGE_INLINE uint32_t media_step(struct media_table *t, const struct stage_packet *p,
				 uint32_t place, uint32_t tenant, bool outbound)
{
	return media_look(t, p, place, tenant, outbound);
}

STAGE_INLINE bool stage_media(struct stage_tables *t, const struct stage_packet *p,
			      const struct stage_result *r)
{
	return media_pass((struct media_table *)t->gate, p, r->tenant, r->outbound, t->now);
}

STAGE_INLINE uint64_t stage_now(struct stage_tables *t)
{
	return t->now;
}

STAGE_INLINE bool stage_shadow(struct stage_tables *t, enum stage_check check)
{
	return t->gate->shared.shadow ||
	       (check == CHECK_SPOOFED && t->port->flags & GATE_SPOOF_SHADOW);
}

static uint32_t port_find(const struct host_gate *g, uint32_t ifindex)
{
	for (uint32_t i = 0; i < GATE_PORTS; i++)
		if (g->shared.port[i].ifindex == ifindex)
			return i;
	return GATE_PORTS;
}

static void count(struct host_gate *g, uint32_t port, const struct stage_packet *p,
		  const struct stage_result *r)
{
	stage_count_port(&g->counters[port], p, r);
	if (r->tenant)
		stage_count_tenant(&g->per_tenant[r->tenant], p, r);
	else if (r->blamed)
		g->per_tenant[r->blamed].dropped[CHECK_SPOOFED]++;
}

void host_gate_decode(const void *frame, uint32_t len, struct stage_packet *p)
{
	stage_decode_frame(NULL, frame, (const uint8_t *)frame + len, p);
}

struct stage_result host_gate_run(struct host_gate *g, uint32_t ifindex, uint32_t queue,
				  uint64_t now, const void *frame, uint32_t len)
{
	uint32_t port = port_find(g, ifindex);
	struct stage_tables t = {g, &g->shared.port[port % GATE_PORTS], now};
	struct stage_result r = {0};
	struct stage_packet p;

	host_gate_decode(frame, len, &p);
	if (port == GATE_PORTS) {
		r.reason = REASON_PORT_UNKNOWN;
		count(g, port, &p, &r);
		return r;
	}
	stage_whose(&t, &p, t.port->from, &r);
	stage_decide(&t, &p, t.port->from, &r);
	stage_settle(
		t.port,
		&(struct stage_dataplane){g->socket, g->heartbeats[gate_queue_index(port, queue)]},
		now, &r);
	count(g, port, &p, &r);
	return r;
}

static void put_port(struct host_gate *g, uint8_t proto, unsigned port, uint8_t app)
{
	uint32_t word = gate_port_word(proto, (uint16_t)port);

	g->inspected[word] |= (uint64_t)(app != APP_NONE) << port % 64;
	g->inspected[GATE_PORT_CALLS + word] |= (uint64_t)(app == APP_SIP || app == APP_SIPS)
						<< port % 64;
}

void host_gate_init(struct host_gate *g, const struct policy *policy)
{
	assert(policy->slot_count <= HOST_TENANTS);
	memset(g, 0, sizeof(*g));
	memcpy(g->slots, policy->slots, policy->slot_count * sizeof(g->slots[0]));
	g->tenants = g->slots;
	g->prefixes = policy->prefix_list;
	g->blocked = policy->blocked_list;
	g->shared.shadow = policy->shadow;
	g->shared.reach = policy->calls.destinations;
	memcpy(g->shared.vlan_owner, policy->vlan_owner, sizeof(g->shared.vlan_owner));
	for (unsigned port = 0; port < 65536; port++) {
		put_port(g, PROTO_TCP, port, policy->ports.tcp[port]);
		put_port(g, PROTO_UDP, port, policy->ports.udp[port]);
	}
}
