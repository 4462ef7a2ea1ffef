/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * A packet as stage one sees it, in the kernel and in a worker: who sends what kind
 * of packet to whom. bpf/stage_decode.h fills it in the kernel, the dataplane from
 * what its own decoder read.
 */
#ifndef POSTERN_STAGE_PACKET_H
#define POSTERN_STAGE_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/flow_key.h"

/* Compiled into one function for the kernel, which calls none of ours. */
#define STAGE_INLINE static inline __attribute__((always_inline))

/* What a packet is made of, as far as its headers can be read. The order is ABI. */
enum packet_class {
	CLASS_NOT_IP,
	CLASS_MALFORMED,
	CLASS_FRAGMENT,
	CLASS_TUNNEL,
	CLASS_OTHER, /* IP, neither TCP nor UDP */
	CLASS_L4,
	CLASS_DEEP, /* more extension headers than the kernel walks: never from the dataplane's
		       decoder */
	CLASS_COUNT,
};

/* Numbers of the IP protocols that stage one tells apart (IANA). */
enum stage_proto {
	PROTO_HOPOPTS = 0,
	PROTO_ICMP = 1,
	PROTO_IPIP = 4,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_IPV6 = 41,
	PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44,
	PROTO_GRE = 47,
	PROTO_ESP = 50,
	PROTO_AH = 51,
	PROTO_ICMPV6 = 58,
	PROTO_NONE = 59,
	PROTO_DSTOPTS = 60,
};

struct stage_packet {
	uint8_t src[16]; /* IPv4: four bytes, then zeroes; all zero without a family */
	uint8_t dst[16];
	uint16_t vlan[2]; /* outermost first, 0: none */
	uint16_t sport;   /* host order; of CLASS_L4, UDP's CLASS_TUNNEL, and what is quoted */
	uint16_t dport;
	uint32_t len;      /* bytes on the wire */
	uint8_t class;     /* enum packet_class */
	uint8_t reason;    /* enum reason: why malformed */
	uint8_t family;    /* 4, 6 or 0 */
	uint8_t proto;     /* the last header's that was read */
	uint8_t tcp_flags; /* of CLASS_L4 */
	uint8_t neighbour; /* neighbour discovery (RFC 4861), which stays on its link */
	uint8_t quoted;    /* an ICMP error that quotes a TCP segment, whose ports these are */
	uint8_t begins;    /* not CLASS_L4, and may begin a TCP connection all the same */
};

/* IPv6 headers before the upper layer's (RFC 8200 4). One test: each branch costs the verifier. */
#define STAGE_EXTENSION_SET                                                       \
	(1ULL << PROTO_HOPOPTS | 1ULL << PROTO_ROUTING | 1ULL << PROTO_FRAGMENT | \
	 1ULL << PROTO_AH | 1ULL << PROTO_DSTOPTS)

STAGE_INLINE bool stage_is_extension(uint8_t proto)
{
	return proto < 64 && STAGE_EXTENSION_SET >> proto & 1;
}

/* TCP's flags (RFC 9293 3.1). */
#define STAGE_TCP_FIN     0x01
#define STAGE_TCP_SYN     0x02
#define STAGE_TCP_RST     0x04
#define STAGE_TCP_ACK     0x10
#define STAGE_TCP_CONTROL (STAGE_TCP_FIN | STAGE_TCP_SYN | STAGE_TCP_RST)

STAGE_INLINE bool stage_is_first_syn(uint8_t flags)
{
	return (flags & (STAGE_TCP_SYN | STAGE_TCP_ACK)) == STAGE_TCP_SYN;
}

STAGE_INLINE bool stage_is_syn_ack(uint8_t flags)
{
	return (flags & (STAGE_TCP_SYN | STAGE_TCP_ACK | STAGE_TCP_RST)) ==
	       (STAGE_TCP_SYN | STAGE_TCP_ACK);
}

STAGE_INLINE uint64_t stage_be64(const uint8_t *p)
{
	uint64_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return __builtin_bswap64(v);
}

/* Whether the sender comes second in the key. */
STAGE_INLINE bool stage_sender_is_larger(const struct stage_packet *p)
{
	uint64_t from = stage_be64(p->src), to = stage_be64(p->dst);

	if (from != to)
		return from > to;
	from = stage_be64(p->src + 8);
	to = stage_be64(p->dst + 8);
	if (from != to)
		return from > to;
	return p->sport >= p->dport;
}

/* The key of a CLASS_L4 packet's flow: the dataplane's struct headers has the same. */
STAGE_INLINE void stage_flow_key(const struct stage_packet *p, struct flow_key *key)
{
	bool swap = stage_sender_is_larger(p);

	__builtin_memset(key, 0, sizeof(*key));
	__builtin_memcpy(key->addr[0], swap ? p->dst : p->src, 16);
	__builtin_memcpy(key->addr[1], swap ? p->src : p->dst, 16);
	key->port[0] = swap ? p->dport : p->sport;
	key->port[1] = swap ? p->sport : p->dport;
	key->vlan[0] = p->vlan[0];
	key->vlan[1] = p->vlan[1];
	key->proto = p->proto;
	key->family = p->family;
}

#define VLANS 4096

#endif
