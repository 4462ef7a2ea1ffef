/* SPDX-License-Identifier: BSD-3-Clause */
/* Peers that answered: how long they are known, by whom, and who pushes out whom. */
#include "bpf/peers.h"
#include "tests/unit/test.h"

#include <string.h>

#define SECOND UINT64_C(1000000000)
#define HOUR   (3600 * SECOND)

static const uint64_t key[2] = {0x1234567, 0x89abcdef};
static const struct gcra limit = {SECOND, 15 * SECOND}; /* 16, one a second */

/* A tenant's sets, as in a slot. */
static struct peer_set sets[PEER_SETS];

static struct peer_place place_of(uint32_t tenant, uint32_t peer)
{
	uint8_t addr[16] = {192, (uint8_t)(peer >> 16), (uint8_t)(peer >> 8), (uint8_t)peer};

	return peer_place_of(key, tenant, addr, 443);
}

static void answers(uint32_t peer, uint64_t now)
{
	struct peer_place p = place_of(1, peer);

	peer_answer(&sets[p.set], &p, now);
}

static void asked(uint32_t peer, uint64_t now)
{
	struct peer_place p = place_of(1, peer);

	peer_ask(&sets[p.set], &p, now);
}

static bool is_known_to(uint32_t tenant, uint32_t peer, uint64_t now)
{
	struct peer_place p = place_of(tenant, peer);

	return peer_find(&sets[p.set], p.tag, now, PEER_ASKED, PEER_WAYS, PEER_KNOWN_TIME) <
	       PEER_WAYS;
}

static bool takes(uint32_t peer, uint64_t now)
{
	struct peer_place p = place_of(1, peer);
	uint32_t at = peer_find(&sets[p.set], p.tag, now, PEER_ASKED, PEER_WAYS, PEER_KNOWN_TIME);

	return at < PEER_WAYS && peer_share_take(&sets[p.set], at, p.tag, &limit, now);
}

static void meet(uint32_t peer, uint64_t now)
{
	asked(peer, now);
	answers(peer, now);
}

static int begin(void **state)
{
	memset(sets, 0, sizeof(sets));
	return 0;
}

/* Whenever the clock began: its parts wrap after 52 days, and after 78 hours. */
static void a_peer_is_known_for_a_day_after_its_last_answer(void **state)
{
	static const uint64_t starts[] = {0, 77 * HOUR, 1249 * HOUR, 1764000000 * SECOND,
					  1764000000 * SECOND + 1240 * HOUR};

	for (unsigned i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		const uint64_t now = starts[i];

		meet(1, now);
		assert_true(is_known_to(1, 1, now));
		assert_true(is_known_to(1, 1, now + 23 * HOUR));
		assert_false(is_known_to(1, 1, now + 25 * HOUR));
		/* Without being asked first: it is known already. */
		answers(1, now + 23 * HOUR);
		assert_true(is_known_to(1, 1, now + 46 * HOUR));
		assert_false(is_known_to(1, 1, now + 48 * HOUR));
		assert_true(takes(1, now + 46 * HOUR));
		memset(sets, 0, sizeof(sets));
	}
}

static void an_answer_that_comes_late_is_none(void **state)
{
	asked(1, HOUR);
	answers(1, HOUR + 130 * SECOND);
	assert_true(is_known_to(1, 1, HOUR + 130 * SECOND));
	asked(2, HOUR);
	answers(2, HOUR + 300 * SECOND);
	assert_false(is_known_to(1, 2, HOUR + 300 * SECOND));
	/* One answer to one question. */
	asked(3, HOUR);
	answers(3, HOUR);
	assert_true(is_known_to(1, 3, HOUR));
	answers(3, HOUR + 25 * HOUR);
	assert_false(is_known_to(1, 3, HOUR + 25 * HOUR));
}

static void answers_that_nobody_asked_for_push_out_nobody(void **state)
{
	for (uint32_t peer = 0; peer < 40; peer++)
		meet(peer, HOUR);
	for (uint32_t peer = 1000; peer < 101000; peer++)
		answers(peer, HOUR + SECOND);
	for (uint32_t peer = 0; peer < 40; peer++)
		assert_true(is_known_to(1, peer, HOUR + SECOND));
}

/* SYNs to a hundred thousand that don't answer. */
static void a_flood_of_questions_pushes_out_nobody(void **state)
{
	for (uint32_t peer = 0; peer < 40; peer++)
		meet(peer, HOUR);
	for (uint32_t peer = 1000; peer < 101000; peer++)
		asked(peer, HOUR + SECOND);
	for (uint32_t peer = 0; peer < 40; peer++)
		assert_true(is_known_to(1, peer, HOUR + SECOND));
}

/* 192 of them, in sets of six. */
static void the_latest_are_known(void **state)
{
	unsigned late = 0, early = 0;

	for (uint32_t peer = 0; peer < 1000; peer++)
		meet(peer, HOUR + peer * 100 * SECOND);
	for (uint32_t peer = 0; peer < 64; peer++) {
		late += is_known_to(1, 999 - peer, HOUR + 100000 * SECOND);
		early += is_known_to(1, peer, HOUR + 100000 * SECOND);
	}
	assert_in_range(late, 60, 64);
	assert_int_equal(early, 0);
}

/* With every word of its sets filled; tags of 16 bits, six compared: 1 in 10,900. */
static void strangers_are_taken_for_known_as_seldom_as_is_said(void **state)
{
	unsigned known = 0;

	for (uint32_t peer = 0; peer < 2000; peer++)
		meet(peer, HOUR);
	for (uint32_t peer = 1000000; peer < 2000000; peer++)
		known += is_known_to(1, peer, HOUR);
	print_message("# %u of 1,000,000 strangers are taken for known\n", known);
	assert_in_range(known, 40, 160);
}

static void who_has_the_slot_next_knows_none_of_them(void **state)
{
	for (uint32_t peer = 0; peer < 100; peer++)
		meet(peer, HOUR);
	for (uint32_t peer = 0; peer < 100; peer++)
		assert_false(is_known_to(2, peer, HOUR));
}

/* 16, one a second: of that two at once, one every eight seconds. */
static void a_peers_share_is_an_eighth(void **state)
{
	unsigned taken = 0;

	meet(1, HOUR);
	assert_true(takes(1, HOUR));
	assert_true(takes(1, HOUR));
	assert_false(takes(1, HOUR));
	for (uint64_t now = HOUR; now < 2 * HOUR; now += SECOND / 4)
		taken += takes(1, now);
	assert_in_range(taken, 3600 / 8 - 2, 3600 / 8 + 2);
}

/* A few a day: what such a share owes is more than its 32 bits can say. */
static void limits_however_small_have_shares(void **state)
{
	static const struct gcra few = {12 * HOUR, 12 * HOUR};
	static const struct gcra fast = {1, 1000};
	struct peer_place p = place_of(1, 1);

	meet(1, HOUR);
	assert_true(peer_share_take(&sets[p.set], 2, p.tag, &few, HOUR));
	assert_true(peer_share_take(&sets[p.set], 2, p.tag, &few, HOUR));
	assert_false(peer_share_take(&sets[p.set], 2, p.tag, &few, HOUR));
	memset(sets, 0, sizeof(sets));
	meet(1, HOUR);
	for (unsigned i = 0; i < 1000; i++)
		assert_true(peer_share_take(&sets[p.set], 2, p.tag, &fast, HOUR + i * 100000));
	assert_true(is_known_to(1, 1, HOUR));
}

/* Between finding him and taking of his share somebody else may get the place. */
static void nobody_takes_of_a_share_that_is_anothers_by_now(void **state)
{
	struct peer_place p = place_of(1, 1);
	uint64_t word;

	meet(1, HOUR);
	word = sets[p.set].way[2];
	assert_false(peer_share_take(&sets[p.set], 2, p.tag ^ UINT64_C(1) << 48, &limit, HOUR));
	assert_true(sets[p.set].way[2] == word);
	assert_true(peer_share_take(&sets[p.set], 2, p.tag, &limit, HOUR));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_peer_is_known_for_a_day_after_its_last_answer, begin),
		cmocka_unit_test_setup(an_answer_that_comes_late_is_none, begin),
		cmocka_unit_test_setup(answers_that_nobody_asked_for_push_out_nobody, begin),
		cmocka_unit_test_setup(a_flood_of_questions_pushes_out_nobody, begin),
		cmocka_unit_test_setup(the_latest_are_known, begin),
		cmocka_unit_test_setup(strangers_are_taken_for_known_as_seldom_as_is_said, begin),
		cmocka_unit_test_setup(who_has_the_slot_next_knows_none_of_them, begin),
		cmocka_unit_test_setup(a_peers_share_is_an_eighth, begin),
		cmocka_unit_test_setup(limits_however_small_have_shares, begin),
		cmocka_unit_test_setup(nobody_takes_of_a_share_that_is_anothers_by_now, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
