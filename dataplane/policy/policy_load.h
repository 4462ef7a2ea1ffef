/* SPDX-License-Identifier: BSD-3-Clause */
/* An image of bpf/policy_image.h becomes a snapshot that workers read. Control thread. */
#ifndef POSTERN_POLICY_LOAD_H
#define POSTERN_POLICY_LOAD_H

#include <stddef.h>

#include "bpf/policy_image.h"

/*
 * Checks everything in the image, so that workers need not check anything of it, and makes a
 * snapshot that points into it and at `slots`: an array of at least as many as the image has (slot
 * 0 included), which the snapshot then has, too. The image, aligned to 64, must stay as it is
 * and outlive the snapshot. 0, or -errno with words in `error`: -EINVAL: no image, of another
 * version, damaged; -E2BIG: it has more tenants than `slots`; -ENOMEM.
 */
int policy_load(const void *image, size_t size, struct tenant_slot *slots, uint32_t slot_count,
		struct policy **policyp, char *error, size_t error_size);
void policy_unload(struct policy *policy); /* NULL is fine */

/* The same snapshot over another array, at least as large. NULL: no memory. */
struct policy *policy_over(const struct policy *policy, struct tenant_slot *slots);

/* The slots as the configuration would have them: policy->slot_count of a checked image. */
const struct tenant_slot *policy_image_slots(const void *image);

#endif
