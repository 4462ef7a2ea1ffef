/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The array of tenants' slots that posternd and the dataplane share: a file in the runtime
 * directory, so that states and buckets outlive both of them until the machine's end. (With
 * XDP it is a map of the kernel's instead.) One thread makes it; anybody writes in place.
 */
#ifndef POSTERN_CONTROL_SLOTS_H
#define POSTERN_CONTROL_SLOTS_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/tenant.h"

struct slots {
	int fd;
	struct tenant_slot *slot;
	uint32_t count; /* slot 0 included */
	size_t size;    /* bytes, mapped */
	bool kernels;   /* a map of the kernel's: whoever opened it unmaps it */
	bool adopted;   /* another posternd had made it */
};

/*
 * `left` is one that a running dataplane has, which stays the caller's; -1: there is none, and
 * what was left at `path` is taken (NULL: the array is in memory alone). One of another size, or
 * that isn't at `path`, gives its slots to a new one there. 0 or -errno.
 */
int slots_open(int left, const char *path, uint32_t count, struct slots *slots);
void slots_close(struct slots *slots);

/*
 * Makes a tenant's slot what it should be, member by member, while workers read it: everything
 * but the buckets, and those whose limit lets more through than it did are full again. A slot that
 * becomes another tenant's begins with full buckets.
 */
void slot_apply(struct tenant_slot *live, const struct tenant_slot *wanted);

#endif
