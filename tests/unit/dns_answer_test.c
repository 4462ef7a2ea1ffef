/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers of the DNS: what they say, and that half of one says nothing. */
#include "control/dns/dns_answer.h"

#include "tests/unit/test.h"

#define QUESTION(type) "\1a\7example\0\0" type "\0\1"
#define AT_NAME        "\xc0\x0c"
/* Two names of 12 and 11 bytes, and five numbers: 43. */
#define SOA                                                                              \
	"\7example\0\0\6\0\1\0\0\x0e\x10\0\x2b\2ns\7example\0\1h\7example\0\0\0\0\1\0\0" \
	"\0\2\0\0\0\3\0\0\0\4\0\0\2\x58"

struct message {
	const char *data;
	size_t len;
};

#define MESSAGE(text) ((struct message){text, sizeof(text) - 1})

static struct dns_answer read_(struct message m, enum dns_type type)
{
	struct dns_answer answer;
	uint8_t *exact = malloc(m.len); /* so that a sanitizer sees a byte read beyond */

	assert_non_null(exact);
	memcpy(exact, m.data, m.len);
	dns_answer_read(exact, m.len, type, &answer);
	free(exact);
	return answer;
}

/* Cut anywhere, an answer says nothing, or less; it never says that there is no such name. */
static void cut_answers_say_nothing(struct message m, enum dns_type type)
{
	for (size_t len = 0; len < m.len; len++) {
		const struct dns_answer answer = read_((struct message){m.data, len}, type);

		assert_true(answer.result == DNS_UNKNOWN || answer.result == DNS_NXDOMAIN ||
			    answer.result == DNS_NODATA);
		if (answer.result != DNS_UNKNOWN)
			assert_int_equal(answer.ttl, 0); /* the SOA was cut: nothing is kept */
	}
}

static void addresses_are_read(void **state)
{
	const struct message m = MESSAGE("\1\2\x81\x80\0\1\0\2\0\0\0\0" QUESTION("\1") AT_NAME
					 "\0\1\0\1\0\0\1\x2c\0\4\x7f\0\0\2" AT_NAME
					 "\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\4");
	const struct dns_answer answer = read_(m, DNS_A);

	assert_int_equal(answer.result, DNS_FOUND);
	assert_int_equal(answer.addresses, 2);
	assert_int_equal(answer.address[0], 0x7f000002);
	assert_int_equal(answer.address[1], 0x7f000004);
	assert_int_equal(answer.ttl, 60);
	cut_answers_say_nothing(m, DNS_A);
	/* Of another type: there is none of ours. */
	assert_int_equal(read_(m, DNS_MX).result, DNS_NODATA);
}

static void an_alias_is_on_the_way(void **state)
{
	const struct dns_answer answer =
		read_(MESSAGE("\1\2\x81\x80\0\1\0\2\0\0\0\0" QUESTION("\1") AT_NAME
			      "\0\5\0\1\0\0\0\x0a\0\4\1b\xc0\x0e\1b\xc0\x0e\0\1\0\1\0\0\1\0\0\4\x7f"
			      "\0\0\2"),
		      DNS_A);

	assert_int_equal(answer.result, DNS_FOUND);
	assert_int_equal(answer.addresses, 1);
	assert_int_equal(answer.ttl, 10);
}

static void a_null_mx_is_one_mx_of_nothing(void **state)
{
	const struct message null = MESSAGE("\1\2\x81\x80\0\1\0\1\0\0\0\0" QUESTION("\x0f") AT_NAME
					    "\0\x0f\0\1\0\0\1\0\0\3\0\0\0");
	/* RFC 7505 3: beside another it is none; and it has the preference 0. */
	const struct message two = MESSAGE("\1\2\x81\x80\0\1\0\2\0\0\0\0" QUESTION("\x0f") AT_NAME
					   "\0\x0f\0\1\0\0\1\0\0\3\0\0\0" AT_NAME
					   "\0\x0f\0\1\0\0\1\0\0\6\0\x0a\1m\xc0\x0c");
	const struct message ten = MESSAGE("\1\2\x81\x80\0\1\0\1\0\0\0\0" QUESTION("\x0f") AT_NAME
					   "\0\x0f\0\1\0\0\1\0\0\3\0\x0a\0");

	assert_int_equal(read_(null, DNS_MX).result, DNS_FOUND);
	assert_true(read_(null, DNS_MX).null_mx);
	assert_int_equal(read_(two, DNS_MX).result, DNS_FOUND);
	assert_false(read_(two, DNS_MX).null_mx);
	assert_false(read_(ten, DNS_MX).null_mx);
	cut_answers_say_nothing(null, DNS_MX);
}

static void no_such_name_holds_as_long_as_its_soa_says(void **state)
{
	const struct message nx = MESSAGE("\1\2\x81\x83\0\1\0\0\0\1\0\0" QUESTION("\x0f") SOA);
	const struct message without = MESSAGE("\1\2\x81\x83\0\1\0\0\0\0\0\0" QUESTION("\x0f"));
	const struct message nodata = MESSAGE("\1\2\x81\x80\0\1\0\0\0\1\0\0" QUESTION("\x0f") SOA);

	assert_int_equal(read_(nx, DNS_MX).result, DNS_NXDOMAIN);
	assert_int_equal(read_(nx, DNS_MX).ttl, 600);
	assert_int_equal(read_(without, DNS_MX).result, DNS_NXDOMAIN);
	assert_int_equal(read_(without, DNS_MX).ttl, 0);
	assert_int_equal(read_(nodata, DNS_MX).result, DNS_NODATA);
	assert_int_equal(read_(nodata, DNS_MX).ttl, 600);
	cut_answers_say_nothing(nx, DNS_MX);
}

static void what_is_no_answer_says_nothing(void **state)
{
	static const struct message messages[] = {
		{"\1\2\x81\x82\0\1\0\0\0\0\0\0" QUESTION("\1"), 12 + 15}, /* SERVFAIL */
		{"\1\2\x81\x85\0\1\0\0\0\0\0\0" QUESTION("\1"), 12 + 15}, /* REFUSED */
		{"\1\2\x01\x83\0\1\0\0\0\0\0\0" QUESTION("\1"), 12 + 15}, /* a question */
		{"\1\2\x83\x83\0\1\0\0\0\0\0\0" QUESTION("\1"), 12 + 15}, /* cut, by its word */
		{"", 0},
	};

	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		assert_int_equal(read_(messages[i], DNS_A).result, DNS_UNKNOWN);
	/* A name that points at itself. */
	assert_int_equal(
		read_(MESSAGE("\1\2\x81\x80\0\1\0\1\0\0\0\0\xc0\x0c\0\1\0\1"), DNS_A).result,
		DNS_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read),
		cmocka_unit_test(an_alias_is_on_the_way),
		cmocka_unit_test(a_null_mx_is_one_mx_of_nothing),
		cmocka_unit_test(no_such_name_holds_as_long_as_its_soa_says),
		cmocka_unit_test(what_is_no_answer_says_nothing),
	};

	return cmocka_run_group_tests_name("dns_answer", tests, NULL, NULL);
}
