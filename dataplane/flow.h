/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flows: what the gate remembers of two endpoints. One table per worker, which
 * alone touches it: bounded, allocated once, never grown.
 */
#ifndef POSTERN_FLOW_H
#define POSTERN_FLOW_H

#include <assert.h>
#include <rte_prefetch.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/policy.h"
#include "dataplane/match/match_keep.h"
#include "dataplane/packet.h"
#include "dataplane/tcp/segment_queue.h"

struct editor;

enum flow_state {
	FLOW_NEW,         /* TCP: no handshake yet; UDP: one direction */
	FLOW_ESTABLISHED, /* both directions seen */
	FLOW_CLOSED,      /* FIN both ways, or RST */
};

enum flow_flag {
	FLOW_MIDSTREAM = 1 << 0,
	FLOW_REFUSED = 1 << 1,         /* nothing of it is forwarded any more */
	FLOW_REFUSE_GREETING = 1 << 2, /* refused as soon as the server greets */
	FLOW_UNINSPECTED = 1 << 3,     /* the parser gave up, or TLS: forwarded, counted */
	FLOW_ENCRYPTED = 1 << 4,
	FLOW_OUTBOUND = 1 << 5, /* the client is the tenant: limits and policy apply */
	FLOW_ADMITTED = 1 << 6, /* the connection was decided upon, and not dropped */
	FLOW_RESET = 1 << 7,
	FLOW_ADMIT_LATE = 1 << 8, /* its SYN was taken for another's: the answer decides */
};

enum half_flag {
	HALF_SEEN = 1 << 0, /* `next` is valid */
	HALF_SYN = 1 << 1,
	HALF_FIN = 1 << 2,       /* a FIN was seen */
	HALF_INSPECTED = 1 << 3, /* `inspected` is valid */
	HALF_ACKED = 1 << 4,     /* `acked` is valid */
	HALF_WAITING = 1 << 5,   /* the parser wants the other side's answer first */
	HALF_DRAINING = 1 << 6,  /* what waited is being inspected */
	HALF_SETTLED = 1 << 7,   /* `settled` is valid */
};

/* One direction of a TCP connection, named after its sender. */
struct tcp_half {
	uint32_t next;  /* sequence number of the next byte to inspect */
	uint32_t acked; /* the other side has everything before it */
	uint32_t isn;
	uint8_t flags;         /* enum half_flag */
	uint8_t patience;      /* packets since a gap that the other side says is none */
	uint16_t withheld_len; /* kept back by the gate, from `withheld` on, or some of it */
	uint32_t withheld;
	uint32_t read; /* while waiting: the first byte that was not inspected yet */
	/* `next` and `acked` as the packet in hand has them: the stream stage is ahead of it. */
	uint32_t inspected;
	uint32_t settled;
	struct segment_queue ahead; /* beyond `next`, or waiting */
	struct segment_queue sent;  /* first copies, forwarded and not acknowledged yet */
};

struct flow {
	struct flow_key key;
	uint64_t hash;
	uint64_t last_seen; /* ns */
	union {
		struct match_keep rules;
		struct { /* of which these are the flow's own: */
			uint64_t id;
			uint64_t flowbits;
			uint32_t flowbit_names;
			uint32_t tenant; /* slot */
		};
	};
	uint16_t flags; /* enum flow_flag */
	uint8_t app;    /* enum port_app */
	uint8_t state;  /* enum flow_state */
	uint8_t client; /* the client's place in the key: 0 or 1 */
	uint8_t reason; /* enum reason: why it was refused or given up */
	bool used;
	uint8_t sniffed;    /* payloads looked at on a port that is not inspected */
	bool reopening;     /* a SYN with another number came: `reopen_isn` */
	uint8_t scale[2];   /* TCP: window shift by side, and one; 0: none was offered */
	uint16_t window[2]; /* TCP: as last offered, by side */
	uint8_t unread;     /* packets since it need not be read: dataplane/kernel_flow.h */
	uint32_t reopen_isn;
	uint32_t told_epoch;    /* `told` holds unless this is not the epoch any more */
	uint32_t round;         /* the worker's round that last touched it: not evicted in it */
	struct flow *successor; /* a new connection between the same ports, this round */
	uint32_t tenant_next;   /* the tenant's flows, oldest first; UINT32_MAX ends */
	uint32_t tenant_prev;
	struct editor *editor; /* NULL: nothing of it was ever changed */
	void *session;         /* the parsers' state, in a block of the app's pool */
	uint64_t first_seen;   /* ns */
	uint64_t told;         /* ns: the kernel was told of it, and need not be until then */
	uint64_t bytes[2];     /* by sender's place in the key */
	uint32_t packets[2];
	struct tcp_half half[2];
};

static_assert(offsetof(struct flow, id) ==
			      offsetof(struct flow, rules) + offsetof(struct match_keep, id) &&
		      offsetof(struct flow, tenant) ==
			      offsetof(struct flow, rules) + offsetof(struct match_keep, tenant),
	      "what rules keep of a flow names it");

/* All of it is on its way into the cache. */
static inline void flow_prefetch(const struct flow *f)
{
	for (size_t at = 0; at < sizeof(*f); at += RTE_CACHE_LINE_SIZE)
		rte_prefetch0((const uint8_t *)f + at);
}

static inline bool flow_from_client(const struct flow *f, unsigned side)
{
	return side == f->client;
}

#endif
