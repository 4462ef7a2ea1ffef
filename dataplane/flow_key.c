/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/flow_key.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static uint64_t seed;

void flow_key_seed(uint64_t value)
{
	seed = value;
}

void flow_key_order(struct headers *h)
{
	struct flow_key *k = &h->key;
	int order = memcmp(k->addr[0], k->addr[1], h->family == 4 ? 4 : 16);

	if (order == 0)
		order = h->sport < h->dport ? -1 : 1;
	h->side = order > 0;
	if (h->side) {
		uint8_t swap[16];

		memcpy(swap, k->addr[0], 16);
		memcpy(k->addr[0], k->addr[1], 16);
		memcpy(k->addr[1], swap, 16);
	}
	k->port[h->side] = h->sport;
	k->port[!h->side] = h->dport;
	k->proto = h->proto;
	k->family = h->family;
	h->hash = XXH3_64bits_withSeed(k, sizeof(*k), seed);
}
