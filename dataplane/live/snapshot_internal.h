/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the parts of the snapshot. Control's thread of the dataplane. */
#ifndef POSTERN_SNAPSHOT_INTERNAL_H
#define POSTERN_SNAPSHOT_INTERNAL_H

#include "dataplane/live/rule_places.h"
#include "dataplane/live/snapshot.h"

struct policy_held {
	struct image image;
	struct policy *policy;
	uint64_t generation;
};

struct rules_held {
	struct rules_held *next;
	struct image image;
	struct ruleset *ruleset;
	struct rule_places places; /* of its rules' hits */
	struct matcher *matcher[GATE_WORKERS_MAX];
	unsigned workers;
	uint64_t generation;
};

/* Freed when all workers have come by after all, or are gone. */
struct snapshot_stuck {
	struct snapshot_stuck *next;
	struct worker_view *views;
	struct policy_held *held;
	struct policy *policy;
	struct rules_held *rules;
	struct list_sets *lists;
	struct list_held *list;
};

/* snapshot.c */

/*
 * 0: every worker uses it, nobody what was before. The first wait sees to it that nobody is in the
 * middle of a turn with the old one, the second that everybody has begun one with the new.
 * -ETIMEDOUT: it is in force, and somebody may still use what was before; -ENOMEM.
 */
int snapshot_publish(struct snapshot *s, const struct policy_held *policy,
		     const struct rules_held *rules, char *error, size_t error_size);
/* Of what can't be freed yet. Without memory for it, it is lost. */
void snapshot_stuck_add(struct snapshot *s, struct snapshot_stuck what);
/* The policy in force, over another array, with other lists. As snapshot_publish(). */
int snapshot_policy_move(struct snapshot *s, struct tenant_slot *slots,
			 const struct list_sets *lists, char *error, size_t error_size);

/* snapshot_slots.c */

/* Nobody sent an array: one of ours, of so many bytes. 0 or -ENOMEM. */
size_t snapshot_own_size(const struct snapshot *s);
int snapshot_own_slots(struct snapshot *s);
void snapshot_slots_release(struct tenant_slot *slots, size_t mapped, int fd, size_t own);

/* snapshot_lists.c */
void snapshot_list_free(struct list_held *list); /* NULL is fine */

/* snapshot_rules.c */
void snapshot_rules_free(struct rules_held *r); /* NULL is fine */
/* A matcher for each of the gate's workers. 0 or what matcher_new() says. */
int snapshot_matchers_new(struct rules_held *r, const struct gate *gate);

#endif
