/* SPDX-License-Identifier: BSD-3-Clause */
/* Databases come back from the disk exactly as they were, or not at all. */
#include "control/rules/db_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "control/rules/ruleset_build.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

static struct db_cache *cache;

static int setup(void **unused)
{
	return scratch_setup(unused) || db_cache_open(scratch_dir, DB_CACHE_LIMIT, &cache);
}

static int teardown(void **unused)
{
	db_cache_close(cache);
	return scratch_teardown(unused);
}

static bool finds(const char *key, const char *expected)
{
	size_t size = 0;
	char *data = db_cache_find(cache, key, strlen(key), &size);
	bool found = data != NULL;

	if (found && expected) {
		assert_int_equal(size, strlen(expected));
		assert_memory_equal(data, expected, size);
	}
	free(data);
	return found;
}

static int store(const char *key, const char *data)
{
	return db_cache_store(cache, key, strlen(key), data, strlen(data));
}

/* The one file that there is. */
static const char *the_file(void)
{
	static char path[320];
	DIR *dir = opendir(scratch_dir);
	struct dirent *entry;

	path[0] = '\0';
	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			snprintf(path, sizeof(path), "%s/%s", scratch_dir, entry->d_name);
	closedir(dir);
	return path;
}

static size_t size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (size_t)st.st_size;
}

static void what_was_stored_is_found_by_its_key_alone(void **state)
{
	assert_false(finds("key", NULL));
	assert_int_equal(store("key", "data"), 0);
	assert_int_equal(store("other key", "other data"), 0);
	assert_true(finds("key", "data"));
	assert_true(finds("other key", "other data"));
	assert_false(finds("ke", NULL));
	assert_false(finds("key ", NULL));
	assert_int_equal(store("key", "newer"), 0);
	assert_true(finds("key", "newer"));
	assert_int_equal(scratch_files(false), 2);
}

static void a_torn_file_is_none(void **state)
{
	size_t whole;

	assert_int_equal(store("key", "some data"), 0);
	whole = size_of(the_file());
	for (size_t len = 0; len < whole; len++) {
		assert_int_equal(truncate(the_file(), (off_t)len), 0);
		assert_false(finds("key", NULL));
		assert_int_equal(store("key", "some data"), 0);
	}
	assert_int_equal(truncate(the_file(), (off_t)whole + 1), 0);
	assert_false(finds("key", NULL));
}

static void a_file_with_any_other_byte_is_none(void **state)
{
	int fd;
	size_t whole;

	assert_int_equal(store("key", "some data"), 0);
	whole = size_of(the_file());
	fd = open(the_file(), O_RDWR);
	for (size_t at = 0; at < whole; at++) {
		char byte;

		assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
		byte ^= 0x10;
		assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
		assert_false(finds("key", NULL));
		byte ^= 0x10;
		assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
	}
	assert_true(finds("key", "some data"));
	close(fd);
}

static void a_file_that_others_may_write_is_none(void **state)
{
	char copy[400];

	assert_int_equal(store("key", "data"), 0);
	assert_int_equal(chmod(the_file(), 0620), 0);
	assert_false(finds("key", NULL));
	assert_int_equal(chmod(the_file(), 0600), 0);
	assert_true(finds("key", "data"));
	if (geteuid() == 0) {
		assert_int_equal(chown(the_file(), 65534, 65534), 0);
		assert_false(finds("key", NULL));
		assert_int_equal(chown(the_file(), 0, 0), 0);
	}
	/* Nor one that lies somewhere else. */
	snprintf(copy, sizeof(copy), "%s", the_file());
	assert_int_equal(rename(copy, scratch_path("moved")), 0);
	assert_int_equal(symlink("moved", copy), 0);
	assert_false(finds("key", NULL));
	/* It is replaced, and what it led to stays. */
	assert_int_equal(store("key", "data"), 0);
	assert_true(finds("key", "data"));
	assert_int_equal(size_of(scratch_path("moved")), size_of(copy));
}

static void a_directory_that_others_may_write_is_none(void **state)
{
	struct db_cache *other = NULL;

	assert_int_equal(chmod(scratch_dir, 0770), 0);
	assert_int_equal(db_cache_open(scratch_dir, DB_CACHE_LIMIT, &other), -EPERM);
	assert_int_equal(chmod(scratch_dir, 0700), 0);
	assert_int_equal(symlink(scratch_dir, scratch_path("link")), 0);
	assert_int_equal(db_cache_open(scratch_path("link"), DB_CACHE_LIMIT, &other), -ENOTDIR);
	assert_int_equal(db_cache_open(scratch_path("no/way"), DB_CACHE_LIMIT, &other), -ENOENT);
	assert_null(other);
}

static void the_longest_unused_goes_first(void **state)
{
	static char data[4000], big[11000];
	const struct timespec pause = {0, 20000000};
	struct db_cache *small;
	char key[16];

	memset(data, 'x', sizeof(data) - 1);
	assert_int_equal(db_cache_open(scratch_dir, 20000, &small), 0);
	for (int i = 0; i < 8; i++) {
		snprintf(key, sizeof(key), "key %d", i);
		assert_int_equal(store(key, data), 0);
		nanosleep(&pause, NULL); /* file systems count in ticks */
	}
	assert_true(finds("key 0", data));
	db_cache_trim(small);
	assert_int_equal(scratch_files(false), 4);
	assert_true(finds("key 0", data));
	assert_false(finds("key 1", data));
	assert_true(finds("key 7", data));
	/* One thing that would leave no room for others is not kept at all. */
	assert_int_equal(db_cache_store(small, "big", 3, big, sizeof(big)), -EFBIG);
	db_cache_close(small);
}

static void what_was_half_written_goes(void **state)
{
	char name[400];

	assert_int_equal(store("key", "data"), 0);
	snprintf(name, sizeof(name), "%s.new", the_file());
	assert_int_equal(mknod(name, S_IFREG | 0600, 0), 0);
	/* It is in nobody's way, either. */
	assert_int_equal(store("key", "data"), 0);
	assert_int_equal(mknod(name, S_IFREG | 0600, 0), 0);
	db_cache_trim(cache);
	assert_int_equal(scratch_files(false), 1);
	assert_true(finds("key", "data"));
}

/* Rulesets */

static const char rules[] =
	"alert smtp any any -> any any (msg:\"a\"; email.subject; content:\"one\"; sid:1; rev:1;)\n"
	"alert smtp any any -> any any (msg:\"b\"; email.body; content:\"two\"; sid:2; rev:1;)\n"
	"alert smtp any any -> any any (msg:\"c\"; email.body; pcre:\"/[0-9]{5}x/\"; sid:3; "
	"rev:1;)\n"
	"alert sip any any -> any any (msg:\"d\"; sip.uri; content:\"four\"; sid:4; rev:1;)\n";

static void *build(const char *more, unsigned threads, struct db_cache *from, size_t *size,
		   struct ruleset_build_stats *stats)
{
	const struct ruleset_build_options options = {
		.generation = 1, .threads = threads, .cache = from};
	struct rule_list list = {0};
	struct rule_diags diags = {0};
	void *image = NULL;

	rules_parse(&list, &diags, NULL, "x.rules", rules, strlen(rules));
	rules_parse(&list, &diags, NULL, "y.rules", more, strlen(more));
	assert_int_equal(diags.errors, 0);
	assert_int_equal(ruleset_build_with(&list, &options, &diags, &image, size, stats), 0);
	rule_list_fini(&list);
	rule_diags_fini(&diags);
	return image;
}

static void rulesets_are_the_same_with_a_cache_and_without(void **state)
{
	static const char one_more[] = "alert sip any any -> any any (msg:\"e\"; sip.uri; "
				       "content:\"five\"; sid:5; rev:1;)\n";
	struct ruleset_build_stats stats;
	size_t size, cached_size;
	void *plain, *cached;

	plain = build("", 1, NULL, &size, &stats);
	for (unsigned n = 0; n < 3; n++) {
		cached = build("", n, cache, &cached_size, &stats);
		assert_int_equal(stats.databases, 3);
		assert_int_equal(stats.databases_found, n ? 3 : 0);
		assert_true(stats.stream_bytes[RULE_BUFFER_EMAIL_BODY] > 0);
		assert_int_equal(cached_size, size);
		assert_memory_equal(cached, plain, size);
		free(cached);
	}
	/* One rule more: one database more to compile. */
	cached = build(one_more, 2, cache, &cached_size, &stats);
	assert_int_equal(stats.databases_found, 2);
	free(cached);
	free(plain);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_stored_is_found_by_its_key_alone),
		TEST(a_torn_file_is_none),
		TEST(a_file_with_any_other_byte_is_none),
		TEST(a_file_that_others_may_write_is_none),
		TEST(a_directory_that_others_may_write_is_none),
		TEST(the_longest_unused_goes_first),
		TEST(what_was_half_written_goes),
		TEST(rulesets_are_the_same_with_a_cache_and_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
