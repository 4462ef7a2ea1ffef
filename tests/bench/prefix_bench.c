/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a prefix lookup costs, in ns, as the median of rounds: one at a time (each waits for
 * the one before) and in bulk, for tables of 10 to 100,000 prefixes of a provider's
 * usual lengths, over random addresses inside them and far from them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/policy/prefix_build.h"
#include "dataplane/policy/prefix.h"

#define ADDRESSES 16384
#define ROUNDS    21

static uint64_t seed = 42;

static uint64_t random_next(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * UINT64_C(0x2545f4914f6cdd1d);
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void store_be64(uint8_t *p, uint64_t v)
{
	v = __builtin_bswap64(v);
	memcpy(p, &v, sizeof(v));
}

/* IPv4: /20 to /32 in 10.0.0.0/8; IPv6: /48, /56 or /64 in 2001:db8::/32. */
static struct prefix random_prefix(uint8_t family, uint32_t slot)
{
	struct prefix p = {.family = family, .slot = slot};
	uint64_t bits;

	if (family == 4) {
		p.length = 20 + random_next() % 13;
		bits = UINT64_C(10) << 56 | (random_next() & 0xffffff) << 32;
	} else {
		p.length = 48 + random_next() % 3 * 8;
		bits = UINT64_C(0x20010db8) << 32 | (random_next() & 0xffffffff);
	}
	store_be64(p.addr, bits & ~UINT64_C(0) << (64 - p.length));
	return p;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), compare);
	return values[ROUNDS / 2];
}

static uint8_t addrs[ADDRESSES][16];
static uint32_t sink;

static double time_single(const struct prefix_table *table, uint8_t family)
{
	double rounds[ROUNDS];

	for (unsigned r = 0; r < ROUNDS; r++) {
		double start = now_ns();
		uint32_t slot = 0;

		/* The next address depends on the last answer. */
		for (unsigned i = 0; i < ADDRESSES; i++)
			slot = prefix_lookup(table, 0, family, addrs[i ^ (slot >> 31)]);
		sink += slot;
		rounds[r] = (now_ns() - start) / ADDRESSES;
	}
	return median(rounds);
}

static double time_bulk(const struct prefix_table *table, uint8_t family)
{
	double rounds[ROUNDS];

	for (unsigned r = 0; r < ROUNDS; r++) {
		double start = now_ns();

		for (unsigned i = 0; i < ADDRESSES; i += PREFIX_BULK) {
			struct prefix_key keys[PREFIX_BULK];
			uint32_t slots[PREFIX_BULK];

			for (unsigned k = 0; k < PREFIX_BULK; k++)
				keys[k] = (struct prefix_key){addrs[i + k], 0, family};
			prefix_lookup_bulk(table, keys, slots, PREFIX_BULK);
			sink += slots[PREFIX_BULK - 1];
		}
		rounds[r] = (now_ns() - start) / ADDRESSES;
	}
	return median(rounds);
}

static void fill_addresses(const struct prefix *p, size_t count, bool inside)
{
	for (unsigned i = 0; i < ADDRESSES; i++) {
		store_be64(addrs[i], random_next() | UINT64_C(1) << 63);
		store_be64(addrs[i] + 8, random_next());
		if (inside)
			memcpy(addrs[i], p[random_next() % count].addr, 8);
	}
}

static void bench(uint8_t family, size_t count)
{
	struct prefix *p = calloc(count, sizeof(*p));
	struct prefix_table table;
	double single, bulk, far;

	for (size_t i = 0; p && i < count; i++)
		p[i] = random_prefix(family, i + 1);
	if (!p || prefix_table_init(&table, p, count) != 0)
		exit(1);
	fill_addresses(p, count, true);
	single = time_single(&table, family);
	bulk = time_bulk(&table, family);
	fill_addresses(p, count, false);
	far = time_single(&table, family);
	printf("IPv%u %7zu prefixes  %5.1f ns  bulk %5.1f ns  far %5.1f ns  %6.1f KiB\n", family,
	       count, single, bulk, far,
	       (table.node_count * sizeof(*table.nodes) +
		table.leaf_count * sizeof(*table.leaves)) /
		       1024.0);
	prefix_table_fini(&table);
	free(p);
}

int main(void)
{
	for (size_t count = 10; count <= 100000; count *= 100)
		bench(4, count);
	bench(4, 100000);
	for (size_t count = 10; count <= 100000; count *= 100)
		bench(6, count);
	bench(6, 100000);
	return sink == 1;
}
