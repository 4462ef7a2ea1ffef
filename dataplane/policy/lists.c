/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/policy/lists.h"

#include "bpf/hashset.h"
#include "dataplane/proto/domain_name.h"

static bool configured(const struct policy *policy, enum list_kind kind, uint32_t owner,
		       const uint8_t *text, size_t len)
{
	return hashset_has(&policy->lists, list_hash(policy->lists.key, kind, owner, text, len));
}

/* `as`: the kind that the entry was hashed as; a domain's subdomains are on its list. */
static bool imported(const struct policy *policy, enum list_kind kind, enum list_kind as,
		     uint32_t owner, const uint8_t *text, size_t len)
{
	const struct list_sets *sets = policy->sets;

	return sets && list_sets_find(sets, owner, kind, list_hash(sets->key, as, owner, text, len),
				      NULL) == LIST_LISTED;
}

static bool listed(const struct policy *policy, enum list_kind kind, uint32_t owner,
		   const uint8_t *text, size_t len)
{
	return configured(policy, kind, owner, text, len) ||
	       imported(policy, kind, kind, owner, text, len);
}

static struct list_question question_of(const struct policy *policy, enum list_kind kind,
					uint32_t owner, bool is_configured, const uint8_t *text,
					size_t len)
{
	const struct list_sets *sets = policy->sets;
	struct list_question q = {.kind = kind, .owner = owner};

	if (!len)
		return q;
	if (is_configured) {
		q.configured[0] = list_hash(policy->lists.key, kind, 0, text, len);
		q.configured[1] = owner ? list_hash(policy->lists.key, kind, owner, text, len) : 0;
		for (int i = 0; i < 2; i++)
			hashset_prefetch(&policy->lists, q.configured[i]);
	}
	if (sets) {
		q.imported[0] = list_hash(sets->key, kind, 0, text, len);
		q.imported[1] = owner ? list_hash(sets->key, kind, owner, text, len) : 0;
		for (int i = 0; i < 2; i++)
			list_sets_prefetch(sets, i ? owner : 0, kind, q.imported[i]);
	}
	return q;
}

/* On the owner's own list or, for all owners, on the provider's. */
bool list_answer(const struct policy *policy, const struct list_question *q)
{
	for (int i = 0; i < 2; i++) {
		if (q->configured[i] && hashset_has(&policy->lists, q->configured[i]))
			return true;
		if (q->imported[i] && policy->sets &&
		    list_sets_find(policy->sets, i ? q->owner : 0, q->kind, q->imported[i], NULL) ==
			    LIST_LISTED)
			return true;
	}
	return false;
}

void list_form_of(struct bytes address, struct list_form *form)
{
	form->len = list_address(address.p, address.len, form->text);
}

struct list_question list_ask_opted_out(const struct policy *policy, uint32_t slot,
					const struct list_form *address)
{
	const struct tenant_slot *tenant = &policy->slots[slot];

	return question_of(policy, LIST_OPTOUT, tenant->id, tenant->flags & TENANT_HAS_OPTOUT,
			   address->text, address->len);
}

bool list_opted_out(const struct policy *policy, uint32_t slot, struct bytes address)
{
	struct list_question q;
	struct list_form form;

	list_form_of(address, &form);
	q = list_ask_opted_out(policy, slot, &form);
	return list_answer(policy, &q);
}

bool list_has_do_not_call(const struct policy *policy, uint32_t slot)
{
	return policy->sets || policy->slots[slot].flags & TENANT_HAS_DNC;
}

bool list_do_not_call(const struct policy *policy, uint32_t slot, struct bytes number)
{
	const struct tenant_slot *tenant = &policy->slots[slot];
	bool is_configured = tenant->flags & TENANT_HAS_DNC;
	struct list_question q;
	uint8_t text[LIST_TEXT_MAX];
	size_t len = 0;

	if (is_configured || policy->sets)
		len = list_number(number.p, number.len, text);
	q = question_of(policy, LIST_DNC, tenant->id, is_configured, text, len);
	return list_answer(policy, &q);
}

bool list_wants_no_texts(const struct policy *policy, uint32_t slot, struct bytes number)
{
	uint8_t text[LIST_TEXT_MAX];
	size_t len = policy->sets ? list_number(number.p, number.len, text) : 0;

	return len && (imported(policy, LIST_SMS, LIST_SMS, 0, text, len) ||
		       imported(policy, LIST_SMS, LIST_SMS, policy->slots[slot].id, text, len));
}

bool list_said_stop(const struct policy *policy, uint32_t slot, struct bytes number)
{
	uint8_t text[LIST_TEXT_MAX];
	size_t len = policy->sets ? list_number(number.p, number.len, text) : 0;

	return len &&
	       imported(policy, LIST_SMS_STOP, LIST_SMS_STOP, policy->slots[slot].id, text, len);
}

enum list_trap list_trap(const struct policy *policy, const struct list_form *address)
{
	if (!policy->sets || !address->len)
		return LIST_TRAP_NONE;
	if (imported(policy, LIST_TRAP, LIST_TRAP, 0, address->text, address->len))
		return LIST_TRAP_PRISTINE;
	return imported(policy, LIST_TRAP_RECYCLED, LIST_TRAP_RECYCLED, 0, address->text,
			address->len)
		       ? LIST_TRAP_OLD
		       : LIST_TRAP_NONE;
}

uint64_t list_suppressed_hash(const struct policy *policy, uint32_t slot, const uint64_t key[2],
			      const struct list_form *address)
{
	return address->len ? list_hash(policy->sets ? policy->sets->key : key, LIST_SUPPRESSED,
					policy->slots[slot].id, address->text, address->len)
			    : 0;
}

bool list_suppressed(const struct policy *policy, uint32_t slot, uint64_t hash, uint64_t now)
{
	const struct list_sets *sets = policy->sets;

	return sets && hash &&
	       list_sets_has_since(sets, policy->slots[slot].id, LIST_SUPPRESSED, hash,
				   list_oldest(policy->mail.suppress, now));
}

/* The domain itself: its own, or one that it forwards for. */
static bool has_domain(const struct policy *policy, uint32_t owner, const uint8_t *text, size_t len)
{
	return listed(policy, LIST_DOMAIN, owner, text, len) ||
	       imported(policy, LIST_FORWARDER, LIST_FORWARDER, owner, text, len) ||
	       imported(policy, LIST_FORWARDER, LIST_FORWARDER, 0, text, len);
}

static bool owns_domain(const struct policy *policy, uint32_t owner, const uint8_t *text,
			size_t len)
{
	if (has_domain(policy, owner, text, len))
		return true;
	/* Each domain that this one lies in: as many as it has dots, 127 at most (RFC 1035 2.3.4).
	 */
	for (unsigned parents = 0; parents < 127; parents++) {
		const uint8_t *dot = memchr(text, '.', len);

		if (!dot)
			return false;
		len -= (size_t)(dot + 1 - text);
		text = dot + 1;
		if (configured(policy, LIST_SUBDOMAINS, owner, text, len) ||
		    imported(policy, LIST_DOMAIN, LIST_SUBDOMAINS, owner, text, len))
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

size_t list_domain_of(struct bytes address, uint8_t out[LIST_TEXT_MAX], bool *is_bad)
{
	const uint8_t *at = address.len ? memrchr(address.p, '@', address.len) : NULL;
	size_t len = 0;

	if (at) {
		at++;
		len = list_domain(at, address.len - (size_t)(at - address.p), out);
	}
	if (is_bad)
		*is_bad = at && !domain_name_is_valid(bytes_of(out, len));
	return len;
}

bool list_is_forwarded(const struct policy *policy, uint32_t slot, struct bytes address)
{
	uint8_t text[LIST_TEXT_MAX];
	size_t len = policy->sets ? list_domain_of(address, text, NULL) : 0;

	return len && (imported(policy, LIST_FORWARDER, LIST_FORWARDER, policy->slots[slot].id,
				text, len) ||
		       imported(policy, LIST_FORWARDER, LIST_FORWARDER, 0, text, len));
}

bool list_is_no_domain(const struct policy *policy, struct bytes domain)
{
	return domain.len && domain.len <= LIST_TEXT_MAX &&
	       imported(policy, LIST_INVALID_DOMAIN, LIST_INVALID_DOMAIN, 0, domain.p, domain.len);
}

/* The domain, or one that it lies in, on a list of the owner's; owner 0: on anybody's. */
static bool is_below(const struct policy *policy, uint32_t owner, const uint8_t *text, size_t len)
{
	for (unsigned parents = 0; parents < 127; parents++) {
		const uint8_t *dot = memchr(text, '.', len);

		if (listed(policy, LIST_DOMAIN, owner, text, len) ||
		    (parents && (configured(policy, LIST_SUBDOMAINS, owner, text, len) ||
				 imported(policy, LIST_DOMAIN, LIST_SUBDOMAINS, owner, text, len))))
			return true;
		if (!dot)
			return false;
		len -= (size_t)(dot + 1 - text);
		text = dot + 1;
	}
	return false;
}

bool list_is_anothers(const struct policy *policy, uint32_t slot, struct bytes host)
{
	uint8_t text[LIST_TEXT_MAX];
	size_t len = list_domain(host.p, host.len, text);

	return len && is_below(policy, 0, text, len) &&
	       !is_below(policy, policy->slots[slot].id, text, len);
}

bool list_has_numbers(const struct policy *policy, uint32_t slot)
{
	const struct tenant_slot *tenant = &policy->slots[slot];
	const struct list_sets *sets = policy->sets;
	uint32_t count = 0;

	if (tenant->flags & TENANT_HAS_NUMBERS)
		return true;
	if (!sets)
		return false;
	if (list_set_segments(&sets->base, tenant->id, LIST_NUMBER, &count) && count)
		return true;
	return list_sets_fit(sets) &&
	       list_set_segments(&sets->delta, tenant->id, LIST_NUMBER, &count) && count;
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
