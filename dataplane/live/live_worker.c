/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A live worker's loop.
 *
 * Both directions of a flow belong to one worker: the one that the flow's symmetric hash names.
 * With several workers whoever receives a packet does what concerns it alone (headers, fragments,
 * stage one) and hands what is another's to it through that worker's ring; so ports need neither
 * several queues nor a symmetric RSS. Where packets come to the right queue anyway, none is handed
 * over.
 */
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_ring.h>
#include <sys/prctl.h>
#include <time.h>

#include "dataplane/icmp_quote.h"
#include "dataplane/live/live.h"

#define HANDOVER   4096    /* packets waiting for a worker */
#define SEND_TRIES 64      /* to a port whose queue is full */
#define BEAT       1000000 /* ns between two heartbeats */
#define IDLE_SPIN  64      /* empty turns before a pause is made */

struct live_turn {
	struct live *l;
	struct worker *w;
	uint64_t now, number, beaten;
	uint64_t next_beat_cycles, beat_cycles;
	unsigned idle;
};

int live_handover_open(struct live *l, char error[GATE_ERROR])
{
	char name[32];

	for (unsigned i = 0; i < l->options.workers && l->options.workers > 1; i++) {
		snprintf(name, sizeof(name), "handover%u", i);
		l->handover[i] =
			rte_ring_create(name, HANDOVER, (int)rte_socket_id(), RING_F_SC_DEQ);
		if (l->handover[i])
			continue;
		snprintf(error, GATE_ERROR, "not enough memory for the workers' rings");
		return -ENOMEM;
	}
	return 0;
}

void live_handover_close(struct live *l)
{
	struct rte_mbuf *m;

	for (unsigned i = 0; i < GATE_WORKERS_MAX; i++) {
		while (l->handover[i] && rte_ring_dequeue(l->handover[i], (void **)&m) == 0)
			packet_free(m);
		rte_ring_free(l->handover[i]);
		l->handover[i] = NULL;
	}
}

/* Nobody else writes it. */
static void count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

/* Packets that a port did not take at once. The rest is lost, and counted. */
static unsigned send_again(struct worker *w, enum port_role role, struct rte_mbuf **m, unsigned n)
{
	unsigned sent = 0;

	for (unsigned tries = 0; sent < n && tries < SEND_TRIES; tries++) {
		rte_pause();
		sent += worker_send(w, role, m + sent, n - sent);
	}
	count(&w->shm->not_sent, n - sent);
	return sent;
}

/* From both ports: whoever has more does not keep the other out. */
static unsigned receive(struct live_turn *t)
{
	struct worker *w = t->w;
	struct burst *b = &w->burst;
	unsigned n = 0;

	for (unsigned role = 0; role < PORT_COUNT; role++) {
		const struct port_live *p = &t->l->port[role];

		if (w->index < p->queues)
			n += port_live_receive(p, (uint16_t)w->index, b->pkt + n, BURST_RX / 2,
					       t->now, &t->number);
	}
	return n;
}

/* What is dropped already needs no flow. */
static void drop_here(struct worker *w, struct burst *b, unsigned i)
{
	struct rte_mbuf *fragment = packet_meta(b->pkt[i])->fragments;
	unsigned packets = !fragment;

	for (; fragment; fragment = packet_meta(fragment)->next)
		packets++;
	w->counters->verdicts[b->verdict[i]] += packets;
	w->tenants[b->tenant[i]].verdicts[b->verdict[i]] += packets;
	packet_free(b->pkt[i]);
	b->work[i] = SLOT_HELD;
}

static void hand_over(struct live_turn *t)
{
	struct worker *w = t->w;
	struct burst *b = &w->burst;
	uint64_t handed = 0;

	for (unsigned i = 0; i < b->n; i++) {
		uint64_t hash = b->hdr[i].hash;
		struct icmp_quote quote;
		unsigned to;

		if (b->work[i] == SLOT_HELD)
			continue;
		/* Whose flow an error is about, he can translate it. */
		if (icmp_quote_read(b->pkt[i], &b->hdr[i], &quote))
			hash = quote.hdr.hash;
		else if (b->hdr[i].class != CLASS_L4)
			continue;
		to = (unsigned)((hash >> 32) % t->l->options.workers);
		if (b->verdict[i] >= VERDICT_DROP) {
			drop_here(w, b, i);
			continue;
		}
		if (to == w->index)
			continue;
		if (rte_ring_mp_enqueue(t->l->handover[to], b->pkt[i]) == 0) {
			b->work[i] = SLOT_HELD;
			handed++;
			continue;
		}
		slot_decide(w, i, VERDICT_DROP, REASON_CONGESTION);
		drop_here(w, b, i);
	}
	count(&w->shm->handed_over, handed);
}

/* What other workers received: counted and past stage one. */
static unsigned take_over(struct live_turn *t)
{
	struct worker *w = t->w;
	struct burst *b = &w->burst;
	bool before = w->options.stage_one_done;

	b->n = rte_ring_sc_dequeue_burst(t->l->handover[w->index], (void **)b->pkt, BURST_RX, NULL);
	if (!b->n)
		return 0;
	/* The numbers are one worker's own. */
	for (unsigned i = 0; i < b->n; i++)
		packet_meta(b->pkt[i])->number = ++t->number;
	w->options.stage_one_done = true;
	worker_front(w);
	worker_back(w);
	w->options.stage_one_done = before;
	return b->n;
}

static unsigned turn(struct live_turn *t)
{
	struct worker *w = t->w;
	struct burst *b = &w->burst;
	unsigned n = b->n = receive(t);

	if (n) {
		worker_front(w);
		if (t->l->options.workers > 1)
			hand_over(t);
		worker_back(w);
	}
	if (t->l->options.workers > 1)
		n += take_over(t);
	return n;
}

/* To the kernel, which stops asking a dataplane that is silent (bpf/gate.bpf.c). */
static void beat_kernel(const struct live *l, const struct worker *w, uint64_t now)
{
	for (unsigned role = 0; l->view.shared && role < PORT_COUNT; role++) {
		uint32_t place = gate_port_find(l->view.shared, l->port[role].ifindex);

		if (place < GATE_PORTS)
			gate_heartbeat_write((struct gate_view *)(uintptr_t)&l->view, place,
					     l->options.first_queue + w->index, now);
	}
}

/* About once a millisecond, whatever comes: it shows that it lives, and time goes on for flows. */
static void beat(struct live_turn *t, uint64_t cycles)
{
	struct worker *w = t->w;
	uint64_t now;

	t->next_beat_cycles = cycles + t->beat_cycles;
	w->now = RTE_MAX(w->now, t->now);
	worker_sweep(w);
	now = monotonic_ns();
	atomic_store_explicit(&w->shm->heartbeat, now, memory_order_release);
	w->monotonic = (int64_t)(now - w->now);
	beat_kernel(t->l, w, now);
}

/* Where others need the CPU too, a worker without packets may be told to let them have it. */
static void rest(struct live_turn *t)
{
	const struct timespec pause = {.tv_nsec = (long)t->l->options.idle_us * 1000};

	if (t->idle++ < IDLE_SPIN || !t->l->options.idle_us)
		rte_pause();
	else
		nanosleep(&pause, NULL);
}

static void live_loop(struct live_turn *t)
{
	struct worker *w = t->w;
	struct shm_worker *shm = w->shm;

	while (!atomic_load_explicit(&t->l->stop, memory_order_acquire)) {
		uint64_t cycles = rte_rdtsc();

		t->now = RTE_MAX(t->now, live_clock_at(&t->l->clock, cycles));
		snapshot_quiescent(&t->l->snapshot, w->index);
		worker_take(w);
		if (turn(t)) {
			t->idle = 0;
		} else {
			count(&shm->idle, 1);
			rest(t);
		}
		count(&shm->turns, 1);
		if (cycles >= t->next_beat_cycles)
			beat(t, cycles);
	}
}

int live_worker(void *live)
{
	struct live *l = live;
	unsigned index = rte_lcore_id() - 1;
	struct worker *w = l->gate->worker[index];
	struct live_turn t = {
		.l = l, .w = w, .beat_cycles = rte_get_tsc_hz() / (1000000000 / BEAT)};

	for (unsigned role = 0; role < PORT_COUNT; role++) {
		struct port_live *p = &l->port[role];

		w->tx[role].port = p->port;
		w->tx[role].queue = (uint16_t)(index % p->queues);
		if (p->queues < l->options.workers)
			w->tx[role].lock = &p->lock[w->tx[role].queue];
	}
	/* Where it rests, for as long as it was told: by default a sleeper comes 50 us late. */
	prctl(PR_SET_TIMERSLACK, 1UL);
	w->tx_full = send_again;
	w->epochs = l->view.epochs;
	w->shm->lcore = rte_lcore_id();
	w->now = live_clock_at(&l->clock, rte_rdtsc());
	w->monotonic = (int64_t)(monotonic_ns() - w->now);
	snapshot_online(&l->snapshot, index);
	live_loop(&t);
	w->now = RTE_MAX(w->now, t.now);
	worker_finish(w);
	snapshot_offline(&l->snapshot, index);
	return 0;
}
