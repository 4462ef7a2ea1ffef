/* SPDX-License-Identifier: BSD-3-Clause */
/* The worker's loop: the packet path on one screen. */
#include "dataplane/worker.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "bpf/shm.h"
#include "dataplane/match/match.h"
#include "dataplane/reassembly.h"
#include "dataplane/sip/calls.h"
#include "dataplane/tcp/editor.h"

#define BURST_SPAN   1000000000 /* ns: no timeout is shorter (control/config/config_policy.c) */
#define SWEEP_ROUNDS 16         /* bursts between two sweeps */
#define SWEEP_FLOWS  64
#define SWEEP_CALLS  16

unsigned worker_send(struct worker *w, enum port_role role, struct rte_mbuf **m, unsigned n)
{
	const struct port_queue *tx = &w->tx[role];
	unsigned sent;

	if (tx->port == PORT_NONE)
		return 0;
	if (tx->lock)
		rte_spinlock_lock(tx->lock);
	sent = rte_eth_tx_burst(tx->port, tx->queue, m, (uint16_t)n);
	if (tx->lock)
		rte_spinlock_unlock(tx->lock);
	return sent;
}

static void stage_tx(struct worker *w, struct burst *b)
{
	for (unsigned role = 0; role < PORT_COUNT; role++) {
		const struct port_queue *tx = &w->tx[role];
		unsigned sent = 0, n = b->tx_count[role];

		b->tx_count[role] = 0;
		if (!n)
			continue;
		sent = worker_send(w, role, b->tx[role], n);
		if (sent < n && w->tx_full && tx->port != PORT_NONE)
			sent += w->tx_full(w, role, b->tx[role] + sent, n - sent);
		if (sent < n && w->options.live)
			w->counters->reasons[REASON_CONGESTION] += n - sent;
		if (sent < n)
			rte_pktmbuf_free_bulk(b->tx[role] + sent, n - sent);
	}
}

void worker_sweep(struct worker *w)
{
	flow_table_sweep(w->flows, w->now, SWEEP_FLOWS, flow_deadline);
	reassembly_sweep(w, false);
	if (w->options.inspect)
		calls_expire(w, SWEEP_CALLS);
	if (!w->editing)
		return;
	editor_sweep(w);
	stage_tx(w, &w->burst);
}

/* Connections that gave way to others in this burst: their last packets are through. */
static void end_replaced(struct worker *w)
{
	for (unsigned i = 0; i < w->ended_count; i++)
		flow_table_remove(w->flows, w->ended[i], REASON_NONE);
	w->ended_count = 0;
}

#define TIMED(stage, call)                                                 \
	do {                                                               \
		uint64_t began = w->options.cycles ? rte_rdtsc() : 0;      \
		call;                                                      \
		if (w->options.cycles)                                     \
			w->counters->cycles[stage] += rte_rdtsc() - began; \
	} while (0)

/*
 * Packets that lie closer together than any timeout: nothing that one of them touched runs out
 * before another, so results do not depend on where captures are cut into bursts.
 */
static unsigned receive(struct worker *w, struct rte_mbuf **pkt)
{
	unsigned n = w->later_count, now = 1;

	if (n)
		memcpy(pkt, w->later, n * sizeof(*pkt));
	else
		n = rte_eth_rx_burst(w->rx.port, w->rx.queue, pkt, BURST_RX);
	if (!n)
		return 0;
	while (now < n && packet_meta(pkt[now])->time < packet_meta(pkt[0])->time + BURST_SPAN)
		now++;
	w->later_count = n - now;
	memcpy(w->later, pkt + now, w->later_count * sizeof(*pkt));
	return now;
}

void worker_take(struct worker *w)
{
	const struct worker_view *view = atomic_load_explicit(&w->offered, memory_order_acquire);

	if (view == w->taken || !view)
		return;
	w->taken = view;
	w->policy = view->policy;
	if (view->matcher != w->newest) {
		w->newest = w->matcher = view->matcher;
		w->view++;
	}
	calls_follow(w);
	if (!w->shm)
		return;
	atomic_store_explicit(&w->shm->policy_generation, view->policy_generation,
			      memory_order_relaxed);
	atomic_store_explicit(&w->shm->ruleset_generation, view->ruleset_generation,
			      memory_order_relaxed);
}

void worker_front(struct worker *w)
{
	struct burst *b = &w->burst;

	b->streamed = b->out = 0;
	w->cut_count = 0;
	flow_table_round(w->flows, (uint32_t)++w->rounds);
	TIMED(STAGE_DECODE, stage_decode(w, b); stage_one(w, b));
}

void worker_back(struct worker *w)
{
	struct burst *b = &w->burst;

	TIMED(STAGE_FLOW, stage_flow(w, b));
	TIMED(STAGE_STREAM, stage_stream(w, b));
	TIMED(STAGE_INSPECT, stage_inspect(w, b));
	TIMED(STAGE_VERDICT, stage_verdict(w, b); end_replaced(w));
	TIMED(STAGE_TX, stage_tx(w, b));
	if (w->rounds % SWEEP_ROUNDS == 0)
		worker_sweep(w);
}

unsigned worker_turn(struct worker *w)
{
	struct burst *b = &w->burst;
	unsigned n;

	TIMED(STAGE_RX, b->n = (uint16_t)receive(w, b->pkt));
	n = b->n;
	if (n) {
		worker_front(w);
		worker_back(w);
	} else if (w->rounds % SWEEP_ROUNDS == 0) {
		worker_sweep(w);
	}
	return n;
}

void worker_finish(struct worker *w)
{
	flow_table_flush(w->flows);
	reassembly_sweep(w, true);
}
