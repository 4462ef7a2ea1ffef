/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rules/arena.h"

#include <err.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE 65536

struct arena_chunk {
	struct arena_chunk *next;
	max_align_t data[];
};

void arena_fini(struct arena *arena)
{
	while (arena->chunks) {
		struct arena_chunk *next = arena->chunks->next;

		free(arena->chunks);
		arena->chunks = next;
	}
	arena->used = arena->size = 0;
}

static void arena_add_chunk(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = calloc(1, sizeof(*chunk) + size);

	if (!chunk)
		err(1, "rules: %zu bytes", size);
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	arena->used = 0;
	arena->size = size;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	void *p;

	size = (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (!arena->chunks || arena->size - arena->used < size)
		arena_add_chunk(arena, size > CHUNK_SIZE ? size : CHUNK_SIZE);
	p = (char *)arena->chunks->data + arena->used;
	arena->used += size;
	return p;
}

char *arena_copy(struct arena *arena, const void *data, size_t len)
{
	char *p = arena_alloc(arena, len + 1);

	if (len)
		memcpy(p, data, len);
	return p;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args, again;
	char *text;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = arena_alloc(arena, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	return text;
}

void *arena_grow(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size)
{
	void *grown;

	if (count < *capacity)
		return items;
	*capacity = *capacity ? *capacity * 2 : 4;
	grown = arena_alloc(arena, *capacity * size);
	if (count)
		memcpy(grown, items, count * size);
	return grown;
}
