/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config/config_tenant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/list.h"
#include "control/base/suggest.h"
#include "control/config/cidr.h"
#include "control/policy/policy_words.h"

static const char *const states[] = {[TENANT_ACTIVE] = "active",
				     [TENANT_SUSPENDED] = "suspended",
				     [CONFIG_CLOSED] = "closed",
				     NULL};
static const char *const emergency_modes[] = {[EMERGENCY_ALERT] = "alert",
					      [EMERGENCY_REJECT] = "reject",
					      [EMERGENCY_ALLOW] = "allow",
					      NULL};

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static const char *check_country(const char *text)
{
	if (is_upper(text[0]) && is_upper(text[1]) && !text[2])
		return NULL;
	return "a country's two capital letters (ISO 3166-1), such as \"US\"";
}

static const char *check_name(const char *text)
{
	size_t len = strlen(text);

	if (!len || len > 64)
		return "a name of 1 to 64 bytes";
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return "a name without control characters";
	return NULL;
}

static const char *check_domain(const char *text)
{
	static const char expected[] = "a domain such as \"example.com\" or \".example.com\"";
	const char *p = text + (text[0] == '.');

	if (!*p || strlen(p) > 255 || strstr(p, "..") || p[0] == '.')
		return expected;
	return strpbrk(p, " \t@<>\"*/\\,;:") ? expected : NULL;
}

static const char *check_number(const char *text)
{
	uint8_t normal[LIST_TEXT_MAX];

	if (list_number(text, strlen(text), normal))
		return NULL;
	return "a telephone number such as \"+14155550100\"";
}

static const char *check_since(const char *text)
{
	uint64_t seconds;

	if (value_date(text, &seconds) == 0)
		return NULL;
	return "a day such as \"2026-11-01\", or a time such as \"2026-11-01T08:00:00Z\"";
}

static const char *const risk_modes[] = {"gate", "off", "shadow", "on", NULL};

static const char *const mail_classes[] = {[MAIL_MIXED] = "mixed",
					   [MAIL_BULK] = "bulk",
					   [MAIL_TRANSACTIONAL] = "transactional",
					   [MAIL_AS_TIER] = "tier",
					   NULL};

#define AT(member) .offset = offsetof(struct config_tenant, member)

/* clang-format off */
const struct setting config_tenant_settings[] = {
	{.name = "id", .type = SETTING_COUNT, AT(id), .required = true, .min = 1, .max = UINT32_MAX,
	 .help = "the tenant's number in events, lists and state; never reuse one"},
	{.name = "name", .type = SETTING_TEXT, AT(name), .required = true, .check = check_name,
	 .help = "what people call it; no two tenants may have the same"},
	{.name = "prefixes", .type = SETTING_TEXTS, AT(prefixes), .required = true,
	 .help = "its networks, `\"192.0.2.0/24\"` or `\"2001:db8::/32\"`; the longest match owns an address"},
	{.name = "vlan", .type = SETTING_COUNT, AT(vlan), .min = 1, .max = 4094,
	 .help = "the prefixes are its only in this VLAN (the outermost tag); without: in any VLAN "
	         "in which nobody else has them"},
	{.name = "tier", .type = SETTING_TEXT, AT(tier), .help = "the tier whose limits hold"},
	{.name = "since", .type = SETTING_TEXT, AT(since), .check = check_since,
	 .help = "the day on which it became one, `\"2026-11-01\"`, or a time, `\"2026-11-01T08:00:00Z\"`: its age decides how far its "
	         "tier's `warmup` holds; without: it is no new one"},
	{.name = "state", .type = SETTING_CHOICE, AT(state), .choices = states, .fallback = "active",
	 .help = "a suspended tenant's mail and calls are refused: for now; a closed one's mail for good"},
	{.name = "country", .type = SETTING_TEXT, AT(country), .check = check_country,
	 .help = "whose emergency numbers count; without: 112 and 911"},
	{.name = "emergency", .type = SETTING_CHOICE, AT(emergency), .choices = emergency_modes,
	 .fallback = "alert", .help = "calls to emergency numbers: forward with an alarm, refuse with an alarm, "
	 "or forward. Decided before every limit and suspension"},
	{.name = "domain_consent", .type = SETTING_BOOL, AT(domain_consent), .fallback = "false",
	 .help = "refuse senders outside `domains` (AUP-DOMAIN-CONSENT); bounces (`<>`) always pass"},
	{.name = "domains", .type = SETTING_TEXTS, AT(domains), .check = check_domain,
	 .help = "domains it may send from: `\"example.com\"` is that one alone, `\".example.com\"` its subdomains"},
	{.name = "numbers", .type = SETTING_TEXTS, AT(numbers), .check = check_number,
	 .help = "telephone numbers that are its: with any, it calls from no others (`policy.actions.caller_id`)"},
	{.name = "industry", .type = SETTING_TEXT, AT(industry), .check = check_name,
	 .help = "what it does; nothing of it passes where that is one of `policy.restricted_industries`"},
	{.name = "optout", .type = SETTING_TEXTS, AT(optout),
	 .help = "files of addresses that it must not mail"},
	{.name = "do_not_call", .type = SETTING_TEXTS, AT(do_not_call),
	 .help = "files of numbers that it must not call"},
	{.name = "contacts", .type = SETTING_TEXTS, AT(contacts), .check = config_check_address,
	 .help = "addresses of its people: notices of its cases go there ([abuse-desk.md](abuse-desk.md))"},
	{.name = "risk", .type = SETTING_CHOICE, AT(risk), .choices = risk_modes, .fallback = "gate",
	 .help = "its score: as `risk.mode` says; or not counted; or counted and shown, and nothing follows; or acted upon"},
	{.name = "mail_class", .type = SETTING_CHOICE, AT(mail_class), .choices = mail_classes, .fallback = "tier",
	 .help = "what it sends: bulk mail must have a way to unsubscribe (AUP-UNSUB), transactional mail need not, of mixed mail "
	 "that which has the marks of bulk"},
	{.name = "required_tag", .type = SETTING_TEXT, AT(required_tag), .check = policy_check_tag,
	 .help = "a header field that its mails must have (AUP-TAG), instead of the tier's: `\"X-Provider-ID\"`, with a value "
	 "`\"X-Provider-ID: acme\"`, or how that begins `\"X-Provider-ID: {id}-*\"`; `{id}` and `{name}` are the tenant's"},
	{.name = "limits", .type = SETTING_GROUP, .members = config_limit_settings,
	 .help = "limits of its own, instead of the tier's"},
	{0},
};
/* clang-format on */

static void report_prefix(struct diag *diag, const struct setting_text *text, int err,
			  const struct prefix *prefix)
{
	char network[CIDR_TEXT_SIZE];

	if (err != -EDOM) {
		setting_error(diag, text->where,
			      "expected a network such as \"192.0.2.0/24\" or "
			      "\"2001:db8::/32\", not \"%s\"",
			      text->text);
		return;
	}
	cidr_format(prefix, network);
	setting_error(diag, text->where,
		      "\"%s\" has bits set beyond its length; the network is \"%s\"", text->text,
		      network);
}

int config_prefixes(const struct config *config, struct diag *diag, struct prefix **prefixes,
		    size_t *count)
{
	struct prefix *all;
	size_t total = 0;

	for (size_t i = 0; i < config->tenants.count; i++)
		total += config_tenant_at(config, i)->prefixes.count;
	all = calloc(total ? total : 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	*prefixes = all;
	*count = 0;
	for (size_t i = 0; i < config->tenants.count; i++) {
		const struct config_tenant *tenant = config_tenant_at(config, i);

		for (size_t j = 0; j < tenant->prefixes.count; j++) {
			struct prefix *p = &all[*count];
			int err = cidr_parse(tenant->prefixes.items[j].text, p);

			p->vlan = tenant->vlan;
			p->slot = config_tenant_slot(i);
			p->origin = j;
			if (err)
				report_prefix(diag, &tenant->prefixes.items[j], err, p);
			else
				++*count;
		}
	}
	return 0;
}

int config_blocked(const struct config *config, struct diag *diag, struct prefix **prefixes,
		   size_t *count)
{
	const struct setting_texts *texts = &config->blocked;
	struct prefix *all = calloc(texts->count ? texts->count : 1, sizeof(*all));
	size_t read = 0, kept = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < texts->count; i++) {
		int err = cidr_parse(texts->items[i].text, &all[read]);

		all[read].slot = 1;
		if (err)
			report_prefix(diag, &texts->items[i], err, &all[read]);
		else
			read++;
	}
	qsort(all, read, sizeof(*all), prefix_compare);
	for (size_t i = 0; i < read; i++)
		if (!kept || prefix_compare(&all[kept - 1], &all[i]) != 0)
			all[kept++] = all[i];
	*prefixes = all;
	*count = kept;
	return 0;
}

/* By prefix, then in the order of the file. */
static int twin_compare(const void *a, const void *b)
{
	const struct prefix *x = a, *y = b;
	int order = prefix_compare(a, b);

	if (order)
		return order;
	if (x->slot != y->slot)
		return x->slot < y->slot ? -1 : 1;
	return (x->origin > y->origin) - (x->origin < y->origin);
}

static void report_twin(const struct config *config, struct diag *diag, const struct prefix *first,
			const struct prefix *second)
{
	const struct config_tenant *owner = config_tenant_at(config, first->slot - 1);
	const struct config_tenant *tenant = config_tenant_at(config, second->slot - 1);
	const config_setting_t *where = tenant->prefixes.items[second->origin].where;
	unsigned line = config_setting_source_line(owner->prefixes.items[first->origin].where);
	char network[CIDR_TEXT_SIZE];

	cidr_format(second, network);
	if (owner == tenant)
		setting_error(diag, where, "%s is listed twice", network);
	else
		setting_error(diag, where, "%s belongs to tenant \"%s\" already (line %u)", network,
			      owner->name ? owner->name : "?", line);
}

static void check_prefixes(const struct config *config, struct diag *diag)
{
	struct prefix *prefixes;
	size_t count;

	if (config_prefixes(config, diag, &prefixes, &count) != 0)
		return;
	qsort(prefixes, count, sizeof(*prefixes), twin_compare);
	for (size_t i = 1; i < count; i++)
		if (prefix_compare(&prefixes[i - 1], &prefixes[i]) == 0)
			report_twin(config, diag, &prefixes[i - 1], &prefixes[i]);
	free(prefixes);
}

static int by_id(const void *a, const void *b)
{
	const struct config_tenant *x = *(const struct config_tenant *const *)a;
	const struct config_tenant *y = *(const struct config_tenant *const *)b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x > y) - (x < y);
}

static int by_name(const void *a, const void *b)
{
	const struct config_tenant *x = *(const struct config_tenant *const *)a;
	const struct config_tenant *y = *(const struct config_tenant *const *)b;
	int order = strcmp(x->name ? x->name : "", y->name ? y->name : "");

	return order ? order : (x > y) - (x < y);
}

static void check_unique(const struct config *config, struct diag *diag)
{
	size_t count = config->tenants.count;
	const struct config_tenant **sorted =
		calloc(count ? count : 1, sizeof(struct config_tenant *));

	if (!sorted)
		return;
	for (size_t i = 0; i < count; i++)
		sorted[i] = config_tenant_at(config, i);
	qsort(sorted, count, sizeof(*sorted), by_id);
	for (size_t i = 1; i < count; i++)
		if (sorted[i]->id && sorted[i]->id == sorted[i - 1]->id)
			setting_error(diag, config_setting_get_member(sorted[i]->where, "id"),
				      "the tenant at line %u has the id %u already",
				      config_setting_source_line(sorted[i - 1]->where),
				      sorted[i]->id);
	qsort(sorted, count, sizeof(*sorted), by_name);
	for (size_t i = 1; i < count; i++)
		if (sorted[i]->name && sorted[i - 1]->name &&
		    strcmp(sorted[i]->name, sorted[i - 1]->name) == 0)
			setting_error(diag, config_setting_get_member(sorted[i]->where, "name"),
				      "the tenant at line %u is called \"%s\" already",
				      config_setting_source_line(sorted[i - 1]->where),
				      sorted[i]->name);
	free(sorted);
}

static void report_tier(const struct config *config, struct diag *diag,
			const struct config_tenant *tenant)
{
	const config_setting_t *where = config_setting_get_member(tenant->where, "tier");
	unsigned least = suggest_limit(tenant->tier) + 1;
	const char *nearest = NULL;

	for (size_t i = 0; i < config->tiers.count; i++) {
		const char *name = config_setting_name(config_tier_at(config, i)->where);
		unsigned distance = suggest_distance(tenant->tier, name);

		if (distance < least) {
			least = distance;
			nearest = name;
		}
	}
	if (nearest)
		setting_error(diag, where, "no tier is called \"%s\"; did you mean \"%s\"?",
			      tenant->tier, nearest);
	else
		setting_error(diag, where, "no tier is called \"%s\"", tenant->tier);
}

void config_check_tenants(const struct config *config, struct diag *diag)
{
	check_prefixes(config, diag);
	check_unique(config, diag);
	for (size_t i = 0; i < config->tenants.count; i++) {
		const struct config_tenant *tenant = config_tenant_at(config, i);

		if (tenant->tier && !config_tier_find(config, tenant->tier))
			report_tier(config, diag, tenant);
		if (tenant->domain_consent && !tenant->domains.count)
			setting_warning(diag, tenant->where,
					"domain_consent without domains: only bounces will pass");
	}
}
