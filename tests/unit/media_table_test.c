/* SPDX-License-Identifier: BSD-3-Clause */
/* Emergency calls' media: whose table has room for how many, for how long, how fast. */
#include "dataplane/sip/media_table.h"

#include <stdlib.h>

#include "bpf/gate_view.h"
#include "bpf/stage_packet.h"
#include "tests/unit/test.h"

#define SECOND  UINT64_C(1000000000)
#define NOW     (1000 * SECOND)
#define IDLE    (180 * SECOND)
#define ROOM    100
#define TENANTS 8

static struct media_table t;

/* The how manieth of a tenant's: 10.0.0.n:4000 and 192.0.2.9:6000. */
static struct media medium(uint32_t tenant, uint8_t n)
{
	return (struct media){
		.until = NOW + 3600 * SECOND,
		.idle = IDLE,
		.inside = {10, 0, 0, n},
		.outside = {192, 0, 2, 9},
		.inside_port = {4000, 4001},
		.outside_port = {6000, 6001},
		.tenant = tenant,
		.family = 4,
	};
}

static struct media_ref add(uint32_t tenant, uint8_t n, uint64_t now)
{
	const struct media wanted = medium(tenant, n);
	struct media_ref ref;

	assert_true(media_table_add(&t, &wanted, now, &ref));
	return ref;
}

static bool is_refused(uint32_t tenant, uint8_t n, uint64_t now)
{
	const struct media wanted = medium(tenant, n);
	struct media_ref ref;
	bool added = media_table_add(&t, &wanted, now, &ref);

	return !added && !ref.place;
}

static bool passes(uint32_t tenant, uint8_t n, uint64_t now)
{
	const struct stage_packet p = {
		.src = {10, 0, 0, n},
		.dst = {192, 0, 2, 9},
		.sport = 4000,
		.dport = 6000,
		.family = 4,
		.class = CLASS_L4,
		.proto = PROTO_UDP,
		.len = 214,
	};

	return media_table_pass(&t, &p, tenant, true, now);
}

static int setup(void **state)
{
	return media_table_open(&t, ROOM, TENANTS, 5);
}

static int teardown(void **state)
{
	media_table_close(&t);
	return 0;
}

static void what_was_put_in_passes_and_no_other(void **state)
{
	struct media_ref a = add(1, 1, NOW);

	add(1, 2, NOW);
	assert_true(media_table_any(&t, 1));
	assert_false(media_table_any(&t, 2));
	assert_true(passes(1, 1, NOW));
	assert_true(passes(1, 2, NOW));
	assert_false(passes(1, 3, NOW));
	assert_false(passes(2, 1, NOW));
	assert_int_equal(media_table_get(&t, &a)->packets, 1);
	assert_int_equal(media_table_get(&t, &a)->bytes, 214);
}

/* Whichever of a list goes, the others stay. */
static void what_is_taken_out_is_gone_and_others_stay(void **state)
{
	for (unsigned out = 0; out < 3; out++) {
		struct media_ref ref[3];

		for (uint8_t i = 0; i < 3; i++)
			ref[i] = add(1, i, NOW);
		media_table_remove(&t, &ref[out]);
		media_table_remove(&t, &ref[out]);
		assert_null(media_table_get(&t, &ref[out]));
		for (uint8_t i = 0; i < 3; i++) {
			assert_int_equal(passes(1, i, NOW), i != out);
			media_table_remove(&t, &ref[i]);
		}
		assert_false(media_table_any(&t, 1));
		assert_int_equal(*t.taken, 0);
	}
}

static void a_place_that_is_anothers_now_is_not_taken_out(void **state)
{
	struct media_ref old = add(1, 1, NOW), new;

	media_table_remove(&t, &old);
	/* All the way round: the same place. */
	for (unsigned i = 0; i + 1 < ROOM; i++) {
		struct media_ref ref = add(2, 2, NOW);

		media_table_remove(&t, &ref);
	}
	new = add(3, 3, NOW);
	assert_int_equal(new.place, old.place);
	media_table_remove(&t, &old);
	assert_null(media_table_get(&t, &old));
	assert_true(passes(3, 3, NOW));
}

/* By hand: a packet was compared with it, and its place is another's when it is spent of. */
static void what_became_anothers_while_it_was_compared_passes_nothing(void **state)
{
	struct media_ref old = add(1, 1, NOW), new;
	struct media *m = media_table_get(&t, &old);
	const uint32_t serial = media_serial(m);

	assert_true(media_spend(m, serial, 214, NOW));
	media_table_remove(&t, &old);
	assert_false(media_spend(m, serial, 214, NOW));
	for (unsigned i = 0; i + 1 < ROOM; i++) {
		struct media_ref ref = add(2, 2, NOW);

		media_table_remove(&t, &ref);
	}
	new = add(3, 3, NOW);
	assert_int_equal(new.place, old.place);
	assert_false(media_spend(m, serial, 214, NOW + 1));
	assert_int_equal(m->packets, 0);
	assert_true(m->expires == NOW + IDLE);
	assert_true(passes(3, 3, NOW + 1));
}

static void a_tenant_has_its_share_and_the_others_theirs(void **state)
{
	for (uint8_t i = 0; i < 5; i++)
		add(1, i, NOW);
	assert_true(is_refused(1, 5, NOW));
	for (uint32_t tenant = 2; tenant < TENANTS; tenant++)
		add(tenant, 1, NOW);
	assert_true(is_refused(TENANTS, 1, NOW));
	/* What has ended gives its place back. */
	for (uint8_t i = 0; i < 5; i++)
		add(1, i, NOW + IDLE);
	assert_true(passes(1, 4, NOW + IDLE));
}

static void a_full_table_takes_no_more_until_something_ends(void **state)
{
	media_table_close(&t);
	assert_int_equal(media_table_open(&t, 6, TENANTS, 100), 0);
	for (uint8_t i = 0; i < 6; i++)
		add(1 + i % 3, i, NOW + i);
	assert_true(is_refused(4, 1, NOW + 6));
	/* The first's time is over: its place is another tenant's. */
	add(4, 1, NOW + IDLE);
	assert_false(passes(1, 0, NOW + IDLE));
	assert_true(passes(4, 1, NOW + IDLE));
	assert_true(passes(2, 1, NOW + IDLE));
	assert_true(is_refused(4, 2, NOW + IDLE));
}

static void it_lasts_while_something_comes_and_no_longer(void **state)
{
	struct media_ref ref = add(1, 1, NOW);
	uint64_t now = NOW;

	for (unsigned i = 0; i < 10; i++) {
		now += IDLE - 1;
		assert_true(passes(1, 1, now));
	}
	assert_false(passes(1, 1, now + IDLE));
	/* Nor does it come back. */
	assert_non_null(media_table_get(&t, &ref));
	media_table_sweep(&t, now + IDLE, ROOM);
	assert_null(media_table_get(&t, &ref));
	assert_false(media_table_any(&t, 1));
}

static void a_word_of_its_call_is_as_a_packet(void **state)
{
	struct media_ref ref = add(1, 1, NOW);

	media_table_hear(media_table_get(&t, &ref), NOW + IDLE - 1);
	assert_true(passes(1, 1, NOW + IDLE + 1));
}

static void no_call_lasts_beyond_its_time_whatever_comes(void **state)
{
	uint64_t now = NOW;

	add(1, 1, NOW);
	for (; now < NOW + 3600 * SECOND; now += SECOND)
		assert_true(passes(1, 1, now));
	assert_false(passes(1, 1, now));
}

static void a_sweep_looks_at_as_many_as_it_may(void **state)
{
	for (uint8_t i = 0; i < 5; i++)
		add(1, i, NOW);
	media_table_sweep(&t, NOW + IDLE - 1, ROOM);
	assert_int_equal(*t.taken, 5);
	for (unsigned i = 0; i < ROOM; i++)
		media_table_sweep(&t, NOW + IDLE, 1);
	assert_int_equal(*t.taken, 0);
}

static void it_is_no_way_round_for_a_flood(void **state)
{
	unsigned through = 0;

	add(1, 1, NOW);
	add(1, 2, NOW);
	for (unsigned i = 0; i < 5000; i++)
		through += passes(1, 1, NOW);
	assert_int_equal(through, MEDIA_RATE);
	/* One's flood is not another's. */
	assert_true(passes(1, 2, NOW));
	/* A second later as many again: ten seconds of 5,000 a second. */
	for (unsigned i = 0; i < 50000; i++)
		through += passes(1, 1, NOW + (i + 1) * (SECOND / 5000));
	assert_in_range(through, 11 * MEDIA_RATE - 1, 11 * MEDIA_RATE);
}

/* A dataplane after another, in the kernel's memory. */
static void what_an_earlier_dataplane_put_in_goes_on(void **state)
{
	struct gate_view view = {
		.shared = calloc(1, sizeof(*view.shared)),
		.media = calloc(GATE_MEDIA, sizeof(*view.media)),
		.media_first = calloc(GATE_SLOTS_SMALL, sizeof(*view.media_first)),
		.slots = GATE_SLOTS_SMALL,
	};
	struct media_ref ref;

	media_table_borrow(&t, &view, NOW);
	assert_int_equal(view.shared->media, 0);
	ref = add(1, 1, NOW);
	add(2, 2, NOW);
	add(2, 3, NOW);
	assert_int_equal(view.shared->media, 3);
	media_table_hear(media_table_get(&t, &ref), NOW + IDLE);
	media_table_close(&t);
	/* Killed in the middle of it: a list that leads to itself, a count that is wrong. */
	view.media[0].next = 1;
	view.shared->media = 77;
	media_table_open(&t, ROOM, TENANTS, 5);
	media_table_borrow(&t, &view, NOW + IDLE);
	assert_int_equal(view.shared->media, 1);
	assert_true(passes(1, 1, NOW + IDLE));
	assert_false(passes(2, 2, NOW + IDLE));
	assert_false(media_table_any(&t, 2));
	/* It is the old one's no more: another serial. */
	assert_int_not_equal(add(3, 3, NOW + IDLE).serial, ref.serial);
	media_table_sweep(&t, NOW + 3 * IDLE, ROOM);
	assert_int_equal(view.shared->media, 0);
	free(view.shared);
	free(view.media);
	free(view.media_first);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_put_in_passes_and_no_other),
		TEST(what_is_taken_out_is_gone_and_others_stay),
		TEST(a_place_that_is_anothers_now_is_not_taken_out),
		TEST(what_became_anothers_while_it_was_compared_passes_nothing),
		TEST(a_tenant_has_its_share_and_the_others_theirs),
		TEST(a_full_table_takes_no_more_until_something_ends),
		TEST(it_lasts_while_something_comes_and_no_longer),
		TEST(a_word_of_its_call_is_as_a_packet),
		TEST(no_call_lasts_beyond_its_time_whatever_comes),
		TEST(a_sweep_looks_at_as_many_as_it_may),
		TEST(it_is_no_way_round_for_a_flood),
		TEST(what_an_earlier_dataplane_put_in_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
