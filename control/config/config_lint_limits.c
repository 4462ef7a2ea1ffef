/* SPDX-License-Identifier: BSD-3-Clause */
/* Limits, tiers, shadow, shares of tables. */
#include <string.h>

#include "control/config/config_lint_internal.h"

static const char *const limit_names[LIMIT_COUNT] = {
#define X(id, name) [LIMIT_##id] = name,
	TENANT_LIMITS(X)
#undef X
};

static bool is_limited(const struct config_limits *l, enum tenant_limit limit)
{
	return l->rate[limit].state == RATE_LIMITED;
}

/* One note for a tenant without any; else one for each kind of traffic. */
static void note_missing(struct lint *lint, const config_setting_t *where, const char *whose,
			 const struct config_limits *l)
{
	const bool mails = is_limited(l, LIMIT_MESSAGES) || is_limited(l, LIMIT_RECIPIENTS);
	const bool calls = is_limited(l, LIMIT_CALLS) || is_limited(l, LIMIT_SIP_REQUESTS);

	if (!mails && !calls)
		lint_add(lint, LINT_NO_LIMITS, where, "%s: neither mails nor calls are limited",
			 whose);
	else if (!mails)
		lint_add(lint, LINT_NO_LIMITS, where,
			 "%s: mails are not limited (messages, recipients)", whose);
	else if (!calls)
		lint_add(lint, LINT_NO_LIMITS, where,
			 "%s: calls are not limited (calls, sip_requests)", whose);
}

static void note_unlimited(struct lint *lint, const config_setting_t *group,
			   const struct config_limits *l)
{
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		if (l->rate[i].state == RATE_UNLIMITED)
			lint_add(lint, LINT_UNLIMITED, lint_place(group, limit_names[i]),
				 "no limit at all");
	if (l->recipients_per_message.state == RATE_UNLIMITED)
		lint_add(lint, LINT_UNLIMITED, lint_place(group, "recipients_per_message"),
			 "no limit at all");
}

static void note_shadow(struct lint *lint, const config_setting_t *group,
			const struct config_limits *l)
{
	if (l->shadow & ~SETTING_GIVEN)
		lint_add(lint, LINT_SHADOW, lint_place(group, "shadow"),
			 "these are counted and not enforced");
}

/* A server may take fewer at once; the gate would refuse the rest of a mail that is allowed. */
static void note_size(struct lint *lint, const config_setting_t *group,
		      const struct config_limits *l)
{
	const struct rate *all = &l->rate[LIMIT_RECIPIENTS], *one = &l->recipients_per_message;

	if (all->state == RATE_LIMITED && one->state == RATE_LIMITED && one->count > all->burst)
		lint_add(lint, LINT_TOO_LARGE, lint_place(group, "recipients_per_message"),
			 "a mail may have %llu recipients, and %llu is all that recipients allows "
			 "at once",
			 (unsigned long long)one->count, (unsigned long long)all->burst);
}

static void note_all(struct lint *lint, const config_setting_t *group,
		     const struct config_limits *l)
{
	note_unlimited(lint, group, l);
	note_shadow(lint, group, l);
	note_size(lint, group, l);
}

/* More by and by, or more at once. */
static bool is_looser(const struct rate *own, const struct rate *tiers)
{
	if (own->state == RATE_UNSET || tiers->state != RATE_LIMITED)
		return false;
	if (own->state == RATE_UNLIMITED)
		return true;
	return (unsigned __int128)own->count * tiers->period >
		       (unsigned __int128)tiers->count * own->period ||
	       own->burst > tiers->burst;
}

static void note_looser(struct lint *lint, const struct config_tenant *t,
			const struct config_tier *tier)
{
	const config_setting_t *group = config_setting_get_member(t->where, "limits");
	char mine[VALUE_TEXT], theirs[VALUE_TEXT];

	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		if (is_looser(&t->limits.rate[i], &tier->limits.rate[i]))
			lint_add(lint, LINT_LOOSER, lint_place(group, limit_names[i]),
				 "%s allows more than %s of its tier, \"%s\"",
				 rate_text(&t->limits.rate[i], mine),
				 rate_text(&tier->limits.rate[i], theirs), t->tier);
}

static bool has_own(const struct config_limits *l)
{
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		if (l->rate[i].state != RATE_UNSET)
			return true;
	return false;
}

static void lint_tenant(struct lint *lint, const struct config *config,
			const struct config_tenant *t)
{
	const struct config_tier *tier = t->tier ? config_tier_find(config, t->tier) : NULL;
	const config_setting_t *group = config_setting_get_member(t->where, "limits");
	const struct config_limits l = config_limits_of(config, t);
	char whose[96];

	/* What is only the tier's is said of the tier. */
	if (!tier || has_own(&t->limits)) {
		snprintf(whose, sizeof(whose), "tenant \"%s\"", t->name);
		note_missing(lint, group ? group : t->where, whose, &l);
	}
	if (tier)
		note_looser(lint, t, tier);
	if (group) {
		note_unlimited(lint, group, &t->limits);
		note_shadow(lint, group, &t->limits);
		note_size(lint, group, &l);
	}
}

static bool is_used(const struct config *config, const char *tier)
{
	for (size_t i = 0; i < config->tenants.count; i++)
		if (config_tenant_at(config, i)->tier &&
		    strcmp(config_tenant_at(config, i)->tier, tier) == 0)
			return true;
	return false;
}

static void lint_tier(struct lint *lint, const struct config *config,
		      const struct config_tier *tier)
{
	const char *name = config_setting_name(tier->where);
	char whose[96];

	snprintf(whose, sizeof(whose), "tier \"%s\"", name);
	if (is_used(config, name))
		note_missing(lint, tier->where, whose, &tier->limits);
	else
		lint_add(lint, LINT_UNUSED_TIER, tier->where, "no tenant has it");
	note_all(lint, tier->where, &tier->limits);
}

static void lint_shares(struct lint *lint, const struct config *config)
{
	static const char *const names[] = {"flows_share", "sessions_share", "messages_share",
					    "calls_share", "emergency_media_share"};
	const config_setting_t *budgets = config_lookup(&config->file, "budgets");

	for (size_t i = 0; budgets && i < sizeof(names) / sizeof(names[0]); i++) {
		const config_setting_t *share = config_setting_get_member(budgets, names[i]);

		if (share && config_setting_get_int(share) == 100)
			lint_add(lint, LINT_SHARE, share,
				 "one tenant may fill the table, and others find no room");
	}
}

void lint_limits(struct lint *lint, const struct config *config)
{
	for (size_t i = 0; i < config->tiers.count; i++)
		lint_tier(lint, config, config_tier_at(config, i));
	for (size_t i = 0; i < config->tenants.count; i++)
		lint_tenant(lint, config, config_tenant_at(config, i));
	if (config->shadow)
		lint_add(lint, LINT_SHADOW, config_lookup(&config->file, "policy.shadow"),
			 "every limit, check and rule is counted, and none is enforced");
	lint_shares(lint, config);
}
