/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage one: whose packet is it, which way does it go, and may the tenant send
 * at all, there, at this rate. The checks are bpf/stage_one.h's: XDP makes the same before a
 * live dataplane sees anything.
 */
#include "bpf/stage_one.h"

#include "dataplane/icmp_quote.h"
#include "dataplane/inspect.h"
#include "dataplane/policy/limit.h"
#include "dataplane/policy/prefix.h"
#include "dataplane/sip/urgent.h"
#include "dataplane/worker.h"

struct stage_tables {
	const struct policy *policy;
	const struct peer_table *peers;
	uint64_t now;
};

/* Both ends' owners were looked up in bulk. */
STAGE_INLINE struct tenant_slot *stage_slot(struct stage_tables *t, uint32_t slot)
{
	return &t->policy->slots[slot];
}

STAGE_INLINE uint32_t stage_vlan_owner(struct stage_tables *t, uint16_t vlan)
{
	return t->policy->vlan_owner[vlan % PREFIX_VLANS];
}

STAGE_INLINE bool stage_blocked(struct stage_tables *t, const struct stage_packet *p)
{
	return t->policy->blocked_list.count &&
	       prefix_lookup(&t->policy->blocked, 0, p->family, p->dst);
}

static enum port_app app_of(const struct stage_tables *t, uint8_t proto, uint16_t port)
{
	const struct policy_ports *ports = &t->policy->ports;

	return (enum port_app)(proto == PROTO_TCP ? ports->tcp : ports->udp)[port];
}

STAGE_INLINE bool stage_port_read(struct stage_tables *t, uint8_t proto, uint16_t port)
{
	return app_of(t, proto, port) != APP_NONE;
}

STAGE_INLINE bool stage_port_calls(struct stage_tables *t, uint8_t proto, uint16_t port)
{
	return app_of(t, proto, port) >= APP_SIP;
}

STAGE_INLINE uint64_t stage_epoch(struct stage_tables *t, uint32_t place)
{
	return 0;
}

/* A worker's own flow table knows more. */
STAGE_INLINE const struct flow_verdict *stage_known(struct stage_tables *t,
						    const struct stage_packet *p)
{
	return NULL;
}

STAGE_INLINE struct peer_set *stage_peer_set(struct stage_tables *t, uint32_t slot, uint32_t set)
{
	return &t->peers->sets[slot * PEER_SETS + set];
}

STAGE_INLINE enum peer_result stage_peer(struct stage_tables *t, const struct stage_packet *p,
					 uint32_t slot, enum peer_step step)
{
	return stage_peer_of(t, p, slot, step);
}

STAGE_INLINE const uint64_t *stage_key(struct stage_tables *t)
{
	return t->peers->key;
}

/* A worker counts flows (dataplane/sip/heard.h). */
STAGE_INLINE uint32_t stage_reach_most(struct stage_tables *t, bool *drop)
{
	return 0;
}

STAGE_INLINE enum reach_result stage_reach(struct stage_tables *t, uint32_t slot, uint64_t hash,
					   uint32_t most, bool drop, bool replies)
{
	return REACH_KNOWN;
}

STAGE_INLINE void stage_reach_hear(struct stage_tables *t, uint32_t slot, uint64_t hash)
{
}

/* What comes before a packet may make it one: that is known when its turn comes. */
STAGE_INLINE bool stage_media(struct stage_tables *t, const struct stage_packet *p,
			      const struct stage_result *r)
{
	return false;
}

STAGE_INLINE uint64_t stage_now(struct stage_tables *t)
{
	return t->now;
}

STAGE_INLINE bool stage_shadow(struct stage_tables *t, enum stage_check check)
{
	return t->policy->shadow;
}

/* Both ends' owners, of n packets from slot `from` on. */
static void find_owners(const struct worker *w, const struct burst *b, unsigned from, unsigned n,
			uint32_t owners[PREFIX_BULK])
{
	struct prefix_key keys[PREFIX_BULK];

	for (unsigned i = 0; i < n; i++) {
		const struct headers *h = &b->hdr[from + i];

		keys[2 * i] = (struct prefix_key){headers_src(h), h->key.vlan[0], h->family};
		keys[2 * i + 1] = (struct prefix_key){headers_dst(h), h->key.vlan[0], h->family};
	}
	prefix_lookup_bulk(&w->policy->prefixes, keys, owners, 2 * n);
}

/* What this stage and the last one will touch of the tenant: with many, none of it is in the cache.
 */
static void prefetch_tenant(const struct worker *w, uint32_t tenant, bool outbound)
{
	const struct tenant_slot *slot = &w->policy->slots[tenant];

	rte_prefetch0(&w->tenants[tenant]);
	rte_prefetch0(slot);
	if (!outbound)
		return;
	rte_prefetch0(&w->peaks[tenant]);
	rte_prefetch0(&slot->limit[LIMIT_PACKETS]);
	rte_prefetch0(&slot->bucket);
}

static void find_tenants(const struct worker *w, struct burst *b)
{
	uint32_t owners[PREFIX_BULK];

	for (unsigned from = 0; from < b->n; from += PREFIX_BULK / 2) {
		unsigned n = RTE_MIN(b->n - from, PREFIX_BULK / 2u);

		find_owners(w, b, from, n, owners);
		for (unsigned i = 0; i < n; i++) {
			struct stage_result r = {0};

			stage_assign(&r, packet_meta(b->pkt[from + i])->from, owners[2 * i],
				     owners[2 * i + 1]);
			b->outbound[from + i] = r.outbound;
			b->tenant[from + i] = r.tenant;
			if (r.tenant && (!i || r.tenant != b->tenant[from + i - 1]))
				prefetch_tenant(w, r.tenant, r.outbound);
		}
	}
}

/* RFC 4861 7.1: what has crossed a router isn't it. */
static bool is_discovery(const struct rte_mbuf *m, const struct headers *h)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);

	return h->family == 6 && h->proto == PROTO_ICMPV6 && h->class == CLASS_OTHER &&
	       h->l4_len >= 8 && h->l4 + 8u <= m->data_len && p[h->l3 + 7] == 255 &&
	       p[h->l4] >= 133 && p[h->l4] <= 137;
}

void stage_packet_of(const struct rte_mbuf *m, const struct headers *h, struct stage_packet *p)
{
	struct icmp_quote quote;

	memcpy(p->src, headers_src(h), 16);
	memcpy(p->dst, headers_dst(h), 16);
	memcpy(p->vlan, h->key.vlan, sizeof(p->vlan));
	p->sport = h->sport;
	p->dport = h->dport;
	p->len = packet_meta((struct rte_mbuf *)(uintptr_t)m)->wirelen;
	p->class = h->class;
	p->reason = h->reason;
	p->family = h->family;
	p->proto = h->proto;
	p->tcp_flags = h->tcp_flags;
	p->neighbour = is_discovery(m, h);
	p->quoted = h->class == CLASS_OTHER && icmp_quote_read(m, h, &quote);
	if (p->quoted) {
		p->sport = quote.hdr.sport;
		p->dport = quote.hdr.dport;
	}
	p->begins = 0; /* fragments are whole by now */
}

/* How near the tenant came to each limit that stage one spends of. */
static void note_limits(struct worker *w, uint32_t tenant, bool begins)
{
	limit_note(w, tenant, LIMIT_PACKETS, w->arrived);
	limit_note(w, tenant, LIMIT_BYTES, w->arrived);
	if (begins)
		limit_note(w, tenant, LIMIT_SYNS, w->arrived);
}

static void note_shadowed(struct worker *w, uint32_t tenant, unsigned shadowed)
{
	static const enum reason reasons[CHECK_COUNT] = {
#define X(id) [CHECK_##id] = REASON_##id,
		STAGE_CHECKS(X)
#undef X
	};

	for (unsigned i = 0; i < CHECK_COUNT; i++)
		if (shadowed >> i & 1)
			worker_note(w, tenant, reasons[i]);
}

/* An emergency call's media are not dropped; whether it is any is known when its turn comes. */
static void drop(struct worker *w, struct burst *b, unsigned i, enum reason reason)
{
	if (reason != REASON_SPOOFED && urgent_may_pass(w, i))
		packet_meta(b->pkt[i])->over = (uint8_t)reason;
	else
		slot_decide(w, i, VERDICT_DROP, reason);
}

static void decide(struct worker *w, struct burst *b, unsigned i)
{
	struct stage_tables tables = {.policy = w->policy, .peers = &w->peers};
	struct stage_packet p;
	struct stage_result r = {.tenant = b->tenant[i], .outbound = b->outbound[i]};

	stage_packet_of(b->pkt[i], &b->hdr[i], &p);
	if (r.outbound)
		w->arrived = RTE_MAX(w->arrived, packet_meta(b->pkt[i])->time);
	tables.now = w->arrived;
	stage_decide(&tables, &p, packet_meta(b->pkt[i])->from, &r);
	if (r.outbound)
		note_limits(w, r.tenant, stage_begins_connection(&p));
	if (r.shadowed)
		note_shadowed(w, r.tenant, r.shadowed);
	if (r.action == WIRE_DROP)
		drop(w, b, i, r.reason);
	if (r.blamed)
		w->tenants[r.blamed].reasons[REASON_SPOOFED]++;
}

/*
 * XDP lets through what it can't see the ports of, of suspended tenants too: fragments, which are
 * whole by now, and what is behind more headers than it walks.
 */
static void decide_seen_through(struct worker *w, struct burst *b, unsigned i)
{
	struct stage_tables tables = {.policy = w->policy};
	struct stage_packet p;

	if (w->policy->slots[b->tenant[i]].state != TENANT_SUSPENDED || w->policy->shadow)
		return;
	stage_packet_of(b->pkt[i], &b->hdr[i], &p);
	if (!stage_must_read(&tables, &p))
		drop(w, b, i, REASON_TENANT_SUSPENDED);
}

void stage_one(struct worker *w, struct burst *b)
{
	bool decided = w->options.stage_one_done;

	find_tenants(w, b);
	for (unsigned i = 0; i < b->n; i++) {
		struct packet_meta *meta = packet_meta(b->pkt[i]);
		struct tenant_counters *t = &w->tenants[b->tenant[i]];

		if (b->work[i] == SLOT_HELD)
			continue;
		/* A capture has no sides but the tenants'. */
		if (!w->options.live)
			meta->role = b->outbound[i] ? PORT_OUTSIDE : PORT_INSIDE;
		if (decided) {
			decide_seen_through(w, b, i);
			continue;
		}
		t->packets++;
		t->bytes += meta->wirelen;
		if (meta->reason)
			slot_decide(w, i, VERDICT_DROP, meta->reason);
		if (b->tenant[i] || meta->from == FROM_INSIDE)
			decide(w, b, i);
	}
}
