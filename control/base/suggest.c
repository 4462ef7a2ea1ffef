/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/base/suggest.h"

#include <limits.h>
#include <string.h>

#define NAME_MAX_LEN 63

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

/* Optimal string alignment; rows[0] is the line in the making, rows[2] two before it. */
unsigned suggest_distance(const char *a, const char *b)
{
	unsigned storage[3][NAME_MAX_LEN + 1];
	unsigned *rows[3] = {storage[0], storage[1], storage[2]};
	size_t n = strlen(a), m = strlen(b);

	if (n > NAME_MAX_LEN || m > NAME_MAX_LEN)
		return UINT_MAX;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *oldest = rows[2];

		rows[2] = rows[1];
		rows[1] = rows[0];
		rows[0] = oldest;
		rows[0][0] = i;
		for (size_t j = 1; j <= m; j++) {
			unsigned same = a[i - 1] == b[j - 1];

			rows[0][j] =
				min3(rows[1][j] + 1, rows[0][j - 1] + 1, rows[1][j - 1] + !same);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    rows[2][j - 2] + 1 < rows[0][j])
				rows[0][j] = rows[2][j - 2] + 1;
		}
	}
	return rows[0][m];
}

unsigned suggest_limit(const char *a)
{
	size_t len = strlen(a);

	return len < 4 ? 1 : len < 8 ? 2 : 3;
}
