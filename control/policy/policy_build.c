/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/policy/policy_build.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "bpf/maps.h"
#include "control/config/config_tenant.h"
#include "control/config/emergency_file.h"
#include "control/lists/hashset_build.h"
#include "control/lists/list_file.h"
#include "control/policy/policy_words.h"
#include "control/policy/prefix_build.h"

static uint32_t country_code(const char *country)
{
	return country ? (uint32_t)(uint8_t)country[0] | (uint32_t)(uint8_t)country[1] << 8 : 0;
}

static bool is_restricted(const struct config *config, const struct config_tenant *tenant)
{
	for (size_t i = 0; tenant->industry && i < config->restricted.count; i++)
		if (strcasecmp(tenant->industry, config->restricted.items[i].text) == 0)
			return true;
	return false;
}

static uint32_t tenant_flags(const struct config *config, const struct config_tenant *tenant)
{
	uint32_t flags = 0;

	if (tenant->domain_consent)
		flags |= TENANT_DOMAIN_CONSENT;
	if (config->optout.count || tenant->optout.count)
		flags |= TENANT_HAS_OPTOUT;
	if (config->do_not_call.count || tenant->do_not_call.count)
		flags |= TENANT_HAS_DNC;
	if (tenant->numbers.count)
		flags |= TENANT_HAS_NUMBERS;
	if (is_restricted(config, tenant))
		flags |= TENANT_RESTRICTED;
	return flags | policy_mail_flags(config, tenant);
}

static void fill_slot(struct tenant_slot *slot, const struct config *config,
		      const struct config_tenant *tenant)
{
	struct config_limits limits = config_limits_of(config, tenant);

	slot->id = tenant->id;
	slot->state = slot->configured_state = tenant->state == TENANT_ACTIVE ? TENANT_ACTIVE
									      : TENANT_SUSPENDED;
	slot->flags = tenant_flags(config, tenant);
	if (tenant->state == CONFIG_CLOSED)
		slot->flags |= TENANT_CLOSED;
	slot->emergency = tenant->emergency;
	slot->country = country_code(tenant->country);
	slot->shadow = limits.shadow & ((UINT64_C(1) << LIMIT_COUNT) - 1);
	slot->shadow_checks = (limits.shadow & ~SETTING_GIVEN) >> LIMIT_COUNT;
	if (limits.recipients_per_message.state == RATE_LIMITED)
		slot->recipients_per_message = limits.recipients_per_message.count;
	if (limits.calls_at_once.state == RATE_LIMITED)
		slot->calls_at_once = (uint32_t)limits.calls_at_once.count;
	config_mail_limits(config, &limits, slot);
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		rate_gcra(&limits.rate[i], i == LIMIT_BYTES, &slot->limit[i]);
}

/* Where the configuration's tenants have their places. */
struct places {
	const uint32_t *slot_of; /* NULL: in the order of the configuration */
	uint32_t count;
};

static uint32_t place_of(const struct places *places, size_t tenant)
{
	return places->slot_of ? places->slot_of[tenant] : config_tenant_slot(tenant);
}

/* Of a VLAN that several have, nobody can say whose a packet in it is. */
static void fill_vlans(struct policy *policy, const struct config *config,
		       const struct places *places)
{
	bool several[PREFIX_VLANS] = {false};

	for (size_t i = 0; i < config->tenants.count; i++) {
		const uint32_t vlan = config_tenant_at(config, i)->vlan;

		if (!vlan || vlan >= PREFIX_VLANS)
			continue;
		several[vlan] |= policy->vlan_owner[vlan] != 0;
		policy->vlan_owner[vlan] = several[vlan] ? 0 : place_of(places, i);
	}
}

static int build_slots(struct policy *policy, const struct config *config,
		       const struct places *places)
{
	size_t size = places->count * sizeof(*policy->slots);
	const char **names = calloc(places->count, sizeof(*names));
	const char **tiers = calloc(places->count, sizeof(*tiers));
	const char **tags = calloc(places->count, sizeof(*tags));

	policy->names = names;
	policy->tiers = tiers;
	policy->tags = tags;
	policy->slots = aligned_alloc(_Alignof(struct tenant_slot), size);
	if (!policy->names || !policy->tiers || !policy->tags || !policy->slots)
		return -ENOMEM;
	memset(policy->slots, 0, size);
	policy->slot_count = places->count;
	for (size_t i = 0; i < config->tenants.count; i++) {
		uint32_t slot = place_of(places, i);

		fill_slot(&policy->slots[slot], config, config_tenant_at(config, i));
		names[slot] = strdup(config_tenant_at(config, i)->name);
		if (config_tenant_at(config, i)->tier)
			tiers[slot] = strdup(config_tenant_at(config, i)->tier);
		if (policy->slots[slot].flags & TENANT_HAS_TAG &&
		    !(tags[slot] = policy_tag_of(config, config_tenant_at(config, i))))
			return -ENOMEM;
		if (!names[slot] || (config_tenant_at(config, i)->tier && !tiers[slot]))
			return -ENOMEM;
	}
	fill_vlans(policy, config, places);
	for (size_t i = 0; i < places->count; i++)
		if ((!names[i] && !(names[i] = strdup(""))) ||
		    (!tiers[i] && !(tiers[i] = strdup(""))) ||
		    (!tags[i] && !(tags[i] = strdup(""))))
			return -ENOMEM;
	return 0;
}

static int build_prefixes(struct policy *policy, const struct config *config,
			  const struct places *places, struct diag *diag)
{
	struct prefix_list *list = &policy->prefix_list;
	int err = config_prefixes(config, diag, &list->items, &list->count);

	if (err)
		return err;
	for (size_t i = 0; i < list->count; i++)
		list->items[i].slot = place_of(places, list->items[i].slot - config_tenant_slot(0));
	return prefix_table_init(&policy->prefixes, list->items, list->count);
}

static int build_blocked(struct policy *policy, const struct config *config, struct diag *diag)
{
	struct prefix_list *list = &policy->blocked_list;
	int err = config_blocked(config, diag, &list->items, &list->count);

	return err ? err : prefix_table_init(&policy->blocked, list->items, list->count);
}

/* Lists on their way into the set. */
struct list_reader {
	const uint64_t *key;
	struct hash_list hashes;
	struct diag *diag;
};

static int read_files(struct list_reader *reader, const struct setting_texts *files,
		      enum list_kind kind, uint32_t owner)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < files->count; i++) {
		const struct setting_text *file = &files->items[i];
		int err = config_path(file->where, file->text, path, sizeof(path));

		if (!err)
			err = list_file_read(path, reader->key, kind, owner, &reader->hashes,
					     reader->diag);
		if (err == -ENOMEM)
			return err;
		if (err)
			setting_error(reader->diag, file->where, "%s: %s", path, strerror(-err));
	}
	return 0;
}

static int add_entries(struct list_reader *reader, const struct setting_texts *texts,
		       enum list_kind kind, uint32_t owner)
{
	const char *expected;
	int err = 0;

	for (size_t i = 0; i < texts->count && !err; i++) {
		const char *text = texts->items[i].text;
		uint64_t hash = list_entry(reader->key, kind, owner, text, &expected);

		if (hash)
			err = hash_list_add(&reader->hashes, hash);
		else
			setting_error(reader->diag, texts->items[i].where,
				      "expected %s, not \"%.60s\"", expected, text);
	}
	return err;
}

static int read_tenant(struct list_reader *reader, const struct config_tenant *tenant)
{
	int err = read_files(reader, &tenant->optout, LIST_OPTOUT, tenant->id);

	if (!err)
		err = read_files(reader, &tenant->do_not_call, LIST_DNC, tenant->id);
	if (!err)
		err = add_entries(reader, &tenant->domains, LIST_DOMAIN, tenant->id);
	if (!err)
		err = add_entries(reader, &tenant->numbers, LIST_NUMBER, tenant->id);
	return err;
}

/*
 * The tenants' domains once more, as somebody's (bpf/list.h). How many they are is known before the
 * rest is added.
 */
static int add_claims(struct list_reader *reader, const struct config *config, uint64_t *count)
{
	struct list_reader claims = {.key = reader->key, .diag = reader->diag};
	struct hashset set = {0};
	int err = 0;

	if (reader->diag->errors) /* told already */
		return 0;
	for (size_t i = 0; i < config->tenants.count && !err; i++)
		err = add_entries(&claims, &config_tenant_at(config, i)->domains, LIST_DOMAIN, 0);
	if (!err)
		err = hash_list_append(&reader->hashes, &claims.hashes);
	if (!err)
		err = hashset_init(&set, &claims.hashes);
	*count = set.count;
	hashset_fini(&set);
	hash_list_fini(&claims.hashes);
	return err;
}

static int build_lists(struct policy *policy, const struct config *config, struct diag *diag)
{
	struct list_reader reader = {.key = policy->lists.key, .diag = diag};
	uint64_t claims = 0;
	int err;

	if (getrandom(policy->lists.key, sizeof(policy->lists.key), 0) != sizeof(policy->lists.key))
		return -errno;
	err = read_files(&reader, &config->optout, LIST_OPTOUT, 0);
	if (!err)
		err = read_files(&reader, &config->do_not_call, LIST_DNC, 0);
	for (size_t i = 0; i < config->tenants.count && !err; i++)
		err = read_tenant(&reader, config_tenant_at(config, i));
	if (!err)
		err = add_claims(&reader, config, &claims);
	if (!err)
		err = hashset_init(&policy->lists, &reader.hashes);
	policy->list_entries = policy->lists.count - claims;
	hash_list_fini(&reader.hashes);
	return err;
}

static int build_emergency(struct policy *policy, const struct config *config, struct diag *diag)
{
	const config_setting_t *where = config_lookup(&config->file, "lists.emergency_numbers");
	char path[PATH_MAX];
	int err;

	if (!config->emergency_file)
		return emergency_init(&policy->emergency, NULL, diag);
	err = config_path(where, config->emergency_file, path, sizeof(path));
	if (!err)
		err = emergency_init(&policy->emergency, path, diag);
	if (err && err != -ENOMEM) {
		setting_error(diag, where, "%s: %s", path, strerror(-err));
		err = 0;
	}
	return err;
}

static void set_ports(uint8_t *map, const struct setting_ports *ports, enum port_app app)
{
	for (unsigned i = 0; i < ports->count; i++)
		map[ports->ports[i]] = app;
}

static void fill_ports(struct policy_ports *ports, const struct config *config)
{
	set_ports(ports->tcp, &config->smtp, APP_SMTP);
	set_ports(ports->tcp, &config->smtps, APP_SMTPS);
	set_ports(ports->tcp, &config->sip, APP_SIP);
	set_ports(ports->tcp, &config->sips, APP_SIPS);
	set_ports(ports->udp, &config->sip, APP_SIP);
	set_ports(ports->udp, &config->sips, APP_SIPS);
}

static void fill_answer(struct policy_answer *answer, const char *smtp, const char *sip,
			uint64_t retry_after)
{
	if (smtp)
		snprintf(answer->smtp, sizeof(answer->smtp), "%s", smtp);
	if (!sip)
		return;
	answer->sip_code = strtoul(sip, NULL, 10);
	snprintf(answer->sip_phrase, sizeof(answer->sip_phrase), "%s", sip + 4);
	if (answer->sip_code == 503)
		answer->retry_after = retry_after / 1000000000;
}

static void fill_choices(struct policy *policy, const struct config *config)
{
	policy->generation = 1;
	policy->timeouts = config->timeouts;
	policy->budgets = config->budgets;
	policy->short_call = config->short_call;
	policy->asr_mode = config->asr_mode;
	policy->shadow = config->shadow;
	policy->tell_domains = config->tell_domains;
	policy->mail = config_mail_policy(config);
	policy->calls = config->calls;
	policy->keep_headers = config->cases.evidence;
	policy->flow_verdicts = config->gate.flow_verdicts;
	for (unsigned i = 0; i < REASON_COUNT; i++) {
		policy->on_loss[i] = config->on_loss[i];
		policy->actions[i] = config->actions[i];
		fill_answer(&policy->answers[i], config->smtp_answer[i], config->sip_answer[i],
			    config->retry_after);
	}
	policy->on_loss[REASON_SMTP_BARE_LF_END] = config->bare_lf;
	fill_ports(&policy->ports, config);
}

struct policy *policy_build_at(const struct config *config, const uint32_t *slot_of,
			       uint32_t slot_count, struct diag *diag)
{
	const struct places places = {slot_of, slot_count};
	struct policy *policy = calloc(1, sizeof(*policy));
	int err;

	if (!policy)
		return NULL;
	/* What is wrong in lists is said even where the configuration has errors of its own. */
	err = build_lists(policy, config, diag);
	if (!err)
		err = build_emergency(policy, config, diag);
	if (!err)
		err = build_blocked(policy, config, diag);
	policy_words_fill(policy, config, diag);
	if (!err && diag->errors)
		err = -EINVAL;
	if (!err)
		err = build_slots(policy, config, &places);
	if (!err)
		err = build_prefixes(policy, config, &places, diag);
	if (err) {
		policy_free(policy);
		errno = -err;
		return NULL;
	}
	fill_choices(policy, config);
	return policy;
}

struct policy *policy_build(const struct config *config, struct diag *diag)
{
	return policy_build_at(config, NULL, (uint32_t)config->tenants.count + 1, diag);
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (uint32_t i = 0; i < policy->slot_count; i++) {
		free((char *)(uintptr_t)policy->names[i]);
		free((char *)(uintptr_t)policy->tiers[i]);
		free((char *)(uintptr_t)policy->tags[i]);
	}
	free((void *)(uintptr_t)policy->names);
	free((void *)(uintptr_t)policy->tiers);
	free((void *)(uintptr_t)policy->tags);
	free(policy->slots);
	prefix_table_fini(&policy->prefixes);
	free(policy->prefix_list.items);
	prefix_table_fini(&policy->blocked);
	free(policy->blocked_list.items);
	hashset_fini(&policy->lists);
	emergency_fini(&policy->emergency);
	free(policy);
}

int policy_check_room(const struct policy *policy, const struct config *config, struct diag *diag)
{
	const struct config_gate *gate = &config->gate;
	const bool small = gate->tenants < GATE_SLOTS_SMALL;
	const uint32_t slots = small ? GATE_SLOTS_SMALL : GATE_SLOTS_LARGE;
	const struct prefix_table *prefixes = &policy->prefixes;

	if (gate->mode != GATE_XDP)
		return 0;
	if (policy->blocked_list.count > GATE_BLOCKED_MOST) {
		setting_error(diag, config_lookup(&config->file, "lists.blocked"),
			      "%zu networks, and there is room for %u in the kernel",
			      policy->blocked_list.count, GATE_BLOCKED_MOST);
		return -EINVAL;
	}
	if (gate_prefixes_fit(slots, prefixes))
		return 0;
	setting_error(diag, config_lookup(&config->file, "tenants"),
		      "the prefixes are %u nodes and %u leaves of the kernel's table, and there is "
		      "room for %u and %u%s",
		      prefixes->node_count, prefixes->leaf_count, slots * GATE_SLOT_NODES,
		      slots * GATE_SLOT_LEAVES,
		      small ? "; from gate.tenants = 8192 on there is more" : "");
	return -EINVAL;
}

struct tenant_name *policy_tenant_names(const struct policy *policy)
{
	struct tenant_name *names = calloc(policy->slot_count, sizeof(*names));

	for (uint32_t i = 0; names && i < policy->slot_count; i++)
		names[i] = (struct tenant_name){
			.id = policy->slots[i].id,
			.name = policy->names[i],
			.state = policy->slots[i].state == TENANT_SUSPENDED ? "suspended"
									    : "active",
		};
	return names;
}
