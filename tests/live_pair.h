/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two TCP endpoints with a live gate between them, and a network that loses, doubles, delays and
 * reorders on both sides of it. The endpoints are models with reliable delivery of
 * their own (RFC 9293; SACK, window scaling and timestamps if asked for); the
 * gate is the real worker. Time is the model's. What an endpoint may never see fails the test at
 * once: a wrong checksum, an acknowledgement of what it never sent, bytes that change.
 */
#ifndef POSTERN_TESTS_LIVE_PAIR_H
#define POSTERN_TESTS_LIVE_PAIR_H

#include "tests/gate_fixture.h"
#include "tests/segment.h"

#define PAIR_STREAM 32768 /* bytes of a direction, at most */
#define PAIR_FLIGHT 1024  /* packets on the way */

struct pair;

enum peer_state {
	PEER_CLOSED,
	PEER_SYN,         /* sent, or received */
	PEER_ESTABLISHED, /* and later, up to both FINs */
	PEER_RESET,
};

struct peer_options {
	uint32_t mss;      /* bytes of a segment, at most */
	bool tiny;         /* one byte at a time */
	bool nagle;        /* RFC 9293 3.7.4 */
	bool sack;         /* says what it has beyond a gap */
	uint32_t buffer;   /* bytes it takes before its application reads */
	uint8_t scale;     /* of its windows; 0: not offered */
	uint32_t appetite; /* bytes that its application reads at once */
};

/* Offsets are of the stream, 0 its first byte; a FIN is one behind the last. */
struct peer {
	struct peer_options options;
	enum peer_state state;
	uint32_t isn;
	uint8_t out[PAIR_STREAM]; /* what its application wrote */
	uint32_t out_len;
	bool out_fin; /* and nothing more */
	bool sacked[PAIR_STREAM + 1];
	uint32_t una, nxt, max, right; /* right: as far as the other end allows */
	unsigned copies, backoff;      /* duplicate acknowledgements, timeouts in a row */
	uint64_t timeout, quiet;       /* quiet: long after it sent its last packet */
	uint8_t in[PAIR_STREAM];       /* what came */
	bool have[PAIR_STREAM + 1];
	uint32_t in_next, in_read, in_right, in_fin; /* in_fin: UINT32_MAX: none came */
	uint32_t in_max;                             /* behind the last byte that came */
	bool ack_now;
	uint32_t stamp; /* the latest that came in order */
};

struct pair_options {
	bool ipv6, vlan, stamps;
	uint16_t port;                   /* the server's; 0: SMTP's */
	unsigned loss, copies, disorder; /* per mille, on each of the four links */
	struct peer_options peer[2];     /* client, server */
};

struct pair_packet {
	uint64_t time;
	uint8_t *frame;
	uint32_t len;
	bool to_gate;
	unsigned to; /* the peer that it is for */
};

struct pair {
	struct gate_fixture *g;
	struct pair_options options;
	struct segment_ends ends;
	struct peer peer[2];
	/* Applications: called whenever something may have come. */
	void (*app)(struct pair *p, unsigned side);
	void *ctx;
	unsigned long long seed; /* for what a failure says */
	uint64_t random, now, began, gate_time;
	struct pair_packet flight[PAIR_FLIGHT];
	unsigned in_flight;
	unsigned from_gate; /* packets that the gate wrote itself */
	FILE *trace;        /* NULL: none */
};

/* `tenant`: the client's address is 10.TENANT.0.2, or 2001:db8:TENANT::2. */
/* A network that does nothing, and ends that take everything. */
struct pair_options pair_easy(void);
/* Whatever a network does, and however ends are made. */
struct pair_options pair_hostile(uint64_t seed);

void pair_open(struct pair *p, struct gate_fixture *g, const struct pair_options *options,
	       unsigned tenant, uint64_t seed);
void pair_close(struct pair *p);

/* One event. False: nothing will happen any more but timers of the gate's. */
void pair_step(struct pair *p);

/* Appends to what the side's application says. */
void peer_write(struct pair *p, unsigned side, const void *data, uint32_t len);
void peer_finish(struct pair *p, unsigned side);
/* Its application has everything that the other side will say. */
bool peer_heard_all(const struct peer *peer);
/* All it said, with FIN, was acknowledged. */
bool peer_said_all(const struct peer *peer);

/* A packet of the side's, whatever it says; offsets as above, not with what it knows. */
void peer_send_raw(struct pair *p, unsigned side, uint8_t flags, uint32_t at, const void *data,
		   uint32_t len);

#endif
