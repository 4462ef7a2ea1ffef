/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/flow_key.h"

#include <assert.h>
#include <rte_byteorder.h>
#include <stddef.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static uint64_t seed;

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ &&
		      offsetof(struct flow_key, vlan) == offsetof(struct flow_key, port) + 4 &&
		      sizeof(struct flow_key) == offsetof(struct flow_key, proto) + 8,
	      "it is written in eights");

void flow_key_seed(uint64_t value)
{
	seed = value;
}

static inline uint64_t be64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return rte_be_to_cpu_64(v);
}

/* By address, then port. The bytes behind an IPv4 address are zeroes. */
static inline bool sender_is_larger(const struct headers *h)
{
	const uint8_t *from = h->key.addr[0], *to = h->key.addr[1];

	if (be64(from) != be64(to))
		return be64(from) > be64(to);
	if (be64(from + 8) != be64(to + 8))
		return be64(from + 8) > be64(to + 8);
	return h->sport >= h->dport;
}

static inline void put64(void *to, uint64_t value)
{
	memcpy(to, &value, sizeof(value));
}

/* Eight bytes at a time, as the hash reads them: it would wait for smaller stores. */
void flow_key_order(struct headers *h)
{
	struct flow_key *k = &h->key;
	bool swap = sender_is_larger(h);
	uint32_t ports = swap ? h->dport | (uint32_t)h->sport << 16
			      : h->sport | (uint32_t)h->dport << 16;
	uint8_t from[16];

	h->side = swap;
	if (swap) {
		memcpy(from, k->addr[0], 16);
		memcpy(k->addr[0], k->addr[1], 16);
		memcpy(k->addr[1], from, 16);
	}
	put64(k->port, ports | (uint64_t)k->vlan[0] << 32 | (uint64_t)k->vlan[1] << 48);
	put64(&k->proto, h->proto | (uint64_t)h->family << 8);
	h->hash = XXH3_64bits_withSeed(k, sizeof(*k), seed);
}
