/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * Stage one: whose packet is it, which way does it go, and what becomes of it before
 * anybody reads it. One source for the kernel (bpf/gate.bpf.c) and for workers on native ports and
 * captures (dataplane/stage_one.c).
 *
 * Whoever includes this provides the look-ups declared below, for a struct
 * stage_tables of its own, finds the tenant (bpf/stage_tenant.h; workers do it in bulk) and calls
 * stage_decide(). No state but the tenants' buckets and peers (bpf/peers.h); any thread.
 */
#ifndef POSTERN_STAGE_ONE_H
#define POSTERN_STAGE_ONE_H

#include <stddef.h>

#include "bpf/check.h"
#include "bpf/limit.h"
#include "bpf/peers.h"
#include "bpf/reach.h"
#include "bpf/reason.h"
#include "bpf/stage_packet.h"
#include "bpf/stage_result.h"

struct stage_tables;

/* NULL: no such slot. */
STAGE_INLINE struct tenant_slot *stage_slot(struct stage_tables *t, uint32_t slot);
/* Whether nobody may send to p->dst. */
STAGE_INLINE bool stage_blocked(struct stage_tables *t, const struct stage_packet *p);
/* Whether p's port is one of SMTP's or SIP's. proto: PROTO_TCP or PROTO_UDP. */
STAGE_INLINE bool stage_port_read(struct stage_tables *t, uint8_t proto, uint16_t port);
/* Whether it is one of SIP's. */
STAGE_INLINE bool stage_port_calls(struct stage_tables *t, uint8_t proto, uint16_t port);
/* What stands in the table of epochs. place: < FLOW_EPOCHS. */
STAGE_INLINE uint64_t stage_epoch(struct stage_tables *t, uint32_t place);
/* NULL: nothing is known of p's flow, which is CLASS_L4. */
STAGE_INLINE const struct flow_verdict *stage_known(struct stage_tables *t,
						    const struct stage_packet *p);
/* stage_peer_of(), below: in the kernel a function of its own. */
STAGE_INLINE enum peer_result stage_peer(struct stage_tables *t, const struct stage_packet *p,
					 uint32_t slot, enum peer_step step);
/* One of the sets of the slot's peers, < PEER_SETS; NULL: nobody's. */
STAGE_INLINE struct peer_set *stage_peer_set(struct stage_tables *t, uint32_t slot, uint32_t set);
/* How many addresses a tenant may send to within a minute; 0: nobody counts them here. */
STAGE_INLINE uint32_t stage_reach_most(struct stage_tables *t, bool *drop);
/* The slot's tenant sends; `replies`: but not where it was heard from. */
STAGE_INLINE enum reach_result stage_reach(struct stage_tables *t, uint32_t slot, uint64_t hash,
					   uint32_t most, bool drop, bool replies);
/* Somebody sends to it. */
STAGE_INLINE void stage_reach_hear(struct stage_tables *t, uint32_t slot, uint64_t hash);
/* Two words that nobody else knows. */
STAGE_INLINE const uint64_t *stage_key(struct stage_tables *t);
/* Whether a datagram is an emergency call's media (bpf/stage_media.h). *r has its tenant. */
STAGE_INLINE bool stage_media(struct stage_tables *t, const struct stage_packet *p,
			      const struct stage_result *r);
/* ns; the same clock for all that expires. Asked for only by packets for which time matters. */
STAGE_INLINE uint64_t stage_now(struct stage_tables *t);
/* Whether everything is counted and nothing dropped. */
STAGE_INLINE bool stage_shadow(struct stage_tables *t, enum stage_check check);

/* The slot of the one tenant that the outermost VLAN is of (12 bits count); 0: none, or several. */
STAGE_INLINE uint32_t stage_vlan_owner(struct stage_tables *t, uint16_t vlan);

/* From both ends' owners. On a port only the side that it is on has tenants. */
STAGE_INLINE void stage_assign(struct stage_result *r, enum stage_from from, uint32_t src_owner,
			       uint32_t dst_owner)
{
	r->outbound = from != FROM_OUTSIDE && src_owner;
	if (r->outbound)
		r->tenant = src_owner;
	else
		r->tenant = from == FROM_INSIDE ? 0 : dst_owner;
}

/*
 * What can't leave its link is no spoofing: address configuration (RFC 2131, RFC 4862),
 * link-local addresses (RFC 3927 7, RFC 4291 2.5.6), neighbour discovery.
 */
STAGE_INLINE bool stage_stays_on_link(const struct stage_packet *p)
{
	uint64_t high = stage_be64(p->src);

	if (p->family == 4)
		return high >> 32 == 0 || high >> 48 == 0xa9fe;
	return p->neighbour || high >> 54 == 0xfe80 >> 6 || (!high && !stage_be64(p->src + 8));
}

/*
 * Whether the dataplane must see it. Of fragments all that may be TCP's or UDP's: only the first
 * has ports, and only together are they anything.
 */
STAGE_INLINE bool stage_must_read(struct stage_tables *t, const struct stage_packet *p)
{
	if (p->class == CLASS_L4)
		return stage_port_read(t, p->proto, p->dport) ||
		       stage_port_read(t, p->proto, p->sport);
	if (p->class == CLASS_FRAGMENT)
		return p->proto == PROTO_TCP || p->proto == PROTO_UDP ||
		       (p->family == 6 && stage_is_extension(p->proto));
	return p->class == CLASS_DEEP;
}

/* What it quotes may have been renumbered by the dataplane, and then it is to be translated. */
STAGE_INLINE bool stage_quotes_read(struct stage_tables *t, const struct stage_packet *p)
{
	return p->quoted &&
	       (stage_port_read(t, PROTO_TCP, p->dport) || stage_port_read(t, PROTO_TCP, p->sport));
}

/* What is to be said of a packet that passes. */
STAGE_INLINE enum reason stage_remark(const struct stage_packet *p)
{
	switch (p->class) {
	case CLASS_NOT_IP:
		return REASON_NOT_IP;
	case CLASS_TUNNEL:
		return REASON_TUNNEL;
	case CLASS_DEEP:
		return REASON_HEADERS_DEEP;
	default:
		return (enum reason)p->reason;
	}
}

STAGE_INLINE bool stage_drop(struct stage_tables *t, struct stage_result *r, enum stage_check check,
			     enum reason reason)
{
	if (r->media)
		return false;
	if (stage_shadow(t, check)) {
		r->shadowed |= (uint8_t)(1U << check);
		return false;
	}
	r->action = WIRE_DROP;
	r->reason = (uint8_t)reason;
	return true;
}

/* One bucket; true: the packet is over and is dropped. */
STAGE_INLINE bool stage_spend(struct stage_tables *t, struct stage_result *r,
			      struct tenant_slot *tenant, enum tenant_limit limit,
			      enum stage_check check, enum reason reason, uint32_t cost)
{
	if (!tenant->limit[limit].interval)
		return false;
	switch (limit_spend(tenant, limit, stage_now(t), cost, false)) {
	case LIMIT_WITHIN:
		return false;
	case LIMIT_SHADOW_OVER:
		r->shadowed |= (uint8_t)(1U << check);
		return false;
	case LIMIT_OVER:
		break;
	}
	return stage_drop(t, r, check, reason);
}

/* Where the flags can't be read it may: who hides them gains nothing. */
STAGE_INLINE bool stage_begins_connection(const struct stage_packet *p)
{
	return p->begins ||
	       (p->class == CLASS_L4 && p->proto == PROTO_TCP && stage_is_first_syn(p->tcp_flags));
}

/* What stage_peer() does: of the packet's receiver, or, when he answers, its sender. */
STAGE_INLINE enum peer_result stage_peer_of(struct stage_tables *t, const struct stage_packet *p,
					    uint32_t slot, enum peer_step step)
{
	struct tenant_slot *tenant = stage_slot(t, slot);
	bool answers = step == PEER_ANSWERS;
	struct peer_place place;
	struct peer_set *set;
	uint32_t at;

	if (!tenant)
		return PEER_UNKNOWN;
	place = peer_place_of(stage_key(t), tenant->id, answers ? p->src : p->dst,
			      answers ? p->sport : p->dport);
	set = stage_peer_set(t, slot, place.set);
	if (!set)
		return PEER_UNKNOWN;
	if (answers) {
		peer_answer(set, &place, stage_now(t));
		return PEER_UNKNOWN;
	}
	at = peer_find(set, place.tag, stage_now(t), PEER_ASKED, PEER_WAYS, PEER_KNOWN_TIME);
	if (at >= PEER_WAYS) {
		if (step == PEER_ASK)
			peer_ask(set, &place, stage_now(t));
		return PEER_UNKNOWN;
	}
	if (step == PEER_ADMIT &&
	    peer_share_take(set, at, place.tag, &tenant->limit[LIMIT_SYNS], stage_now(t)) &&
	    limit_spend_known(tenant, stage_now(t)))
		return PEER_ADMITTED;
	return PEER_BEYOND;
}

/*
 * A SYN to a peer that answered before takes of these peers' bucket, as long as that has some
 * left, and the peer of his share; else, and to others, it takes of the limit's as ever.
 */
STAGE_INLINE bool stage_syn_over(struct stage_tables *t, const struct stage_packet *p,
				 struct tenant_slot *tenant, struct stage_result *r)
{
	enum peer_result known = PEER_BEYOND;

	if (p->class == CLASS_L4)
		known = stage_peer(t, p, r->tenant, PEER_ADMIT);
	if (known == PEER_ADMITTED)
		return false;
	if (stage_spend(t, r, tenant, LIMIT_SYNS, CHECK_LIMIT_SYNS, REASON_LIMIT_SYNS, 1))
		return true;
	if (known == PEER_UNKNOWN)
		stage_peer(t, p, r->tenant, PEER_ASK);
	return false;
}

/* A peer answers the tenant's SYN. */
STAGE_INLINE void stage_note_answer(struct stage_tables *t, const struct stage_packet *p,
				    const struct tenant_slot *tenant, uint32_t slot)
{
	if (p->class == CLASS_L4 && p->proto == PROTO_TCP && stage_is_syn_ack(p->tcp_flags) &&
	    tenant->limit[LIMIT_SYNS].interval)
		stage_peer(t, p, slot, PEER_ANSWERS);
}

/*
 * A packet to an address that the tenant has not sent to within the minute, when there are
 * too many: whoever looks for somebody who answers, on any port. Of TCP what asks for an answer; of
 * UDP what is none.
 */
STAGE_INLINE bool stage_probes(struct stage_tables *t, const struct stage_packet *p,
			       const struct tenant_slot *tenant, struct stage_result *r)
{
	bool drop = false, shadow;
	uint32_t most = stage_reach_most(t, &drop);
	uint64_t hash;

	if (!most || p->class != CLASS_L4 ||
	    (p->proto == PROTO_TCP && p->tcp_flags & (STAGE_TCP_ACK | STAGE_TCP_RST)))
		return false;
	hash = reach_hash(stage_key(t), p->dst);
	shadow = tenant->shadow_checks >> POLICY_CHECK_PROBING & 1 ||
		 stage_shadow(t, CHECK_PROBING);
	if (stage_reach(t, r->tenant, hash, most, drop && !shadow, p->proto == PROTO_UDP) !=
		    REACH_BEYOND ||
	    !drop)
		return false;
	if (shadow) {
		r->shadowed |= (uint8_t)(1U << CHECK_PROBING);
		return false;
	}
	return stage_drop(t, r, CHECK_PROBING, REASON_PROBING);
}

STAGE_INLINE void stage_note_sender(struct stage_tables *t, const struct stage_packet *p,
				    uint32_t slot)
{
	bool drop;

	if (p->class == CLASS_L4 && p->proto == PROTO_UDP && stage_reach_most(t, &drop))
		stage_reach_hear(t, slot, reach_hash(stage_key(t), p->src));
}

STAGE_INLINE bool stage_is_call(struct stage_tables *t, const struct stage_packet *p)
{
	return p->class == CLASS_L4 &&
	       (stage_port_calls(t, p->proto, p->dport) || stage_port_calls(t, p->proto, p->sport));
}

/* More packets or bytes than the tenant's limits let pass; but some of SIP's are read all the same,
 * as a call for help is decided before every limit. */
STAGE_INLINE bool stage_over_traffic(struct stage_tables *t, const struct stage_packet *p,
				     struct tenant_slot *tenant, struct stage_result *r)
{
	if (!stage_spend(t, r, tenant, LIMIT_PACKETS, CHECK_LIMIT_PACKETS, REASON_LIMIT_PACKETS,
			 1) &&
	    !stage_spend(t, r, tenant, LIMIT_BYTES, CHECK_LIMIT_BYTES, REASON_LIMIT_BYTES, p->len))
		return false;
	if (!stage_is_call(t, p) ||
	    !limit_spend_read(tenant, reach_hash(stage_key(t), p->src), stage_now(t)))
		return true;
	r->action = WIRE_PASS;
	r->reason = (uint8_t)stage_remark(p);
	return false;
}

STAGE_INLINE bool stage_over_limits(struct stage_tables *t, const struct stage_packet *p,
				    struct tenant_slot *tenant, struct stage_result *r)
{
	return stage_over_traffic(t, p, tenant, r) ||
	       (stage_begins_connection(p) && tenant->limit[LIMIT_SYNS].interval &&
		stage_syn_over(t, p, tenant, r));
}

/* The packet's own flow's, and no earlier one's between the same ports. */
STAGE_INLINE bool stage_still_holds(struct stage_tables *t, const struct flow_verdict *known)
{
	return known->expires > stage_now(t) &&
	       (known->place >= FLOW_EPOCHS || stage_epoch(t, known->place) == known->epoch);
}

/*
 * A connection's beginning and its end are the dataplane's to see: it is what ends verdicts, and
 * flows.
 */
STAGE_INLINE enum flow_decision stage_decision(struct stage_tables *t, const struct stage_packet *p,
					       bool *own)
{
	const struct flow_verdict *known;

	if (p->class != CLASS_L4 || (p->proto == PROTO_TCP && p->tcp_flags & STAGE_TCP_CONTROL))
		return FLOW_UNDECIDED;
	known = stage_known(t, p);
	if (!known || !stage_still_holds(t, known))
		return FLOW_UNDECIDED;
	*own = known->own;
	return (enum flow_decision)known->decision;
}

STAGE_INLINE bool stage_is_datagram(const struct stage_packet *p)
{
	return p->class == CLASS_L4 && p->proto == PROTO_UDP;
}

/*
 * The checks, in order, on a packet whose tenant and direction stand in *r (the rest of which
 * is zero).
 *
 * A suspended tenant's mail and calls go on to the dataplane, which refuses them in
 * their protocol and lets emergency calls be decided first; the rest is dropped, both ways, but for
 * such calls' media. These spend of the tenant's buckets, and are not held to them.
 */
STAGE_INLINE void stage_decide(struct stage_tables *t, const struct stage_packet *p,
			       enum stage_from from, struct stage_result *r)
{
	struct tenant_slot *tenant;
	enum flow_decision known;
	bool read, suspended, own = false;

	r->action = WIRE_PASS;
	r->reason = (uint8_t)stage_remark(p);
	if (!r->tenant && from == FROM_INSIDE && p->family && !stage_stays_on_link(p) &&
	    stage_drop(t, r, CHECK_SPOOFED, REASON_SPOOFED)) {
		/* Whose address it is nobody knows; whose line it came by may be known. */
		if (p->vlan[0])
			r->blamed = stage_vlan_owner(t, p->vlan[0]);
		return;
	}
	tenant = r->tenant ? stage_slot(t, r->tenant) : NULL;
	if (!tenant)
		return;
	read = stage_must_read(t, p);
	suspended = tenant->state == TENANT_SUSPENDED;
	known = read ? stage_decision(t, p, &own) : FLOW_UNDECIDED;
	r->media = !read && stage_is_datagram(p) && stage_media(t, p, r);
	r->suspended = suspended && !stage_shadow(t, CHECK_TENANT_SUSPENDED);
	r->call = r->suspended && stage_is_call(t, p);
	if (suspended && !read && stage_drop(t, r, CHECK_TENANT_SUSPENDED, REASON_TENANT_SUSPENDED))
		return;
	if (r->outbound &&
	    ((stage_blocked(t, p) && stage_drop(t, r, CHECK_BLOCKED, REASON_BLOCKED)) ||
	     stage_over_limits(t, p, tenant, r) || stage_probes(t, p, tenant, r)))
		return;
	if (!r->outbound) {
		stage_note_answer(t, p, tenant, r->tenant);
		stage_note_sender(t, p, r->tenant);
	}
	if (known == FLOW_DROP && stage_drop(t, r, CHECK_FLOW_DECIDED, REASON_FLOW_DECIDED))
		return;
	/* What was let through before the suspension isn't any more. */
	if (r->media) {
		r->reason = REASON_EMERGENCY_MEDIA;
	} else if (known == FLOW_PASS && !suspended) {
		r->reason = REASON_FLOW_DECIDED;
		r->tls = own;
	} else if (read || stage_quotes_read(t, p)) {
		r->action = WIRE_INSPECT;
	}
	r->optional = !read;
}

#endif
