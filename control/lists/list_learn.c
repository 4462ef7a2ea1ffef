/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/lists/list_learn.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/event_record.h"
#include "control/base/log.h"
#include "control/daemon/daemon.h"
#include "control/lists/list_kind.h"

#define SECOND       UINT64_C(1000000000)
#define WRITE_S      5             /* between two writes */
#define WAITING_MOST 65536         /* entries; what comes beyond is not kept */
#define TENANTS_TURN 8             /* a tenant's entries are a write of their own */
#define READ_WITHIN  (2 * SECOND)  /* a record has been read so long after it was made */
#define WARM         (10 * SECOND) /* since the start: what others left in the rings has been read */

struct bounced {
	uint32_t tenant; /* its id */
	uint32_t kind;   /* enum list_kind */
	uint32_t number; /* the later of two about one entry holds */
	bool removes;
	uint64_t hash;
};

struct list_learned {
	struct event *turn;
	uint64_t opened; /* ns, daemon_clock() */
	uint64_t oldest; /* ns since 1970: of those that wait */
	uint64_t lost;   /* entries */
	size_t count;
	struct bounced waiting[WAITING_MOST];
};

static void turn_later(struct list_learned *l, time_t seconds)
{
	const struct timeval pause = {seconds, seconds ? 0 : 100000};

	evtimer_add(l->turn, &pause);
}

static void on_turn(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *d = ctx;

	if (list_learn_write(d) == -EAGAIN)
		turn_later(d->lists.learned, 0);
}

void list_learn_open(struct daemon *d)
{
	struct list_learned *l = calloc(1, sizeof(*l));

	if (!l)
		return;
	l->turn = evtimer_new(d->base, on_turn, d);
	l->opened = daemon_clock();
	if (l->turn)
		d->lists.learned = l;
	else
		free(l);
}

static void learn(struct daemon *d, uint32_t slot, uint64_t time, enum list_kind kind,
		  uint64_t hash, bool removes)
{
	struct list_learned *l = d->lists.learned;

	if (l->count == WAITING_MOST) {
		l->lost++;
		return;
	}
	if (!l->count) {
		l->oldest = time;
		turn_later(l, WRITE_S);
	}
	l->oldest = time < l->oldest ? time : l->oldest;
	l->waiting[l->count] = (struct bounced){.tenant = d->roster->tenant[slot].id,
						.kind = kind,
						.number = (uint32_t)l->count,
						.removes = removes,
						.hash = hash};
	l->count++;
}

static bool is_known(const struct daemon *d, uint32_t slot)
{
	return d->lists.learned && !*d->lists.trouble && d->roster && slot < d->roster->count &&
	       d->roster->tenant[slot].id;
}

void list_learn_take(struct daemon *d, const struct event_head *head)
{
	struct event_value value;

	if (is_known(d, head->tenant) && event_find(head, FIELD_KEY_BOUNCED_HASH, &value) &&
	    event_value_uint(&value))
		learn(d, head->tenant, head->time, LIST_SUPPRESSED, event_value_uint(&value),
		      false);
}

void list_learn_bounced(struct daemon *d, uint32_t slot, uint64_t hash)
{
	if (hash && d->config->mail.suppress &&
	    d->config->actions[REASON_SUPPRESSED] != VERDICT_PASS && is_known(d, slot))
		learn(d, slot, daemon_time(), LIST_SUPPRESSED, hash, false);
}

static bool is_shadow(const struct event_head *head)
{
	struct event_value value;

	return event_find(head, FIELD_KEY_VERDICT_SHADOW, &value) && event_value_bool(&value);
}

static bool says(const struct event_head *head, enum field_key key, const char *text)
{
	struct event_value value;

	return event_find(head, key, &value) && value.len == strlen(text) &&
	       memcmp(value.p, text, value.len) == 0;
}

void list_learn_told(struct daemon *d, const struct event_head *head)
{
	enum list_kind kind = LIST_SMS_STOP;
	bool removes = false;
	struct event_value detail;
	uint64_t hash;

	if (head->type != EVENT_VERDICT || !is_known(d, head->tenant) || is_shadow(head))
		return;
	if (says(head, FIELD_KEY_VERDICT_REASON, reason_name(REASON_CALL_UNWANTED)) &&
	    says(head, FIELD_KEY_VERDICT_OBJECT, "callee"))
		kind = LIST_DNC;
	else if (says(head, FIELD_KEY_VERDICT_REASON, reason_name(REASON_SMS_START)))
		removes = true;
	else if (!says(head, FIELD_KEY_VERDICT_REASON, reason_name(REASON_SMS_STOP)))
		return;
	if (!event_find(head, FIELD_KEY_VERDICT_DETAIL, &detail))
		return;
	hash = list_kind_hash(list_kind_of(kind), d->lists.store.sets.key,
			      d->roster->tenant[head->tenant].id, (const char *)detail.p,
			      detail.len);
	if (hash)
		learn(d, head->tenant, head->time, kind, hash, removes);
}

static int bounced_compare(const void *a, const void *b)
{
	const struct bounced *x = a, *y = b;

	if (x->tenant != y->tenant)
		return x->tenant < y->tenant ? -1 : 1;
	return (x->kind > y->kind) - (x->kind < y->kind);
}

/* What was said of one entry stands together, in the order in which it was said. */
static int bounced_order(const void *a, const void *b)
{
	const struct bounced *x = a, *y = b;
	int list = bounced_compare(a, b);

	if (list)
		return list;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

/* The entries of one tenant, `n` of them, that come to the list, or leave it. */
static int write_change(struct daemon *d, const struct bounced *b, size_t n, bool removes)
{
	struct list_store *store = &d->lists.store;
	struct list_change change = {
		.list = {b->tenant, b->kind},
		.from = b->kind == LIST_SUPPRESSED
				? list_since(store->sets.period, store->now * SECOND)
				: 0,
		.removes = removes,
	};
	struct list_outcome outcome;
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++)
		if (b[i].removes == removes && (i + 1 == n || b[i + 1].hash != b[i].hash))
			rc = hash_list_add(&change.hashes, b[i].hash);
	if (!rc && change.hashes.count)
		rc = list_store_patch(store, &change, &outcome);
	if (rc == -ENOSPC)
		rc = list_store_merge(store, &change, &outcome);
	hash_list_fini(&change.hashes);
	return rc;
}

static int write_tenant(struct daemon *d, const struct bounced *b, size_t n)
{
	int rc = write_change(d, b, n, true);

	return rc ? rc : write_change(d, b, n, false);
}

/* How many there are of the first one's tenant. */
static size_t run_of(const struct list_learned *l, size_t at)
{
	size_t n = 1;

	while (at + n < l->count && bounced_compare(&l->waiting[at + n], &l->waiting[at]) == 0)
		n++;
	return n;
}

static int write_some(struct daemon *d)
{
	struct list_learned *l = d->lists.learned;
	size_t at = 0;
	int rc = 0;

	d->lists.store.now = daemon_time() / SECOND;
	qsort(l->waiting, l->count, sizeof(*l->waiting), bounced_order);
	for (unsigned turn = 0; turn < TENANTS_TURN && at < l->count && !rc; turn++) {
		size_t n = run_of(l, at);

		rc = write_tenant(d, &l->waiting[at], n);
		at += n;
	}
	if (rc) {
		log_warning("recipients that bounced can't be kept", "count=%zu error=%s", l->count,
			    log_text(strerror(-rc)));
		at = l->count;
	}
	memmove(l->waiting, l->waiting + at, (l->count - at) * sizeof(*l->waiting));
	l->count -= at;
	for (size_t i = 0; i < l->count; i++)
		l->waiting[i].number = (uint32_t)i; /* those that come now are later */
	return rc;
}

void list_learn_close(struct daemon *d)
{
	struct list_learned *l = d->lists.learned;

	if (!l)
		return;
	/* Nobody is sent it any more; the next posternd finds it. */
	while (l->count && !*d->lists.trouble)
		write_some(d);
	event_free(l->turn);
	free(l);
	d->lists.learned = NULL;
}

int list_learn_write(struct daemon *d)
{
	struct list_learned *l = d->lists.learned;
	int rc;

	if (!l || !l->count)
		return 0;
	if (d->lists.busy)
		return -EAGAIN;
	rc = write_some(d);
	if (!rc)
		lists_changed(d, json_object());
	return rc || !l->count ? rc : -EAGAIN;
}

uint64_t list_learn_settled(const struct list_learned *l)
{
	if (!l || daemon_clock() < l->opened + WARM)
		return 0;
	return l->count ? l->oldest - 1 : daemon_time() - READ_WITHIN;
}
