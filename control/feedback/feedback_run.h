/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Feedback in posternd: what left is remembered as the dataplane tells of it, what comes back is
 * matched, counted in the tenants' risk, and kept. The event loop's thread.
 */
#ifndef POSTERN_CONTROL_FEEDBACK_RUN_H
#define POSTERN_CONTROL_FEEDBACK_RUN_H

#include "bpf/event.h"
#include "control/daemon/command.h"
#include "control/feedback/feedback_match.h"
#include "control/store/store.h"

#define FEEDBACK_KEPT 100000 /* reports that the store keeps, the newest */

struct daemon;

struct feedback_run {
	struct feedback_memory memory;
	uint64_t items[FEEDBACK_SOURCE_COUNT][FEEDBACK_RESULT_COUNT];
	uint64_t remembered; /* mails that the dataplane told of */
};

/* Where the tables can't be had, the gate goes on without, and says so in the log. */
void feedback_open(struct daemon *daemon);
void feedback_close(struct daemon *daemon);

/* What the dataplane says of mail that leaves. */
void feedback_record(struct daemon *daemon, const struct event_head *head);

/* `postern forget`: what is kept of a recipient, of all tenants. */
void feedback_forget_address(struct daemon *daemon, const char *address);

/*
 * A report was taken: any of a complaint's kinds, and a reply that names a block list; whether it
 * was anybody's or not. The one place where what people have to do begins
 * (control/feedback/feedback_tell.c). `slot` 0: nobody's.
 */
void feedback_tell(struct daemon *daemon, struct store_unit *unit, uint32_t slot,
		   const struct feedback_item *item, const struct feedback_match *match);

/* Its table in the store. */
extern const struct store_part feedback_part;

/* The functions of the table. */
enum command_outcome run_feedback_report(struct request *request, json_t **result);
enum command_outcome run_feedback_list(struct request *request, json_t **result);
enum command_outcome run_feedback_stats(struct request *request, json_t **result);

#endif
