/* SPDX-License-Identifier: BSD-3-Clause */
/* Tenants beside each other: prefixes, lists, domains. */
#include <stdlib.h>
#include <string.h>

#include "control/config/cidr.h"
#include "control/config/config_lint_internal.h"
#include "control/config/config_tenant.h"

#define DEPTH 129 /* lengths that a prefix may have */

/* Prefixes in their order: what holds an address comes before what it holds. */
static bool holds(const struct prefix *outer, const struct prefix *inner)
{
	const unsigned whole = outer->length / 8, rest = outer->length % 8;

	if (outer->vlan != inner->vlan || outer->family != inner->family ||
	    outer->length >= inner->length || memcmp(outer->addr, inner->addr, whole) != 0)
		return false;
	return !rest || !((outer->addr[whole] ^ inner->addr[whole]) >> (8 - rest));
}

static void note_nested(struct lint *lint, const struct config *config, const struct prefix *outer,
			const struct prefix *inner)
{
	const struct config_tenant *owner = config_tenant_at(config, outer->slot - 1);
	const struct config_tenant *t = config_tenant_at(config, inner->slot - 1);
	char in[CIDR_TEXT_SIZE], out[CIDR_TEXT_SIZE];

	cidr_format(inner, in);
	cidr_format(outer, out);
	lint_add(lint, LINT_NESTED, t->prefixes.items[inner->origin].where,
		 "%s of \"%s\" is inside %s of \"%s\" (line %u)", in, t->name, out, owner->name,
		 config_setting_source_line(owner->prefixes.items[outer->origin].where));
}

static void lint_prefixes(struct lint *lint, const struct config *config)
{
	const struct prefix *stack[DEPTH];
	struct prefix *prefixes;
	struct diag diag = {0};
	size_t count, depth = 0;

	if (config_prefixes(config, &diag, &prefixes, &count) != 0)
		return;
	diag_fini(&diag);
	qsort(prefixes, count, sizeof(*prefixes), prefix_compare);
	for (size_t i = 0; i < count; i++) {
		while (depth && !holds(stack[depth - 1], &prefixes[i]))
			depth--;
		if (depth && stack[depth - 1]->slot != prefixes[i].slot)
			note_nested(lint, config, stack[depth - 1], &prefixes[i]);
		if (depth < DEPTH)
			stack[depth++] = &prefixes[i];
	}
	free(prefixes);
}

static void note_twice(struct lint *lint, const struct setting_texts *texts,
		       const struct setting_texts *everybodys)
{
	for (size_t i = 0; i < texts->count; i++) {
		const struct setting_text *t = &texts->items[i];

		for (size_t j = 0; j < i; j++)
			if (strcmp(texts->items[j].text, t->text) == 0)
				lint_add(lint, LINT_LIST_TWICE, t->where,
					 "\"%s\" is named twice here", t->text);
		for (size_t j = 0; everybodys && j < everybodys->count; j++)
			if (strcmp(everybodys->items[j].text, t->text) == 0)
				lint_add(lint, LINT_LIST_TWICE, t->where,
					 "\"%s\" holds for every tenant already", t->text);
	}
}

static void lint_tenant(struct lint *lint, const struct config *config,
			const struct config_tenant *t)
{
	note_twice(lint, &t->optout, &config->optout);
	note_twice(lint, &t->do_not_call, &config->do_not_call);
	note_twice(lint, &t->domains, NULL);
	note_twice(lint, &t->numbers, NULL);
	if (t->domain_consent && !t->domains.count)
		lint_add(lint, LINT_CONSENT, lint_place(t->where, "domain_consent"),
			 "no domain is the tenant's: only bounces pass, and what postern list "
			 "allows");
	if (!t->domain_consent && t->domains.count)
		lint_add(lint, LINT_CONSENT, lint_place(t->where, "domains"),
			 "without domain_consent nothing looks at them");
	if (t->emergency == EMERGENCY_REJECT && !t->country)
		lint_add(lint, LINT_COUNTRY, lint_place(t->where, "emergency"),
			 "without a country only 112 and 911 are refused");
	if (t->risk == RISK_SHADOW + 1)
		lint_add(lint, LINT_SHADOW, lint_place(t->where, "risk"),
			 "its score is shown, and nothing follows");
}

void lint_tenants(struct lint *lint, const struct config *config)
{
	lint_prefixes(lint, config);
	note_twice(lint, &config->optout, NULL);
	note_twice(lint, &config->do_not_call, NULL);
	for (size_t i = 0; i < config->tenants.count; i++)
		lint_tenant(lint, config, config_tenant_at(config, i));
}
