/* SPDX-License-Identifier: BSD-3-Clause */
/* What single fields of a mail say: Received, Subject, List-Unsubscribe; and domains. */
#include "tests/unit/test.h"

#include "dataplane/proto/domain_name.h"
#include "dataplane/proto/mail_field.h"
#include "dataplane/proto/mailbox.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Not one byte more than there is: ASan and valgrind see what is read beyond. */
static struct bytes exact(const char *text)
{
	size_t len = strlen(text);
	uint8_t *copy = malloc(len + !len);

	memcpy(copy, text, len);
	return bytes_of(copy, len);
}

static void release(struct bytes b)
{
	free((void *)(uintptr_t)b.p);
}

static void server_of_a_received_field(void **state)
{
	static const struct {
		const char *value, *host;
	} cases[] = {
		{"", ""},
		{"by mx.example.com", "mx.example.com"},
		{"from a.example (b [192.0.2.1]) by mx.example.com with ESMTP id 1 for <x@y>; date",
		 "mx.example.com"},
		{"FROM a.example\tBY\tmx.example.com (Postfix); date", "mx.example.com"},
		{"from a.example by mx.example.com(Postfix) id 1", "mx.example.com"},
		{"from a.example by mx.example.com;date", "mx.example.com"},
		{"from a.example by (the server) mx.example.com", "mx.example.com"},
		/* A client may be called so. */
		{"from by by mx.example.com", "mx.example.com"},
		{"from by; date", ""},
		/* Not by whom it was taken. */
		{"from a.example (by mx.example.com) by own.example", "own.example"},
		{"from a.example (a (nested) by mx.example.com) by own.example", "own.example"},
		{"from \"x by mx.example.com\" by own.example", "own.example"},
		{"from a.example; by mx.example.com", ""},
		{"from a.example by", ""},
		/* What never closes hides nothing. */
		{"from a.example (by mx.example.com", "mx.example.com"},
		{"from a.example \"by by mx.example.com", "mx.example.com"},
		{"((((((", ""},
		{"\\", ""},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bytes value = exact(cases[i].value), host = received_by(value);

		if (!bytes_eq(host, bytes_of(cases[i].host, strlen(cases[i].host))))
			fail_msg("%s: \"%.*s\"", cases[i].value, (int)host.len,
				 (const char *)host.p);
		release(value);
	}
}

static void subjects_that_begin_as_answers_do(void **state)
{
	static const struct {
		const char *subject;
		bool is_reply;
	} cases[] = {
		{"Re: your order", true},
		{"re:", true},
		{"RE : votre commande", true},
		{" \t FWD:x", true},
		{"Fw: x", true},
		{"Re[2]: x", true},
		{"Re(12): x", true},
		{"Re^3: x", true},
		{"AW: Angebot", true},
		{"Antw: x", true},
		{"SV: x", true},
		{"VS: x", true},
		{"RES: x", true},
		{"TR: x", true},
		{"R\xc3\xa9: x", false},
		{"V\xc3\xa1: x", true},
		{"V\xc3\x81: x", true},
		{"\xe5\x9b\x9e\xe5\xa4\x8d\xef\xbc\x9a x", true},
		{"\xe5\x9b\x9e\xe5\xa4\x8d: x", true},
		{"\xec\x9d\x91\xeb\x8b\xb5: x", true},
		{"Re\xc2\xa0: x", true},
		{"", false},
		{"Re", false},
		{"Re[2", false},
		{"Re[]: x", false},
		{"Re[x]: x", false},
		{"Regarding: x", false},
		{"Reminder: x", false},
		{"Request re: x", false},
		{"R: x", false},
		{"[list] Re: x", false},
		{"\xe5\x9b\x9e", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bytes subject = exact(cases[i].subject);

		if (subject_is_reply(subject) != cases[i].is_reply)
			fail_msg("%s", cases[i].subject);
		release(subject);
	}
}

static void links_to_unsubscribe_by(void **state)
{
	static const struct {
		const char *value;
		bool has_https;
	} cases[] = {
		{"<https://example.com/u?1>", true},
		{"<mailto:u@example.com>, <https://example.com/u?1>", true},
		{"<mailto:u@example.com>,\t< HTTPS://example.com/u >", true},
		{"(a <comment>) <https://example.com/u>", true},
		{"<mailto:u@example.com>", false},
		{"<http://example.com/u>", false},
		{"https://example.com/u", false},
		{"<mailto:u@example.com?subject=https://example.com/>", false},
		{"(<https://example.com/u>)", false},
		{"<https://>", false},
		{"<https://example.com/u", false},
		{"((((<https://example.com/u>", true},
		{"<", false},
		{"", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bytes value = exact(cases[i].value);

		if (unsubscribe_has_https(value) != cases[i].has_https)
			fail_msg("%s", cases[i].value);
		release(value);
	}
	assert_true(unsubscribe_is_one_click(BYTES("List-Unsubscribe=One-Click")));
	assert_true(unsubscribe_is_one_click(BYTES(" list-unsubscribe=one-click\t")));
	assert_false(unsubscribe_is_one_click(BYTES("List-Unsubscribe=One-Click, x")));
	assert_false(unsubscribe_is_one_click(BYTES("")));
}

static void domains_that_can_be(void **state)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyz0123456789-abcdefghijklmnopqrstuvwxyz";
	static const char *const valid[] = {
		"example.com", "a.b", "localhost", "my_host.example.com", "xn--bcher-kva.example",
		"3com.com",    "1.a", "a-.b",      "[192.0.2.1]",         "[IPv6:2001:db8::1]",
	};
	static const char *const invalid[] = {
		"",      ".",     ".a",          "a..b",    "a.",     "192.0.2.1", "a.1",
		"a b.c", "a@b.c", "b\xc3\xbc.c", "a.b,c.d", "[192.0", "a!b",       "A.b",
	};
	char text[300];

	for (size_t i = 0; i < COUNT(valid); i++)
		if (!domain_name_is_valid(bytes_of(valid[i], strlen(valid[i]))))
			fail_msg("%s", valid[i]);
	for (size_t i = 0; i < COUNT(invalid); i++)
		if (domain_name_is_valid(bytes_of(invalid[i], strlen(invalid[i]))))
			fail_msg("%s", invalid[i]);
	assert_int_equal(strlen(good), 63);
	assert_true(domain_name_is_valid(bytes_of(good, 63)));
	snprintf(text, sizeof(text), "%sx.example", good);
	assert_false(domain_name_is_valid(bytes_of(text, strlen(text))));
	snprintf(text, sizeof(text), "%s.%s.%s.%.61s", good, good, good, good);
	assert_int_equal(strlen(text), 253);
	assert_true(domain_name_is_valid(bytes_of(text, 253)));
	snprintf(text, sizeof(text), "%s.%s.%s.%.62s", good, good, good, good);
	assert_false(domain_name_is_valid(bytes_of(text, 254)));
}

static void domains_below_others(void **state)
{
	assert_true(domain_name_is_in(BYTES("invalid"), BYTES("invalid")));
	assert_true(domain_name_is_in(BYTES("a.b.INVALID"), BYTES("invalid")));
	assert_false(domain_name_is_in(BYTES("notinvalid"), BYTES("invalid")));
	assert_false(domain_name_is_in(BYTES("invalid.example"), BYTES("invalid")));
	assert_false(domain_name_is_in(BYTES(""), BYTES("invalid")));
	assert_false(domain_name_is_in(BYTES("a"), BYTES("")));
}

static void addresses_without_what_stands_around(void **state)
{
	static const struct {
		const char *address, *clean;
	} cases[] = {
		{"ann@acme.example", "ann@acme.example"},
		{"ann @ acme . example", "ann@acme.example"},
		{"ann@(a comment)acme.example (and (one))", "ann@acme.example"},
		{"\"ann (x) smith\" @acme.example", "\"ann (x) smith\"@acme.example"},
		{"ann@acme.example (never closed", "ann@acme.example(neverclosed"},
		{"\"ann@ acme.example", "\"ann@acme.example"},
		{"", ""},
	};
	uint8_t clean[MAILBOX_ADDRESS];
	char longest[MAILBOX_ADDRESS + 2];

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bytes address = exact(cases[i].address);
		size_t len = mailbox_clean(address, clean);

		if (!bytes_eq(bytes_of(clean, len),
			      bytes_of(cases[i].clean, strlen(cases[i].clean))))
			fail_msg("%s: %.*s", cases[i].address, (int)len, (const char *)clean);
		release(address);
	}
	memset(longest, 'a', sizeof(longest));
	assert_int_equal(mailbox_clean(bytes_of(longest, MAILBOX_ADDRESS), clean), MAILBOX_ADDRESS);
	assert_int_equal(mailbox_clean(bytes_of(longest, MAILBOX_ADDRESS + 1), clean), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_of_a_received_field),
		cmocka_unit_test(subjects_that_begin_as_answers_do),
		cmocka_unit_test(links_to_unsubscribe_by),
		cmocka_unit_test(domains_that_can_be),
		cmocka_unit_test(domains_below_others),
		cmocka_unit_test(addresses_without_what_stands_around),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
