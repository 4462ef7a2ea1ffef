/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of several workers in one order that does not depend on how many
 * there are: by packet, then by flow, then as the flow's worker wrote them.
 * Records of no flow that one packet brought about (a sweep's) go by content.
 * A flow is one worker's, so one worker's log and N workers' are the same.
 *
 * Records are copied and held until they are released; the memory is that of
 * the records held. Control only, one thread at a time.
 */
#ifndef POSTERN_CONTROL_EVENT_ORDER_H
#define POSTERN_CONTROL_EVENT_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/event_record.h"

struct event_order {
	uint8_t *bytes; /* the records, one after the other */
	size_t used, room;
	struct event_order_entry *entry;
	size_t entries, entry_room;
	uint64_t seq; /* of the next push */
};

void event_order_init(struct event_order *order);
void event_order_fini(struct event_order *order);

/* Takes a record of a worker, of whose bytes len are readable. 0, -EBADMSG: no record, -ENOMEM. */
int event_order_push(struct event_order *order, unsigned worker, const struct event_head *head,
		     size_t len);

/*
 * Hands the records of packets up to upto (UINT64_MAX: all) to take, in order,
 * and forgets them; take must not push. The caller knows that no worker has records of those
 * packets left: one that comes later is handed out at the next release. Returns
 * 0, or the first that take returned other than 0: it then gets no further ones, and what was
 * due is forgotten.
 */
int event_order_release(struct event_order *order, uint64_t upto,
			int (*take)(void *arg, const struct event_head *head, size_t len),
			void *arg);

#endif
