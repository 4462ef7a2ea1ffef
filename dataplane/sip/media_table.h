/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of emergency calls' media (bpf/media.h) from the workers' side: in memory of their own,
 * or the kernel's, where XDP looks, too.
 *
 * One thread at a time puts in, takes out and sweeps (the calls' lock); any may ask meanwhile.
 * Times are ns, of the clock that packets are judged by: CLOCK_MONOTONIC where XDP is.
 */
#ifndef POSTERN_MEDIA_TABLE_H
#define POSTERN_MEDIA_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/media.h"

struct gate_view;
struct stage_packet;

struct media_table {
	struct media *places;
	uint64_t *first; /* by tenant: its first place, from 1; as wide as the kernel's elements */
	uint32_t *taken; /* places that are; who asks reads it first */
	uint32_t room;
	uint32_t tenants;    /* slots */
	uint32_t tenant_max; /* places of one tenant, MEDIA_TENANT_MAX at most */
	uint32_t cursor;     /* where a free place is looked for, and of media_table_sweep() */
	uint32_t serial;
	uint32_t own_taken;
	void *own; /* NULL: the memory is the kernel's */
	size_t own_size;
};

/* A medium that was put in: of another one in the same place, `serial` differs. Zero: none. */
struct media_ref {
	uint32_t place, serial;
};

/* 0 or -ENOMEM. */
int media_table_open(struct media_table *t, uint32_t room, uint32_t tenants, uint32_t tenant_max);
void media_table_close(struct media_table *t);

/*
 * In the kernel's memory from now on, as far as that goes: before anybody uses it. What an earlier
 * dataplane put in goes on until nothing comes by it any more: its call does.
 */
void media_table_borrow(struct media_table *t, const struct gate_view *view, uint64_t now);

/* Whether it has any. */
static inline bool media_table_any(const struct media_table *t, uint32_t tenant)
{
	return __atomic_load_n(t->taken, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&t->first[tenant], __ATOMIC_RELAXED);
}

/* `wanted`: addresses, ports, family, tenant, idle and until. False: the tenant has its share, or
 * all is full. */
bool media_table_add(struct media_table *t, const struct media *wanted, uint64_t now,
		     struct media_ref *ref);
/* NULL: it is gone. */
struct media *media_table_get(struct media_table *t, const struct media_ref *ref);
/* Fine if it is gone. */
void media_table_remove(struct media_table *t, const struct media_ref *ref);

/* Its call was heard of: it lasts as if a packet had come. */
void media_table_hear(struct media *m, uint64_t now);

/* A packet of the tenant's comes: whether it passes by the table. */
bool media_table_pass(struct media_table *t, const struct stage_packet *p, uint32_t tenant,
		      bool outbound, uint64_t now);

/* Gives back places that nothing came by any more: looks at so many. */
void media_table_sweep(struct media_table *t, uint64_t now, uint32_t budget);

#endif
