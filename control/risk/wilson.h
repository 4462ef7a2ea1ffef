/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Wilson's score interval: between which shares the true one lies when `hits` of `n` were seen.
 * (E. B. Wilson, 1927; chosen over the textbook interval because it holds for small n and for
 * shares near 0 and 1.) Pure; any thread.
 */
#ifndef POSTERN_CONTROL_WILSON_H
#define POSTERN_CONTROL_WILSON_H

struct wilson {
	double low, high; /* 0 to 1 */
};

/* `z`: standard deviations. `n` <= 0: nothing is known, 0 to 1. hits and n need not be whole. */
struct wilson wilson_bounds(double hits, double n, double z);

#endif
