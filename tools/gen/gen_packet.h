/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames with right lengths and checksums: Ethernet, up to two VLAN tags, IPv4
 * or IPv6, TCP or UDP, and fragments of them.
 */
#ifndef POSTERN_GEN_PACKET_H
#define POSTERN_GEN_PACKET_H

#include "tools/gen/gen_flow.h"

#include <stdbool.h>
#include <stdint.h>

enum gen_direction { FROM_CLIENT, FROM_SERVER };

struct gen_endpoint {
	uint8_t address[16]; /* IPv4: the first four bytes */
	uint16_t port;
	uint8_t hop_limit;
	uint16_t ip_id; /* of the next packet; counts up */
};

/* Two endpoints and what lies between them. */
struct gen_path {
	uint8_t family;              /* 4 or 6 */
	struct gen_endpoint ends[2]; /* by enum gen_direction: the sender */
	uint16_t vlan;               /* 802.1Q id, 0: untagged */
	uint16_t outer_vlan;         /* 802.1ad id around it, 0: none */
};

struct gen_segment {
	uint32_t seq;
	uint32_t ack;
	uint8_t flags; /* TCP_… */
	uint16_t window;
	uint32_t ts_value; /* RFC 7323 timestamps, in every segment */
	uint32_t ts_echo;
	uint16_t mss; /* announced in a SYN, with SACK and a window scale of 7 */
	const uint8_t *payload;
	uint32_t len;
};

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };

/* fragments: 1 for a whole packet, or as many pieces (fewer where 8 bytes a piece don't come out).
 */
void packet_tcp(struct gen_flow *flow, struct gen_path *path, enum gen_direction sender,
		uint64_t ts_ns, const struct gen_segment *segment, uint32_t fragments);
/* len at most 1,472 unless it is to be fragmented. */
void packet_udp(struct gen_flow *flow, struct gen_path *path, enum gen_direction sender,
		uint64_t ts_ns, const void *payload, uint32_t len, uint32_t fragments);

#endif
