/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where calls are kept: entries, hash index, a list a tenant. Internal to call.c
 * and call_table.c; call.h is the interface.
 */
#ifndef POSTERN_PROTO_CALL_TABLE_H
#define POSTERN_PROTO_CALL_TABLE_H

#include "dataplane/proto/call.h"

#define CALL_NONE UINT32_MAX

struct call_tenant {
	uint32_t oldest, newest; /* by `touched` */
	uint32_t count;
	uint32_t open; /* of them, those that ring or are talked on */
};

struct call_table {
	struct call_config config;
	struct call *calls;
	struct call_tenant *tenants;
	uint32_t *buckets;
	uint32_t mask;  /* buckets - 1 */
	uint32_t free;  /* list, by call.next */
	uint32_t fresh; /* entries from here on were never used: not even their memory */
	uint32_t used;
	uint32_t cursor; /* of call_expire() */
};

struct call *call_find(const struct call_table *t, uint64_t hash, uint32_t tenant,
		       struct bytes call_id);

/*
 * An entry, linked in and zero but for hash, tenant and call_id. NULL when the
 * tenant has its share or the table is full: call_victim() says which of the
 * tenant's own could go.
 */
struct call *call_insert(struct call_table *t, uint64_t hash, uint32_t tenant,
			 struct bytes call_id);

/* The tenant's entry that is missed least: one that is over, or the oldest; NULL: it has none. */
struct call *call_victim(const struct call_table *t, uint32_t tenant);

void call_remove(struct call_table *t, struct call *call);

/* It is alive: the youngest of its tenant's now. */
void call_touch(struct call_table *t, struct call *call, uint64_t now);

/* The one place that changes a linked entry's state: its tenant's open calls are counted. */
void call_become(struct call_table *t, struct call *call, enum call_state state);

/* Answered or not, nothing more is expected of it but retransmissions. */
bool call_is_over(const struct call *call);

#endif
