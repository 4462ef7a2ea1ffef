/* SPDX-License-Identifier: BSD-3-Clause */
/* Block lists: names, codes, and when an address is listed. */
#include "control/dns/dnsbl.h"

#include <errno.h>

#include "tests/unit/test.h"

static struct dnsbl_codes codes;
static const char *const blameless[] = {"PBL", NULL};

static int setup(void **state)
{
	codes = (struct dnsbl_codes){0};
	assert_null(dnsbl_code_add(&codes, "127.0.0.2 SBL"));
	assert_null(dnsbl_code_add(&codes, "127.0.0.4-127.0.0.7 XBL"));
	assert_null(dnsbl_code_add(&codes, "127.0.0.10-127.0.0.11 PBL"));
	return 0;
}

static struct dnsbl_word word_of(uint32_t a, uint32_t b)
{
	const struct dns_answer answer = {
		.result = DNS_FOUND, .addresses = b ? 2 : 1, .address = {a, b}};

	return dnsbl_read(&answer, &codes, blameless);
}

static void names_are_reversed(void **state)
{
	char name[DNS_NAME_SIZE], zone[DNS_NAME_SIZE];

	assert_int_equal(dnsbl_name("192.0.2.1", "bl.example", name), 0);
	assert_string_equal(name, "1.2.0.192.bl.example");
	assert_int_equal(dnsbl_name("2001:db8::1", "bl.example", name), 0);
	assert_string_equal(name, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
				  "bl.example");
	assert_int_equal(dnsbl_name("192.0.2", "bl.example", name), -EINVAL);
	memset(zone, 'x', sizeof(zone) - 1);
	zone[sizeof(zone) - 1] = '\0';
	assert_int_equal(dnsbl_name("2001:db8::1", zone, name), -ENAMETOOLONG);
	assert_int_equal(dnsbl_name("192.0.2.1", zone, name), -ENAMETOOLONG);
}

static void codes_have_names(void **state)
{
	struct dnsbl_word word = word_of(0x7f000002, 0x7f000005);

	assert_int_equal(word.said, DNSBL_LISTED);
	assert_string_equal(word.names, "SBL XBL");
	assert_true(word.blames);
	word = word_of(0x7f00000b, 0);
	assert_string_equal(word.names, "PBL");
	assert_false(word.blames);
	word = word_of(0x7f000063, 0);
	assert_int_equal(word.said, DNSBL_LISTED);
	assert_string_equal(word.names, "127.0.0.99");
	assert_false(word.blames);
}

static void errors_are_no_listings(void **state)
{
	struct dns_answer answer = {.result = DNS_UNKNOWN};

	assert_int_equal(word_of(0x7ffffffe, 0).said, DNSBL_NOTHING); /* 127.255.255.254 */
	assert_int_equal(word_of(0x7f000002, 0x7fffff01).said, DNSBL_NOTHING);
	assert_int_equal(word_of(0x5db8d822, 0).said, DNSBL_NOTHING); /* a resolver that lies */
	assert_int_equal(dnsbl_read(&answer, &codes, blameless).said, DNSBL_NOTHING);
	answer.result = DNS_NXDOMAIN;
	assert_int_equal(dnsbl_read(&answer, &codes, blameless).said, DNSBL_NOT_LISTED);
	answer.result = DNS_NODATA;
	assert_int_equal(dnsbl_read(&answer, &codes, blameless).said, DNSBL_NOT_LISTED);
}

static void what_is_no_code_is_refused(void **state)
{
	static const char *const bad[] = {"",
					  "127.0.0.2",
					  "SBL",
					  "192.0.2.1 x",
					  "127.0.0.7-127.0.0.4 x",
					  "127.0.0.2-x y",
					  "127.0.0.2 a b",
					  "127.0.0.2 a-name-that-is-longer-than-there-is-room"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(dnsbl_code_add(&codes, bad[i]));
	for (unsigned i = codes.count; i < DNSBL_CODES; i++)
		assert_null(dnsbl_code_add(&codes, "127.0.0.2 x"));
	assert_non_null(dnsbl_code_add(&codes, "127.0.0.2 x"));
}

/* What a row of answers makes of it: L listed, N not listed, - nothing. */
static void row_is(const char *row, const char *changes)
{
	struct dnsbl_state s = {0};

	for (size_t i = 0; row[i]; i++) {
		const struct dnsbl_word word = {.said = row[i] == 'L'   ? DNSBL_LISTED
							: row[i] == 'N' ? DNSBL_NOT_LISTED
									: DNSBL_NOTHING,
						.names = "SBL",
						.blames = true};
		const enum dnsbl_change change = dnsbl_take(&s, &word);

		assert_int_equal(change, changes[i] == 'b'   ? DNSBL_BEGINS
					 : changes[i] == 'e' ? DNSBL_ENDS
							     : DNSBL_STAYS);
	}
}

static void two_in_a_row_begin_and_end_a_listing(void **state)
{
	row_is("LLLL", ".b..");
	row_is("LNLNLN", "......");
	row_is("L-L-N-N", "..b...e");
	row_is("LLNLNN", ".b...e");
	row_is("----", "....");
	row_is("LL----NN", ".b.....e");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(names_are_reversed, setup),
		cmocka_unit_test_setup(codes_have_names, setup),
		cmocka_unit_test_setup(errors_are_no_listings, setup),
		cmocka_unit_test_setup(what_is_no_code_is_refused, setup),
		cmocka_unit_test_setup(two_in_a_row_begin_and_end_a_listing, setup),
	};

	return cmocka_run_group_tests_name("dnsbl", tests, NULL, NULL);
}
