/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sip/heard.h"

#include "bpf/list.h"
#include "dataplane/match/match_memory.h"
#include "dataplane/proto/sip_number.h"
#include "dataplane/sip/calls.h"

#define SECOND       UINT64_C(1000000000)
#define MINUTE       (60 * SECOND)
#define LOGIN_WINDOW (10 * MINUTE)

static struct match_memory_key key_of(enum heard what, uint32_t tenant, uint64_t thing)
{
	return (struct match_memory_key){.what = thing, .kind = what, .tenant = tenant};
}

uint64_t heard_hash(const struct worker *w, const void *data, size_t len)
{
	struct siphash h;

	siphash_init(&h, w->calls->key);
	siphash_add(&h, data, len);
	return siphash_end(&h);
}

static size_t address_of(const struct sip_uri *uri, uint8_t *text)
{
	uint8_t address[LIST_TEXT_MAX];
	size_t len = uri->user.len + 1 + uri->host.len;

	if (!uri->user.len || !uri->host.len || len > sizeof(address))
		return 0;
	memcpy(address, uri->user.p, uri->user.len);
	address[uri->user.len] = '@';
	memcpy(address + uri->user.len + 1, uri->host.p, uri->host.len);
	return list_address(address, len, text);
}

uint64_t heard_hash_uri(const struct worker *w, struct bytes uri, uint8_t *text, size_t *len)
{
	struct sip_number number;
	struct sip_uri parts;

	*len = 0;
	sip_uri_parse(uri, &parts);
	if (sip_number_read(&parts, &number))
		*len = list_number(number.digits, number.len, text);
	else
		*len = address_of(&parts, text);
	return *len ? heard_hash(w, text, *len) : 0;
}

bool heard_has(struct worker *w, enum heard what, uint32_t tenant, uint64_t thing)
{
	const struct match_memory_key key = key_of(what, tenant, thing);

	order_wait(w->order, w->index, w->packet);
	return match_memory_has(w->calls->memory, &key, w->now);
}

void heard_keep(struct worker *w, enum heard what, uint32_t tenant, uint64_t thing, uint64_t ns)
{
	const struct match_memory_key key = key_of(what, tenant, thing);

	order_wait(w->order, w->index, w->packet);
	match_memory_set(w->calls->memory, &key, w->now, w->now + ns);
}

void heard_drop(struct worker *w, enum heard what, uint32_t tenant, uint64_t thing)
{
	const struct match_memory_key key = key_of(what, tenant, thing);

	order_wait(w->order, w->index, w->packet);
	match_memory_clear(w->calls->memory, &key, w->now);
}

bool heard_take(struct worker *w, enum heard what, uint32_t tenant, uint64_t thing)
{
	const struct match_memory_key key = key_of(what, tenant, thing);

	/* Kept with a count of 0. One that ends just now is taken for a moment longer. */
	return heard_has(w, what, tenant, thing) &&
	       match_memory_count(w->calls->memory, &key, w->now, SECOND, 0) == 1;
}

uint32_t heard_count(struct worker *w, enum heard what, uint32_t tenant, uint64_t window)
{
	const struct match_memory_key key = key_of(what, tenant, 0);

	order_wait(w->order, w->index, w->packet);
	return match_memory_count(w->calls->memory, &key, w->now, window, 0);
}

/* The first is told of, not each of a thousand; those in shadow are only counted. */
static bool is_refused(struct worker *w, uint32_t tenant, bool is_first, struct refusal *r)
{
	if (!check_refuses(w, tenant, r))
		return false;
	return is_first ? refusal_declare(w, r, NULL) : !(r->shadow || w->policy->shadow);
}

/* Where XDP stands before the worker, the kernel sees all of them (bpf/reach.h). */
static bool peers_count(const struct worker *w)
{
	return w->peers.sets && w->policy->calls.destinations && check_is_on(w, REASON_PROBING);
}

static struct match_memory_key peer_key(const struct flow *f)
{
	struct match_memory_key key = key_of(HEARD_PEER, f->tenant, 0);

	memcpy(key.addr[0], f->key.addr[!f->client], sizeof(key.addr[0]));
	return key;
}

void heard_prefetch_peer(const struct worker *w, const struct flow *f)
{
	struct match_memory_key key;

	if (!peers_count(w))
		return;
	key = peer_key(f);
	match_memory_prefetch(w->calls->memory, &key);
}

void heard_peer(struct worker *w, struct flow *f)
{
	const uint32_t most = w->policy->calls.destinations;
	struct refusal r = {.reason = REASON_PROBING, .object = "connection"};
	struct match_memory_key peer;
	uint32_t n;

	if (!peers_count(w))
		return;
	peer = peer_key(f);
	order_wait(w->order, w->index, w->packet);
	if (match_memory_has(w->calls->memory, &peer, w->now))
		return;
	n = heard_count(w, HEARD_PEERS, f->tenant, MINUTE);
	if (n > most && w->policy->actions[REASON_PROBING] >= VERDICT_DROP &&
	    is_refused(w, f->tenant, n == most + 1, &r))
		slot_decide(w, w->at.slot, VERDICT_DROP, REASON_PROBING);
	else
		match_memory_set(w->calls->memory, &peer, w->now, w->now + MINUTE);
	if (n == most + 1 && w->policy->actions[REASON_PROBING] == VERDICT_ALERT)
		check_tell(w, f->tenant, &r);
}

void heard_login_failed(struct worker *w, uint32_t tenant)
{
	const uint32_t most = w->policy->calls.auth_failures;

	if (most && check_is_on(w, REASON_AUTH_FAILURES) &&
	    heard_count(w, HEARD_FAILURE, tenant, LOGIN_WINDOW) >= most)
		heard_keep(w, HEARD_FAILURES, tenant, 0, LOGIN_WINDOW);
}

bool heard_logins_failed(struct worker *w, uint32_t tenant)
{
	return w->policy->calls.auth_failures && check_is_on(w, REASON_AUTH_FAILURES) &&
	       heard_has(w, HEARD_FAILURES, tenant, 0);
}

bool heard_logins_told(struct worker *w, uint32_t tenant)
{
	/* Without a place it is told each time. */
	return heard_count(w, HEARD_TOLD, tenant, LOGIN_WINDOW) <= 1;
}
