/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/policy/distinct.h"

#include "bpf/siphash.h"
#include "dataplane/sip/calls.h"

uint64_t distinct_hash(const struct worker *w, struct bytes thing)
{
	struct siphash h;

	siphash_init(&h, w->calls->key);
	siphash_add(&h, thing.p, thing.len);
	return siphash_end(&h);
}

void distinct_callee(struct worker *w, uint32_t tenant, struct bytes callee)
{
	sketch_add(&w->tenants[tenant].callees, w->now, distinct_hash(w, callee));
}
