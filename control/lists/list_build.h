/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes images of bpf/list_set.h: from hashes, and from images that there are. Allocates. */
#ifndef POSTERN_CONTROL_LIST_BUILD_H
#define POSTERN_CONTROL_LIST_BUILD_H

#include "bpf/list_set.h"
#include "control/lists/hashset_build.h"

/* Whose list it is. */
struct list_name {
	uint32_t owner; /* 0: everybody's */
	enum list_kind kind;
};

/* Entries that come to a list, or leave it. */
struct list_change {
	struct list_name list;
	struct hash_list hashes; /* the caller's; list_merge() and list_patch() sort it */
	uint64_t from;           /* s since 1970: they hold since then; 0: always */
	bool removes;
	bool replaces; /* nothing of the list stays but these (list_merge() alone) */
};

struct list_outcome {
	uint64_t entries; /* of the change's list, as it is now */
	uint64_t changed; /* of the change's entries, those that made a difference */
};

struct list_image {
	void *data; /* 64-aligned; free() */
	size_t size;
};

/*
 * A new base: the sets' base and delta together, with a change over it (NULL: none); what was to
 * hold from a time on that has come holds always. Lists that nothing happens to are copied. 0 or
 * -ENOMEM. `outcome` may be NULL where `change` is.
 */
int list_merge(const struct list_sets *sets, struct list_change *change, uint64_t now,
	       struct list_image *image, struct list_outcome *outcome);

/* A new delta over the same base, with a change in it. 0 or -ENOMEM. */
int list_patch(const struct list_sets *sets, struct list_change *change, uint64_t now,
	       struct list_image *image, struct list_outcome *outcome);

/* Every list that there is, once, in order; the caller frees them. NULL: no memory. */
struct list_name *list_names(const struct list_sets *sets, size_t *count);

/* How many entries a list has; without walking through it, but for the delta. */
uint64_t list_count(const struct list_sets *sets, struct list_name list);

#endif
