/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/prefix_random.h"

#include <stdlib.h>
#include <string.h>

#include "control/policy/prefix_build.h"

uint64_t prefix_random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}

void prefix_random_addr(uint64_t *seed, uint8_t *addr, unsigned len)
{
	static const uint8_t bytes[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0x0a, 0x20, 0xfc};

	for (unsigned i = 0; i < len; i++)
		addr[i] = bytes[prefix_random_next(seed) % sizeof(bytes)];
}

struct prefix prefix_random(uint64_t *seed, uint32_t slot)
{
	struct prefix p = {.family = prefix_random_next(seed) % 2 ? 4 : 6, .slot = slot};
	unsigned len = p.family == 4 ? 4 : 16;

	p.vlan = prefix_random_next(seed) % 3;
	p.length = prefix_random_next(seed) % (len * 8 + 1);
	prefix_random_addr(seed, p.addr, len);
	for (unsigned bit = p.length; bit < len * 8; bit++)
		p.addr[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return p;
}

size_t prefix_random_sort(struct prefix *p, size_t count)
{
	size_t kept = 0;

	if (count)
		qsort(p, count, sizeof(*p), prefix_compare);
	for (size_t i = 0; i < count; i++)
		if (!kept || prefix_compare(&p[kept - 1], &p[i]))
			p[kept++] = p[i];
	return kept;
}

static bool holds(const struct prefix *p, uint16_t vlan, uint8_t family, const uint8_t *addr)
{
	unsigned whole = p->length / 8, rest = p->length % 8;

	if (p->family != family || (p->vlan && p->vlan != vlan))
		return false;
	return memcmp(p->addr, addr, whole) == 0 &&
	       !(rest && (p->addr[whole] ^ addr[whole]) >> (8 - rest));
}

uint32_t prefix_search(const struct prefix *p, size_t count, uint16_t vlan, uint8_t family,
		       const uint8_t *addr)
{
	const struct prefix *best = NULL;

	for (size_t i = 0; i < count; i++)
		if (holds(&p[i], vlan, family, addr) &&
		    (!best || p[i].vlan > best->vlan ||
		     (p[i].vlan == best->vlan && p[i].length > best->length)))
			best = &p[i];
	return best ? best->slot : 0;
}
