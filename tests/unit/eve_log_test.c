/* SPDX-License-Identifier: BSD-3-Clause */
/* The log of events keeps whole lines, whatever becomes of its file. */
#include "control/events/eve_log.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

static struct eve_log *open_log(uint64_t size, unsigned keep)
{
	struct eve_log *log;

	assert_int_equal(eve_log_open(scratch_path("eve.json"), size, keep, &log), 0);
	return log;
}

static void put(struct eve_log *log, unsigned number)
{
	char line[32];
	int len = snprintf(line, sizeof(line), "{\"line\":%07u}\n", number);

	eve_log_line(log, line, (size_t)len); /* 17 bytes */
}

/* Lines of a file, each whole and one above the last. -1: there is no such file. */
static int lines_of(const char *name, unsigned *next)
{
	FILE *file = fopen(scratch_path(name), "r");
	char line[64];
	int n = 0;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		unsigned number;

		assert_int_equal(strlen(line), 17);
		assert_int_equal(sscanf(line, "{\"line\":%u}\n", &number), 1);
		assert_int_equal(number, *next);
		*next += 1;
		n++;
	}
	fclose(file);
	return n;
}

static void a_full_log_becomes_the_youngest_of_the_old_ones(void **unused)
{
	struct eve_log *log = open_log(170, 2);
	unsigned next = 20;

	for (unsigned i = 0; i < 45; i++)
		put(log, i);
	assert_int_equal(eve_log_stats(log).rotations, 4);
	eve_log_close(log);
	/* Ten lines a file: the first twenty are gone. */
	assert_int_equal(lines_of("eve.json.2", &next), 10);
	assert_int_equal(lines_of("eve.json.1", &next), 10);
	assert_int_equal(lines_of("eve.json", &next), 5);
	assert_int_equal(lines_of("eve.json.3", &next), -1);
}

static void without_a_size_it_only_grows_and_goes_on_where_it_was(void **unused)
{
	unsigned next = 0;

	for (unsigned part = 0; part < 3; part++) {
		struct eve_log *log = open_log(0, 1);

		for (unsigned i = 0; i < 1000; i++)
			put(log, part * 1000 + i);
		eve_log_close(log);
	}
	assert_int_equal(lines_of("eve.json", &next), 3000);
}

static void the_size_that_was_there_counts(void **unused)
{
	struct eve_log *log = open_log(170, 1);
	unsigned next = 0;

	for (unsigned i = 0; i < 9; i++)
		put(log, i);
	eve_log_close(log);
	log = open_log(170, 1);
	put(log, 9);
	put(log, 10);
	eve_log_close(log);
	assert_int_equal(lines_of("eve.json.1", &next), 10);
	assert_int_equal(lines_of("eve.json", &next), 1);
}

static void a_moved_log_is_opened_anew_when_it_is_told(void **unused)
{
	struct eve_log *log = open_log(0, 1);
	unsigned next = 0;

	put(log, 0);
	assert_int_equal(rename(scratch_path("eve.json"), scratch_path("moved")), 0);
	put(log, 1);
	assert_int_equal(eve_log_reopen(log), 0);
	put(log, 2);
	eve_log_close(log);
	assert_int_equal(lines_of("moved", &next), 2);
	assert_int_equal(lines_of("eve.json", &next), 1);
}

static void what_can_not_be_opened_anew_stays_open(void **unused)
{
	struct eve_log *log = open_log(0, 1);
	unsigned next = 0;

	put(log, 0);
	eve_log_flush(log);
	assert_int_equal(rename(scratch_path("eve.json"), scratch_path("moved")), 0);
	assert_int_equal(mkdir(scratch_path("eve.json"), 0700), 0);
	assert_int_equal(eve_log_reopen(log), -EISDIR);
	put(log, 1);
	eve_log_close(log);
	assert_int_equal(rmdir(scratch_path("eve.json")), 0);
	assert_int_equal(lines_of("moved", &next), 2);
}

static void a_full_disk_costs_lines_and_leaves_no_half_of_one(void **unused)
{
	struct eve_log *log = open_log(0, 1);
	struct rlimit before, tight;
	unsigned next = 0;

	signal(SIGXFSZ, SIG_IGN);
	for (unsigned i = 0; i < 3; i++)
		put(log, i);
	eve_log_flush(log);
	getrlimit(RLIMIT_FSIZE, &before);
	tight = before;
	tight.rlim_cur = 60; /* of 51 that are there: room for half a line */
	setrlimit(RLIMIT_FSIZE, &tight);
	put(log, 100);
	put(log, 101);
	eve_log_flush(log);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(eve_log_stats(log).lost, 2);
	assert_int_equal(eve_log_stats(log).error, EFBIG);
	put(log, 3);
	eve_log_flush(log);
	assert_int_equal(eve_log_stats(log).error, 0);
	assert_int_equal(eve_log_stats(log).lines, 4);
	eve_log_close(log);
	assert_int_equal(lines_of("eve.json", &next), 4);
}

static void a_line_that_no_buffer_holds_is_lost_alone(void **unused)
{
	struct eve_log *log = open_log(0, 1);
	char *huge = malloc(1 << 20);
	unsigned next = 0;

	memset(huge, 'x', 1 << 20);
	put(log, 0);
	eve_log_line(log, huge, 1 << 20);
	put(log, 1);
	assert_int_equal(eve_log_stats(log).lost, 1);
	eve_log_close(log);
	free(huge);
	assert_int_equal(lines_of("eve.json", &next), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_full_log_becomes_the_youngest_of_the_old_ones),
		TEST(without_a_size_it_only_grows_and_goes_on_where_it_was),
		TEST(the_size_that_was_there_counts),
		TEST(a_moved_log_is_opened_anew_when_it_is_told),
		TEST(what_can_not_be_opened_anew_stays_open),
		TEST(a_full_disk_costs_lines_and_leaves_no_half_of_one),
		TEST(a_line_that_no_buffer_holds_is_lost_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
