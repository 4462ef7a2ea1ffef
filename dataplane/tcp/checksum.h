/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The internet checksum (RFC 1071): verified on what comes in, computed on what
 * the gate says itself.
 *
 * A sum is built in three steps: a pseudo header's sum to start from, the bytes
 * added to it, the whole finished. Sums are kept in memory order, so they are
 * the same numbers on every host, and a finished checksum is stored with
 * memcpy, never swapped. All functions are pure: any thread, no blocking, no
 * errors, any alignment; lengths are bytes.
 */
#ifndef POSTERN_CHECKSUM_H
#define POSTERN_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Adds len bytes. Only the last piece of a sum may have an odd length. A sum
 * holds any number of pieces up to 2^32 bytes together.
 */
uint64_t checksum_add(uint64_t sum, const void *data, size_t len);

/* The one's complement of the folded sum, in memory order: what a header carries. */
uint16_t checksum_finish(uint64_t sum);

/*
 * `len` bytes changed, the first of them `at` bytes behind where the sum began: the checksum
 * field (in memory order, as it stands) is made right again without the rest (RFC 1624 eqn. 3).
 * At most CHECKSUM_UPDATE_MAX bytes.
 */
#define CHECKSUM_UPDATE_MAX 64
void checksum_update(void *field, size_t at, const void *before, const void *now, size_t len);

/* RFC 9293 3.1, RFC 768, RFC 8200 8.1. Addresses in network order (4 or 16 bytes),
 * len is the upper layer's length: header and payload. */
uint64_t checksum_pseudo_ipv4(const void *src, const void *dst, uint8_t protocol, uint16_t len);
uint64_t checksum_pseudo_ipv6(const void *src, const void *dst, uint8_t protocol, uint32_t len);

/* header_len: 20 to 60, what IHL says. */
bool checksum_ipv4_header_ok(const void *header, size_t header_len);

/* pseudo from above; segment is the TCP header and payload, in one piece. */
bool checksum_tcp_ok(uint64_t pseudo, const void *segment, size_t len);

/*
 * datagram: the UDP header and payload, len what the UDP header says (at least
 * 8). A checksum of zero says "none was computed": right over IPv4 (RFC 768),
 * wrong over IPv6 (RFC 8200 8.1; the tunnels of RFC 6935 are not inspected).
 */
bool checksum_udp_ipv4_ok(uint64_t pseudo, const void *datagram, size_t len);
bool checksum_udp_ipv6_ok(uint64_t pseudo, const void *datagram, size_t len);

#endif
