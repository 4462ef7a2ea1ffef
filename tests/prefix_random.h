/* SPDX-License-Identifier: BSD-3-Clause */
/* Prefixes and addresses by chance, the same at every run, and whose an address is, read aloud. */
#ifndef POSTERN_TESTS_PREFIX_RANDOM_H
#define POSTERN_TESTS_PREFIX_RANDOM_H

#include "bpf/policy.h"

/* xorshift64*; `state` is not 0. */
uint64_t prefix_random_next(uint64_t *state);

/* Few distinct bytes, so that prefixes nest and addresses fall near their edges. */
void prefix_random_addr(uint64_t *seed, uint8_t *addr, unsigned len);

/* Of any length, in VLAN 0, 1 or 2. */
struct prefix prefix_random(uint64_t *seed, uint32_t slot);

/* Sorts, and leaves one of each; returns how many. */
size_t prefix_random_sort(struct prefix *p, size_t count);

/* The owner's slot by the definition, prefix by prefix; 0: nobody. `addr`: 4 or 16 bytes. */
uint32_t prefix_search(const struct prefix *p, size_t count, uint16_t vlan, uint8_t family,
		       const uint8_t *addr);

#endif
