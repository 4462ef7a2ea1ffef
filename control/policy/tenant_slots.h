/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which tenant has which slot: flows, counters, buckets and the kernel's maps
 * refer to tenants by slot, so a tenant keeps its own over reloads and restarts.
 * Control's thread; allocates.
 */
#ifndef POSTERN_TENANT_SLOTS_H
#define POSTERN_TENANT_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/tenant.h"

/* ns: what refers to a slot that was freed (idle flows, calls) is gone by then. */
#define TENANT_SLOTS_GRACE (UINT64_C(3600) * 1000000000)

struct tenant_slots {
	uint32_t count; /* slot 0, nobody's, included */
	uint64_t grace; /* ns */
	uint32_t *ids;  /* by slot; 0: never used, or free again */
	uint64_t *left; /* by slot: when its tenant was removed, ns; 0: it has one */
};

/* 0 or -ENOMEM. All slots but slot 0 are free. */
int tenant_slots_init(struct tenant_slots *s, uint32_t count, uint64_t grace);
void tenant_slots_fini(struct tenant_slots *s);

/*
 * Takes over an array that another control process left: whoever has a slot there keeps it. Ids
 * that the next assignment doesn't name are removed then. An id that is there twice keeps the
 * first.
 */
void tenant_slots_adopt(struct tenant_slots *s, const struct tenant_slot *array, uint32_t count);

/*
 * The slots of the tenants with these ids (distinct, not 0), into slot_of[]: known ids
 * keep theirs, new ones take the lowest free one; ids that are not named give theirs back, free
 * once the grace has passed; until then its tenant may come back to it. `now`: ns, any clock that
 * goes on. 0, or -ENOSPC: they don't fit; nothing has changed then.
 */
int tenant_slots_assign(struct tenant_slots *s, const uint32_t *ids, size_t n, uint64_t now,
			uint32_t *slot_of);

/* The slots below it are all that are, or were, in use. */
uint32_t tenant_slots_end(const struct tenant_slots *s);

#endif
