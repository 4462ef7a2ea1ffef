/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Questions to the DNS in the event loop, by c-ares: nothing blocks. A few are on their way at a
 * time, the rest wait in order, and there is a bound to them. Answers with wrong ids or questions
 * are none; what was cut comes again over TCP; a server that says nothing is asked again, and then
 * the answer is DNS_UNKNOWN. The event loop's thread.
 */
#ifndef POSTERN_CONTROL_RESOLVER_H
#define POSTERN_CONTROL_RESOLVER_H

#include <event2/event.h>

#include "control/dns/dns_answer.h"

#define RESOLVER_AT_ONCE 32    /* questions on their way */
#define RESOLVER_WAITING 65536 /* that may wait */

struct resolver;

struct resolver_stats {
	uint64_t asked, answers[DNS_NXDOMAIN + 1]; /* by enum dns_result */
	uint64_t full;                             /* questions that found no room */
	unsigned waiting, on_way;
};

/*
 * `servers`: "127.0.0.1:53,[::1]:5353"; "": the system's. 0, -EINVAL: they are no addresses,
 * -ENOMEM.
 */
int resolver_new(struct event_base *base, const char *servers, unsigned timeout_ms, unsigned tries,
		 struct resolver **resolverp);

/* No more answers come. NULL is fine. */
void resolver_free(struct resolver *resolver);

/*
 * done(ctx, answer) comes later, never before this returns; the answer lives for the call. 0;
 * -ENOBUFS, -ENOMEM, -ENAMETOOLONG: it never comes.
 */
int resolver_ask(struct resolver *resolver, const char *name, enum dns_type type,
		 void (*done)(void *ctx, const struct dns_answer *answer), void *ctx);

struct resolver_stats resolver_stats(const struct resolver *resolver);

/* NULL, or what was expected: for the configuration. */
const char *resolver_check_servers(const char *servers);

#endif
