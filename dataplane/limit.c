/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/limit.h"

#include <assert.h>

/* No bucket owes more than this, whatever an event costs: 2^61 ns is 73 years. */
#define DEBT_MAX (UINT64_C(1) << 61)

/* What `cost` events put on the bucket's clock, ns. */
static uint64_t advance_of(const struct gcra *gcra, enum tenant_limit limit, uint64_t cost)
{
	uint64_t ns;

	if (__builtin_mul_overflow(cost, gcra->interval, &ns))
		return DEBT_MAX;
	if (limit == LIMIT_BYTES)
		ns /= GCRA_BYTES_UNIT;
	return ns < DEBT_MAX ? ns : DEBT_MAX;
}

enum limit_result limit_take(const struct policy *policy, uint32_t slot, enum tenant_limit limit,
			     uint64_t now, uint64_t cost)
{
	struct tenant_slot *tenant = &policy->slots[slot];
	const struct gcra *gcra = &tenant->limit[limit];
	struct gcra once;

	assert(slot < policy->slot_count);
	if (!gcra->interval)
		return LIMIT_WITHIN;
	once = (struct gcra){advance_of(gcra, limit, cost), gcra->tolerance};
	if (!once.interval || gcra_take(&tenant->bucket[limit], &once, now, 1))
		return LIMIT_WITHIN;
	if (policy->shadow || tenant->shadow >> limit & 1)
		return LIMIT_SHADOW_OVER;
	return LIMIT_OVER;
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
