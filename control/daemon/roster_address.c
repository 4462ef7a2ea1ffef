/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose address it is: in the list of prefixes, which is sorted (prefix_compare()). */
#include <arpa/inet.h>
#include <string.h>

#include "control/daemon/roster.h"
#include "control/policy/prefix_build.h"

static bool contains(const struct prefix *p, const struct prefix *address)
{
	const unsigned bytes = p->length / 8, bits = p->length % 8;

	if (p->vlan != address->vlan || p->family != address->family ||
	    memcmp(p->addr, address->addr, bytes) != 0)
		return false;
	return !bits || (p->addr[bytes] ^ address->addr[bytes]) >> (8 - bits) == 0;
}

/* The first that comes after `key`. */
static size_t after(const struct prefix_list *list, const struct prefix *key)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (prefix_compare(&list->items[middle], key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A prefix comes right before those inside it: the last before the address that has it is the
 * longest. */
static uint32_t owner_in_vlan(const struct prefix_list *list, const struct prefix *address)
{
	for (size_t i = after(list, address); i > 0; i--) {
		const struct prefix *p = &list->items[i - 1];

		if (p->vlan != address->vlan || p->family != address->family)
			return 0;
		if (contains(p, address))
			return p->slot;
	}
	return 0;
}

uint32_t roster_slot_at(const struct roster *r, const char *text)
{
	struct prefix address = {.family = strchr(text, ':') ? 6 : 4, .length = UINT8_MAX}, end;
	uint32_t found = 0, slot;

	if (inet_pton(address.family == 6 ? AF_INET6 : AF_INET, text, address.addr) != 1)
		return 0;
	for (size_t i = 0; i < r->prefixes.count;) {
		address.vlan = r->prefixes.items[i].vlan;
		slot = owner_in_vlan(&r->prefixes, &address);
		if (slot && found && slot != found)
			return 0;
		found = slot ? slot : found;
		end = (struct prefix){.family = UINT8_MAX, .vlan = address.vlan};
		i = after(&r->prefixes, &end);
	}
	return found;
}
