/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether domains that tenants send from exist and take mail (AUP-DOMAIN-INVALID), asked of the DNS
 * off the packet path. What the dataplane tells of is looked up once as long as the answer holds:
 * MX, then A and AAAA (RFC 5321 5.1).
 *
 *   NXDOMAIN, or a null MX (RFC 7505)  the domain is bad: for the time that the answer holds
 *   anything that it could get mail by, or no records at all   it is good
 *   no answer, SERVFAIL, nonsense      nothing is known: it passes, and is asked for again
 *
 * Only what becomes bad, or isn't bad any more, is told. Bounded: DOMAIN_CACHE domains are known,
 * DOMAIN_RATE questions begin a second, one that finds no room passes and is counted. The event
 * loop's thread.
 */
#ifndef POSTERN_CONTROL_DOMAIN_LOOKUP_H
#define POSTERN_CONTROL_DOMAIN_LOOKUP_H

#include "control/dns/resolver.h"

#define DOMAIN_CACHE   65536
#define DOMAIN_WAITING 4096  /* look-ups that have begun */
#define DOMAIN_RATE    50    /* that begin a second, after as many at once */
#define DOMAIN_TTL_MIN 300   /* s that an answer holds at the least */
#define DOMAIN_TTL_MAX 86400 /* and at the most */
#define DOMAIN_AGAIN   60    /* s until one without an answer is asked for again */

struct domain_lookup;

struct domain_lookup_stats {
	uint64_t told;               /* by domain_lookup_see() */
	uint64_t known;              /* of them, those whose answer still holds */
	uint64_t begun;              /* look-ups */
	uint64_t refused;            /* that found no room, or came too fast */
	uint64_t good, bad, unknown; /* answers */
	unsigned bad_now;            /* domains that are bad */
};

/*
 * changed(): a domain in its normal form (bpf/list.h) is bad from now on, or isn't any more. 0 or
 * -ENOMEM.
 */
int domain_lookup_new(struct event_base *base, struct resolver *resolver,
		      void (*changed)(void *ctx, const char *domain, bool bad), void *ctx,
		      struct domain_lookup **lookupp);
/* After the resolver. NULL is fine. */
void domain_lookup_free(struct domain_lookup *lookup);

/* A domain was seen, in its normal form: `now` is ns of a clock that only goes forward. */
void domain_lookup_see(struct domain_lookup *lookup, const char *domain, size_t len, uint64_t now);

/* One that was bad when posternd ended: it is, until it was asked for again. changed() isn't
 * called. */
void domain_lookup_restore(struct domain_lookup *lookup, const char *domain, uint64_t now);

struct domain_lookup_stats domain_lookup_stats(const struct domain_lookup *lookup);

#endif
