/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sip/media_table.h"

#include <errno.h>
#include <string.h>

#include "bpf/gate_view.h"
#include "bpf/stage_media.h"
#include "dataplane/policy/memory.h"

STAGE_INLINE uint32_t media_first(struct media_table *t, uint32_t tenant)
{
	return (uint32_t)__atomic_load_n(&t->first[tenant], __ATOMIC_ACQUIRE);
}

STAGE_INLINE struct media *media_at(struct media_table *t, uint32_t place)
{
	return place <= t->room ? &t->places[place - 1] : NULL;
}

STAGE_INLINE uint32_t media_step(struct media_table *t, const struct stage_packet *p,
				 uint32_t place, uint32_t tenant, bool outbound)
{
	return media_look(t, p, place, tenant, outbound);
}

int media_table_open(struct media_table *t, uint32_t room, uint32_t tenants, uint32_t tenant_max)
{
	const size_t places = room * sizeof(struct media);

	*t = (struct media_table){
		.room = room,
		.tenants = tenants,
		.tenant_max = tenant_max < MEDIA_TENANT_MAX ? tenant_max : MEDIA_TENANT_MAX,
		.own_size = places + tenants * sizeof(*t->first),
	};
	t->own = memory_reserve(t->own_size, MEMORY_SPARSE);
	if (!t->own)
		return -ENOMEM;
	t->places = t->own;
	t->first = (uint64_t *)((uint8_t *)t->own + places);
	t->taken = &t->own_taken;
	return 0;
}

void media_table_close(struct media_table *t)
{
	memory_release(t->own, t->own_size);
	t->own = NULL;
}

static bool is_alive(const struct media *m, uint64_t now)
{
	return __atomic_load_n(&m->expires, __ATOMIC_ACQUIRE) > now && m->until > now;
}

static void link_in(struct media_table *t, uint32_t place)
{
	struct media *m = &t->places[place - 1];

	m->next = (uint32_t)t->first[m->tenant];
	__atomic_store_n(&t->first[m->tenant], place, __ATOMIC_RELEASE);
	__atomic_fetch_add(t->taken, 1, __ATOMIC_RELEASE);
}

void media_table_borrow(struct media_table *t, const struct gate_view *view, uint64_t now)
{
	memory_release(t->own, t->own_size);
	t->own = NULL;
	t->places = view->media;
	t->first = view->media_first;
	t->taken = &view->shared->media;
	t->room = t->room < GATE_MEDIA ? t->room : GATE_MEDIA;
	t->tenants = t->tenants < view->slots ? t->tenants : view->slots;
	/* Whoever was killed may have left half a list. */
	memset(t->first, 0, view->slots * sizeof(*t->first));
	*t->taken = 0;
	for (uint32_t place = 1; place <= GATE_MEDIA; place++) {
		struct media *m = &t->places[place - 1];

		t->serial = m->serial > t->serial ? m->serial : t->serial;
		if (place <= t->room && m->tenant < t->tenants && is_alive(m, now))
			link_in(t, place);
		else
			__atomic_store_n(&m->expires, 0, __ATOMIC_RELEASE);
	}
}

/* Behind it nobody finds the place; who has found it sees that it ended. */
static void place_give_back(struct media_table *t, uint32_t place)
{
	struct media *m = &t->places[place - 1], *before = NULL;
	uint32_t at = (uint32_t)t->first[m->tenant];

	__atomic_store_n(&m->expires, 0, __ATOMIC_RELEASE);
	for (uint32_t i = 0; at && at != place && i < MEDIA_TENANT_MAX; i++) {
		before = &t->places[at - 1];
		at = before->next;
	}
	if (at != place)
		return;
	if (before)
		__atomic_store_n(&before->next, m->next, __ATOMIC_RELEASE);
	else
		__atomic_store_n(&t->first[m->tenant], m->next, __ATOMIC_RELEASE);
	__atomic_fetch_sub(t->taken, 1, __ATOMIC_RELEASE);
}

/* Its places, when those that ended are given back. */
static uint32_t tenant_count(struct media_table *t, uint32_t tenant, uint64_t now)
{
	uint32_t count = 0, place = (uint32_t)t->first[tenant];

	while (place) {
		struct media *m = &t->places[place - 1];
		uint32_t next = m->next;

		if (is_alive(m, now))
			count++;
		else
			place_give_back(t, place);
		place = next;
	}
	return count;
}

static bool is_free(const struct media *m)
{
	return !__atomic_load_n(&m->expires, __ATOMIC_ACQUIRE);
}

/* The next place, from 1. */
static uint32_t step(struct media_table *t)
{
	t->cursor = t->cursor < t->room ? t->cursor + 1 : 1;
	return t->cursor;
}

void media_table_sweep(struct media_table *t, uint64_t now, uint32_t budget)
{
	if (!__atomic_load_n(t->taken, __ATOMIC_RELAXED))
		return;
	for (uint32_t i = 0; i < budget && i < t->room; i++) {
		uint32_t place = step(t);
		struct media *m = &t->places[place - 1];

		if (!is_free(m) && !is_alive(m, now))
			place_give_back(t, place);
	}
}

/* 0: all are taken. */
static uint32_t place_find(struct media_table *t, uint64_t now)
{
	for (uint32_t i = 0; i < t->room; i++) {
		uint32_t place = step(t);
		struct media *m = &t->places[place - 1];

		if (!is_free(m) && !is_alive(m, now))
			place_give_back(t, place);
		if (is_free(m))
			return place;
	}
	return 0;
}

bool media_table_add(struct media_table *t, const struct media *wanted, uint64_t now,
		     struct media_ref *ref)
{
	struct media *m;
	uint32_t place;

	*ref = (struct media_ref){0, 0};
	if (wanted->tenant >= t->tenants || tenant_count(t, wanted->tenant, now) >= t->tenant_max)
		return false;
	place = place_find(t, now);
	if (!place)
		return false;
	m = &t->places[place - 1];
	memcpy(m->inside, wanted->inside, sizeof(m->inside));
	memcpy(m->outside, wanted->outside, sizeof(m->outside));
	memcpy(m->inside_port, wanted->inside_port, sizeof(m->inside_port));
	memcpy(m->outside_port, wanted->outside_port, sizeof(m->outside_port));
	m->family = wanted->family;
	m->tenant = wanted->tenant;
	m->idle = wanted->idle;
	m->until = wanted->until;
	/* Full. Not 0: who is taking back what he took of the place before would make it less. */
	m->spent = now;
	m->packets = m->bytes = 0;
	/* Who compares meanwhile sees one that ended, or another serial: bpf/media.h. */
	__atomic_store_n(&m->serial, ++t->serial ? t->serial : ++t->serial, __ATOMIC_RELEASE);
	__atomic_store_n(&m->expires, now + m->idle, __ATOMIC_RELEASE);
	link_in(t, place);
	*ref = (struct media_ref){place, m->serial};
	return true;
}

struct media *media_table_get(struct media_table *t, const struct media_ref *ref)
{
	struct media *m = ref->place ? &t->places[ref->place - 1] : NULL;

	return m && m->serial == ref->serial && !is_free(m) ? m : NULL;
}

void media_table_remove(struct media_table *t, const struct media_ref *ref)
{
	if (media_table_get(t, ref))
		place_give_back(t, ref->place);
}

void media_table_hear(struct media *m, uint64_t now)
{
	uint64_t expires = __atomic_load_n(&m->expires, __ATOMIC_ACQUIRE);

	/* A packet that comes at the same time does as much. */
	if (expires && now + m->idle > expires)
		__sync_val_compare_and_swap(&m->expires, expires, now + m->idle);
}

bool media_table_pass(struct media_table *t, const struct stage_packet *p, uint32_t tenant,
		      bool outbound, uint64_t now)
{
	return tenant < t->tenants && media_pass(t, p, tenant, outbound, now);
}
