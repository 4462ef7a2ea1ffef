/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/live/live_clock.h"

#include <time.h>

#define SECOND     1000000000
#define SLEW_TENTH 10 /* no correction is faster than one part in ten */

#define READINGS    8      /* at most, for one that is narrow */
#define NARROW_PART 100000 /* of a second: 10 us */
#define RATE_PART   10000  /* of its base: as much may a rate be off by its readings */

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

static void read_once(struct live_clock_reading *r)
{
	r->cycles = rte_rdtsc();
	r->monotonic = monotonic_ns();
	r->system = clock_ns(CLOCK_REALTIME);
	r->width = rte_rdtsc() - r->cycles;
}

/* Who is preempted between two clocks has read nothing: the narrowest of some. */
static struct live_clock_reading read_clocks(void)
{
	const uint64_t narrow = rte_get_tsc_hz() / NARROW_PART;
	struct live_clock_reading best, r;

	read_once(&best);
	for (unsigned i = 1; i < READINGS && best.width > narrow; i++) {
		read_once(&r);
		if (r.width < best.width)
			best = r;
	}
	return best;
}

static uint64_t middle(const struct live_clock_reading *r)
{
	return r->cycles + r->width / 2;
}

void live_clock_init(struct live_clock *c)
{
	const struct live_clock_reading r = read_clocks();

	c->first_cycles = middle(&r);
	c->first_width = r.width;
	c->first_monotonic = r.monotonic;
	c->true_rate = rate_of(SECOND, rte_get_tsc_hz());
	atomic_store(&c->version, 0);
	change(c, c->first_cycles, r.system, c->true_rate);
}

/* The longer the base, the better the rate; where the readings are wide for it, it stays. */
static void rate_measure(struct live_clock *c, const struct live_clock_reading *r)
{
	const uint64_t elapsed = r->monotonic - c->first_monotonic;
	const uint64_t cycles = middle(r) - c->first_cycles;

	if (elapsed > SECOND / 2 && r->width + c->first_width < cycles / RATE_PART)
		c->true_rate = rate_of(elapsed, cycles);
}

/* ns by which it is behind at least. */
static int64_t behind_by(struct live_clock *c, const struct live_clock_reading *r)
{
	const int64_t behind = (int64_t)(r->system - live_clock_at(c, middle(r)));
	const int64_t doubt = (int64_t)((unsigned __int128)r->width / 2 * c->true_rate >> 32);

	if (behind > doubt)
		return behind - doubt;
	return behind < -doubt ? behind + doubt : 0;
}

int64_t live_clock_correct_by(struct live_clock *c, const struct live_clock_reading *r)
{
	const int64_t behind = behind_by(c, r);
	int64_t slew = behind;
	uint64_t cycles, rate;

	rate_measure(c, r);
	/* What it is off by is caught up with in a second, if that is not too fast. */
	if (slew > SECOND / SLEW_TENTH)
		slew = SECOND / SLEW_TENTH;
	if (slew < -SECOND / SLEW_TENTH)
		slew = -SECOND / SLEW_TENTH;
	rate = (uint64_t)((__int128)c->true_rate * (SECOND + slew) / SECOND);
	cycles = rte_rdtsc();
	change(c, cycles, live_clock_at(c, cycles), rate);
	return behind;
}

int64_t live_clock_correct(struct live_clock *c)
{
	const struct live_clock_reading r = read_clocks();

	return live_clock_correct_by(c, &r);
}
