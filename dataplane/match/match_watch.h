/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What each rule costs beyond the search that all rules share: the time from something of it being
 * found to its being done with. A matcher has one (matcher->watch) while somebody measures; its
 * thread writes it.
 */
#ifndef POSTERN_MATCH_WATCH_H
#define POSTERN_MATCH_WATCH_H

#include <stdint.h>
#ifdef __x86_64__
#include <immintrin.h>
#else
#include <time.h>
#endif

struct match_work {
	uint64_t found;  /* times that something of it was, or was looked for without a literal */
	uint64_t cycles; /* of match_cycles(), what looking at it takes among them */
};

/* PCRE2's limit ends sooner: something else ran meanwhile. About a millisecond. */
#define MATCH_INTERRUPTED (1u << 21)

struct match_watch {
	struct match_work *rules; /* by their place in the image */
};

/* A clock that costs little: the time-stamp counter, or nanoseconds. */
static inline uint64_t match_cycles(void)
{
#ifdef __x86_64__
	return __rdtsc();
#else
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
#endif
}

static inline void match_watch_add(struct match_watch *watch, uint32_t rule, uint64_t cycles)
{
	struct match_work *work = &watch->rules[rule];

	work->found++;
	if (cycles < MATCH_INTERRUPTED)
		work->cycles += cycles;
}

#endif
