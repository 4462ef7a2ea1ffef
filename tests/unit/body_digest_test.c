/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/match/body_digest.h"

#include <string.h>

#include "tests/unit/test.h"

#define TEXT (BODY_DIGEST_MOST + 500)

static uint8_t text[TEXT];

static int set_up(void **state)
{
	for (size_t i = 0; i < TEXT; i++)
		text[i] = (uint8_t)("Dear friend, call 555-0100 or write to sales!\r\n"[i % 47] +
				    i / 4096);
	return 0;
}

static uint64_t digest_in_pieces(const uint8_t *p, size_t len, size_t piece)
{
	struct body_digest d;

	body_digest_init(&d);
	for (size_t i = 0; i < len; i += piece)
		body_digest_add(&d, p + i, len - i < piece ? len - i : piece);
	return body_digest_end(&d);
}

static uint64_t digest(const uint8_t *p, size_t len)
{
	return digest_in_pieces(p, len, len);
}

static void test_cuts_make_no_other_body(void **state)
{
	const uint64_t whole = digest(text, 2000), all = digest(text, TEXT);

	for (size_t piece = 1; piece < 2000; piece++)
		assert_int_equal(digest_in_pieces(text, 2000, piece), whole);
	for (size_t piece = 500; piece < 530; piece++)
		assert_int_equal(digest_in_pieces(text, TEXT, piece), all);
}

static void test_each_byte_counts(void **state)
{
	for (size_t len = BODY_DIGEST_LEAST; len < 200; len++) {
		const uint64_t before = digest(text, len);

		for (size_t i = 0; i < len; i++) {
			text[i] ^= 0x04; /* of a digit another one */
			if (text[i] >> 4 == 3)
				assert_int_equal(digest(text, len), before);
			else
				assert_int_not_equal(digest(text, len), before);
			text[i] ^= 0x04;
		}
		assert_int_not_equal(digest(text, len + 1), before);
	}
}

static void test_case_and_digits_do_not(void **state)
{
	static const char one[] =
		"Order no. 4711 of 01/02/2026: your INVOICE of USD 12.50 is overdue by 7 days";
	static const char other[] =
		"order NO. 9876 OF 31/12/1999: your invoice of usd 99.99 IS overdue by 3 days";
	static const char word[] =
		"order NO. 9876 OF 31/12/1999: your invoice of eur 99.99 IS overdue by 3 days";

	assert_int_equal(digest((const uint8_t *)one, strlen(one)),
			 digest((const uint8_t *)other, strlen(other)));
	assert_int_not_equal(digest((const uint8_t *)one, strlen(one)),
			     digest((const uint8_t *)word, strlen(word)));
}

static void test_what_is_short_has_none(void **state)
{
	assert_int_equal(digest(text, BODY_DIGEST_LEAST - 1), 0);
	assert_int_not_equal(digest(text, BODY_DIGEST_LEAST), 0);
	assert_int_equal(digest_in_pieces(text, 0, 1), 0);
}

static void test_beyond_its_bound_nothing_counts(void **state)
{
	const uint64_t before = digest(text, TEXT);

	assert_int_equal(digest(text, BODY_DIGEST_MOST), before);
	text[BODY_DIGEST_MOST] ^= 0x04;
	assert_int_equal(digest(text, TEXT), before);
	text[BODY_DIGEST_MOST] ^= 0x04;
	text[BODY_DIGEST_MOST - 1] ^= 0x44;
	assert_int_not_equal(digest(text, TEXT), before);
	text[BODY_DIGEST_MOST - 1] ^= 0x44;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_cuts_make_no_other_body, set_up),
		cmocka_unit_test_setup(test_each_byte_counts, set_up),
		cmocka_unit_test(test_case_and_digits_do_not),
		cmocka_unit_test(test_what_is_short_has_none),
		cmocka_unit_test_setup(test_beyond_its_bound_nothing_counts, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
