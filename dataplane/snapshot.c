/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/live_clock.h"
#include "dataplane/memory.h"
#include "dataplane/policy_load.h"
#include "dataplane/rule_places.h"

#define TIMEOUT   UINT64_C(5000000000) /* ns */
#define WAIT_STEP 20000                /* ns between two looks at the workers */

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

static void list_free(struct list_held *list)
{
	if (!list)
		return;
	image_close(&list->image);
	free(list);
}

/* Without memory for it, it is lost. */
static void stuck_add(struct snapshot *s, struct snapshot_stuck what)
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
		list_free(stuck->list);
		if (stuck->rules) { /* mails may hold it still */
			stuck->rules->next = s->old;
			s->old = stuck->rules;
		}
		free(stuck);
	}
}

/*
 * 0: every worker uses it, nobody what was before. The first wait sees to it that nobody is in the
 * middle of a turn with the old one, the second that everybody has begun one with the new.
 */
static int publish(struct snapshot *s, const struct policy_held *policy,
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
		stuck_add(s, (struct snapshot_stuck){.views = before});
		snprintf(error, error_size, "a worker does not come by");
		return -ETIMEDOUT;
	}
	free(before);
	stuck_free(s);
	return 0;
}

/* Policy ------------------------------------------------------------------ */

static size_t own_size(const struct snapshot *s)
{
	return s->slots_room * sizeof(struct tenant_slot);
}

/* Nobody sent an array: one of ours, with whom the first policy names. */
static int own_slots(struct snapshot *s)
{
	if (s->slots)
		return 0;
	s->slots = memory_reserve(own_size(s), MEMORY_SPARSE);
	if (!s->slots)
		return -ENOMEM;
	s->slots_count = s->slots_room;
	s->slots_size = 0;
	return 0;
}

/* What the configuration says of a tenant; how full its buckets are and whether it was
 * suspended since stays, unless the slot is another tenant's now. */
static void own_slot_follow(struct tenant_slot *slot, const struct tenant_slot *said)
{
	struct tenant_slot now = *said;

	if (slot->id == said->id) {
		memcpy(now.bucket, slot->bucket, sizeof(now.bucket));
		if (slot->state > now.state)
			now.state = slot->state;
	}
	*slot = now;
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
	int rc = held ? own_slots(s) : -ENOMEM;

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
		rc = publish(s, held, s->rules, error, error_size);
	if (rc && rc != -ETIMEDOUT) {
		policy_free(held);
		return rc;
	}
	s->policy = held;
	own_slots_follow(s, held);
	if (rc)
		stuck_add(s, (struct snapshot_stuck){.held = before});
	else
		policy_free(before);
	return rc;
}

/* Tenants' slots ---------------------------------------------------------- */

static void slots_release(struct tenant_slot *slots, size_t mapped, int fd, size_t own)
{
	if (!slots || mapped == SNAPSHOT_BORROWED)
		return;
	if (mapped) {
		munmap(slots, mapped);
		close(fd);
	} else {
		memory_release(slots, own);
	}
}

void snapshot_slots_borrow(struct snapshot *s, struct tenant_slot *slots, uint32_t count)
{
	s->slots = slots;
	s->slots_count = count;
	s->slots_size = SNAPSHOT_BORROWED;
	s->slots_fd = -1;
}

/* An array that may become shorter would end a worker with SIGBUS. */
static bool slots_fd_ok(int fd, uint64_t size)
{
	struct stat st;
	int seals;

	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	if (!S_ISREG(st.st_mode)) /* a BPF map: mmap() sees to its size */
		return true;
	if ((uint64_t)st.st_size < size)
		return false;
	seals = fcntl(fd, F_GET_SEALS);
	if (seals >= 0 && (seals & F_SEAL_SHRINK))
		return true;
	/* A file, which can't be sealed: its owner controls this process anyway. */
	return (st.st_uid == geteuid() || geteuid() == 0) && st.st_nlink == 1 &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static int slots_map(int fd, uint64_t size, uint32_t count, struct tenant_slot **slotsp,
		     char *error, size_t error_size)
{
	void *map;

	if (!count || size / sizeof(struct tenant_slot) < count || !slots_fd_ok(fd, size)) {
		snprintf(error, error_size,
			 "no array of %u tenant slots: too small, or not sealed against shrinking",
			 count);
		return -EINVAL;
	}
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		int err = -errno;

		snprintf(error, error_size, "the tenants' array can't be mapped: %s",
			 strerror(-err));
		return err;
	}
	*slotsp = map;
	return 0;
}

/* The policy in force, over another array, with other lists. */
static int policy_move(struct snapshot *s, struct tenant_slot *slots, const struct list_sets *lists,
		       char *error, size_t error_size)
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
		rc = publish(s, &moved, s->rules, error, error_size);
	if (rc && rc != -ETIMEDOUT) {
		policy_unload(moved.policy);
		return rc;
	}
	s->policy->policy = moved.policy;
	if (rc)
		stuck_add(s, (struct snapshot_stuck){.policy = before});
	else
		policy_unload(before);
	return rc;
}

int snapshot_slots_set(struct snapshot *s, int fd, uint64_t size, uint32_t count, char *error,
		       size_t error_size)
{
	struct tenant_slot *slots = NULL, *before = s->slots;
	size_t before_size = s->slots_size;
	int before_fd = s->slots_fd, kept, rc;

	if (s->policy && count < s->policy->policy->slot_count) {
		snprintf(error, error_size, "the policy in force has %u tenant slots, not %u",
			 s->policy->policy->slot_count, count);
		return -E2BIG;
	}
	rc = slots_map(fd, size, count, &slots, error, error_size);
	if (rc)
		return rc;
	kept = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (kept < 0)
		snprintf(error, error_size, "no descriptor is left");
	rc = kept < 0 ? -errno : 0;
	if (!rc && s->policy)
		rc = policy_move(s, slots, s->lists, error, error_size);
	if (rc && rc != -ETIMEDOUT) {
		munmap(slots, size);
		if (kept >= 0)
			close(kept);
		return rc;
	}
	s->slots = slots;
	s->slots_count = count;
	s->slots_size = size;
	s->slots_fd = kept;
	if (!rc)
		slots_release(before, before_size, before_fd, own_size(s));
	return rc;
}

/* Lists ------------------------------------------------------------------- */

static int list_hold(const struct image *image, const uint64_t key[2], struct list_held **heldp,
		     char *error, size_t error_size)
{
	struct list_held *held = calloc(1, sizeof(*held));
	const char *fault;

	if (!held) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	fault = list_set_open(&held->set, image->data, image->size);
	if (!fault && held->set.head->key_id != list_key_id(key))
		fault = "the set of lists is of another key";
	if (fault) {
		snprintf(error, error_size, "%s", fault);
		free(held);
		return -EINVAL;
	}
	held->image = *image;
	*heldp = held;
	return 0;
}

static struct list_sets *sets_new(const struct snapshot *s, const struct list_held *base,
				  const struct list_held *delta, const uint64_t key[2])
{
	struct list_sets *sets = calloc(1, sizeof(*sets));

	if (!sets)
		return NULL;
	if (base)
		sets->base = base->set;
	if (delta)
		sets->delta = delta->set;
	memcpy(sets->key, key, sizeof(sets->key));
	sets->clock = &s->list_clock;
	sets->settled = s->lists_settled;
	return sets;
}

/* Takes `held` over (NULL: none) unless it fails with other than -ETIMEDOUT. */
static int lists_swap(struct snapshot *s, bool is_delta, struct list_held *held,
		      const uint64_t key[2], char *error, size_t error_size)
{
	struct list_held **place = is_delta ? &s->delta : &s->base, *before = *place;
	struct list_sets *old = s->lists;
	struct list_sets *sets =
		sets_new(s, is_delta ? s->base : held, is_delta ? held : s->delta, key);
	int rc = 0;

	if (!sets) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	if (s->policy)
		rc = policy_move(s, s->slots, sets, error, error_size);
	if (rc && rc != -ETIMEDOUT) {
		free(sets);
		return rc;
	}
	*place = held;
	s->lists = sets;
	if (rc) {
		stuck_add(s, (struct snapshot_stuck){.lists = old, .list = before});
	} else {
		free(old);
		list_free(before);
	}
	return rc;
}

int snapshot_lists_set(struct snapshot *s, bool is_delta, struct image *image,
		       const uint64_t key[2], char *error, size_t error_size)
{
	struct list_held *held = NULL;
	int rc = image ? list_hold(image, key, &held, error, error_size) : 0;

	if (rc) {
		image_close(image);
		return rc;
	}
	snapshot_list_time(s, (uint64_t)time(NULL));
	rc = lists_swap(s, is_delta, held, key, error, error_size);
	if (rc && rc != -ETIMEDOUT)
		list_free(held);
	return rc;
}

void snapshot_lists_settle(struct snapshot *s, uint64_t settled)
{
	if (settled > s->lists_settled)
		s->lists_settled = settled;
}

uint64_t snapshot_list_entries(const struct snapshot *s)
{
	uint64_t entries = s->base ? s->base->set.head->entries : 0;

	return entries + (s->lists && list_sets_fit(s->lists) ? s->delta->set.head->entries : 0);
}

void snapshot_list_time(struct snapshot *s, uint64_t now)
{
	__atomic_store_n(&s->list_clock, now, __ATOMIC_RELAXED);
}

/* Rules ------------------------------------------------------------------- */

static void rules_free(struct rules_held *r)
{
	if (!r)
		return;
	for (unsigned i = 0; i < r->workers; i++)
		matcher_free(r->matcher[i]);
	ruleset_free(r->ruleset);
	image_close(&r->image);
	rule_places_fini(&r->places);
	free(r);
}

#define HELD_MOST 64 /* rulesets; with more than these no place is left yet */

/* Places are left as soon as no ruleset that anybody may count for has them. */
static void places_settle(struct snapshot *s)
{
	const struct rule_places *held[HELD_MOST];
	unsigned count = 0;
	struct rules_held *r = s->rules;

	if (r && r->places.without)
		rule_places_fill(&r->places, ruleset_image(r->ruleset), s->shm);
	if (r)
		held[count++] = &r->places;
	for (r = s->old; r && count < HELD_MOST; r = r->next)
		held[count++] = &r->places;
	for (struct snapshot_stuck *t = s->stuck; t && count < HELD_MOST; t = t->next)
		if (t->rules)
			held[count++] = &t->rules->places;
	if (count < HELD_MOST)
		rule_places_leave(held, count, s->shm);
}

static int matchers_new(struct rules_held *r, const struct gate *gate)
{
	int rc = 0;

	for (r->workers = 0; !rc && r->workers < gate->workers; r->workers++) {
		rc = matcher_new(r->ruleset, gate->streams, &r->matcher[r->workers]);
		if (rc)
			continue;
		r->matcher[r->workers]->places = r->places.place;
		gate_matcher_attach(gate, gate->worker[r->workers], r->matcher[r->workers]);
	}
	return rc;
}

static int rules_hold(struct snapshot *s, struct image *image, uint64_t generation,
		      struct rules_held **heldp, char *error, size_t error_size)
{
	struct rules_held *held = calloc(1, sizeof(*held));
	int rc;

	snprintf(error, error_size, "out of memory");
	if (!held)
		return -ENOMEM;
	rc = ruleset_load(image->data, image->size, &held->ruleset, error, error_size);
	if (!rc) {
		held->image = *image;
		held->generation = generation ? generation : ruleset_generation(held->ruleset);
		*image = (struct image){0};
		rc = rule_places_init(&held->places, ruleset_image(held->ruleset), s->shm);
	}
	if (!rc && s->gate)
		rc = matchers_new(held, s->gate);
	if (rc) {
		rules_free(held);
		return rc;
	}
	*heldp = held;
	return 0;
}

int snapshot_rules_set(struct snapshot *s, struct image *image, uint64_t generation, char *error,
		       size_t error_size)
{
	struct rules_held *held = NULL, *before = s->rules;
	int rc = 0;

	if (image) {
		rc = rules_hold(s, image, generation, &held, error, error_size);
		image_close(image);
	}
	if (!rc && s->gate)
		rc = publish(s, s->policy, held, error, error_size);
	if (rc && rc != -ETIMEDOUT) {
		rules_free(held);
		places_settle(s);
		return rc;
	}
	s->rules = held;
	if (!s->gate) {
		rules_free(before);
	} else if (rc) {
		stuck_add(s, (struct snapshot_stuck){.rules = before});
	} else if (before) {
		before->next = s->old;
		s->old = before;
	}
	snapshot_tidy(s);
	return rc;
}

/* Workers have come by since it was replaced: none begins anything with it any more. */
static bool is_held(const struct rules_held *r)
{
	for (unsigned i = 0; i < r->workers; i++)
		if (atomic_load_explicit(&r->matcher[i]->held, memory_order_acquire))
			return true;
	return false;
}

unsigned snapshot_tidy(struct snapshot *s)
{
	struct rules_held **at = &s->old;
	unsigned left = 0;

	while (*at) {
		struct rules_held *r = *at;

		if (is_held(r)) {
			at = &r->next;
			left++;
			continue;
		}
		*at = r->next;
		rules_free(r);
	}
	places_settle(s);
	return left;
}

/* ------------------------------------------------------------------------- */

int snapshot_attach(struct snapshot *s, struct gate *gate)
{
	int rc = 0;

	s->gate = gate;
	if (s->rules)
		rc = matchers_new(s->rules, gate);
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
		rules_free(r);
	}
	rules_free(s->rules);
	policy_free(s->policy);
	free(s->lists);
	list_free(s->base);
	list_free(s->delta);
	slots_release(s->slots, s->slots_size, s->slots_fd, own_size(s));
	free(s->views);
	rte_free(s->rcu);
	*s = (struct snapshot){0};
}
