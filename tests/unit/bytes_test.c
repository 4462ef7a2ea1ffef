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
		cmocka_unit_test(trimming_leaves_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
