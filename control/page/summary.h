/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one object that `postern replay --json` writes: what a run did, for
 * machines. Its members are always all there and always in the same order;
 * docs/summary.md lists them.
 *
 * Control only: one thread at a time, allocates.
 */
#ifndef POSTERN_CONTROL_SUMMARY_H
#define POSTERN_CONTROL_SUMMARY_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event_record.h"
#include "control/page/report.h"

/* The envelope addresses so far. */
struct summary_addresses {
	struct summary_address *item;
	size_t count, room;
};

struct summary {
	struct summary_addresses mail_from, rcpt_to;
	size_t serial; /* of the next address */
};

void summary_init(struct summary *summary);
void summary_fini(struct summary *summary);

/*
 * Takes what it needs of a record (EVENT_ADDRESS only), of whose bytes len are
 * readable; the order of calls matters only within one packet. 0, -EBADMSG: no
 * record, -ENOMEM.
 */
int summary_event(struct summary *summary, const struct event_head *head, size_t len);

/* The object, the caller's to json_decref(); NULL: no memory. */
json_t *summary_json(struct summary *summary, const struct report *report);

#endif
