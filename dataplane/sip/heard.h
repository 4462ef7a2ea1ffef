/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was lately heard of a tenant's calls, texts and log-ins, and where it went: entries that end
 * by themselves, in one memory of all workers (match_memory.h). A tenant has half of its places at
 * the most, and gives up its own before it takes another's. 16 bytes an entry, as many as
 * budgets.calls, reserved at the start. Workers; in a replay in the packets' order.
 */
#ifndef POSTERN_HEARD_H
#define POSTERN_HEARD_H

#include "dataplane/proto/bytes.h"
#include "dataplane/worker.h"

enum heard {
	HEARD_STOP = 1, /* a recipient that wants no more texts of the tenant's */
	HEARD_UNWANTED, /* a callee that wants no more calls */
	HEARD_PEER,     /* an address that it sent to */
	HEARD_PEERS,    /* their count */
	HEARD_LOGIN,    /* a request with credentials, not answered yet */
	HEARD_FAILURE,  /* the count of log-ins that failed */
	HEARD_FAILURES, /* there were too many of them */
	HEARD_TOLD,     /* and that was told */
	HEARD_START,    /* a recipient that wants texts again, after a STOP */
	HEARD_CONFIRM,  /* it said STOP lately, and has not been sent a confirmation yet */
	HEARD_SENT,     /* the confirmation: a request, which may come again */
};

/* Keyed; of anything that there may be an entry for. */
uint64_t heard_hash(const struct worker *w, const void *data, size_t len);
/*
 * Of the number in a URI, in its normal form, or of "user@host" where it is none; 0: of neither.
 * `text` (LIST_TEXT_MAX bytes) gets it, *len its length.
 */
uint64_t heard_hash_uri(const struct worker *w, struct bytes uri, uint8_t *text, size_t *len);

bool heard_has(struct worker *w, enum heard what, uint32_t tenant, uint64_t thing);
void heard_keep(struct worker *w, enum heard what, uint32_t tenant, uint64_t thing, uint64_t ns);
void heard_drop(struct worker *w, enum heard what, uint32_t tenant, uint64_t thing);
/*
 * It is there, and of all that ask so, on whatever worker, this is the first since it was kept
 * last. It stays, for the others, until it would have ended.
 */
bool heard_take(struct worker *w, enum heard what, uint32_t tenant, uint64_t thing);
/* One more within a window that begins with the first; returns how many. */
uint32_t heard_count(struct worker *w, enum heard what, uint32_t tenant, uint64_t window);

/* The flow's client, a tenant's, sends to its server for the first time: REASON_PROBING. */
void heard_peer(struct worker *w, struct flow *f);
/* Will be asked soon: one of the memory's places is not in the cache, as a rule. */
void heard_prefetch_peer(const struct worker *w, const struct flow *f);

/* A log-in of the tenant's failed, or is tried: true: after too many (REASON_AUTH_FAILURES). */
void heard_login_failed(struct worker *w, uint32_t tenant);
bool heard_logins_failed(struct worker *w, uint32_t tenant);
/* True: it was not told of within the window yet, and is now. */
bool heard_logins_told(struct worker *w, uint32_t tenant);

#endif
