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

static inline bool bytes_has_wide(void)
{
	return __builtin_cpu_supports("avx2");
}

/* Where c stands among the BYTES_WIDE bytes at p: a bit for each. */
BYTES_WIDE_CPU static inline uint32_t wide_mask(const uint8_t *p, char c)
{
	__m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)p);

	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(c)));
}

#else

#define BYTES_WIDE_CPU

static inline bool bytes_has_wide(void)
{
	return false;
}

static inline uint32_t wide_mask(const uint8_t *p, char c)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < BYTES_WIDE; i++)
		mask |= (uint32_t)(p[i] == (uint8_t)c) << i;
	return mask;
}

#endif

/*
 * The first i in [1, len) that `masks` has a bit for, it being asked with p + i and
 * able to look at the byte before; or the first place that it could not be asked
 * about, too near the end.
 */
BYTES_WIDE_CPU static inline __attribute__((always_inline)) size_t
wide_find(const uint8_t *p, size_t len, uint32_t (*masks)(const uint8_t *p))
{
	size_t i = 1;

	for (; i + BYTES_WIDE <= len; i += BYTES_WIDE) {
		uint32_t mask = masks(p + i);

		if (mask)
			return i + (size_t)__builtin_ctz(mask);
	}
	return i;
}

#endif
