/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/lists.h"

#include "bpf/list.h"
#include "dataplane/hashset.h"

static bool listed(const struct policy *policy, enum list_kind kind, uint32_t owner,
		   const uint8_t *text, size_t len)
{
	return hashset_has(&policy->lists, list_hash(policy->lists.key, kind, owner, text, len));
}

/* On the owner's own list or, for all owners, on the provider's. */
static bool listed_for(const struct policy *policy, enum list_kind kind, uint32_t owner,
		       const uint8_t *text, size_t len)
{
	return listed(policy, kind, 0, text, len) ||
	       (owner && listed(policy, kind, owner, text, len));
}

bool list_opted_out(const struct policy *policy, uint32_t slot, struct bytes address)
{
	const struct tenant_slot *tenant = &policy->slots[slot];
	uint8_t text[LIST_TEXT_MAX];
	size_t len;

	if (!(tenant->flags & TENANT_HAS_OPTOUT))
		return false;
	len = list_address(address.p, address.len, text);
	return len && listed_for(policy, LIST_OPTOUT, tenant->id, text, len);
}

bool list_do_not_call(const struct policy *policy, uint32_t slot, struct bytes number)
{
	const struct tenant_slot *tenant = &policy->slots[slot];
	uint8_t text[LIST_TEXT_MAX];
	size_t len;

	if (!(tenant->flags & TENANT_HAS_DNC))
		return false;
	len = list_number(number.p, number.len, text);
	return len && listed_for(policy, LIST_DNC, tenant->id, text, len);
}

static bool owns_domain(const struct policy *policy, uint32_t owner, const uint8_t *text,
			size_t len)
{
	if (listed(policy, LIST_DOMAIN, owner, text, len))
		return true;
	/* Each domain that this one lies in: as many as it has dots, 127 at most (RFC 1035 2.3.4).
	 */
	for (unsigned parents = 0; parents < 127; parents++) {
		const uint8_t *dot = memchr(text, '.', len);

		if (!dot)
			return false;
		len -= (size_t)(dot + 1 - text);
		text = dot + 1;
		if (listed(policy, LIST_SUBDOMAINS, owner, text, len))
			return true;
	}
	return false;
}

bool list_may_send_from(const struct policy *policy, uint32_t slot, struct bytes address)
{
	const struct tenant_slot *tenant = &policy->slots[slot];
	uint8_t text[LIST_TEXT_MAX];
	const uint8_t *at;
	size_t len;

	if (!(tenant->flags & TENANT_DOMAIN_CONSENT))
		return true;
	if (!address.len || bytes_eq(address, BYTES("<>")))
		return true;
	len = list_address(address.p, address.len, text);
	at = len ? memrchr(text, '@', len) : NULL;
	if (!at)
		return false;
	at++;
	return owns_domain(policy, tenant->id, at, len - (size_t)(at - text));
}

bool list_owns_number(const struct policy *policy, uint32_t slot, struct bytes number)
{
	uint8_t text[LIST_TEXT_MAX];
	size_t len = list_number(number.p, number.len, text);

	return len && listed(policy, LIST_NUMBER, policy->slots[slot].id, text, len);
}

static unsigned country_index(uint32_t country)
{
	unsigned a = (country & 0xff) - 'A', b = (country >> 8 & 0xff) - 'A';

	return a < 26 && b < 26 ? a * 26 + b : EMERGENCY_COUNTRIES;
}

bool list_is_emergency(const struct policy *policy, uint32_t slot, struct bytes number)
{
	const struct policy_emergency *e = &policy->emergency;
	unsigned country = country_index(policy->slots[slot].country);
	uint8_t text[LIST_TEXT_MAX];
	size_t len = list_number(number.p, number.len, text);
	uint64_t packed = 0;

	/* A '+' makes it a subscriber's number abroad: +112 is nobody's emergency call. */
	if (!len || len > sizeof(packed) || number.p[0] == '+')
		return false;
	memcpy(&packed, text, len);
	if (!e->country[country].count)
		country = EMERGENCY_COUNTRIES;
	for (unsigned i = 0; i < e->country[country].count; i++)
		if (e->numbers[e->country[country].first + i] == packed)
			return true;
	return false;
}
