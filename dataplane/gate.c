/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/gate.h"

#include <errno.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <stdio.h>

#include "bpf/shm.h"
#include "dataplane/inspect.h"
#include "dataplane/match/match_memory.h"
#include "dataplane/policy/memory.h"
#include "dataplane/reassembly.h"
#include "dataplane/sip/calls.h"
#include "dataplane/smtp/mail_watch.h"
#include "dataplane/tcp/editor.h"

#define LINE_SIZE      4096       /* RFC 5321 4.5.3.1: 512, and what extensions add */
#define FRAME_SIZE     65536      /* a SIP message */
#define EVENT_RING     (1u << 20) /* bytes, per worker */
#define SMALL_PACKETS  16384      /* per worker */
#define LARGE_PACKETS  512
#define LARGE_SIZE     (UINT16_MAX - RTE_PKTMBUF_HEADROOM) /* as much as an mbuf can say */
#define STREAMS_MAX    65534
#define MEMORY_ENTRIES 65536 /* of what rules remember, 16 bytes each */

static uint32_t share_of(uint32_t total, uint32_t percent)
{
	uint32_t share = (uint32_t)((uint64_t)total * percent / 100);

	return share ? share : 1;
}

static size_t session_size(void)
{
	return RTE_MAX(smtp_session_size(), sip_session_size());
}

size_t gate_flow_bytes(void)
{
	return flow_table_flow_size() + RTE_ALIGN_CEIL(smtp_session_size(), 64u);
}

static uint32_t slots_of(const struct gate_config *config)
{
	return config->slots ? config->slots : config->policy->slot_count;
}

static size_t worker_memory(uint32_t slots, uint32_t rules)
{
	return EVENT_RING + sizeof(struct worker) + sizeof(struct counters) + rules * 8 +
	       (size_t)slots * (sizeof(struct tenant_counters) + sizeof(struct limit_peak) + 64);
}

size_t gate_memory(const struct gate_config *config)
{
	uint32_t rules = config->ruleset ? ruleset_image(config->ruleset)->rules.count : 0;
	size_t packets = (size_t)SMALL_PACKETS * config->workers + config->port_packets;
	size_t bytes = (config->workers + 1) * worker_memory(slots_of(config), rules) +
		       packets * 2 * sizeof(void *);

	if (config->devices)
		bytes += packets * (GATE_SMALL + 512) + (size_t)LARGE_PACKETS * 66 * 1024;

	return bytes / (1 << 20) + 32;
}

static int worker_pools(struct worker *w, const struct policy *policy, uint32_t slots)
{
	const struct policy_budgets *b = &policy->budgets;
	uint32_t lines = RTE_MAX(b->sessions / 4, 64u), frames = RTE_MAX(b->sessions / 64, 64u);
	uint32_t editors = RTE_MAX(b->sessions / 32, 64u);
	int rc;

	rc = block_pool_init(&w->sessions, "sessions", session_size(), b->sessions, slots,
			     share_of(b->sessions, b->sessions_share));
	if (!rc)
		rc = block_pool_init(&w->lines, "lines", LINE_SIZE, lines, slots,
				     share_of(lines, b->sessions_share));
	if (!rc)
		rc = block_pool_init(&w->frames, "frames", FRAME_SIZE, frames, slots,
				     share_of(frames, b->sessions_share));
	if (!rc)
		rc = block_pool_init(&w->messages, "messages", mail_size(), b->messages, slots,
				     share_of(b->messages, b->messages_share));
	if (!rc)
		rc = block_pool_init(&w->editors, "editors", sizeof(struct editor), editors, slots,
				     share_of(editors, b->sessions_share));
	return rc;
}

static void worker_free(struct worker *w)
{
	if (!w)
		return;
	/* Those that were offered are whose offer it was. */
	if (!w->taken)
		matcher_free(w->newest);
	flow_table_free(w->flows);
	block_pool_fini(&w->sessions);
	block_pool_fini(&w->lines);
	block_pool_fini(&w->frames);
	block_pool_fini(&w->messages);
	block_pool_fini(&w->editors);
	reassembly_free(w->reassembly);
	if (!w->shm) {
		if (w->events) {
			rte_free(w->events->bytes);
			rte_free(w->events->state);
		}
		rte_free(w->counters);
		memory_release(w->tenants, sizeof(*w->tenants) * w->slots);
		memory_release(w->peaks, sizeof(*w->peaks) * w->slots);
		rte_free(w->rule_hits);
	}
	rte_free(w->events);
	rte_free(w);
}

static int worker_events(struct worker *w)
{
	w->events = rte_zmalloc("event_ring", sizeof(*w->events), 64);
	if (!w->events)
		return -ENOMEM;
	w->events->size = EVENT_RING;
	w->events->state = rte_zmalloc("event_ring_state", sizeof(*w->events->state), 64);
	w->events->bytes = rte_malloc("events", EVENT_RING, 64);
	return w->events->state && w->events->bytes ? 0 : -ENOMEM;
}

/* Where everybody can see it. */
static int worker_share(struct worker *w, struct shm_head *shm)
{
	w->shm = shm_worker(shm, w->index);
	w->counters = shm_counters(shm, w->index);
	w->tenants = shm_tenants(shm, w->index);
	w->peaks = shm_peaks(shm, w->index);
	w->rule_hits = shm_hits(shm, w->index);
	w->events = rte_zmalloc("event_ring", sizeof(*w->events), 64);
	if (!w->events)
		return -ENOMEM;
	*w->events = shm_ring(shm, w->index);
	return 0;
}

static int worker_count(struct worker *w, const struct gate_config *config)
{
	uint32_t slots = slots_of(config);
	uint32_t rules = config->ruleset ? ruleset_image(config->ruleset)->rules.count : 0;

	w->counters = rte_zmalloc("counters", sizeof(*w->counters), 64);
	w->slots = slots;
	w->tenants = memory_reserve(sizeof(*w->tenants) * slots, MEMORY_DENSE);
	w->peaks = memory_reserve(sizeof(*w->peaks) * slots, MEMORY_DENSE);
	w->rule_hits = rte_zmalloc("rule_hits", sizeof(*w->rule_hits) * (rules + 1), 64);
	if (!w->counters || !w->tenants || !w->peaks || !w->rule_hits)
		return -ENOMEM;
	return config->events ? worker_events(w) : 0;
}

static int worker_tables(struct worker *w, const struct gate_config *config, struct gate *gate)
{
	const struct policy_budgets *b = &config->policy->budgets;
	uint32_t slots = slots_of(config);

	w->reassembly =
		reassembly_new(b->fragments, config->policy->timeouts.fragment, gate->large);
	if (!w->reassembly)
		return -ENOMEM;
	/* The front worker has no flows. */
	if (w->index == config->workers)
		return 0;
	w->flows = flow_table_new(b->flows, slots, share_of(b->flows, b->flows_share), flow_end, w);
	return w->flows ? worker_pools(w, config->policy, slots) : -ENOMEM;
}

static void worker_turn_wait(void *ctx)
{
	struct worker *w = ctx;

	order_wait(w->order, w->index, w->packet);
}

void gate_matcher_attach(const struct gate *gate, struct worker *w, struct matcher *m)
{
	m->memory = gate->memory;
	m->policy = &w->policy;
	m->clock = &w->now;
	m->turn = worker_turn_wait;
	m->turn_ctx = w;
}

static struct worker *worker_new(struct gate *gate, const struct gate_config *config,
				 unsigned index)
{
	struct worker *w = rte_zmalloc("worker", sizeof(*w), 64);
	int rc;

	if (!w)
		return NULL;
	w->index = index;
	w->options = config->options;
	w->policy = config->policy;
	w->mbufs = gate->small;
	w->large = gate->large;
	w->calls = gate->calls;
	w->watch = gate->watch;
	w->peers = gate->peers;
	w->history_max = SMALL_PACKETS / 4;
	w->tx[PORT_INSIDE].port = w->tx[PORT_OUTSIDE].port = PORT_NONE;
	rc = config->shm ? worker_share(w, config->shm) : worker_count(w, config);
	if (!rc)
		rc = worker_tables(w, config, gate);
	if (!rc && config->ruleset && index < config->workers)
		rc = matcher_new(config->ruleset, gate->streams, &w->matcher);
	if (w->matcher)
		gate_matcher_attach(gate, w, w->matcher);
	w->newest = w->matcher;
	if (!rc)
		return w;
	worker_free(w);
	return NULL;
}

static void packets_release(struct rte_mempool_memhdr *part, void *unused)
{
	memory_release(part->addr, part->len);
}

/* In memory of ours: no device reads or writes captures' packets. */
static bool packets_fill(struct rte_mempool *pool, enum memory_use use)
{
	size_t bytes = (size_t)pool->size *
			       (pool->header_size + pool->elt_size + pool->trailer_size) +
		       RTE_CACHE_LINE_SIZE;
	void *memory = memory_reserve(bytes, use);
	int rc;

	if (!memory)
		return false;
	rc = rte_mempool_populate_iova(pool, memory, RTE_BAD_IOVA, bytes, packets_release, NULL);
	if (rc <= 0)
		memory_release(memory, bytes);
	return rc == (int)pool->size;
}

/* As devices want it: in memory that they can reach. */
static struct rte_mempool *device_packets_new(const char *name, unsigned n, unsigned size)
{
	return rte_pktmbuf_pool_create(name, n, 256, RTE_ALIGN(sizeof(struct packet_meta), 64),
				       (uint16_t)(size + RTE_PKTMBUF_HEADROOM),
				       (int)rte_socket_id());
}

static struct rte_mempool *packets_new(const char *name, unsigned n, unsigned size,
				       enum memory_use use)
{
	struct rte_pktmbuf_pool_private room = {
		.mbuf_data_room_size = (uint16_t)(size + RTE_PKTMBUF_HEADROOM),
		.mbuf_priv_size = RTE_ALIGN(sizeof(struct packet_meta), 64),
	};
	unsigned mbuf = (unsigned)sizeof(struct rte_mbuf) + room.mbuf_priv_size +
			room.mbuf_data_room_size;
	/* Without the flag packets would not cross small pages, and waste the rest of each. */
	struct rte_mempool *pool = rte_mempool_create_empty(name, n, mbuf, 256, sizeof(room),
							    (int)rte_socket_id(),
							    RTE_MEMPOOL_F_NO_IOVA_CONTIG);

	if (!pool)
		return NULL;
	rte_pktmbuf_pool_init(pool, &room);
	if (!packets_fill(pool, use)) {
		rte_mempool_free(pool);
		return NULL;
	}
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
}

/* A tenant without a limit of SYNs touches none of it. */
static int peers_new(struct peer_table *peers, const struct gate_config *config)
{
	/* XDP has them. */
	if (config->options.live && config->options.stage_one_done)
		return 0;
	peers->size = (size_t)slots_of(config) * PEER_SETS * sizeof(*peers->sets);
	peers->sets = memory_reserve(peers->size, MEMORY_SPARSE);
	if (config->key)
		memcpy(peers->key, config->key, sizeof(peers->key));
	return peers->sets ? 0 : -ENOMEM;
}

static int gate_build(struct gate *gate, const struct gate_config *config)
{
	unsigned small = SMALL_PACKETS * config->workers + config->port_packets;

	gate->streams = RTE_MIN(config->policy->budgets.messages, (uint32_t)STREAMS_MAX);
	gate->small = config->devices ? device_packets_new("small", small, GATE_SMALL)
				      : packets_new("small", small, GATE_SMALL, MEMORY_DENSE);
	gate->large = config->devices
			      ? device_packets_new("large", LARGE_PACKETS, LARGE_SIZE)
			      : packets_new("large", LARGE_PACKETS, LARGE_SIZE, MEMORY_SPARSE);
	gate->calls = calls_new(config->policy, slots_of(config), config->key);
	if (!gate->small || !gate->large || !gate->calls ||
	    match_memory_new(MEMORY_ENTRIES, config->key, &gate->memory) < 0 ||
	    mail_watch_new(&config->policy->budgets, slots_of(config), config->key, &gate->watch) <
		    0 ||
	    peers_new(&gate->peers, config) < 0)
		return -ENOMEM;
	for (unsigned i = 0; i < config->workers; i++) {
		gate->worker[i] = worker_new(gate, config, i);
		if (!gate->worker[i])
			return -ENOMEM;
	}
	if (config->workers == 1 || config->options.live)
		return 0;
	gate->front = worker_new(gate, config, config->workers);
	if (!gate->front)
		return -ENOMEM;
	gate->order.workers = config->workers;
	for (unsigned i = 0; i < config->workers; i++) {
		gate->worker[i]->options.stage_one_done = true;
		gate->worker[i]->order = &gate->order;
	}
	return 0;
}

/* With 100,000 tenants a packet looks anywhere in these: small pages would cost a walk each. */
static void policy_collapse(const struct policy *policy)
{
	const struct prefix_table *p = &policy->prefixes;

	memory_collapse(policy->slots, policy->slot_count * sizeof(*policy->slots));
	memory_collapse(p->nodes, p->node_count * sizeof(*p->nodes));
	memory_collapse(p->leaves, p->leaf_count * sizeof(*p->leaves));
}

int gate_new(const struct gate_config *config, struct gate **gatep, char error[GATE_ERROR])
{
	struct gate *gate = rte_zmalloc("gate", sizeof(*gate), 64);
	int rc = gate ? 0 : -ENOMEM;

	if (gate) {
		gate->workers = config->workers;
		policy_collapse(config->policy);
		rc = gate_build(gate, config);
	}
	if (rc == 0) {
		*gatep = gate;
		return 0;
	}
	snprintf(error, GATE_ERROR, "not enough memory for %u workers and the configured budgets",
		 config->workers);
	gate_free(gate);
	return rc;
}

void gate_free(struct gate *gate)
{
	if (!gate)
		return;
	for (unsigned i = 0; i < gate->workers; i++)
		worker_free(gate->worker[i]);
	worker_free(gate->front);
	calls_free(gate->calls);
	match_memory_free(gate->memory);
	mail_watch_free(gate->watch);
	memory_release(gate->peers.sets, gate->peers.size);
	rte_mempool_free(gate->small);
	rte_mempool_free(gate->large);
	rte_free(gate);
}

struct rte_mbuf *gate_packet(struct gate *gate, uint32_t size)
{
	return rte_pktmbuf_alloc(size <= GATE_SMALL ? gate->small : gate->large);
}
