/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/live/live_clock.h"

#include <time.h>

#define SECOND     1000000000
#define SLEW_TENTH 10 /* no correction is faster than one part in ten */

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

uint64_t monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static uint64_t rate_of(uint64_t ns, uint64_t cycles)
{
	return (uint64_t)(((unsigned __int128)ns << 32) / (cycles ? cycles : 1));
}

static void change(struct live_clock *c, uint64_t cycles, uint64_t ns, uint64_t rate)
{
	uint32_t version = atomic_load_explicit(&c->version, memory_order_relaxed);

	atomic_store_explicit(&c->version, version + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&c->cycles, cycles, memory_order_relaxed);
	atomic_store_explicit(&c->ns, ns, memory_order_relaxed);
	atomic_store_explicit(&c->rate, rate, memory_order_relaxed);
	atomic_store_explicit(&c->version, version + 2, memory_order_release);
}

void live_clock_init(struct live_clock *c)
{
	c->first_cycles = rte_rdtsc();
	c->first_monotonic = monotonic_ns();
	c->true_rate = rate_of(SECOND, rte_get_tsc_hz());
	atomic_store(&c->version, 0);
	change(c, c->first_cycles, clock_ns(CLOCK_REALTIME), c->true_rate);
}

int64_t live_clock_correct(struct live_clock *c)
{
	uint64_t cycles = rte_rdtsc(), system = clock_ns(CLOCK_REALTIME);
	uint64_t elapsed = monotonic_ns() - c->first_monotonic;
	uint64_t now = live_clock_at(c, cycles), rate;
	int64_t behind = (int64_t)(system - now), slew = behind;

	/* The longer the base, the better the rate. */
	if (elapsed > SECOND / 2)
		c->true_rate = rate_of(elapsed, cycles - c->first_cycles);
	/* What it is off by is caught up with in a second, if that is not too fast. */
	if (slew > SECOND / SLEW_TENTH)
		slew = SECOND / SLEW_TENTH;
	if (slew < -SECOND / SLEW_TENTH)
		slew = -SECOND / SLEW_TENTH;
	rate = (uint64_t)((__int128)c->true_rate * (SECOND + slew) / SECOND);
	change(c, cycles, now, rate);
	return behind;
}
