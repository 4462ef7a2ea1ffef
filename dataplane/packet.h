/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A packet as the stages see it: what the port says of it (struct packet_meta,
 * in the mbuf's private area) and what decode read (struct headers, one per
 * burst slot). mbufs are always linear here: ports and reassembly see to it.
 */
#ifndef POSTERN_PACKET_H
#define POSTERN_PACKET_H

#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/reason.h"
#include "bpf/stage_packet.h"

/* Link types, by their numbers in capture files (tcpdump.org's list). */
enum link_type {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_RAW_BSD = 12,
	LINK_RAW_OPENBSD = 14,
	LINK_RAW = 101,
	LINK_LOOP = 108,
	LINK_SLL = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_SLL2 = 276,
};

enum packet_flag {
	PACKET_CHECKSUM_TRUSTED = 1 << 0, /* the sender's NIC fills it in, or the NIC checked it */
	PACKET_FROM_GATE = 1 << 1,        /* the gate wrote it: a reply */
	PACKET_REASSEMBLED = 1 << 2,
	PACKET_CHANGED = 1 << 3, /* payload was overwritten: the checksum is to be redone */
	PACKET_COUNTED = 1 << 4, /* the rest of one whose front has left, and was counted */
	PACKET_UNREAD = 1 << 5,  /* when its turn came, its flow was not read any more */
};

/*
 * Written by the port at rx. The list members belong to whichever queue holds
 * the packet (struct segment_queue): a packet is in one at a time.
 */
struct packet_meta {
	uint64_t time;    /* ns since 1970 */
	uint64_t number;  /* in the replay, from 1; counts up per port in a live gate */
	uint32_t wirelen; /* bytes on the wire; more than the mbuf's when the capture was cut */
	uint16_t link;    /* enum link_type */
	uint8_t flags;    /* enum packet_flag */
	/* enum reason, for whatever left the gate or did not; from a port: why it is not to */
	uint8_t reason;
	uint64_t decided; /* the packet in hand when this one's fate was decided */
	struct rte_mbuf *next;
	struct rte_mbuf *fragments; /* reassembled: the packets it came in, linked by next */
	uint32_t seq;               /* of the first payload byte kept */
	uint32_t len;               /* payload bytes kept */
	uint32_t missing;           /* bytes that the capture cut off behind them */
	uint16_t payload;           /* offset of the first payload byte kept */
	uint16_t tcp;               /* offset of the TCP header */
	uint8_t fin;
	uint8_t role; /* enum port_role: where it leaves; a live port's, else stage one's */
	uint8_t from; /* enum stage_from: where it came in */
	/* enum reason: why stage one drops it, unless it turns out to be an emergency call's */
	uint8_t over;
};

static inline struct packet_meta *packet_meta(struct rte_mbuf *m)
{
	return rte_mbuf_to_priv(m);
}

/* The fragments that it came in, unless they have left. */
static inline void packet_free_fragments(struct rte_mbuf *m)
{
	struct rte_mbuf *fragment = packet_meta(m)->fragments;

	packet_meta(m)->fragments = NULL;
	while (fragment) {
		struct rte_mbuf *next = packet_meta(fragment)->next;

		rte_pktmbuf_free(fragment);
		fragment = next;
	}
}

static inline void packet_free(struct rte_mbuf *m)
{
	packet_free_fragments(m);
	rte_pktmbuf_free(m);
}

struct headers {
	struct flow_key key;
	uint64_t hash;    /* of the key */
	uint32_t seq;     /* TCP */
	uint32_t ack;     /* TCP */
	uint32_t missing; /* payload bytes that the capture cut off */
	uint16_t window;  /* TCP, unscaled */
	uint16_t sport;   /* host order */
	uint16_t dport;
	uint16_t l3;          /* offsets from the packet's first byte */
	uint16_t l4;          /* */
	uint16_t payload;     /* */
	uint16_t l4_len;      /* as the IP header says */
	uint16_t payload_len; /* bytes present */
	uint8_t class;        /* enum packet_class */
	uint8_t reason;       /* why malformed */
	uint8_t proto;
	uint8_t family; /* 4, 6 or 0 */
	uint8_t tcp_flags;
	uint8_t side; /* the sender's place in the key: 0 or 1 */
};

static inline const uint8_t *headers_src(const struct headers *h)
{
	return h->key.addr[h->side];
}

static inline const uint8_t *headers_dst(const struct headers *h)
{
	return h->key.addr[!h->side];
}

/*
 * Reads one packet's headers; never reads beyond the mbuf. Lengths of zero
 * (segmentation offload, seen in captures only) mean "the rest of the frame"
 * where PACKET_CHECKSUM_TRUSTED says that the NIC fills in. Pure; any thread.
 */
void packet_decode(const struct rte_mbuf *m, struct headers *h);

/* Whether the receiver would take it: IPv4 header, TCP and UDP checksums. Truncated packets
 * pass: what is not there can't be added up. */
bool packet_checksum_ok(const struct rte_mbuf *m, const struct headers *h);

#endif
