/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of lists, a base and what came since, under the policy in force. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataplane/live/snapshot_internal.h"

void snapshot_list_free(struct list_held *list)
{
	if (!list)
		return;
	image_close(&list->image);
	free(list);
}

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
		rc = snapshot_policy_move(s, s->slots, sets, error, error_size);
	if (rc && rc != -ETIMEDOUT) {
		free(sets);
		return rc;
	}
	*place = held;
	s->lists = sets;
	if (rc) {
		snapshot_stuck_add(s, (struct snapshot_stuck){.lists = old, .list = before});
	} else {
		free(old);
		snapshot_list_free(before);
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
		snapshot_list_free(held);
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
