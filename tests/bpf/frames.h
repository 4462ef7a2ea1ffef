/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames for stage one: made of what a test cares for, and mutated. */
#ifndef POSTERN_TESTS_FRAMES_H
#define POSTERN_TESTS_FRAMES_H

#include <stdint.h>

#define FRAME_MAX 2048

/* All that is left out is as in an ordinary packet; without `src` there is no IP. */
struct frame_spec {
	const char *src, *dst;    /* both IPv4 or both IPv6 */
	uint16_t vlan[4];         /* outermost first; 0 ends */
	uint16_t tag[4];          /* their EtherTypes; 0: 0x8100 */
	uint16_t ethertype;       /* of what is no IP */
	uint8_t proto;            /* 0: TCP */
	uint8_t flags;            /* TCP's; 0: ACK */
	uint16_t sport, dport;    /* 0: 40000 and 80 */
	uint8_t icmp;             /* type */
	uint8_t quotes;           /* ICMP: bytes of a TCP header, between the same ends and ports */
	uint8_t quotes_behind;    /* the same, IPv6: destination options headers before it */
	uint8_t hops;             /* 0: 64 */
	uint8_t options;          /* IPv4: words of options */
	uint16_t fragment;        /* IPv4: flags and offset; IPv6: the fragment header's */
	uint8_t extensions;       /* IPv6: destination options headers */
	uint8_t extension_length; /* of each, in 8 bytes, less one */
	uint8_t ah;               /* IPv6: an authentication header of so many words of ICV */
	int16_t length_lie;       /* added to IP's length */
	uint16_t payload;         /* bytes */
	uint16_t padding;         /* bytes behind the packet */
};

/* Returns the frame's length. Checksums are left 0: stage one doesn't look at them. */
uint32_t frame_build(const struct frame_spec *spec, uint8_t frame[FRAME_MAX]);

/* splitmix64 */
uint64_t frame_random(uint64_t *state);

/* Changes some bytes, mostly of the headers, cuts or lengthens it. Returns its length, >= 14. */
uint32_t frame_mutate(uint8_t frame[FRAME_MAX], uint32_t len, uint64_t *seed);

#endif
