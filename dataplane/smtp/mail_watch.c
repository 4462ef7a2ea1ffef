/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/smtp/mail_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/siphash.h"
#include "dataplane/policy/memory.h"
#include "dataplane/slices.h"

#define DAY   (UINT64_C(86400) * 1000000000)
#define HOSTS 8192 /* entries of 16 bytes */

/* What an entry of a match_memory is about. */
enum { ABOUT_RECIPIENT = 1, ABOUT_HOST, ABOUT_HOSTS };

static uint32_t power_above(uint32_t n)
{
	uint32_t power = 256;

	while (power < n && power < 1u << 31)
		power *= 2;
	return power;
}

static int tables_new(struct mail_watch *w, const struct policy_budgets *b, const uint8_t *key)
{
	const uint32_t recipients = power_above(b->recipient_counts);
	int rc = count_min_init(&w->recipients, recipients);

	if (!rc)
		rc = count_min_init(&w->domains, power_above(recipients / 4));
	if (!rc)
		rc = count_min_init(&w->bodies, power_above(recipients / 4));
	if (!rc)
		rc = known_set_init(&w->known, power_above(b->known_recipients));
	if (!rc)
		rc = match_memory_new(power_above(b->suppressed), key, &w->suppressed);
	if (!rc)
		rc = match_memory_new(HOSTS, key, &w->hosts);
	return rc;
}

int mail_watch_new(const struct policy_budgets *budgets, uint32_t slots, const uint8_t *key,
		   struct mail_watch **watchp)
{
	struct mail_watch *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return -ENOMEM;
	if (key)
		memcpy(w->key, key, sizeof(w->key));
	w->tenant_size = slots * sizeof(*w->tenant);
	w->tenant = memory_reserve(w->tenant_size, MEMORY_SPARSE);
	rc = w->tenant ? tables_new(w, budgets, key) : -ENOMEM;
	if (rc)
		mail_watch_free(w);
	else
		*watchp = w;
	return rc;
}

void mail_watch_free(struct mail_watch *w)
{
	if (!w)
		return;
	count_min_fini(&w->recipients);
	count_min_fini(&w->domains);
	count_min_fini(&w->bodies);
	known_set_fini(&w->known);
	match_memory_free(w->suppressed);
	match_memory_free(w->hosts);
	memory_release(w->tenant, w->tenant_size);
	free(w);
}

struct sketch_key mail_watch_key(const struct mail_watch *w, uint32_t tenant, uint64_t thing)
{
	return (struct sketch_key){mix64(w->key[0] ^ mix64(w->key[1] + tenant)), thing};
}

/* Shares */

static uint32_t slices_add(_Atomic uint64_t *word, uint16_t number, uint32_t n)
{
	uint64_t old = atomic_load_explicit(word, memory_order_relaxed), next;

	do {
		uint32_t count;

		next = slices_at(old, slice_latest(old, number));
		count = slice_of(next, 0) + n;
		next = slices_with(next, count < SLICE_MOST ? count : SLICE_MOST);
	} while (!atomic_compare_exchange_weak(word, &old, next));
	return slices_sum(next);
}

static uint32_t slices_read(_Atomic uint64_t *word, uint64_t now, uint64_t window)
{
	const uint64_t old = atomic_load_explicit(word, memory_order_relaxed);

	return slices_sum(slices_at(old, slice_latest(old, slice_number(now, window))));
}

static bool is_share(const struct mail_share *s, uint64_t parts, uint64_t whole)
{
	return parts >= s->least && parts * 100 >= whole * s->share;
}

bool mail_share_add(const struct mail_share *s, uint64_t now, uint32_t parts, uint32_t whole)
{
	const uint16_t number = slice_number(now, s->window);
	uint32_t all, some;

	/* A whole that can't grow any more would make the share too large. */
	all = slices_add(s->whole, number, whole);
	if (!parts || all >= SLICE_MOST)
		return false;
	some = slices_add(s->parts, number, parts);
	if (some / s->least == (some - parts) / s->least)
		return false;
	/* Of the parts that others added meanwhile the whole came first: it is there by now. */
	all = slices_read(s->whole, now, s->window);
	return all < SLICE_MOST && is_share(s, some, all);
}

bool mail_share_is_over(const struct mail_share *s, uint64_t now)
{
	return is_share(s, slices_read(s->parts, now, s->window),
			slices_read(s->whole, now, s->window));
}

/*
 * Days: the day's number, whose count it is, and how many there were: all in one word, so that who
 * comes first in another day, or of a slot's next tenant, begins anew in the same step as it
 * counts.
 */
#define DAY_COUNT_BITS  28
#define DAY_TENANT_BITS 26 /* of its id */
#define DAY_BITS        10 /* a count that nobody touched for 1024 days looks as if it were new */
#define DAY_COUNT_MOST  ((UINT64_C(1) << DAY_COUNT_BITS) - 1)
#define DAY_TENANT_MOST ((UINT64_C(1) << DAY_TENANT_BITS) - 1)

_Static_assert(DAY_COUNT_BITS + DAY_TENANT_BITS + DAY_BITS == 64, "a word");

static uint64_t day_begin(uint32_t tenant, uint64_t day)
{
	return (day << DAY_TENANT_BITS | (tenant & DAY_TENANT_MOST)) << DAY_COUNT_BITS;
}

static bool is_of_day(uint64_t word, uint32_t tenant, uint64_t day)
{
	return (word & ~DAY_COUNT_MOST) == day_begin(tenant, day);
}

static uint64_t day_word(uint64_t old, uint32_t tenant, uint64_t day)
{
	/* Another worker may be in tomorrow already. */
	return is_of_day(old, tenant, day) || is_of_day(old, tenant, day + 1)
		       ? old
		       : day_begin(tenant, day);
}

uint32_t mail_watch_day_add(_Atomic uint64_t *word, uint32_t tenant, uint64_t now, uint32_t most)
{
	uint64_t old = atomic_load_explicit(word, memory_order_relaxed), next, count;

	do {
		next = day_word(old, tenant, now / DAY);
		count = next & DAY_COUNT_MOST;
		if ((most && count >= most) || count == DAY_COUNT_MOST)
			return 0;
		next++;
	} while (!atomic_compare_exchange_weak(word, &old, next));
	return (uint32_t)count + 1;
}

void mail_watch_day_undo(_Atomic uint64_t *word, uint32_t tenant, uint64_t now)
{
	uint64_t old = atomic_load_explicit(word, memory_order_relaxed);

	do
		if (!is_of_day(old, tenant, now / DAY) || !(old & DAY_COUNT_MOST))
			return;
	while (!atomic_compare_exchange_weak(word, &old, old - 1));
}

struct tenant_watch *mail_watch_of(struct mail_watch *w, uint32_t slot, uint32_t tenant)
{
	struct tenant_watch *t = &w->tenant[slot];

	if (atomic_load_explicit(&t->day_tenant, memory_order_relaxed) != tenant)
		atomic_store_explicit(&t->day_tenant, tenant, memory_order_relaxed);
	return t;
}

/* Hosts */

bool mail_watch_host(struct mail_watch *w, uint32_t tenant, const uint8_t server[16], uint64_t now,
		     uint64_t window, uint32_t hosts)
{
	struct match_memory_key host = {.kind = ABOUT_HOST, .tenant = tenant};
	const struct match_memory_key all = {.kind = ABOUT_HOSTS, .tenant = tenant};

	memcpy(host.addr[0], server, sizeof(host.addr[0]));
	/* Of several workers that hear it at once the first counts. */
	if (match_memory_count(w->hosts, &host, now, window, 0) != 1)
		return false;
	return match_memory_count(w->hosts, &all, now, window, hosts) == hosts;
}

/* Suppressed recipients */

static struct match_memory_key recipient_key(uint32_t tenant, uint64_t hash)
{
	return (struct match_memory_key){.what = hash, .kind = ABOUT_RECIPIENT, .tenant = tenant};
}

void mail_watch_suppress(struct mail_watch *w, uint32_t tenant, uint64_t hash, uint64_t now,
			 uint64_t end)
{
	const struct match_memory_key key = recipient_key(tenant, hash);
	_Atomic uint64_t *until = &w->tenant[tenant].suppressed;
	uint64_t had = atomic_load_explicit(until, memory_order_relaxed);

	match_memory_set(w->suppressed, &key, now, end);
	while (had < end && !atomic_compare_exchange_weak_explicit(
				    until, &had, end, memory_order_release, memory_order_relaxed))
		;
}

uint64_t mail_watch_suppressed(const struct mail_watch *w, uint32_t tenant, uint64_t hash,
			       uint64_t now)
{
	const struct match_memory_key key = recipient_key(tenant, hash);

	/* Most tenants' recipients exist. */
	if (atomic_load_explicit(&w->tenant[tenant].suppressed, memory_order_acquire) <= now)
		return 0;
	return match_memory_end(w->suppressed, &key, now);
}
