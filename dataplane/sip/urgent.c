/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sip/urgent.h"

#include <errno.h>
#include <netinet/in.h>

#include "dataplane/policy/memory.h"
#include "dataplane/sip/calls.h"
#include "dataplane/sip/sip_checks.h"

static uint32_t share_of(uint32_t total, uint32_t percent)
{
	uint32_t share = (uint32_t)((uint64_t)total * percent / 100);

	return share ? share : 1;
}

int urgent_open(struct urgent_table *t, const struct policy_budgets *b, uint32_t slots)
{
	const size_t calls = b->emergency_media * sizeof(struct urgent_call);
	const uint32_t share = share_of(b->emergency_media, b->emergency_media_share);

	*t = (struct urgent_table){
		.room = b->emergency_media,
		.tenants = slots,
		.tenant_max = RTE_MIN(share, (uint32_t)MEDIA_TENANT_MAX),
		.size = calls + slots * sizeof(uint32_t),
	};
	if (media_table_open(&t->media, b->emergency_media, slots, share) != 0)
		return -ENOMEM;
	t->calls = memory_reserve(t->size, MEMORY_SPARSE);
	if (!t->calls) {
		media_table_close(&t->media);
		return -ENOMEM;
	}
	t->first = (uint32_t *)((uint8_t *)t->calls + calls);
	return 0;
}

void urgent_close(struct urgent_table *t)
{
	media_table_close(&t->media);
	memory_release(t->calls, t->size);
}

/* The clock of packets' media, XDP's where that is. */
static uint64_t clock_of(const struct worker *w)
{
	return (uint64_t)((int64_t)w->now + w->monotonic);
}

static bool ref_is_alive(struct urgent_table *t, const struct media_ref *ref, uint64_t now)
{
	const struct media *m = media_table_get(&t->media, ref);

	return m && m->expires > now && m->until > now;
}

static bool is_alive(struct urgent_table *t, const struct urgent_call *call, uint64_t now)
{
	bool alive = call->heard + call->idle > now;

	for (unsigned i = 0; !alive && i < URGENT_MEDIA; i++)
		alive = ref_is_alive(t, &call->now[i], now);
	return alive;
}

static void call_end(struct urgent_table *t, struct urgent_call *call)
{
	uint32_t place = (uint32_t)(call - t->calls) + 1, *link = &t->first[call->tenant];

	urgent_end_media(t, call);
	while (*link && *link != place)
		link = &t->calls[*link - 1].next;
	if (*link == place)
		__atomic_store_n(link, call->next, __ATOMIC_RELEASE);
	call->hash = 0;
}

/* NULL: none that lasts. */
static struct urgent_call *call_find(struct urgent_table *t, uint32_t tenant, uint64_t hash,
				     uint64_t now)
{
	for (uint32_t place = t->first[tenant]; place; place = t->calls[place - 1].next) {
		struct urgent_call *call = &t->calls[place - 1];

		if (call->hash != hash)
			continue;
		if (is_alive(t, call, now))
			return call;
		call_end(t, call);
		return NULL;
	}
	return NULL;
}

static struct urgent_call *call_of(struct worker *w, uint32_t tenant, const struct sip_message *msg)
{
	struct urgent_table *t = &w->calls->urgent;
	const struct call_table *calls = w->calls->table;
	struct urgent_call *call;

	call = call_find(t, tenant, call_hash_of(calls, msg->call_id, msg->from.tag), clock_of(w));
	/* What the callee asks, and the answers to it. */
	if (!call && msg->to.tag.len)
		call = call_find(t, tenant, call_hash_of(calls, msg->call_id, msg->to.tag),
				 clock_of(w));
	return call;
}

/* What sets a call up, changes and ends it; texts, transfers and the like are not about help. */
static bool is_of_calls(const struct sip_message *msg)
{
	if (msg->kind == SIP_RESPONSE)
		return true;
	switch (msg->method_id) {
	case SIP_METHOD_INVITE:
		/* Whom a new call reaches, its own Request-URI says. */
		return msg->to.tag.len;
	case SIP_METHOD_ACK:
	case SIP_METHOD_BYE:
	case SIP_METHOD_CANCEL:
	case SIP_METHOD_PRACK:
	case SIP_METHOD_UPDATE:
	case SIP_METHOD_INFO:
		return true;
	default:
		return false;
	}
}

static void lock(struct worker *w)
{
	order_wait(w->order, w->index, w->packet);
	rte_ticketlock_lock(&w->calls->lock);
}

static void unlock(struct worker *w)
{
	rte_ticketlock_unlock(&w->calls->lock);
}

/* Nearly always not; of a live gate nobody need take turns for that. */
static bool has_any(const struct worker *w, uint32_t tenant)
{
	order_wait(w->order, w->index, w->packet);
	return __atomic_load_n(&w->calls->urgent.first[tenant], __ATOMIC_ACQUIRE);
}

bool urgent_is(struct worker *w, uint32_t tenant, const struct sip_message *msg)
{
	bool is;

	if (!tenant || !has_any(w, tenant) || !is_of_calls(msg) || !msg->call_id.len)
		return false;
	lock(w);
	is = call_of(w, tenant, msg);
	unlock(w);
	return is;
}

static uint32_t tenant_count(struct urgent_table *t, uint32_t tenant, uint64_t now)
{
	uint32_t count = 0, place = t->first[tenant];

	while (place) {
		struct urgent_call *call = &t->calls[place - 1];

		place = call->next;
		if (is_alive(t, call, now))
			count++;
		else
			call_end(t, call);
	}
	return count;
}

static struct urgent_call *step(struct urgent_table *t)
{
	t->cursor = t->cursor + 1 < t->room ? t->cursor + 1 : 0;
	return &t->calls[t->cursor];
}

static void end_if_over(struct urgent_table *t, struct urgent_call *call, uint64_t now)
{
	if (call->hash && !is_alive(t, call, now))
		call_end(t, call);
}

/* NULL: the tenant has its share, or there is no room. */
static struct urgent_call *call_begin(struct urgent_table *t, uint32_t tenant, uint64_t hash,
				      uint64_t now)
{
	struct urgent_call *call = NULL;

	if (tenant >= t->tenants || tenant_count(t, tenant, now) >= t->tenant_max)
		return NULL;
	for (uint32_t i = 0; i < t->room && (!call || call->hash); i++) {
		call = step(t);
		end_if_over(t, call, now);
	}
	if (!call || call->hash)
		return NULL;
	*call = (struct urgent_call){.hash = hash, .tenant = tenant, .next = t->first[tenant]};
	__atomic_store_n(&t->first[tenant], (uint32_t)(call - t->calls) + 1, __ATOMIC_RELEASE);
	return call;
}

static bool is_challenge(uint16_t code)
{
	return code == 401 || code == 407;
}

/* By the table of calls, which knows of forks and races; where it knows nothing, by what is said.
 */
static bool ends(const struct sip_message *msg, uint32_t events)
{
	if (events & CALL_EVENT_ENDED)
		return true;
	if (!(events & CALL_EVENT_MIDSTREAM))
		return false;
	if (msg->kind == SIP_REQUEST)
		return msg->method_id == SIP_METHOD_BYE;
	return msg->cseq_method == SIP_METHOD_INVITE && msg->code >= 300 &&
	       !is_challenge(msg->code);
}

void urgent_follow(struct worker *w, enum urgent urgent, const struct sip_message *msg,
		   bool outbound, uint32_t events)
{
	struct urgent_table *t = &w->calls->urgent;
	const uint32_t tenant = w->at.flow->tenant;
	const uint64_t now = clock_of(w);
	struct urgent_call *call;

	if (urgent == URGENT_NOT || !tenant || !msg->call_id.len)
		return;
	lock(w);
	call = call_of(w, tenant, msg);
	if (!call && urgent == URGENT_BEGINS)
		call = call_begin(t, tenant,
				  call_hash_of(w->calls->table, msg->call_id, msg->from.tag), now);
	if (call && ends(msg, events)) {
		call_end(t, call);
	} else if (call) {
		call->heard = now;
		call->idle = w->policy->timeouts.emergency_media;
		if (urgent_describe(w, msg, outbound, call))
			urgent_settle(w, call, now);
	}
	unlock(w);
	if (!call && urgent == URGENT_BEGINS)
		worker_note(w, tenant, REASON_CALL_BUDGET);
}

void urgent_sweep(struct urgent_table *t, uint64_t now, uint32_t budget)
{
	for (uint32_t i = 0; i < budget && i < t->room; i++)
		end_if_over(t, step(t), now);
	media_table_sweep(&t->media, now, budget);
}

/* Packets ------------------------------------------------------------------ */

bool urgent_may_pass(const struct worker *w, unsigned slot)
{
	const struct headers *h = &w->burst.hdr[slot];
	const struct policy_ports *ports = &w->policy->ports;
	const uint32_t tenant = w->burst.tenant[slot];

	if (h->class != CLASS_L4 || h->proto != IPPROTO_UDP || !tenant ||
	    ports->udp[h->sport] != APP_NONE || ports->udp[h->dport] != APP_NONE)
		return false;
	/* In a replay what comes before it may still have to be read. */
	return !w->options.live || media_table_any(&w->calls->urgent.media, tenant);
}

bool urgent_passes(struct worker *w, unsigned slot)
{
	struct burst *b = &w->burst;
	struct stage_packet p;

	order_wait(w->order, w->index, w->packet);
	if (!media_table_any(&w->calls->urgent.media, b->tenant[slot]))
		return false;
	stage_packet_of(b->pkt[slot], &b->hdr[slot], &p);
	return media_table_pass(&w->calls->urgent.media, &p, b->tenant[slot], b->outbound[slot],
				clock_of(w));
}
