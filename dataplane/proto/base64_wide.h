/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Base64, sixteen characters at a time, where the CPU has SSSE3; base64.c's
 * own. After Wojciech Mula and Daniel Lemire, "Faster Base64 Encoding and
 * Decoding Using AVX2 Instructions", ACM TWEB 12(3), 2018: a character's high
 * nibble says which low nibbles are of the alphabet and how far its value is
 * from its code.
 */
#ifndef POSTERN_PROTO_BASE64_WIDE_H
#define POSTERN_PROTO_BASE64_WIDE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __x86_64__
#include <immintrin.h>

#define BASE64_WIDE     16 /* characters read and bytes written, twelve of them good */
#define BASE64_WIDE_CPU __attribute__((target("ssse3")))

static inline bool base64_has_wide(void)
{
	return __builtin_cpu_supports("ssse3");
}

/* False, and nothing written, if one of the characters is not of the alphabet. */
BASE64_WIDE_CPU static inline bool base64_decode_wide(const uint8_t *p, uint8_t *out)
{
	const __m128i low_class = _mm_setr_epi8(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
						0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a);
	const __m128i high_class = _mm_setr_epi8(0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08,
						 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10);
	/* By high nibble, '/' counted one lower: to '/', '+', digits, upper and lower case. */
	const __m128i distance =
		_mm_setr_epi8(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
	const __m128i in_order =
		_mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
	const __m128i nibble = _mm_set1_epi8(0x0f);
	__m128i in = _mm_loadu_si128((const __m128i *)p);
	__m128i high = _mm_and_si128(_mm_srli_epi32(in, 4), nibble);
	__m128i bad = _mm_and_si128(_mm_shuffle_epi8(low_class, _mm_and_si128(in, nibble)),
				    _mm_shuffle_epi8(high_class, high));

	if (_mm_movemask_epi8(_mm_cmpgt_epi8(bad, _mm_setzero_si128())))
		return false;

	__m128i slash = _mm_cmpeq_epi8(in, _mm_set1_epi8('/'));
	__m128i value = _mm_add_epi8(in, _mm_shuffle_epi8(distance, _mm_add_epi8(high, slash)));
	/* Two of 6 bits to one of 12, two of those to one of 24, and their bytes in order. */
	__m128i pair = _mm_maddubs_epi16(value, _mm_set1_epi32(0x01400140));
	__m128i four = _mm_madd_epi16(pair, _mm_set1_epi32(0x00011000));

	_mm_storeu_si128((__m128i *)out, _mm_shuffle_epi8(four, in_order));
	return true;
}

#endif

#endif
