/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/risk/wilson.h"

#include <math.h>

struct wilson wilson_bounds(double hits, double n, double z)
{
	double p, zz = z * z, centre, half;

	if (!(n > 0))
		return (struct wilson){0, 1};
	p = fmin(fmax(hits / n, 0), 1);
	centre = (p + zz / (2 * n)) / (1 + zz / n);
	half = z * sqrt(p * (1 - p) / n + zz / (4 * n * n)) / (1 + zz / n);
	return (struct wilson){fmax(centre - half, 0), fmin(centre + half, 1)};
}
