/* SPDX-License-Identifier: BSD-3-Clause */
/* What was decided about tenants outlives posternd, however it ends. */
#include "control/state.h"

#include <errno.h>
#include <signal.h>
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

static struct state *open_it(void)
{
	struct state *state;
	int rc = state_open(scratch_dir, &state, error);

	if (rc)
		fail_msg("%d: %s", rc, error);
	return state;
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
	state_close(state);

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
	assert_int_equal(found->recipients_per_message.count, 50);
	assert_non_null(state_find(state, 3));
	assert_null(state_find(state, 4));
	state_close(state);
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
	state_close(state);
	state = open_it();
	assert_null(state_find(state, 7));
	state_close(state);
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
	state_close(state);
	state = open_it();
	all = state_all(state, &count);
	assert_int_equal(count, 60);
	for (uint32_t i = 0; i < 60; i++)
		assert_int_equal(all[i].tenant, i + 1);
	state_close(state);
}

static void write_file(const char *text)
{
	FILE *file = fopen(scratch_path("state.json"), "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
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

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct state *state = NULL;
		char text[256];
		FILE *file;
		size_t len;

		write_file(bad[i].text);
		assert_int_equal(state_open(scratch_dir, &state, error), -EINVAL);
		assert_null(state);
		if (!strstr(error, bad[i].said) || !strstr(error, "state.json"))
			fail_msg("%s: %s", bad[i].text, error);
		file = fopen(scratch_path("state.json"), "r");
		len = fread(text, 1, sizeof(text) - 1, file);
		text[len] = '\0';
		fclose(file);
		assert_string_equal(text, bad[i].text);
	}
}

static void every_cut_of_a_file_is_refused(void **unused)
{
	struct state *state = open_it();
	struct override o = suspended(7, 1);
	char text[1024];
	FILE *file;
	size_t len;

	assert_int_equal(state_store(state, &o), 0);
	state_close(state);
	file = fopen(scratch_path("state.json"), "r");
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	assert_true(len > 100);
	/* The last byte is a newline: without it the text is still whole. */
	for (size_t cut = 0; cut + 1 < len; cut++) {
		char part[1024];

		memcpy(part, text, cut);
		part[cut] = '\0';
		write_file(part);
		assert_int_equal(state_open(scratch_dir, &state, error), -EINVAL);
	}
}

static void what_the_disk_refuses_holds_until_the_end_and_is_tried_again(void **unused)
{
	struct state *state = open_it();
	struct override o = suspended(7, 1);

	/* A directory in the new file's place can't be opened for writing. */
	assert_int_equal(mkdir(scratch_path("state.json.new"), 0700), 0);
	assert_true(state_store(state, &o) < 0);
	assert_non_null(state_find(state, 7));
	assert_true(state_flush(state) < 0);
	assert_int_equal(rmdir(scratch_path("state.json.new")), 0);
	assert_int_equal(state_flush(state), 0);
	state_close(state);
	state = open_it();
	assert_non_null(state_find(state, 7));
	state_close(state);
}

/* Stores ever later times and says each when it is on the disk. */
static void store_forever(int told)
{
	struct state *state;

	if (state_open(scratch_dir, &state, error) != 0)
		_exit(1);
	for (uint64_t i = 1;; i++) {
		struct override o = suspended(7, i);

		if (state_store(state, &o) != 0 || write(told, &i, sizeof(i)) != sizeof(i))
			_exit(1);
	}
}

static void a_kill_at_any_moment_loses_nothing_that_was_acknowledged(void **unused)
{
	for (unsigned round = 0; round < 15; round++) {
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
		state_close(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_stored_is_there_again, setup, teardown),
		cmocka_unit_test_setup_teardown(an_override_of_nothing_is_forgotten, setup,
						teardown),
		cmocka_unit_test_setup_teardown(many_stay_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(a_damaged_file_is_refused_with_words_and_left_alone,
						setup, teardown),
		cmocka_unit_test_setup_teardown(every_cut_of_a_file_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_the_disk_refuses_holds_until_the_end_and_is_tried_again, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_kill_at_any_moment_loses_nothing_that_was_acknowledged, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
