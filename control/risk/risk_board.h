/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every tenant's risk, by slot, fed from the dataplane's counters and events. What follows from it
 * is control/risk/risk_run.h's. One thread; allocates at its making, and a trace at a tenant's
 * first event.
 */
#ifndef POSTERN_CONTROL_RISK_BOARD_H
#define POSTERN_CONTROL_RISK_BOARD_H

#include "bpf/shm.h"
#include "bpf/sketch.h"
#include "control/risk/risk_window.h"

#define RISK_TRACE 16 /* events kept of a tenant */

struct risk_trace_item {
	uint64_t time, flow; /* ns since 1970; 0: of no flow */
	uint32_t sid;        /* of a rule; 0: of none */
	uint8_t event;       /* enum risk_event */
	bool used;
};

/* The last events, so that each kind has some: a flood of one does not wash the others away. */
struct risk_trace {
	struct risk_trace_item item[RISK_TRACE];
};

/* The counters as they were when they were last looked at. */
#define RISK_SEEN_LOST \
	UINT64_MAX /* risk_seen.of: they were looked at, and nobody knows what they were */

struct risk_seen {
	uint64_t of; /* risk_counters.started of theirs; 0: never looked at */
	uint64_t seized, answered, shorts, outage, unwanted;
	uint64_t recipients, bounced, delivered;
	uint64_t over[LIMIT_COUNT]; /* times that the limit was exceeded */
	uint64_t spoofed;           /* packets with others' sources, by its VLAN */
};

/* The kernel's, which outlive a dataplane: when they were last looked at. */
struct risk_kernel {
	bool known; /* what it had dropped before is nobody's news */
	uint64_t packets, syns, spoofed;
};

/*
 * Where counters are: those of workers, each an array by slot, for as many slots as all have. Of
 * the same run of a dataplane as long as `started` is the same.
 */
#define RISK_WORKERS 64

struct risk_counters {
	uint64_t started; /* 0: there are none */
	unsigned workers;
	uint32_t slots;
	const struct tenant_counters *worker[RISK_WORKERS];
};

/* Of a dataplane's memory; NULL: none. */
struct risk_counters risk_counters_of(const struct shm_head *memory);

/*
 * Distinct ones that a dataplane of before had seen: each has a key of its own, so that what two of
 * them saw can't be added up, and the new one's would seem few for days.
 */
struct risk_past {
	uint32_t callees, domains;
	uint64_t epoch; /* SKETCH_EPOCHs since 1970: it counts in this one and the next */
};

/* All that is known of a tenant, as it goes to the disk and comes back (control/risk/risk_pack.h).
 */
struct risk_saved {
	struct risk_tenant tenant;
	struct risk_window window;
	struct risk_past past;
	struct risk_seen seen;
	uint32_t slot; /* whose counters `seen` is of */
	bool off;      /* nothing was scored then: the counters' news are nobody's */
	bool has_trace, has_met;
	struct risk_trace trace;
	struct sketch met;
};

struct risk_board {
	struct risk_config config;
	uint32_t count; /* of slots */
	uint32_t *id;   /* whose slot it is; 0: nobody's */
	struct risk_tenant *tenant;
	struct risk_window *window;
	struct risk_seen *seen;
	struct risk_kernel *kernel;
	struct risk_past *past;
	bool *off;                 /* nothing is scored */
	bool *dirty;               /* more is known than was saved: whoever saves it says false */
	struct risk_trace **trace; /* NULL: none */
	struct sketch **met;       /* domains that reports tell of; NULL: none */
	uint64_t memory;           /* risk_counters.started of what `seen` is of; 0: of nothing */
};

/* 0 or -ENOMEM. */
int risk_board_init(struct risk_board *board, uint32_t count);
void risk_board_fini(struct risk_board *board);

/*
 * The slot is this tenant's from now on: `before` (NULL: nothing) is what is known of it, and is
 * not dirty.
 */
void risk_board_take(struct risk_board *board, uint32_t slot, uint32_t id,
		     const struct risk_saved *before);

/*
 * Counters that were not seen before. `counted`: they began before this board did, so that what
 * they hold of a tenant that is known was counted by somebody else, up to what it says it has seen
 * of them; otherwise all of it is news.
 */
void risk_board_memory(struct risk_board *board, const struct risk_counters *counters,
		       bool counted);

/*
 * Counts what is new of a slot's tenant and evaluates it. `shadow`: a
 * bit per enum tenant_limit whose excess gives no points; RISK_OWN_LIMITS: that of none does,
 * because the limits are lower by the score's own doing.
 */
#define RISK_OWN_LIMITS UINT32_MAX
struct risk_change risk_board_step(struct risk_board *board, const struct risk_counters *counters,
				   uint32_t slot, uint32_t shadow, uint64_t now);

/* Whether the slot's calls of late are to be told of: a bit per enum risk_ratio, after the step. */
unsigned risk_board_alarms(struct risk_board *board, uint32_t slot, uint64_t now);

/*
 * What the kernel has counted of a slot's tenant: packets and SYNs beyond its limits, and
 * those with others' sources. `shadow` as in risk_board_step().
 */
struct gate_tenant_counters;
void risk_board_kernel(struct risk_board *board, uint32_t slot,
		       const struct gate_tenant_counters *counters, uint32_t shadow, uint64_t now);

/* What is new of a slot's tenant is not counted, now or later. */
void risk_board_skip(struct risk_board *board, const struct risk_counters *counters, uint32_t slot);

/* An event of the slot's tenant; `weight` as in risk_add(). Of a flow and a rule, or 0. */
void risk_board_event(struct risk_board *board, uint32_t slot, enum risk_event event, double weight,
		      uint64_t time, uint64_t flow, uint32_t sid);

/* The same, for the trace alone: points come of the counters. */
void risk_board_trace(struct risk_board *board, uint32_t slot, enum risk_event event, uint64_t time,
		      uint64_t flow, uint32_t sid);

/* Complaints of others (feedback loops); mails that they are of are counted by the dataplane. */
void risk_board_complaints(struct risk_board *board, uint32_t slot, double n, uint64_t now);

/* What reports say of mail; `callees` and `domains` of the sample are not looked at. */
void risk_board_reported(struct risk_board *board, uint32_t slot, const struct risk_sample *sample,
			 uint64_t now);
/* A domain that a report says the tenant wrote to, by a keyed hash. */
void risk_board_met(struct risk_board *board, uint32_t slot, uint64_t domain, uint64_t now);

/* Bytes that a tenant takes, a trace aside. */
size_t risk_board_bytes(void);

#endif
