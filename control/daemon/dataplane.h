/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dataplane as posternd sees it: the channel, found again whenever it was lost, and the memory
 * object that it hands over. The event loop's thread; never waits for the dataplane.
 */
#ifndef POSTERN_CONTROL_DATAPLANE_H
#define POSTERN_CONTROL_DATAPLANE_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/channel.h"
#include "bpf/shm.h"

struct dataplane;

/* Lists (bpf/list_set.h): files, and a number for each that is another whenever they are. */
struct dataplane_lists {
	int file[2]; /* base, delta; -1: none */
	size_t size[2];
	uint64_t version[2]; /* 0: nothing was ever there */
	uint64_t key[2];
	uint64_t settled; /* ns since 1970: list_sets.settled */
};

/* What it should have. Descriptors are the caller's, and stay open until the push is done. */
struct dataplane_policy {
	int slots, policy, ruleset; /* -1: none */
	size_t slots_size, policy_size, ruleset_size;
	uint32_t slot_count;
	uint64_t generation;
	struct dataplane_lists lists;
};

struct dataplane_events {
	/* Greeted, of our version, its memory mapped: it wants a push now. */
	void (*up)(void *ctx);
	/* Gone; a push that was under way has been answered. */
	void (*down)(void *ctx, const char *why);
	/* Somebody is there and can't be talked to; told once until it changes. */
	void (*wrong)(void *ctx, const char *why);
	void *ctx;
};

/* Looks for it at the path from now on. 0 or -ENOMEM. */
int dataplane_open(struct event_base *base, const char *path, const struct dataplane_events *events,
		   struct dataplane **dataplanep);
void dataplane_close(struct dataplane *dataplane);

/* Between `up` and `down`. */
bool dataplane_is_up(const struct dataplane *dataplane);
/* NULL unless it is up; good until `down`. */
const struct shm_head *dataplane_memory(const struct dataplane *dataplane);
/* The last one that came. */
const struct channel_status *dataplane_status(const struct dataplane *dataplane);
/* Why it is not up, "" if it is. */
const char *dataplane_trouble(const struct dataplane *dataplane);

/*
 * Sends all of it, in turn; `done` is called once, from the loop: 0: every worker uses it. -errno
 * with words: nothing has changed: what was sent already was taken back by sending `before` (NULL:
 * there is nothing to go back to). -EBUSY at once: another push is under way; -ENOTCONN.
 */
int dataplane_push(struct dataplane *dataplane, const struct dataplane_policy *policy,
		   const struct dataplane_policy *before,
		   void (*done)(void *ctx, int rc, const char *words), void *ctx);

/* The same of lists alone: those that it has not been sent yet. */
int dataplane_push_lists(struct dataplane *dataplane, const struct dataplane_lists *lists,
			 void (*done)(void *ctx, int rc, const char *words), void *ctx);

#endif
