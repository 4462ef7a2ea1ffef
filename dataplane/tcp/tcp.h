/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP as a watcher between the endpoints sees it (RFC 9293): what of a segment
 * is new and in order, what was sent before, what must wait. Each direction
 * follows the sequence numbers of its sender; acknowledgements tell what the other
 * end has.
 */
#ifndef POSTERN_TCP_H
#define POSTERN_TCP_H

#include "dataplane/worker.h"

enum tcp_flags {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
};

/* A flow's first packet: counts it. */
void tcp_open(struct worker *w, struct flow *f, const struct headers *h);

/*
 * First copies are kept of so much, per direction; a live gate lets no more be on its way, as a
 * copy of what was lost behind the gate could not be compared. Window fields are cut to it, so that
 * few segments find it full.
 */
#define TCP_HISTORY (256u * 1024)

void tcp_limit_window(struct worker *w, struct flow *f, struct rte_mbuf *m, struct headers *h);

/* Everything but the payload: handshake, acknowledgement, reset. */
void tcp_track(struct worker *w, struct flow *f, const struct headers *h);

/* Whether a SYN opens a new connection between ports that an old one used. */
bool tcp_reopens(const struct worker *w, const struct flow *f, const struct headers *h);

/* How far the side's window field is to be shifted (RFC 7323 2.2: both said so, or nobody). */
static inline unsigned tcp_scale(const struct flow *f, unsigned side)
{
	return f->scale[0] && f->scale[1] ? RTE_MIN(f->scale[side] - 1u, 14u) : 0;
}

enum tcp_place {
	TCP_IN_ORDER, /* the meta says what is new */
	TCP_AHEAD,    /* beyond a gap */
	TCP_BEHIND,   /* all of it was sent before */
	TCP_OUTSIDE,  /* no receiver would take it */
	TCP_FULL, /* more is on its way than first copies can be kept of: it has to come again */
};

/*
 * Places the payload that the packet's meta describes. *known: how many of its bytes were sent
 * before. In order: the direction advances, and the meta is trimmed to what is new.
 */
enum tcp_place tcp_place(struct worker *w, struct flow *f, unsigned side, struct rte_mbuf *m,
			 uint32_t *known);

/*
 * Compares `len` bytes that were sent before with their first copies, once these are
 * forwarded, and overwrites what differs. Returns enum segment_match, or-ed; what the receiver
 * has acknowledged is never unknown, unless tcp_withhold() said that it did not come from here.
 */
unsigned tcp_verify(const struct flow *f, unsigned side, uint32_t seq, uint8_t *data, uint32_t len);

/* A packet's acknowledgement, once it is carried out: first copies before it are forgotten. */
void tcp_settle(struct worker *w, struct flow *f, unsigned side, uint32_t ack);

/* A packet is about to be inspected. `read`: its payload is in order and new. */
void tcp_inspect(struct flow *f, const struct headers *h, const struct packet_meta *meta,
		 bool read);

/* These bytes do not leave: sent again, they are no copies of what did. */
void tcp_withhold(struct flow *f, unsigned side, uint32_t seq, uint32_t len);

enum tcp_kept {
	TCP_KEPT,    /* the queue has the reference now; only what is new is left in it */
	TCP_COPY,    /* all of it is in the queue already */
	TCP_NO_ROOM, /* over the budget */
};

/* Do bytes before `end` wait to be read? */
static inline bool tcp_awaits(const struct flow *f, unsigned side, uint32_t end)
{
	const struct tcp_half *half = &f->half[side];

	return (half->flags & HALF_WAITING) && seq_before(half->read, end);
}

/* Is there room for `len` bytes more? */
bool tcp_has_room(const struct worker *w, const struct flow *f, unsigned side, uint32_t len);

/* Keeps a segment for later. */
enum tcp_kept tcp_keep(struct worker *w, struct flow *f, unsigned side, struct rte_mbuf *m);

/*
 * The next segment of the queue that is in order now, or NULL; the reference is the caller's.
 * *gap: bytes before it that the other end has and the gate never saw. `last`: nothing
 * more will come, so gaps are final.
 */
struct rte_mbuf *tcp_next(struct flow *f, unsigned side, bool last, uint32_t *gap);

/* Remembers a forwarded segment as the first copy until it is acknowledged. */
void tcp_remember(struct worker *w, struct flow *f, unsigned side, struct rte_mbuf *m);

/* Forgets first copies and frees what waits. */
void tcp_clear(struct worker *w, struct flow *f);

#endif
