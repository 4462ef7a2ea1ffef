/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/capture/capture_merge.h"
#include "dataplane/capture/capture_writer.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

#include <errno.h>

static char errbuf[CAPTURE_ERRBUF];

/* A capture of packets at these times, each holding its place in the file. */
static const char *write_times(const char *name, const uint64_t *times, unsigned int count)
{
	const char *path = scratch_path(name);
	struct capture_writer *writer;
	int id;

	assert_int_equal(capture_writer_open(path, CAPTURE_FORMAT_PCAPNG, NULL, NULL, &writer), 0);
	id = capture_writer_interface(writer, "x", CAPTURE_LINK_ETHERNET);
	for (uint8_t i = 0; i < count; i++)
		assert_int_equal(capture_writer_packet(writer, id, times[i], &i, 1, 1, NULL), 0);
	assert_int_equal(capture_writer_finish(writer), 0);
	return path;
}

static struct capture_merge *merge_open(const char *const *paths, size_t count)
{
	struct capture_merge *merge;

	if (capture_merge_open(paths, count, &merge, errbuf))
		fail_msg("%s", errbuf);
	return merge;
}

static void expect_packet(struct capture_merge *merge, uint64_t number, size_t file, uint8_t place)
{
	struct merged_packet p;

	assert_int_equal(capture_merge_next(merge, &p), 1);
	assert_int_equal(p.number, number);
	assert_int_equal(p.file, file);
	assert_int_equal(p.packet.data[0], place);
}

static void expect_end(struct capture_merge *merge)
{
	struct merged_packet p;

	assert_int_equal(capture_merge_next(merge, &p), 0);
	assert_int_equal(capture_merge_next(merge, &p), 0);
	capture_merge_close(merge);
}

static void files_interleave_by_time_and_ties_go_to_the_first_named(void **state)
{
	const char *paths[] = {
		write_times("a", (uint64_t[]){10, 20, 30}, 3),
		write_times("b", (uint64_t[]){5, 20, 20}, 3),
		write_times("c", NULL, 0),
		write_times("d", (uint64_t[]){20, 25}, 2),
	};
	static const struct {
		size_t file;
		uint8_t place;
	} order[] = {{1, 0}, {0, 0}, {0, 1}, {1, 1}, {1, 2}, {3, 0}, {3, 1}, {0, 2}};
	struct capture_merge *merge = merge_open(paths, 4);

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		expect_packet(merge, i + 1, order[i].file, order[i].place);
	expect_end(merge);
}

static void a_file_keeps_its_order_when_its_times_go_backwards(void **state)
{
	const char *paths[] = {
		write_times("a", (uint64_t[]){10, 2, 3, 50}, 4),
		write_times("b", (uint64_t[]){4, 11}, 2),
	};
	struct capture_merge *merge = merge_open(paths, 2);

	expect_packet(merge, 1, 1, 0);
	expect_packet(merge, 2, 0, 0);
	expect_packet(merge, 3, 0, 1);
	expect_packet(merge, 4, 0, 2);
	expect_packet(merge, 5, 1, 1);
	expect_packet(merge, 6, 0, 3);
	expect_end(merge);
}

/* 60 files of 60 packets: the merge of sorted files is sorted, and nothing is lost. */
static void many_files_come_out_sorted(void **state)
{
	enum { FILES = 60, EACH = 60 };
	char names[FILES][128];
	const char *paths[FILES];
	uint8_t place[FILES] = {0};
	struct capture_merge *merge;
	struct merged_packet p;
	uint64_t last = 0, seed = 7;

	for (int f = 0; f < FILES; f++) {
		uint64_t times[EACH], t = 0;

		for (int i = 0; i < EACH; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			times[i] = t += seed >> 60;
		}
		snprintf(names[f], sizeof(names[f]), "f%d", f);
		snprintf(names[f], sizeof(names[f]), "%s", write_times(names[f], times, EACH));
		paths[f] = names[f];
	}
	merge = merge_open(paths, FILES);
	for (uint64_t i = 1; i <= FILES * EACH; i++) {
		assert_int_equal(capture_merge_next(merge, &p), 1);
		assert_int_equal(p.number, i);
		assert_true(p.packet.ts_ns >= last);
		last = p.packet.ts_ns;
		assert_int_equal(p.packet.data[0], place[p.file]++);
	}
	expect_end(merge);
}

static void a_damaged_file_is_told_and_the_others_go_on(void **state)
{
	const char *paths[] = {
		write_times("a", (uint64_t[]){10, 20}, 2),
		write_times("b", (uint64_t[]){5, 30}, 2),
	};
	struct capture_merge *merge;
	struct merged_packet p;
	FILE *f = fopen(paths[0], "r+");

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	assert_int_equal(ftruncate(fileno(f), ftell(f) - 1), 0);
	fclose(f);
	merge = merge_open(paths, 2);
	expect_packet(merge, 1, 1, 0);
	expect_packet(merge, 2, 0, 0);
	assert_int_equal(capture_merge_next(merge, &p), -1);
	assert_non_null(strstr(capture_merge_error(merge), "/a: offset "));
	assert_non_null(strstr(capture_merge_error(merge), "(1 packets read before)"));
	expect_packet(merge, 3, 1, 1);
	expect_end(merge);
}

static void all_files_open_or_none(void **state)
{
	const char *paths[] = {write_times("a", NULL, 0), "/nonexistent/b"};
	struct capture_merge *merge;

	assert_int_equal(capture_merge_open(paths, 2, &merge, errbuf), -ENOENT);
	assert_string_equal(errbuf, "/nonexistent/b: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_interleave_by_time_and_ties_go_to_the_first_named),
		cmocka_unit_test(a_file_keeps_its_order_when_its_times_go_backwards),
		cmocka_unit_test(many_files_come_out_sorted),
		cmocka_unit_test(a_damaged_file_is_told_and_the_others_go_on),
		cmocka_unit_test(all_files_open_or_none),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
