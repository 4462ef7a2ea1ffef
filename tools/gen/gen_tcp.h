/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A TCP connection as the wire between its ends sees it: handshake, segments,
 * acknowledgements, close, and the faults of real networks. Every byte arrives
 * with its right content; only a decoy's second copy lies.
 */
#ifndef POSTERN_GEN_TCP_H
#define POSTERN_GEN_TCP_H

#include "tools/gen/gen_counts.h"
#include "tools/gen/gen_packet.h"
#include "tools/gen/gen_random.h"

/* How often a data segment (over UDP: a message) meets each fault, in millionths. */
struct gen_faults {
	uint32_t retransmit; /* comes again, the same */
	uint32_t reorder;    /* changes places with the next one */
	uint32_t overlap;    /* begins with bytes that the one before ended with */
	uint32_t fragment;   /* as two or three IP fragments */
	uint32_t decoy;      /* comes again with other bytes, as an attacker would have it */
};

struct gen_conn {
	struct gen_flow *flow;
	struct gen_path *path;
	struct gen_random *random;
	const struct gen_faults *faults;
	struct gen_counts *counts;
	uint64_t now_ns;      /* the next packet's time */
	uint64_t half_rtt_ns; /* from the wire to the server and back: twice that */
	uint16_t mss;         /* payload bytes a segment, at least 88 */
	uint32_t seq[2];      /* next, by sender */
	bool owes_ack[2];     /* by who owes it: rides on data, or goes after a while */
};

void conn_open(struct gen_conn *conn);
void conn_send(struct gen_conn *conn, enum gen_direction sender, const void *data, size_t len);
/* Both ends finish, the sender first. */
void conn_close(struct gen_conn *conn, enum gen_direction first);
/* Somebody thinks. */
void conn_wait(struct gen_conn *conn, uint64_t ns);

#endif
