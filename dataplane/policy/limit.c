/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/policy/limit.h"

#include <assert.h>

enum limit_result limit_take(const struct policy *policy, uint32_t slot, enum tenant_limit limit,
			     uint64_t now, uint64_t cost)
{
	assert(slot < policy->slot_count);
	return limit_spend(&policy->slots[slot], limit, now, cost, policy->shadow);
}

enum reason limit_reason(enum tenant_limit limit)
{
	static const enum reason reasons[LIMIT_COUNT] = {
#define X(id, name) [LIMIT_##id] = REASON_LIMIT_##id,
		TENANT_LIMITS(X)
#undef X
	};

	return reasons[limit];
}
