/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * The one memory object (a memfd that postern-dataplane makes and hands over on its
 * channel, bpf/channel.h) in which the dataplane's state can be read while it runs. The dataplane
 * writes, control reads; what control writes is its place in the event rings, and that it has taken
 * the count of a rule that is gone.
 *
 *   struct shm_head            what there is, how large it is, where it is
 *   struct shm_worker[workers] each with offsets of:
 *     struct counters
 *     struct tenant_counters[slots]     by tenant slot
 *     struct limit_peak[slots]          by tenant slot
 *     uint64_t hits[rules]              by place in shm_head.rules: see struct shm_rule
 *     struct event_ring_state, bytes    bpf/event_ring.h
 *   struct shm_rule[rules]     whose hits are counted where
 *
 * Everything is aligned to 64 bytes, offsets count from the head. Host byte order, one machine.
 * Numbers are plain 64-bit words, written by one thread each: a reader sees each of them whole,
 * not all of them of one instant.
 */
#ifndef POSTERN_SHM_H
#define POSTERN_SHM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/counters.h"
#include "bpf/event_ring.h"
#include "bpf/tenant.h"

#define SHM_MAGIC       0x31535450u /* "PTS1" */
#define SHM_ABI         10          /* of this file and of all that it includes */
#define SHM_ALIGN       64
#define SHM_WORKERS_MAX 32
#define SHM_ERROR       256

/* What the reader must agree on before it believes an offset. */
struct shm_sizes {
	uint32_t head, worker, port, rule;
	uint32_t counters, tenant_counters, limit_peak, event_head;
	uint32_t reasons, verdicts, limits, stages;
};

#define SHM_SIZES                               \
	((struct shm_sizes){                    \
		sizeof(struct shm_head),        \
		sizeof(struct shm_worker),      \
		sizeof(struct shm_port),        \
		sizeof(struct shm_rule),        \
		sizeof(struct counters),        \
		sizeof(struct tenant_counters), \
		sizeof(struct limit_peak),      \
		sizeof(struct event_head),      \
		REASON_COUNT,                   \
		VERDICT_COUNT,                  \
		LIMIT_COUNT,                    \
		STAGE_COUNT,                    \
	})

/* A port as it was when the main thread last looked, about once a second. */
struct shm_port {
	char name[64];   /* DPDK's name of the device */
	char driver[32]; /* "net_af_packet" */
	char iface[16];  /* the kernel's name of the interface, "" if it has none */
	uint8_t mac[6];
	uint8_t link_up;
	uint8_t pad;
	uint32_t speed; /* Mbit/s; 0: unknown */
	uint32_t mtu;
	uint16_t queues;
	uint16_t pad2[3];
	uint64_t updated; /* CLOCK_MONOTONIC, ns */
	uint64_t rx_packets, rx_bytes, rx_missed, rx_errors, rx_nombuf;
	uint64_t tx_packets, tx_bytes, tx_errors;
};

struct shm_worker {
	_Alignas(SHM_ALIGN) _Atomic uint64_t heartbeat; /* CLOCK_MONOTONIC, ns; once a ms or so */
	_Atomic uint64_t policy_generation;             /* in force: of the burst in hand */
	_Atomic uint64_t ruleset_generation;            /* 0: no rules */
	_Atomic uint64_t turns, idle;                   /* turns of the loop; without packets */
	_Atomic uint64_t handed_over;                   /* packets that another worker owns */
	_Atomic uint64_t not_sent;                      /* packets that a port would not take */
	uint32_t lcore;
	uint32_t pad;
	uint64_t counters, tenants, peaks, hits, ring, events; /* offsets */
};

/*
 * A rule's place in the arrays of hits. A sid keeps its place over rulesets, so its count goes on.
 * Rules for which no place is left are counted at place 0, sid 0, until there is one.
 *
 *   free ──► used    the dataplane: the counts are zero, then the sid is written, then this
 *   used ──► left    the dataplane: no ruleset has the sid, neither one in force nor an older
 *                    one that a mail holds; the count stands still
 *   left ──► used    the dataplane: the sid is back, the count goes on
 *   left ──► free    control: it has the count
 *
 * So while control sees a place used or left, the sid there and the count are of each other.
 */
enum shm_rule_state { SHM_RULE_FREE, SHM_RULE_USED, SHM_RULE_LEFT };

struct shm_rule {
	_Atomic uint32_t sid;
	_Atomic uint32_t state; /* enum shm_rule_state, and above it how often it has changed */
};

#define SHM_RULE_STATES 4

static inline enum shm_rule_state shm_rule_state(uint32_t word)
{
	return (enum shm_rule_state)(word % SHM_RULE_STATES);
}

/* False: the other side was there first. */
static inline bool shm_rule_move(struct shm_rule *rule, uint32_t from, enum shm_rule_state to)
{
	uint32_t next = from - from % SHM_RULE_STATES + SHM_RULE_STATES + (uint32_t)to;

	return atomic_compare_exchange_strong_explicit(&rule->state, &from, next,
						       memory_order_acq_rel, memory_order_acquire);
}

struct shm_head {
	uint32_t magic, abi;
	uint64_t size; /* of the whole object, bytes */
	struct shm_sizes sizes;
	uint32_t pid;
	uint32_t workers, slots, rules;
	uint64_t ring_size;    /* of each worker's ring, bytes */
	uint64_t started;      /* ns since 1970 */
	uint64_t cycles_hz;    /* of counters.cycles */
	uint64_t worker_table; /* offsets */
	uint64_t rule_table;
	char version[32];       /* Postern's, for people */
	_Atomic uint32_t ready; /* 1: workers run */
	_Atomic uint32_t stopping;
	struct shm_port port[2]; /* inside, outside */
};

/* How large an object for this many is; fills the head but for pid, times and ports. */
struct shm_layout {
	uint32_t workers, slots, rules;
	uint64_t ring_size; /* a power of two, EVENT_RING_MINIMUM at least */
};

size_t shm_size(const struct shm_layout *layout);
/* `memory`: zeroed, shm_size() bytes, aligned to 64. */
void shm_format(void *memory, const struct shm_layout *layout);

/*
 * Whether `size` bytes at `memory` are such an object, of this ABI, with all that it points to
 * inside. NULL, or what is wrong with it, in `error`.
 */
const char *shm_check(const void *memory, size_t size, char error[SHM_ERROR]);

/* Of an object that was formatted or checked; no worker beyond head->workers. */
static inline struct shm_worker *shm_worker(const struct shm_head *head, unsigned worker)
{
	return (struct shm_worker *)((uintptr_t)head + head->worker_table) + worker;
}

static inline void *shm_at(const struct shm_head *head, uint64_t offset)
{
	return (void *)((uintptr_t)head + offset);
}

static inline struct counters *shm_counters(const struct shm_head *head, unsigned worker)
{
	return shm_at(head, shm_worker(head, worker)->counters);
}

static inline struct tenant_counters *shm_tenants(const struct shm_head *head, unsigned worker)
{
	return shm_at(head, shm_worker(head, worker)->tenants);
}

static inline struct limit_peak *shm_peaks(const struct shm_head *head, unsigned worker)
{
	return shm_at(head, shm_worker(head, worker)->peaks);
}

static inline uint64_t *shm_hits(const struct shm_head *head, unsigned worker)
{
	return shm_at(head, shm_worker(head, worker)->hits);
}

static inline struct shm_rule *shm_rules(const struct shm_head *head)
{
	return shm_at(head, head->rule_table);
}

/* A side's view of a worker's ring. */
static inline struct event_ring shm_ring(const struct shm_head *head, unsigned worker)
{
	return (struct event_ring){
		.state = shm_at(head, shm_worker(head, worker)->ring),
		.bytes = shm_at(head, shm_worker(head, worker)->events),
		.size = head->ring_size,
	};
}

#endif
