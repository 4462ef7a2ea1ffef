/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tenants' mail did lately: how often to whom, with what body, to whom never before, whose
 * mailbox does not exist. One memory of all workers, reserved at the start, sized by the
 * configuration's budgets; nothing in it is ever cleared but by time. No locks, no system calls;
 * any worker, any time. In a replay it is touched in the packets' order (order_wait()).
 *
 * The numbers are the policy's (struct policy_mail); what follows is smtp_watch.c's.
 */
#ifndef POSTERN_MAIL_WATCH_H
#define POSTERN_MAIL_WATCH_H

#include "bpf/policy.h"
#include "dataplane/match/match_memory.h"
#include "dataplane/policy/count_min.h"
#include "dataplane/policy/known_set.h"

/* Of a tenant, words of slices.h. */
struct tenant_watch {
	_Atomic uint64_t tries, probes; /* recipients, and those of them that were tried out */
	_Atomic uint64_t recipients, strangers; /* recipients, and those that were never seen */
	_Atomic uint64_t day_recipients, day_domains; /* different ones today; no slices */
	_Atomic uint32_t day_tenant; /* who counted there last: an id; 0: nobody yet */
	_Atomic uint64_t suppressed; /* ns: until then some of its recipients are; no slices */
};

struct mail_watch {
	struct count_min recipients; /* mails, by recipient */
	struct count_min domains;    /* buckets, by domain */
	struct count_min bodies;     /* mails, by body */
	struct known_set known;
	struct match_memory *suppressed;
	struct match_memory *hosts;  /* that relay nothing */
	struct tenant_watch *tenant; /* by slot */
	size_t tenant_size;          /* bytes */
	_Atomic uint64_t began;      /* ns: the first recipient; 0: none yet */
	uint64_t key[2];
};

/* `slots`: of tenants. `key`: SIPHASH_KEY_SIZE bytes that nobody else knows; NULL: the same in
 * every run. 0 or -errno. */
int mail_watch_new(const struct policy_budgets *budgets, uint32_t slots, const uint8_t *key,
		   struct mail_watch **watchp);
void mail_watch_free(struct mail_watch *watch); /* NULL is fine */

static inline uint32_t mail_watch_slots(const struct mail_watch *watch)
{
	return (uint32_t)(watch->tenant_size / sizeof(*watch->tenant));
}

/* A tenant's thing, by a keyed hash of it; `tenant`: its id, which outlives its slot. */
struct sketch_key mail_watch_key(const struct mail_watch *watch, uint32_t tenant, uint64_t thing);

/*
 * Of a tenant, counts over a window: `parts` of the whole are of one kind. Adds both, and says
 * whether the parts came to another multiple of `least`, and are `share` percent of the whole.
 */
struct mail_share {
	_Atomic uint64_t *parts, *whole;
	uint64_t window;
	uint32_t least, share;
};

bool mail_share_add(const struct mail_share *share, uint64_t now, uint32_t parts, uint32_t whole);
/* Whether there are so many of them, and such a share. */
bool mail_share_is_over(const struct mail_share *share, uint64_t now);

/*
 * One more of what the tenant (its id) may have `most` of in a day (UTC; 0: any number). Returns
 * how many there are with it; 0: there were so many, and it isn't counted. What another day, or
 * another tenant that had the slot, left in the word counts for nothing. Taken back: it came to
 * nothing.
 */
uint32_t mail_watch_day_add(_Atomic uint64_t *word, uint32_t tenant, uint64_t now, uint32_t most);
void mail_watch_day_undo(_Atomic uint64_t *word, uint32_t tenant, uint64_t now);

/* The slot's, which is that tenant's now: whose the counts are is for known_file.h. */
struct tenant_watch *mail_watch_of(struct mail_watch *watch, uint32_t slot, uint32_t tenant);

/* A server says that it relays nothing; true: it is the `hosts`th of the tenant's within `window`.
 */
bool mail_watch_host(struct mail_watch *watch, uint32_t tenant, const uint8_t server[16],
		     uint64_t now, uint64_t window, uint32_t hosts);

/* Recipients that don't exist, by the hash of the list of LIST_SUPPRESSED. */
void mail_watch_suppress(struct mail_watch *watch, uint32_t tenant, uint64_t hash, uint64_t now,
			 uint64_t end);
/* Until when it is suppressed; 0: it isn't. */
uint64_t mail_watch_suppressed(const struct mail_watch *watch, uint32_t tenant, uint64_t hash,
			       uint64_t now);

#endif
