/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/sip_number.h"
#include "tests/unit/test.h"

/* In strcmp() order, as the interface asks. */
static const char *const numbers[] = {"+1911", "000", "106", "112", "911", "999"};

static bool is_emergency(const char *text)
{
	struct sip_uri uri;

	sip_uri_parse(bytes_of(text, strlen(text)), &uri);
	return sip_uri_is_emergency(&uri, numbers, sizeof(numbers) / sizeof(numbers[0]));
}

static void finds_emergency_numbers_however_they_are_written(void **state)
{
	static const char *const yes[] = {
		/* POLICY.md */
		"sip:911;phone-context=+1@x",
		"tel:911",
		"sip:%39%31%31@x",
		/* schemes, case, ports, passwords, parameters */
		"sip:911@x",
		"SIP:911@x:5070;user=phone?a=b",
		"sips:911@x",
		"TEL:911;phone-context=+1",
		"sip:911:secret@x",
		"sip:911;isub=1;ext=2:pw@[2001:db8::1]",
		/* separators (RFC 3966 3), escaped or not */
		"tel:9-1-1",
		"tel:9.1.1",
		"tel:(9)11",
		"sip:%289%29-1%2e1@x",
		"sip:%20911%20@x",
		/* what ends the number for the one who dials */
		"sip:911%3Bphone-context=+1@x",
		"sip:911%00@x",
		"sip:911%002345678@x",
		"sip:911%23@x",
		"sip:911##@x",
		/* the list may hold global forms */
		"tel:+1-911",
		"sip:%2B1911@x",
		/* numbers of elsewhere */
		"tel:112",
		"tel:000",
		/* a second '@' leaves room for doubt, not for escape */
		"sip:911@evil@x",
	};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		assert_true(is_emergency(yes[i]));
	}
}

static void other_numbers_are_no_emergency(void **state)
{
	static const char *const no[] = {
		/* POLICY.md */
		"sip:+9112345678@x",
		"sip:0119112345678@x",
		"sip:9112345678@x",
		/* near misses */
		"sip:91@x",
		"sip:9111@x",
		"sip:+911@x",
		"sip:0911@x",
		"sip:00911@x",
		"sip:+12125550911@x",
		"sip:1911@x",
		"sip:*911@x",
		"sip:911*@x",
		"sip:#911@x",
		"sip:9+11@x",
		"sip:++911@x",
		/* unescaped once, never twice; and not what escapes nothing */
		"sip:%2539%2531%2531@x",
		"sip:%25%33%39@x",
		"sip:911%@x",
		"sip:911%2@x",
		"sip:911%zz@x",
		/* names that hold the digits */
		"sip:911a@x",
		"sip:o911@x",
		"sip:nine-one-one@x",
		"sip:agent.911.desk@x",
		"sip:bob:911@x",
		"sip:x;phone-context=911@x",
		/* elsewhere in the URI */
		"sip:911",
		"sip:911.example.com",
		"sip:@911",
		"sip:bob@911",
		"sip:bob@x;user=911",
		"mailto:911@x",
		"urn:911",
		"sip:;911@x",
		"tel:",
		"tel:+",
		"sip:-@x",
		"911",
		"",
	};

	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		assert_false(is_emergency(no[i]));
	}
}

static void the_emergency_service_urn_is_known(void **state)
{
	static const char *const yes[] = {
		"urn:service:sos",     "URN:Service:SOS",        "urn:service:sos.police",
		"urn:service:%73os",   "urn:service:sos;a=b",    "urn:service:sos?x",
		"urn:service:sos.a.b", "urn:service:sos%2efire",
	};
	static const char *const no[] = {
		"urn:service:test.sos", "urn:service:sosx",  "urn:service:so",
		"urn:service:",         "urn:servicesos",    "sip:service:sos",
		"urn:service:%2573os",  "urn:service:s.o.s", "urn:service:counseling",
	};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(is_emergency(yes[i]));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(is_emergency(no[i]));
}

static void numbers_come_out_in_one_form(void **state)
{
	static const struct {
		const char *uri, *digits;
		bool global;
	} cases[] = {
		{"tel:+1-(415)-555.0100", "+14155550100", true},
		{"sip:%2B1%204155550100;rn=+1;npdi@x", "+14155550100", true},
		{"sip:4155550100@x", "4155550100", false},
		{"sip:*67a@x", "*67A", false},
		{"sip:e@x", "", false},
		{"sip:12345678901234567890123456789012@x", "12345678901234567890123456789012",
		 false},
		{"sip:123456789012345678901234567890123@x", "", false},
		{"sip:#@x", "#", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sip_uri uri;
		struct sip_number number;

		sip_uri_parse(bytes_of(cases[i].uri, strlen(cases[i].uri)), &uri);
		assert_int_equal(sip_number_read(&uri, &number), cases[i].digits[0] != '\0');
		assert_string_equal(number.digits, cases[i].digits);
		assert_int_equal(number.len, strlen(cases[i].digits));
		assert_int_equal(number.global, cases[i].global);
	}
}

static void every_entry_of_a_list_is_found_and_nothing_beside(void **state)
{
	struct sip_uri uri;
	struct sip_number number;
	char text[16];

	for (int n = 0; n < 1200; n++) {
		bool want = n == 106 || n == 112 || n == 911 || n == 999;

		snprintf(text, sizeof(text), "tel:%d", n);
		sip_uri_parse(bytes_of(text, strlen(text)), &uri);
		sip_number_read(&uri, &number);
		assert_int_equal(sip_number_listed(&number, numbers, 6), want);
		assert_false(sip_number_listed(&number, NULL, 0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_emergency_numbers_however_they_are_written),
		cmocka_unit_test(other_numbers_are_no_emergency),
		cmocka_unit_test(the_emergency_service_urn_is_known),
		cmocka_unit_test(numbers_come_out_in_one_form),
		cmocka_unit_test(every_entry_of_a_list_is_found_and_nothing_beside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
