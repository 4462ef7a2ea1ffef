/* SPDX-License-Identifier: BSD-3-Clause */
/* Headers of the packets that the gate writes itself, in one end's name to the other. */
#ifndef POSTERN_PACKET_WRITE_H
#define POSTERN_PACKET_WRITE_H

#include <string.h>

#include "dataplane/flow.h"

static inline void put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static inline void put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value);
}

static inline uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/*
 * A link header of `len` bytes like `from`'s; turned, Ethernet's addresses change places: it goes
 * back to where that came from.
 */
void link_write(uint8_t *to, const uint8_t *from, uint32_t len, uint16_t link, bool turn);

/* IPv4 or IPv6 from side `src` of the flow, with `payload` bytes behind it. Returns its length. */
uint32_t ip_write(uint8_t *to, const struct flow *f, unsigned src, uint32_t payload);

/* What the transport checksum begins with (checksum.h). */
uint64_t pseudo_sum(const struct flow *f, unsigned src, uint32_t len);

#endif
