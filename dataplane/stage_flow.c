/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each packet's flow: found, or made. What stage one drops is no flow's, whoever makes its checks:
 * behind XDP and with several workers these packets never come to the flow's worker.
 */
#include <netinet/in.h>

#include "dataplane/sip/heard.h"
#include "dataplane/sniff.h"
#include "dataplane/tcp/tcp.h"
#include "dataplane/worker.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define EDITED_CLOSING UINT64_C(60000000000) /* ns: what Linux takes for TIME-WAIT */

uint64_t flow_deadline(const void *worker, const struct flow *f)
{
	const struct policy_timeouts *t = &((const struct worker *)worker)->policy->timeouts;

	if (f->key.proto == IPPROTO_UDP)
		return f->last_seen + t->udp;
	switch ((enum flow_state)f->state) {
	case FLOW_NEW:
		return f->last_seen + t->tcp_syn;
	case FLOW_ESTABLISHED:
		return f->last_seen + t->tcp_established;
	case FLOW_CLOSED:
		break;
	}
	/* Who sends its FIN again, an end in TIME-WAIT say, has to be understood that long. */
	if (f->editor)
		return f->last_seen + RTE_MAX(t->tcp_closing, EDITED_CLOSING);
	return f->last_seen + t->tcp_closing;
}

/* The same in every run and for any number of workers, and exact in JSON's numbers. */
static uint64_t flow_name(const struct headers *h, uint64_t packet)
{
	return XXH3_64bits_withSeed(&h->key, sizeof(h->key), packet) >> 11;
}

static enum port_app app_of_ports(const struct worker *w, const struct headers *h)
{
	const uint8_t *ports = h->proto == IPPROTO_TCP ? w->policy->ports.tcp
						       : w->policy->ports.udp;
	enum port_app app = ports[h->dport];

	return app != APP_NONE ? app : ports[h->sport];
}

/* Who is the client: who sent the SYN; else who talks to a port that is inspected; else who
 * spoke first. */
static uint8_t client_side(const struct worker *w, const struct headers *h)
{
	const uint8_t *ports = h->proto == IPPROTO_TCP ? w->policy->ports.tcp
						       : w->policy->ports.udp;

	if (h->proto == IPPROTO_TCP && (h->tcp_flags & TCP_SYN))
		return h->tcp_flags & TCP_ACK ? !h->side : h->side;
	if (ports[h->dport] == APP_NONE && ports[h->sport] != APP_NONE)
		return !h->side;
	return h->side;
}

struct flow *flow_make(struct worker *w, struct burst *b, unsigned i)
{
	const struct headers *h = &b->hdr[i];
	const struct packet_meta *meta = packet_meta(b->pkt[i]);
	struct flow *f = flow_table_insert(w->flows, &h->key, h->hash, b->tenant[i]);

	if (!f) {
		if (app_of_ports(w, h) != APP_NONE)
			slot_decide(w, i, w->policy->on_loss[REASON_FLOW_BUDGET],
				    REASON_FLOW_BUDGET);
		return NULL;
	}
	f->id = flow_name(h, meta->number);
	f->first_seen = f->last_seen = meta->time;
	f->client = client_side(w, h);
	f->app = w->options.inspect ? app_of_ports(w, h) : APP_NONE;
	/* Policy binds the tenant where it is the client: what it sends. */
	if (b->tenant[i] && b->outbound[i] == (f->client == h->side))
		f->flags |= FLOW_OUTBOUND;
	if (f->flags & FLOW_OUTBOUND)
		heard_prefetch_peer(w, f);
	w->counters->flows_created++;
	w->counters->flows_now = flow_table_count(w->flows);
	if (w->counters->flows_now > w->counters->flows_peak)
		w->counters->flows_peak = w->counters->flows_now;
	/* Of TCP those that are let in: admit_connection(). */
	if (f->app != APP_NONE && f->flags & FLOW_OUTBOUND && h->proto == IPPROTO_UDP)
		w->tenants[f->tenant].connections++;
	if (h->proto == IPPROTO_TCP)
		tcp_open(w, f, h);
	return f;
}

static struct flow *flow_of(struct worker *w, struct burst *b, unsigned i)
{
	const struct headers *h = &b->hdr[i];
	struct flow *f = b->flow[i]; /* the candidate */

	if (!f || !flow_is(f, &h->key, h->hash))
		f = flow_table_lookup(w->flows, &h->key, h->hash);
	if (f && flow_deadline(w, f) < packet_meta(b->pkt[i])->time && f->round != w->rounds) {
		flow_table_remove(w->flows, f, REASON_NONE);
		f = NULL;
	}
	return f ? f : flow_make(w, b, i);
}

static void flow_touch(struct worker *w, struct burst *b, unsigned i, struct flow *f)
{
	const struct packet_meta *meta = packet_meta(b->pkt[i]);
	uint8_t side = b->hdr[i].side;

	f->round = (uint32_t)w->rounds;
	f->packets[side]++;
	f->bytes[side] += meta->wirelen;
	f->last_seen = RTE_MAX(f->last_seen, meta->time);
	if (f->key.proto == IPPROTO_UDP && f->packets[!side])
		f->state = FLOW_ESTABLISHED;
	b->tenant[i] = f->tenant;
}

/* What only an emergency call may save from being dropped is none's either. */
static bool has_flow(const struct burst *b, unsigned i)
{
	return b->hdr[i].class == CLASS_L4 && b->work[i] != SLOT_HELD &&
	       b->verdict[i] < VERDICT_DROP && !packet_meta(b->pkt[i])->over;
}

void stage_flow(struct worker *w, struct burst *b)
{
	for (unsigned i = 0; i < b->n; i++) {
		if (!has_flow(b, i))
			continue;
		b->flow[i] = flow_table_candidate(w->flows, b->hdr[i].hash);
		if (b->flow[i])
			flow_prefetch(b->flow[i]);
		else
			flow_table_prefetch_tenant(w->flows, b->tenant[i]);
	}
	for (unsigned i = 0; i < b->n; i++) {
		if (!has_flow(b, i))
			continue;
		b->flow[i] = flow_of(w, b, i);
		if (b->flow[i])
			flow_touch(w, b, i, b->flow[i]);
	}
}
