/* SPDX-License-Identifier: BSD-3-Clause */
/* Texts of strangers, made what an item may hold. */
#include "control/feedback/feedback.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/test.h"

static struct bytes text(const char *s)
{
	return bytes_of(s, strlen(s));
}

static void message_ids_have_one_form(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"<a@b>", "a@b"}, {" <a@b> (comment) <c@d>", "a@b"},
		{"a@b", "a@b"},   {"<a @\t b>", "a@b"},
		{"<a@b", "a@b"},  {"<\xc3\xa4@b>", "??@b"},
		{"<>", ""},       {"", ""},
		{"x <y", "y"},
	};
	char out[FEEDBACK_ID], longer[1000];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(feedback_message_id(text(cases[i].in), out), strlen(cases[i].out));
		assert_string_equal(out, cases[i].out);
	}
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(feedback_message_id(text(longer), out), FEEDBACK_ID - 1);
}

static void texts_are_one_line_of_printable_utf8(void **state)
{
	char out[8];

	feedback_text(text(" a\r\n\tb\x01 c "), out, sizeof(out));
	assert_string_equal(out, "a b c");
	feedback_text(text("\xff\x7f\xc3\xa4"), out, sizeof(out));
	assert_string_equal(out, "??\xc3\xa4");
	/* Cut between characters, not in one. */
	feedback_text(text("123456\xc3\xa4"), out, sizeof(out));
	assert_string_equal(out, "123456");
	feedback_text(text("\xed\xa0\x80"), out, sizeof(out)); /* a surrogate */
	assert_string_equal(out, "???");
}

static void addresses_lose_what_is_around_them(void **state)
{
	char out[FEEDBACK_ADDRESS], ip[FEEDBACK_IP];

	feedback_address(text("rfc822; <User@example.org>"), out);
	assert_string_equal(out, "User@example.org");
	feedback_address(text("\"a;b\"@example.org"), out);
	assert_string_equal(out, "\"a;b\"@example.org");
	feedback_address(text("<>"), out);
	assert_string_equal(out, "");
	feedback_address(text(";"), out);
	assert_string_equal(out, "");
	feedback_ip(text("[IPv6:2001:DB8::0:1]"), ip);
	assert_string_equal(ip, "2001:db8::1");
	feedback_ip(text(" 192.0.2.1 "), ip);
	assert_string_equal(ip, "192.0.2.1");
	feedback_ip(text("192.0.2.256"), ip);
	assert_string_equal(ip, "");
	feedback_ip(text("192.0.2.1 and more text than an address could ever have, or should"), ip);
	assert_string_equal(ip, "");
}

static void replies_lose_the_codes_of_their_lines(void **state)
{
	char out[FEEDBACK_TEXT];
	unsigned code;

	feedback_reply(text("550-5.7.1 Our system has detected 550-5.7.1 that 550 5.7.1 it is."),
		       out, sizeof(out), &code);
	assert_string_equal(out, "Our system has detected that it is.");
	assert_int_equal(code, 550);
	feedback_reply(text("550 no code 421 of another line"), out, sizeof(out), &code);
	assert_string_equal(out, "no code 421 of another line");
	feedback_reply(text("x550 5.1.1 no reply"), out, sizeof(out), &code);
	assert_int_equal(code, 0);
	feedback_reply(text("250"), out, sizeof(out), &code);
	assert_int_equal(code, 250);
	assert_string_equal(out, "");
	feedback_reply(text("550-5.1.2222 a"), out, sizeof(out), &code);
	assert_string_equal(out, "5.1.2222 a");
	/* RFC 3463 2: the class is the code's; else it is text, as on the wire. */
	feedback_reply(text("550 4.4.7 expired"), out, sizeof(out), &code);
	assert_string_equal(out, "4.4.7 expired");
}

static void a_reply_is_kept_without_addresses(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"<bob@example.net>: blocked", "<[address]>: blocked"},
		{"to=bob@example.net, see x@y", "[address], see [address]"},
		{"no address here", "no address here"},
		{"@", "[address]"},
		{"", ""},
	};
	char out[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		feedback_without_addresses(cases[i].in, out, sizeof(out));
		assert_string_equal(out, cases[i].out);
	}
	feedback_without_addresses("1234567 a@b", out, 12);
	assert_string_equal(out, "1234567 ");
}

static void failures_are_hard_by_the_policys_words(void **state)
{
	assert_int_equal(feedback_failure(550, "5.1.1", ""), FEEDBACK_HARD);
	assert_int_equal(feedback_failure(0, "5.1.10", ""), FEEDBACK_HARD);
	assert_int_equal(feedback_failure(0, "5.2.1", ""), FEEDBACK_HARD);
	assert_int_equal(feedback_failure(550, "", "User unknown"), FEEDBACK_HARD);
	assert_int_equal(feedback_failure(552, "5.2.2", "mailbox full"), FEEDBACK_SOFT);
	assert_int_equal(feedback_failure(554, "5.7.1", "user unknown to us"), FEEDBACK_SOFT);
	assert_int_equal(feedback_failure(450, "4.1.1", ""), FEEDBACK_SOFT);
	assert_int_equal(feedback_failure(0, "4.4.7", ""), FEEDBACK_SOFT);
	assert_int_equal(feedback_failure(0, "nonsense", "no such user"), FEEDBACK_SOFT);
}

static void what_is_no_item_is_refused(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"kind\":\"hard\"}",
		"{\"kind\":\"hard\",\"source\":\"x\"}",
		"{\"kind\":\"hard\",\"source\":\"dsn\",\"rcpt\":7}",
		"{\"kind\":\"hard\",\"source\":\"dsn\",\"incidents\":0}",
		"{\"kind\":\"hard\",\"source\":\"dsn\",\"incidents\":5000000000}",
		"{\"kind\":\"hard\",\"source\":\"dsn\",\"code\":99}",
		"{\"kind\":\"hard\",\"source\":\"dsn\",\"more\":\"x\"}",
	};
	struct feedback_item item;
	const char *wrong;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *object = json_loads(bad[i], 0, NULL);

		assert_non_null(object);
		assert_int_equal(feedback_item_parse(object, &item, &wrong), -EINVAL);
		assert_non_null(wrong);
		json_decref(object);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_ids_have_one_form),
		cmocka_unit_test(texts_are_one_line_of_printable_utf8),
		cmocka_unit_test(addresses_lose_what_is_around_them),
		cmocka_unit_test(replies_lose_the_codes_of_their_lines),
		cmocka_unit_test(a_reply_is_kept_without_addresses),
		cmocka_unit_test(failures_are_hard_by_the_policys_words),
		cmocka_unit_test(what_is_no_item_is_refused),
	};

	return cmocka_run_group_tests_name("feedback_text", tests, NULL, NULL);
}
