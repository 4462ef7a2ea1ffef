/* SPDX-License-Identifier: BSD-3-Clause */
/* Scores in the store: there again, whoever comes and goes; an older posternd's file is taken over.
 */
#include "control/risk/risk_state.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/risk_full.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

static const struct store_part *const parts[] = {&risk_part, NULL};
static struct risk_config config;
static struct risk_board board;
static struct store *store;

static void open_store(void)
{
	char error[STORE_ERROR];

	if (store_open(scratch_dir, parts, NULL, &store, error) != 0)
		fail_msg("%s", error);
}

static int setup(void **state)
{
	config = risk_config_default();
	if (scratch_setup(state) != 0)
		return -1;
	open_store();
	return risk_board_init(&board, 8);
}

static int teardown(void **state)
{
	risk_board_fini(&board);
	store_close(store);
	return scratch_teardown(state);
}

static void note_result(void *ctx, const struct store_result *result)
{
	*(struct store_result *)ctx = *result;
}

static uint64_t stored(struct store_unit *unit)
{
	struct store_result result = {.rc = 1};

	assert_int_equal(store_commit(store, unit, note_result, &result), 0);
	store_sync(store);
	assert_int_equal(result.rc, 0);
	return result.changes;
}

static void put(uint32_t slot)
{
	struct store_unit *unit = store_begin(store);

	risk_state_put(unit, &board, slot, START);
	stored(unit);
}

static void what_was_put_is_there_again(void **state)
{
	struct risk_saved full = risk_full(&config), back;

	full.off = false;
	full.slot = 4;
	risk_board_take(&board, 4, 70, &full);
	put(4);
	store_close(store);
	open_store();
	assert_int_equal(risk_state_find(store, 70, &back), 0);
	risk_assert_same(&back, &full);
	assert_int_equal(risk_state_find(store, 71, &back), -ENOENT);
	/* The row of a tenant is one. */
	board.tenant[4].level = RISK_LEVEL_THROTTLE;
	put(4);
	assert_int_equal(risk_state_find(store, 70, &back), 0);
	assert_int_equal(back.tenant.level, RISK_LEVEL_THROTTLE);
	assert_int_equal(risk_state_count(store), 1);
}

static void a_row_that_makes_no_sense_is_none(void **state)
{
	struct store_unit *unit = store_begin(store);
	struct risk_saved back;

	store_add(unit, "INSERT INTO risk_tenant VALUES (5, 'none', 0, 0, 0, x'0103')");
	stored(unit);
	assert_int_equal(risk_state_find(store, 5, &back), -EINVAL);
}

static void expire(uint64_t before, uint64_t rows)
{
	struct store_result result = {.rc = 1};

	assert_int_equal(store_expire(store, &risk_part, before, 100, note_result, &result), 0);
	store_sync(store);
	assert_int_equal(result.rc, 0);
	assert_int_equal(result.changes, rows);
}

/* However old it is: only who is gone is forgotten. */
static void who_is_gone_is_forgotten_after_a_while(void **state)
{
	struct store_unit *unit = store_begin(store);

	for (uint32_t slot = 1; slot < 4; slot++) {
		risk_board_take(&board, slot, 10 * slot, NULL);
		put(slot);
	}
	risk_state_leave(unit, 20, START + DAY);
	risk_state_leave(unit, 30, START + DAY);
	stored(unit);
	unit = store_begin(store);
	risk_state_leave(unit, 20, START + 9 * DAY); /* since when it is, it is */
	risk_state_return(unit, 30);
	stored(unit);
	expire(START + DAY, 0);
	expire(START + DAY + 1, 1);
	expire(UINT64_C(1) << 62, 0);
	assert_int_equal(risk_state_count(store), 2);
	unit = store_begin(store);
	risk_state_leave(unit, 30, START + DAY);
	stored(unit);
	put(3); /* it is back, and told of */
	expire(UINT64_C(1) << 62, 0);
}

/* The file of before */

static void put_file(const char *text)
{
	int fd = open(scratch_path("risk.jsonl"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void a_file_of_before_is_taken_over_once_and_goes(void **state)
{
	struct risk_saved back;
	size_t taken, bad;

	put_file("{\"id\": 1, \"counted\": 5, \"outage\": 1.5, \"callees\": 3, \"domains\": 4, "
		 "\"level\": \"watch\", \"asked\": true, \"score\": 31.5, \"slow\": 2, "
		 "\"scored\": 6, \"since\": 7, \"breached\": 8, \"noticed\": 9, "
		 "\"pardoned\": 10, \"ratios\": {\"asr\": [1.25, 2]}, "
		 "\"events\": {\"trap\": [3.5, 4, 5]}}\n"
		 "\n{\n[]\n\x80\n"
		 "{\"id\": 0, \"level\": \"watch\"}\n"
		 "{\"id\": -4, \"level\": \"watch\"}\n"
		 "{\"id\": 4294967296, \"level\": \"watch\"}\n"
		 "{\"id\": 2, \"level\": \"high\"}\n"
		 "{\"id\": 3}\n"
		 "{\"id\": 5, \"level\": \"none\", \"ratios\": {\"asr\": [-5, 1e999]}}\n"
		 "{\"id\": 6, \"level\": \"none\", \"ratios\": {\"asr\": [-5, 7]}, \"since\": -9}\n"
		 "{\"id\": 7, \"level\": \"none\", \"scor");
	assert_int_equal(risk_state_take_file(store, &taken, &bad), 0);
	assert_int_equal(taken, 2);
	assert_int_equal(bad, 11);
	assert_int_equal(access(scratch_path("risk.jsonl"), F_OK), -1);
	assert_int_equal(risk_state_find(store, 1, &back), 0);
	assert_int_equal(back.tenant.counted, 5);
	assert_int_equal(back.tenant.level, RISK_LEVEL_WATCH);
	assert_true(back.tenant.asked && back.tenant.score == 31.5F && back.tenant.slow == 2);
	assert_int_equal(back.tenant.pardoned, 10);
	assert_true(back.tenant.ratio[RISK_RATIO_ASR].parts == 1.25);
	assert_int_equal(back.tenant.event[RISK_EVENT_TRAP].count, 5);
	assert_int_equal(risk_state_find(store, 6, &back), 0);
	assert_true(back.tenant.ratio[RISK_RATIO_ASR].parts == 0);
	assert_true(back.tenant.ratio[RISK_RATIO_ASR].whole == 7);
	assert_int_equal(back.tenant.since, 0);
	/* It is not there any more, and what is there is newer than it would be. */
	assert_int_equal(risk_state_take_file(store, &taken, &bad), 0);
	assert_int_equal(taken + bad, 0);
	put_file("{\"id\": 1, \"level\": \"suspend\"}\n");
	assert_int_equal(risk_state_take_file(store, &taken, &bad), 0);
	assert_int_equal(risk_state_find(store, 1, &back), 0);
	assert_int_equal(back.tenant.level, RISK_LEVEL_WATCH);
}

static void a_file_of_many_tenants_is_taken_over_whole(void **state)
{
	FILE *out = fopen(scratch_path("risk.jsonl"), "w");
	size_t taken, bad;

	for (int i = 1; i <= 2500; i++)
		fprintf(out,
			"{\"id\": %d, \"level\": \"none\", \"events\": {\"rule\": [1, 2, 3]}}\n",
			i);
	fclose(out);
	assert_int_equal(risk_state_take_file(store, &taken, &bad), 0);
	assert_int_equal(taken, 2500);
	assert_int_equal(risk_state_count(store), 2500);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_put_is_there_again),
		TEST(a_row_that_makes_no_sense_is_none),
		TEST(who_is_gone_is_forgotten_after_a_while),
		TEST(a_file_of_before_is_taken_over_once_and_goes),
		TEST(a_file_of_many_tenants_is_taken_over_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
