/* SPDX-License-Identifier: BSD-3-Clause */
/* Records about the packet in hand. */
#include "dataplane/inspect.h"

#include <stdalign.h>

static void head_fill(const struct worker *w, struct event_head *e)
{
	const struct flow *f = w->at.flow;
	uint8_t side = w->at.side;

	e->time = w->at.ending ? f->last_seen : w->now;
	/* Timers fire when a worker gets to it: only the time is the same in every run. */
	e->packet = w->at.ending || !f ? EVENT_OF_NO_PACKET | e->time : w->packet;
	e->generation = w->matcher ? ruleset_generation(w->matcher->ruleset) : 0;
	if (!f)
		return;
	e->direction = w->at.to_server ? TO_SERVER : TO_CLIENT;
	if (f->tenant && !!(f->flags & FLOW_OUTBOUND) == flow_from_client(f, side))
		e->direction |= EVENT_BY_TENANT;
	if (f->tenant && (f->flags & FLOW_OUTBOUND))
		e->direction |= EVENT_TO_OTHERS;
	e->flow_id = f->id;
	e->tenant = f->tenant;
	e->family = f->key.family;
	e->proto = f->key.proto;
	memcpy(e->src, f->key.addr[side], sizeof(e->src));
	memcpy(e->dst, f->key.addr[!side], sizeof(e->dst));
	e->sport = f->key.port[side];
	e->dport = f->key.port[!side];
	e->vlan = f->key.vlan[0];
}

struct event_builder event_start_at(struct worker *w, void *buf, size_t size, enum event_type type)
{
	struct event_builder b = {NULL, 0};

	if (!w->events || !event_begin(&b, buf, size, type))
		return b;
	head_fill(w, b.head);
	return b;
}

struct event_builder event_start(struct worker *w, enum event_type type)
{
	void *room = w->events ? event_ring_reserve(w->events) : NULL;

	if (!room)
		return (struct event_builder){NULL, 0};
	return event_start_at(w, room, EVENT_RECORD_MAX, type);
}

void event_send(struct worker *w, struct event_builder *b)
{
	if (!b->head)
		return;
	w->counters->events++;
	event_ring_commit(w->events, event_size(b));
}

void event_copy(struct worker *w, const struct event_head *e)
{
	void *room = w->events ? event_ring_reserve(w->events) : NULL;

	if (!room)
		return;
	memcpy(room, e, e->size);
	w->counters->events++;
	event_ring_commit(w->events, e->size);
}

void count_name(struct counted_name *table, struct bytes name)
{
	size_t len = RTE_MIN(name.len, (size_t)COUNTED_NAME_SIZE - 1);
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ name.p[i]) * 16777619u;
	for (uint32_t i = 0; i < 8; i++) {
		struct counted_name *n = &table[(hash + i) % (COUNTED_NAMES - 1)];

		if (!n->count)
			memcpy(n->name, name.p, len);
		else if (memcmp(n->name, name.p, len) != 0 || n->name[len])
			continue;
		n->count++;
		return;
	}
	strcpy(table[COUNTED_NAMES - 1].name, "OTHER");
	table[COUNTED_NAMES - 1].count++;
}
