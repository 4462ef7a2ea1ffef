/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/policy/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define PAGE      ((size_t)4096)

static bool touch;

void memory_touch(void)
{
	touch = true;
}

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

/* What is worth a huge page begins and ends with one. */
static size_t mapped_size(size_t size)
{
	return round_up(size ? size : 1, size >= HUGE_PAGE / 2 ? HUGE_PAGE : PAGE);
}

/* Wishes: without them it works as well, later. */
static void *make_ready(void *memory, size_t size, enum memory_use use)
{
	if (use == MEMORY_SPARSE)
		return memory;
	if (size >= HUGE_PAGE)
		madvise(memory, size, MADV_HUGEPAGE);
	if (touch)
		madvise(memory, size, MADV_POPULATE_WRITE);
	return memory;
}

void *memory_reserve(size_t size, enum memory_use use)
{
	size_t mapped = mapped_size(size), spare = mapped >= HUGE_PAGE ? HUGE_PAGE : 0;
	uint8_t *raw = mmap(NULL, mapped + spare, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *memory = raw;

	if (raw == MAP_FAILED)
		return NULL;
	if (!spare)
		return make_ready(raw, mapped, use);
	memory = (uint8_t *)round_up((uintptr_t)raw, HUGE_PAGE);
	if (memory > raw)
		munmap(raw, (size_t)(memory - raw));
	if (memory < raw + spare)
		munmap(memory + mapped, (size_t)(raw + spare - memory));
	return make_ready(memory, mapped, use);
}

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1; glibc names it since 2.37 */
#endif

void memory_collapse(const void *memory, size_t size)
{
	const uintptr_t begin = round_up((uintptr_t)memory, HUGE_PAGE);
	const uintptr_t end = ((uintptr_t)memory + size) / HUGE_PAGE * HUGE_PAGE;

	if (begin < end)
		madvise((void *)begin, end - begin, MADV_COLLAPSE);
}

void memory_release(void *memory, size_t size)
{
	if (memory)
		munmap(memory, mapped_size(size));
}
