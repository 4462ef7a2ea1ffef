/* SPDX-License-Identifier: BSD-3-Clause */
/* The provider's marks, hosts and domains in what mails say. */
#include "tests/unit/test.h"

#include "dataplane/policy/words.h"

static const struct policy_words marks = {"example bank\0acme\0b\xc3\xbc"
					  "cher\0x-1\0"};
static const struct policy_words hosts = {"mx.example.com\0.out.example.com\0"};
static const struct policy_words none = {""};

static const struct {
	const char *text, *found;
} cases[] = {
	{"Example Bank", "Example Bank"},
	{"Your EXAMPLE \t BANK account", "EXAMPLE \t BANK"},
	{"Example\xc2\xa0"
	 "Bank",
	 "Example\xc2\xa0"
	 "Bank"},
	{"(Example Bank)", "Example Bank"},
	{"Example Bank\xe2\x84\xa2", "Example Bank"},
	{"E\xe2\x80\x8bxam\xc2\xadple Bank", "E\xe2\x80\x8bxam\xc2\xadple Bank"},
	{"the acme. acme", "acme"},
	{"\"Acme\" support", "Acme"},
	{"B\xc3\xbc"
	 "cher",
	 "B\xc3\xbc"
	 "cher"},
	{"an x-1", "x-1"},
	{"Example Banking", ""},
	{"Counterexample Bank", ""},
	{"ExampleBank", ""},
	{"acmes", ""},
	{"macme", ""},
	{"Example", ""},
	{"Example ", ""},
	{"Example Ban", ""},
	{"", ""},
	{"\xc3", ""},
	{"\xe2\x80", ""},
	{"acm\xe2\x80\x8b", ""},
};

static void marks_are_found_as_readers_see_them(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].text);
		uint8_t *text = malloc(len + !len);
		struct bytes word, found;

		memcpy(text, cases[i].text, len);
		found = words_find(&marks, bytes_of(text, len), &word);
		if (!bytes_eq(found, bytes_of(cases[i].found, strlen(cases[i].found))))
			fail_msg("%s: \"%.*s\"", cases[i].text, (int)found.len,
				 (const char *)found.p);
		assert_int_equal(word.len != 0, found.len != 0);
		assert_int_equal(words_find(&none, bytes_of(text, len), &word).len, 0);
		free(text);
	}
}

static void hosts_are_found_by_name_and_by_what_they_are_below(void **state)
{
	assert_true(words_have_host(&hosts, BYTES("MX.example.com")));
	assert_true(words_have_host(&hosts, BYTES("mx.example.com.")));
	assert_true(words_have_host(&hosts, BYTES("7.OUT.example.com")));
	assert_false(words_have_host(&hosts, BYTES("out.example.com")));
	assert_false(words_have_host(&hosts, BYTES("a.mx.example.com")));
	assert_false(words_have_host(&hosts, BYTES("")));
	assert_false(words_have_host(&hosts, BYTES(".")));
	assert_false(words_have_host(&none, BYTES("mx.example.com")));
}

/* Every part of a text of signs that nobody sees, letters and blanks is looked at once or so. */
static void long_texts_cost_as_much_as_they_are_long(void **state)
{
	static const char *const parts[] = {
		"\xe2\x80\x8b", "e\xe2\x80\x8b", "example ", " ", "a", "example\xc2\xad "};
	static uint8_t text[8192];
	struct bytes word;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t len = strlen(parts[i]);

		for (size_t at = 0; at < sizeof(text); at++)
			text[at] = (uint8_t)parts[i][at % len];
		for (int times = 0; times < 100; times++)
			assert_int_equal(
				words_find(&marks, bytes_of(text, sizeof(text)), &word).len, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_are_found_as_readers_see_them),
		cmocka_unit_test(hosts_are_found_by_name_and_by_what_they_are_below),
		cmocka_unit_test(long_texts_cost_as_much_as_they_are_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
