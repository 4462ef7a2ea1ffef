/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/policy/prefix.h"

#include <arpa/inet.h>

#include "control/policy/prefix_build.h"
#include "tests/unit/test.h"

/* xorshift64*: the same prefixes at every run. */
static uint64_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static struct prefix prefix_of(const char *text, uint8_t length, uint16_t vlan, uint32_t slot)
{
	struct prefix p = {.length = length, .vlan = vlan, .slot = slot};

	p.family = strchr(text, ':') ? 6 : 4;
	assert_int_equal(inet_pton(p.family == 4 ? AF_INET : AF_INET6, text, p.addr), 1);
	return p;
}

static uint32_t owner_of(const struct prefix_table *table, uint16_t vlan, const char *text)
{
	uint8_t addr[16] = {0};
	uint8_t family = strchr(text, ':') ? 6 : 4;

	assert_int_equal(inet_pton(family == 4 ? AF_INET : AF_INET6, text, addr), 1);
	return prefix_lookup(table, vlan, family, addr);
}

static void the_longest_prefix_owns_the_address(void **state)
{
	struct prefix p[] = {
		prefix_of("10.0.0.0", 8, 0, 1),      prefix_of("10.1.0.0", 16, 0, 2),
		prefix_of("10.1.2.3", 32, 0, 3),     prefix_of("2001:db8::", 32, 0, 4),
		prefix_of("2001:db8:1::", 48, 0, 5), prefix_of("2001:db8:1::7", 128, 0, 6),
		prefix_of("192.0.2.128", 25, 0, 7),
	};
	struct prefix_table table;

	assert_int_equal(prefix_table_init(&table, p, 7), 0);
	assert_int_equal(owner_of(&table, 0, "10.255.255.255"), 1);
	assert_int_equal(owner_of(&table, 0, "10.1.255.0"), 2);
	assert_int_equal(owner_of(&table, 0, "10.1.2.3"), 3);
	assert_int_equal(owner_of(&table, 0, "10.1.2.2"), 2);
	assert_int_equal(owner_of(&table, 0, "10.1.2.4"), 2);
	assert_int_equal(owner_of(&table, 0, "11.0.0.0"), 0);
	assert_int_equal(owner_of(&table, 0, "9.255.255.255"), 0);
	assert_int_equal(owner_of(&table, 0, "192.0.2.127"), 0);
	assert_int_equal(owner_of(&table, 0, "192.0.2.128"), 7);
	assert_int_equal(owner_of(&table, 0, "2001:db8:2::1"), 4);
	assert_int_equal(owner_of(&table, 0, "2001:db8:1::8"), 5);
	assert_int_equal(owner_of(&table, 0, "2001:db8:1::7"), 6);
	assert_int_equal(owner_of(&table, 0, "2001:db9::"), 0);
	/* 10.0.0.0 as the first bytes of an IPv6 address is something else. */
	assert_int_equal(owner_of(&table, 0, "a00::"), 0);
	prefix_table_fini(&table);
}

static void a_vlans_own_prefix_comes_before_one_for_any_vlan(void **state)
{
	struct prefix p[] = {
		prefix_of("10.0.0.0", 8, 5, 1),
		prefix_of("10.1.0.0", 16, 0, 2),
		prefix_of("10.1.0.0", 16, 6, 3),
	};
	struct prefix_table table;

	assert_int_equal(prefix_table_init(&table, p, 3), 0);
	assert_int_equal(owner_of(&table, 5, "10.1.0.1"), 1);
	assert_int_equal(owner_of(&table, 6, "10.1.0.1"), 3);
	assert_int_equal(owner_of(&table, 7, "10.1.0.1"), 2);
	assert_int_equal(owner_of(&table, 0, "10.1.0.1"), 2);
	assert_int_equal(owner_of(&table, 6, "10.2.0.1"), 0);
	assert_int_equal(owner_of(&table, 0, "10.2.0.1"), 0);
	prefix_table_fini(&table);
}

static void the_empty_and_the_widest_tables_answer(void **state)
{
	struct prefix p[] = {prefix_of("0.0.0.0", 0, 0, 1), prefix_of("::", 0, 0, 2)};
	struct prefix_table table;

	assert_int_equal(prefix_table_init(&table, NULL, 0), 0);
	assert_int_equal(owner_of(&table, 0, "10.0.0.1"), 0);
	assert_int_equal(owner_of(&table, 4095, "2001:db8::1"), 0);
	prefix_table_fini(&table);
	assert_int_equal(prefix_table_init(&table, p, 2), 0);
	assert_int_equal(owner_of(&table, 0, "255.255.255.255"), 1);
	assert_int_equal(owner_of(&table, 9, "::"), 2);
	prefix_table_fini(&table);
}

/* The definition, read aloud. */
static uint32_t search(const struct prefix *p, size_t count, const struct prefix_key *key)
{
	const struct prefix *best = NULL;

	for (size_t i = 0; i < count; i++) {
		unsigned whole = p[i].length / 8, rest = p[i].length % 8;

		if (p[i].family != key->family || (p[i].vlan && p[i].vlan != key->vlan))
			continue;
		if (memcmp(p[i].addr, key->addr, whole) != 0)
			continue;
		if (rest && (p[i].addr[whole] ^ key->addr[whole]) >> (8 - rest))
			continue;
		if (!best || p[i].vlan > best->vlan ||
		    (p[i].vlan == best->vlan && p[i].length > best->length))
			best = &p[i];
	}
	return best ? best->slot : 0;
}

/* Few distinct bytes, so that prefixes nest and addresses fall near their edges. */
static void random_addr(uint64_t *seed, uint8_t *addr, unsigned len)
{
	static const uint8_t bytes[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0x0a, 0x20, 0xfc};

	for (unsigned i = 0; i < len; i++)
		addr[i] = bytes[random_next(seed) % sizeof(bytes)];
}

static struct prefix random_prefix(uint64_t *seed, uint32_t slot)
{
	struct prefix p = {.family = random_next(seed) % 2 ? 4 : 6, .slot = slot};
	unsigned len = p.family == 4 ? 4 : 16;

	p.vlan = random_next(seed) % 3;
	p.length = random_next(seed) % (len * 8 + 1);
	random_addr(seed, p.addr, len);
	for (unsigned bit = p.length; bit < len * 8; bit++)
		p.addr[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return p;
}

static size_t drop_twins(struct prefix *p, size_t count)
{
	size_t kept = 0;

	qsort(p, count, sizeof(*p), prefix_compare);
	for (size_t i = 0; i < count; i++)
		if (!kept || prefix_compare(&p[kept - 1], &p[i]))
			p[kept++] = p[i];
	return kept;
}

static void any_table_agrees_with_a_linear_search(void **state)
{
	uint64_t seed = 20240816;

	for (unsigned round = 0; round < 400; round++) {
		struct prefix p[200];
		struct prefix_table table;
		struct prefix_key keys[PREFIX_BULK];
		uint8_t addr[PREFIX_BULK][16];
		uint32_t slots[PREFIX_BULK];
		size_t count = random_next(&seed) % 200;

		for (size_t i = 0; i < count; i++)
			p[i] = random_prefix(&seed, i + 1);
		count = drop_twins(p, count);
		assert_int_equal(prefix_table_init(&table, p, count), 0);
		for (unsigned i = 0; i < PREFIX_BULK; i++) {
			random_addr(&seed, addr[i], 16);
			keys[i] = (struct prefix_key){addr[i], random_next(&seed) % 4,
						      random_next(&seed) % 2 ? 4 : 6};
		}
		prefix_lookup_bulk(&table, keys, slots, PREFIX_BULK);
		for (unsigned i = 0; i < PREFIX_BULK; i++) {
			assert_int_equal(slots[i], search(p, count, &keys[i]));
			assert_int_equal(slots[i], prefix_lookup(&table, keys[i].vlan,
								 keys[i].family, keys[i].addr));
		}
		prefix_table_fini(&table);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_prefix_owns_the_address),
		cmocka_unit_test(a_vlans_own_prefix_comes_before_one_for_any_vlan),
		cmocka_unit_test(the_empty_and_the_widest_tables_answer),
		cmocka_unit_test(any_table_agrees_with_a_linear_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
