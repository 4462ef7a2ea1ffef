/* SPDX-License-Identifier: BSD-3-Clause */
/* What was decided about tenants outlives posternd, however it ends. */
#include "control/daemon/state.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

static char error[STATE_ERROR];

static int setup(void **unused)
{
	return scratch_setup(unused);
}

static int teardown(void **unused)
{
	return scratch_teardown(unused);
}

static const struct store_part *const parts[] = {&state_part, NULL};
static struct store *store;

static struct state *open_it(void)
{
	struct state *state = NULL;
	int rc = store_open(scratch_dir, parts, NULL, &store, error);

	if (!rc)
		rc = state_open(store, &state, error);
	if (rc)
		fail_msg("%d: %s", rc, error);
	return state;
}

static void close_it(struct state *state)
{
	state_close(state);
	store_close(store);
}

static void note_rc(void *ctx, const struct store_result *result)
{
	*(int *)ctx = result->rc;
}

/* 0: it is on the disk. */
static int state_store(struct state *state, const struct override *o)
{
	struct store_unit *unit = store_begin(store);
	int rc = 1;

	assert_int_equal(state_put(state, o, unit), 0);
	assert_int_equal(store_commit(store, unit, note_rc, &rc), 0);
	store_sync(store);
	if (rc)
		state_unstored(state);
	return rc;
}

static struct override suspended(uint32_t tenant, uint64_t since)
{
	struct override o = {.tenant = tenant, .suspended = true, .since = since, .until = 99};

	strcpy(o.reason, "spam \"quoted\" \xc3\xa9\n");
	strcpy(o.by, "root");
	return o;
}

static void what_was_stored_is_there_again(void **unused)
{
	struct state *state = open_it();
	struct override o = suspended(7, 1);
	const struct override *found;

	assert_int_equal(
		override_set_limit(&o, "messages", "30/min burst 60", error, sizeof(error)), 0);
	assert_int_equal(override_set_limit(&o, "calls", "unlimited", error, sizeof(error)), 0);
	assert_int_equal(
		override_set_limit(&o, "recipients_per_message", "50", error, sizeof(error)), 0);
	assert_int_equal(state_store(state, &o), 0);
	o = suspended(3, 2);
	assert_int_equal(state_store(state, &o), 0);
	assert_int_equal(state_generation(state), 1);
	close_it(state);

	state = open_it();
	assert_int_equal(state_generation(state), 2);
	found = state_find(state, 7);
	assert_non_null(found);
	assert_true(found->suspended);
	assert_string_equal(found->reason, "spam \"quoted\" \xc3\xa9\n");
	assert_int_equal(found->since, 1);
	assert_int_equal(found->until, 99);
	assert_int_equal(found->limit[LIMIT_MESSAGES].count, 30);
	assert_int_equal(found->limit[LIMIT_MESSAGES].burst, 60);
	assert_int_equal(found->limit[LIMIT_CALLS].state, RATE_UNLIMITED);
	assert_int_equal(found->limit[LIMIT_BYTES].state, RATE_UNSET);
	assert_int_equal(found->count[COUNT_RECIPIENTS].count, 50);
	assert_non_null(state_find(state, 3));
	assert_null(state_find(state, 4));
	close_it(state);
}

static void an_override_of_nothing_is_forgotten(void **unused)
{
	struct state *state = open_it();
	struct override o = suspended(7, 1);
	size_t count;

	assert_int_equal(state_store(state, &o), 0);
	o = (struct override){.tenant = 7};
	assert_int_equal(state_store(state, &o), 0);
	state_all(state, &count);
	assert_int_equal(count, 0);
	close_it(state);
	state = open_it();
	assert_null(state_find(state, 7));
	close_it(state);
}

static void many_stay_in_order(void **unused)
{
	struct state *state = open_it();
	const struct override *all;
	size_t count;

	/* In an order of its own: 7919 is prime to 60. */
	for (uint32_t i = 0; i < 60; i++) {
		struct override o = suspended(1 + i * 7919 % 60, i);

		assert_int_equal(state_store(state, &o), 0);
	}
	close_it(state);
	state = open_it();
	all = state_all(state, &count);
	assert_int_equal(count, 60);
	for (uint32_t i = 0; i < 60; i++)
		assert_int_equal(all[i].tenant, i + 1);
	close_it(state);
}

static void write_file(const char *text)
{
	FILE *file = fopen(scratch_path("state.json"), "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void refuses_file(const char *text, const char *said)
{
	struct state *state = NULL;
	char kept[256];
	FILE *file;
	size_t len;

	write_file(text);
	assert_int_equal(store_open(scratch_dir, parts, NULL, &store, error), 0);
	assert_int_equal(state_open(store, &state, error), -EINVAL);
	store_close(store);
	assert_null(state);
	if (!strstr(error, said) || !strstr(error, "state.json"))
		fail_msg("%s: %s", text, error);
	file = fopen(scratch_path("state.json"), "r");
	len = fread(kept, 1, sizeof(kept) - 1, file);
	kept[len] = '\0';
	fclose(file);
	assert_string_equal(kept, text);
}

static void a_damaged_file_is_refused_with_words_and_left_alone(void **unused)
{
	static const struct {
		const char *text, *said;
	} bad[] = {
		{"", "line 1"},
		{"{\"version\":1,\"tenants\":[", "line 1"},
		{"[]", "version"},
		{"{\"version\":2,\"tenants\":[]}", "version"},
		{"{\"version\":1}", "tenants"},
		{"{\"version\":1,\"tenants\":[{}]}", "tenant's id"},
		{"{\"version\":1,\"tenants\":[{\"tenant\":-1}]}", "tenant's id"},
		{"{\"version\":1,\"tenants\":[{\"tenant\":4294967296}]}", "tenant's id"},
		{"{\"version\":1,\"tenants\":[{\"tenant\":1,\"suspended\":{}}]}", "suspended"},
		{"{\"version\":1,\"tenants\":[{\"tenant\":1,\"limits\":{\"x\":\"1/s\"}}]}",
		 "no limit"},
		{"{\"version\":1,\"tenants\":[{\"tenant\":1,\"limits\":{\"calls\":3}}]}", "calls"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuses_file(bad[i].text, bad[i].said);
}

static void the_file_of_before_is_taken_over_once(void **unused)
{
	struct override o = suspended(9, 3);
	struct state *state;

	write_file("{\"version\":1,\"generation\":41,\"tenants\":[{\"tenant\":7,\"limits\":"
		   "{\"calls\":\"3/s\"}}]}");
	state = open_it();
	assert_non_null(state_find(state, 7));
	assert_int_equal(state_generation(state), 42);
	assert_int_equal(state_store(state, &o), 0);
	close_it(state);
	assert_int_not_equal(access(scratch_path("state.json"), F_OK), 0);
	assert_int_equal(access(scratch_path("state.json.taken"), F_OK), 0);
	/* A copy of it that comes back says nothing any more. */
	write_file("{\"version\":1,\"generation\":4,\"tenants\":[{\"tenant\":8,\"limits\":"
		   "{\"calls\":\"3/s\"}}]}");
	state = open_it();
	assert_non_null(state_find(state, 7));
	assert_non_null(state_find(state, 9));
	assert_null(state_find(state, 8));
	assert_int_equal(state_generation(state), 43);
	close_it(state);
}

static int bound_pages(struct store_db *db, void *arg)
{
	return *(bool *)arg ? store_db_run(db, "PRAGMA max_page_count=1")
			    : store_db_run(db, "PRAGMA max_page_count=1000000");
}

static void make_room(bool none)
{
	struct store_unit *unit = store_begin(store);

	store_call(unit, bound_pages, &none, sizeof(none));
	store_commit(store, unit, NULL, NULL);
	store_sync(store);
}

static void what_the_disk_refuses_holds_until_the_end_and_is_tried_again(void **unused)
{
	struct state *state = open_it();
	struct override o = suspended(7, 1);
	uint32_t tenant = 7;

	/* No more pages: until it is full. */
	make_room(true);
	while (state_store(state, &o) == 0)
		o.tenant = ++tenant;
	assert_true(tenant < 1000);
	assert_non_null(state_find(state, tenant));
	state_flush(state);
	store_sync(store);
	make_room(false);
	state_flush(state);
	store_sync(store);
	close_it(state);
	state = open_it();
	assert_non_null(state_find(state, 7));
	assert_non_null(state_find(state, tenant));
	close_it(state);
}

static void generations_never_come_twice_even_after_a_kill(void **unused)
{
	uint64_t last = 0;

	for (int round = 0; round < 3; round++) {
		struct state *state;
		uint64_t next;
		int ends[2];
		pid_t pid;

		assert_int_equal(pipe(ends), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			state = open_it();
			for (;;) {
				next = state_generation(state);
				if (write(ends[1], &next, sizeof(next)) != sizeof(next))
					_exit(1);
				store_dispatch(store);
			}
		}
		close(ends[1]);
		for (int i = 0; i < 100; i++) {
			assert_int_equal(read(ends[0], &next, sizeof(next)), sizeof(next));
			assert_true(next > last);
			last = next;
		}
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		while (read(ends[0], &next, sizeof(next)) == sizeof(next))
			last = next;
		close(ends[0]);
	}
}

/* Stores ever later times and says each when it is on the disk. */
static void store_forever(int told)
{
	struct state *state;

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* where the test fails meanwhile */
	state = open_it();
	for (uint64_t i = 1;; i++) {
		struct override o = suspended(7, i);

		if (state_store(state, &o) != 0 || write(told, &i, sizeof(i)) != sizeof(i))
			_exit(1);
	}
}

static void a_kill_at_any_moment_loses_nothing_that_was_acknowledged(void **unused)
{
	for (unsigned round = 0; round < 5; round++) {
		uint64_t last = 0, next;
		struct state *state;
		int ends[2];
		pid_t pid;

		assert_int_equal(pipe(ends), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			store_forever(ends[1]);
		close(ends[1]);
		/* At another place of its work each time. */
		assert_int_equal(read(ends[0], &last, sizeof(last)), sizeof(last));
		usleep(round * 237 % 2000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		while (read(ends[0], &next, sizeof(next)) == sizeof(next))
			last = next;
		close(ends[0]);
		state = open_it();
		assert_non_null(state_find(state, 7));
		assert_in_range(state_find(state, 7)->since, last, last + 1);
		close_it(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_stored_is_there_again, setup, teardown),
		cmocka_unit_test_setup_teardown(an_override_of_nothing_is_forgotten, setup,
						teardown),
		cmocka_unit_test_setup_teardown(many_stay_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(generations_never_come_twice_even_after_a_kill,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_damaged_file_is_refused_with_words_and_left_alone,
						setup, teardown),
		cmocka_unit_test_setup_teardown(the_file_of_before_is_taken_over_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			what_the_disk_refuses_holds_until_the_end_and_is_tried_again, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_kill_at_any_moment_loses_nothing_that_was_acknowledged, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
