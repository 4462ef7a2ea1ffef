/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/policy/policy_load.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define AT(image, type, section) ((type *)((uintptr_t)(image) + (uintptr_t)(image)->section.offset))

static bool section_ok(const struct policy_image *i, struct policy_span s, size_t size)
{
	return s.offset % POLICY_IMAGE_ALIGN == 0 && s.offset >= sizeof(*i) &&
	       s.offset <= i->size && s.count <= (i->size - s.offset) / size;
}

static bool sections_ok(const struct policy_image *i)
{
	return section_ok(i, i->slots, sizeof(struct tenant_slot)) &&
	       section_ok(i, i->names, sizeof(uint32_t)) &&
	       section_ok(i, i->tiers, sizeof(uint32_t)) &&
	       section_ok(i, i->tags, sizeof(uint32_t)) && section_ok(i, i->text, 1) &&
	       section_ok(i, i->nodes, sizeof(struct prefix_node)) &&
	       section_ok(i, i->leaves, sizeof(uint32_t)) &&
	       section_ok(i, i->blocked_nodes, sizeof(struct prefix_node)) &&
	       section_ok(i, i->blocked_leaves, sizeof(uint32_t)) &&
	       section_ok(i, i->hashes, sizeof(uint64_t)) &&
	       section_ok(i, i->emergency, sizeof(uint64_t));
}

static bool slots_ok(const struct policy_image *i)
{
	const struct tenant_slot *slots = AT(i, const struct tenant_slot, slots);
	const uint32_t *names = AT(i, const uint32_t, names);
	const uint32_t *tiers = AT(i, const uint32_t, tiers);
	const uint32_t *tags = AT(i, const uint32_t, tags);
	const char *text = AT(i, const char, text);

	if (!i->slots.count || i->slots.count != i->policy.slot_count ||
	    i->names.count != i->slots.count || i->tiers.count != i->slots.count ||
	    i->tags.count != i->slots.count || !i->text.count || text[i->text.count - 1])
		return false;
	for (uint64_t n = 0; n < i->slots.count; n++)
		if (names[n] >= i->text.count || tiers[n] >= i->text.count ||
		    tags[n] >= i->text.count || slots[n].state > TENANT_SUSPENDED ||
		    slots[n].emergency > EMERGENCY_ALLOW)
			return false;
	return true;
}

/* Children lie behind their parent: no way down goes in a circle. */
static bool node_ok(const struct prefix_table *t, uint32_t n, const struct prefix_node *node,
		    uint32_t slot_count)
{
	uint32_t children = (uint32_t)__builtin_popcountll(node->children);
	uint32_t leaves = (uint32_t)__builtin_popcountll(node->leaf_runs);

	if (!node->leaf_runs ? node->leaf_base >= slot_count
			     : !(node->leaf_runs & 1) || node->leaf_base > t->leaf_count ||
				       leaves > t->leaf_count - node->leaf_base)
		return false;
	return node->skip < 64 && node->elsewhere < slot_count &&
	       (!children || (node->child_base > n && node->child_base <= t->node_count &&
			      children <= t->node_count - node->child_base));
}

static bool table_ok(const struct policy_image *i, const struct prefix_table *t, uint32_t owners,
		     const struct policy_span *node_section, const struct policy_span *leaf_section)
{
	const struct prefix_node *nodes = (const void *)((const char *)i + node_section->offset);
	const uint32_t *leaves = (const void *)((const char *)i + leaf_section->offset);

	if (!t->node_count || t->node_count != node_section->count ||
	    t->leaf_count != leaf_section->count)
		return false;
	for (unsigned v = 0; v < PREFIX_VLANS; v++)
		if (t->roots.root4[v] >= t->node_count || t->roots.root6[v] >= t->node_count)
			return false;
	for (uint32_t n = 0; n < t->leaf_count; n++)
		if (leaves[n] >= owners)
			return false;
	for (uint32_t n = 0; n < t->node_count; n++)
		if (!node_ok(t, n, &nodes[n], owners))
			return false;
	return true;
}

static bool prefixes_ok(const struct policy_image *i)
{
	return table_ok(i, &i->policy.prefixes, i->policy.slot_count, &i->nodes, &i->leaves) &&
	       (!i->policy.blocked_list.count ||
		table_ok(i, &i->policy.blocked, 2, &i->blocked_nodes, &i->blocked_leaves));
}

static bool lists_ok(const struct policy_image *i)
{
	const struct hashset *set = &i->policy.lists;
	const uint64_t *hashes = AT(i, const uint64_t, hashes);

	if (set->length != i->hashes.count)
		return false;
	/* A search begins below `capacity` and ends at a free place. */
	return !set->capacity || (set->capacity <= set->length && !hashes[set->length - 1]);
}

static bool emergency_ok(const struct policy_image *i)
{
	const struct policy_emergency *e = &i->policy.emergency;

	for (unsigned n = 0; n <= EMERGENCY_COUNTRIES; n++)
		if ((uint32_t)e->country[n].first + e->country[n].count > i->emergency.count)
			return false;
	return true;
}

static bool budgets_ok(const struct policy_budgets *b)
{
	return b->flows && b->sessions && b->messages && b->calls && b->fragments &&
	       b->emergency_media && b->emergency_media_share <= 100 && b->flows_share <= 100 &&
	       b->sessions_share <= 100 && b->messages_share <= 100 && b->calls_share <= 100;
}

/* Whoever goes from word to word finds an empty one. */
static bool words_ok(const struct policy_words *words)
{
	return !words->text[POLICY_WORDS - 1] && !words->text[POLICY_WORDS - 2];
}

/* Counts are kept by halves of their windows, and divided by. */
static bool mail_ok(const struct policy_mail *m)
{
	return m->mailbomb_window > 1 && m->same_body_window > 1 && m->harvest_window > 1 &&
	       m->recipients_window > 1;
}

static bool choices_ok(const struct policy_image *i)
{
	const struct policy *p = &i->policy;
	uint8_t shadow;

	memcpy(&shadow, &p->shadow, 1); /* no bool before it is one */
	if (shadow > 1 || !words_ok(&p->marks) || !words_ok(&p->provider_hosts) ||
	    !words_ok(&p->reserved_domains) || (uint32_t)p->asr_mode > ASR_ALL ||
	    !budgets_ok(&p->budgets))
		return false;
	for (unsigned r = 0; r < REASON_COUNT; r++) {
		const struct policy_answer *a = &p->answers[r];

		if (p->on_loss[r] >= VERDICT_COUNT || p->actions[r] >= VERDICT_COUNT ||
		    !memchr(a->smtp, 0, sizeof(a->smtp)) || a->sip_code > 699 ||
		    (a->sip_code && a->sip_code < 300))
			return false;
	}
	if (!mail_ok(&p->mail))
		return false;
	for (unsigned port = 0; port < 65536; port++)
		if (p->ports.tcp[port] > APP_SIPS || p->ports.udp[port] > APP_SIPS)
			return false;
	return true;
}

static const char *image_fault(const struct policy_image *i, size_t size)
{
	if (size < sizeof(*i) || i->magic != POLICY_IMAGE_MAGIC)
		return "not a policy";
	if (i->version != POLICY_IMAGE_VERSION || i->policy_size != sizeof(struct policy) ||
	    i->slot_size != sizeof(struct tenant_slot) ||
	    i->node_size != sizeof(struct prefix_node) || i->reasons != REASON_COUNT)
		return "a policy of another version of Postern";
	if (i->size != size)
		return "the policy is cut short";
	if (i->checksum !=
	    XXH3_64bits(&i->generation, size - offsetof(struct policy_image, generation)))
		return "the policy is damaged";
	if (!sections_ok(i) || !slots_ok(i) || !prefixes_ok(i) || !lists_ok(i) ||
	    !emergency_ok(i) || !choices_ok(i))
		return "the policy contradicts itself";
	return NULL;
}

/* The names of the tenants, then of their tiers, then their tags, behind the snapshot itself. */
struct loaded {
	struct policy policy;
	const char *names[];
};

static struct policy *loaded_new(const struct policy *policy)
{
	struct loaded *l =
		malloc(sizeof(*l) + 3 * (size_t)policy->slot_count * sizeof(l->names[0]));

	if (!l)
		return NULL;
	memcpy(&l->policy, policy, sizeof(l->policy));
	l->policy.names = l->names;
	l->policy.tiers = l->names + policy->slot_count;
	l->policy.tags = l->policy.tiers + policy->slot_count;
	return &l->policy;
}

int policy_load(const void *data, size_t size, struct tenant_slot *slots, uint32_t slot_count,
		struct policy **policyp, char *error, size_t error_size)
{
	const struct policy_image *image = data;
	const char *fault = image_fault(image, size);
	const char **names;
	struct policy *p;

	if (fault) {
		snprintf(error, error_size, "%s", fault);
		return -EINVAL;
	}
	if (image->policy.slot_count > slot_count) {
		snprintf(error, error_size, "the policy needs %u tenant slots and there are %u",
			 image->policy.slot_count, slot_count);
		return -E2BIG;
	}
	p = loaded_new(&image->policy);
	if (!p) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	p->generation = image->generation;
	p->slots = slots;
	p->sets = NULL;
	names = ((struct loaded *)p)->names;
	for (uint32_t i = 0; i < p->slot_count; i++) {
		names[i] = AT(image, const char, text) + AT(image, const uint32_t, names)[i];
		names[p->slot_count + i] = AT(image, const char, text) +
					   AT(image, const uint32_t, tiers)[i];
		names[2 * (size_t)p->slot_count + i] = AT(image, const char, text) +
						       AT(image, const uint32_t, tags)[i];
	}
	p->prefixes.nodes = AT(image, struct prefix_node, nodes);
	p->prefixes.leaves = AT(image, uint32_t, leaves);
	p->blocked.nodes = AT(image, struct prefix_node, blocked_nodes);
	p->blocked.leaves = AT(image, uint32_t, blocked_leaves);
	p->lists.hashes = p->lists.capacity ? AT(image, uint64_t, hashes) : NULL;
	p->emergency.numbers = AT(image, uint64_t, emergency);
	*policyp = p;
	return 0;
}

struct policy *policy_over(const struct policy *policy, struct tenant_slot *slots)
{
	struct policy *p = loaded_new(policy);

	if (!p)
		return NULL;
	memcpy(((struct loaded *)p)->names, policy->names,
	       policy->slot_count * sizeof(policy->names[0]));
	memcpy(((struct loaded *)p)->names + policy->slot_count, policy->tiers,
	       policy->slot_count * sizeof(policy->tiers[0]));
	memcpy(((struct loaded *)p)->names + 2 * (size_t)policy->slot_count, policy->tags,
	       policy->slot_count * sizeof(policy->tags[0]));
	p->slots = slots;
	return p;
}

void policy_unload(struct policy *policy)
{
	free(policy);
}

const struct tenant_slot *policy_image_slots(const void *image)
{
	return AT((const struct policy_image *)image, const struct tenant_slot, slots);
}
