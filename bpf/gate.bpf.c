/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * The XDP program of both ports: decode, stage one, and then to the other port, to the
 * dataplane's socket, or nowhere. What it decides by is in the maps (bpf/maps.h); which port it
 * runs on it learns from the packet.
 *
 * Anybody may load it: posternd (control/kernel/gate_maps.h), or DPDK's AF_XDP driver (xdp_prog=),
 * which finds the pinned maps under /sys/fs/bpf and fills this copy's own xsks_map.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/prefix_walk.h"
#include "bpf/stage_decode.h"
#include "bpf/stage_media.h"
#include "bpf/stage_tenant.h"
#include "bpf/stage_wire.h"

/* How many tenants there is room for is compiled in (bpf/maps.h). */
#ifndef GATE_SLOTS
#define GATE_SLOTS GATE_SLOTS_SMALL
#endif

/* Those that all three programs map. */
#define MAPPED(map, element, count)                  \
	struct {                                     \
		__uint(type, BPF_MAP_TYPE_ARRAY);    \
		__uint(map_flags, BPF_F_MMAPABLE);   \
		__uint(max_entries, count);          \
		__type(key, __u32);                  \
		__type(value, element);              \
		__uint(pinning, LIBBPF_PIN_BY_NAME); \
	} map SEC(".maps");
#define X(member, map, element, count) MAPPED(map, element, count)
GATE_ARRAYS(X)
#undef X
#define X(member, map, element, count) MAPPED(map, element, GATE_SLOTS *(count))
GATE_SLOT_ARRAYS(X)
#undef X

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, GATE_BLOCKED);
	__type(key, struct gate_prefix);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} postern_blocked SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GATE_FLOWS);
	__type(key, struct flow_key);
	__type(value, struct flow_verdict);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} postern_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GATE_PORTS + 1);
	__type(key, __u32);
	__type(value, struct gate_port_counters);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} postern_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GATE_SLOTS);
	__type(key, __u32);
	__type(value, struct gate_tenant_counters);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} postern_per_tenant SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, GATE_QUEUES);
	__type(key, __u32);
	__type(value, __u32);
} xsks_map SEC(".maps");

/*
 * Functions of their own, not inlined and not static: the verifier looks at each once, for
 * whatever it may be given, and at what follows once for whatever it may have filled in, instead of
 * once for each way through it. (Ten times fewer steps than in one piece.)
 */
#define SEPARATE __attribute__((noinline))

STAGE_INLINE const uint8_t *frame_begin(struct xdp_md *ctx)
{
	return (const uint8_t *)(long)ctx->data;
}

STAGE_INLINE const uint8_t *frame_end(struct xdp_md *ctx)
{
	return (const uint8_t *)(long)ctx->data_end;
}

SEPARATE int gate_walk(struct xdp_md *ctx, struct stage_walk *w)
{
	if (w)
		stage_walk_step(frame_begin(ctx), frame_end(ctx), w);
	return 0;
}

STAGE_INLINE void stage_walk(const struct stage_cursor *c, struct stage_walk *w)
{
	gate_walk(c->frame, w);
}

SEPARATE int gate_decode(struct xdp_md *ctx, struct stage_packet *p)
{
	if (p)
		stage_decode_frame(ctx, frame_begin(ctx), frame_end(ctx), p);
	return 0;
}

/* Stage one's look-ups ----------------------------------------------------- */

struct stage_tables {
	const struct gate_shared *gate;
	const struct gate_port *port;
	uint64_t now; /* 0: nobody has asked yet */
};

/* One half of the table of prefixes. */
struct prefix_reader {
	uint32_t half;
	const struct prefix_roots *roots;
};

STAGE_INLINE uint32_t prefix_root_at(const struct prefix_reader *r, uint8_t family, uint16_t vlan)
{
	const uint32_t *roots = family == 4 ? r->roots->root4 : r->roots->root6;

	return roots[vlan & (PREFIX_VLANS - 1)];
}

STAGE_INLINE const struct prefix_node *prefix_node_at(const struct prefix_reader *r, uint32_t n)
{
	uint32_t index = r->half * (GATE_SLOTS * GATE_SLOT_NODES) + n;

	return bpf_map_lookup_elem(&postern_prefix_nodes, &index);
}

STAGE_INLINE uint32_t prefix_leaf_at(const struct prefix_reader *r, uint32_t n)
{
	uint32_t index = r->half * (GATE_SLOTS * GATE_SLOT_LEAVES / GATE_LEAVES) + n / GATE_LEAVES;
	const struct gate_leaves *leaves = bpf_map_lookup_elem(&postern_prefix_leaves, &index);

	return leaves ? leaves->slot[n % GATE_LEAVES] : 0;
}

SEPARATE uint32_t gate_prefix_walk(uint32_t half, uint32_t root, uint64_t high, uint64_t low)
{
	const struct prefix_reader r = {.half = half};

	return prefix_descend(&r, root, (struct prefix_addr){high, low});
}

STAGE_INLINE uint32_t prefix_walk(const struct prefix_reader *r, uint32_t root,
				  struct prefix_addr a)
{
	return gate_prefix_walk(r->half, root, a.high, a.low);
}

STAGE_INLINE uint32_t stage_owner(struct stage_tables *t, const struct stage_packet *p,
				  const uint8_t addr[16])
{
	uint32_t half = gate_prefix_half(*(const volatile uint32_t *)&t->gate->prefixes);
	const struct prefix_reader r = {half, &t->gate->prefix_roots[half]};

	return prefix_find(&r, p->vlan[0], p->family, __builtin_assume_aligned(addr, 4));
}

STAGE_INLINE uint32_t stage_vlan_owner(struct stage_tables *t, uint16_t vlan)
{
	return t->gate->vlan_owner[vlan & (VLANS - 1)];
}

STAGE_INLINE struct tenant_slot *stage_slot(struct stage_tables *t, uint32_t slot)
{
	return bpf_map_lookup_elem(&postern_tenants, &slot);
}

STAGE_INLINE bool stage_blocked(struct stage_tables *t, const struct stage_packet *p)
{
	struct gate_prefix key = {
		.length = GATE_PREFIX_HEAD + (p->family == 4 ? 32 : 128),
		.family = p->family,
	};

	if (!t->gate->blocked)
		return false;
	__builtin_memcpy(key.addr, p->dst, 16);
	return bpf_map_lookup_elem(&postern_blocked, &key);
}

STAGE_INLINE bool port_bit(uint32_t word, uint16_t port)
{
	const uint64_t *bits = bpf_map_lookup_elem(&postern_inspected, &word);

	return bits && *bits >> (port % 64) & 1;
}

STAGE_INLINE bool stage_port_read(struct stage_tables *t, uint8_t proto, uint16_t port)
{
	return port_bit(gate_port_word(proto, port), port);
}

STAGE_INLINE bool stage_port_calls(struct stage_tables *t, uint8_t proto, uint16_t port)
{
	return port_bit(GATE_PORT_CALLS + gate_port_word(proto, port), port);
}

STAGE_INLINE uint64_t stage_epoch(struct stage_tables *t, uint32_t place)
{
	const uint64_t *epoch = bpf_map_lookup_elem(&postern_epochs, &place);

	return epoch ? *(const volatile uint64_t *)epoch : 0;
}

SEPARATE int gate_flow_key(const struct stage_packet *p, struct flow_key *key)
{
	if (p && key)
		stage_flow_key(p, key);
	return 0;
}

STAGE_INLINE const struct flow_verdict *stage_known(struct stage_tables *t,
						    const struct stage_packet *p)
{
	struct flow_key key = {0};

	if (!t->gate->flows)
		return NULL;
	gate_flow_key(p, &key);
	return bpf_map_lookup_elem(&postern_flows, &key);
}

STAGE_INLINE struct peer_set *stage_peer_set(struct stage_tables *t, uint32_t slot, uint32_t set)
{
	uint32_t index = gate_peer_set(slot, set);

	return bpf_map_lookup_elem(&postern_peers, &index);
}

STAGE_INLINE const uint64_t *stage_key(struct stage_tables *t)
{
	return t->gate->key;
}

SEPARATE int gate_peer(const struct stage_packet *p, uint32_t slot, uint32_t step)
{
	uint32_t zero = 0;
	struct stage_tables t = {0};

	t.gate = bpf_map_lookup_elem(&postern_gate, &zero);
	return p && t.gate ? stage_peer_of(&t, p, slot, (enum peer_step)step) : PEER_UNKNOWN;
}

STAGE_INLINE enum peer_result stage_peer(struct stage_tables *t, const struct stage_packet *p,
					 uint32_t slot, enum peer_step step)
{
	return gate_peer(p, slot, step);
}

STAGE_INLINE uint32_t stage_reach_most(struct stage_tables *t, bool *drop)
{
	*drop = t->gate->reach_drop;
	return t->gate->reach;
}

/* Minutes want no clock that is right to the nanosecond: this one is read at once. */
SEPARATE int gate_reach(uint32_t slot, uint64_t hash, uint32_t most, uint32_t drop,
			uint32_t replies)
{
	struct reach *r = bpf_map_lookup_elem(&postern_reach, &slot);
	uint64_t now = bpf_ktime_get_coarse_ns();

	if (!r || (replies && reach_was_heard(r, hash, now)))
		return REACH_KNOWN;
	return reach_send(r, hash, now, most, drop);
}

STAGE_INLINE enum reach_result stage_reach(struct stage_tables *t, uint32_t slot, uint64_t hash,
					   uint32_t most, bool drop, bool replies)
{
	return gate_reach(slot, hash, most, drop, replies);
}

SEPARATE int gate_reach_hear(uint32_t slot, uint64_t hash)
{
	struct reach *r = bpf_map_lookup_elem(&postern_reach, &slot);

	if (r)
		reach_hear(r, hash, bpf_ktime_get_coarse_ns());
	return 0;
}

STAGE_INLINE void stage_reach_hear(struct stage_tables *t, uint32_t slot, uint64_t hash)
{
	gate_reach_hear(slot, hash);
}

STAGE_INLINE uint32_t media_first(struct media_table *t, uint32_t tenant)
{
	const uint64_t *first = bpf_map_lookup_elem(&postern_media_first, &tenant);

	return first ? (uint32_t) * (const volatile uint64_t *)first : 0;
}

STAGE_INLINE struct media *media_at(struct media_table *t, uint32_t place)
{
	place--;
	return bpf_map_lookup_elem(&postern_media, &place);
}

SEPARATE uint32_t gate_media_look(const struct stage_packet *p, uint32_t place, uint32_t tenant,
				  uint32_t outbound)
{
	return p ? media_look(NULL, p, place, tenant, outbound) : 0;
}

STAGE_INLINE uint32_t media_step(struct media_table *t, const struct stage_packet *p,
				 uint32_t place, uint32_t tenant, bool outbound)
{
	return gate_media_look(p, place, tenant, outbound);
}

SEPARATE int gate_media(const struct stage_packet *p, uint32_t tenant, uint32_t outbound)
{
	return p && media_pass(NULL, p, tenant, outbound, bpf_ktime_get_ns());
}

/* Hardly ever is there any: one word says so, which every packet has read anyway. */
STAGE_INLINE bool stage_media(struct stage_tables *t, const struct stage_packet *p,
			      const struct stage_result *r)
{
	return t->gate->media && gate_media(p, r->tenant, r->outbound);
}

STAGE_INLINE uint64_t stage_now(struct stage_tables *t)
{
	if (!t->now)
		t->now = bpf_ktime_get_ns();
	return t->now;
}

STAGE_INLINE bool stage_shadow(struct stage_tables *t, enum stage_check check)
{
	return t->gate->shadow || (check == CHECK_SPOOFED && t->port->flags & GATE_SPOOF_SHADOW);
}

/* The wire ----------------------------------------------------------------- */

/* Its place in the gate, GATE_PORTS if it has none. */
STAGE_INLINE uint32_t port_find(const struct gate_shared *gate, uint32_t ifindex)
{
	uint32_t i;

	for (i = 0; i < GATE_PORTS; i++)
		if (gate->port[i].ifindex == ifindex)
			break;
	return i;
}

STAGE_INLINE struct stage_dataplane dataplane_on(uint32_t port, uint32_t queue)
{
	uint32_t index = gate_queue_index(port, queue);
	const struct gate_heartbeat *beat = bpf_map_lookup_elem(&postern_heartbeats, &index);

	return (struct stage_dataplane){
		.socket = queue < GATE_QUEUES && bpf_map_lookup_elem(&xsks_map, &queue),
		.heartbeat = beat ? *(const volatile uint64_t *)&beat->ns : 0,
	};
}

SEPARATE int gate_count(uint32_t port, const struct stage_packet *p, const struct stage_result *r)
{
	struct gate_port_counters *c = bpf_map_lookup_elem(&postern_counters, &port);
	struct gate_tenant_counters *t;
	uint32_t tenant;

	if (!p || !r)
		return 0;
	if (c)
		stage_count_port(c, p, r);
	tenant = r->tenant ? r->tenant : r->blamed;
	if (!tenant)
		return 0;
	t = bpf_map_lookup_elem(&postern_per_tenant, &tenant);
	if (t && r->tenant)
		stage_count_tenant(t, p, r);
	else if (t)
		t->dropped[CHECK_SPOOFED]++;
	return 0;
}

/* From the packet to what becomes of it, the dataplane being well. */
SEPARATE int gate_decide(const struct stage_packet *p, uint32_t port, struct stage_result *r)
{
	uint32_t zero = 0;
	struct stage_tables t;

	t.gate = bpf_map_lookup_elem(&postern_gate, &zero);
	if (!p || !r || !t.gate || port >= GATE_PORTS)
		return 0;
	t.port = &t.gate->port[port];
	t.now = 0;
	stage_whose(&t, p, t.port->from, r);
	stage_decide(&t, p, t.port->from, r);
	return 0;
}

SEC("xdp")
int postern_xdp(struct xdp_md *ctx)
{
	struct stage_result r = {0};
	struct stage_packet p = {0};
	struct stage_dataplane dataplane;
	const struct gate_shared *shared;
	uint32_t zero = 0, queue = ctx->rx_queue_index, port;

	shared = bpf_map_lookup_elem(&postern_gate, &zero);
	if (!shared)
		return XDP_PASS;
	gate_decode(ctx, &p);
	port = port_find(shared, ctx->ingress_ifindex);
	if (port >= GATE_PORTS) {
		/* Nobody said where to: it stays the kernel's. */
		r.reason = REASON_PORT_UNKNOWN;
		gate_count(GATE_PORTS, &p, &r);
		return XDP_PASS;
	}
	gate_decide(&p, port, &r);
	if (r.action == WIRE_INSPECT) {
		dataplane = dataplane_on(port, queue);
		stage_settle(&shared->port[port], &dataplane, bpf_ktime_get_ns(), &r);
	}
	gate_count(port, &p, &r);
	if (r.action == WIRE_DROP)
		return XDP_DROP;
	if (r.action == WIRE_INSPECT)
		return bpf_redirect_map(&xsks_map, queue, XDP_DROP);
	return bpf_redirect(shared->port[port].peer, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
