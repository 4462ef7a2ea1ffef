/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A tenant's rate limits: taking events out of its token buckets. Any number
 * of threads, no lock, no system call; the buckets are shared with the kernel.
 */
#ifndef POSTERN_LIMIT_H
#define POSTERN_LIMIT_H

#include "bpf/policy.h"

enum limit_result {
	LIMIT_WITHIN,
	LIMIT_OVER,
	LIMIT_SHADOW_OVER, /* would have been over; count it and go on */
};

/*
 * Takes `cost` events (bytes for LIMIT_BYTES) at `now` (ns, any epoch) out of
 * the tenant's bucket. Over takes nothing. An event that finds a token left may cost
 * more than is left: the bucket owes it, and events are over until it is paid back. A clock that
 * goes back gains nothing: it waits out the difference.
 */
enum limit_result limit_take(const struct policy *policy, uint32_t slot, enum tenant_limit limit,
			     uint64_t now, uint64_t cost);

/* The reason to give for it. */
enum reason limit_reason(enum tenant_limit limit);

#endif
