/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A new configuration, all of it or nothing: compiled by a child, taken by the dataplane, and only
 * then what posternd goes by. The event loop's thread.
 */
#ifndef POSTERN_CONTROL_RELOAD_H
#define POSTERN_CONTROL_RELOAD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/rules/rules_change.h"

struct compile;
struct daemon;
struct event;
struct request;
struct roster;

struct reload {
	struct compile *compile;    /* running */
	struct roster *next;        /* compiled, on its way to the dataplane */
	struct request *request;    /* who asked; NULL: a signal, or the start */
	struct rules_change change; /* what it is about */
	struct event *retry;        /* the dataplane is busy with another push */
	bool running, again;        /* again: a signal came meanwhile */
	bool syncing;               /* the dataplane is being sent what is in force */
	char refused[256];          /* why the dataplane did not take what is in force; "" */
	uint64_t began, swapped;    /* ns, monotonic; swapped: the dataplane was asked */
	uint64_t done, failed;      /* how many */
	uint64_t last;              /* ns since 1970: when the last one was done; 0: never */
	json_t *started;            /* settings with which the programs were started */
	json_t *problems;           /* of the last failure, NULL: the last one went well */
};

/* Begins. `request` (may be NULL) is answered at the end. false: one is running already. */
bool reload_start(struct daemon *daemon, struct request *request);

/* The same for a change to the rules, with a text that was pushed (NULL: none); takes the change
 * over unless it returns false. */
bool reload_rules(struct daemon *daemon, struct request *request, struct rules_change *change,
		  const struct rules_text *text);

/* By signal: begins, or does so again when the running one ends. */
void reload_signal(struct daemon *daemon);

/* A dataplane came: if it is a new one, it reads the settings that it reads once. */
void reload_restarted(struct daemon *daemon);

/* Sends what is in force to a dataplane that has just come up. */
void reload_sync(struct daemon *daemon);

/* How it goes, to the service manager. */
void reload_tell_manager(const struct daemon *daemon);

void reload_fini(struct daemon *daemon);

#endif
