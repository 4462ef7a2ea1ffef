/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The calls that all workers know together: one dialog's messages may come on
 * several flows. Workers take turns by a lock that only they can hold; in
 * replays they also keep the packets' order (dataplane/order.h).
 */
#ifndef POSTERN_CALLS_H
#define POSTERN_CALLS_H

#include <rte_ticketlock.h>

#include "dataplane/inspect.h"
#include "dataplane/proto/call.h"
#include "dataplane/proto/sip_refused.h"
#include "dataplane/sip/urgent.h"
#include "dataplane/worker.h"

struct match_memory;

struct calls {
	rte_ticketlock_t lock; /* its release waits for no store, as a spinlock's does */
	struct call_table *table;
	struct sip_refused_table *refused; /* behind it, with as many entries */
	size_t size;                       /* of the memory of both */
	struct match_memory *memory;       /* heard.h's */
	struct urgent_table urgent;        /* emergency calls, and their media */
	uint8_t key[SIPHASH_KEY_SIZE];
	struct worker *holder; /* for the table's callback */
};

/* NULL: no memory. slots: of tenants, that may have calls. `key`: SIPHASH_KEY_SIZE
 * bytes that nobody else knows; NULL: the same in every run. */
struct calls *calls_new(const struct policy *policy, uint32_t slots, const uint8_t *key);
void calls_free(struct calls *calls);

/* How the call that a message is of stood before it. */
struct call_standing {
	bool refused; /* by the gate */
	bool open;    /* known, and neither refused nor over */
	/* It is tried: how many of the tenant's ring or are talked on with it, before any that
	 * comes next. */
	uint32_t open_calls;
};

/* One message seen; counts what it did. Returns enum call_event bits. */
uint32_t calls_message(struct worker *w, uint32_t tenant, const struct sip_message *msg,
		       struct call_standing *standing);
/* Whether more of the tenant's calls rang or were talked on, that message's among them. */
bool calls_beyond(struct worker *w, uint32_t tenant, const struct call_standing *standing,
		  uint32_t most);
void calls_refuse(struct worker *w, uint32_t tenant, const struct sip_message *msg, uint16_t code);

/*
 * The message is of a transaction that the gate refused: *out is a copy of what is known of it.
 * Notes that an ACK came, for those after it.
 */
bool calls_refused_before(struct worker *w, uint32_t tenant, const struct sip_message *msg,
			  struct sip_refused *out);
/*
 * Has the request's transaction remembered with that answer (code 0: none), whose words are cut
 * to what is kept. No room: the tenant's REASON_CALL_BUDGET.
 */
void calls_remember(struct worker *w, uint32_t tenant, const struct sip_message *msg,
		    const struct sip_answer *answer);

/* Takes over what the worker's policy says of calls: w->policy has changed. */
void calls_follow(struct worker *w);
void calls_expire(struct worker *w, unsigned budget);
/* The replay is over: calls without an end are told as they stand. */
void calls_flush(struct worker *w);

#endif
