/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker: one lcore, its own flows, pools and counters. Nothing here is
 * touched by another thread while it runs, but for what bpf/ shares on purpose
 * (tenants' slots), counters and events, which control reads.
 *
 * The stages, in the order of the packet path:
 *
 *   rx → decode → one* → flow → stream → inspect → verdict → tx
 *
 * (* not where XDP, or the feeder of a replay with several workers, did it.)
 */
#ifndef POSTERN_WORKER_H
#define POSTERN_WORKER_H

#include <rte_spinlock.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/counters.h"
#include "bpf/event_ring.h"
#include "bpf/peers.h"
#include "bpf/policy.h"
#include "dataplane/block_pool.h"
#include "dataplane/burst.h"
#include "dataplane/flow_table.h"
#include "dataplane/order.h"

struct matcher;
struct call_table;
struct reassembly;
struct shm_worker;

struct calls;
struct mail_watch;

/*
 * What control has a worker use. A worker takes the newest once a turn; what it used before is
 * freed when it can't use it any more (dataplane/live/snapshot.h).
 */
struct worker_view {
	const struct policy *policy;
	struct matcher *matcher; /* this worker's; NULL: no rules */
	uint64_t policy_generation, ruleset_generation;
};

struct worker_options {
	bool inspect;        /* off: packets go as far as the flow table */
	bool stage_one_done; /* XDP or the feeder has reassembled, decided and counted the link */
	bool digests;        /* SHA-256 of messages and parts in `email` events */
	bool addresses;      /* EVENT_ADDRESS for each MAIL and RCPT */
	bool evidence;       /* of refused mails, where nobody looks at shared memory */
	bool keep_ghosts;    /* captures: what the gate refuses is answered all the same */
	bool edits;          /* peers hear the gate: sessions go on after a refusal */
	bool cycles;         /* measure each stage */
	bool live;           /* ports know inside from outside; packets leave by the other one */
};

/* What the parsers' sinks know of the packet that they are called for. */
struct inspection {
	struct flow *flow; /* NULL: none; the events then have no addresses */
	uint16_t slot;     /* of the burst */
	uint8_t side;      /* the sender's place in the key */
	bool to_server;
	bool ending;     /* no packet: the flow is being ended */
	bool ghost;      /* the flow was refused: counted, nothing more is decided */
	uint32_t fed;    /* of the payload, in calls before this one */
	uint64_t offset; /* stream offset of the payload's first byte */
};

/* Bytes of a segment that are withheld: offsets from its payload's first byte. */
struct cut {
	uint16_t slot;
	uint16_t begin, end;
};

#define CUTS_MAX 256 /* in a burst; a packet with more is withheld whole */

#define PORT_NONE UINT16_MAX /* whatever leaves there is thrown away */

struct port_queue {
	uint16_t port;
	uint16_t queue;
	rte_spinlock_t
		*lock; /* the workers that share the queue; NULL: it is this worker's alone */
};

#define SENDERS_SEEN    1024
#define SENDERS_TENANTS 256

/* dataplane/smtp/sender.h's. */
struct sender_memory {
	uint64_t seen[SENDERS_SEEN];
	uint64_t next[SENDERS_TENANTS]; /* ns, by tenant: as a bucket of bpf/gcra.h */
};

/* Who answered tenants: PEER_SETS a slot. Stage one's alone; shared by the workers that do it. */
struct peer_table {
	struct peer_set *sets; /* NULL: XDP has them */
	size_t size;           /* bytes */
	uint64_t key[2];
};

struct worker {
	unsigned index;
	struct worker_options options;
	const struct policy *policy;
	struct matcher *matcher;                     /* of what is in hand; NULL: no rules */
	struct matcher *newest;                      /* what begins now begins with */
	uint32_t view;                               /* counts up when `newest` changes */
	_Atomic(const struct worker_view *) offered; /* NULL: no other than at the start */
	const struct worker_view *taken;
	struct shm_worker *shm; /* NULL: nobody looks */
	struct port_queue rx;
	struct port_queue tx[PORT_COUNT];
	/* Replay: the port's queue is full; returns how many were sent after all. NULL: lose them.
	 */
	unsigned (*tx_full)(struct worker *w, enum port_role role, struct rte_mbuf **m, unsigned n);

	struct flow_table *flows;
	struct block_pool sessions; /* one for each inspected TCP flow */
	struct block_pool lines;    /* SMTP lines and replies cut by segments */
	struct block_pool frames;   /* SIP messages cut by segments */
	struct block_pool messages; /* mails in flight */
	struct block_pool editors;  /* TCP flows that something was changed in */
	struct editor *editing;     /* a ring of them: the next one to look after */
	struct calls *calls;        /* shared by the workers */
	struct mail_watch *watch;   /* the same */
	struct peer_table peers;    /* the same */
	struct reassembly *reassembly;
	struct rte_mempool *mbufs;
	struct rte_mempool *large; /* for what does not fit these */
	uint32_t history;          /* segments held as first copies */
	uint32_t history_max;

	uint64_t now;     /* ns since 1970: the packet's in hand; never goes back */
	uint64_t packet;  /* its number */
	uint64_t arrived; /* ns: stage one's clock, which is ahead by up to a burst */
	uint64_t rounds;
	uint64_t *epochs;  /* of flows' verdicts, shared: dataplane/kernel_flow.h; NULL: no XDP */
	int64_t monotonic; /* ns: CLOCK_MONOTONIC less this worker's clock */
	struct inspection at;
	struct rte_mbuf *later[BURST_RX]; /* received, for the next burst */
	unsigned later_count;

	struct order *order; /* NULL in a live gate and with one worker */
	struct counters *counters;
	struct tenant_counters *tenants; /* by slot */
	struct event_ring *events;       /* NULL: nobody listens */
	uint64_t *rule_hits;      /* by the rule's place in the ruleset, or matcher->places */
	struct limit_peak *peaks; /* by slot */
	uint32_t slots;           /* of both; 0: they are in `shm` */

	struct sender_memory senders;
	struct flow *ended[BURST_SLOTS]; /* connections that others replaced in this burst */
	unsigned ended_count;
	struct cut cuts[CUTS_MAX];
	unsigned cut_count;

	struct burst burst;
};

/* One turn of the loop: up to BURST_RX packets from rx to tx. Returns how many came. */
unsigned worker_turn(struct worker *w);

/*
 * The same in parts, for who receives by himself: w->burst's `n` packets are in `pkt`, `n` > 0.
 * Between front and back packets may be taken out: SLOT_HELD.
 */
void worker_front(struct worker *w);
void worker_back(struct worker *w);
/* To a port. Returns how many it took; the rest stays the caller's. */
unsigned worker_send(struct worker *w, enum port_role role, struct rte_mbuf **m, unsigned n);
/* Forgets what is idle, a bounded number at a time. */
void worker_sweep(struct worker *w);

/* Uses the newest policy and rules from here on. Between turns. */
void worker_take(struct worker *w);

/* No more packets will come: ends all flows, calls and fragments. */
void worker_finish(struct worker *w);

void stage_decode(struct worker *w, struct burst *b);
void stage_one(struct worker *w, struct burst *b);
void stage_flow(struct worker *w, struct burst *b);
void stage_stream(struct worker *w, struct burst *b);
void stage_inspect(struct worker *w, struct burst *b);
void stage_verdict(struct worker *w, struct burst *b);

/* A decoded packet as stage one's checks want it. */
void stage_packet_of(const struct rte_mbuf *m, const struct headers *h, struct stage_packet *p);

/* A flow for slot i's packet; NULL: no room. */
struct flow *flow_make(struct worker *w, struct burst *b, unsigned i);

/* A slot for what was held until that turn; the caller has seen that the burst has room. */
unsigned burst_readmit(struct burst *b, struct rte_mbuf *m, struct flow *f, struct burst_turn turn);

/* The slot's packet is a copy of one that waits: that one leaves for both. */
void slot_absorb(struct worker *w, struct burst *b, unsigned i);

/* Raises a slot's verdict; the stronger stays, and its reason. Counts the reason. */
void slot_decide(struct worker *w, unsigned slot, enum verdict verdict, enum reason reason);

/* Counts a reason that changes no verdict. */
static inline void worker_note(struct worker *w, uint32_t tenant, enum reason reason)
{
	w->counters->reasons[reason]++;
	w->tenants[tenant].reasons[reason]++;
}

/* When a flow that is not heard from any more is forgotten: ns. For flow_table_sweep(). */
uint64_t flow_deadline(const void *worker, const struct flow *f);

/* Ends a flow's parsers, tells the events, gives back what it holds. For flow_table_new(). */
void flow_end(void *worker, struct flow *f, enum reason why);

#endif
