/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Evidence: the headers of mails that the gate refused, as the dataplane told of them
 * (EVENT_EVIDENCE), in the store for as long as gate.retention says, and only so many a tenant and
 * hour: a flood of refusals says nothing new. Of a body what the rule that refused is told to keep,
 * and the dataplane has redacted. Recipients are known by keyed hashes,
 * so that `postern forget` finds what they are in. The event loop's thread.
 */
#ifndef POSTERN_CONTROL_EVIDENCE_H
#define POSTERN_CONTROL_EVIDENCE_H

#include "bpf/event.h"
#include "control/daemon/command.h"
#include "control/events/person.h"
#include "control/store/store.h"

#define EVIDENCE_HOURLY 60 /* of a tenant */

struct daemon;

struct evidence_quota {
	uint64_t hour;
	uint32_t kept;
};

struct evidence {
	struct evidence_quota *quota; /* by slot; NULL: nothing is kept */
	uint32_t slots;
	uint64_t kept, beyond; /* beyond: there were enough of that hour's */
	uint64_t lost;         /* the store had no room: the disk is slow, or takes nothing */
};

extern const struct store_part evidence_part;

/* 0 or -ENOMEM: then nothing is kept. */
int evidence_open(struct evidence *evidence, uint32_t slots);
void evidence_close(struct evidence *evidence);

/* Takes a record of tenant `id`'s; whatever is no evidence is nothing to it. True: it was kept. */
bool evidence_take(struct evidence *evidence, struct store *store, const struct person_key *key,
		   uint32_t id, const struct event_head *head);

void evidence_record(struct daemon *daemon, const struct event_head *head);

/* The functions of the table. */
enum command_outcome run_evidence_list(struct request *request, json_t **result);
enum command_outcome run_evidence_show(struct request *request, json_t **result);

#endif
