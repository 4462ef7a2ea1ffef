/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A gate in a test: packets in, one turn of its worker after the other, and what
 * left. Then the two ends of a TCP connection, for tests to make packets of.
 */
#ifndef POSTERN_TESTS_GATE_FIXTURE_H
#define POSTERN_TESTS_GATE_FIXTURE_H

#include "bpf/event.h"
#include "bpf/stage_result.h"
#include "dataplane/port_capture.h"

#define FIXTURE_FRAME 66000 /* bytes: more than any packet */

/* A packet that left the gate. */
struct left_packet {
	struct headers hdr;
	struct packet_meta meta; /* its pointers mean nothing any more */
	uint8_t *bytes;
	uint32_t len;
	bool sound; /* its checksums are right */
};

struct gate_fixture {
	struct policy *policy;
	struct gate *gate;
	struct port_capture port;
	struct worker *w;
	uint64_t time, number; /* the next packet's */
	uint64_t step;         /* ns from packet to packet */
	uint8_t flags;         /* enum packet_flag, of the next packets */
	uint8_t from;          /* enum stage_from, the same */
	unsigned queued;       /* in the port, not taken yet */
	struct left_packet *left;
	unsigned left_count, left_room;
	char digests[8][65]; /* of the first messages, in the order of their ends */
	unsigned digest_count;
	void (*event)(void *unused, const struct event_head *head); /* NULL: nobody looks */
};

/* DPDK's environment, once a process. */
void gate_fixture_environment(void);

/* config: the text of a configuration, NULL for the defaults; budgets are small where it says
 * nothing of them. Ends the test that can't have it. */
void gate_fixture_open(struct gate_fixture *g, const char *config);
/* The same gate in the wire: peers hear it. */
void gate_fixture_open_live(struct gate_fixture *g, const char *config);
/* And `entries` are in a list's file, whose path is the configuration's %s, once or twice. */
void gate_fixture_open_listed(struct gate_fixture *g, const char *config, const char *entries);
/* Fails the test if a packet's buffer was not given back. */
void gate_fixture_close(struct gate_fixture *g);
/* Ends all flows, forgets what was counted and what left. */
void gate_fixture_reset(struct gate_fixture *g);

/* A packet for the next turn; `wirelen` 0: as much as there is. A full port takes a turn first. */
void gate_fixture_put(struct gate_fixture *g, uint16_t link, const void *frame, uint32_t len,
		      uint32_t wirelen);
void gate_fixture_turn(struct gate_fixture *g);
/* Turns as long as packets are queued. */
void gate_fixture_run(struct gate_fixture *g);
/* What left so far is forgotten. */
void gate_fixture_forget(struct gate_fixture *g);
/* Ends the flows; waits for nothing more. */
void gate_fixture_finish(struct gate_fixture *g);

/* Two ends. Addresses are IPv4's, in host order; [0] is the client. */
struct talk {
	uint32_t addr[2];
	uint16_t port[2];
	uint32_t isn[2];
};

extern const struct talk talk_smtp; /* 10.1.0.2 to 203.0.113.9, port 25 */

/* One packet, Ethernet and IPv4, checksums right. Returns its length. */
uint32_t talk_frame(uint8_t *to, const struct talk *t, unsigned sender, uint8_t flags, uint32_t seq,
		    uint32_t ack, const void *data, uint32_t len);
/* The same, into the gate; seq and ack are offsets in the streams, 0 their first bytes. */
void talk_put(struct gate_fixture *g, const struct talk *t, unsigned sender, uint8_t flags,
	      uint32_t seq, uint32_t ack, const void *data, uint32_t len);
/* SYN, SYN and ACK, ACK. */
void talk_handshake(struct gate_fixture *g, const struct talk *t);
/* Makes an IPv4 frame's checksums right again. */
void frame_finish(uint8_t *frame, uint32_t l3);

/* splitmix64 */
uint64_t fixture_random(uint64_t *state);
static inline uint32_t fixture_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)(fixture_random(state) % n);
}

#endif
