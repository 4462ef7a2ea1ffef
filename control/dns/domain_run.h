/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Senders' domains that the dataplane tells of (policy.tell_domains), looked up; those that are bad
 * (control/dns/domain_lookup.h) are on the provider's list invalid-domain, which workers read, for
 * as long as they are. What is on it by this is kept in the store, so that entries of others' stay
 * when posternd takes its own away. The event loop's thread.
 */
#ifndef POSTERN_CONTROL_DOMAIN_RUN_H
#define POSTERN_CONTROL_DOMAIN_RUN_H

#include <jansson.h>

#include "bpf/event.h"
#include "control/dns/domain_lookup.h"
#include "control/store/store.h"

struct daemon;

struct domain_run {
	struct domain_lookup *lookup;
	json_t *pending; /* {domain: whether it is bad}: not on the list yet, or still */
	struct event *turn;
};

/* After the resolver. 0 or -ENOMEM. */
int domain_run_open(struct daemon *daemon);
void domain_run_close(struct daemon *daemon);

/* What the dataplane says. */
void domain_record(struct daemon *daemon, const struct event_head *head);

extern const struct store_part domain_part;

#endif
