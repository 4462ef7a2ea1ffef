/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which tenant owns an address in a VLAN: longest-prefix match over the
 * snapshot's table (bpf/prefix_table.h; control/policy/prefix_build.h makes it).
 *
 * Pure reads, any thread, no allocation. A lookup visits a node for each six bits
 * in which prefixes differ, 6 at most for IPv4 and 22 for IPv6; for an address that lies
 * far from every prefix one or two. Measured by tests/bench/prefix_bench.c: 8 to
 * 19 ns among 10 to 1,000 prefixes, 3 ns far from them; among 100,000, where nodes come from
 * the last-level cache, 14 to 18 ns an address in bulk, and two to three times that one by one.
 */
#ifndef POSTERN_PREFIX_H
#define POSTERN_PREFIX_H

#include "bpf/policy.h"

/*
 * The slot of the tenant that owns `addr` (4 or 16 bytes, network order;
 * `family` 4 or 6) in VLAN `vlan` (0: untagged), or 0. Prefixes of that VLAN
 * come before those that hold in any, whatever their lengths.
 */
uint32_t prefix_lookup(const struct prefix_table *table, uint16_t vlan, uint8_t family,
		       const uint8_t *addr);

#define PREFIX_BULK 64

struct prefix_key {
	const uint8_t *addr;
	uint16_t vlan;
	uint8_t family; /* 4, 6; anything else finds nobody */
};

/*
 * prefix_lookup() for `count` ≤ PREFIX_BULK keys at once, a level of all of
 * them at a time, so that their cache misses overlap.
 */
void prefix_lookup_bulk(const struct prefix_table *table, const struct prefix_key *keys,
			uint32_t *slots, unsigned count);

#endif
