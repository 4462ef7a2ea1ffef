/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * From an Ethernet frame to struct stage_packet, in a number of steps that the
 * kernel's verifier can count. It reads what dataplane/decode.c reads, and a test
 * holds both to the same class, addresses and ports of every packet; where it
 * would have to walk further than it may, it says CLASS_DEEP and nothing else.
 *
 * The frame is all there is: a capture that was cut is none of its business.
 */
#ifndef POSTERN_STAGE_DECODE_H
#define POSTERN_STAGE_DECODE_H

#include <stddef.h>

#include "bpf/reason.h"
#include "bpf/stage_packet.h"

#define STAGE_VLANS      4    /* tags that are skipped; the outer two are kept */
#define STAGE_EXTENSIONS 8    /* IPv6 extension headers that are walked */
#define STAGE_REACH      1024 /* bytes from the frame's start within which a header begins */

/* A cursor that never passes the end. */
struct stage_cursor {
	void *frame; /* the includer's, for stage_walk() */
	const uint8_t *base;
	const uint8_t *limit; /* the frame's end, for the verifier */
	uint32_t at;
	uint32_t end; /* the packet's end: what comes after it is padding */
};

STAGE_INLINE uint16_t stage_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

STAGE_INLINE const uint8_t *stage_peek(const struct stage_cursor *c, uint32_t n)
{
	const uint8_t *p;

	if (c->at > STAGE_REACH || c->at + n > c->end)
		return NULL;
	p = c->base + c->at;
	return p + n <= c->limit ? p : NULL;
}

STAGE_INLINE void stage_malformed(struct stage_packet *p)
{
	p->class = CLASS_MALFORMED;
	p->reason = REASON_BAD_LENGTH;
}

STAGE_INLINE bool stage_is_vlan(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100 || type == 0x9200;
}

/* The EtherType below the tags; 0 and CLASS_MALFORMED where the frame ends before it. */
STAGE_INLINE uint16_t stage_decode_link(struct stage_cursor *c, struct stage_packet *p)
{
	const uint8_t *b = stage_peek(c, 14);
	uint16_t type;

	if (!b) {
		stage_malformed(p);
		return 0;
	}
	type = stage_be16(b + 12);
	c->at += 14;
	for (unsigned depth = 0; depth < STAGE_VLANS && stage_is_vlan(type); depth++) {
		b = stage_peek(c, 4);
		if (!b) {
			stage_malformed(p);
			return 0;
		}
		if (depth < 2)
			p->vlan[depth] = stage_be16(b) & 0x0fff;
		type = stage_be16(b + 2);
		c->at += 4;
	}
	return type;
}

/* What IP says the packet's length is; beyond the frame is a lie, short of it is padding. */
STAGE_INLINE bool stage_set_length(struct stage_cursor *c, struct stage_packet *p, uint32_t total)
{
	if (c->at + total > c->end) {
		stage_malformed(p);
		return false;
	}
	c->end = c->at + total;
	return true;
}

/*
 * Whether a fragment may begin a TCP connection. The first has the flags, or hides them; one that
 * lies 8 bytes behind it would put others in their place (RFC 1858 3, RFC 3128 2).
 */
STAGE_INLINE bool stage_fragment_begins(const struct stage_cursor *c, uint8_t proto,
					uint16_t offset)
{
	const uint8_t *b;

	if (stage_is_extension(proto))
		return offset == 0;
	if (proto != PROTO_TCP || offset > 1)
		return false;
	b = offset ? NULL : stage_peek(c, 14);
	return !b || stage_is_first_syn(b[13]);
}

/* The decoders return whether an upper layer follows at the cursor. */
STAGE_INLINE bool stage_decode_ipv4(struct stage_cursor *c, struct stage_packet *p)
{
	const uint8_t *b = stage_peek(c, 20);
	uint32_t ihl, total;

	if (!b) {
		stage_malformed(p);
		return false;
	}
	p->family = 4;
	p->proto = b[9];
	__builtin_memcpy(p->src, b + 12, 4);
	__builtin_memcpy(p->dst, b + 16, 4);
	ihl = (b[0] & 0x0f) * 4u;
	total = stage_be16(b + 2);
	if (b[0] >> 4 != 4 || ihl < 20 || total < ihl) {
		stage_malformed(p);
		return false;
	}
	if (!stage_set_length(c, p, total))
		return false;
	c->at += ihl;
	/* RFC 791: more fragments, or not the first. */
	if (stage_be16(b + 6) & 0x3fff) {
		p->class = CLASS_FRAGMENT;
		p->begins = stage_fragment_begins(c, p->proto, stage_be16(b + 6) & 0x1fff);
		return false;
	}
	return true;
}

/* Where a walk over extension headers stands. */
struct stage_walk {
	uint32_t at, end;
	uint8_t proto;   /* of the header at `at` */
	uint8_t class;   /* enum packet_class: what it ended with, or CLASS_L4 so far */
	uint16_t offset; /* of a CLASS_FRAGMENT, in 8 bytes */
};

/* One header of the frame from base to limit. RFC 8200 section 4. */
STAGE_INLINE void stage_walk_step(const uint8_t *base, const uint8_t *limit, struct stage_walk *w)
{
	struct stage_cursor c = {.base = base, .limit = limit, .at = w->at, .end = w->end};
	const uint8_t *b = stage_peek(&c, 8);
	uint32_t size = 8;

	if (!b) {
		w->class = c.at > STAGE_REACH ? CLASS_DEEP : CLASS_MALFORMED;
		return;
	}
	if (w->proto == PROTO_FRAGMENT) {
		/* RFC 6946: an atomic fragment is a whole packet. */
		if (stage_be16(b + 2) & 0xfff9)
			w->class = CLASS_FRAGMENT;
		w->offset = stage_be16(b + 2) >> 3;
	} else {
		/* RFC 4302: AH counts in 4-byte units, less two. */
		size = w->proto == PROTO_AH ? (b[1] + 2u) * 4 : (b[1] + 1u) * 8;
	}
	if (c.at + size > c.end) {
		w->class = CLASS_MALFORMED;
		return;
	}
	w->proto = b[0];
	w->at += size;
}

/* The step above, on the frame. The includer provides it: see gate.bpf.c for why. */
STAGE_INLINE void stage_walk(const struct stage_cursor *c, struct stage_walk *w);

/* Hosts walk any number of them; beyond ours the dataplane looks. */
STAGE_INLINE bool stage_decode_extensions(struct stage_cursor *c, struct stage_packet *p)
{
	struct stage_walk w = {c->at, c->end, p->proto, CLASS_L4, 0};

	for (unsigned i = 0; i < STAGE_EXTENSIONS; i++) {
		if (w.class != CLASS_L4 || !stage_is_extension(w.proto))
			break;
		stage_walk(c, &w);
	}
	if (w.class == CLASS_L4 && (stage_is_extension(w.proto) || w.at > STAGE_REACH))
		w.class = CLASS_DEEP;
	c->at = w.at;
	p->proto = w.proto;
	if (w.class == CLASS_L4)
		return true;
	p->class = w.class;
	if (w.class == CLASS_MALFORMED)
		stage_malformed(p);
	else
		p->begins = w.class == CLASS_DEEP || stage_fragment_begins(c, w.proto, w.offset);
	return false;
}

STAGE_INLINE bool stage_decode_ipv6(struct stage_cursor *c, struct stage_packet *p)
{
	const uint8_t *b = stage_peek(c, 40);
	uint32_t length;

	if (!b || b[0] >> 4 != 6) {
		stage_malformed(p);
		return false;
	}
	length = stage_be16(b + 4);
	p->family = 6;
	p->proto = b[6];
	/* RFC 4861 7.1: a hop limit of 255 has crossed no router. */
	p->neighbour = b[7] == 255;
	__builtin_memcpy(p->src, b + 8, 16);
	__builtin_memcpy(p->dst, b + 24, 16);
	/* Zero is a jumbogram (RFC 2675: refused), or nothing follows. */
	if (length == 0 && p->proto == PROTO_NONE)
		length = c->end - c->at - 40;
	if (!stage_set_length(c, p, 40 + length))
		return false;
	c->at += 40;
	return stage_decode_extensions(c, p);
}

STAGE_INLINE void stage_decode_tcp(struct stage_cursor *c, struct stage_packet *p)
{
	const uint8_t *b = stage_peek(c, 20);
	uint32_t size;

	if (!b) {
		stage_malformed(p);
		return;
	}
	size = (b[12] >> 4) * 4u;
	if (size < 20 || c->at + size > c->end) {
		stage_malformed(p);
		return;
	}
	p->sport = stage_be16(b);
	p->dport = stage_be16(b + 2);
	p->tcp_flags = b[13];
	p->class = CLASS_L4;
}

/* UDP carries other networks too: these ports say which. */
STAGE_INLINE bool stage_is_udp_tunnel(uint16_t port)
{
	return port == 2152 || port == 2123 || port == 4789 || port == 6081 || port == 3544;
}

STAGE_INLINE void stage_decode_udp(struct stage_cursor *c, struct stage_packet *p)
{
	const uint8_t *b = stage_peek(c, 8);
	uint32_t length;

	if (!b) {
		stage_malformed(p);
		return;
	}
	length = stage_be16(b + 4);
	if (length == 0)
		length = c->end - c->at;
	if (length < 8 || c->at + length > c->end) {
		stage_malformed(p);
		return;
	}
	p->sport = stage_be16(b);
	p->dport = stage_be16(b + 2);
	p->class = stage_is_udp_tunnel(p->dport) ? CLASS_TUNNEL : CLASS_L4;
}

/* RFC 4861 4: solicitations, advertisements, redirects. */
STAGE_INLINE bool stage_is_discovery(const struct stage_cursor *c)
{
	const uint8_t *b = stage_peek(c, 8);

	return b && b[0] >= 133 && b[0] <= 137;
}

/* RFC 792, RFC 4443 2.1. */
STAGE_INLINE bool stage_is_error(uint8_t family, uint8_t proto, uint8_t type)
{
	if (family == 4)
		return proto == PROTO_ICMP && (type == 3 || type == 4 || type == 11 || type == 12);
	return proto == PROTO_ICMPV6 && type >= 1 && type <= 4;
}

/*
 * The cursor at an IPv6 header that is quoted, which begins with `b`: behind it and its extension
 * headers. False: no TCP header follows there. A first fragment has one (RFC 8200 4.5).
 */
STAGE_INLINE bool stage_skip_quoted_ipv6(struct stage_cursor *c, const uint8_t *b)
{
	struct stage_walk w = {c->at + 40, c->end, b[6], CLASS_L4, 0};

	if (b[0] >> 4 != 6)
		return false;
	for (unsigned i = 0; i < STAGE_EXTENSIONS; i++) {
		if (w.class != CLASS_L4 || !stage_is_extension(w.proto))
			break;
		stage_walk(c, &w);
	}
	c->at = w.at;
	return w.proto == PROTO_TCP && w.offset == 0 &&
	       (w.class == CLASS_L4 || w.class == CLASS_FRAGMENT);
}

/*
 * The cursor at an ICMP message: the TCP header that it quotes, 8 bytes of it at least. NULL: it is
 * about something else.
 */
STAGE_INLINE const uint8_t *stage_quoted_tcp(struct stage_cursor *c, uint8_t family, uint8_t proto)
{
	const uint8_t *b = stage_peek(c, 8);
	uint32_t size;

	if (!b || !stage_is_error(family, proto, b[0]))
		return NULL;
	c->at += 8;
	b = stage_peek(c, family == 4 ? 20 : 40);
	if (!b)
		return NULL;
	if (family != 4)
		return stage_skip_quoted_ipv6(c, b) ? stage_peek(c, 8) : NULL;
	size = (b[0] & 0x0f) * 4u;
	/* RFC 791: a later fragment has no TCP header. */
	if (b[0] >> 4 != 4 || size < 20 || b[9] != PROTO_TCP || stage_be16(b + 6) & 0x1fff)
		return NULL;
	c->at += size;
	return stage_peek(c, 8);
}

STAGE_INLINE void stage_decode_quoted(const struct stage_cursor *c, struct stage_packet *p)
{
	struct stage_cursor in = *c;
	const uint8_t *tcp = stage_quoted_tcp(&in, p->family, p->proto);

	if (!tcp)
		return;
	p->quoted = true;
	p->sport = stage_be16(tcp);
	p->dport = stage_be16(tcp + 2);
}

STAGE_INLINE void stage_decode_transport(struct stage_cursor *c, struct stage_packet *p)
{
	switch (p->proto) {
	case PROTO_TCP:
		stage_decode_tcp(c, p);
		break;
	case PROTO_UDP:
		stage_decode_udp(c, p);
		break;
	case PROTO_GRE:
	case PROTO_IPIP:
	case PROTO_IPV6:
	case PROTO_ESP:
		p->class = CLASS_TUNNEL;
		break;
	default:
		p->class = CLASS_OTHER;
		stage_decode_quoted(c, p);
	}
}

/* The frame from `base` to `limit`; `frame` is what stage_walk() will want of it. */
STAGE_INLINE void stage_decode_frame(void *frame, const uint8_t *base, const uint8_t *limit,
				     struct stage_packet *p)
{
	struct stage_cursor c = {frame, base, limit, 0, (uint32_t)(limit - base)};
	uint16_t type;
	bool upper;

	__builtin_memset(p, 0, sizeof(*p));
	p->len = c.end;
	type = stage_decode_link(&c, p);
	if (type == 0x0800)
		upper = stage_decode_ipv4(&c, p);
	else if (type == 0x86dd)
		upper = stage_decode_ipv6(&c, p);
	else
		return;
	if (upper)
		stage_decode_transport(&c, p);
	p->neighbour = p->neighbour && p->proto == PROTO_ICMPV6 && p->class == CLASS_OTHER &&
		       stage_is_discovery(&c);
}

#endif
