/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small gate for conversations: packets of two ends go in, and the rules that
 * hit are known. It is the gate of every replay, with its stages and parsers; it
 * refuses nothing, so that one rule doesn't stand before another. One a process.
 */
#ifndef POSTERN_TOOLS_SAMPLES_GATE_H
#define POSTERN_TOOLS_SAMPLES_GATE_H

#include "dataplane/port_capture.h"
#include "tools/gen/gen_tcp.h"
#include "tools/samples/samples_script.h"

/* Tenants that samples name have addresses of their own. */
struct samples_tenant {
	const char *name, *tier; /* NULL: of no tier in particular */
};

#define SAMPLES_TENANTS 50

struct samples_gate {
	struct samples_tenant tenants[SAMPLES_TENANTS];
	unsigned tenant_count;
	struct policy *policy;
	struct gate *gate;
	struct port_capture port;
	struct worker *worker;
	struct gen_flow flow; /* the packets of the conversation in hand */
	uint64_t time;        /* ns: where the next one begins */
	uint64_t packets;
	uint32_t conversation; /* its number: each has ends of its own */
};

/* How a conversation is cut into packets. */
struct samples_way {
	const char *name;
	uint8_t transport;
	uint16_t segment;   /* TCP: payload bytes of one, at most */
	uint16_t fragments; /* UDP: pieces that a datagram comes in */
	bool cuts;          /* where the sample says */
};

extern const struct samples_way samples_ways[];
extern const size_t samples_way_count;

bool samples_way_suits(const struct samples_way *way, const struct sample *sample,
		       const struct script *script);

/*
 * 0, or -errno with words. `config`: a configuration instead of the ordinary one, or NULL; else the
 * tenants are those that the samples name, and one.
 */
int samples_gate_open(struct samples_gate *g, const struct ruleset *ruleset,
		      const struct sample_list *samples, const char *config,
		      char error[GATE_ERROR]);
void samples_gate_close(struct samples_gate *g);

/* Its conversation, as often as the sample says; rule_hits of the worker says afterwards what hit,
 * each rule at its place. */
void samples_gate_talk(struct samples_gate *g, const struct sample *sample, struct script *script,
		       const struct samples_way *way);

#endif
