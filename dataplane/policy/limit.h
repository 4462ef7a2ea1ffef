/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A tenant's rate limits: taking events out of its token buckets. Any number
 * of threads, no lock, no system call; the buckets are shared with the kernel.
 */
#ifndef POSTERN_LIMIT_H
#define POSTERN_LIMIT_H

#include "bpf/limit.h"
#include "bpf/policy.h"

/* limit_spend() on the slot of a policy. */
enum limit_result limit_take(const struct policy *policy, uint32_t slot, enum tenant_limit limit,
			     uint64_t now, uint64_t cost);

/* The reason to give for it. */
enum reason limit_reason(enum tenant_limit limit);

#endif
