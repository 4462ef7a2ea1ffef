/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/dns/resolver.h"

#include <ares.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct question {
	STAILQ_ENTRY(question) entry;
	struct resolver *resolver;
	enum dns_type type;
	void (*done)(void *ctx, const struct dns_answer *answer);
	void *ctx;
	char name[DNS_NAME_SIZE];
};

/* A socket of c-ares's. */
struct watched {
	LIST_ENTRY(watched) entry;
	struct resolver *resolver;
	ares_socket_t fd;
	struct event *event;
};

struct resolver {
	struct event_base *base;
	ares_channel channel;
	struct event *timer; /* c-ares's, and what starts waiting questions */
	LIST_HEAD(, watched) watched;
	STAILQ_HEAD(, question) waiting;
	struct resolver_stats stats;
	bool ending;
};

static void timer_set(struct resolver *r)
{
	struct timeval most = {60, 0}, room, *next;

	if (STAILQ_FIRST(&r->waiting) && r->stats.on_way < RESOLVER_AT_ONCE)
		most = (struct timeval){0, 0};
	next = ares_timeout(r->channel, &most, &room);
	if (r->stats.on_way || STAILQ_FIRST(&r->waiting))
		evtimer_add(r->timer, next);
	else
		evtimer_del(r->timer);
}

static void on_socket(evutil_socket_t fd, short what, void *ctx)
{
	struct watched *w = ctx;
	struct resolver *r = w->resolver;

	ares_process_fd(r->channel, what & EV_READ ? fd : ARES_SOCKET_BAD,
			what & EV_WRITE ? fd : ARES_SOCKET_BAD);
	timer_set(r); /* w may have gone */
}

static struct watched *watched_find(struct resolver *r, ares_socket_t fd)
{
	struct watched *w;

	LIST_FOREACH(w, &r->watched, entry)
	{
		if (w->fd == fd)
			return w;
	}
	return NULL;
}

static void watched_free(struct watched *w)
{
	LIST_REMOVE(w, entry);
	if (w->event)
		event_free(w->event);
	free(w);
}

/* c-ares wants to be told of these events of its socket; of none: it closes it. */
static void on_state(void *ctx, ares_socket_t fd, int readable, int writable)
{
	struct resolver *r = ctx;
	struct watched *w = watched_find(r, fd);

	if (w)
		watched_free(w);
	if (!readable && !writable)
		return;
	w = calloc(1, sizeof(*w));
	if (!w)
		return; /* it runs into its timeout */
	*w = (struct watched){.resolver = r, .fd = fd};
	LIST_INSERT_HEAD(&r->watched, w, entry);
	w->event = event_new(
		r->base, fd,
		(short)(EV_PERSIST | (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0)),
		on_socket, w);
	if (w->event)
		event_add(w->event, NULL);
}

static void on_answer(void *ctx, int status, int timeouts, unsigned char *data, int len)
{
	struct dns_answer answer = {.result = DNS_UNKNOWN};
	struct question *q = ctx;
	struct resolver *r = q->resolver;

	if (data && len > 0)
		dns_answer_read(data, (size_t)len, q->type, &answer);
	r->stats.on_way--;
	if (!r->ending) {
		r->stats.answers[answer.result]++;
		q->done(q->ctx, &answer);
	}
	free(q);
}

static void send_waiting(struct resolver *r)
{
	struct question *q;

	while (r->stats.on_way < RESOLVER_AT_ONCE && (q = STAILQ_FIRST(&r->waiting))) {
		STAILQ_REMOVE_HEAD(&r->waiting, entry);
		r->stats.waiting--;
		r->stats.on_way++;
		ares_query(r->channel, q->name, 1 /* IN */, (int)q->type, on_answer, q);
	}
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct resolver *r = ctx;

	ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	send_waiting(r);
	timer_set(r);
}

static int channel_open(struct resolver *r, const char *servers, unsigned timeout_ms,
			unsigned tries)
{
	struct ares_options options = {
		.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
		.timeout = (int)timeout_ms,
		.tries = (int)tries,
		.sock_state_cb = on_state,
		.sock_state_cb_data = r,
	};
	const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
			 ARES_OPT_SOCK_STATE_CB;

	if (ares_init_options(&r->channel, &options, mask) != ARES_SUCCESS)
		return -ENOMEM;
	if (*servers && ares_set_servers_ports_csv(r->channel, servers) != ARES_SUCCESS)
		return -EINVAL;
	return 0;
}

int resolver_new(struct event_base *base, const char *servers, unsigned timeout_ms, unsigned tries,
		 struct resolver **resolverp)
{
	struct resolver *r;
	int rc;

	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		return -ENOMEM;
	r = calloc(1, sizeof(*r));
	if (!r) {
		ares_library_cleanup();
		return -ENOMEM;
	}
	r->base = base;
	LIST_INIT(&r->watched);
	STAILQ_INIT(&r->waiting);
	r->timer = evtimer_new(base, on_timer, r);
	rc = r->timer ? channel_open(r, servers, timeout_ms, tries) : -ENOMEM;
	if (rc) {
		resolver_free(r);
		return rc;
	}
	*resolverp = r;
	return 0;
}

void resolver_free(struct resolver *r)
{
	struct question *q;
	struct watched *w;

	if (!r)
		return;
	r->ending = true;
	if (r->channel)
		ares_destroy(r->channel); /* its questions are answered, by on_answer() */
	while ((q = STAILQ_FIRST(&r->waiting))) {
		STAILQ_REMOVE_HEAD(&r->waiting, entry);
		free(q);
	}
	while ((w = LIST_FIRST(&r->watched)))
		watched_free(w);
	if (r->timer)
		event_free(r->timer);
	free(r);
	ares_library_cleanup();
}

int resolver_ask(struct resolver *r, const char *name, enum dns_type type,
		 void (*done)(void *ctx, const struct dns_answer *answer), void *ctx)
{
	struct question *q;

	if (strlen(name) >= DNS_NAME_SIZE)
		return -ENAMETOOLONG;
	if (r->stats.waiting == RESOLVER_WAITING) {
		r->stats.full++;
		return -ENOBUFS;
	}
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	*q = (struct question){.resolver = r, .type = type, .done = done, .ctx = ctx};
	memcpy(q->name, name, strlen(name) + 1);
	STAILQ_INSERT_TAIL(&r->waiting, q, entry);
	r->stats.waiting++;
	r->stats.asked++;
	timer_set(r);
	return 0;
}

struct resolver_stats resolver_stats(const struct resolver *r)
{
	return r ? r->stats : (struct resolver_stats){0};
}

const char *resolver_check_servers(const char *servers)
{
	static const char expected[] = "addresses such as \"127.0.0.1:53,[::1]:5353\", or \"\"";
	ares_channel channel;
	int rc;

	if (!*servers)
		return NULL;
	if (ares_init(&channel) != ARES_SUCCESS)
		return NULL;
	rc = ares_set_servers_ports_csv(channel, servers);
	ares_destroy(channel);
	return rc == ARES_SUCCESS ? NULL : expected;
}
