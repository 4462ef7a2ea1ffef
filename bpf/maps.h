/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * What the XDP program, the dataplane and posternd share: the kernel's maps. Those marked
 * "mapped" are arrays that all three read and write in place (BPF_F_MMAPABLE; user space through
 * bpf/gate_view.h); the rest go through system calls, control's alone.
 *
 *   postern_gate        mapped   struct gate_shared, one: versions, choices, ports
 *   postern_heartbeats  mapped   struct gate_heartbeat by gate_queue_index()
 *   postern_tenants     mapped   struct tenant_slot by slot
 *   postern_inspected   mapped   words of 64 bits by gate_port_word(): ports that are read; behind
 *                                them those of SIP
 *   postern_blocked     LPM      struct gate_prefix to anything
 *   postern_flows       LRU      struct flow_key to struct flow_verdict
 *   postern_epochs      mapped   u64 by struct flow_verdict's place: workers count them up
 *   postern_peers       mapped   struct peer_set by gate_peer_set(): the kernel's to write
 *   postern_reach       mapped   struct reach by slot: the kernel's to write
 *   postern_media       mapped   struct media by place, from 1: emergency calls' media
 *   postern_media_first mapped   u64 by slot: the tenant's first place, 0: it has none
 *   postern_prefix_nodes, postern_prefix_leaves
 *                       mapped   the policy's table of prefixes, two halves of struct prefix_node,
 *                                and of struct gate_leaves; its roots are in postern_gate
 *   postern_counters    per CPU  struct gate_port_counters by port, GATE_PORTS for others
 *   postern_per_tenant  per CPU  struct gate_tenant_counters by slot
 *   xsks_map            XSKMAP   by queue; each port's own, not pinned: its AF_XDP driver fills it
 *
 * All but the last are pinned by name. Sizes are compiled in: a program that is loaded by others
 * (DPDK's AF_XDP driver) finds the maps only if they are the very same. So there are two objects of
 * the one source, for few tenants and for many: a slot takes 6.4 KiB, and what a CPU counts.
 *
 * The table of prefixes is there twice. struct gate_shared's word `prefixes` counts how often it
 * was replaced; its last bit is the half that holds. posternd writes the other one, when all
 * packets are gone that may have begun while that one held, and counts up: a packet goes by the old
 * table or by the new one, and whoever dies while he writes leaves what holds as it is.
 *
 * Times are ns of CLOCK_MONOTONIC, which is what bpf_ktime_get_ns() reads.
 */
#ifndef POSTERN_MAPS_H
#define POSTERN_MAPS_H

#include "bpf/media.h"
#include "bpf/peers.h"
#include "bpf/prefix_table.h"
#include "bpf/reach.h"
#include "bpf/reason.h"
#include "bpf/stage_packet.h"
#include "bpf/stage_result.h"
#include "bpf/tenant.h"

#define GATE_MAGIC 0x4e525450u /* "PTRN" */
#define GATE_ABI   8           /* of this file, the order of stage_one.h's and reason.h's lists */

#define GATE_PROGRAM "postern_xdp" /* the program's name in the kernel */
#define GATE_SOCKETS "xsks_map"    /* the driver's name for it */
#define GATE_BPFFS   "/sys/fs/bpf" /* where it pins, and where all look */

/*
 * The program on an interface (by number) is pinned, too: without CAP_SYS_ADMIN nobody may look at
 * a program by its id, and only so is it known that one that is found there is the gate's. One
 * that takes its place is pinned as _next before it is put there: one of the two always is the
 * one that runs, whenever who does it dies.
 */
#define GATE_PROGRAM_PIN      GATE_BPFFS "/postern_xdp_%d"
#define GATE_PROGRAM_PIN_NEXT GATE_PROGRAM_PIN "_next"

/* The arrays that are mapped, by struct gate_view's members: the map's name, element, elements. */
#define GATE_ARRAYS(X)                                                                    \
	X(shared, postern_gate, struct gate_shared, 1)                                    \
	X(heartbeats, postern_heartbeats, struct gate_heartbeat, GATE_PORTS *GATE_QUEUES) \
	X(inspected, postern_inspected, uint64_t, GATE_PORT_WORDS)                        \
	X(epochs, postern_epochs, uint64_t, FLOW_EPOCHS)                                  \
	X(media, postern_media, struct media, GATE_MEDIA)
/* The same of those by tenants' slots: elements of a slot. */
#define GATE_SLOT_ARRAYS(X)                                                                     \
	X(tenants, postern_tenants, struct tenant_slot, 1)                                      \
	X(peers, postern_peers, struct peer_set, PEER_SETS)                                     \
	X(reach, postern_reach, struct reach, 1)                                                \
	X(media_first, postern_media_first, uint64_t, 1)                                        \
	X(prefix_nodes, postern_prefix_nodes, struct prefix_node, GATE_HALVES *GATE_SLOT_NODES) \
	X(prefix_leaves, postern_prefix_leaves, struct gate_leaves,                             \
	  GATE_HALVES *GATE_SLOT_LEAVES / GATE_LEAVES)

/* Every map that is pinned, by name. */
#define GATE_MAP_NAME(member, map, element, count) #map,
#define GATE_PINS                       \
	GATE_ARRAYS(GATE_MAP_NAME)      \
	GATE_SLOT_ARRAYS(GATE_MAP_NAME) \
	"postern_blocked", "postern_flows", "postern_counters", "postern_per_tenant"

enum gate_size {
	GATE_PORTS = 8,
	GATE_QUEUES = 64,          /* of a port */
	GATE_SLOTS_SMALL = 8192,   /* tenants' slots, of gate.bpf.o */
	GATE_SLOTS_LARGE = 131072, /* of gate-large.bpf.o */
	GATE_HALVES = 2,
	GATE_SLOT_NODES = 8,   /* of the table of prefixes, by tenants' slots, in a half */
	GATE_SLOT_LEAVES = 32, /* the same */
	GATE_LEAVES = 16,      /* of an element */
	GATE_BLOCKED = 1 << 20,
	GATE_BLOCKED_MOST = GATE_BLOCKED / 2, /* of a policy: others' come before the old ones go */
	GATE_FLOWS = 1 << 16,
	GATE_MEDIA = 4096,
	GATE_PORT_CALLS = 2 * 65536 / 64, /* where SIP's begin */
	GATE_PORT_WORDS = 2 * GATE_PORT_CALLS,
};

/* What becomes of packets that the dataplane should see while it can't. */
enum gate_failure {
	GATE_FAIL_OPEN, /* to the other port, unread */
	GATE_FAIL_CLOSED,
};

enum gate_port_flag {
	GATE_SPOOF_SHADOW = 1 << 0, /* count sources that are no tenant's, and let them pass */
};

struct gate_port {
	uint32_t ifindex; /* 0: the place is free */
	uint32_t peer;    /* the other port's ifindex */
	uint32_t from;    /* enum stage_from: the side it is on */
	uint32_t failure; /* enum gate_failure */
	uint32_t flags;   /* enum gate_port_flag */
	uint32_t pad;
	uint64_t heartbeat_max; /* ns; 0: a socket is enough */
};

/* Written by posternd. What a reader does not expect is refused, never guessed at. */
struct gate_shared {
	uint32_t magic;
	uint32_t abi;
	uint32_t tenant_abi;
	uint32_t tenant_size; /* bytes; so all sizes */
	uint32_t reasons;
	uint32_t counters_size;
	uint32_t per_tenant_size;
	uint32_t shadow;     /* count everything, drop nothing: policy.shadow */
	uint32_t blocked;    /* whether postern_blocked has any entry */
	uint32_t flows;      /* whether postern_flows has ever had any */
	uint32_t reach;      /* different addresses within a minute that are not too many; 0: any */
	uint32_t reach_drop; /* others' packets are dropped: policy.actions.probing */
	uint32_t media;      /* places of postern_media that are taken: workers count them */
	uint32_t prefixes;   /* tables of prefixes so far: gate_prefix_half() */
	uint64_t generation; /* of the policy that the maps hold */
	uint64_t key[2];     /* of hashes; random, of the machine's run */
	struct gate_port port[GATE_PORTS];
	uint32_t vlan_owner[VLANS]; /* slot of the one tenant that has the VLAN; 0: none, several */
	struct prefix_roots prefix_roots[GATE_HALVES];
};

/* Who polls a queue writes the time into it, every few milliseconds. */
struct gate_heartbeat {
	uint64_t ns;
	uint64_t pad[7];
};

/* Leaves of a table of prefixes: one after the other, as elsewhere. */
struct gate_leaves {
	uint32_t slot[GATE_LEAVES];
};

/*
 * Network order. The length counts from `family` on: GATE_PREFIX_HEAD bits more than the address's.
 */
struct gate_prefix {
	uint32_t length;
	uint8_t family;
	uint8_t zero[3];
	uint8_t addr[16];
};

#define GATE_PREFIX_HEAD 32

struct gate_port_counters {
	uint64_t packets, bytes;
	uint64_t class[CLASS_COUNT];
	uint64_t action[WIRE_COUNT];
	uint64_t reason[REASON_COUNT][WIRE_COUNT]; /* packets, by what was said and done */
	uint64_t shadow[CHECK_COUNT];              /* would have been dropped for it */
};

struct gate_tenant_counters {
	uint64_t packets[2], bytes[2]; /* inbound, outbound */
	uint64_t inspected;            /* packets to the dataplane */
	uint64_t bytes_tls;            /* both ways, passed unread: of its connections under TLS */
	uint64_t failed;               /* of these, not taken by it */
	uint64_t media;                /* packets of emergency calls' media */
	uint64_t dropped[CHECK_COUNT];
	uint64_t shadow[CHECK_COUNT];
};

/* The half of the table of prefixes that holds. */
static inline uint32_t gate_prefix_half(uint32_t prefixes)
{
	return prefixes % GATE_HALVES;
}

/* Whether one of the halves has room for it, in maps of so many tenants' slots. */
static inline bool gate_prefixes_fit(uint32_t slots, const struct prefix_table *table)
{
	return table->node_count <= slots * GATE_SLOT_NODES &&
	       table->leaf_count <= slots * GATE_SLOT_LEAVES;
}

/* The element of postern_peers. */
static inline uint32_t gate_peer_set(uint32_t slot, uint32_t set)
{
	return slot * PEER_SETS + set;
}

static inline uint32_t gate_queue_index(uint32_t port, uint32_t queue)
{
	return port * GATE_QUEUES + queue;
}

/* The word of postern_inspected that has the port in bit port % 64. */
static inline uint32_t gate_port_word(uint8_t proto, uint16_t port)
{
	return (proto == PROTO_TCP ? 0 : 65536 / 64) + port / 64u;
}

#endif
