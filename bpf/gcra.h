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
 * A limit is two words, and may become another one while it is spent by. What an event is held to
 * is the tolerance: one that is none's (of "no limit": 0) would refuse what both let through. So
 * the tolerance comes first, and of a limit that is taken away it stays; and it is read last.
 */
static inline void gcra_write(struct gcra *live, const struct gcra *wanted)
{
	if (wanted->interval)
		*(volatile gcra_word *)&live->tolerance = wanted->tolerance;
	__atomic_store_n(&live->interval, wanted->interval, __ATOMIC_RELEASE);
}

static inline struct gcra gcra_read(const struct gcra *live)
{
	struct gcra limit;

	limit.interval = *(const volatile gcra_word *)&live->interval;
	limit.tolerance = *(const volatile gcra_word *)&live->tolerance;
	return limit;
}

static inline bool gcra_is(const struct gcra *live, const struct gcra *wanted)
{
	return live->interval == wanted->interval &&
	       (!wanted->interval || live->tolerance == wanted->tolerance);
}

#define GCRA_TRIES 16 /* by compare-and-swap */

/*
 * The same for who lost every one of those races: there is no end to them on a machine with many
 * CPUs, and nobody is "too fast" for that. Others have taken of it only just now, so the word is
 * not behind `now`, and adding can't be lost. Who added to what was spent by then takes it back:
 * meanwhile the bucket looks fuller by that, which was over anyway.
 */
static inline int gcra_take_crowded(gcra_word *tat, const struct gcra *limit, gcra_word now,
				    gcra_word cost)
{
	const gcra_word more = cost * limit->interval;
	gcra_word old = *(volatile gcra_word *)tat;

	if (old > now && old - now > limit->tolerance)
		return 0;
	old = __sync_fetch_and_add(tat, more);
	if (old <= now || old - now <= limit->tolerance)
		return 1;
	__sync_fetch_and_add(tat, -more);
	return 0;
}

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
	/* Bounded, for the verifier. */
	for (int tries = 0; tries < GCRA_TRIES; tries++) {
		gcra_word old = *(volatile gcra_word *)tat;
		gcra_word start = old > now ? old : now;

		if (start - now > limit->tolerance)
			return 0;
		if (__sync_val_compare_and_swap(tat, old, start + cost * limit->interval) == old)
			return 1;
	}
	return gcra_take_crowded(tat, limit, now, cost);
}

#endif
