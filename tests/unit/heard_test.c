/* SPDX-License-Identifier: BSD-3-Clause */
/* What was heard of a tenant, by two workers: what one of them took the other finds taken. */
#include "dataplane/sip/heard.h"

#include "dataplane/match/match_memory.h"
#include "dataplane/sip/calls.h"
#include "tests/unit/test.h"

#define SECOND UINT64_C(1000000000)
#define NOW    (UINT64_C(1767225600) * SECOND)
#define TENANT 3

static struct calls calls;
static struct worker *worker[2];

static int setup(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		worker[i] = aligned_alloc(64, (sizeof(*worker[i]) + 63) / 64 * 64);
		if (!worker[i])
			return -1;
		memset(worker[i], 0, sizeof(*worker[i]));
		worker[i]->calls = &calls;
		worker[i]->now = NOW;
	}
	return match_memory_new(4096, NULL, &calls.memory);
}

static int teardown(void **state)
{
	match_memory_free(calls.memory);
	for (unsigned i = 0; i < 2; i++)
		free(worker[i]);
	return 0;
}

static bool takes(unsigned who, uint64_t thing)
{
	return heard_take(worker[who], HEARD_CONFIRM, TENANT, thing);
}

static void what_was_kept_is_taken_once_whoever_asks(void **state)
{
	assert_false(takes(0, 7));
	heard_keep(worker[0], HEARD_CONFIRM, TENANT, 7, 300 * SECOND);
	assert_false(takes(1, 8));
	assert_true(takes(1, 7));
	assert_false(takes(0, 7));
	assert_false(takes(1, 7));
	/* Kept anew, or taken back. */
	heard_keep(worker[1], HEARD_CONFIRM, TENANT, 7, 300 * SECOND);
	assert_true(takes(0, 7));
	heard_keep(worker[1], HEARD_CONFIRM, TENANT, 7, 300 * SECOND);
	heard_drop(worker[0], HEARD_CONFIRM, TENANT, 7);
	assert_false(takes(1, 7));
}

static void what_has_ended_is_nobodys(void **state)
{
	heard_keep(worker[0], HEARD_CONFIRM, TENANT, 7, 300 * SECOND);
	worker[1]->now = NOW + 301 * SECOND;
	assert_false(takes(1, 7));
}

static void log_ins_that_fail_are_told_of_by_one_worker_within_the_window(void **state)
{
	assert_true(heard_logins_told(worker[0], TENANT));
	assert_false(heard_logins_told(worker[1], TENANT));
	assert_false(heard_logins_told(worker[0], TENANT));
	assert_true(heard_logins_told(worker[1], TENANT + 1));
	worker[1]->now = NOW + 601 * SECOND;
	assert_true(heard_logins_told(worker[1], TENANT));
	assert_false(heard_logins_told(worker[1], TENANT));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_kept_is_taken_once_whoever_asks),
		TEST(what_has_ended_is_nobodys),
		TEST(log_ins_that_fail_are_told_of_by_one_worker_within_the_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
