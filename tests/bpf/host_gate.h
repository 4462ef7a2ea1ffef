/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The XDP program's checks as the host compiles them, over tables in plain memory that are
 * searched from end to end: what bpf/gate.bpf.c must say too.
 */
#ifndef POSTERN_TESTS_HOST_GATE_H
#define POSTERN_TESTS_HOST_GATE_H

#include "bpf/maps.h"
#include "bpf/policy.h"

#define HOST_TENANTS 64
#define HOST_FLOWS   16
#define HOST_MEDIA   4

struct host_gate {
	struct gate_shared shared;
	uint64_t heartbeats[GATE_PORTS * GATE_QUEUES];
	bool socket; /* on every queue */
	uint64_t inspected[GATE_PORT_WORDS];
	uint64_t epochs[FLOW_EPOCHS];
	struct prefix_list prefixes, blocked; /* the policy's */
	struct tenant_slot *tenants;          /* `slots`, or anybody's */
	struct tenant_slot slots[HOST_TENANTS];
	struct {
		struct flow_key key;
		struct flow_verdict verdict;
	} flows[HOST_FLOWS];
	unsigned flow_count;
	struct reach reach[HOST_TENANTS];
	struct peer_set peers[HOST_TENANTS * PEER_SETS];
	struct media media[HOST_MEDIA];
	uint32_t media_first[HOST_TENANTS];
	struct gate_port_counters counters[GATE_PORTS + 1];
	struct gate_tenant_counters per_tenant[HOST_TENANTS];
};

/* From a policy, which must live as long. */
void host_gate_init(struct host_gate *g, const struct policy *policy);

/* A packet as it comes in by a port; `now` as bpf_ktime_get_ns() has it. */
struct stage_result host_gate_run(struct host_gate *g, uint32_t ifindex, uint32_t queue,
				  uint64_t now, const void *frame, uint32_t len);

/* Its decoder alone. */
void host_gate_decode(const void *frame, uint32_t len, struct stage_packet *p);

#endif
