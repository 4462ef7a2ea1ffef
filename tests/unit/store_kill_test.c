/* SPDX-License-Identifier: BSD-3-Clause */
/* kill -9 at any time: what was acknowledged is there, and nothing by half. */
#include <signal.h>
#include <unistd.h>

#include "tests/unit/store_fixture.h"

#define IN_FLIGHT 32

struct teller {
	int pipe;
	int64_t told;
};

static void tell(void *ctx, const struct store_result *result)
{
	struct teller *t = ctx;

	t->told++;
	if (result->rc || write(t->pipe, &t->told, sizeof(t->told)) != sizeof(t->told))
		_exit(1);
}

/* Numbers in pairs, from `n` on, until it is killed. */
static _Noreturn void write_for_ever(int64_t n, int out)
{
	struct teller t = {out, n - 1};
	struct store *store;

	if (store_open(scratch_dir, number_parts, NULL, &store, store_error) != 0)
		_exit(2);
	for (;; n++) {
		struct store_unit *u = number_unit(store, n);

		store_add(u, "INSERT INTO number(n) VALUES (?1)", STORE_INT(-n));
		if (store_commit(store, u, tell, &t) != 0)
			_exit(3);
		while (n - t.told >= IN_FLIGHT)
			store_dispatch(store);
	}
}

/* A life: ends after some microseconds. Returns the last number that was acknowledged. */
static int64_t live_and_be_killed(int64_t next, unsigned microseconds)
{
	int told[2], status;
	int64_t last = next - 1, n;
	pid_t pid;

	assert_int_equal(pipe(told), 0);
	pid = fork();
	if (pid == 0) {
		close(told[0]);
		write_for_ever(next, told[1]);
	}
	close(told[1]);
	/* From the first word on: a life that was too short to open it says nothing. */
	if (read(told[0], &n, sizeof(n)) == sizeof(n))
		last = n;
	usleep(microseconds);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status))
		fail_msg("it ended by itself: %d", WEXITSTATUS(status));
	while (read(told[0], &n, sizeof(n)) == sizeof(n))
		last = n;
	close(told[0]);
	return last;
}

static void killed_at_any_time_nothing_acknowledged_is_lost(void **unused)
{
	const char *asked = getenv("POSTERN_KILLS");
	const int rounds = asked ? atoi(asked) : 5;
	int64_t last = 0, there = 0;

	srand(1);
	for (int i = 0; i < rounds; i++) {
		struct store *store;

		last = live_and_be_killed(there + 1, (unsigned)rand() % 60000);
		store = open_it();
		assert_int_equal(ask(store, "SELECT count(*) FROM pragma_integrity_check "
					    "WHERE integrity_check <> 'ok'"),
				 0);
		there = ask(store, "SELECT max(n) FROM number");
		assert_true(there >= last);
		/* None is missing, and none is there by half. */
		assert_int_equal(ask(store, "SELECT count(*) FROM number WHERE n > 0"), there);
		assert_int_equal(ask(store, "SELECT count(*) FROM number WHERE n < 0"), there);
		assert_int_equal(ask(store, "SELECT min(n) FROM number"), -there);
		store_close(store);
	}
	print_message("# %d kills, %lld pairs acknowledged, %lld there\n", rounds, (long long)last,
		      (long long)there);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(killed_at_any_time_nothing_acknowledged_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
