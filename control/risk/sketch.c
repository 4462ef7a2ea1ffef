/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/risk/sketch.h"

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

uint64_t hll_estimate(const uint8_t registers[HLL_REGISTERS])
{
	const double m = HLL_REGISTERS, alpha = 0.7213 / (1 + 1.079 / m);
	double sum = 0, estimate;
	int unset = 0;

	for (int i = 0; i < HLL_REGISTERS; i++) {
		sum += ldexp(1, -registers[i]);
		unset += !registers[i];
	}
	estimate = alpha * m * m / sum;
	if (estimate <= 2.5 * m && unset)
		estimate = m * log(m / unset);
	return (uint64_t)llround(estimate);
}
