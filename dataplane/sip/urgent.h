/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Emergency calls that were let through (AUP-EMERGENCY), from their INVITE to their end: what
 * belongs to one is held to no limit, and its media pass (media_table.h).
 *
 * Apart from the table of calls: that may forget a call for want of room, and this must not. Known
 * by Call-ID and the caller's tag. All workers' together, under the calls' lock; in a replay in the
 * packets' order.
 */
#ifndef POSTERN_URGENT_H
#define POSTERN_URGENT_H

#include "bpf/policy.h"
#include "dataplane/proto/sip.h"
#include "dataplane/sip/media_table.h"

struct worker;
struct flow;

#define URGENT_MEDIA 4 /* m= lines of a call; those behind are not exempt */
#define URGENT_LEFT \
	(5 * UINT64_C(1000000000)) /* ns that a place goes on which was left for another */

enum urgent {
	URGENT_NOT,
	URGENT_BEGINS, /* an INVITE of an emergency number, which goes on */
	URGENT_IS,     /* of a call that began so */
};

/* Where one side wants one m= line's media. */
struct urgent_end {
	uint8_t addr[16];
	uint16_t port[2]; /* RTP's, RTCP's; 0: not known, as behind a translator */
	uint8_t family;   /* 0: nowhere */
	bool mux;         /* RTCP may come to RTP's */
};

enum urgent_side { URGENT_INSIDE, URGENT_OUTSIDE, URGENT_SIDES };

struct urgent_call {
	uint64_t hash;  /* 0: the place is free */
	uint64_t heard; /* ns: its last message; media_table.h's clock */
	uint64_t idle;  /* ns */
	uint32_t tenant;
	uint32_t next; /* the tenant's next, from 1; 0: the last */
	struct urgent_end end[URGENT_SIDES][URGENT_MEDIA];
	struct media_ref now[URGENT_MEDIA];
	struct media_ref left[URGENT_MEDIA]; /* that were before them */
};

struct urgent_table {
	struct media_table media;
	struct urgent_call *calls;
	uint32_t *first; /* by tenant */
	uint32_t room, tenants, tenant_max, cursor;
	size_t size; /* of calls and what follows them */
};

/* 0 or -ENOMEM. `slots`: of tenants. */
int urgent_open(struct urgent_table *t, const struct policy_budgets *budgets, uint32_t slots);
void urgent_close(struct urgent_table *t);

/* Whether a message of the tenant's flow is of such a call, and of what such a call is made of. */
bool urgent_is(struct worker *w, uint32_t tenant, const struct sip_message *msg);
/*
 * The message goes on: a call begins, its media change, or it ends. `outbound`: the tenant sent it.
 * `events`: enum call_event bits that it made.
 */
void urgent_follow(struct worker *w, enum urgent urgent, const struct sip_message *msg,
		   bool outbound, uint32_t events);
/* Live: gives back what is over, a bounded number at a time. Under the lock. */
void urgent_sweep(struct urgent_table *t, uint64_t now, uint32_t budget);

/* Whether a slot's packet, a datagram that is not read, is an emergency call's media. */
bool urgent_passes(struct worker *w, unsigned slot);
/* Whether it may turn out to be. */
bool urgent_may_pass(const struct worker *w, unsigned slot);

/* urgent_media.c's: reads what the message's description says of its sender. False: there is none.
 */
bool urgent_describe(struct worker *w, const struct sip_message *msg, bool outbound,
		     struct urgent_call *call);
/* Brings the call's media to what its two sides say. */
void urgent_settle(struct worker *w, struct urgent_call *call, uint64_t now);
/* They end, now. */
void urgent_end_media(struct urgent_table *t, const struct urgent_call *call);

#endif
