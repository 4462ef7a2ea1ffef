/* SPDX-License-Identifier: BSD-3-Clause */
/* What posternd remembers of mails: until its time is over or there is no room, and over kills. */
#include "control/feedback/feedback_table.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

#define NOW  INT64_C(1795660000)
#define DAY  86400
#define KEEP (14 * DAY)

static char path[96];
static struct feedback_table table;

static int setup(void **state)
{
	assert_int_equal(scratch_setup(state), 0);
	snprintf(path, sizeof(path), "%s/t", scratch_dir);
	assert_int_equal(feedback_table_open(&table, path, 4096), 0);
	return 0;
}

static int teardown(void **state)
{
	feedback_table_close(&table);
	return scratch_teardown(state);
}

static uint64_t key_of(uint64_t n)
{
	struct siphash h;

	feedback_table_hash(&table, &h);
	siphash_add(&h, &n, sizeof(n));
	return feedback_table_key(&h);
}

static void entries_are_found_by_key_and_tenant(void **state)
{
	struct feedback_found found[4];
	unsigned flags;

	assert_true(feedback_table_put(&table, key_of(1), 7, FEEDBACK_BY_GATE, NOW, KEEP));
	assert_false(feedback_table_put(&table, key_of(1), 7, FEEDBACK_BY_LOG, NOW, KEEP));
	assert_true(feedback_table_put(&table, key_of(1), 9, FEEDBACK_BY_LOG, NOW, KEEP));
	assert_int_equal(feedback_table_find(&table, key_of(1), NOW, KEEP, found, 4), 2);
	assert_int_equal(feedback_table_find(&table, key_of(1), NOW, KEEP, found, 1), 2);
	assert_int_equal(feedback_table_find(&table, key_of(2), NOW, KEEP, found, 4), 0);
	assert_true(feedback_table_has(&table, key_of(1), 7, NOW, KEEP, &flags));
	assert_int_equal(flags, FEEDBACK_BY_GATE | FEEDBACK_BY_LOG);
	assert_false(feedback_table_has(&table, key_of(1), 8, NOW, KEEP, NULL));
	feedback_table_remove(&table, key_of(1), 7);
	assert_false(feedback_table_has(&table, key_of(1), 7, NOW, KEEP, NULL));
	assert_true(feedback_table_has(&table, key_of(1), 9, NOW, KEEP, NULL));
}

static void an_entry_lasts_as_long_as_it_is_kept(void **state)
{
	feedback_table_put(&table, key_of(1), 7, 1, NOW, KEEP);
	assert_true(feedback_table_has(&table, key_of(1), 7, NOW + KEEP, KEEP, NULL));
	assert_false(feedback_table_has(&table, key_of(1), 7, NOW + KEEP + 120, KEEP, NULL));
	/* A clock that went back. */
	assert_true(feedback_table_has(&table, key_of(1), 7, NOW - KEEP, KEEP, NULL));
	/* One whose time is over is new, and has the flags of now. */
	assert_true(feedback_table_put(&table, key_of(1), 7, 2, NOW + 2 * KEEP, KEEP));
	assert_int_equal(table.replaced, 0);
}

/* When it is full, the young stay: of the last two thirds of its room, nearly all. */
static void the_oldest_make_room(void **state)
{
	const unsigned all = 4096, kept = 2730;
	unsigned found = 0;

	for (unsigned i = 0; i < 5 * all; i++)
		feedback_table_put(&table, key_of(i), 7, 1, NOW + i * 60, KEEP);
	for (unsigned i = 5 * all - kept; i < 5 * all; i++)
		found += feedback_table_has(&table, key_of(i), 7, NOW + 5 * all * 60, KEEP, NULL);
	/* Of eight that share a place, by chance more are young in some. */
	assert_in_range(found, kept * 97 / 100, kept);
	assert_true(table.replaced > all);
}

static void it_outlives_being_closed_and_made_larger(void **state)
{
	uint64_t key[2];

	memcpy(key, table.key, sizeof(key));
	for (unsigned i = 0; i < 1000; i++)
		feedback_table_put(&table, key_of(i), i + 1, 1, NOW, KEEP);
	for (unsigned round = 0; round < 3; round++) {
		feedback_table_close(&table);
		assert_int_equal(feedback_table_open(&table, path, round == 1 ? 16384 : 4096), 0);
		assert_memory_equal(table.key, key, sizeof(key));
		for (unsigned i = 0; i < 1000; i++)
			assert_true(feedback_table_has(&table, key_of(i), i + 1, NOW, KEEP, NULL));
	}
}

static void kill_9_loses_nothing_that_was_put(void **state)
{
	/* By chance an entry makes room for another where as many as could be put are near that. */
	const unsigned room = 65536;
	int told[2], status;

	for (unsigned round = 0; round < 20; round++) {
		unsigned last = 0, n;
		pid_t child;

		feedback_table_close(&table);
		unlink(path);
		assert_int_equal(feedback_table_open(&table, path, room), 0);
		assert_int_equal(pipe(told), 0);
		/* The child is no more than what a page holds ahead: 1,024 entries. */
		assert_true(fcntl(told[1], F_SETPIPE_SZ, 4096) > 0);
		child = fork();
		if (!child) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (unsigned i = 0;; i++) {
				feedback_table_put(&table, key_of(i), i + 1, 1, NOW, KEEP);
				if (write(told[1], &i, sizeof(i)) < 0)
					_exit(1);
			}
		}
		close(told[1]);
		for (unsigned i = 0; i < 100 + round * 37; i++)
			assert_int_equal(read(told[0], &last, sizeof(last)), sizeof(last));
		kill(child, SIGKILL);
		while (read(told[0], &n, sizeof(n)) == sizeof(n))
			last = n;
		close(told[0]);
		waitpid(child, &status, 0);
		feedback_table_close(&table);
		assert_int_equal(feedback_table_open(&table, path, room), 0);
		for (unsigned i = 0; i <= last; i++)
			assert_true(feedback_table_has(&table, key_of(i), i + 1, NOW, KEEP, NULL));
	}
}

static void an_entry_counts_as_long_as_it_is_kept_and_no_further_than_it_can(void **state)
{
	struct feedback_found found[2];

	assert_int_equal(feedback_table_count(&table, key_of(1), 7, NOW, KEEP), 0);
	assert_true(feedback_table_add(&table, key_of(1), 7, FEEDBACK_BY_LOG, 3, NOW, KEEP));
	assert_false(feedback_table_put(&table, key_of(1), 7, FEEDBACK_BY_GATE, NOW, KEEP));
	assert_false(feedback_table_add(&table, key_of(1), 7, 0, 2, NOW, KEEP));
	feedback_table_add(&table, key_of(1), 9, 0, 1, NOW, KEEP);
	assert_int_equal(feedback_table_count(&table, key_of(1), 7, NOW, KEEP), 5);
	assert_int_equal(feedback_table_find(&table, key_of(1), NOW, KEEP, found, 2), 2);
	assert_int_equal(found[0].count + found[1].count, 6);
	assert_int_equal(feedback_table_count(&table, key_of(2), 7, NOW, KEEP), 0);
	/* Two that differ in the last bits of their hashes are two. */
	assert_false(feedback_table_has(&table, key_of(1) + 1, 7, NOW, KEEP, NULL));
	feedback_table_add(&table, key_of(1), 7, 0, FEEDBACK_COUNT_MAX - 6, NOW, KEEP);
	feedback_table_add(&table, key_of(1), 7, 0, UINT32_MAX, NOW, KEEP);
	assert_int_equal(feedback_table_count(&table, key_of(1), 7, NOW, KEEP), FEEDBACK_COUNT_MAX);
	assert_true(feedback_table_has(&table, key_of(1), 7, NOW, KEEP, NULL));
	/* When its time is over it counts from nothing. */
	assert_int_equal(feedback_table_count(&table, key_of(1), 7, NOW + 2 * KEEP, KEEP), 0);
	feedback_table_add(&table, key_of(1), 7, 0, 1, NOW + 2 * KEEP, KEEP);
	assert_int_equal(feedback_table_count(&table, key_of(1), 7, NOW + 2 * KEEP, KEEP), 1);
	feedback_table_close(&table);
	assert_int_equal(feedback_table_open(&table, path, 16384), 0);
	assert_int_equal(feedback_table_count(&table, key_of(1), 9, NOW, KEEP), 1);
}

/* As it was before entries had counts: the hash of 64 bits, the tenant, minutes since 2020. */
static void a_file_of_before_is_read(void **state)
{
	const uint64_t first[2] = {UINT64_C(0x3162666e72747370), 1024};
	struct {
		uint64_t hash;
		uint32_t tenant, stamp;
	} entry = {.tenant = 7};
	struct siphash h;
	uint64_t n = 5;
	FILE *f;

	feedback_table_hash(&table, &h);
	siphash_add(&h, &n, sizeof(n));
	entry.hash = siphash_end(&h) | 0xffff;
	entry.stamp = (uint32_t)((NOW - 1577836800) / 60) << 4 | FEEDBACK_BY_GATE;
	feedback_table_close(&table);
	f = fopen(path, "r+");
	assert_non_null(f);
	assert_int_equal(fwrite(first, sizeof(first), 1, f), 1);
	fseek(f, 4096 + 64 * 100, SEEK_SET); /* wherever that was its place */
	assert_int_equal(fwrite(&entry, sizeof(entry), 1, f), 1);
	fclose(f);
	for (unsigned i = 0; i < 2; i++) {
		struct feedback_found found;

		assert_int_equal(feedback_table_open(&table, path, 4096), 0);
		assert_int_equal(feedback_table_find(&table, key_of(5), NOW, KEEP, &found, 1), 1);
		assert_int_equal(found.tenant, 7);
		assert_int_equal(found.flags, FEEDBACK_BY_GATE);
		assert_int_equal(found.count, 0);
		feedback_table_close(&table);
	}
}

static void a_file_that_is_none_is_refused(void **state)
{
	struct feedback_table other;
	FILE *f;

	feedback_table_close(&table);
	assert_int_equal(truncate(path, 5000), 0);
	assert_int_equal(feedback_table_open(&other, path, 4096), -EBADMSG);
	f = fopen(path, "w");
	fputs("nothing of ours", f);
	fclose(f);
	assert_int_equal(feedback_table_open(&other, path, 4096), -EBADMSG);
	assert_null(other.entry);
	/* A table that isn't open knows nothing, and says so. */
	assert_true(feedback_table_put(&other, 5, 7, 1, NOW, KEEP));
	assert_false(feedback_table_has(&other, 5, 7, NOW, KEEP, NULL));
	feedback_table_remove(&other, 5, 7);
	assert_int_equal(feedback_table_open(&other, "/nonexistent/folder/t", 4096), -ENOENT);
	assert_int_equal(feedback_table_open(&other, path, 0), -EINVAL);
}

static void nobody_else_may_read_it(void **state)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(entries_are_found_by_key_and_tenant, setup,
						teardown),
		cmocka_unit_test_setup_teardown(an_entry_lasts_as_long_as_it_is_kept, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_oldest_make_room, setup, teardown),
		cmocka_unit_test_setup_teardown(it_outlives_being_closed_and_made_larger, setup,
						teardown),
		cmocka_unit_test_setup_teardown(kill_9_loses_nothing_that_was_put, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_entry_counts_as_long_as_it_is_kept_and_no_further_than_it_can, setup,
			teardown),
		cmocka_unit_test_setup_teardown(a_file_of_before_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_that_is_none_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_else_may_read_it, setup, teardown),
	};

	return cmocka_run_group_tests_name("feedback_table", tests, NULL, NULL);
}
