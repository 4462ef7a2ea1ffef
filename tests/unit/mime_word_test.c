/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/mime_word.h"
#include "tests/unit/test.h"

static void expect(const char *in, const char *want)
{
	uint8_t out[512];
	bool cut;
	size_t n = word_decode(bytes_of(in, strlen(in)), out, sizeof(out) - 1, &cut);

	out[n] = 0;
	assert_string_equal((char *)out, want);
	assert_false(cut);
}

static void both_encodings_decode(void **state)
{
	expect("=?UTF-8?Q?caf=C3=A9_au_lait?=", "café au lait");
	expect("=?utf-8?b?Y2Fmw6k=?=", "café");
	expect("=?US-ASCII?q?a=3Fb?=", "a?b");
	expect("=?utf-8?Q?=41?=", "A");
	expect("=?utf-8?Q?\?=", "");
}

static void charsets_become_utf8(void **state)
{
	expect("=?ISO-8859-1?Q?Nicolas_=E9?=", "Nicolas é");
	expect("=?iso-8859-15?Q?=A4?=", "€");
	expect("=?windows-1252?B?gJM=?=", "€“");
	expect("=?koi8-r?B?8NLJ18XU?=", "Привет");
	expect("=?windows-1251*ru?Q?=CF=F0?=", "Пр");
	expect("=?x-unheard-of?Q?=E9?=", "\xe9");
}

static void adjacent_words_join(void **state)
{
	expect("=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab");
	expect("=?utf-8?Q?=C3?=\t  =?utf-8?Q?=A9?=", "é");
	expect("=?utf-8?Q?a?==?utf-8?Q?b?=", "ab");
	expect("x =?utf-8?Q?a?= y =?utf-8?Q?b?= z", "x a y b z");
}

static void broken_words_stay(void **state)
{
	expect("=?utf-8?Q?no end", "=?utf-8?Q?no end");
	expect("=?utf-8?X?text?=", "=?utf-8?X?text?=");
	expect("=??Q?text?=", "=??Q?text?=");
	expect("=?utf-8?Q", "=?utf-8?Q");
	expect("=?", "=?");
	expect("a =?= b", "a =?= b");
	expect("=?utf-8?Q?=4?=", "=4");
}

static void a_result_that_does_not_fit_is_cut_and_said_so(void **state)
{
	struct bytes in = BYTES("ab=?iso-8859-1?Q?=E9=E9?=");
	uint8_t out[5];
	bool cut;

	assert_int_equal(word_decode(in, out, 5, &cut), 4);
	assert_true(cut);
	assert_memory_equal(out, "abé", 4);
}

/* 1 MB of words that never close: minutes if each looked for its own end. */
static void words_that_never_close_cost_one_search(void **state)
{
	size_t len = 1 << 20;
	char *in = malloc(len), *out = malloc(len);
	bool cut;

	assert_true(in && out);
	for (size_t i = 0; i < len; i++)
		in[i] = "=?a?q?x"[i % 7];
	assert_int_equal(word_decode(bytes_of(in, len), (uint8_t *)out, len, &cut), len);
	assert_memory_equal(in, out, len);
	free(in);
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_encodings_decode),
		cmocka_unit_test(charsets_become_utf8),
		cmocka_unit_test(adjacent_words_join),
		cmocka_unit_test(broken_words_stay),
		cmocka_unit_test(a_result_that_does_not_fit_is_cut_and_said_so),
		cmocka_unit_test(words_that_never_close_cost_one_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
