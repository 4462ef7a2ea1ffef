/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages beyond the parser's bounds: it says so, goes on, and loses no byte. */
#include "dataplane/proto/mime.h"
#include "tests/unit/test.h"

#define INPUT_MAX (24 << 20)

struct seen {
	unsigned limits[4];
	unsigned parts, ends, headers;
	unsigned needles; /* pieces of data with NEEDLE in them */
	size_t bytes;
	size_t longest; /* raw header */
	bool cut;
};

#define NEEDLE "needle"

static char *input;
static size_t input_len;

static void on_header(void *ctx, const struct mime_header *h)
{
	struct seen *seen = ctx;

	seen->headers++;
	seen->cut |= h->cut;
	if (h->raw.len > seen->longest)
		seen->longest = h->raw.len;
}

static void on_part_begin(void *ctx, const struct mime_part *p)
{
	((struct seen *)ctx)->parts++;
}

static void on_data(void *ctx, uint16_t part, enum mime_data kind, struct bytes data)
{
	struct seen *seen = ctx;

	seen->bytes += data.len;
	seen->needles += !!memmem(data.p, data.len, NEEDLE, strlen(NEEDLE));
}

static void on_part_end(void *ctx, uint16_t part)
{
	((struct seen *)ctx)->ends++;
}

static void on_limit(void *ctx, uint16_t part, enum mime_limit limit)
{
	((struct seen *)ctx)->limits[limit]++;
}

static const struct mime_sink sink = {
	.header = on_header,
	.part_begin = on_part_begin,
	.data = on_data,
	.part_end = on_part_end,
	.limit = on_limit,
};

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void add(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	input_len += (size_t)vsnprintf(input + input_len, INPUT_MAX - input_len, format, args);
	va_end(args);
	assert_true(input_len < INPUT_MAX);
}

static void fill(char c, size_t n)
{
	assert_true(input_len + n < INPUT_MAX);
	memset(input + input_len, c, n);
	input_len += n;
}

/* In segments, as from the wire. Begins the next input. */
static struct seen parse(void)
{
	struct seen seen = {0};
	struct mime *m = malloc(sizeof(*m));

	assert_non_null(m);
	mime_init(m);
	for (size_t at = 0; at < input_len; at += 1448)
		mime_feed(m, (uint8_t *)input + at, input_len - at < 1448 ? input_len - at : 1448,
			  &sink, &seen);
	mime_finish(m, &sink, &seen);
	free(m);
	assert_int_equal(seen.parts, seen.ends);
	input_len = 0;
	return seen;
}

static void state_fits_its_block(void **state)
{
	assert_in_range(sizeof(struct mime), 1, 12 << 10);
}

static void multiparts_nest_as_deep_as_the_bound_and_the_rest_is_a_leaf(void **state)
{
	struct seen seen;

	for (unsigned depth = MIME_DEPTH; depth <= MIME_DEPTH + 20; depth++) {
		for (unsigned i = 0; i < depth; i++)
			add("Content-Type: multipart/mixed; boundary=\"b%u\"\r\n\r\n--b%u\r\n", i,
			    i);
		add("\r\n" NEEDLE "\r\n");
		seen = parse();
		assert_int_equal(seen.limits[MIME_LIMIT_DEPTH], depth > MIME_DEPTH);
		assert_int_equal(seen.parts, MIME_DEPTH + 1);
		assert_int_equal(seen.needles, 1);
	}
}

static void messages_nest_as_deep_as_the_bound(void **state)
{
	struct seen seen;

	for (unsigned i = 0; i < 1000; i++)
		add("Content-Type: message/rfc822\r\n\r\n");
	add("Subject: x\r\n\r\n" NEEDLE);
	seen = parse();
	assert_int_equal(seen.limits[MIME_LIMIT_DEPTH], 1);
	assert_int_equal(seen.parts, MIME_DEPTH + 1);
	assert_int_equal(seen.needles, 1);
}

static void parts_beyond_the_bound_are_one_leaf(void **state)
{
	struct seen seen;

	add("Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (unsigned i = 0; i < 100000; i++)
		add("--b\r\n\r\nx\r\n");
	add("--b\r\nContent-Type: text/plain\r\n\r\n" NEEDLE "\r\n--b--\r\n");
	seen = parse();
	assert_int_equal(seen.limits[MIME_LIMIT_PARTS], 1);
	assert_int_equal(seen.parts, MIME_PARTS + 1);
	assert_int_equal(seen.needles, 1);
}

static void boundaries_up_to_the_bound_are_taken(void **state)
{
	struct seen seen;

	for (size_t len = MIME_BOUNDARY - 1; len <= MIME_BOUNDARY + 1; len++) {
		add("Content-Type: multipart/mixed; boundary=\"");
		fill('b', len);
		add("\"\r\n\r\n--");
		fill('b', len);
		add("\r\n\r\n" NEEDLE "\r\n--");
		fill('b', len);
		add("--\r\n");
		seen = parse();
		assert_int_equal(seen.limits[MIME_LIMIT_BOUNDARY], len > MIME_BOUNDARY);
		assert_int_equal(seen.parts, len > MIME_BOUNDARY ? 1 : 2);
		assert_int_equal(seen.needles, 1);
	}
}

static void boundaries_that_are_too_many_bytes_together_are_refused(void **state)
{
	struct seen seen;

	for (unsigned i = 0; i < 10; i++) {
		add("Content-Type: multipart/mixed; boundary=\"%u", i);
		fill('b', MIME_BOUNDARY - 1);
		add("\"\r\n\r\n--%u", i);
		fill('b', MIME_BOUNDARY - 1);
		add("\r\n");
	}
	add("\r\n" NEEDLE);
	seen = parse();
	assert_int_equal(seen.limits[MIME_LIMIT_BOUNDARY], 1);
	assert_int_equal(seen.parts, MIME_BOUNDARIES / MIME_BOUNDARY + 1);
	assert_int_equal(seen.needles, 1);
}

static void a_header_without_an_end_is_cut(void **state)
{
	struct seen seen;

	add("Subject:");
	fill('x', 10 << 20);
	seen = parse();
	assert_int_equal(seen.limits[MIME_LIMIT_HEADER], 1);
	assert_int_equal(seen.headers, 1);
	assert_int_equal(seen.longest, MIME_HEADER - strlen("Subject"));
	assert_true(seen.cut);
}

static void a_folded_header_without_an_end_is_cut(void **state)
{
	struct seen seen;

	add("Subject: x");
	for (unsigned i = 0; i < 1 << 20; i++)
		add("\r\n y");
	add("\r\n\r\n" NEEDLE);
	seen = parse();
	assert_int_equal(seen.limits[MIME_LIMIT_HEADER], 1);
	assert_int_equal(seen.needles, 1);
}

static void a_hundred_thousand_headers_are_told(void **state)
{
	struct seen seen;

	for (unsigned i = 0; i < 100000; i++)
		add("a:\n");
	add("\n" NEEDLE);
	seen = parse();
	assert_int_equal(seen.headers, 100000);
	assert_int_equal(seen.needles, 1);
}

/* Megabytes of lines that may each be one of sixteen delimiters: linear, or this takes minutes. */
static void lines_that_are_nearly_delimiters_cost_a_look_each(void **state)
{
	struct seen seen;
	size_t before;

	for (unsigned i = 0; i < MIME_DEPTH; i++)
		add("Content-Type: multipart/mixed; boundary=\"%060u\"\r\n\r\n--%060u\r\n", i, i);
	add("\r\n");
	before = input_len;
	for (unsigned i = 0; i < 100000; i++)
		add("--%059u\r\n--%060u -\r\n", 0, i % MIME_DEPTH);
	before = input_len - before;
	seen = parse();
	assert_int_equal(seen.parts, MIME_DEPTH + 1);
	assert_int_equal(seen.bytes, before - 2); /* the last line end is nobody's */
}

static void dashes_and_line_ends_alone_are_linear_too(void **state)
{
	struct seen seen;

	add("Content-Type: multipart/mixed; boundary=b\n\n--b\n\n");
	for (unsigned i = 0; i < 1 << 20; i++)
		add("--\n\n-\r");
	seen = parse();
	assert_int_equal(seen.parts, 2);
	assert_int_equal(seen.bytes, (6u << 20) - 1);
}

static int begin(void **state)
{
	input = malloc(INPUT_MAX);
	return !input;
}

static int end(void **state)
{
	free(input);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_fits_its_block),
		cmocka_unit_test(multiparts_nest_as_deep_as_the_bound_and_the_rest_is_a_leaf),
		cmocka_unit_test(messages_nest_as_deep_as_the_bound),
		cmocka_unit_test(parts_beyond_the_bound_are_one_leaf),
		cmocka_unit_test(boundaries_up_to_the_bound_are_taken),
		cmocka_unit_test(boundaries_that_are_too_many_bytes_together_are_refused),
		cmocka_unit_test(a_header_without_an_end_is_cut),
		cmocka_unit_test(a_folded_header_without_an_end_is_cut),
		cmocka_unit_test(a_hundred_thousand_headers_are_told),
		cmocka_unit_test(lines_that_are_nearly_delimiters_cost_a_look_each),
		cmocka_unit_test(dashes_and_line_ends_alone_are_linear_too),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
