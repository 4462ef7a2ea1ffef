/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/gen/gen_random.h"

#include <string.h>

/* Quantiles of a size, in thousandths of its mean; the trapezoids between them have mean 1,000. */
static const uint16_t quantiles[17] = {150, 200, 250,  300,  350,  420,  500,  580, 680,
				       800, 950, 1100, 1300, 1600, 2100, 2900, 3790};

uint64_t random_size(struct gen_random *random, uint64_t mean)
{
	uint32_t draw = random_below(random, 16 << 16);
	uint32_t low = quantiles[draw >> 16], high = quantiles[(draw >> 16) + 1];
	uint64_t scaled = ((uint64_t)low << 16) + (uint64_t)(high - low) * (draw & 0xffff);
	uint64_t size = (uint64_t)((unsigned __int128)mean * scaled / 65536 / 1000);

	return size ? size : 1;
}

void random_fill(struct gen_random *random, void *out, size_t len)
{
	uint8_t *p = out;

	while (len) {
		uint64_t word = random_next(random);
		size_t step = len < sizeof(word) ? len : sizeof(word);

		memcpy(p, &word, step);
		p += step;
		len -= step;
	}
}
