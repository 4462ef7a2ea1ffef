/* SPDX-License-Identifier: BSD-3-Clause */
/* Headers of every packet; all memory that the next stages need is on its way afterwards. */
#include <rte_prefetch.h>

#include "dataplane/reassembly.h"
#include "dataplane/worker.h"

#define AHEAD 4

static void prefetch_packet(struct rte_mbuf *m)
{
	rte_prefetch0(packet_meta(m));
	rte_prefetch0(rte_pktmbuf_mtod(m, void *));
	rte_prefetch0(rte_pktmbuf_mtod_offset(m, void *, 64));
}

static void count_class(struct worker *w, const struct headers *h)
{
	struct counters *c = w->counters;

	switch ((enum packet_class)h->class) {
	case CLASS_NOT_IP:
		c->link.not_ip++;
		if (h->reason)
			worker_note(w, 0, h->reason);
		break;
	case CLASS_MALFORMED:
		c->link.decoded += h->reason == REASON_TRUNCATED;
		c->link.malformed += h->reason != REASON_TRUNCATED;
		worker_note(w, 0, h->reason);
		break;
	case CLASS_TUNNEL:
		c->link.tunnels++;
		worker_note(w, 0, REASON_TUNNEL);
		c->link.decoded++;
		break;
	case CLASS_FRAGMENT:
	case CLASS_OTHER:
	case CLASS_L4:
	case CLASS_DEEP:
	case CLASS_COUNT:
		c->link.decoded++;
		break;
	}
}

/* What the feeder or XDP counted already is not counted twice. */
static void count_link(struct worker *w, const struct rte_mbuf *m, const struct headers *h)
{
	const struct packet_meta *meta = packet_meta((struct rte_mbuf *)(uintptr_t)m);
	struct counters *c = w->counters;

	c->link.packets++;
	c->link.bytes += meta->wirelen;
	c->link.truncated += meta->wirelen > m->data_len;
	c->link.fragments += h->class == CLASS_FRAGMENT;
	count_class(w, h);
}

void stage_decode(struct worker *w, struct burst *b)
{
	for (unsigned i = 0; i < b->n && i < AHEAD; i++)
		prefetch_packet(b->pkt[i]);
	for (unsigned i = 0; i < b->n; i++) {
		if (i + AHEAD < b->n)
			prefetch_packet(b->pkt[i + AHEAD]);
		packet_decode(b->pkt[i], &b->hdr[i]);
		if (!w->options.stage_one_done)
			count_link(w, b->pkt[i], &b->hdr[i]);
		if (b->hdr[i].class == CLASS_FRAGMENT)
			b->work[i] = reassembly_take(w, b, i);
		else
			b->work[i] = SLOT_FORWARD;
		b->verdict[i] = VERDICT_PASS;
		b->reason[i] = REASON_NONE;
		b->flow[i] = NULL;
		if (w->flows && b->hdr[i].class == CLASS_L4)
			flow_table_prefetch(w->flows, b->hdr[i].hash);
	}
}
