/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a round of evaluation costs, as the median of rounds, for 1,000 to 100,000 tenants: all of
 * them idle; all of them with news of calls and mails; all of them with terms of every kind. Two
 * workers' counters, in a memory as the dataplane's. And what a tenant takes of posternd's memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/risk/risk_board.h"

#define WORKERS 2
#define ROUNDS  11
#define SECOND  UINT64_C(1000000000)
#define START   (UINT64_C(1800000000) * SECOND)

static uint64_t clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static struct shm_head *memory_new(uint32_t slots)
{
	const struct shm_layout layout = {WORKERS, slots, 0, EVENT_RING_MINIMUM};
	struct shm_head *head = aligned_alloc(SHM_ALIGN, shm_size(&layout));

	if (!head)
		abort();
	memset(head, 0, shm_size(&layout));
	shm_format(head, &layout);
	head->started = 1;
	return head;
}

static void traffic(struct shm_head *memory, uint64_t now)
{
	for (unsigned worker = 0; worker < WORKERS; worker++) {
		for (uint32_t slot = 1; slot < memory->slots; slot++) {
			struct tenant_counters *c = &shm_tenants(memory, worker)[slot];

			c->calls_seized += 3;
			c->calls_answered += slot % 3;
			c->recipients_answered += 5;
			c->recipients_bounced += slot % 2;
			c->messages_accepted += 5;
			sketch_add(&c->callees, now, now * slot);
			sketch_add(&c->domains, now, now + slot);
		}
	}
}

static void give_events(struct risk_board *b)
{
	for (uint32_t slot = 1; slot < b->count; slot++)
		for (int i = 0; i < RISK_EVENT_COUNT; i++)
			risk_add(&b->tenant[slot], &b->config, START, (enum risk_event)i, 0.1);
}

static double round_ns(struct risk_board *b, struct shm_head *memory, bool busy)
{
	const struct risk_counters counters = risk_counters_of(memory);
	static uint64_t now = START;
	uint64_t took[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t began;

		now += SECOND;
		if (busy)
			traffic(memory, now);
		began = clock_now();
		for (uint32_t slot = 1; slot < b->count; slot++)
			risk_board_step(b, &counters, slot, 0, now);
		took[i] = clock_now() - began;
	}
	qsort(took, ROUNDS, sizeof(took[0]), by_size);
	return (double)took[ROUNDS / 2];
}

static void measure(uint32_t tenants)
{
	struct shm_head *memory = memory_new(tenants + 1);
	const struct risk_counters counters = risk_counters_of(memory);
	struct risk_board b;
	double ns[3];

	if (risk_board_init(&b, tenants + 1) != 0)
		abort();
	for (uint32_t slot = 1; slot <= tenants; slot++)
		risk_board_take(&b, slot, slot, NULL);
	risk_board_memory(&b, &counters, false);
	ns[0] = round_ns(&b, memory, false);
	ns[1] = round_ns(&b, memory, true);
	give_events(&b);
	ns[2] = round_ns(&b, memory, true);
	printf("%9u %10.2f %8.0f %10.2f %8.0f %10.2f %8.0f\n", tenants, ns[0] / 1e6,
	       ns[0] / tenants, ns[1] / 1e6, ns[1] / tenants, ns[2] / 1e6, ns[2] / tenants);
	risk_board_fini(&b);
	free(memory);
}

int main(void)
{
	printf("  tenants         idle               news          news, all terms\n"
	       "            ms/round  ns each   ms/round  ns each   ms/round  ns each\n");
	measure(1000);
	measure(10000);
	measure(100000);
	printf("%zu bytes a tenant in posternd, and %zu more when it has a trace; %zu for each "
	       "worker "
	       "of the dataplane\n",
	       risk_board_bytes(), sizeof(struct risk_trace), sizeof(struct tenant_counters));
	return 0;
}
