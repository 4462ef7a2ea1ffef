/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/lists/list_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A segment to be: hashes of ours, or one of a set as it is there. */
struct part {
	struct list_segment segment;
	struct hash_list hashes;
	const void *copy; /* NULL: hashes */
};

struct plan {
	struct part *parts;
	size_t count, room;
};

static struct part *plan_add(struct plan *plan, struct list_name list)
{
	if (plan->count == plan->room) {
		size_t room = plan->room ? 2 * plan->room : 16;
		struct part *more = reallocarray(plan->parts, room, sizeof(*more));

		if (!more)
			return NULL;
		plan->parts = more;
		plan->room = room;
	}
	plan->parts[plan->count] =
		(struct part){.segment = {.owner = list.owner, .kind = (uint16_t)list.kind}};
	return &plan->parts[plan->count++];
}

static void plan_fini(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		hash_list_fini(&plan->parts[i].hashes);
	free(plan->parts);
	*plan = (struct plan){0};
}

/* The part of a list for these, new if there is none from `first` on. */
static struct part *plan_part(struct plan *plan, size_t first, struct list_name list, bool removes,
			      uint64_t from)
{
	struct part *part;

	for (size_t i = first; i < plan->count; i++)
		if (plan->parts[i].segment.removes == removes &&
		    plan->parts[i].segment.from == from)
			return &plan->parts[i];
	part = plan_add(plan, list);
	if (part) {
		part->segment.removes = removes;
		part->segment.from = from;
	}
	return part;
}

/* The image */

static int part_compare(const void *a, const void *b)
{
	const struct list_segment *x = &((const struct part *)a)->segment;
	const struct list_segment *y = &((const struct part *)b)->segment;

	if (x->owner != y->owner)
		return x->owner < y->owner ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->removes != y->removes)
		return x->removes < y->removes ? -1 : 1;
	return (x->from > y->from) - (x->from < y->from);
}

static size_t align(size_t size)
{
	return (size + LIST_SET_ALIGN - 1) / LIST_SET_ALIGN * LIST_SET_ALIGN;
}

/* Counts, places and sizes; parts that have nothing go. */
static size_t plan_measure(struct plan *plan, struct list_set_head *head)
{
	size_t kept = 0, at;

	for (size_t i = 0; i < plan->count; i++) {
		struct part *part = &plan->parts[i];
		struct hashset set;

		if (!part->copy) {
			hashset_measure(&set, &part->hashes);
			part->segment.count = set.count;
			part->segment.capacity = set.capacity;
			part->segment.length = set.length;
		}
		if (part->segment.count)
			plan->parts[kept++] = *part;
		else
			hash_list_fini(&part->hashes);
	}
	plan->count = kept;
	if (kept)
		qsort(plan->parts, kept, sizeof(*plan->parts), part_compare);
	head->segments = (uint32_t)kept;
	for (head->index = 2; head->index <= 2 * kept;)
		head->index *= 2;
	at = align(sizeof(*head) + kept * sizeof(struct list_segment) +
		   head->index * sizeof(uint32_t));
	for (size_t i = 0; i < kept; i++) {
		struct list_segment *s = &plan->parts[i].segment;

		s->offset = at;
		at = align(at + s->length * sizeof(uint64_t));
		head->entries += s->removes ? 0 : s->count;
	}
	return at;
}

static void part_write(const struct part *part, uint8_t *image, struct list_segment *to)
{
	struct hashset set = {
		.hashes = (uint64_t *)(image + part->segment.offset),
		.capacity = part->segment.capacity,
		.length = part->segment.length,
		.count = part->segment.count,
	};

	*to = part->segment;
	if (part->copy)
		memcpy(set.hashes, part->copy, set.length * sizeof(uint64_t));
	else
		hashset_place(&set, &part->hashes);
}

/* `head` has what is not of the plan. */
static int plan_build(struct plan *plan, struct list_set_head *head, struct list_image *image)
{
	struct list_set_head *to;
	struct list_segment *segments;

	head->magic = LIST_SET_MAGIC;
	head->version = LIST_SET_VERSION;
	head->size = plan_measure(plan, head);
	to = aligned_alloc(LIST_SET_ALIGN, head->size);
	if (!to)
		return -ENOMEM;
	memset(to, 0, head->size);
	*to = *head;
	segments = (struct list_segment *)(to + 1);
	for (size_t i = 0; i < plan->count; i++)
		part_write(&plan->parts[i], (uint8_t *)to, &segments[i]);
	list_set_index((uint32_t *)(segments + plan->count), to->index, segments, to->segments);
	to->checksum = list_set_checksum(to);
	*image = (struct list_image){to, head->size};
	return 0;
}

/* One list */

static bool is_same(const struct list_change *change, struct list_name list)
{
	return change && change->list.owner == list.owner && change->list.kind == list.kind;
}

static int copy_segments(struct plan *plan, const struct list_set *set, struct list_name list)
{
	uint32_t count;
	const struct list_segment *s = list_set_segments(set, list.owner, list.kind, &count);

	for (uint32_t i = 0; i < count; i++) {
		struct part *part = plan_add(plan, list);

		if (!part)
			return -ENOMEM;
		part->segment = s[i];
		part->copy = list_segment_set(set, &s[i]).hashes;
	}
	return 0;
}

/* What was to hold from a time on that has come holds always; what ends keeps its time. */
static uint64_t time_kept(enum list_kind kind, uint64_t from, uint64_t now)
{
	return from <= now && !list_kind_ends(kind) ? 0 : from;
}

/* A segment's entries to those of the list's parts, sorted. */
static int take_segment(struct plan *plan, size_t first, const struct list_set *set,
			const struct list_segment *s, uint64_t now)
{
	const struct list_name list = {s->owner, (enum list_kind)s->kind};
	struct hashset hashes = list_segment_set(set, s);
	struct part *part =
		plan_part(plan, first, list, s->removes, time_kept(list.kind, s->from, now));
	int rc = part ? hash_list_add_set(&part->hashes, &hashes) : -ENOMEM;

	if (!rc && s->added > part->segment.added)
		part->segment.added = s->added;
	return rc;
}

/* Its entries ended. */
static bool is_over(const struct list_segment *s, uint64_t oldest)
{
	return list_kind_ends((enum list_kind)s->kind) && s->from && s->from < oldest;
}

/* `oldest`: of what ends, what came before it is left out. */
static int take_segments(struct plan *plan, size_t first, const struct list_set *set,
			 struct list_name list, bool removes, uint64_t now, uint64_t oldest)
{
	uint32_t count;
	const struct list_segment *s = list_set_segments(set, list.owner, list.kind, &count);
	int rc = 0;

	for (uint32_t i = 0; i < count && !rc; i++)
		if (s[i].removes == removes && !is_over(&s[i], oldest))
			rc = take_segment(plan, first, set, &s[i], now);
	return rc;
}

static void sort_parts(struct plan *plan, size_t first)
{
	for (size_t i = first; i < plan->count; i++)
		hash_list_sort(&plan->parts[i].hashes);
}

static void subtract_parts(struct plan *plan, size_t first, bool removes,
			   const struct hash_list *other)
{
	for (size_t i = first; i < plan->count; i++)
		if (plan->parts[i].segment.removes == removes)
			hash_list_subtract(&plan->parts[i].hashes, other);
}

/* Whether of two times of one list the first is the one of an entry that has both. */
static bool is_stronger(const struct list_segment *a, const struct list_segment *b)
{
	if (list_kind_ends((enum list_kind)a->kind))
		return a->from ? b->from && a->from > b->from : b->from != 0;
	return a->from < b->from;
}

/* Of two times that an entry holds from, the first is the one; of two that it ends after, the last.
 */
static void strongest_only(struct plan *plan, size_t first)
{
	for (size_t i = first; i < plan->count; i++)
		for (size_t j = first; j < plan->count; j++)
			if (!plan->parts[i].segment.removes && !plan->parts[j].segment.removes &&
			    is_stronger(&plan->parts[i].segment, &plan->parts[j].segment))
				hash_list_subtract(&plan->parts[j].hashes, &plan->parts[i].hashes);
}

static uint64_t count_parts(const struct plan *plan, size_t first)
{
	uint64_t count = 0;

	for (size_t i = first; i < plan->count; i++)
		if (!plan->parts[i].segment.removes)
			count += plan->parts[i].hashes.count;
	return count;
}

/* The change's entries as a part of its own, or to that of the same time. */
static int take_change(struct plan *plan, size_t first, const struct list_change *change,
		       uint64_t now)
{
	struct part *part = plan_part(plan, first, change->list, false,
				      time_kept(change->list.kind, change->from, now));

	if (!part)
		return -ENOMEM;
	part->segment.added = now;
	return hash_list_append(&part->hashes, &change->hashes);
}

static uint64_t oldest_of(const struct list_sets *sets, uint64_t now)
{
	return list_oldest(sets->period, now * 1000000000);
}

static int merge_whole(struct plan *plan, const struct list_sets *sets, struct list_name list,
		       uint64_t now)
{
	const uint64_t oldest = oldest_of(sets, now);
	struct hash_list removed = {0};
	size_t first = plan->count;
	uint32_t count;
	int rc = take_segments(plan, first, &sets->base, list, false, now, oldest);

	if (rc || !list_sets_fit(sets))
		return rc;
	const struct list_segment *s =
		list_set_segments(&sets->delta, list.owner, list.kind, &count);

	for (uint32_t i = 0; i < count && !rc; i++)
		if (s[i].removes) {
			struct hashset set = list_segment_set(&sets->delta, &s[i]);

			rc = hash_list_add_set(&removed, &set);
		}
	if (!rc) {
		sort_parts(plan, first);
		subtract_parts(plan, first, false, &removed);
		rc = take_segments(plan, first, &sets->delta, list, false, now, oldest);
	}
	hash_list_fini(&removed);
	return rc;
}

static int merge_change(struct plan *plan, size_t first, const struct list_change *change,
			uint64_t now, struct list_outcome *outcome)
{
	uint64_t before;
	int rc = 0;

	sort_parts(plan, first);
	strongest_only(plan, first);
	before = count_parts(plan, first);
	if (change->removes)
		subtract_parts(plan, first, false, &change->hashes);
	else
		rc = take_change(plan, first, change, now);
	sort_parts(plan, first);
	strongest_only(plan, first);
	outcome->entries = count_parts(plan, first);
	outcome->changed = outcome->entries > before ? outcome->entries - before
						     : before - outcome->entries;
	return rc;
}

/* Whether it can stay as it is in the base. */
static bool is_untouched(const struct list_sets *sets, struct list_name list, uint64_t now)
{
	uint32_t count;
	const struct list_segment *s =
		list_set_segments(&sets->base, list.owner, list.kind, &count);

	for (uint32_t i = 0; i < count; i++)
		if (list_kind_ends(list.kind) ? is_over(&s[i], oldest_of(sets, now))
					      : s[i].from && s[i].from <= now)
			return false;
	if (list_sets_fit(sets))
		list_set_segments(&sets->delta, list.owner, list.kind, &count);
	else
		count = 0;
	return count == 0;
}

static int merge_list(struct plan *plan, const struct list_sets *sets, struct list_name list,
		      struct list_change *change, uint64_t now, struct list_outcome *outcome)
{
	size_t first = plan->count;
	bool changes = is_same(change, list);
	int rc = 0;

	if (!changes && is_untouched(sets, list, now))
		return copy_segments(plan, &sets->base, list);
	if (!changes || !change->replaces)
		rc = merge_whole(plan, sets, list, now);
	if (!rc && changes)
		return merge_change(plan, first, change, now, outcome);
	sort_parts(plan, first);
	strongest_only(plan, first);
	return rc;
}

/* All lists */

static int name_compare(const void *a, const void *b)
{
	const struct list_name *x = a, *y = b;

	if (x->owner != y->owner)
		return x->owner < y->owner ? -1 : 1;
	return (x->kind > y->kind) - (x->kind < y->kind);
}

/* With the change's. */
static struct list_name *names_of(const struct list_sets *sets, const struct list_change *change,
				  size_t *count)
{
	const struct list_set *set[] = {&sets->base, &sets->delta};
	struct list_name *names;
	size_t room = 1, n = 0, kept = 0;

	for (int i = 0; i < 2; i++)
		room += set[i]->head ? set[i]->head->segments : 0;
	names = calloc(room, sizeof(*names));
	if (!names)
		return NULL;
	for (int i = 0; i < 2; i++)
		for (uint32_t j = 0; set[i]->head && j < set[i]->head->segments; j++)
			names[n++] = (struct list_name){set[i]->segment[j].owner,
							(enum list_kind)set[i]->segment[j].kind};
	if (change)
		names[n++] = change->list;
	qsort(names, n, sizeof(*names), name_compare);
	for (size_t i = 0; i < n; i++)
		if (!kept || name_compare(&names[kept - 1], &names[i]) != 0)
			names[kept++] = names[i];
	*count = kept;
	return names;
}

struct list_name *list_names(const struct list_sets *sets, size_t *count)
{
	const struct list_sets base = {.base = sets->base};

	return names_of(list_sets_fit(sets) ? sets : &base, NULL, count);
}

int list_merge(const struct list_sets *sets, struct list_change *change, uint64_t now,
	       struct list_image *image, struct list_outcome *outcome)
{
	struct list_set_head head = {
		.generation = (sets->base.head ? sets->base.head->generation : 0) + 1,
		.key_id = list_key_id(sets->key),
		.created = now,
	};
	struct plan plan = {0};
	size_t count;
	struct list_name *names = names_of(sets, change, &count);
	int rc = names ? 0 : -ENOMEM;

	if (change)
		hash_list_sort(&change->hashes);
	for (size_t i = 0; !rc && i < count; i++)
		rc = merge_list(&plan, sets, names[i], change, now, outcome);
	if (!rc)
		rc = plan_build(&plan, &head, image);
	plan_fini(&plan);
	free(names);
	return rc;
}

/* The delta */

static bool is_in(const struct list_set *set, struct list_name list, bool removes, uint64_t hash)
{
	uint32_t count;
	const struct list_segment *s = list_set_segments(set, list.owner, list.kind, &count);

	for (uint32_t i = 0; i < count; i++) {
		struct hashset hashes = list_segment_set(set, &s[i]);

		if (s[i].removes == removes && hashset_has(&hashes, hash))
			return true;
	}
	return false;
}

/* The list has it as long as the change would have it. */
static bool is_held(const struct list_sets *sets, const struct list_change *change, uint64_t hash,
		    enum list_standing was, uint64_t from)
{
	if (list_kind_ends(change->list.kind))
		return list_sets_has_since(sets, change->list.owner, change->list.kind, hash,
					   change->from ? change->from : UINT64_MAX);
	return was != LIST_ABSENT && from <= change->from;
}

/* What of the change makes a difference, and how the delta's parts of the list come to be. */
static int patch_hash(struct plan *plan, size_t first, const struct list_sets *sets,
		      const struct list_change *change, uint64_t now, uint64_t hash,
		      struct list_outcome *outcome)
{
	struct hash_list one = {&hash, 1, 1};
	struct part *part;
	uint64_t from;
	enum list_standing was =
		list_sets_find(sets, change->list.owner, change->list.kind, hash, &from);

	if (change->removes ? was == LIST_ABSENT : is_held(sets, change, hash, was, from))
		return 0;
	outcome->changed += change->removes || was == LIST_ABSENT;
	subtract_parts(plan, first, false, &one);
	if (change->removes && !is_in(&sets->base, change->list, false, hash))
		return 0;
	part = plan_part(plan, first, change->list, change->removes,
			 change->removes ? 0 : change->from);
	if (!part)
		return -ENOMEM;
	part->segment.added = now;
	return hash_list_insert(&part->hashes, hash);
}

static int patch_list(struct plan *plan, const struct list_sets *sets, struct list_change *change,
		      uint64_t now, struct list_outcome *outcome)
{
	size_t first = plan->count;
	int rc = 0;

	/* Times stay as they are: the delta is small. */
	if (list_sets_fit(sets))
		for (int removes = 0; removes <= 1 && !rc; removes++)
			rc = take_segments(plan, first, &sets->delta, change->list, removes, 0, 0);
	sort_parts(plan, first);
	outcome->changed = 0;
	for (size_t i = 0; i < change->hashes.count && !rc; i++)
		rc = patch_hash(plan, first, sets, change, now, change->hashes.hashes[i], outcome);
	return rc;
}

int list_patch(const struct list_sets *sets, struct list_change *change, uint64_t now,
	       struct list_image *image, struct list_outcome *outcome)
{
	const struct list_set none = {0};
	const struct list_sets delta = {.base = list_sets_fit(sets) ? sets->delta : none};
	struct list_set_head head = {
		.generation = (sets->delta.head ? sets->delta.head->generation : 0) + 1,
		.over = sets->base.head->generation,
		.key_id = list_key_id(sets->key),
		.created = now,
	};
	struct plan plan = {0};
	size_t count;
	struct list_name *names = names_of(&delta, change, &count);
	int rc = names ? 0 : -ENOMEM;

	hash_list_sort(&change->hashes);
	for (size_t i = 0; !rc && i < count; i++)
		rc = is_same(change, names[i]) ? patch_list(&plan, sets, change, now, outcome)
					       : copy_segments(&plan, &delta.base, names[i]);
	if (!rc)
		rc = plan_build(&plan, &head, image);
	if (!rc) {
		uint64_t before = list_count(sets, change->list);

		outcome->entries = change->removes ? before - outcome->changed
						   : before + outcome->changed;
	}
	plan_fini(&plan);
	free(names);
	return rc;
}

static uint64_t count_in(const struct list_set *set, struct list_name list, bool removes)
{
	uint32_t count;
	const struct list_segment *s = list_set_segments(set, list.owner, list.kind, &count);
	uint64_t entries = 0;

	for (uint32_t i = 0; i < count; i++)
		entries += s[i].removes == removes ? s[i].count : 0;
	return entries;
}

/* Of the delta's additions, those that the base has too, from a later time on. */
static uint64_t count_twice(const struct list_sets *sets, struct list_name list)
{
	uint32_t count;
	const struct list_segment *s =
		list_set_segments(&sets->delta, list.owner, list.kind, &count);
	uint64_t twice = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct hashset set = list_segment_set(&sets->delta, &s[i]);

		for (uint64_t j = 0; !s[i].removes && j < set.length; j++)
			twice += set.hashes[j] && is_in(&sets->base, list, false, set.hashes[j]) &&
				 !is_in(&sets->delta, list, true, set.hashes[j]);
	}
	return twice;
}

uint64_t list_count(const struct list_sets *sets, struct list_name list)
{
	uint64_t entries = count_in(&sets->base, list, false);

	if (!list_sets_fit(sets))
		return entries;
	return entries + count_in(&sets->delta, list, false) - count_in(&sets->delta, list, true) -
	       count_twice(sets, list);
}
