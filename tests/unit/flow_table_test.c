/* SPDX-License-Identifier: BSD-3-Clause */
/* The flow table against a plain list, and whose flow goes when there is no room. */
#include "dataplane/flow_table.h"

#include "dataplane/flow_key.h"
#include "tests/gate_fixture.h"
#include "tests/unit/test.h"

#define FLOWS   96
#define TENANTS 4
#define SECOND  UINT64_C(1000000000)

/* What the table told of the flows that went. */
struct gone {
	unsigned count, evicted;
	uint16_t port[4096];
	uint32_t tenant[4096];
};

static struct gone gone;

static void on_end(void *ctx, struct flow *f, enum reason why)
{
	assert_true(gone.count < 4096);
	gone.port[gone.count] = f->key.port[0];
	gone.tenant[gone.count++] = f->tenant;
	gone.evicted += why == REASON_FLOW_EVICTED;
}

static struct flow_table *table_new(uint32_t share)
{
	struct flow_table *t = flow_table_new(FLOWS, TENANTS, share, on_end, NULL);

	assert_non_null(t);
	memset(&gone, 0, sizeof(gone));
	flow_table_round(t, 1);
	return t;
}

/* A key of its own for each number; the hash is chosen: tests want collisions. */
static struct flow_key key_of(uint16_t number)
{
	struct flow_key key = {.proto = 6, .family = 4};

	key.port[0] = number;
	return key;
}

static uint64_t spread(uint16_t number)
{
	uint64_t state = number;

	return fixture_random(&state);
}

static struct flow *insert(struct flow_table *t, uint16_t number, uint64_t hash, uint32_t tenant,
			   uint64_t now)
{
	struct flow_key key = key_of(number);
	struct flow *f = flow_table_insert(t, &key, hash, tenant);

	if (f)
		f->first_seen = f->last_seen = now;
	return f;
}

static struct flow *lookup(const struct flow_table *t, uint16_t number, uint64_t hash)
{
	struct flow_key key = key_of(number);

	return flow_table_lookup(t, &key, hash);
}

static void what_went_in_is_found_until_it_is_removed(void **state)
{
	struct flow_table *t = table_new(0);
	struct flow *f = insert(t, 7, spread(7), 1, SECOND);

	assert_ptr_equal(lookup(t, 7, spread(7)), f);
	assert_null(lookup(t, 8, spread(7)));
	assert_int_equal(flow_table_count(t), 1);
	flow_table_remove(t, f, REASON_NONE);
	assert_null(lookup(t, 7, spread(7)));
	assert_int_equal(flow_table_count(t), 0);
	assert_int_equal(gone.count, 1);
	flow_table_free(t);
}

static void a_detached_flow_is_not_found_and_its_removal_spares_its_successor(void **state)
{
	struct flow_table *t = table_new(0);
	struct flow *old = insert(t, 7, spread(7), 1, SECOND), *next;

	flow_table_detach(t, old);
	assert_null(lookup(t, 7, spread(7)));
	next = insert(t, 7, spread(7), 1, SECOND);
	assert_ptr_not_equal(old, next);
	flow_table_remove(t, old, REASON_NONE);
	assert_ptr_equal(lookup(t, 7, spread(7)), next);
	assert_int_equal(flow_table_count(t), 1);
	flow_table_flush(t);
	assert_int_equal(gone.count, 2);
	flow_table_free(t);
}

static void a_tenant_at_its_share_loses_its_own_oldest(void **state)
{
	struct flow_table *t = table_new(10);

	for (uint16_t i = 0; i < 10; i++)
		insert(t, i, spread(i), 1, i * 20 * SECOND);
	for (uint16_t i = 100; i < 110; i++)
		insert(t, i, spread(i), 2, 0);
	flow_table_round(t, 2);
	insert(t, 50, spread(50), 1, 300 * SECOND);
	assert_int_equal(gone.count, 1);
	assert_int_equal(gone.evicted, 1);
	assert_int_equal(gone.tenant[0], 1);
	assert_int_equal(gone.port[0], 0);
	assert_int_equal(flow_table_count(t), 20);
	flow_table_flush(t);
	flow_table_free(t);
}

/* The oldest by birth is in use; the next is not. */
static void a_busy_flow_has_a_second_chance(void **state)
{
	struct flow_table *t = table_new(10);

	for (uint16_t i = 0; i < 10; i++)
		insert(t, i, spread(i), 1, i == 1 ? 0 : 1000 * SECOND);
	flow_table_round(t, 2);
	assert_non_null(insert(t, 50, spread(50), 1, 1000 * SECOND));
	assert_int_equal(gone.port[0], 1);
	flow_table_flush(t);
	flow_table_free(t);
}

static void flows_in_the_bursts_hands_stay(void **state)
{
	struct flow_table *t = table_new(4);

	for (uint16_t i = 0; i < 4; i++)
		insert(t, i, spread(i), 1, SECOND)->round = 1;
	assert_null(insert(t, 4, spread(4), 1, SECOND));
	assert_int_equal(gone.count, 0);
	for (uint16_t i = 0; i < 4; i++)
		assert_non_null(lookup(t, i, spread(i)));
	flow_table_flush(t);
	flow_table_free(t);
}

/* One flow still is in the burst's hands; others of the tenant are not. */
static void one_flow_in_use_does_not_keep_the_others(void **state)
{
	struct flow_table *t = table_new(4);

	for (uint16_t i = 0; i < 4; i++)
		insert(t, i, spread(i), 1, SECOND)->round = i == 0;
	assert_non_null(insert(t, 4, spread(4), 1, SECOND));
	assert_non_null(lookup(t, 0, spread(0)));
	flow_table_flush(t);
	flow_table_free(t);
}

static void a_full_table_takes_from_the_tenant_itself_else_from_who_has_most(void **state)
{
	struct flow_table *t = table_new(0);

	for (uint16_t i = 0; i < FLOWS; i++)
		insert(t, i, spread(i), i % 8 == 0 ? 1 : 2, i * 20 * SECOND);
	flow_table_round(t, 2);
	insert(t, 500, spread(500), 1, 9000 * SECOND);
	assert_int_equal(gone.tenant[0], 1);
	insert(t, 501, spread(501), 3, 9000 * SECOND);
	assert_int_equal(gone.tenant[1], 2);
	assert_int_equal(flow_table_count(t), FLOWS);
	flow_table_flush(t);
	flow_table_free(t);
}

/* All in the same two buckets. */
static void full_buckets_evict_their_idlest(void **state)
{
	struct flow_table *t = table_new(0);
	unsigned found = 0;

	for (uint16_t i = 0; i < 17; i++)
		assert_non_null(insert(t, i, UINT64_C(0x1234567800000005), 1, (100u - i) * SECOND));
	assert_true(gone.evicted >= 1);
	/* The one that was seen longest ago of those that were there. */
	for (uint16_t i = 0; i < 17; i++)
		found += lookup(t, i, UINT64_C(0x1234567800000005)) != NULL;
	assert_int_equal(found, 17 - gone.evicted);
	assert_non_null(lookup(t, 16, UINT64_C(0x1234567800000005)));
	assert_non_null(lookup(t, 0, UINT64_C(0x1234567800000005)));
	flow_table_flush(t);
	flow_table_free(t);
}

static uint64_t idle_minute(const void *ctx, const struct flow *f)
{
	return f->last_seen + 60 * SECOND;
}

static void a_sweep_removes_what_is_idle(void **state)
{
	struct flow_table *t = table_new(0);

	for (uint16_t i = 0; i < 20; i++)
		insert(t, i, spread(i), 1, i < 10 ? 0 : 100 * SECOND);
	for (unsigned n = 0; n < FLOWS / 16; n++)
		flow_table_sweep(t, 120 * SECOND, 16, idle_minute);
	assert_int_equal(flow_table_count(t), 10);
	for (uint16_t i = 0; i < 20; i++)
		assert_int_equal(lookup(t, i, spread(i)) != NULL, i >= 10);
	flow_table_flush(t);
	flow_table_free(t);
}

/* Random operations; every flow is either found or was told to have gone, never both. */
static void it_does_what_a_plain_list_does(void **state)
{
	struct flow_table *t = table_new(40);
	static uint32_t tenant_of[256];
	static bool here[256];
	uint64_t random = 42;

	for (unsigned step = 0; step < 100000; step++) {
		uint16_t number = (uint16_t)fixture_below(&random, 256);
		/* Few hashes: buckets overflow. */
		uint64_t hash = spread((uint16_t)(number % 64)) << 3;
		struct flow *f = lookup(t, number, hash);
		unsigned held[TENANTS] = {0}, count = 0;

		assert_int_equal(f != NULL, here[number]);
		flow_table_round(t, step + 2);
		if (f && fixture_below(&random, 3) == 0) {
			flow_table_remove(t, f, REASON_NONE);
		} else if (f) {
			assert_int_equal(f->tenant, tenant_of[number]);
			f->last_seen = step * SECOND;
		} else {
			uint32_t tenant = fixture_below(&random, TENANTS);

			assert_non_null(insert(t, number, hash, tenant, step * SECOND));
			here[number] = true;
			tenant_of[number] = tenant;
		}
		for (unsigned i = 0; i < gone.count; i++) {
			assert_true(here[gone.port[i]]);
			here[gone.port[i]] = false;
		}
		gone.count = 0;
		if (step % 64)
			continue;
		for (unsigned i = 0; i < 256; i++) {
			held[tenant_of[i]] += here[i];
			count += here[i];
		}
		assert_int_equal(flow_table_count(t), count);
		for (unsigned i = 0; i < TENANTS; i++)
			assert_in_range(held[i], 0, 40);
	}
	assert_true(gone.evicted > 1000);
	flow_table_flush(t);
	flow_table_free(t);
}

static int setup(void **state)
{
	gate_fixture_environment();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_went_in_is_found_until_it_is_removed),
		cmocka_unit_test(a_detached_flow_is_not_found_and_its_removal_spares_its_successor),
		cmocka_unit_test(a_tenant_at_its_share_loses_its_own_oldest),
		cmocka_unit_test(a_busy_flow_has_a_second_chance),
		cmocka_unit_test(flows_in_the_bursts_hands_stay),
		cmocka_unit_test(one_flow_in_use_does_not_keep_the_others),
		cmocka_unit_test(a_full_table_takes_from_the_tenant_itself_else_from_who_has_most),
		cmocka_unit_test(full_buckets_evict_their_idlest),
		cmocka_unit_test(a_sweep_removes_what_is_idle),
		cmocka_unit_test(it_does_what_a_plain_list_does),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
