/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage one: whose packet is it, which way does it go, and may the tenant send
 * at all at this rate. XDP does the same before a live dataplane sees anything.
 */
#include "dataplane/inspect.h"
#include "dataplane/limit.h"
#include "dataplane/prefix.h"
#include "dataplane/worker.h"

static bool has_addresses(const struct headers *h)
{
	return h->family != 0;
}

/* The sender's slot if it is a tenant, else the receiver's. */
static void find_tenants(const struct worker *w, struct burst *b)
{
	struct prefix_key keys[PREFIX_BULK];
	uint32_t slots[PREFIX_BULK];

	for (unsigned from = 0; from < b->n; from += PREFIX_BULK / 2) {
		unsigned n = RTE_MIN(b->n - from, PREFIX_BULK / 2u);

		for (unsigned i = 0; i < n; i++) {
			const struct headers *h = &b->hdr[from + i];
			uint8_t family = has_addresses(h) ? h->family : 0;

			keys[2 * i] = (struct prefix_key){headers_src(h), h->key.vlan[0], family};
			keys[2 * i + 1] =
				(struct prefix_key){headers_dst(h), h->key.vlan[0], family};
		}
		prefix_lookup_bulk(&w->policy->prefixes, keys, slots, 2 * n);
		for (unsigned i = 0; i < n; i++) {
			b->outbound[from + i] = slots[2 * i] != 0;
			b->tenant[from + i] = slots[2 * i] ? slots[2 * i] : slots[2 * i + 1];
		}
	}
}

static void limit_bytes(struct worker *w, struct burst *b, unsigned i)
{
	uint32_t tenant = b->tenant[i];
	enum limit_result result = limit_take(w->policy, tenant, LIMIT_BYTES, w->arrived,
					      packet_meta(b->pkt[i])->wirelen);

	limit_note(w, tenant, LIMIT_BYTES, w->arrived);
	switch (result) {
	case LIMIT_WITHIN:
		break;
	case LIMIT_OVER:
		slot_decide(w, i, VERDICT_DROP, REASON_LIMIT_BYTES);
		break;
	case LIMIT_SHADOW_OVER:
		worker_note(w, tenant, REASON_LIMIT_BYTES);
		break;
	}
}

void stage_one(struct worker *w, struct burst *b)
{
	bool decided = w->options.stage_one_done;

	find_tenants(w, b);
	for (unsigned i = 0; i < b->n; i++) {
		struct tenant_counters *t = &w->tenants[b->tenant[i]];

		if (b->work[i] == SLOT_HELD || decided)
			continue;
		t->packets++;
		t->bytes += packet_meta(b->pkt[i])->wirelen;
		if (!b->outbound[i])
			continue;
		w->arrived = RTE_MAX(w->arrived, packet_meta(b->pkt[i])->time);
		if (w->policy->slots[b->tenant[i]].limit[LIMIT_BYTES].interval)
			limit_bytes(w, b, i);
	}
}
