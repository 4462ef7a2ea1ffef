/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory that is given back all at once, for what lives as long as one compile.
 *
 * arena_alloc() never fails: where memory has run out the process ends with a
 * message, as a compiler does. One thread.
 */
#ifndef POSTERN_CONTROL_ARENA_H
#define POSTERN_CONTROL_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks;
	size_t used, size; /* of the newest chunk, bytes */
};

/* A zeroed struct arena is an empty one. */
void arena_fini(struct arena *arena);

/* Zeroed, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size);
/* A copy with a NUL after it. */
char *arena_copy(struct arena *arena, const void *data, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Array `items` of `*capacity` elements with room for one more than `count`. */
void *arena_grow(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size);

#endif
