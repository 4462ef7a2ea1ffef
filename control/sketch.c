/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/sketch.h"

#include <math.h>

uint32_t sketch_estimate(const uint64_t bits[SKETCH_WORDS])
{
	int set = 0;

	for (int i = 0; i < SKETCH_WORDS; i++)
		set += __builtin_popcountll(bits[i]);
	if (set == SKETCH_BITS)
		return SKETCH_MOST;
	return (uint32_t)lround(-SKETCH_BITS * log1p(-(double)set / SKETCH_BITS));
}
