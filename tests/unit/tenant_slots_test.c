/* SPDX-License-Identifier: BSD-3-Clause */
/* A tenant keeps its slot; a slot changes hands only when nothing refers to it any more. */
#include "control/policy/tenant_slots.h"

#include <errno.h>

#include "tests/unit/test.h"

#define HOUR UINT64_C(3600000000000)

static struct tenant_slots s;
static uint32_t slot_of[8];

static int setup(void **state)
{
	return tenant_slots_init(&s, 5, HOUR);
}

static int teardown(void **state)
{
	tenant_slots_fini(&s);
	return 0;
}

#define ASSIGN(now, ...)                                         \
	tenant_slots_assign(&s, (const uint32_t[]){__VA_ARGS__}, \
			    sizeof((const uint32_t[]){__VA_ARGS__}) / 4, (now), slot_of)

static void expect(const char *slots)
{
	char text[64] = "";

	for (unsigned i = 0; i < strlen(slots); i++)
		snprintf(text + i, 2, "%u", slot_of[i]);
	assert_string_equal(text, slots);
}

static void a_tenant_keeps_its_slot_whatever_the_order(void **state)
{
	assert_int_equal(ASSIGN(1, 30, 10, 20), 0);
	expect("123");
	assert_int_equal(ASSIGN(2, 10, 20, 30, 40), 0);
	expect("2314");
	assert_int_equal(tenant_slots_end(&s), 5);
}

static void a_slot_is_free_after_the_grace_and_not_before(void **state)
{
	assert_int_equal(ASSIGN(1, 10, 20, 30, 40), 0);
	assert_int_equal(ASSIGN(2, 10, 30, 40), 0);
	expect("134");
	assert_int_equal(ASSIGN(HOUR, 10, 30, 40, 50), -ENOSPC);
	assert_int_equal(ASSIGN(HOUR + 2, 10, 30, 40, 50), 0);
	expect("1342");
}

static void who_comes_back_in_time_finds_its_slot(void **state)
{
	assert_int_equal(ASSIGN(1, 10, 20), 0);
	assert_int_equal(ASSIGN(2, 10), 0);
	assert_int_equal(ASSIGN(3, 10, 30), 0);
	expect("13");
	assert_int_equal(ASSIGN(4, 10, 30, 20), 0);
	expect("132");
	/* It was not away: the grace begins anew. */
	assert_int_equal(ASSIGN(HOUR, 10, 30), 0);
	assert_int_equal(ASSIGN(HOUR + 10, 10, 30, 40, 50), -ENOSPC);
	assert_int_equal(ASSIGN(2 * HOUR, 10, 30, 40, 50), 0);
	expect("1324");
}

static void too_many_change_nothing(void **state)
{
	assert_int_equal(ASSIGN(1, 10, 20), 0);
	slot_of[0] = 77;
	assert_int_equal(ASSIGN(2, 1, 2, 3, 4, 5), -ENOSPC);
	assert_int_equal(slot_of[0], 77);
	assert_int_equal(ASSIGN(3, 20, 30, 40), 0);
	expect("234");
}

static void nobody_at_all_is_fine(void **state)
{
	assert_int_equal(tenant_slots_assign(&s, NULL, 0, 1, slot_of), 0);
	assert_int_equal(tenant_slots_end(&s), 1);
}

static void a_restarted_control_finds_who_was_where(void **state)
{
	struct tenant_slot array[5] = {{0}, {.id = 0}, {.id = 20}, {.id = 10}, {.id = 20}};

	tenant_slots_adopt(&s, array, 5);
	assert_int_equal(ASSIGN(1, 10, 20, 30), 0);
	expect("321");
	assert_int_equal(tenant_slots_end(&s), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_tenant_keeps_its_slot_whatever_the_order, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_slot_is_free_after_the_grace_and_not_before,
						setup, teardown),
		cmocka_unit_test_setup_teardown(who_comes_back_in_time_finds_its_slot, setup,
						teardown),
		cmocka_unit_test_setup_teardown(too_many_change_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_at_all_is_fine, setup, teardown),
		cmocka_unit_test_setup_teardown(a_restarted_control_finds_who_was_where, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
