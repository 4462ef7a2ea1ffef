/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The time of a live gate: ns since 1970 out of the CPU's counter, without a system call. The main
 * thread compares it with the system's clock now and then and corrects its rate, never its
 * value: it neither steps nor goes back, since flows and buckets live by it. A system clock
 * that is set is followed at a tenth of its speed.
 */
#ifndef POSTERN_LIVE_CLOCK_H
#define POSTERN_LIVE_CLOCK_H

#include <rte_cycles.h>
#include <stdatomic.h>
#include <stdint.h>

struct live_clock {
	_Alignas(64) _Atomic uint32_t version; /* odd while it is being changed */
	_Atomic uint64_t cycles, ns;           /* at the last change */
	_Atomic uint64_t rate;                 /* ns per 2^32 cycles */
	/* The main thread's: */
	uint64_t true_rate; /* by CLOCK_MONOTONIC */
	uint64_t first_cycles, first_width, first_monotonic;
};

/* The system's clocks (ns), at some moment of the `width` cycles from `cycles` on. */
struct live_clock_reading {
	uint64_t cycles, width;
	uint64_t system, monotonic;
};

/* Main thread. */
void live_clock_init(struct live_clock *c);
/* Main thread, about once a second. Returns how far it is behind the system's: ns. */
int64_t live_clock_correct(struct live_clock *c);
/* By this reading: what a wide one doesn't know is not believed. */
int64_t live_clock_correct_by(struct live_clock *c, const struct live_clock_reading *r);

/* Any thread. What one thread reads never goes back, but for a few ns when the rate changes. */
static inline uint64_t live_clock_at(struct live_clock *c, uint64_t cycles)
{
	uint32_t version;
	uint64_t since, ns, rate;

	do {
		version = atomic_load_explicit(&c->version, memory_order_acquire);
		since = atomic_load_explicit(&c->cycles, memory_order_relaxed);
		ns = atomic_load_explicit(&c->ns, memory_order_relaxed);
		rate = atomic_load_explicit(&c->rate, memory_order_relaxed);
		atomic_thread_fence(memory_order_acquire);
	} while ((version & 1) ||
		 version != atomic_load_explicit(&c->version, memory_order_relaxed));
	/* Another CPU's counter may be a little behind the one that was read for the change. */
	if (cycles < since)
		return ns;
	return ns + (uint64_t)((unsigned __int128)(cycles - since) * rate >> 32);
}

static inline uint64_t live_clock_now(struct live_clock *c)
{
	return live_clock_at(c, rte_rdtsc());
}

/* CLOCK_MONOTONIC, ns: of heartbeats, which the kernel compares with its own. */
uint64_t monotonic_ns(void);

#endif
