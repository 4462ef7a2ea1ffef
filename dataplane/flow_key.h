/* SPDX-License-Identifier: BSD-3-Clause */
/* One key and one hash for both directions of a flow. */
#ifndef POSTERN_FLOW_KEY_H
#define POSTERN_FLOW_KEY_H

#include <string.h>

#include "dataplane/packet.h"

/*
 * Completes a decoded packet's key: addr[0] and addr[1] hold source and
 * destination on entry, the smaller side stands first afterwards, and `side`
 * says where the sender went. Computes the hash.
 */
void flow_key_order(struct headers *h);

static inline bool flow_key_eq(const struct flow_key *a, const struct flow_key *b)
{
	uint64_t x[sizeof(*a) / 8], y[sizeof(*b) / 8], differ = 0;

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++)
		differ |= x[i] ^ y[i];
	return !differ;
}

/* Secret of this process; 0 until set: replays repeat. Set before workers start. */
void flow_key_seed(uint64_t seed);

#endif
