/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Looking for two bytes that stand together, thirty-two places at a time where
 * the CPU has AVX2. Parsers read each byte of a body for the rare one that means
 * something; this is what that costs. Pure; any thread.
 */
#ifndef POSTERN_PROTO_BYTES_WIDE_H
#define POSTERN_PROTO_BYTES_WIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BYTES_WIDE 32

#ifdef __x86_64__
#include <immintrin.h>

#define BYTES_WIDE_CPU __attribute__((target("avx2")))

typedef __m256i wide_places; /* for each of BYTES_WIDE places: all ones, or nothing */

static inline bool bytes_has_wide(void)
{
	return __builtin_cpu_supports("avx2");
}

BYTES_WIDE_CPU static inline wide_places wide_load(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

/* Where c stands among the bytes at p. */
BYTES_WIDE_CPU static inline wide_places wide_byte(const uint8_t *p, char c)
{
	return _mm256_cmpeq_epi8(wide_load(p), _mm256_set1_epi8(c));
}

/* The same of a lower case letter, in either case. */
BYTES_WIDE_CPU static inline wide_places wide_letter(const uint8_t *p, char c)
{
	return _mm256_cmpeq_epi8(wide_load(p) | _mm256_set1_epi8(0x20), _mm256_set1_epi8(c));
}

BYTES_WIDE_CPU static inline uint32_t wide_mask(wide_places places)
{
	return (uint32_t)_mm256_movemask_epi8(places);
}

#else

#define BYTES_WIDE_CPU

typedef uint32_t wide_places;

static inline bool bytes_has_wide(void)
{
	return false;
}

static inline wide_places wide_byte(const uint8_t *p, char c)
{
	wide_places places = 0;

	for (unsigned i = 0; i < BYTES_WIDE; i++)
		places |= (uint32_t)(p[i] == (uint8_t)c) << i;
	return places;
}

static inline wide_places wide_letter(const uint8_t *p, char c)
{
	return wide_byte(p, c) | wide_byte(p, (char)(c & ~0x20));
}

static inline uint32_t wide_mask(wide_places places)
{
	return places;
}

#endif

/*
 * The first i in [1, len) that is(p + i) holds for; len if there is none. `is` may look
 * at the bytes before as well, and is a function known here. len > BYTES_WIDE.
 */
BYTES_WIDE_CPU static inline __attribute__((always_inline)) size_t
wide_find(const uint8_t *p, size_t len, wide_places (*is)(const uint8_t *p))
{
	uint32_t mask;
	size_t i = 1;

	for (; i + 2 * BYTES_WIDE <= len; i += 2 * BYTES_WIDE) {
		wide_places here = is(p + i), next = is(p + i + BYTES_WIDE);

		if (!wide_mask(here | next))
			continue;
		mask = wide_mask(here);
		return mask ? i + (size_t)__builtin_ctz(mask)
			    : i + BYTES_WIDE + (size_t)__builtin_ctz(wide_mask(next));
	}
	if (i + BYTES_WIDE <= len) {
		mask = wide_mask(is(p + i));
		if (mask)
			return i + (size_t)__builtin_ctz(mask);
		i += BYTES_WIDE;
	}
	if (i == len)
		return len;
	/* What is left, and before it what is known to be none. */
	mask = wide_mask(is(p + len - BYTES_WIDE)) >> (i - (len - BYTES_WIDE));
	return mask ? i + (size_t)__builtin_ctz(mask) : len;
}

#endif
