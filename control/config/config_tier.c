/* SPDX-License-Identifier: BSD-3-Clause */
/* Tiers, and the limits that tiers and tenants set. */
#include <string.h>

#include "bpf/check.h"
#include "control/config/config_names.h"
#include "control/policy/policy_words.h"

/* What may run in shadow: limits, then checks. */
static const char *const shadow_names[] = {
#define X(id, name) [LIMIT_##id] = name,
	TENANT_LIMITS(X)
#undef X
#define X(id, ...) [LIMIT_COUNT + POLICY_CHECK_##id] = config_reason_name.id,
		POLICY_CHECKS(X)
#undef X
			[LIMIT_COUNT + POLICY_CHECK_COUNT] = NULL,
};

static const char *const mail_classes[] = {
	[MAIL_MIXED] = "mixed", [MAIL_BULK] = "bulk", [MAIL_TRANSACTIONAL] = "transactional", NULL};

/* clang-format off */
#define RATE(base, id, key, text)                                                                  \
	{.name = key, .type = SETTING_RATE, .help = text,                                          \
	 .offset = (base) + offsetof(struct config_limits, rate[LIMIT_##id])}

#define RATE_SETTINGS(base)                                                                        \
	RATE(base, MESSAGES, "messages", "mails begun (`MAIL` commands)"),                         \
	RATE(base, RECIPIENTS, "recipients", "recipients (`RCPT` commands)"),                      \
	RATE(base, CONNECTIONS, "connections", "new TCP connections to inspected ports"),          \
	RATE(base, BYTES, "bytes", "outbound bytes, as they are on the wire"),                     \
	RATE(base, CALLS, "calls", "call attempts"),                                               \
	RATE(base, SIP_REQUESTS, "sip_requests",                                                   \
	     "SIP requests other than `ACK`, `CANCEL` and the `BYE` that ends a call"),            \
	RATE(base, PACKETS, "packets", "outbound packets"),                                        \
	RATE(base, SYNS, "syns", "TCP connections begun, to any port; as many again to servers that answered before"),                            \
	{.name = "recipients_per_message", .type = SETTING_COUNT_LIMIT, .min = 1, .max = 1000000,  \
	 .offset = (base) + offsetof(struct config_limits, recipients_per_message),                \
	 .help = "recipients of one mail; RFC 5321 4.5.3.1.8 wants 100 to be possible"},           \
	RATE(base, SMS, "sms", "texts (SIP `MESSAGE`)"),                                           \
	RATE(base, REGISTERS, "registers", "registrations (SIP `REGISTER`)")

#define COUNT(base, member, most, text)                                                            \
	{.name = #member, .type = SETTING_COUNT_LIMIT, .min = 1, .max = (most), .help = text,      \
	 .offset = (base) + offsetof(struct config_limits, member)}

#define LIMIT_SETTINGS(base)                                                                       \
	RATE_SETTINGS(base),                                                                       \
	{.name = "calls_at_once", .type = SETTING_COUNT_LIMIT, .min = 1, .max = 1000000,           \
	 .offset = (base) + offsetof(struct config_limits, calls_at_once),                         \
	 .help = "calls that ring or are talked on at the same time"},                             \
	COUNT(base, distinct_recipients, 100000000, "different recipients in a day (UTC)"),        \
	COUNT(base, distinct_domains, 100000000, "different domains of recipients in a day (UTC)"), \
	{.name = "per_domain", .type = SETTING_RATE,                                               \
	 .offset = (base) + offsetof(struct config_limits, per_domain),                            \
	 .help = "recipients in one domain, a bucket for each; without it `policy.mail.per_domain`"}, \
	COUNT(base, same_body, 65535, "mails with the same text, within the time that `policy.mail.same_body` has; without it as many as that says, and any number where `mail_class` is `bulk`"), \
	{.name = "shadow", .type = SETTING_CHOICES, .choices = shadow_names,                       \
	 .offset = (base) + offsetof(struct config_limits, shadow),                                \
	 .help = "limits and checks that are counted but not enforced"}

const struct setting config_limit_settings[] = {
	LIMIT_SETTINGS(offsetof(struct config_tenant, limits)),
	{0},
};

static const struct setting warmup_settings[] = {
	{.name = "days", .type = SETTING_COUNT, .offset = offsetof(struct config_warmup, days),
	 .required = true, .min = 1, .max = 3650,
	 .help = "the step holds while the tenant is younger than so many days"},
	RATE_SETTINGS(offsetof(struct config_warmup, limits)),
	{0},
};

const struct setting config_tier_settings[] = {
	LIMIT_SETTINGS(offsetof(struct config_tier, limits)),
	{.name = "mail_class", .type = SETTING_CHOICE, .offset = offsetof(struct config_tier, mail_class),
	 .choices = mail_classes, .fallback = "mixed", .help = "what its tenants send: `tenants[].mail_class`"},
	{.name = "required_tag", .type = SETTING_TEXT, .offset = offsetof(struct config_tier, required_tag),
	 .check = policy_check_tag, .help = "a header field that mails must have: `tenants[].required_tag`"},
	{.name = "warmup", .type = SETTING_GROUPS, .members = warmup_settings,
	 .size = sizeof(struct config_warmup), .offset = offsetof(struct config_tier, warmup),
	 .help = "limits of new tenants (`since`), the youngest first: of a step and the limits above the lower holds"},
	{0},
};
/* clang-format on */

const struct config_tier *config_tier_find(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->tiers.count; i++)
		if (strcmp(config_setting_name(config_tier_at(config, i)->where), name) == 0)
			return config_tier_at(config, i);
	return NULL;
}

static void take_own(struct rate *limit, const struct rate *own)
{
	if (own->state != RATE_UNSET)
		*limit = *own;
}

struct config_limits config_limits_of(const struct config *config,
				      const struct config_tenant *tenant)
{
	const struct config_tier *tier = tenant->tier ? config_tier_find(config, tenant->tier)
						      : NULL;
	struct config_limits limits = tier ? tier->limits : (struct config_limits){0};

	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		take_own(&limits.rate[i], &tenant->limits.rate[i]);
	take_own(&limits.recipients_per_message, &tenant->limits.recipients_per_message);
	take_own(&limits.calls_at_once, &tenant->limits.calls_at_once);
	take_own(&limits.distinct_recipients, &tenant->limits.distinct_recipients);
	take_own(&limits.distinct_domains, &tenant->limits.distinct_domains);
	take_own(&limits.same_body, &tenant->limits.same_body);
	take_own(&limits.per_domain, &tenant->limits.per_domain);
	if (tenant->limits.shadow & SETTING_GIVEN)
		limits.shadow = tenant->limits.shadow;
	return limits;
}

/* The setting that a rate was read from, for the error's place. */
static const config_setting_t *limit_place(const config_setting_t *group, const char *name)
{
	const config_setting_t *place = config_setting_get_member(group, name);

	return place ? place : group;
}

static void check_limit(struct diag *diag, const config_setting_t *group, const char *name,
			const struct rate *rate, bool bytes)
{
	struct gcra gcra;

	if (rate_gcra(rate, bytes, &gcra) != 0)
		setting_error(diag, limit_place(group, name),
			      "a rate too fast to be counted, or a burst that takes "
			      "more than 400 days to come back");
}

static void check_limits(struct diag *diag, const config_setting_t *group,
			 const struct config_limits *limits)
{
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		check_limit(diag, group, shadow_names[i], &limits->rate[i], i == LIMIT_BYTES);
	check_limit(diag, group, "per_domain", &limits->per_domain, false);
}

static void check_tier(struct diag *diag, const struct config_tier *tier)
{
	const struct config_warmup *steps = tier->warmup.items;

	check_limits(diag, tier->where, &tier->limits);
	for (size_t i = 0; i < tier->warmup.count; i++)
		check_limits(diag, steps[i].where, &steps[i].limits);
	config_check_warmup(tier, diag);
}

void config_check_tiers(const struct config *config, struct diag *diag)
{
	for (size_t i = 0; i < config->tiers.count; i++)
		check_tier(diag, config_tier_at(config, i));
	for (size_t i = 0; i < config->tenants.count; i++) {
		const struct config_tenant *tenant = config_tenant_at(config, i);
		const config_setting_t *group = config_setting_get_member(tenant->where, "limits");

		if (group)
			check_limits(diag, group, &tenant->limits);
	}
}
