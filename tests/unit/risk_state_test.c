/* SPDX-License-Identifier: BSD-3-Clause */
/* Scores outlive posternd, however it ends; what follows of a level in a tenant's slot. */
#include "control/risk_state.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "bpf/limit.h"
#include "control/risk_json.h"
#include "control/risk_run.h"
#include "tests/unit/risk_fixture.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

static struct risk_config config;
static int dir;

static int setup(void **state)
{
	config = risk_config_default();
	if (scratch_setup(state) != 0)
		return -1;
	dir = open(scratch_dir, O_RDONLY | O_DIRECTORY);
	return dir < 0;
}

static int teardown(void **state)
{
	close(dir);
	return scratch_teardown(state);
}

/* With something in every member. */
static struct risk_tenant full_tenant(void)
{
	struct risk_tenant t =
		tenant_of(&config, SAMPLE(.seized = 300, .answered = 90, .shorts = 7, .outage = 3,
					  .recipients = 301, .bounced = 60, .delivered = 2000,
					  .complaints = 20));

	risk_add(&t, &config, START, RISK_EVENT_TRAP, 1);
	risk_add(&t, &config, START + SECOND, RISK_EVENT_RULE, 7.25);
	risk_evaluate(&t, &config, START + DAY / 7);
	risk_pardon(&t, &config, START + DAY);
	t.asked = true;
	return t;
}

static void save(const struct risk_tenant *tenants, uint32_t n)
{
	struct risk_save s;

	assert_int_equal(risk_save_begin(dir, &s), 0);
	for (uint32_t i = n; i; i--) /* in no order that matters */
		risk_save_put(&s, i * 10, &tenants[i - 1]);
	assert_int_equal(risk_save_end(&s), 0);
}

static void what_was_saved_is_there_again_to_the_last_bit(void **state)
{
	const struct risk_tenant tenants[] = {full_tenant(), {.level = RISK_LEVEL_WATCH}, {0}};
	struct risk_kept *kept;
	size_t count, bad;

	save(tenants, 3);
	assert_int_equal(risk_kept_read(dir, &kept, &count, &bad), 0);
	assert_int_equal(bad, 0);
	assert_int_equal(count, 2); /* of nothing there is no line */
	assert_memory_equal(risk_kept_find(kept, count, 10), &tenants[0], sizeof(tenants[0]));
	assert_int_equal(risk_kept_find(kept, count, 20)->level, RISK_LEVEL_WATCH);
	assert_null(risk_kept_find(kept, count, 30));
	assert_null(risk_kept_find(NULL, 0, 30));
	free(kept);
}

static void nothing_there_is_nothing_kept(void **state)
{
	struct risk_kept *kept;
	size_t count, bad;

	assert_int_equal(risk_kept_read(dir, &kept, &count, &bad), 0);
	assert_int_equal(count + bad, 0);
}

static void a_save_that_is_not_ended_changes_nothing(void **state)
{
	const struct risk_tenant t = full_tenant();
	struct risk_save s;
	struct risk_kept *kept;
	size_t count, bad;

	save(&t, 1);
	assert_int_equal(risk_save_begin(dir, &s), 0);
	risk_save_put(&s, 99, &t);
	assert_int_equal(risk_kept_read(dir, &kept, &count, &bad), 0);
	assert_int_equal(count, 1);
	assert_non_null(risk_kept_find(kept, count, 10));
	free(kept);
	risk_save_cancel(&s);
	risk_save_cancel(&s);
}

static void put_file(const char *text)
{
	int fd = openat(dir, "risk.jsonl", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void lines_that_make_no_sense_are_left_out_and_counted(void **state)
{
	struct risk_kept *kept;
	size_t count, bad;

	put_file("{\"id\": 1, \"level\": \"watch\"}\n"
		 "\n{\n[]\n\x80\n"
		 "{\"id\": 0, \"level\": \"watch\"}\n"
		 "{\"id\": -4, \"level\": \"watch\"}\n"
		 "{\"id\": 4294967296, \"level\": \"watch\"}\n"
		 "{\"id\": 2, \"level\": \"high\"}\n"
		 "{\"id\": 3}\n"
		 "{\"id\": 5, \"level\": \"none\", \"ratios\": {\"asr\": [-5, 1e999], \"tea\": [1, "
		 "2], "
		 "\"short_calls\": \"x\"}, \"events\": {\"trap\": [-1, -1, -1], \"tea\": [1, 1, "
		 "1]}}\n"
		 "{\"id\": 6, \"level\": \"none\", \"ratios\": {\"asr\": [-5, 7]}, \"since\": -9}\n"
		 "{\"id\": 7, \"level\": \"none\", \"scor");
	assert_int_equal(risk_kept_read(dir, &kept, &count, &bad), 0);
	assert_non_null(risk_kept_find(kept, count, 1));
	assert_null(risk_kept_find(kept, count, 2));
	assert_true(risk_kept_find(kept, count, 6)->ratio[RISK_RATIO_ASR].parts == 0);
	assert_true(risk_kept_find(kept, count, 6)->ratio[RISK_RATIO_ASR].whole == 7);
	assert_int_equal(risk_kept_find(kept, count, 6)->since, 0);
	assert_int_equal(count + bad, 13);
	assert_int_equal(count, 2);
	free(kept);
}

static void numbers_survive_their_way_through_json(void **state)
{
	struct risk_config there = config, back;
	json_t *object;

	there.mode = RISK_ON;
	there.z = 2.718281828459045;
	there.factor = 0.1;
	there.ratio[RISK_RATIO_COMPLAINTS].critical = 0.0029999;
	there.event[RISK_EVENT_DNSBL].half_life = 12345678901234567;
	object = risk_config_json(&there);
	assert_int_equal(risk_config_parse(object, &back), 0);
	assert_memory_equal(&back, &there, sizeof(back));
	json_object_del(json_object_get(object, "events"), "trap");
	assert_int_equal(risk_config_parse(object, &back), -EINVAL);
	json_decref(object);
	assert_int_equal(risk_config_parse(NULL, &back), -EINVAL);
}

/* Limits of a throttled tenant: rate and burst are a tenth. */
static void a_throttled_limit_is_a_share_of_it(void **state)
{
	struct tenant_slot slot = {0}, before;
	const struct gcra minute = {2 * SECOND, 29 * 2 * SECOND}; /* 30/min, 30 at once */

	slot.limit[LIMIT_MESSAGES] = minute;
	slot.limit[LIMIT_CALLS] = minute;
	slot.limit[LIMIT_RECIPIENTS] = (struct gcra){SECOND, 0}; /* one a second, at once too */
	before = slot;
	risk_throttle(&slot, 1 << LIMIT_CALLS, 0.1);
	assert_int_equal(slot.limit[LIMIT_MESSAGES].interval, 20 * SECOND);
	assert_int_equal(slot.limit[LIMIT_MESSAGES].tolerance, 40 * SECOND); /* 3 at once */
	assert_memory_equal(&slot.limit[LIMIT_CALLS], &before.limit[LIMIT_CALLS], sizeof(minute));
	assert_int_equal(slot.limit[LIMIT_RECIPIENTS].interval, 10 * SECOND);
	assert_int_equal(slot.limit[LIMIT_RECIPIENTS].tolerance, 0);
	/* What has no limit gets none. */
	assert_int_equal(slot.limit[LIMIT_BYTES].interval, 0);
	slot.limit[LIMIT_SYNS] = (struct gcra){UINT64_C(1) << 60, 0};
	risk_throttle(&slot, 0, 0.01);
	assert_true(slot.limit[LIMIT_SYNS].interval == LIMIT_DEBT_MAX);
	slot = before;
	risk_throttle(&slot, 0, 1);
	assert_memory_equal(slot.limit, before.limit, sizeof(slot.limit));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_saved_is_there_again_to_the_last_bit),
		TEST(nothing_there_is_nothing_kept),
		TEST(a_save_that_is_not_ended_changes_nothing),
		TEST(lines_that_make_no_sense_are_left_out_and_counted),
		TEST(numbers_survive_their_way_through_json),
		TEST(a_throttled_limit_is_a_share_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
