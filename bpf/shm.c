/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
#include "bpf/shm.h"

#include <stdio.h>
#include <string.h>

/* Hands out offsets. */
struct cursor {
	uint64_t at;
};

static uint64_t take(struct cursor *c, uint64_t size)
{
	uint64_t at = c->at;

	c->at += (size + SHM_ALIGN - 1) / SHM_ALIGN * SHM_ALIGN;
	return at;
}

/* The offsets of one worker's parts, in the order of the header's picture. */
static void place_worker(struct cursor *c, const struct shm_layout *l, struct shm_worker *w)
{
	w->counters = take(c, sizeof(struct counters));
	w->tenants = take(c, l->slots * sizeof(struct tenant_counters));
	w->peaks = take(c, l->slots * sizeof(struct limit_peak));
	w->hits = take(c, l->rules * sizeof(uint64_t));
	w->ring = take(c, sizeof(struct event_ring_state));
	w->events = take(c, l->ring_size);
}

static uint64_t place(const struct shm_layout *l, struct shm_head *head)
{
	struct cursor c = {0};
	struct shm_worker unused = {0};
	uint64_t workers, rules;

	take(&c, sizeof(struct shm_head));
	workers = take(&c, l->workers * sizeof(struct shm_worker));
	rules = take(&c, l->rules * sizeof(struct shm_rule));
	if (head) {
		head->worker_table = workers;
		head->rule_table = rules;
	}
	for (unsigned i = 0; i < l->workers; i++)
		place_worker(&c, l, head ? shm_worker(head, i) : &unused);
	return c.at;
}

size_t shm_size(const struct shm_layout *layout)
{
	return place(layout, NULL);
}

void shm_format(void *memory, const struct shm_layout *layout)
{
	struct shm_head *head = memory;

	head->magic = SHM_MAGIC;
	head->abi = SHM_ABI;
	head->sizes = SHM_SIZES;
	head->workers = layout->workers;
	head->slots = layout->slots;
	head->rules = layout->rules;
	head->ring_size = layout->ring_size;
	head->size = place(layout, head);
}

static bool inside(const struct shm_head *head, uint64_t offset, uint64_t count, uint64_t size)
{
	return offset % SHM_ALIGN == 0 && offset >= sizeof(*head) && offset <= head->size &&
	       count <= (head->size - offset) / size;
}

static bool worker_ok(const struct shm_head *head, const struct shm_worker *w)
{
	return inside(head, w->counters, 1, sizeof(struct counters)) &&
	       inside(head, w->tenants, head->slots, sizeof(struct tenant_counters)) &&
	       inside(head, w->peaks, head->slots, sizeof(struct limit_peak)) &&
	       inside(head, w->hits, head->rules, sizeof(uint64_t)) &&
	       inside(head, w->ring, 1, sizeof(struct event_ring_state)) &&
	       inside(head, w->events, head->ring_size, 1);
}

static bool layout_ok(const struct shm_head *head)
{
	if (!head->workers || head->workers > SHM_WORKERS_MAX || !head->slots || !head->rules ||
	    !event_ring_size_ok(head->ring_size) ||
	    !inside(head, head->worker_table, head->workers, sizeof(struct shm_worker)) ||
	    !inside(head, head->rule_table, head->rules, sizeof(struct shm_rule)))
		return false;
	for (unsigned i = 0; i < head->workers; i++)
		if (!worker_ok(head, shm_worker(head, i)))
			return false;
	return true;
}

const char *shm_check(const void *memory, size_t size, char error[SHM_ERROR])
{
	const struct shm_sizes expected = SHM_SIZES;
	const struct shm_head *head = memory;

	error[0] = '\0';
	if (size < sizeof(*head) || head->magic != SHM_MAGIC)
		snprintf(error, SHM_ERROR, "not a dataplane's memory");
	else if (head->abi != SHM_ABI)
		snprintf(error, SHM_ERROR, "the dataplane's memory is of ABI %u, this is %u",
			 head->abi, SHM_ABI);
	else if (memcmp(&head->sizes, &expected, sizeof(expected)) != 0)
		snprintf(error, SHM_ERROR,
			 "the dataplane (%.31s) was built from other sources: its structs have "
			 "other sizes",
			 head->version);
	else if (head->size != size || !layout_ok(head))
		snprintf(error, SHM_ERROR, "the dataplane's memory contradicts itself");
	return error[0] ? error : NULL;
}
