/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/live/snapshot.h"

#include <errno.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataplane/live/live_clock.h"
#include "dataplane/live/snapshot_internal.h"
#include "dataplane/policy/policy_load.h"

#define TIMEOUT   UINT64_C(5000000000) /* ns */
#define WAIT_STEP 20000                /* ns between two looks at the workers */

int snapshot_init(struct snapshot *s, struct shm_head *shm, unsigned workers)
{
	s->shm = shm;
	s->slots_room = shm->slots;
	s->timeout = TIMEOUT;
	s->rcu = rte_zmalloc("rcu", rte_rcu_qsbr_get_memsize(workers), RTE_CACHE_LINE_SIZE);
	if (!s->rcu)
		return -ENOMEM;
	return rte_rcu_qsbr_init(s->rcu, workers) == 0 ? 0 : -EINVAL;
}

const struct policy *snapshot_policy(const struct snapshot *s)
{
	return s->policy ? s->policy->policy : NULL;
}

const struct ruleset *snapshot_ruleset(const struct snapshot *s)
{
	return s->rules ? s->rules->ruleset : NULL;
}

uint64_t snapshot_policy_generation(const struct snapshot *s)
{
	return s->policy ? s->policy->generation : 0;
}

uint64_t snapshot_rules_generation(const struct snapshot *s)
{
	return s->rules ? s->rules->generation : 0;
}

/* Views ------------------------------------------------------------------- */

static struct worker_view *views_new(const struct gate *gate, const struct policy_held *policy,
				     const struct rules_held *rules)
{
	struct worker_view *views = calloc(gate->workers, sizeof(*views));

	for (unsigned i = 0; views && i < gate->workers; i++)
		views[i] = (struct worker_view){
			.policy = policy->policy,
			.matcher = rules ? rules->matcher[i] : NULL,
			.policy_generation = policy->generation,
			.ruleset_generation = rules ? rules->generation : 0,
		};
	return views;
}

/* True: all workers have come by since it was called. */
static bool wait_for_workers(struct snapshot *s)
{
	const struct timespec step = {.tv_nsec = WAIT_STEP};
	uint64_t token = rte_rcu_qsbr_start(s->rcu), until = monotonic_ns() + s->timeout;

	while (rte_rcu_qsbr_check(s->rcu, token, false) != 1) {
		if (monotonic_ns() > until)
			return false;
		nanosleep(&step, NULL);
	}
	return true;
}

static void policy_free(struct policy_held *p)
{
	if (!p)
		return;
	policy_unload(p->policy);
	image_close(&p->image);
	free(p);
}

void snapshot_stuck_add(struct snapshot *s, struct snapshot_stuck what)
{
	struct snapshot_stuck *stuck = malloc(sizeof(*stuck));

	if (!stuck)
		return;
	what.next = s->stuck;
	*stuck = what;
	s->stuck = stuck;
}

static void stuck_free(struct snapshot *s)
{
	while (s->stuck) {
		struct snapshot_stuck *stuck = s->stuck;

		s->stuck = stuck->next;
		free(stuck->views);
		policy_free(stuck->held);
		policy_unload(stuck->policy);
		free(stuck->lists);
		snapshot_list_free(stuck->list);
		if (stuck->rules) { /* mails may hold it still */
			stuck->rules->next = s->old;
			s->old = stuck->rules;
		}
		free(stuck);
	}
}

int snapshot_publish(struct snapshot *s, const struct policy_held *policy,
		     const struct rules_held *rules, char *error, size_t error_size)
{
	struct worker_view *views = views_new(s->gate, policy, rules), *before = s->views;

	if (!views) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	s->views = views;
	for (unsigned i = 0; i < s->gate->workers; i++)
		atomic_store_explicit(&s->gate->worker[i]->offered, &views[i],
				      memory_order_release);
	if (!wait_for_workers(s) || !wait_for_workers(s)) {
		/* Whoever hangs may wake up with the old one in its hands: it stays. */
		snapshot_stuck_add(s, (struct snapshot_stuck){.views = before});
		snprintf(error, error_size, "a worker does not come by");
		return -ETIMEDOUT;
	}
	free(before);
	stuck_free(s);
	return 0;
}

/* Policy ------------------------------------------------------------------ */

/* What the configuration says of a tenant; how full its buckets are and whether it was
 * suspended since stays, unless the slot is another tenant's now. */
static void own_slot_follow(struct tenant_slot *slot, const struct tenant_slot *said)
{
	struct tenant_slot now = *said;
	const bool another = slot->id != said->id;

	if (!another && slot->state > now.state)
		now.state = slot->state;
	now.per_domain = slot->per_domain;
	/* Workers spend of the buckets meanwhile, and by the limits. */
	memcpy(slot, &now, offsetof(struct tenant_slot, limit));
	gcra_write(&slot->per_domain, &said->per_domain);
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		gcra_write(&slot->limit[i], &said->limit[i]);
	for (unsigned i = 0; another && i < BUCKET_COUNT; i++)
		__atomic_store_n(&slot->bucket[i], said->bucket[i], __ATOMIC_RELAXED);
}

static void own_slots_follow(struct snapshot *s, const struct policy_held *p)
{
	const struct tenant_slot *said = policy_image_slots(p->image.data);

	for (uint32_t i = 0; !s->slots_size && i < p->policy->slot_count; i++)
		own_slot_follow(&s->slots[i], &said[i]);
}

static int policy_hold(struct snapshot *s, struct image *image, uint64_t generation,
		       struct policy_held **heldp, char *error, size_t error_size)
{
	struct policy_held *held = calloc(1, sizeof(*held));
	uint32_t room = RTE_MIN(s->slots_room, s->slots ? s->slots_count : s->slots_room);
	int rc = held ? snapshot_own_slots(s) : -ENOMEM;

	if (rc) {
		snprintf(error, error_size, "out of memory");
		free(held);
		return rc;
	}
	rc = policy_load(image->data, image->size, s->slots, room, &held->policy, error,
			 error_size);
	if (rc) {
		free(held);
		return rc;
	}
	held->image = *image;
	held->generation = generation ? generation : held->policy->generation;
	held->policy->generation = held->generation;
	held->policy->sets = s->lists;
	*image = (struct image){0};
	*heldp = held;
	return 0;
}

int snapshot_policy_set(struct snapshot *s, struct image *image, uint64_t generation, char *error,
			size_t error_size)
{
	struct policy_held *held = NULL, *before = s->policy;
	int rc = policy_hold(s, image, generation, &held, error, error_size);

	image_close(image);
	if (!rc && s->gate)
		rc = snapshot_publish(s, held, s->rules, error, error_size);
	if (rc && rc != -ETIMEDOUT) {
		policy_free(held);
		return rc;
	}
	s->policy = held;
	own_slots_follow(s, held);
	if (rc)
		snapshot_stuck_add(s, (struct snapshot_stuck){.held = before});
	else
		policy_free(before);
	return rc;
}

int snapshot_policy_move(struct snapshot *s, struct tenant_slot *slots,
			 const struct list_sets *lists, char *error, size_t error_size)
{
	struct policy_held moved = *s->policy;
	struct policy *before = s->policy->policy;
	int rc = 0;

	moved.policy = policy_over(before, slots);
	if (!moved.policy) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	moved.policy->sets = lists;
	if (s->gate)
		rc = snapshot_publish(s, &moved, s->rules, error, error_size);
	if (rc && rc != -ETIMEDOUT) {
		policy_unload(moved.policy);
		return rc;
	}
	s->policy->policy = moved.policy;
	if (rc)
		snapshot_stuck_add(s, (struct snapshot_stuck){.policy = before});
	else
		policy_unload(before);
	return rc;
}

/* ------------------------------------------------------------------------- */

int snapshot_attach(struct snapshot *s, struct gate *gate)
{
	int rc = 0;

	s->gate = gate;
	if (s->rules)
		rc = snapshot_matchers_new(s->rules, gate);
	if (rc)
		return rc;
	s->views = views_new(gate, s->policy, s->rules);
	if (!s->views)
		return -ENOMEM;
	for (unsigned i = 0; i < gate->workers; i++)
		atomic_store(&gate->worker[i]->offered, &s->views[i]);
	return 0;
}

void snapshot_fini(struct snapshot *s)
{
	stuck_free(s);
	while (s->old) {
		struct rules_held *r = s->old;

		s->old = r->next;
		snapshot_rules_free(r);
	}
	snapshot_rules_free(s->rules);
	policy_free(s->policy);
	free(s->lists);
	snapshot_list_free(s->base);
	snapshot_list_free(s->delta);
	snapshot_slots_release(s->slots, s->slots_size, s->slots_fd, snapshot_own_size(s));
	free(s->views);
	rte_free(s->rcu);
	*s = (struct snapshot){0};
}
