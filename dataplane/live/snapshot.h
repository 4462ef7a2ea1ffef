/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the workers of a live gate go by, and how it is replaced while they run. Main thread.
 *
 * Workers take a view (policy, rules) once a turn; the one before is freed when all of them have
 * come by since (quiescent-state RCU, librte_rcu), a ruleset only when no mail holds it any more.
 * The main thread builds each worker's matcher: nothing is allocated on a worker, and no packet
 * waits.
 */
#ifndef POSTERN_SNAPSHOT_H
#define POSTERN_SNAPSHOT_H

#include <rte_rcu_qsbr.h>
#include <stdatomic.h>

#include "bpf/list_set.h"
#include "bpf/shm.h"
#include "dataplane/gate.h"

/* Bytes that stay as they are as long as they are needed. */
struct image {
	const void *data; /* 64-aligned */
	size_t size;
	bool mapped; /* of a sealed memfd; else a copy */
};

/*
 * `size` bytes of a memfd or a file. What is sealed is mapped, anything else copied: whoever has
 * the file can't change it under us. 0 or -errno with words.
 */
int image_open(struct image *image, int fd, uint64_t size, char *error, size_t error_size);
void image_close(struct image *image);

#define SNAPSHOT_BORROWED SIZE_MAX

/* An image of lists. */
struct list_held {
	struct image image;
	struct list_set set;
};

struct policy_held;
struct rules_held;
struct snapshot_stuck;

struct snapshot {
	struct gate *gate;    /* NULL: nobody uses it yet */
	struct shm_head *shm; /* whose rules' places are */
	struct rte_rcu_qsbr *rcu;
	struct worker_view *views; /* in force, by worker */
	uint32_t slots_room;       /* tenants that the gate has room for */
	/* The tenants' array. */
	struct tenant_slot *slots;
	uint32_t slots_count;
	size_t slots_size;          /* mapped; 0: memory of ours; SNAPSHOT_BORROWED: another's */
	int slots_fd;               /* of what is mapped, for who asks; -1: none */
	struct policy_held *policy; /* NULL: none came yet */
	struct rules_held *rules;   /* NULL: none */
	struct rules_held *old;     /* not in force, still held by mails */
	struct list_held *base, *delta; /* NULL: none */
	struct list_sets *lists;        /* in force: of both; NULL: none */
	uint64_t lists_settled;         /* list_sets.settled */
	uint64_t list_clock;            /* s since 1970; shared */
	struct snapshot_stuck *stuck;   /* what a worker that hangs may have in its hands */
	uint64_t timeout;               /* ns that workers may take to come by */
};

/* All-zero before. 0 or -ENOMEM. `workers`: at most. */
int snapshot_init(struct snapshot *s, struct shm_head *shm, unsigned workers);
/* The workers are gone. */
void snapshot_fini(struct snapshot *s);

/* NULL: none. */
const struct policy *snapshot_policy(const struct snapshot *s);
const struct ruleset *snapshot_ruleset(const struct snapshot *s);

/* The gate was made of these two, its workers don't run yet: they get their views. 0 or -errno. */
int snapshot_attach(struct snapshot *s, struct gate *gate);

/*
 * What the channel's requests mean. 0: every worker uses it. Else -errno with words and
 * nothing has changed, but for -ETIMEDOUT: a worker hangs; what was before stays in memory, too,
 * until it comes by. They take the image, whatever comes of it; `image` NULL: no rules.
 * `generation` 0: the image's own.
 */
int snapshot_policy_set(struct snapshot *s, struct image *image, uint64_t generation, char *error,
			size_t error_size);
int snapshot_rules_set(struct snapshot *s, struct image *image, uint64_t generation, char *error,
		       size_t error_size);
/* With the next lists: ns since 1970 of what they have, or had, of recipients that bounced. */
void snapshot_lists_settle(struct snapshot *s, uint64_t settled);

/* The base of lists, or the delta over it; the policy stays. `image` NULL: none. */
int snapshot_lists_set(struct snapshot *s, bool is_delta, struct image *image,
		       const uint64_t key[2], char *error, size_t error_size);
/* How many there are. */
uint64_t snapshot_list_entries(const struct snapshot *s);
/* What time it is, s since 1970, for those that hold from a time on. Now and then. */
void snapshot_list_time(struct snapshot *s, uint64_t now);
/* Before the first policy: tenants live in an array that outlives the snapshot. */
void snapshot_slots_borrow(struct snapshot *s, struct tenant_slot *slots, uint32_t count);
/* Maps `fd`: count slots. Keeps nothing of fd. */
int snapshot_slots_set(struct snapshot *s, int fd, uint64_t size, uint32_t count, char *error,
		       size_t error_size);

/* 0: none. */
uint64_t snapshot_policy_generation(const struct snapshot *s);
uint64_t snapshot_rules_generation(const struct snapshot *s);

/* Frees rulesets that the last mail has let go of. Now and then. Returns how many are left. */
unsigned snapshot_tidy(struct snapshot *s);

/* A worker's: it runs, it has come by, it stops. */
static inline void snapshot_online(struct snapshot *s, unsigned worker)
{
	rte_rcu_qsbr_thread_register(s->rcu, worker);
	rte_rcu_qsbr_thread_online(s->rcu, worker);
}

static inline void snapshot_quiescent(struct snapshot *s, unsigned worker)
{
	rte_rcu_qsbr_quiescent(s->rcu, worker);
}

static inline void snapshot_offline(struct snapshot *s, unsigned worker)
{
	rte_rcu_qsbr_thread_offline(s->rcu, worker);
	rte_rcu_qsbr_thread_unregister(s->rcu, worker);
}

#endif
