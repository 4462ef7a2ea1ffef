/* SPDX-License-Identifier: BSD-3-Clause */
/* Files of people: lines, columns, gzip, and what is wrong with them. */
#include "control/lists/list_import.h"

#include <errno.h>
#include <fcntl.h>
#include <zlib.h>

#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

static const uint64_t key[2] = {1, 2};
static struct diag diag;
static struct list_import m;

static void begin(const char *kind, const char *column)
{
	diag = (struct diag){0};
	m = (struct list_import){.info = list_kind_find(kind),
				 .key = key,
				 .owner = 1,
				 .name = "f",
				 .column = column,
				 .diag = &diag};
	assert_non_null(m.info);
}

static void end(void)
{
	list_import_fini(&m);
	diag_fini(&diag);
}

static int feed(const char *text, size_t len, size_t piece)
{
	int rc = 0;

	for (size_t at = 0; at < len && !rc; at += piece)
		rc = list_import_feed(&m, text + at, piece < len - at ? piece : len - at);
	return rc ? rc : list_import_end(&m);
}

static bool has(const char *entry)
{
	uint64_t hash = list_kind_hash(m.info, key, 1, entry, strlen(entry));

	for (size_t i = 0; i < m.hashes.count; i++)
		if (m.hashes.hashes[i] == hash)
			return true;
	return false;
}

/* Whole, and in pieces of any size: the same. */
static void expect(const char *kind, const char *column, const char *text, size_t entries,
		   uint64_t bad)
{
	size_t len = strlen(text);

	for (size_t piece = 1; piece <= len; piece++) {
		begin(kind, column);
		assert_int_equal(feed(text, len, piece), 0);
		assert_int_equal(m.hashes.count, entries);
		assert_int_equal(m.bad, bad);
		assert_int_equal(diag.errors, bad);
		if (piece < len)
			end();
	}
}

static void a_line_is_an_entry(void **state)
{
	expect("optout", NULL, "# who\n\n A@Example.com\r\n<b@example.com>\n\tc@example.com", 3, 0);
	assert_true(has("a@example.com") && has("b@example.com") && has("c@example.com"));
	end();
	expect("dnc", NULL, "+1 (415) 555-0100\n14155550101\n", 2, 0);
	assert_true(has("14155550100"));
	end();
	expect("domain", NULL,
	       "Example.com.\n.example.net\nb\xc3\xbc"
	       "cher.example\n",
	       3, 0);
	assert_true(has("example.com") && has(".example.net") && has("xn--bcher-kva.example"));
	assert_false(has("example.net"));
	end();
	expect("optout", NULL,
	       "\xef\xbb\xbf"
	       "a@example.com\n",
	       1, 0);
	assert_true(has("a@example.com"));
	end();
}

static void bad_lines_are_told_with_their_number(void **state)
{
	expect("optout", NULL, "a@example.com\nnobody\n\nb@c d\nb@example.com\n", 2, 2);
	assert_int_equal(diag.items[0].line, 2);
	assert_string_equal(diag.items[0].text,
			    "expected an address such as user@example.com, not \"nobody\"");
	assert_int_equal(diag.items[1].line, 4);
	end();
	expect("domain", NULL, "user@example.com\n", 0, 1);
	end();
}

static void what_looks_like_columns_is_told_how_to_say_which(void **state)
{
	expect("optout", NULL, "name,mail\nAnn,a@example.com\n", 1, 1);
	assert_non_null(strstr(diag.items[0].text, "--column"));
	end();
}

static void a_column_is_found_by_its_name(void **state)
{
	const char *const text =
		"name;Mail;when\r\n\"Ann; \"\"A\"\"\r\nof acme\";a@example.com;x\r\n"
		"Bob; \"b@example.com\" ;y\r\nc;c@example.com\r\n";

	expect("optout", "mail", "name,mail\nAnn,a@example.com\n\"B, b\",\"b@example.com\"\n", 2,
	       0);
	assert_true(has("a@example.com") && has("b@example.com"));
	end();
	expect("optout", "MAIL", text, 2, 1);
	assert_true(has("a@example.com") && has("c@example.com"));
	end();
	expect("optout", "mail", "mail\tx\na@example.com\ty\nb\n\nonly\t\n", 1, 2);
	end();
}

static void a_column_that_is_not_there_is_an_error(void **state)
{
	begin("optout", "mail");
	assert_int_equal(feed("name,address\nAnn,a@example.com\n", 32, 32), -EINVAL);
	assert_string_equal(diag.items[0].text,
			    "there is no column \"mail\": there are \"name\", \"address\"");
	assert_int_equal(m.hashes.count, 0);
	end();
	begin("optout", "mail");
	assert_int_equal(feed("", 0, 1), -EINVAL);
	end();
}

static void lines_without_an_end_are_bounded(void **state)
{
	size_t len = 3 * LIST_RECORD_MAX;
	char *text = malloc(len);

	assert_non_null(text);
	memset(text, 'a', len);
	memcpy(text + len - 17, "\na@example.com\nx\n", 17);
	begin("optout", NULL);
	assert_int_equal(feed(text, len, 1000), 0);
	assert_int_equal(m.hashes.count, 1);
	assert_int_equal(m.bad, 2);
	end();
	/* A quote without its other one takes a record with it, not the file. */
	memcpy(text, "m\n\"", 3);
	memset(text + LIST_RECORD_MAX + 100, '\n', 1);
	begin("optout", "m");
	assert_int_equal(feed(text, len, 999), 0);
	assert_int_equal(m.hashes.count, 1);
	assert_true(m.bad >= 2);
	assert_true(m.held_room < 4 * LIST_RECORD_MAX);
	end();
	free(text);
}

static int file_of(const void *data, size_t size)
{
	int fd = open(scratch_path("file"), O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void a_file_may_be_compressed(void **state)
{
	static const char text[] = "a@example.com\nb@example.com\n";
	gzFile out = gzopen(scratch_path("file"), "w");
	char packed[256];
	ssize_t size;
	int fd;

	assert_non_null(out);
	assert_int_equal(gzwrite(out, text, sizeof(text) - 1), sizeof(text) - 1);
	assert_int_equal(gzclose(out), Z_OK);
	fd = open(scratch_path("file"), O_RDONLY);
	size = read(fd, packed, sizeof(packed));
	close(fd);
	fd = file_of(packed, (size_t)size);
	begin("optout", NULL);
	assert_int_equal(list_import_file(&m, fd), 0);
	assert_int_equal(m.hashes.count, 2);
	end();
	close(fd);
	fd = file_of(text, sizeof(text) - 1);
	begin("optout", NULL);
	assert_int_equal(list_import_file(&m, fd), 0);
	assert_int_equal(m.hashes.count, 2);
	end();
	close(fd);
	/* Cut anywhere behind what says that it is gzip's. */
	for (ssize_t cut = 10; cut < size; cut++) {
		fd = file_of(packed, (size_t)cut);
		begin("optout", NULL);
		assert_true(list_import_file(&m, fd) < 0);
		assert_true(diag.errors > 0);
		end();
		close(fd);
	}
}

static void what_can_t_be_read_is_an_error(void **state)
{
	int fd = open(scratch_dir, O_RDONLY | O_DIRECTORY);

	begin("optout", NULL);
	assert_true(list_import_file(&m, fd) < 0);
	assert_int_equal(diag.errors, 1);
	end();
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_an_entry),
		cmocka_unit_test(bad_lines_are_told_with_their_number),
		cmocka_unit_test(what_looks_like_columns_is_told_how_to_say_which),
		cmocka_unit_test(a_column_is_found_by_its_name),
		cmocka_unit_test(a_column_that_is_not_there_is_an_error),
		cmocka_unit_test(lines_without_an_end_are_bounded),
		cmocka_unit_test(a_file_may_be_compressed),
		cmocka_unit_test(what_can_t_be_read_is_an_error),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
