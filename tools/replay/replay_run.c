/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loop of a replay. One worker: the calling thread feeds the port and is the
 * worker. Several: it feeds, reassembles and decides stage one, as XDP would;
 * the workers run beside it.
 */
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_ring.h>
#include <time.h>

#include "control/events/event_order.h"
#include "dataplane/reassembly.h"
#include "dataplane/sip/calls.h"
#include "tools/replay/packet_order.h"
#include "tools/replay/replay.h"

struct run {
	struct gate *gate;
	struct port_capture *port;
	struct replay_feed *feed;
	const struct replay_sinks *sinks;
	struct replay_stats *stats;
	struct event_order order;
	struct packet_order packets;
	_Atomic bool fed; /* no more packets will come */
};

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void begin(struct run *r, uint64_t time)
{
	r->stats->first = r->stats->last = time;
	if (r->sinks->begin)
		r->sinks->begin(r->sinks->begin_ctx, time);
}

/* NULL at the end of the feed. */
static struct rte_mbuf *next_packet(struct run *r)
{
	struct capture_frame frame;
	struct rte_mbuf *m;
	int rc;

	while ((rc = r->feed->next(r->feed, &frame)) != 0) {
		if (rc < 0) {
			r->stats->failed = true;
			continue;
		}
		if (!r->stats->packets++)
			begin(r, frame.time);
		r->stats->first = RTE_MIN(r->stats->first, frame.time);
		r->stats->last = RTE_MAX(r->stats->last, frame.time);
		m = port_capture_packet(r->gate, &frame);
		if (m)
			return m;
		r->stats->no_buffer++;
	}
	return NULL;
}

/* Copied first, all of them, and changed then: the copies' misses overlap. */
static unsigned next_burst(struct run *r, struct rte_mbuf *m[BURST_RX])
{
	unsigned n = 0;

	while (n < BURST_RX && (m[n] = next_packet(r)))
		n++;
	for (unsigned i = 0; r->feed->change && i < n; i++)
		r->feed->change(r->feed, packet_meta(m[i])->number,
				rte_pktmbuf_mtod(m[i], uint8_t *));
	return n;
}

/* One worker -------------------------------------------------------------- */

/* What no packet brought about comes at the end, by its time, as with several workers. */
static void take_event(void *ctx, const struct event_head *e)
{
	struct run *r = ctx;

	if (e->packet & EVENT_OF_NO_PACKET)
		event_order_push(&r->order, 0, e, e->size);
	else
		r->sinks->event(r->sinks->ctx, e, e->size);
}

static void drain_inline(void *ctx)
{
	struct run *r = ctx;

	event_ring_drain(r->gate->worker[0]->events, take_event, r);
}

/* What left the gate, in the order in which it was decided. */
static void take_packets(struct run *r, uint64_t settled)
{
	struct rte_mbuf *m;

	if (!r->sinks->packet)
		return;
	for (unsigned i = 0; i < r->port->queues; i++)
		while (rte_ring_dequeue(r->port->tx[i], (void **)&m) == 0)
			packet_order_push(&r->packets, m);
	packet_order_release(&r->packets, settled, r->sinks->packet, r->sinks->ctx);
}

static unsigned fill(struct run *r)
{
	struct rte_mbuf *m[BURST_RX];
	unsigned n = next_burst(r, m);

	if (n)
		rte_ring_enqueue_bulk(r->port->rx[0], (void **)m, n, NULL);
	return n;
}

static void run_alone(struct run *r)
{
	struct worker *w = r->gate->worker[0];

	if (w->events) {
		w->events->full = drain_inline;
		w->events->ctx = r;
	}
	while (fill(r)) {
		do
			worker_turn(w);
		while (w->later_count);
		take_packets(r, UINT64_MAX);
		if (w->events)
			drain_inline(r);
	}
	worker_finish(w);
	w->now = r->stats->last;
	calls_flush(w);
	if (w->events)
		drain_inline(r);
	event_order_release(&r->order, UINT64_MAX, r->sinks->event, r->sinks->ctx);
}

/* Several workers --------------------------------------------------------- */

static void wait_for_reader(void *ctx)
{
	rte_pause();
}

/* The writer takes packets out all the time: there will be room. */
static unsigned wait_for_writer(struct worker *w, enum port_role role, struct rte_mbuf **m,
				unsigned n)
{
	unsigned sent = 0;

	while (sent < n)
		sent += rte_eth_tx_burst(w->tx[role].port, w->tx[role].queue, m + sent,
					 (uint16_t)(n - sent));
	return sent;
}

static int worker_loop(void *arg)
{
	struct run *r = arg;
	struct worker *w = r->gate->worker[rte_lcore_id() - 1];
	struct order *order = &r->gate->order;

	for (;;) {
		bool fed = atomic_load_explicit(&r->fed, memory_order_acquire);
		uint64_t frontier = atomic_load_explicit(&order->frontier, memory_order_acquire);

		if (worker_turn(w)) {
			order_sent(order, w->index, w->packet + 1);
			continue;
		}
		if (fed)
			break;
		order_done(order, w->index, frontier);
		order_sent(order, w->index, frontier);
		rte_pause();
	}
	order_done(order, w->index, UINT64_MAX);
	worker_finish(w);
	order_sent(order, w->index, UINT64_MAX);
	return 0;
}

static void push_event(struct run *r, unsigned worker, const struct event_head *e)
{
	event_order_push(&r->order, worker, e, e->size);
}

struct pusher {
	struct run *r;
	unsigned worker;
};

static void take_for_order(void *ctx, const struct event_head *e)
{
	struct pusher *p = ctx;

	push_event(p->r, p->worker, e);
}

static void drain_front(void *ctx)
{
	struct run *r = ctx;
	struct pusher p = {r, r->gate->workers};

	event_ring_drain(r->gate->front->events, take_for_order, &p);
}

static void drain_rest(void *ctx)
{
	struct pusher *p = ctx;

	event_ring_drain(p->r->gate->worker[p->worker]->events, take_for_order, p);
}

/* Events and packets of all workers, as far as no earlier ones can still come. */
static void collect(struct run *r)
{
	struct gate *gate = r->gate;
	uint64_t settled = UINT64_MAX, sent = UINT64_MAX;

	for (unsigned i = 0; i < gate->workers; i++) {
		settled = RTE_MIN(settled, atomic_load_explicit(&gate->order.worker[i].done,
								memory_order_acquire));
		sent = RTE_MIN(sent, atomic_load_explicit(&gate->order.worker[i].sent,
							  memory_order_acquire));
	}
	if (gate->front->events) {
		drain_front(r);
		for (unsigned i = 0; i < gate->workers; i++) {
			struct pusher p = {r, i};

			event_ring_drain(gate->worker[i]->events, take_for_order, &p);
		}
		if (settled)
			event_order_release(&r->order,
					    settled == UINT64_MAX ? EVENT_OF_NO_PACKET - 1
								  : settled - 1,
					    r->sinks->event, r->sinks->ctx);
	}
	take_packets(r, sent);
}

static void spread(struct run *r, struct rte_mbuf *m, uint64_t hash)
{
	struct gate *gate = r->gate;
	unsigned to = (unsigned)((hash >> 32) % gate->workers);
	uint64_t number = packet_meta(m)->number;

	while (rte_ring_enqueue(r->port->rx[to], m) != 0)
		collect(r);
	atomic_store_explicit(&gate->order.frontier, number + 1, memory_order_release);
}

/* What XDP does before a live dataplane, over a burst of the front worker's. */
static unsigned feed_burst(struct run *r)
{
	struct worker *front = r->gate->front;
	struct burst *b = &front->burst;

	b->n = next_burst(r, b->pkt);
	if (!b->n)
		return 0;
	stage_decode(front, b);
	stage_one(front, b);
	for (unsigned i = 0; i < b->n; i++) {
		if (b->work[i] == SLOT_HELD)
			continue;
		if (b->verdict[i] >= VERDICT_DROP) {
			front->counters->verdicts[b->verdict[i]]++;
			front->tenants[b->tenant[i]].verdicts[b->verdict[i]]++;
			rte_pktmbuf_free(b->pkt[i]);
			continue;
		}
		spread(r, b->pkt[i], b->hdr[i].class == CLASS_L4 ? b->hdr[i].hash : 0);
	}
	front->now = RTE_MAX(front->now, r->stats->last);
	reassembly_sweep(front, false);
	return b->n;
}

static bool any_running(unsigned workers)
{
	for (unsigned i = 1; i <= workers; i++)
		if (rte_eal_get_lcore_state(i) == RUNNING)
			return true;
	return false;
}

/* By a worker that has rules: events tell their generation. Its thread is done. */
static void flush_calls(struct run *r, struct worker *w)
{
	struct pusher p = {r, w->index};

	if (w->events) {
		w->events->full = drain_rest;
		w->events->ctx = &p;
	}
	w->now = r->stats->last;
	calls_flush(w);
	collect(r);
}

static void run_together(struct run *r)
{
	struct gate *gate = r->gate;

	gate->order.frontier = 1;
	for (unsigned i = 0; i < gate->workers; i++) {
		gate->worker[i]->tx_full = wait_for_writer;
		if (gate->worker[i]->events)
			gate->worker[i]->events->full = wait_for_reader;
	}
	if (gate->front->events) {
		gate->front->events->full = drain_front;
		gate->front->events->ctx = r;
	}
	for (unsigned i = 1; i <= gate->workers; i++)
		rte_eal_remote_launch(worker_loop, r, i);
	while (feed_burst(r))
		collect(r);
	reassembly_sweep(gate->front, true);
	atomic_store_explicit(&r->fed, true, memory_order_release);
	while (any_running(gate->workers))
		collect(r);
	rte_eal_mp_wait_lcore();
	collect(r);
	flush_calls(r, gate->worker[0]);
	event_order_release(&r->order, UINT64_MAX, r->sinks->event, r->sinks->ctx);
}

void replay_run(struct gate *gate, struct port_capture *port, struct replay_feed *feed,
		const struct replay_sinks *sinks, struct replay_stats *stats)
{
	struct run r = {.gate = gate, .port = port, .feed = feed, .sinks = sinks, .stats = stats};
	double began = seconds(CLOCK_MONOTONIC), worked = seconds(CLOCK_PROCESS_CPUTIME_ID);

	event_order_init(&r.order);
	if (gate->workers == 1)
		run_alone(&r);
	else
		run_together(&r);
	event_order_fini(&r.order);
	packet_order_fini(&r.packets);
	stats->wall = seconds(CLOCK_MONOTONIC) - began;
	stats->cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - worked;
}
