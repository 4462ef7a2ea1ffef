/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/* Hashing where a keyed hash function's strength isn't wanted, or can't be had: in the kernel. */
#ifndef POSTERN_MIX_H
#define POSTERN_MIX_H

#include <stdint.h>

/* A bijection in which every bit depends on every other (D. Stafford's variant 13). */
static inline uint64_t mix64(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

#endif
