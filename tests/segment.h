/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP segments as hosts write them, whatever they say. */
#ifndef POSTERN_TESTS_SEGMENT_H
#define POSTERN_TESTS_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

/* The two ends of a connection, client first. */
struct segment_ends {
	bool ipv6, vlan;
	uint8_t addr[2][16]; /* IPv4: the first four bytes */
	uint16_t port[2];
};

/* 10.TENANT.0.2 and 203.0.113.9, or 2001:db8:TENANT::2 and 2001:db8:9::2. */
struct segment_ends segment_ends(bool ipv6, unsigned tenant, uint16_t client, uint16_t server);

struct segment {
	unsigned from; /* its sender's place in the ends */
	uint8_t flags;
	uint32_t seq, ack;
	uint16_t window, urgent;
	uint8_t options[40];
	uint32_t options_len; /* a multiple of 4 */
	const void *data;
	uint32_t len;
};

/* On Ethernet, don't fragment, checksums right. Returns its length. */
uint32_t segment_write(uint8_t *frame, const struct segment_ends *ends, const struct segment *s);

/* Link and IP headers, with `len` bytes of `proto` behind them, which the caller writes. */
uint32_t segment_write_ip(uint8_t *frame, const struct segment_ends *ends, unsigned from,
			  uint8_t proto, uint32_t len);

#endif
