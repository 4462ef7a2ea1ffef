/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/mime_param.h"
#include "tests/unit/test.h"

static void expect(const char *header, const char *name, const char *want)
{
	uint8_t out[256];
	bool cut = false;
	int n = param_find(bytes_of(header, strlen(header)), bytes_of(name, strlen(name)), true,
			   out, sizeof(out) - 1, &cut);

	if (!want) {
		assert_int_equal(n, -1);
		return;
	}
	assert_true(n >= 0);
	out[n] = 0;
	assert_string_equal((char *)out, want);
	assert_false(cut);
}

static void tokens_and_quoted_strings_are_values(void **state)
{
	expect("text/plain; charset=utf-8", "charset", "utf-8");
	expect("text/plain ; CharSet = \"utf-8\" ; x=y", "charset", "utf-8");
	expect("multipart/mixed; boundary=\"a;b=\\\"c\\\\\"", "boundary", "a;b=\"c\\");
	expect("a/b; name=\"C:\\dir\\file\"", "name", "C:\\dir\\file");
	expect("a/b; name=two words.txt; x=1", "name", "two words.txt");
	expect("a/b; name=", "name", "");
	expect("a/b; name=\"open", "name", "open");
}

static void what_is_absent_is_told_from_what_is_empty(void **state)
{
	expect("text/plain", "charset", NULL);
	expect("text/plain; charset", "charset", NULL);
	expect("text/plain; charsets=x", "charset", NULL);
	expect("text/plain; x=\"; charset=y\"", "charset", NULL);
	expect("", "charset", NULL);
}

static void a_missing_semicolon_is_forgiven(void **state)
{
	expect("multipart/mixed boundary=\"x\"", "boundary", "x");
}

static void the_first_of_a_name_counts(void **state)
{
	expect("a/b; name=one; name=two", "name", "one");
}

static void extended_values_decode(void **state)
{
	expect("x; filename*=UTF-8''caf%C3%A9%20x", "filename", "café x");
	expect("x; filename*=iso-8859-1'en'caf%e9", "filename", "café");
	expect("x; filename=plain; filename*=utf-8''better", "filename", "better");
	expect("x; filename*=no-quotes%20here", "filename", "no-quotes here");
	expect("x; filename*=utf-8''50%", "filename", "50%");
}

static void continued_values_join_in_their_order(void **state)
{
	expect("x; filename*1=\"b.t\"; filename*0=a; filename*2=xt", "filename", "ab.txt");
	expect("x; filename*0*=iso-8859-1''%E9; filename*1*=%E8; filename*2=%41", "filename",
	       "éè%41");
	expect("x; filename*0=a; filename*2=c", "filename", "a");
	expect("x; filename*1=b", "filename", NULL);
}

static void encoded_words_in_values_decode(void **state)
{
	expect("x; filename=\"=?utf-8?B?Y2Fmw6k=?=.txt\"", "filename", "café.txt");
	expect("x; filename==?utf-8?Q?a?=", "filename", "a");
}

static void a_value_that_does_not_fit_is_cut_and_said_so(void **state)
{
	uint8_t out[4];
	bool cut = false;

	assert_int_equal(param_find(BYTES("x; a=12345"), BYTES("a"), true, out, 4, &cut), 4);
	assert_true(cut);
	assert_memory_equal(out, "1234", 4);
}

static void the_token_is_what_comes_first(void **state)
{
	assert_true(bytes_eq(param_token(BYTES(" text/plain;x")), BYTES("text/plain")));
	assert_true(bytes_eq(param_token(BYTES("base64 (comment)")), BYTES("base64")));
	assert_int_equal(param_token(BYTES("  ")).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_and_quoted_strings_are_values),
		cmocka_unit_test(what_is_absent_is_told_from_what_is_empty),
		cmocka_unit_test(a_missing_semicolon_is_forgiven),
		cmocka_unit_test(the_first_of_a_name_counts),
		cmocka_unit_test(extended_values_decode),
		cmocka_unit_test(continued_values_join_in_their_order),
		cmocka_unit_test(encoded_words_in_values_decode),
		cmocka_unit_test(a_value_that_does_not_fit_is_cut_and_said_so),
		cmocka_unit_test(the_token_is_what_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
