/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/bytes_wide.h"
#include "tests/unit/test.h"

BYTES_WIDE_CPU static inline wide_places is_pair(const uint8_t *p)
{
	return wide_letter(p, 'b') & wide_byte(p - 1, 'a');
}

BYTES_WIDE_CPU static size_t find_pair(const uint8_t *p, size_t len)
{
	return wide_find(p, len, is_pair);
}

static void the_first_pair_is_found(void **state)
{
	uint8_t text[300];

	if (!bytes_has_wide())
		skip();
	for (size_t len = BYTES_WIDE + 1; len < 200; len++) {
		for (size_t at = 1; at < len; at++) {
			memset(text, 'a', sizeof(text));
			text[at] = at & 1 ? 'b' : 'B';
			text[at + 1] = 'x';
			text[at + 2] = 'a';
			text[at + 3] = 'b';
			assert_int_equal(find_pair(text, len), at);
		}
	}
}

static void bytes_before_and_beyond_do_not_count(void **state)
{
	uint8_t text[300];

	if (!bytes_has_wide())
		skip();
	memset(text, 'a', sizeof(text));
	text[0] = 'b';
	for (size_t len = BYTES_WIDE + 1; len < 200; len++) {
		text[len] = 'b';
		assert_int_equal(find_pair(text, len), len);
		text[len] = 'a';
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_pair_is_found),
		cmocka_unit_test(bytes_before_and_beyond_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
