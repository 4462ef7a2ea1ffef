/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * A rate limit in one 64-bit word: the generic cell rate algorithm (ITU-T
 * I.371 Annex A). The word is the theoretical arrival time (TAT, ns) of the next
 * event; an event is let through while it comes no earlier than TAT − tolerance.
 * Kernel and workers advance the same word by compare-and-swap; nobody locks.
 *
 * A bucket of `burst` events refilled at one per `interval` is
 * (interval, tolerance = (burst − 1) · interval).
 */
#ifndef POSTERN_GCRA_H
#define POSTERN_GCRA_H

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t gcra_word;

/* Limits in bytes keep `interval` for this many, so that 100 Gbit/s can be told from 90. */
#define GCRA_BYTES_UNIT 1024

struct gcra {
	gcra_word interval;  /* ns an event; 0: no limit */
	gcra_word tolerance; /* ns that events may come early: (burst − 1) · interval */
};

/*
 * Takes `cost` events at `now` (ns, any epoch, non-decreasing but for clock
 * skew between CPUs). Returns 1 and advances the word, or returns 0 and leaves
 * it alone. cost · interval must stay below 2^63 ns. An all-zero word is a
 * full bucket.
 */
static inline int gcra_take(gcra_word *tat, const struct gcra *limit, gcra_word now, gcra_word cost)
{
	if (!limit->interval)
		return 1;
	/* Bounded, for the verifier; losing this many races in a row means "too fast". */
	for (int tries = 0; tries < 16; tries++) {
		gcra_word old = *(volatile gcra_word *)tat;
		gcra_word start = old > now ? old : now;

		if (start - now > limit->tolerance)
			return 0;
		if (__sync_val_compare_and_swap(tat, old, start + cost * limit->interval) == old)
			return 1;
	}
	return 0;
}

#endif
