/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/dns/domain_lookup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <time.h>

#include "bpf/siphash.h"

#define SECOND  UINT64_C(1000000000)
#define BUCKETS 16384
#define TURN    1 /* s between two looks for what is over */

enum domain_state { DOMAIN_NEW, DOMAIN_GOOD, DOMAIN_BAD };

struct domain {
	LIST_ENTRY(domain) entry;  /* of its bucket */
	TAILQ_ENTRY(domain) aging; /* by when they were last heard of */
	struct domain_lookup *lookup;
	uint64_t until;    /* ns: the answer holds */
	uint8_t state;     /* enum domain_state */
	bool on_way, seen; /* seen: since the last answer */
	char name[];
};

struct domain_lookup {
	struct resolver *resolver;
	void (*changed)(void *ctx, const char *domain, bool bad);
	void *ctx;
	struct event *turn;
	uint64_t key[2];
	uint64_t next; /* ns: GCRA's, of look-ups that begin */
	unsigned domains, on_way;
	struct domain_lookup_stats stats;
	TAILQ_HEAD(, domain) aging;
	LIST_HEAD(, domain) bucket[BUCKETS];
};

static uint64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static struct domain *find(struct domain_lookup *l, const char *name, size_t len)
{
	struct domain *d;

	LIST_FOREACH(d, &l->bucket[siphash(l->key, name, len) % BUCKETS], entry)
	{
		if (strncmp(d->name, name, len) == 0 && !d->name[len])
			return d;
	}
	return NULL;
}

static void settle(struct domain *d, enum domain_state state)
{
	struct domain_lookup *l = d->lookup;
	const bool was_bad = d->state == DOMAIN_BAD, is_bad = state == DOMAIN_BAD;

	d->state = (uint8_t)state;
	if (was_bad == is_bad)
		return;
	l->stats.bad_now += is_bad ? 1 : UINT32_MAX;
	l->changed(l->ctx, d->name, is_bad);
}

static void forget(struct domain *d)
{
	struct domain_lookup *l = d->lookup;

	settle(d, DOMAIN_NEW);
	LIST_REMOVE(d, entry);
	TAILQ_REMOVE(&l->aging, d, aging);
	l->domains--;
	free(d);
}

/* The one that was longest not heard of makes room, unless it is on its way. */
static struct domain *domain_new(struct domain_lookup *l, const char *name, size_t len)
{
	struct domain *d = l->domains < DOMAIN_CACHE ? NULL : TAILQ_FIRST(&l->aging);

	if (d && d->on_way)
		return NULL;
	if (d)
		forget(d);
	d = calloc(1, sizeof(*d) + len + 1);
	if (!d)
		return NULL;
	d->lookup = l;
	memcpy(d->name, name, len);
	LIST_INSERT_HEAD(&l->bucket[siphash(l->key, name, len) % BUCKETS], d, entry);
	TAILQ_INSERT_TAIL(&l->aging, d, aging);
	l->domains++;
	return d;
}

/* Answers */

static uint32_t bounded(uint32_t ttl)
{
	if (ttl < DOMAIN_TTL_MIN)
		return DOMAIN_TTL_MIN;
	return ttl < DOMAIN_TTL_MAX ? ttl : DOMAIN_TTL_MAX;
}

static void finish(struct domain *d, enum domain_state state, uint32_t seconds)
{
	struct domain_lookup *l = d->lookup;

	d->on_way = d->seen = false;
	l->on_way--;
	d->until = clock_now() + seconds * SECOND;
	settle(d, state);
}

/* What was known holds no longer: a domain that was bad passes again. */
static void unknown(struct domain *d)
{
	d->lookup->stats.unknown++;
	finish(d, DOMAIN_NEW, DOMAIN_AGAIN);
}

static void good(struct domain *d, uint32_t ttl)
{
	d->lookup->stats.good++;
	finish(d, DOMAIN_GOOD, bounded(ttl));
}

static void bad(struct domain *d, uint32_t ttl)
{
	d->lookup->stats.bad++;
	finish(d, DOMAIN_BAD, bounded(ttl));
}

static void on_aaaa(void *ctx, const struct dns_answer *answer)
{
	struct domain *d = ctx;

	if (answer->result == DNS_UNKNOWN)
		unknown(d);
	else if (answer->result == DNS_NXDOMAIN)
		bad(d, answer->ttl);
	else
		good(d, answer->ttl); /* without any records, too: the name is there */
}

static void on_a(void *ctx, const struct dns_answer *answer)
{
	struct domain *d = ctx;

	if (answer->result == DNS_NXDOMAIN)
		bad(d, answer->ttl);
	else if (answer->result == DNS_FOUND)
		good(d, answer->ttl);
	else if (answer->result == DNS_UNKNOWN ||
		 resolver_ask(d->lookup->resolver, d->name, DNS_AAAA, on_aaaa, d) != 0)
		unknown(d);
}

static void on_mx(void *ctx, const struct dns_answer *answer)
{
	struct domain *d = ctx;

	if (answer->result == DNS_NXDOMAIN || (answer->result == DNS_FOUND && answer->null_mx))
		bad(d, answer->ttl);
	else if (answer->result == DNS_FOUND)
		good(d, answer->ttl);
	else if (answer->result == DNS_UNKNOWN ||
		 resolver_ask(d->lookup->resolver, d->name, DNS_A, on_a, d) != 0)
		unknown(d);
}

/* Questions */

static bool may_begin(struct domain_lookup *l, uint64_t now)
{
	const uint64_t interval = SECOND / DOMAIN_RATE;

	if (l->on_way >= DOMAIN_WAITING || l->next > now + SECOND)
		return false;
	l->next = (l->next > now ? l->next : now) + interval;
	return true;
}

static void ask(struct domain *d, uint64_t now)
{
	struct domain_lookup *l = d->lookup;

	if (!may_begin(l, now)) {
		l->stats.refused++;
		return;
	}
	if (resolver_ask(l->resolver, d->name, DNS_MX, on_mx, d) != 0) {
		l->stats.refused++;
		return;
	}
	d->on_way = true;
	l->on_way++;
	l->stats.begun++;
}

void domain_lookup_see(struct domain_lookup *l, const char *name, size_t len, uint64_t now)
{
	struct domain *d;

	l->stats.told++;
	if (!len || len >= DNS_NAME_SIZE || memchr(name, '\0', len) || name[0] == '[')
		return;
	d = find(l, name, len);
	if (d) {
		TAILQ_REMOVE(&l->aging, d, aging);
		TAILQ_INSERT_TAIL(&l->aging, d, aging);
	} else {
		d = domain_new(l, name, len);
	}
	if (!d)
		l->stats.refused++;
	else if (d->on_way || d->until > now)
		l->stats.known++;
	else
		ask(d, now);
	if (d)
		d->seen = true;
}

/*
 * A bad one whose time is over is asked for again if anybody still sends from it, and is bad until
 * there is an answer; else it is forgotten.
 */
static void on_turn(evutil_socket_t fd, short what, void *ctx)
{
	struct domain_lookup *l = ctx;
	const uint64_t now = clock_now();
	struct domain *d, *next;

	if (!l->stats.bad_now)
		return;
	for (d = TAILQ_FIRST(&l->aging); d; d = next) {
		next = TAILQ_NEXT(d, aging);
		if (d->state != DOMAIN_BAD || d->on_way || d->until > now)
			continue;
		if (d->seen)
			ask(d, now);
		else
			forget(d);
	}
}

void domain_lookup_restore(struct domain_lookup *l, const char *name, uint64_t now)
{
	struct domain *d = find(l, name, strlen(name));

	d = d ? d : domain_new(l, name, strlen(name));
	if (!d)
		return;
	d->state = DOMAIN_BAD;
	d->until = now;
	d->seen = true;
	l->stats.bad_now++;
}

int domain_lookup_new(struct event_base *base, struct resolver *resolver,
		      void (*changed)(void *ctx, const char *domain, bool bad), void *ctx,
		      struct domain_lookup **lookupp)
{
	static const struct timeval turn = {TURN, 0};
	struct domain_lookup *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->resolver = resolver;
	l->changed = changed;
	l->ctx = ctx;
	TAILQ_INIT(&l->aging);
	l->turn = event_new(base, -1, EV_PERSIST, on_turn, l);
	if (!l->turn || event_add(l->turn, &turn) != 0 ||
	    getrandom(l->key, sizeof(l->key), 0) != sizeof(l->key)) {
		domain_lookup_free(l);
		return -ENOMEM;
	}
	*lookupp = l;
	return 0;
}

void domain_lookup_free(struct domain_lookup *l)
{
	struct domain *d;

	if (!l)
		return;
	while ((d = TAILQ_FIRST(&l->aging))) {
		TAILQ_REMOVE(&l->aging, d, aging);
		free(d);
	}
	if (l->turn)
		event_free(l->turn);
	free(l);
}

struct domain_lookup_stats domain_lookup_stats(const struct domain_lookup *l)
{
	return l ? l->stats : (struct domain_lookup_stats){0};
}
