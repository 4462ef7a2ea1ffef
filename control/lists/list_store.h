/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists on the disk: DIR/lists/key, base.set and delta.set (bpf/list_set.h). Each file is replaced
 * as a whole; between the two steps of a merge, the old delta is of another base and counts for
 * nothing, as it should. One process changes them: who holds the state directory's lock. Readers
 * keep what they have mapped. One thread; blocks on the disk.
 */
#ifndef POSTERN_CONTROL_LIST_STORE_H
#define POSTERN_CONTROL_LIST_STORE_H

#include "control/lists/list_build.h"

#define LIST_STORE_ERROR 256
#define LIST_DELTA_MAX   65536 /* entries; beyond it the delta is merged into the base */
#define LIST_HOUR        3600  /* s: the times that entries hold from are whole hours, rounded up */

struct list_file {
	void *data; /* mapped, read-only; NULL: there is none */
	size_t size;
	uint64_t inode; /* nobody else's as long as it is mapped */
};

struct list_store {
	int dir;      /* -1: not open */
	uint64_t now; /* what sets.clock is: the caller's to set */
	struct list_file base, delta;
	struct list_sets sets;
};

/*
 * Opens or, if told to, makes the lists of a state directory. 0; -ENOENT: there are none; -EBADMSG:
 * a file is damaged, foreign or of another key; -errno. `error` says it in words, with the file's
 * name.
 */
int list_store_open(const char *state_dir, bool create, struct list_store *store,
		    char error[LIST_STORE_ERROR]);
/* After list_store_init() or a failed opening it is nothing. */
void list_store_close(struct list_store *store);
void list_store_init(struct list_store *store);

/* Looks at the files anew, which another process may have replaced; as list_store_open(). */
int list_store_refresh(struct list_store *store, char error[LIST_STORE_ERROR]);

/* Changes: of what stands on the disk, whoever wrote it. */

/* Into a new base, with the delta. 0, -ENOMEM or -errno: nothing has changed. */
int list_store_merge(struct list_store *store, struct list_change *change,
		     struct list_outcome *outcome);

/* Into the delta. The same; -ENOSPC: there is no room in it, merge first. */
int list_store_patch(struct list_store *store, struct list_change *change,
		     struct list_outcome *outcome);

/* The hour in which what is to hold from this time on does. */
uint64_t list_hour(uint64_t time);

#endif
