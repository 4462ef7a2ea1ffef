/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * How many different ones there were within about a day, roughly, in 264 bytes: HyperLogLog
 * (P. Flajolet and others, 2007) with 256 registers of four bits, for the half day in hand and for
 * the one before. A worker adds; control merges the workers' and estimates (control/risk/sketch.h).
 * The standard error is 6.5 %, below 600 less, by linear counting; what is more than 2 million is
 * said too low.
 *
 * Hashes must be keyed: who knows the key can stay at one.
 */
#ifndef POSTERN_HLL_H
#define POSTERN_HLL_H

#include <stdint.h>

#define HLL_REGISTERS 256
#define HLL_MOST      15
#define HLL_EPOCH     (UINT64_C(12) * 3600 * 1000000000) /* ns: what is older than two is forgotten */

struct hll {
	uint64_t epoch; /* of the last that was added: its time / HLL_EPOCH */
	uint8_t registers[2][HLL_REGISTERS / 2]; /* two in a byte; by the epoch's parity */
};

static inline unsigned hll_register(const uint8_t *registers, unsigned i)
{
	return registers[i / 2] >> i % 2 * 4 & HLL_MOST;
}

static inline void hll_clear(uint8_t *registers)
{
	for (int i = 0; i < HLL_REGISTERS / 2; i++)
		registers[i] = 0;
}

/* A clock that goes back by an epoch forgets. `now`: ns since 1970. */
static inline void hll_add(struct hll *h, uint64_t now, uint64_t hash)
{
	const uint64_t epoch = now / HLL_EPOCH;
	const unsigned i = hash % HLL_REGISTERS, shift = i % 2 * 4;
	uint8_t *registers = h->registers[epoch & 1];
	unsigned rank = 1;

	if (epoch != h->epoch) {
		hll_clear(registers);
		if (epoch != h->epoch + 1)
			hll_clear(h->registers[~epoch & 1]);
		h->epoch = epoch;
	}
	for (hash /= HLL_REGISTERS; !(hash & 1) && rank < HLL_MOST; hash /= 2)
		rank++;
	if (rank > hll_register(registers, i))
		registers[i / 2] =
			(uint8_t)((registers[i / 2] & ~(HLL_MOST << shift)) | rank << shift);
}

static inline void hll_merge_one(const uint8_t *from, uint8_t to[HLL_REGISTERS])
{
	for (unsigned i = 0; i < HLL_REGISTERS; i++)
		if (hll_register(from, i) > to[i])
			to[i] = (uint8_t)hll_register(from, i);
}

/* The registers that are no older than two epochs at `now`; those of `to` stay where they are more.
 */
static inline void hll_merge(const struct hll *h, uint64_t now, uint8_t to[HLL_REGISTERS])
{
	const uint64_t epoch = now / HLL_EPOCH;

	if (h->epoch == epoch || h->epoch + 1 == epoch)
		hll_merge_one(h->registers[h->epoch & 1], to);
	if (h->epoch == epoch)
		hll_merge_one(h->registers[~epoch & 1], to);
}

#endif
