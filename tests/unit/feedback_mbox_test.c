/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a mailbox's messages begin, and what is in them. */
#include "control/feedback/feedback_mbox.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/test.h"

#define FROM "From fbl@isp.example Thu Nov 26 06:00:00 2026\n"

static void on_begin(void *ctx, uint64_t line)
{
	fprintf(ctx, "[%llu:", (unsigned long long)line);
}

static void on_data(void *ctx, struct bytes data)
{
	fwrite(data.p, 1, data.len, ctx);
}

static void on_end(void *ctx)
{
	fputs("]", ctx);
}

/* Each message as "[LINE:TEXT]", fed in pieces after a first one. */
static char *run(const char *in, size_t first, size_t piece)
{
	const size_t len = strlen(in);
	struct mbox m;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	const struct mbox_sink sink = {on_begin, on_data, on_end, out};

	assert_non_null(out);
	mbox_init(&m);
	mbox_feed(&m, bytes_of(in, first), &sink);
	for (size_t at = first, n; at < len; at += n) {
		n = len - at < piece ? len - at : piece;
		mbox_feed(&m, bytes_of(in + at, n), &sink);
	}
	mbox_finish(&m, &sink);
	fclose(out);
	return text;
}

static void expect(const char *in, const char *want)
{
	const size_t len = strlen(in);
	char *got = run(in, len, 1);

	assert_string_equal(got, want);
	free(got);
	for (size_t cut = 0; cut < len; cut++) {
		got = run(in, cut, len);
		assert_string_equal(got, want);
		free(got);
	}
	got = run(in, 0, 1);
	assert_string_equal(got, want);
	free(got);
}

static void a_mail_alone_is_told_as_it_is(void **state)
{
	expect("Subject: x\n\n" FROM "text\n", "[1:Subject: x\n\n" FROM "text\n]");
	expect("\n" FROM "a: b\n", "[1:\n" FROM "a: b\n]");
	expect("Fro", "[1:Fro]");
	expect(">From x", "[1:>From x]");
	expect("From: a@b\n\nx", "[1:From: a@b\n\nx]");
	expect("", "[1:]");
}

static void messages_begin_at_from_lines_with_a_time_after_an_empty_line(void **state)
{
	expect(FROM "a: 1\n\nb\n\n" FROM "a: 2\n", "[1:a: 1\n\nb\n\n][6:a: 2\n]");
	expect("From x\na: 1\n\n" FROM "a: 2", "[1:a: 1\n\n][4:a: 2]");
	expect(FROM, "[1:]");
	expect("From x", "[1:]");
	expect(FROM "\n" FROM "\n", "[1:\n][3:\n]");
	/* In a text: without a time, or in the middle of a paragraph. */
	expect(FROM "\nFrom our team\nx\n" FROM "y\n", "[1:\nFrom our team\nx\n" FROM "y\n]");
	/* One that some write with a zone, and with CRLF. */
	expect("From x Thu Nov 26 06:00:00 2026 +0100\r\na\r\n\r\nFrom y 6:00 06:00\r\nb\r\n",
	       "[1:a\r\n\r\n][4:b\r\n]");
}

static void what_their_writers_quoted_is_as_it_was(void **state)
{
	expect(FROM "\n>From me\n>>From you\n> From\n>Fro\n>",
	       "[1:\nFrom me\n>From you\n> From\n>Fro\n>]");
}

static void a_line_of_any_length_is_one(void **state)
{
	const size_t len = 4 * MBOX_HEAD;
	char *in = malloc(2 * len + 256), *want = malloc(2 * len + 256);
	char *text = calloc(1, len + 1);

	assert_true(in && want && text);
	memset(text, 'x', len);
	sprintf(in, FROM "\nFrom %s\n%s\n\n" FROM "a", text, text);
	sprintf(want, "[1:\nFrom %s\n%s\n\n][6:a]", text, text);
	expect(in, want);
	memset(text, '>', len);
	sprintf(in, FROM "\n%sFrom x\n\n" FROM "a", text);
	sprintf(want, "[1:\n%sFrom x\n\n][5:a]", text);
	expect(in, want);
	free(in);
	free(want);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mail_alone_is_told_as_it_is),
		cmocka_unit_test(messages_begin_at_from_lines_with_a_time_after_an_empty_line),
		cmocka_unit_test(what_their_writers_quoted_is_as_it_was),
		cmocka_unit_test(a_line_of_any_length_is_one),
	};

	return cmocka_run_group_tests_name("feedback_mbox", tests, NULL, NULL);
}
