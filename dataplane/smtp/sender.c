/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/smtp/sender.h"

#include "bpf/list.h"
#include "dataplane/inspect.h"

#define PERIOD  (UINT64_C(600) * 1000000000) /* ns */
#define EACH    (UINT64_C(125) * 1000000)    /* ns between two of a tenant's */
#define AT_ONCE 64                           /* of a tenant's, when it has been quiet */

/* A place holds what came last: its hash, but for the period in the low bits. */
static uint64_t *place_of(struct sender_memory *m, uint64_t hash)
{
	return &m->seen[hash / 65536 % SENDERS_SEEN];
}

/* The bucket may be shared with tenants of other slots; it is as in bpf/gcra.h. */
static bool is_too_much(struct sender_memory *m, uint32_t tenant, uint64_t now)
{
	uint64_t *next = &m->next[tenant % SENDERS_TENANTS];

	if (*next < now)
		*next = now;
	if (*next - now > EACH * AT_ONCE)
		return true;
	*next += EACH;
	return false;
}

void sender_tell(struct worker *w, uint32_t tenant, struct bytes domain)
{
	const struct policy *policy = w->policy;
	struct event_builder e;
	uint64_t hash, *place;

	if (!policy->tell_domains || !w->options.edits || !domain.len || domain.p[0] == '[')
		return;
	hash = list_hash(policy->lists.key, LIST_INVALID_DOMAIN, 0, domain.p, domain.len);
	hash = (hash & ~UINT64_C(0xffff)) | (w->now / PERIOD & 0xffff);
	place = place_of(&w->senders, hash);
	if (*place == hash || is_too_much(&w->senders, tenant, w->now))
		return;
	*place = hash;
	e = event_start(w, EVENT_DOMAIN);
	event_put_bytes(&e, FIELD_KEY_DOMAIN_NAME, domain);
	event_send(w, &e);
}
