/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * posternd's lists of millions: the store, what the dataplane was sent of it, and the one change
 * that is under way. Small changes are made at once; files are read, and deltas merged, by a child
 * while the event loop goes on. The event loop's thread.
 */
#ifndef POSTERN_CONTROL_LISTS_H
#define POSTERN_CONTROL_LISTS_H

#include <jansson.h>
#include <sys/types.h>

#include "control/daemon/command.h"
#include "control/daemon/dataplane.h"
#include "control/lists/list_store.h"

struct daemon;
struct event;
struct request;

struct lists {
	struct list_store store;
	char trouble[LIST_STORE_ERROR]; /* why there is no store; "" */
	struct dataplane_lists send;
	uint64_t version;             /* the last that was given out */
	uint64_t base;                /* the generation of what is sent */
	struct list_learned *learned; /* list_learn.c */
	/* Under way */
	bool busy;
	bool scrub;              /* what was removed is to be gone from the files */
	struct request *request; /* who asked; NULL: nobody, or gone */
	json_t *result;          /* that will be the answer */
	pid_t pid;               /* of the child; 0: none */
	int report, alive;       /* memfd; the pipe's end by which its end is seen; -1 */
	struct event *ended, *again;
};

/* Opens them; where that can't be done, the gate goes on without, and says why when asked. */
void lists_open(struct daemon *daemon);
void lists_close(struct daemon *daemon);

/* The functions of the table. */
enum command_outcome run_list_file(struct request *request, json_t **result);
enum command_outcome run_list_import(struct request *request, json_t **result);
enum command_outcome run_list_add(struct request *request, json_t **result);
enum command_outcome run_list_remove(struct request *request, json_t **result);
enum command_outcome run_list_check(struct request *request, json_t **result);
enum command_outcome run_list_show(struct request *request, json_t **result);

/* For those above. */

struct list_import_job;

/* Starts a child that imports (NULL: merges the delta). 0 or -errno. Then it is busy. */
int lists_child(struct daemon *daemon, const struct list_import_job *job);

/*
 * The store has changed: the dataplane is sent it, and the request answered when it has it. Takes
 * the result over.
 */
void lists_changed(struct daemon *daemon, json_t *result);

#endif
