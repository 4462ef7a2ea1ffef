/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/policy/prefix.h"

#include <arpa/inet.h>

#include "control/policy/prefix_build.h"
#include "tests/prefix_random.h"
#include "tests/unit/test.h"

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

static void any_table_agrees_with_a_linear_search(void **state)
{
	uint64_t seed = 20240816;

	for (unsigned round = 0; round < 400; round++) {
		struct prefix p[200];
		struct prefix_table table;
		struct prefix_key keys[PREFIX_BULK];
		uint8_t addr[PREFIX_BULK][16];
		uint32_t slots[PREFIX_BULK];
		size_t count = prefix_random_next(&seed) % 200;

		for (size_t i = 0; i < count; i++)
			p[i] = prefix_random(&seed, i + 1);
		count = prefix_random_sort(p, count);
		assert_int_equal(prefix_table_init(&table, p, count), 0);
		for (unsigned i = 0; i < PREFIX_BULK; i++) {
			prefix_random_addr(&seed, addr[i], 16);
			keys[i] = (struct prefix_key){addr[i], prefix_random_next(&seed) % 4,
						      prefix_random_next(&seed) % 2 ? 4 : 6};
		}
		prefix_lookup_bulk(&table, keys, slots, PREFIX_BULK);
		for (unsigned i = 0; i < PREFIX_BULK; i++) {
			assert_int_equal(slots[i], prefix_search(p, count, keys[i].vlan,
								 keys[i].family, keys[i].addr));
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
