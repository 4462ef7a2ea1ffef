/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory for tables as large as their budgets, of which traffic uses what it
 * needs. A page costs nothing until it is touched; the kernel makes them huge where
 * it may, because a gate looks up flows all over its table and small pages would
 * cost a walk each. Reserve and release: before and after the workers run.
 */
#ifndef POSTERN_MEMORY_H
#define POSTERN_MEMORY_H

#include <stddef.h>

enum memory_use {
	MEMORY_DENSE,  /* filled from its beginning, or all over */
	MEMORY_SPARSE, /* a little here and there: never huge pages */
};

/*
 * From now on all that is reserved, but for what is sparse, is touched at once: a packet that is
 * the first to need a page waits while it is found and cleared. Once, before anything is reserved;
 * takes memory for whole budgets, and the time to clear it.
 */
void memory_touch(void);

/* Zeroed, aligned to a page. NULL and errno when there is no address space. */
void *memory_reserve(size_t size, enum memory_use use);

/*
 * Of memory that somebody else has and that is in use already: huge pages, where the kernel can
 * make them at once. A wish. Before the workers run: who looks at a page meanwhile waits.
 */
void memory_collapse(const void *memory, size_t size);

/* The same size again. NULL is fine. */
void memory_release(void *memory, size_t size);

#endif
