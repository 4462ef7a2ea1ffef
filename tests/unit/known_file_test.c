/* SPDX-License-Identifier: BSD-3-Clause */
/* What is known of recipients, in a file and back; files that are cut, damaged, old, another's. */
#include "dataplane/policy/known_file.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/test.h"

#define DAY     (UINT64_C(86400) * 1000000000)
#define NOW     (UINT64_C(20000) * DAY + DAY / 3)
#define WIDTH   256
#define TENANTS 4
#define DAYS    90

static char path[] = "/tmp/known_file_test.XXXXXX";
static struct tenant_slot slots[TENANTS] = {{0}, {.id = 11}, {.id = 22}, {.id = 33}};
static const struct policy policy = {.slots = slots, .slot_count = TENANTS};

static struct mail_watch *watch_new(uint32_t width, const char *key)
{
	const struct policy_budgets budgets = {
		.recipient_counts = 256, .known_recipients = width, .suppressed = 256};
	struct mail_watch *w;

	assert_int_equal(mail_watch_new(&budgets, TENANTS, (const uint8_t *)key, &w), 0);
	return w;
}

static bool meets(struct mail_watch *w, uint32_t tenant, uint64_t thing)
{
	return known_set_meet(&w->known, mail_watch_key(w, tenant, thing), NOW / DAY, DAYS);
}

static bool knows(const struct mail_watch *w, uint32_t tenant, uint64_t thing)
{
	return known_set_has(&w->known, mail_watch_key(w, tenant, thing), NOW / DAY, DAYS);
}

/* Knows 3 of tenant 11's, who had 5 different ones today, and 1 of tenant 33's. */
static struct mail_watch *watch_filled(void)
{
	struct mail_watch *w = watch_new(WIDTH, "0123456789abcdef");

	for (uint64_t i = 1; i <= 3; i++)
		assert_false(meets(w, 11, i * 0x9e3779b97f4a7c15));
	meets(w, 33, 77);
	for (unsigned i = 0; i < 5; i++)
		mail_watch_day_add(&mail_watch_of(w, 1, 11)->day_recipients, 11, NOW, 0);
	mail_watch_day_add(&mail_watch_of(w, 3, 33)->day_domains, 33, NOW, 0);
	atomic_store(&w->began, NOW - 3 * DAY);
	return w;
}

static int read_into(struct mail_watch *w, uint64_t now)
{
	char words[KNOWN_WORDS];
	int rc = known_file_read(path, w, &policy, now, words);

	assert_true(!rc || words[0]);
	return rc;
}

/* As it was made: nothing of the file has come to it. */
static void expect_untouched(struct mail_watch *w)
{
	for (uint64_t i = 0; i < SKETCH_ROWS * w->known.width; i++)
		assert_int_equal(atomic_load(&w->known.cells[i]), 0);
	assert_memory_equal(w->key, "fedcba9876543210", 16);
	assert_int_equal(atomic_load(&w->began), 0);
	for (uint32_t slot = 0; slot < TENANTS; slot++)
		assert_int_equal(atomic_load(&w->tenant[slot].day_tenant), 0);
}

static void expect_refused(uint64_t now, int error)
{
	struct mail_watch *w = watch_new(WIDTH, "fedcba9876543210");

	assert_int_equal(read_into(w, now), error);
	expect_untouched(w);
	mail_watch_free(w);
}

static void what_was_known_is_known_again(void **state)
{
	struct mail_watch *w = watch_filled(), *again = watch_new(WIDTH, "fedcba9876543210");
	struct stat st;

	assert_int_equal(known_file_write(path, w, NOW), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* Tenant 33 has another slot by now, and 22 has none. */
	slots[2].id = 33;
	slots[3].id = 0;
	assert_int_equal(read_into(again, NOW + DAY), 0);
	slots[2].id = 22;
	slots[3].id = 33;
	for (uint64_t i = 1; i <= 3; i++)
		assert_true(knows(again, 11, i * 0x9e3779b97f4a7c15));
	assert_true(knows(again, 33, 77));
	assert_false(knows(again, 22, 77));
	assert_int_equal(atomic_load(&again->began), NOW - 3 * DAY);
	assert_int_equal(mail_watch_day_add(&again->tenant[1].day_recipients, 11, NOW, 0), 6);
	assert_int_equal(mail_watch_day_add(&again->tenant[2].day_domains, 33, NOW, 0), 2);
	assert_int_equal(atomic_load(&again->tenant[3].day_tenant), 0);
	/* Another tenant in the slot has counts of its own. */
	assert_int_equal(
		mail_watch_day_add(&mail_watch_of(again, 1, 44)->day_recipients, 44, NOW, 0), 1);
	mail_watch_free(again);
	mail_watch_free(w);
}

static void a_file_that_is_cut_anywhere_is_as_none(void **state)
{
	struct mail_watch *w = watch_filled();
	struct stat st;

	assert_int_equal(known_file_write(path, w, NOW), 0);
	assert_int_equal(stat(path, &st), 0);
	for (off_t size = st.st_size - 1; size >= 0; size -= size > 200 ? 37 : 1) {
		assert_int_equal(truncate(path, size), 0);
		expect_refused(NOW, -EBADMSG);
	}
	/* And one that is longer. */
	assert_int_equal(known_file_write(path, w, NOW), 0);
	assert_int_equal(truncate(path, st.st_size + 1), 0);
	expect_refused(NOW, -EBADMSG);
	mail_watch_free(w);
}

static void a_damaged_file_is_as_none(void **state)
{
	struct mail_watch *w = watch_filled();
	struct stat st;

	assert_int_equal(known_file_write(path, w, NOW), 0);
	assert_int_equal(stat(path, &st), 0);
	for (off_t at = 0; at<st.st_size; at += at> 200 ? 41 : 1) {
		FILE *file = fopen(path, "r+b");
		int c;

		assert_non_null(file);
		fseek(file, at, SEEK_SET);
		c = fgetc(file);
		fseek(file, at, SEEK_SET);
		fputc(c ^ 0x10, file);
		fclose(file);
		expect_refused(NOW, -EBADMSG);
		assert_int_equal(known_file_write(path, w, NOW), 0);
	}
	mail_watch_free(w);
}

static void an_old_one_another_size_and_none_begin_anew(void **state)
{
	struct mail_watch *w = watch_filled(), *wide = watch_new(4 * WIDTH, "fedcba9876543210");

	assert_int_equal(known_file_write(path, w, NOW), 0);
	expect_refused(NOW + 201 * DAY, -EBADMSG);
	assert_int_equal(read_into(wide, NOW), -EBADMSG);
	expect_untouched(wide);
	unlink(path);
	expect_refused(NOW, -ENOENT);
	/* A link is nobody's file. */
	assert_int_equal(symlink("/dev/zero", path), 0);
	expect_refused(NOW, -ELOOP);
	unlink(path);
	assert_int_equal(known_file_write("/nowhere/at/all", w, NOW), -ENOENT);
	mail_watch_free(wide);
	mail_watch_free(w);
}

static _Atomic bool stop;

static void *meet_others(void *arg)
{
	for (uint64_t i = 0; !atomic_load(&stop); i++) {
		meets(arg, 22, i * 7919);
		mail_watch_day_add(&mail_watch_of(arg, 2, 22)->day_recipients, 22, NOW, 0);
	}
	return NULL;
}

static void what_is_written_while_workers_go_on_is_whole(void **state)
{
	struct mail_watch *w = watch_filled();
	pthread_t worker;

	assert_int_equal(pthread_create(&worker, NULL, meet_others, w), 0);
	for (unsigned i = 0; i < 50; i++) {
		struct mail_watch *again = watch_new(WIDTH, "fedcba9876543210");

		assert_int_equal(known_file_write(path, w, NOW), 0);
		assert_int_equal(read_into(again, NOW), 0);
		assert_true(knows(again, 33, 77));
		mail_watch_free(again);
	}
	atomic_store(&stop, true);
	pthread_join(worker, NULL);
	mail_watch_free(w);
}

#define MANY 50000

static _Atomic bool begun;

/* One after the other, from the first slot on. */
static void *begin_others(void *arg)
{
	for (uint32_t slot = 1; slot < MANY - 1; slot++) {
		mail_watch_of(arg, slot, slot);
		atomic_store(&begun, true);
	}
	return NULL;
}

/* In slots before his. */
static struct mail_watch *write_while_others_begin(const struct policy_budgets *budgets)
{
	struct mail_watch *w;
	pthread_t worker;

	assert_int_equal(mail_watch_new(budgets, MANY, NULL, &w), 0);
	mail_watch_of(w, MANY - 1, MANY - 1);
	atomic_store(&begun, false);
	assert_int_equal(pthread_create(&worker, NULL, begin_others, w), 0);
	while (!atomic_load(&begun))
		sched_yield();
	assert_int_equal(known_file_write(path, w, NOW), 0);
	pthread_join(worker, NULL);
	mail_watch_free(w);
	assert_int_equal(mail_watch_new(budgets, MANY, NULL, &w), 0);
	return w;
}

/* Whoever is new has room of his own in the file, or none: not another's. */
static void who_had_counts_is_in_the_file_though_others_begin_meanwhile(void **state)
{
	const struct policy_budgets budgets = {
		.recipient_counts = 256, .known_recipients = WIDTH, .suppressed = 256};
	struct tenant_slot *many = calloc(MANY, sizeof(*many));
	const struct policy them = {.slots = many, .slot_count = MANY};
	char words[KNOWN_WORDS];

	assert_non_null(many);
	many[MANY - 1].id = MANY - 1;
	for (unsigned round = 0; round < 10; round++) {
		struct mail_watch *again = write_while_others_begin(&budgets);

		assert_int_equal(known_file_read(path, again, &them, NOW, words), 0);
		assert_int_equal(atomic_load(&again->tenant[MANY - 1].day_tenant), MANY - 1);
		mail_watch_free(again);
	}
	free(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_known_is_known_again),
		cmocka_unit_test(a_file_that_is_cut_anywhere_is_as_none),
		cmocka_unit_test(a_damaged_file_is_as_none),
		cmocka_unit_test(an_old_one_another_size_and_none_begin_anew),
		cmocka_unit_test(what_is_written_while_workers_go_on_is_whole),
		cmocka_unit_test(who_had_counts_is_in_the_file_though_others_begin_meanwhile),
	};
	int fd = mkstemp(path), failed;

	if (fd < 0)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
