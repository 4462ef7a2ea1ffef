/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's side of the gate for control: loads bpf/gate.bpf.c, makes or adopts
 * the pinned maps, keeps them in step with the policy, reads the counters.
 *
 * One thread; allocates; system calls. Needs root, or CAP_BPF and CAP_NET_ADMIN. 0 or -errno;
 * what went wrong in words is in gate_maps_error().
 */
#ifndef POSTERN_GATE_MAPS_H
#define POSTERN_GATE_MAPS_H

#include "bpf/gate_view.h"
#include "bpf/policy.h"

struct gate_maps;

/*
 * Loads `object` (gate.bpf.o, gate-large.bpf.o) with its maps pinned in `dir`, a bpffs (GATE_BPFFS
 * in a live gate). Maps that are pinned there already are adopted with all that they hold: tenants'
 * states, buckets, counters. Maps of another version are refused, -EPROTO, and left as they are.
 * NULL with errno, and a line in `error`.
 */
struct gate_maps *gate_maps_open(const char *object, const char *dir, char error[GATE_ERROR_SIZE]);

/* The maps stay pinned, and attached programs go on. NULL is fine. */
void gate_maps_close(struct gate_maps *maps);

/* Takes the pins away; the maps live as long as programs use them. 0, also without any. */
int gate_maps_unpin(const char *dir);

/* The last failure in words; the object's. */
const char *gate_maps_error(const struct gate_maps *maps);

/* What is mapped; the object's. */
struct gate_view *gate_maps_view(struct gate_maps *maps);

/* File descriptors for bpf(2), the object's: the loaded program and its own xsks_map. */
int gate_maps_program(const struct gate_maps *maps);
int gate_maps_sockets(const struct gate_maps *maps);

/* What gate_maps_apply() changed. */
struct gate_changes {
	unsigned tenants; /* slots written or cleared */
	bool prefixes;    /* the table of prefixes was replaced */
	unsigned blocked; /* networks put or deleted */
	unsigned ports;   /* words of the table of ports */
};

/* Whether there is room for its tenants and the table of their prefixes: 0 or -E2BIG. */
int gate_maps_fits(struct gate_maps *maps, const struct policy *policy);

/*
 * Brings the maps to the policy: only what differs is written, and a tenant that stays is
 * known all the time: all prefixes change their owners at once, between two packets. Tenants are
 * told apart by their ids: what holds now of a tenant that stays (buckets, and its state unless the
 * configuration's has changed) is kept, in another slot too. Who keeps slots where they are from
 * policy to policy avoids that packets meet a neighbour's slot for the moment of the change.
 *
 * Of prefixes it takes the table, of blocked networks the list.
 *
 * -E2BIG: gate_maps_fits() says no, and nothing was changed. After any other failure the maps hold
 * a part of it, and applying a policy again mends that. `changes` may be NULL.
 */
int gate_maps_apply(struct gate_maps *maps, const struct policy *policy,
		    struct gate_changes *changes);

/* A port's place in the gate: `place` < GATE_PORTS; ifindex 0 frees it. */
void gate_maps_port(struct gate_maps *maps, uint32_t place, const struct gate_port *port);

/* What the dataplane found out about a flow. */
int gate_maps_flow(struct gate_maps *maps, const struct flow_key *key,
		   const struct flow_verdict *verdict);
int gate_maps_flow_forget(struct gate_maps *maps, const struct flow_key *key);

/* Summed over CPUs, since the maps were made. `place` GATE_PORTS: ports without one. */
int gate_maps_port_counters(struct gate_maps *maps, uint32_t place,
			    struct gate_port_counters *counters);
int gate_maps_tenant_counters(struct gate_maps *maps, uint32_t slot,
			      struct gate_tenant_counters *counters);
/* Of slots 0 to count - 1; many at a time. */
int gate_maps_tenants_counters(struct gate_maps *maps, uint32_t count,
			       struct gate_tenant_counters *counters);
/* The slot becomes another's: its counters begin anew. */
int gate_maps_tenant_forget(struct gate_maps *maps, uint32_t slot);

#endif
