/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/roster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bpf/check.h"
#include "bpf/policy_image.h"
#include "control/risk/risk_json.h"

static uint32_t count_of(const json_t *object, const char *name)
{
	return (uint32_t)json_integer_value(json_object_get(object, name));
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* Most tenants have none. */
static int copy_tags(struct roster *r, const struct policy_image *image)
{
	const uint32_t *tags = (const void *)((const char *)image + image->tags.offset);
	const char *text = (const char *)image + image->text.offset;

	for (uint32_t i = 0; i < r->count; i++) {
		if (!text[tags[i]])
			continue;
		r->tenant[i].tag = strdup(text + tags[i]);
		if (!r->tenant[i].tag) {
			r->tenant[i].tag = "";
			return -ENOMEM;
		}
	}
	return 0;
}

/* The section that the compiler has just written; the dataplane checks all of the image. */
static int copy_slots(struct roster *r)
{
	const struct policy_image *image =
		mmap(NULL, r->compiled->policy_size, PROT_READ, MAP_SHARED, r->compiled->policy, 0);
	const struct tenant_slot *slots;
	int rc = 0;

	if (image == MAP_FAILED)
		return -errno;
	r->count = (uint32_t)image->slots.count;
	slots = (const void *)((const char *)image + image->slots.offset);
	r->tenant = calloc(r->count, sizeof(*r->tenant));
	r->names = calloc(r->count, sizeof(*r->names));
	for (uint32_t i = 0; r->tenant && i < r->count; i++) {
		r->tenant[i].base = slots[i];
		r->tenant[i].id = slots[i].id;
		r->tenant[i].name = r->tenant[i].tier = r->tenant[i].tag = "";
	}
	if (r->tenant)
		rc = copy_tags(r, image);
	munmap((void *)(uintptr_t)image, r->compiled->policy_size);
	if (rc)
		return rc;
	return r->tenant && r->names ? 0 : -ENOMEM;
}

static int read_warmups(struct roster *r)
{
	json_t *tiers = json_object_get(r->compiled->report, "warmup"), *steps;
	const char *tier;
	int rc = 0;

	r->warmup = calloc(json_object_size(tiers) + 1, sizeof(*r->warmup));
	if (!r->warmup)
		return -ENOMEM;
	json_object_foreach(tiers, tier, steps)
	{
		struct roster_warmup *w = &r->warmup[r->warmups];

		w->tier = tier;
		rc = rc ? rc : warmup_parse(steps, &w->warmup);
		r->warmups += w->warmup != NULL;
	}
	return rc == -EINVAL ? -EBADMSG : rc;
}

static const struct warmup *warmup_of(const struct roster *r, const char *tier)
{
	for (size_t i = 0; i < r->warmups; i++)
		if (strcmp(r->warmup[i].tier, tier) == 0)
			return r->warmup[i].warmup;
	return NULL;
}

static int read_tenants(struct roster *r)
{
	const json_t *tenants = json_object_get(r->compiled->report, "tenants");
	json_t *item;
	size_t i;

	json_array_foreach(tenants, i, item)
	{
		uint32_t slot = count_of(item, "slot");
		struct roster_tenant *t = &r->tenant[slot < r->count ? slot : 0];

		if (!slot || slot >= r->count || t->id != count_of(item, "id"))
			return -EBADMSG;
		t->name = text_of(item, "name");
		t->tier = text_of(item, "tier");
		t->prefixes = count_of(item, "prefixes");
		t->since = (uint64_t)json_integer_value(json_object_get(item, "since"));
		t->warmup = t->since ? warmup_of(r, t->tier) : NULL;
		t->risk = risk_mode_find(text_of(item, "risk"));
		if (t->risk == RISK_MODE_COUNT)
			return -EBADMSG;
		t->contacts = json_object_get(item, "contacts");
		r->tenants++;
	}
	for (uint32_t slot = 0; slot < r->count; slot++)
		r->names[slot] = (struct tenant_name){r->tenant[slot].id, r->tenant[slot].name, ""};
	return 0;
}

/* Mapped as long as the roster is there. */
static int map_prefixes(struct roster *r)
{
	const struct compiled *c = r->compiled;
	size_t all = c->prefixes_size / sizeof(struct prefix), blocked;
	struct prefix *items;

	blocked = (size_t)json_integer_value(json_object_get(c->report, "blocked"));
	if (!all)
		return 0;
	if (blocked > all)
		return -EBADMSG;
	items = mmap(NULL, c->prefixes_size, PROT_READ, MAP_SHARED, c->prefixes, 0);
	if (items == MAP_FAILED)
		return -errno;
	r->prefixes = (struct prefix_list){items, all - blocked};
	r->blocked = (struct prefix_list){items + all - blocked, blocked};
	return 0;
}

static bool is_true(const struct settings_index *settings, const char *path)
{
	const struct settings_row *row = settings_index_find(settings, path);

	return row && strcmp(settings_text(settings, row->value), "true") == 0;
}

static int load_replies(struct roster *r)
{
	const struct compiled *c = r->compiled;
	const void *image = NULL;
	char error[160];
	int rc;

	if (c->replies_size) {
		image = mmap(NULL, c->replies_size, PROT_READ, MAP_SHARED, c->replies, 0);
		if (image == MAP_FAILED)
			return -errno;
	}
	rc = reply_judge_new(image, c->replies_size, &r->replies, error, sizeof(error));
	if (image)
		munmap((void *)(uintptr_t)image, c->replies_size);
	return rc == -EINVAL ? -EBADMSG : rc;
}

int roster_new(struct compiled *compiled, struct roster **rosterp)
{
	struct roster *r = calloc(1, sizeof(*r));
	int rc;

	if (!r) {
		compiled_free(compiled);
		return -ENOMEM;
	}
	r->compiled = compiled;
	rc = compiled->policy_size < sizeof(struct policy_image) ? -EBADMSG : copy_slots(r);
	if (!rc)
		rc = read_warmups(r);
	if (!rc)
		rc = read_tenants(r);
	if (!rc)
		rc = map_prefixes(r);
	if (!rc && risk_config_parse(json_object_get(compiled->report, "risk"), &r->risk) != 0)
		rc = -EBADMSG;
	if (!rc)
		rc = rule_index_map(compiled->index, compiled->index_size, &r->index);
	if (!rc)
		rc = settings_index_map(compiled->settings, compiled->settings_size, &r->settings);
	if (!rc)
		rc = load_replies(r);
	if (!rc)
		r->shadow = is_true(&r->settings, "policy.shadow");
	if (rc) {
		roster_free(r);
		return rc;
	}
	*rosterp = r;
	return 0;
}

void roster_free(struct roster *r)
{
	if (!r)
		return;
	if (r->prefixes.items)
		munmap(r->prefixes.items, r->compiled->prefixes_size);
	rule_index_unmap(&r->index);
	settings_index_fini(&r->settings);
	reply_judge_free(r->replies);
	for (size_t i = 0; i < r->warmups; i++)
		free(r->warmup[i].warmup);
	free(r->warmup);
	for (uint32_t i = 0; r->tenant && i < r->count; i++)
		if (*r->tenant[i].tag)
			free((char *)(uintptr_t)r->tenant[i].tag);
	compiled_free(r->compiled);
	free(r->tenant);
	free(r->names);
	free(r);
}

uint32_t roster_slot_of(const struct roster *r, uint32_t id)
{
	for (uint32_t slot = 1; slot < r->count; slot++)
		if (r->tenant[slot].id == id)
			return id ? slot : 0;
	return 0;
}

uint32_t roster_find(const struct roster *r, const char *tenant)
{
	char *end;
	unsigned long id;

	for (uint32_t slot = 1; slot < r->count; slot++)
		if (r->tenant[slot].id && strcmp(r->tenant[slot].name, tenant) == 0)
			return slot;
	id = strtoul(tenant, &end, 10);
	if (*tenant < '0' || *tenant > '9' || *end || id > UINT32_MAX)
		return 0;
	return roster_slot_of(r, (uint32_t)id);
}

struct tenant_slot tenant_effective(const struct tenant_slot *base, const struct override *o)
{
	struct tenant_slot slot = *base;

	if (!o)
		return slot;
	if (o->suspended)
		slot.state = TENANT_SUSPENDED;
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		if (o->limit[i].state != RATE_UNSET)
			rate_gcra(&o->limit[i], i == LIMIT_BYTES, &slot.limit[i]);
	if (o->limit[OVERRIDE_PER_DOMAIN].state != RATE_UNSET)
		rate_gcra(&o->limit[OVERRIDE_PER_DOMAIN], false, &slot.per_domain);
	for (unsigned i = 0; i < COUNT_KINDS; i++)
		if (o->count[i].state != RATE_UNSET)
			tenant_count_set(&slot, (enum tenant_count)i,
					 o->count[i].state == RATE_LIMITED
						 ? (uint32_t)o->count[i].count
						 : 0);
	return slot;
}

json_t *tenant_rate_json(const struct gcra *g, double unit, bool shadow)
{
	if (!g->interval)
		return json_pack("{s:n, s:n, s:b}", "per_second", "burst", "shadow", shadow);
	return json_pack("{s:f, s:f, s:b}", "per_second", 1e9 * unit / (double)g->interval, "burst",
			 (double)g->tolerance * unit / (double)g->interval + 1, "shadow", shadow);
}

json_t *tenant_per_domain_json(const struct tenant_slot *slot)
{
	return tenant_rate_json(&slot->per_domain, 1,
				slot->shadow_checks >> POLICY_CHECK_PER_DOMAIN & 1);
}

json_t *tenant_limit_json(const struct tenant_slot *slot, unsigned limit)
{
	return tenant_rate_json(&slot->limit[limit], limit == LIMIT_BYTES ? GCRA_BYTES_UNIT : 1,
				slot->shadow >> limit & 1);
}
