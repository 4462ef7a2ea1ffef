/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists on the disk: what goes in, what comes out, what damage does and what a crash leaves. */
#include "control/lists/list_store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "bpf/siphash.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

#define NOW  1800000000
#define ACME ((struct list_name){1, LIST_OPTOUT})

static struct list_store store;
static char why[LIST_STORE_ERROR];

static int setup(void **state)
{
	if (scratch_setup(state) != 0 || list_store_open(scratch_dir, true, &store, why) != 0)
		return -1;
	store.now = NOW;
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	list_store_close(&store);
	snprintf(command, sizeof(command), "rm -rf %s", scratch_dir);
	return system(command);
}

static void reopen(void)
{
	list_store_close(&store);
	assert_int_equal(list_store_open(scratch_dir, true, &store, why), 0);
	store.now = NOW;
}

/* The n-th entry's hash; never 0 for the numbers that tests use. */
static uint64_t nth(uint64_t n)
{
	static const uint64_t key[2] = {5, 6};

	return siphash(key, &n, sizeof(n));
}

static struct list_change change_of(struct list_name list, uint64_t first, uint64_t count,
				    uint64_t from)
{
	struct list_change change = {.list = list, .from = from};

	for (uint64_t i = 0; i < count; i++)
		assert_int_equal(hash_list_add(&change.hashes, nth(first + i)), 0);
	return change;
}

static struct list_outcome import(struct list_name list, uint64_t first, uint64_t count,
				  uint64_t from, bool replaces)
{
	struct list_change change = change_of(list, first, count, from);
	struct list_outcome outcome = {0};

	change.replaces = replaces;
	assert_int_equal(list_store_merge(&store, &change, &outcome), 0);
	hash_list_fini(&change.hashes);
	assert_int_equal(outcome.entries, list_count(&store.sets, list));
	return outcome;
}

static struct list_outcome patch(struct list_name list, uint64_t n, bool removes, uint64_t from)
{
	struct list_change change = change_of(list, n, 1, from);
	struct list_outcome outcome = {0};

	change.removes = removes;
	assert_int_equal(list_store_patch(&store, &change, &outcome), 0);
	hash_list_fini(&change.hashes);
	assert_int_equal(outcome.entries, list_count(&store.sets, list));
	return outcome;
}

static enum list_standing standing(struct list_name list, uint64_t n)
{
	return list_sets_find(&store.sets, list.owner, list.kind, nth(n), NULL);
}

static void expect(struct list_name list, uint64_t first, uint64_t count, enum list_standing is)
{
	for (uint64_t i = first; i < first + count; i++)
		assert_int_equal(standing(list, i), is);
}

static void what_is_imported_is_found_and_nothing_else(void **state)
{
	const struct list_name other = {2, LIST_OPTOUT}, kind = {1, LIST_DNC};

	assert_int_equal(import(ACME, 0, 5000, 0, false).changed, 5000);
	expect(ACME, 0, 5000, LIST_LISTED);
	expect(ACME, 5000, 5000, LIST_ABSENT);
	expect(other, 0, 100, LIST_ABSENT);
	expect(kind, 0, 100, LIST_ABSENT);
	assert_int_equal(import(other, 100, 10, 0, false).entries, 10);
	assert_int_equal(import(ACME, 4990, 20, 0, false).changed, 10);
	reopen();
	expect(ACME, 0, 5010, LIST_LISTED);
	expect(other, 100, 10, LIST_LISTED);
	expect(other, 0, 100, LIST_ABSENT);
}

static void many_are_asked_at_once(void **state)
{
	uint64_t hashes[] = {nth(1), nth(200), nth(3)};
	enum list_standing all[3];

	import(ACME, 0, 100, 0, false);
	list_sets_find_many(&store.sets, 1, LIST_OPTOUT, hashes, 3, all);
	assert_int_equal(all[0], LIST_LISTED);
	assert_int_equal(all[1], LIST_ABSENT);
	assert_int_equal(all[2], LIST_LISTED);
}

static void an_import_can_replace_a_list(void **state)
{
	const struct list_name other = {2, LIST_OPTOUT};

	import(ACME, 0, 100, 0, false);
	import(other, 0, 100, 0, false);
	assert_int_equal(import(ACME, 50, 100, 0, true).entries, 100);
	expect(ACME, 0, 50, LIST_ABSENT);
	expect(ACME, 50, 100, LIST_LISTED);
	expect(other, 0, 100, LIST_LISTED);
	assert_int_equal(import(ACME, 0, 0, 0, true).entries, 0);
	expect(ACME, 50, 100, LIST_ABSENT);
}

static void entries_hold_from_their_time_on(void **state)
{
	const uint64_t from = list_hour(NOW + 48 * 3600);

	import(ACME, 0, 10, 0, false);
	import(ACME, 5, 10, from, false);
	expect(ACME, 0, 10, LIST_LISTED); /* those that held already */
	expect(ACME, 10, 5, LIST_PENDING);
	store.now = from - 1;
	expect(ACME, 10, 5, LIST_PENDING);
	store.now = from;
	expect(ACME, 0, 15, LIST_LISTED);
	/* With the next merge they are as all others. */
	assert_int_equal(store.sets.base.head->segments, 2);
	import((struct list_name){9, LIST_DNC}, 0, 1, 0, false);
	assert_int_equal(store.sets.base.head->segments, 2);
	expect(ACME, 0, 15, LIST_LISTED);
	assert_int_equal(list_count(&store.sets, ACME), 15);
}

static void single_entries_come_and_go_without_a_new_base(void **state)
{
	uint64_t generation;

	import(ACME, 0, 1000, 0, false);
	generation = store.sets.base.head->generation;
	assert_int_equal(patch(ACME, 7, true, 0).changed, 1);
	assert_int_equal(patch(ACME, 7, true, 0).changed, 0);
	assert_int_equal(patch(ACME, 2000, false, 0).changed, 1);
	assert_int_equal(patch(ACME, 2000, false, 0).changed, 0);
	assert_int_equal(patch(ACME, 5, false, 0).changed, 0);
	assert_int_equal(store.sets.base.head->generation, generation);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(standing(ACME, 7), LIST_ABSENT);
		assert_int_equal(standing(ACME, 2000), LIST_LISTED);
		expect(ACME, 8, 992, LIST_LISTED);
		reopen();
	}
	/* And with one they are still what they were. */
	import((struct list_name){2, LIST_DNC}, 0, 1, 0, false);
	assert_null(store.sets.delta.head);
	assert_int_equal(standing(ACME, 7), LIST_ABSENT);
	assert_int_equal(standing(ACME, 2000), LIST_LISTED);
	assert_int_equal(list_count(&store.sets, ACME), 1000);
}

static void who_comes_back_has_the_grace_again(void **state)
{
	const uint64_t from = list_hour(NOW + 48 * 3600);

	import(ACME, 0, 10, 0, false);
	patch(ACME, 3, true, 0);
	assert_int_equal(patch(ACME, 3, false, from).changed, 1);
	assert_int_equal(standing(ACME, 3), LIST_PENDING);
	assert_int_equal(list_count(&store.sets, ACME), 10);
	/* Sooner than it would have. */
	assert_int_equal(patch(ACME, 3, false, 0).changed, 0);
	assert_int_equal(standing(ACME, 3), LIST_LISTED);
	patch(ACME, 3, true, 0);
	assert_int_equal(standing(ACME, 3), LIST_ABSENT);
	assert_int_equal(list_count(&store.sets, ACME), 9);
	/* An import brings back what was removed. */
	import(ACME, 3, 1, 0, false);
	assert_int_equal(standing(ACME, 3), LIST_LISTED);
}

static void a_full_delta_says_so(void **state)
{
	struct list_change change = change_of(ACME, 0, LIST_DELTA_MAX, 0);
	struct list_outcome outcome;

	assert_int_equal(list_store_patch(&store, &change, &outcome), 0);
	assert_int_equal(outcome.changed, LIST_DELTA_MAX);
	hash_list_fini(&change.hashes);
	change = change_of(ACME, LIST_DELTA_MAX, 1, 0);
	assert_int_equal(list_store_patch(&store, &change, &outcome), -ENOSPC);
	assert_int_equal(list_store_merge(&store, &change, &outcome), 0);
	hash_list_fini(&change.hashes);
	assert_int_equal(outcome.entries, LIST_DELTA_MAX + 1);
	expect(ACME, 0, LIST_DELTA_MAX + 1, LIST_LISTED);
}

/* Random adds, removals and merges, beside a table that says what should come of them. */
static void whatever_is_done_a_table_agrees(void **state)
{
	enum { ENTRIES = 200, LISTS = 3, TURNS = 600 };
	uint64_t seed = 42, expected[LISTS][ENTRIES];

	memset(expected, 0xff, sizeof(expected)); /* absent; else: from */
	for (int turn = 0; turn < TURNS; turn++) {
		uint64_t r = nth(seed++), n = r % ENTRIES, from = 0;
		uint32_t owner = 1 + (uint32_t)(r >> 20) % LISTS;
		struct list_name list = {owner, LIST_OPTOUT};
		uint64_t *is = &expected[owner - 1][n];

		if (r >> 40 & 1)
			from = list_hour(NOW + (r >> 41) % 4 * 3600 + 1);
		if (r >> 50 & 1 || turn % 50 == 49) {
			patch(list, n, true, 0);
			*is = UINT64_MAX;
		} else if (turn % 10 == 9) {
			import(list, n, 1, from, false);
			*is = from < *is ? from : *is;
		} else {
			patch(list, n, false, from);
			*is = from < *is ? from : *is;
		}
		if (turn % 97 == 96)
			reopen();
		for (uint64_t i = 0; i < ENTRIES; i++)
			assert_int_equal(standing(list, i), expected[owner - 1][i] == UINT64_MAX
								    ? LIST_ABSENT
							    : expected[owner - 1][i] ? LIST_PENDING
										     : LIST_LISTED);
	}
}

/* Crashes */

static void copy(const char *from, const char *to)
{
	char command[400];

	snprintf(command, sizeof(command), "cp %s/lists/%s %s/lists/%s", scratch_dir, from,
		 scratch_dir, to);
	assert_int_equal(system(command), 0);
}

static void a_crash_in_a_merge_leaves_what_was_or_what_comes(void **state)
{
	import(ACME, 0, 100, 0, false);
	patch(ACME, 200, false, 0);
	patch(ACME, 5, true, 0);
	copy("delta.set", "delta.before");
	import(ACME, 5, 1, 0, false); /* which brings back what the delta removes */
	/* The base is the new one, and the delta was not removed any more. */
	copy("delta.before", "delta.set");
	reopen();
	assert_int_equal(standing(ACME, 5), LIST_LISTED);
	assert_int_equal(standing(ACME, 200), LIST_LISTED);
	assert_int_equal(list_count(&store.sets, ACME), 101);
	patch(ACME, 6, true, 0);
	reopen();
	assert_int_equal(standing(ACME, 6), LIST_ABSENT);
	assert_int_equal(standing(ACME, 5), LIST_LISTED);
}

/* A child's merge, and posternd was not told of it. */
static void a_change_is_made_to_what_is_on_the_disk(void **state)
{
	struct list_store other;

	import(ACME, 0, 100, 0, false);
	patch(ACME, 200, false, 0);
	assert_int_equal(list_store_open(scratch_dir, false, &other, why), 0);
	other.now = NOW;
	assert_int_equal(list_store_merge(&other, NULL, NULL), 0);
	patch(ACME, 201, false, 0);
	assert_int_equal(list_count(&store.sets, ACME), 102);
	reopen();
	for (uint64_t n = 200; n <= 201; n++)
		assert_int_equal(standing(ACME, n), LIST_LISTED);
	/* The other way round: the other's is the old one now. */
	assert_int_equal(list_store_merge(&other, NULL, NULL), 0);
	list_store_close(&other);
	patch(ACME, 5, true, 0);
	reopen();
	assert_int_equal(list_count(&store.sets, ACME), 101);
}

static void a_crash_in_a_write_leaves_the_file_before(void **state)
{
	FILE *file;

	import(ACME, 0, 100, 0, false);
	file = fopen(scratch_path("lists/base.set.new"), "w");
	assert_non_null(file);
	fputs("half of", file);
	fclose(file);
	reopen();
	expect(ACME, 0, 100, LIST_LISTED);
	import(ACME, 100, 1, 0, false);
	expect(ACME, 0, 101, LIST_LISTED);
}

/* Damage */

static void flip(const char *name, long at)
{
	FILE *file = fopen(scratch_path(name), "r+");
	int byte;

	assert_non_null(file);
	fseek(file, at, SEEK_SET);
	byte = fgetc(file);
	fseek(file, at, SEEK_SET);
	fputc(byte ^ 1, file);
	fclose(file);
}

static void a_byte_that_changed_anywhere_is_seen(void **state)
{
	struct list_store other;
	struct stat st;

	import(ACME, 0, 20, 0, false);
	import((struct list_name){2, LIST_DNC}, 0, 3, list_hour(NOW + 7200), false);
	assert_int_equal(stat(scratch_path("lists/base.set"), &st), 0);
	for (long at = 0; at < st.st_size; at++) {
		flip("lists/base.set", at);
		assert_int_equal(list_store_open(scratch_dir, false, &other, why), -EBADMSG);
		assert_non_null(strstr(why, "lists/base.set"));
		flip("lists/base.set", at);
	}
	assert_int_equal(list_store_open(scratch_dir, false, &other, why), 0);
	list_store_close(&other);
}

static void a_file_that_is_cut_anywhere_is_seen(void **state)
{
	struct list_store other;
	struct stat st;

	import(ACME, 0, 20, 0, false);
	assert_int_equal(stat(scratch_path("lists/base.set"), &st), 0);
	for (long size = st.st_size - 1; size >= 0; size--) {
		assert_int_equal(truncate(scratch_path("lists/base.set"), size), 0);
		assert_int_equal(list_store_open(scratch_dir, false, &other, why), -EBADMSG);
	}
}

static void another_key_is_seen(void **state)
{
	struct list_store other;

	import(ACME, 0, 20, 0, false);
	flip("lists/key", 3);
	assert_int_equal(list_store_open(scratch_dir, false, &other, why), -EBADMSG);
	assert_non_null(strstr(why, "another key"));
	assert_int_equal(unlink(scratch_path("lists/key")), 0);
	assert_int_equal(list_store_open(scratch_dir, true, &other, why), -EBADMSG);
}

static void where_there_are_none_nothing_is_made_for_who_looks(void **state)
{
	struct list_store other;
	char dir[80];

	snprintf(dir, sizeof(dir), "%s/none", scratch_dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(list_store_open(dir, false, &other, why), -ENOENT);
	assert_int_equal(rmdir(dir), 0);
}

/* A checked image does not lead a reader astray, whatever is in it: the checksum made good. */
static void contradictions_are_seen_behind_a_good_checksum(void **state)
{
	size_t size, seen = 0;
	uint8_t *image;

	import(ACME, 0, 20, 0, false);
	import((struct list_name){2, LIST_DNC}, 0, 3, 0, false);
	size = store.base.size;
	image = aligned_alloc(64, (size + 63) / 64 * 64);
	assert_non_null(image);
	for (size_t at = offsetof(struct list_set_head, generation); at < size; at++) {
		struct list_set_head *head = (void *)image;
		struct list_sets sets = {.clock = &store.now};

		memcpy(image, store.base.data, size);
		image[at] ^= 0x80;
		head->checksum = list_set_checksum(head);
		if (list_set_open(&sets.base, image, size)) {
			seen++;
			continue;
		}
		for (uint64_t n = 0; n < 40; n++) {
			list_sets_find(&sets, 1, LIST_OPTOUT, nth(n), NULL);
			list_sets_find(&sets, 2, LIST_DNC, UINT64_MAX - n, NULL);
		}
	}
	assert_true(seen > 50);
	free(image);
}

static void ten_bytes_and_two_thirds_an_entry(void **state)
{
	import(ACME, 0, 300000, 0, false);
	assert_true(store.base.size <= 11 * 300000);
}

#define BOUNCED ((struct list_name){1, LIST_SUPPRESSED})
#define DAY     86400
#define PERIOD  (UINT64_C(14) * DAY * 1000000000)

/* Learned on a day, as control/lists/list_learn.c does it. */
static void learn(uint64_t first, uint64_t count, uint64_t day)
{
	struct list_change change = change_of(BOUNCED, first, count, 0);
	struct list_outcome outcome;

	store.now = NOW + day * DAY;
	change.from = list_since(PERIOD, store.now * 1000000000);
	assert_int_equal(list_store_patch(&store, &change, &outcome), 0);
	hash_list_fini(&change.hashes);
}

static void expect_on(uint64_t day, uint64_t n, enum list_standing is)
{
	store.now = NOW + day * DAY;
	expect(BOUNCED, n, 1, is);
	assert_int_equal(list_sets_has_since(&store.sets, BOUNCED.owner, BOUNCED.kind, nth(n),
					     list_oldest(PERIOD, store.now * 1000000000)),
			 is == LIST_LISTED);
}

/* Whatever is merged meanwhile: for 14 days at least, and a quarter of them more at the most. */
static void what_bounced_ends(void **state)
{
	for (unsigned merges = 0; merges < 2; merges++) {
		const uint64_t n = merges * 10;

		store.sets.period = PERIOD;
		learn(n + 1, 1, 0);
		/* Somebody put it there by hand: for good. */
		store.now = NOW;
		patch(BOUNCED, n + 2, false, 0);
		learn(n + 2, 1, 0);
		for (uint64_t day = 0; day <= 30; day++) {
			if (merges) {
				store.now = NOW + day * DAY;
				assert_int_equal(list_store_merge(&store, NULL, NULL), 0);
			}
			if (day <= 14 || day > 18)
				expect_on(day, n + 1, day <= 14 ? LIST_LISTED : LIST_ABSENT);
			expect_on(day, n + 2, LIST_LISTED);
		}
		/* It bounces again. */
		learn(n + 1, 1, 30);
		expect_on(44, n + 1, LIST_LISTED);
		expect_on(49, n + 1, LIST_ABSENT);
	}
	/* What ended is gone with the next merge: the two by hand stay. */
	store.now = NOW + 60 * DAY;
	assert_int_equal(list_store_merge(&store, NULL, NULL), 0);
	assert_int_equal(list_count(&store.sets, BOUNCED), 2);
	reopen();
	expect_on(60, 2, LIST_LISTED);
}

static void what_bounced_can_be_taken_off(void **state)
{
	store.sets.period = PERIOD;
	learn(1, 3, 0);
	assert_int_equal(list_store_merge(&store, NULL, NULL), 0);
	patch(BOUNCED, 2, true, 0);
	expect_on(1, 1, LIST_LISTED);
	expect_on(1, 2, LIST_ABSENT);
	learn(2, 1, 2);
	expect_on(3, 2, LIST_LISTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_imported_is_found_and_nothing_else),
		TEST(many_are_asked_at_once),
		TEST(an_import_can_replace_a_list),
		TEST(entries_hold_from_their_time_on),
		TEST(single_entries_come_and_go_without_a_new_base),
		TEST(who_comes_back_has_the_grace_again),
		TEST(a_full_delta_says_so),
		TEST(whatever_is_done_a_table_agrees),
		TEST(a_crash_in_a_merge_leaves_what_was_or_what_comes),
		TEST(a_change_is_made_to_what_is_on_the_disk),
		TEST(a_crash_in_a_write_leaves_the_file_before),
		TEST(a_byte_that_changed_anywhere_is_seen),
		TEST(a_file_that_is_cut_anywhere_is_seen),
		TEST(another_key_is_seen),
		TEST(where_there_are_none_nothing_is_made_for_who_looks),
		TEST(contradictions_are_seen_behind_a_good_checksum),
		TEST(ten_bytes_and_two_thirds_an_entry),
		TEST(what_bounced_ends),
		TEST(what_bounced_can_be_taken_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
