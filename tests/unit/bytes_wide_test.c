/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/bytes_wide.h"
#include "tests/unit/test.h"

BYTES_WIDE_CPU static inline uint32_t pair_masks(const uint8_t *p)
{
	return wide_mask(p, 'b') & wide_mask(p - 1, 'a');
}

BYTES_WIDE_CPU static size_t find_pair(const uint8_t *p, size_t len)
{
	return wide_find(p, len, pair_masks);
}

/* The first pair, or a place before it that is too near the end to be asked about. */
static void the_first_pair_is_found_and_none_passed_over(void **state)
{
	uint8_t text[200];

	if (!bytes_has_wide())
		skip();
	for (size_t len = 1; len < 140; len++) {
		for (size_t at = 1; at < len; at++) {
			size_t found;

			memset(text, 'a', sizeof(text));
			text[at] = 'b'; /* "ab" */
			text[at + 1] = 'b';
			found = find_pair(text, len);
			assert_true(found <= at);
			assert_true(found == at || found + BYTES_WIDE > len);
		}
	}
}

static void bytes_beyond_the_end_do_not_count(void **state)
{
	uint8_t text[200];

	if (!bytes_has_wide())
		skip();
	memset(text, '.', sizeof(text));
	for (size_t len = 0; len < 140; len++) {
		size_t found;

		memcpy(text + len, "ab", 2);
		found = find_pair(text, len);
		assert_true(found >= 1 && found + BYTES_WIDE > len);
		text[len] = text[len + 1] = '.';
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_pair_is_found_and_none_passed_over),
		cmocka_unit_test(bytes_beyond_the_end_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
