/* SPDX-License-Identifier: BSD-3-Clause */
/* "Did you mean": how far a misspelt name is from a right one. Pure. */
#ifndef POSTERN_SUGGEST_H
#define POSTERN_SUGGEST_H

/*
 * Letters to insert, delete, replace, or swap with their neighbour, to make `b` of `a`.
 * Names beyond 63 letters are far from everything.
 */
unsigned suggest_distance(const char *a, const char *b);

/* The distance up to which a name is worth suggesting for one like `a`. */
unsigned suggest_limit(const char *a);

#endif
