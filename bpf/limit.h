/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * Taking events out of a tenant's buckets: the same for the kernel, which spends packets,
 * bytes and SYNs, and for workers, which spend the rest. No lock, no system call.
 */
#ifndef POSTERN_SHARED_LIMIT_H
#define POSTERN_SHARED_LIMIT_H

#include "bpf/tenant.h"

/*
 * No bucket owes more than this, whatever an event costs: 2^59 ns is 18 years. It also tells
 * clocks apart: time since 1970, which workers spend by, is ahead of the machine's own, which the
 * kernel spends by, by 50 years and more.
 */
#define LIMIT_DEBT_MAX (UINT64_C(1) << 59)

enum limit_result {
	LIMIT_WITHIN,
	LIMIT_OVER,
	LIMIT_SHADOW_OVER, /* would have been over; count it and go on */
};

/* What `cost` events put on the bucket's clock, ns. In halves: the kernel has no 128 bits. */
static inline uint64_t limit_advance(const struct gcra *gcra, enum tenant_limit limit,
				     uint64_t cost)
{
	uint64_t high, low, ns;

	if (cost > UINT32_MAX)
		return LIMIT_DEBT_MAX;
	high = (gcra->interval >> 32) * cost;
	low = (gcra->interval & UINT32_MAX) * cost;
	ns = (high << 32) + low;
	if (high > UINT32_MAX || ns < low)
		return LIMIT_DEBT_MAX;
	if (limit == LIMIT_BYTES)
		ns /= GCRA_BYTES_UNIT;
	return ns < LIMIT_DEBT_MAX ? ns : LIMIT_DEBT_MAX;
}

/*
 * A bucket that others spent of by another clock, as when a gate changes its mode: full again. What
 * the kernel's clock left behind looks long ago to workers, and so full by itself.
 */
static inline void limit_forget_alien(gcra_word *bucket, const struct gcra *gcra, uint64_t now)
{
	gcra_word old = *(volatile gcra_word *)bucket;

	if (old > now && old - now > LIMIT_DEBT_MAX + gcra->tolerance)
		__sync_val_compare_and_swap(bucket, old, 0);
}

/*
 * One SYN to a peer that answered before, out of the bucket for these: the limit's is another one.
 * False: it has none left.
 */
static inline bool limit_spend_known(struct tenant_slot *tenant, uint64_t now)
{
	gcra_word *bucket = &tenant->bucket[BUCKET_SYNS_KNOWN];
	const struct gcra gcra = gcra_read(&tenant->limit[LIMIT_SYNS]);

	limit_forget_alien(bucket, &gcra, now);
	return gcra_take(bucket, &gcra, now, 1);
}

/*
 * One packet of SIP's beyond the limits of packets and bytes: so many a second are read whatever
 * else the tenant sent, because a call for help may be in them. An address that floods takes them
 * from those alone whose hash, `sender`, leads to the same bucket. False: none is left.
 */
#define LIMIT_CALLS_READ 5
#define LIMIT_CALLS_WAYS (BUCKET_COUNT - BUCKET_CALLS_READ)
static inline bool limit_spend_read(struct tenant_slot *tenant, uint64_t sender, uint64_t now)
{
	const uint64_t interval = UINT64_C(1000000000) / LIMIT_CALLS_READ;
	const struct gcra gcra = {interval, (LIMIT_CALLS_READ - 1) * interval};
	gcra_word *bucket = &tenant->bucket[BUCKET_CALLS_READ + sender % LIMIT_CALLS_WAYS];

	limit_forget_alien(bucket, &gcra, now);
	return gcra_take(bucket, &gcra, now, 1);
}

/*
 * Takes `cost` events (bytes for LIMIT_BYTES) at `now` (ns, any epoch) out of
 * the tenant's bucket. Over takes nothing. An event that finds a token left may cost
 * more than is left: the bucket owes it, and events are over until it is paid back. A clock that
 * goes back gains nothing: it waits out the difference.
 */
static inline enum limit_result limit_spend(struct tenant_slot *tenant, enum tenant_limit limit,
					    uint64_t now, uint64_t cost, bool shadow)
{
	const struct gcra gcra = gcra_read(&tenant->limit[limit]);
	struct gcra once;

	if (!gcra.interval)
		return LIMIT_WITHIN;
	limit_forget_alien(&tenant->bucket[limit], &gcra, now);
	once = (struct gcra){limit_advance(&gcra, limit, cost), gcra.tolerance};
	if (!once.interval || gcra_take(&tenant->bucket[limit], &once, now, 1))
		return LIMIT_WITHIN;
	return shadow || tenant->shadow >> limit & 1 ? LIMIT_SHADOW_OVER : LIMIT_OVER;
}

#endif
