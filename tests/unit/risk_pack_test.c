/* SPDX-License-Identifier: BSD-3-Clause */
/* What is known of a tenant's risk, in bytes and back: to the last bit, or not at all. */
#include "control/risk/risk_pack.h"

#include <errno.h>

#include "tests/unit/risk_full.h"
#include "tests/unit/test.h"

static struct risk_config config;

static int setup(void **state)
{
	config = risk_config_default();
	return 0;
}

static void all_of_it_comes_back_to_the_last_bit(void **state)
{
	const struct risk_saved saved = risk_full(&config);
	uint8_t packed[RISK_PACKED];
	struct risk_saved back;
	size_t len;

	len = risk_pack_saved(&saved, packed);
	assert_int_equal(risk_unpack(packed, len, &back), 0);
	risk_assert_same(&back, &saved);
	print_message("# %zu bytes\n", len);
	assert_true(len < RISK_PACKED / 2);
}

static void of_nothing_there_is_little(void **state)
{
	const struct risk_saved nothing = {0};
	uint8_t packed[RISK_PACKED];
	struct risk_saved back;
	const size_t len = risk_pack_saved(&nothing, packed);

	assert_in_range(len, 2, 64);
	assert_int_equal(risk_unpack(packed, len, &back), 0);
	risk_assert_same(&back, &nothing);
	assert_int_equal(risk_unpack(packed, 1, &back), 0);
	risk_assert_same(&back, &nothing);
}

static void a_board_packs_the_same(void **state)
{
	struct risk_saved saved = risk_full(&config), back;
	uint8_t packed[RISK_PACKED];
	struct risk_board board;

	assert_int_equal(risk_board_init(&board, 8), 0);
	saved.slot = 3;
	risk_board_take(&board, 3, 7, &saved);
	assert_int_equal(risk_unpack(packed, risk_pack(&board, 3, packed), &back), 0);
	saved.seen = (struct risk_seen){.of = RISK_SEEN_LOST}; /* it was off */
	risk_assert_same(&back, &saved);
	risk_board_fini(&board);
}

/* Wherever it ends, it is either read as far as it goes, between two items, or refused. */
static void cut_short_anywhere_it_is_refused_or_whole_items(void **state)
{
	const struct risk_saved saved = risk_full(&config);
	uint8_t packed[RISK_PACKED];
	struct risk_saved back;
	const size_t len = risk_pack_saved(&saved, packed);
	unsigned whole = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t *cut = malloc(i ? i : 1); /* for who reads beyond it */

		memcpy(cut, packed, i);
		whole += risk_unpack(cut, i, &back) == 0;
		free(cut);
	}
	/* The version alone, and after each item but the last. */
	assert_int_equal(whole, 1 + 1 + RISK_RATIO_COUNT + RISK_EVENT_COUNT + 1 + 1 + 1);
	assert_int_equal(risk_unpack(NULL, 0, &back), -EINVAL);
}

static void bytes_that_changed_make_no_score_of_what_is_no_number(void **state)
{
	const struct risk_saved saved = risk_full(&config);
	uint8_t packed[RISK_PACKED];
	struct risk_saved back;
	const size_t len = risk_pack_saved(&saved, packed);

	srand(1);
	for (int round = 0; round < 20000; round++) {
		uint8_t changed[RISK_PACKED];
		double score;

		memcpy(changed, packed, len);
		for (int i = rand() % 4; i >= 0; i--)
			changed[(size_t)rand() % len] = (uint8_t)rand();
		if (risk_unpack(changed, len, &back) != 0)
			continue;
		assert_true(back.tenant.level < RISK_LEVEL_COUNT);
		score = score_of(&back.tenant, &config, START + DAY);
		assert_true(score >= 0 && score <= RISK_SCORE_MAX);
	}
}

static void items_of_a_later_version_are_left_out(void **state)
{
	static const uint8_t later[] = "\x04xabc\x02\0hi\x04rtea\x10\0aaaaaaaabbbbbbbb";
	const struct risk_saved saved = risk_full(&config);
	uint8_t packed[RISK_PACKED];
	struct risk_saved back;
	size_t len = risk_pack_saved(&saved, packed);

	memcpy(packed + len, later, sizeof(later) - 1);
	assert_int_equal(risk_unpack(packed, len + sizeof(later) - 1, &back), 0);
	risk_assert_same(&back, &saved);
	packed[0]++;
	assert_int_equal(risk_unpack(packed, len, &back), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_comes_back_to_the_last_bit),
		cmocka_unit_test(of_nothing_there_is_little),
		cmocka_unit_test(a_board_packs_the_same),
		cmocka_unit_test(cut_short_anywhere_it_is_refused_or_whole_items),
		cmocka_unit_test(bytes_that_changed_make_no_score_of_what_is_no_number),
		cmocka_unit_test(items_of_a_later_version_are_left_out),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
