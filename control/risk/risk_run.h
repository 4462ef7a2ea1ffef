/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Risk in posternd: every tenant is evaluated about once a second, in slices; a change of level is
 * told, and with mode "on" it holds in the tenant's slot at once. The event loop's thread.
 */
#ifndef POSTERN_CONTROL_RISK_RUN_H
#define POSTERN_CONTROL_RISK_RUN_H

#include "control/risk/risk_board.h"
#include "control/risk/risk_keep.h"

struct daemon;
struct event;
struct event_head;
struct override;
struct roster;

struct risk_run {
	struct event *turn;
	struct risk_board board;
	struct risk_keep keep;
	uint32_t next;                      /* the slot that is next */
	uint64_t worked, round, rounds;     /* ns: in this round, in the last one; of them */
	uint64_t changes[RISK_LEVEL_COUNT]; /* to each level */
	uint64_t asks;
	struct gate_tenant_counters *kernel; /* by slot, as last read; NULL: no kernel */
	uint32_t kernel_slots;               /* of them that were read in this round */
};

/* 0 or -ENOMEM. */
int risk_run_init(struct daemon *daemon);
void risk_run_fini(struct daemon *daemon);

/* Another configuration is in force: its numbers, its tenants. Before their slots are written. */
void risk_run_adopt(struct daemon *daemon);

/* The roster's slot has a tenant with a score: the board has him there, and he isn't left out. */
bool risk_run_scores(const struct daemon *daemon, uint32_t slot);

/* A record of the dataplane's. */
void risk_run_record(struct daemon *daemon, const struct event_head *head);

/* What the score makes of a slot that configuration and override (may be NULL) would have so. */
void risk_run_apply(const struct daemon *daemon, const struct roster *roster, uint32_t slot,
		    const struct override *override, struct tenant_slot *wanted);

/* Limits of `wanted` but those of `set` (a bit each), at that share of them. */
void risk_throttle(struct tenant_slot *wanted, uint32_t set, double share);

/* ns since 1970: since when its score has a roster's tenant suspended; 0: it has not. */
uint64_t risk_run_suspended_since(const struct daemon *daemon, const struct roster *roster,
				  uint32_t slot);

/* It acts on the tenant, and has suspended it. */
bool risk_run_suspends(const struct daemon *daemon, uint32_t slot);
/* `unit`: on the disk with it. */
void risk_run_pardon(struct daemon *daemon, uint32_t slot, struct store_unit *unit);

/* The tenant has a notice in hands: a breach's time (risk.notice) runs from now on. */
void risk_run_told(struct daemon *daemon, uint32_t slot, struct store_unit *unit);

#endif
