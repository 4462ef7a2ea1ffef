/* SPDX-License-Identifier: BSD-3-Clause */
/* From the configuration to the snapshot that workers read. Control's thread. */
#ifndef POSTERN_POLICY_BUILD_H
#define POSTERN_POLICY_BUILD_H

#include "bpf/policy.h"
#include "control/config/config.h"
#include "control/daemon/tenant_name.h"

/*
 * Reads the lists that `config` names and builds the snapshot; it keeps nothing of
 * `config`. NULL with errno: errors in `diag` (EINVAL; bad list lines count), or no memory. Blocks
 * on the disk. The caller frees it when no worker reads it any more.
 */
struct policy *policy_build(const struct config *config, struct diag *diag);
/*
 * The same with tenants at places of their own (control/policy/tenant_slots.h): slot_of[] by the
 * tenant's place in the configuration, each above 0, below `slot_count` and distinct. Places in
 * between are nobody's.
 */
struct policy *policy_build_at(const struct config *config, const uint32_t *slot_of,
			       uint32_t slot_count, struct diag *diag);
void policy_free(struct policy *policy);

/*
 * Whether the kernel's maps that gate.tenants chooses have room for the tenants' prefixes, with
 * gate.mode "xdp". 0; -EINVAL, and an error in `diag`.
 */
int policy_check_room(const struct policy *policy, const struct config *config, struct diag *diag);

/*
 * The tenants' names and states for events and summaries, by slot: an array of
 * policy->slot_count that borrows from `policy` and that the caller frees. NULL: no memory.
 */
struct tenant_name *policy_tenant_names(const struct policy *policy);

#endif
