/* SPDX-License-Identifier: BSD-3-Clause */
/* From the policy to the maps, and the maps' other entries. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/kernel/gate_maps_internal.h"

/* Tenants ------------------------------------------------------------------ */

/* What was in the slots before, by id. */
struct before {
	struct tenant_slot *slots;
	uint32_t *by_id; /* slots with an id, ascending by it */
	uint32_t count;
};

static int id_compare(const void *a, const void *b, void *slots)
{
	const struct tenant_slot *s = slots;
	uint32_t x = s[*(const uint32_t *)a].id, y = s[*(const uint32_t *)b].id;

	return (x > y) - (x < y);
}

static int before_read(struct before *b, const struct gate_view *view)
{
	size_t size = view->slots * sizeof(*view->tenants);

	b->slots = aligned_alloc(_Alignof(struct tenant_slot), size);
	b->by_id = calloc(view->slots, sizeof(*b->by_id));
	b->count = 0;
	if (!b->slots || !b->by_id)
		return -ENOMEM;
	memcpy(b->slots, view->tenants, size);
	for (uint32_t slot = 1; slot < view->slots; slot++)
		if (b->slots[slot].id)
			b->by_id[b->count++] = slot;
	qsort_r(b->by_id, b->count, sizeof(*b->by_id), id_compare, b->slots);
	return 0;
}

static void before_free(struct before *b)
{
	free(b->slots);
	free(b->by_id);
}

/* NULL: a new tenant. */
static const struct tenant_slot *before_find(const struct before *b, uint32_t id)
{
	uint32_t low = 0, high = b->count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (b->slots[b->by_id[middle]].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < b->count && b->slots[b->by_id[low]].id == id ? &b->slots[b->by_id[low]] : NULL;
}

/* One word at a time, and only where it differs: others read meanwhile. */
static bool word_set(uint32_t *word, uint32_t value)
{
	if (*word == value)
		return false;
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
	return true;
}

static bool long_set(uint64_t *word, uint64_t value)
{
	if (*word == value)
		return false;
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
	return true;
}

static bool gcra_set(struct gcra *to, const struct gcra *from)
{
	if (gcra_is(to, from))
		return false;
	gcra_write(to, from);
	return true;
}

/* What the configuration says of a tenant that is in its slot already. */
static bool slot_update(struct tenant_slot *to, const struct tenant_slot *from)
{
	bool changed = false;

	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		changed |= gcra_set(&to->limit[i], &from->limit[i]);
	changed |= word_set(&to->flags, from->flags);
	changed |= word_set(&to->emergency, from->emergency);
#define X(id, name, most) changed |= word_set(&to->name, from->name);
	TENANT_COUNTS(X)
#undef X
	changed |= gcra_set(&to->per_domain, &from->per_domain);
	changed |= word_set(&to->country, from->country);
	changed |= word_set(&to->shadow, from->shadow);
	changed |= long_set(&to->shadow_checks, from->shadow_checks);
	/* What an operator or the gate decided since holds until the file says something else. */
	if (word_set(&to->configured_state, from->configured_state)) {
		word_set(&to->state, from->state);
		changed = true;
	}
	return changed;
}

/* A slot that had another tenant or none: with what this one had elsewhere. */
static void slot_fill(struct tenant_slot *to, const struct tenant_slot *from,
		      const struct tenant_slot *had)
{
	for (unsigned i = 0; i < BUCKET_COUNT; i++)
		long_set(&to->bucket[i], had ? had->bucket[i] : 0);
	word_set(&to->state, had ? had->state : from->state);
	word_set(&to->configured_state, had ? had->configured_state : from->configured_state);
	slot_update(to, from);
	word_set(&to->id, from->id);
}

static int put_tenants(struct gate_maps *maps, const struct policy *policy, unsigned *changes)
{
	struct before before;
	int err = before_read(&before, &maps->view);

	for (uint32_t slot = 1; !err && slot < policy->slot_count; slot++) {
		struct tenant_slot *to = &maps->view.tenants[slot];
		const struct tenant_slot *from = &policy->slots[slot];

		if (!from->id)
			continue;
		if (to->id == from->id) {
			*changes += slot_update(to, from);
			continue;
		}
		slot_fill(to, from, before_find(&before, from->id));
		++*changes;
	}
	before_free(&before);
	return err;
}

/* Nobody's any more, and no prefix leads there. */
static void clear_tenants(struct gate_maps *maps, const struct policy *policy, unsigned *changes)
{
	for (uint32_t slot = 1; slot < maps->view.slots; slot++) {
		struct tenant_slot *to = &maps->view.tenants[slot];

		if (!to->id || (slot < policy->slot_count && policy->slots[slot].id))
			continue;
		memset(to, 0, sizeof(*to));
		++*changes;
	}
}

/* Ports ---------------------------------------------------------------------- */

/* Bits of ports with at least this application: SIP's are the last (enum port_app). */
static void put_words(uint64_t *words, const uint8_t *apps, enum port_app least, unsigned *changes)
{
	for (unsigned i = 0; i < 65536 / 64; i++) {
		uint64_t word = 0;

		for (unsigned bit = 0; bit < 64; bit++)
			word |= (uint64_t)(apps[64 * i + bit] >= least) << bit;
		*changes += long_set(&words[i], word);
	}
}

static void put_ports(struct gate_maps *maps, const struct policy *policy, unsigned *changes)
{
	static const enum port_app least[] = {APP_SMTP, APP_SIP};

	for (unsigned i = 0; i < 2; i++) {
		uint64_t *words = maps->view.inspected + i * GATE_PORT_CALLS;

		put_words(words + gate_port_word(PROTO_TCP, 0), policy->ports.tcp, least[i],
			  changes);
		put_words(words + gate_port_word(PROTO_UDP, 0), policy->ports.udp, least[i],
			  changes);
	}
}

/* All of it ------------------------------------------------------------------ */

static int apply(struct gate_maps *maps, const struct policy *policy, struct gate_changes *c,
		 struct gate_prefix *blocked, bool *taken)
{
	const size_t blocks = policy->blocked_list.count;
	int err = put_tenants(maps, policy, &c->tenants);

	/* Right after the slots that it leads to; and whatever becomes of the rest. */
	if (!err)
		err = gate_table_put(&maps->table, &maps->view, &policy->prefixes, &c->prefixes);
	put_ports(maps, policy, &c->ports);
	if (!err)
		err = gate_blocked_put(&maps->blocked, blocked, blocks, &c->blocked);
	/* Before the first is looked for. */
	if (blocks)
		word_set(&maps->view.shared->blocked, 1);
	if (!err) {
		err = gate_blocked_trim(&maps->blocked, blocked, blocks, &c->blocked);
		*taken = !err;
	}
	if (!err)
		clear_tenants(maps, policy, &c->tenants);
	return err;
}

static void put_reach(struct gate_shared *shared, const struct policy *policy)
{
	const enum verdict action = policy->actions[REASON_PROBING];

	word_set(&shared->reach_drop, action >= VERDICT_DROP);
	word_set(&shared->reach, action == VERDICT_PASS ? 0 : policy->calls.destinations);
}

static void put_choices(struct gate_shared *shared, const struct policy *policy)
{
	word_set(&shared->blocked, policy->blocked_list.count != 0);
	word_set(&shared->shadow, policy->shadow);
	put_reach(shared, policy);
	for (unsigned vlan = 0; vlan < VLANS; vlan++)
		word_set(&shared->vlan_owner[vlan], policy->vlan_owner[vlan]);
	long_set(&shared->generation, policy->generation);
}

int gate_maps_fits(struct gate_maps *maps, const struct policy *policy)
{
	const uint32_t slots = maps->view.slots;
	const struct prefix_table *prefixes = &policy->prefixes;

	if (policy->slot_count > slots)
		return gate_maps_fail(maps, -E2BIG, "%u tenants, and the maps have room for %u",
				      policy->slot_count - 1, slots - 1);
	if (!gate_prefixes_fit(slots, prefixes))
		return gate_maps_fail(maps, -E2BIG,
				      "the tenants' prefixes are %u nodes and %u leaves, and the "
				      "maps have room for %u and %u%s",
				      prefixes->node_count, prefixes->leaf_count,
				      slots * GATE_SLOT_NODES, slots * GATE_SLOT_LEAVES,
				      slots < GATE_SLOTS_LARGE ? "; those of gate.tenants = 8192, "
								 "after a restart, for more"
							       : "");
	if (policy->blocked_list.count > GATE_BLOCKED_MOST)
		return gate_maps_fail(maps, -E2BIG,
				      "%zu blocked networks, and the maps have room for %u",
				      policy->blocked_list.count, GATE_BLOCKED_MOST);
	return 0;
}

int gate_maps_apply(struct gate_maps *maps, const struct policy *policy,
		    struct gate_changes *changes)
{
	struct gate_changes done = {0};
	struct gate_prefix *blocked;
	bool taken = false;
	int err = gate_maps_fits(maps, policy);

	if (err)
		return err;
	blocked = gate_blocked_wanted(&policy->blocked_list);
	err = blocked ? apply(maps, policy, &done, blocked, &taken) : -ENOMEM;
	if (err)
		gate_maps_fail(maps, err, "writing the maps: %s", strerror(-err));
	else
		put_choices(maps->view.shared, policy);
	if (!taken)
		free(blocked);
	if (err) {
		/* What is known of the trie after a failure half-way is what is in it. */
		gate_blocked_close(&maps->blocked);
		gate_blocked_open(&maps->blocked, maps->blocked.fd);
	}
	if (changes)
		*changes = done;
	return err;
}

void gate_maps_port(struct gate_maps *maps, uint32_t place, const struct gate_port *port)
{
	struct gate_port *to = &maps->view.shared->port[place];

	if (to->ifindex != port->ifindex)
		word_set(&to->ifindex, 0);
	word_set(&to->peer, port->peer);
	word_set(&to->from, port->from);
	word_set(&to->failure, port->failure);
	word_set(&to->flags, port->flags);
	long_set(&to->heartbeat_max, port->heartbeat_max);
	__atomic_store_n(&to->ifindex, port->ifindex, __ATOMIC_RELEASE);
}

int gate_maps_flow(struct gate_maps *maps, const struct flow_key *key,
		   const struct flow_verdict *verdict)
{
	if (bpf_map_update_elem(maps->flows, key, verdict, BPF_ANY) < 0)
		return -errno;
	/* The program looks there from the first one on. */
	word_set(&maps->view.shared->flows, 1);
	return 0;
}

int gate_maps_flow_forget(struct gate_maps *maps, const struct flow_key *key)
{
	return bpf_map_delete_elem(maps->flows, key) < 0 ? -errno : 0;
}
