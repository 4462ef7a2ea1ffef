/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/bytes.h"
#include "tests/unit/test.h"

static void case_is_folded_for_letters_only(void **state)
{
	assert_true(bytes_caseeq(BYTES("Content-Type"), BYTES("cONTENT-tYPE")));
	assert_false(bytes_caseeq(BYTES("a@"), BYTES("a`")));
	assert_false(bytes_caseeq(BYTES("To"), BYTES("Too")));
	assert_true(bytes_case_starts(BYTES("MAIL FROM:<a@b>"), BYTES("mail from:")));
}

/* Any two bytes at each place of texts of each length, against a comparison of one by one. */
static void words_compare_as_bytes_do(void **state)
{
	char a[40], b[40];

	memset(a, 'x', sizeof(a));
	memset(b, 'X', sizeof(b));
	for (size_t len = 1; len < sizeof(a); len++) {
		for (unsigned pair = 0; pair < 65536; pair += len < 9 ? 1 : 37) {
			size_t at = pair % len;
			uint8_t x = (uint8_t)pair, y = (uint8_t)(pair >> 8);

			a[at] = (char)x;
			b[at] = (char)y;
			assert_int_equal(bytes_caseeq(bytes_of(a, len), bytes_of(b, len)),
					 ascii_lower(x) == ascii_lower(y));
			assert_int_equal(bytes_word(bytes_of(a, len < 8 ? len : 8)) ==
						 bytes_word(bytes_of(b, len < 8 ? len : 8)),
					 len == 1 && x == y);
			a[at] = 'x';
			b[at] = 'X';
		}
		assert_false(bytes_caseeq(bytes_of(a, len), bytes_of(b, len - 1)));
		assert_true(bytes_case_starts(bytes_of(a, len), bytes_of(b, len - 1)));
		assert_false(bytes_case_starts(bytes_of(a, len - 1), bytes_of(b, len)));
	}
}

static void a_byte_below_the_least_is_seen_at_any_place(void **state)
{
	uint8_t s[40];

	for (size_t len = 1; len < sizeof(s); len++) {
		for (unsigned c = 0; c < 256; c++) {
			memset(s, 0xff, sizeof(s));
			s[len] = 0;
			s[c % len] = (uint8_t)c;
			assert_int_equal(bytes_all_from(bytes_of(s, len), ' '), c >= ' ');
			assert_int_equal(bytes_all_from(bytes_of(s, len), ' ' + 1), c > ' ');
		}
	}
	assert_true(bytes_all_from(bytes_of(s, 0), ' '));
}

static void trimming_leaves_the_middle(void **state)
{
	struct bytes t = bytes_trim(BYTES(" \t a b \r\n"));

	assert_true(bytes_eq(t, BYTES("a b")));
	assert_int_equal(bytes_trim(BYTES(" \r\n")).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(case_is_folded_for_letters_only),
		cmocka_unit_test(words_compare_as_bytes_do),
		cmocka_unit_test(a_byte_below_the_least_is_seen_at_any_place),
		cmocka_unit_test(trimming_leaves_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
