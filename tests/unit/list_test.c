/* SPDX-License-Identifier: BSD-3-Clause */
#include "bpf/list.h"

#include "bpf/hashset.h"
#include "bpf/siphash.h"
#include "control/lists/hashset_build.h"
#include "tests/unit/test.h"

typedef size_t normaliser(const void *in, size_t len, uint8_t out[LIST_TEXT_MAX]);

/* The normal form, or "" if there is none. */
static const char *normal(normaliser *of, const char *text)
{
	static char out[LIST_TEXT_MAX + 1];

	out[of(text, strlen(text), (uint8_t *)out)] = '\0';
	return out;
}

static void addresses_differ_in_nothing_but_what_matters(void **state)
{
	assert_string_equal(normal(list_address, "User@Example.COM"), "user@example.com");
	assert_string_equal(normal(list_address, "<user@example.com>"), "user@example.com");
	assert_string_equal(normal(list_address, "user@example.com."), "user@example.com");
	assert_string_equal(normal(list_address, "\"User\"@example.com"), "user@example.com");
	assert_string_equal(normal(list_address, "\"us\\er\"@example.com"), "user@example.com");
	assert_string_equal(normal(list_address, "<@a.example,@b.example:user@example.com>"),
			    "user@example.com");
	assert_string_equal(normal(list_address, "user+tag@example.com"), "user+tag@example.com");
	assert_string_equal(normal(list_address, "\"a@b\"@[192.0.2.1]"), "a@b@[192.0.2.1]");
}

static void domains_in_unicode_are_those_of_the_dns(void **state)
{
	char longest[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xbc";

	assert_string_equal(normal(list_domain, "B\xc3\xbc"
						"cher.Example."),
			    "xn--bcher-kva.example");
	assert_string_equal(normal(list_domain, "xn--bcher-kva.example"), "xn--bcher-kva.example");
	assert_string_equal(normal(list_address, "a@m\xc3\xbcnchen.de"), "a@xn--mnchen-3ya.de");
	assert_string_equal(normal(list_address, "\xc3\xa4@m\xc3\xbcnchen.de"),
			    "\xc3\xa4@xn--mnchen-3ya.de");
	/* RFC 3492 7.1 (B), and beyond the basic plane. */
	assert_string_equal(normal(list_domain, "\xe4\xbb\x96\xe4\xbb\xac\xe4\xb8\xba\xe4\xbb\x80"
						"\xe4\xb9\x88\xe4\xb8\x8d\xe8\xaf\xb4\xe4\xb8\xad"
						"\xe6\x96\x87"),
			    "xn--ihqwcrb4cv8a8dqg056pqjye");
	assert_string_equal(normal(list_domain, "\xf0\x9f\x92\xa9.la"), "xn--ls8h.la");
	/* What is no UTF-8, or too long for a label, stays. */
	assert_string_equal(normal(list_domain, "b\xfc"
						"cher.de"),
			    "b\xfc"
			    "cher.de");
	assert_string_equal(normal(list_domain, "\xed\xa0\x80.de"), "\xed\xa0\x80.de");
	assert_string_equal(normal(list_domain, "\xc0\xaf.de"), "\xc0\xaf.de");
	assert_string_equal(normal(list_domain, longest), longest);
}

static void what_is_no_address_has_no_normal_form(void **state)
{
	static const char *const wrong[] = {
		"",         "<>",         "user",     "@example.com",
		"user@",    "user@.",     "\"user\"", "\"user@example.com",
		"\"\"@a.b", "\"u\"x@a.b", "@a:",      "<@a:>"};
	char longest[LIST_TEXT_MAX + 2];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_string_equal(normal(list_address, wrong[i]), "");
	memset(longest, 'a', sizeof(longest));
	longest[LIST_TEXT_MAX + 1] = '\0';
	longest[2] = '@';
	assert_string_equal(normal(list_address, longest), "");
	longest[LIST_TEXT_MAX] = '\0';
	assert_int_equal(strlen(normal(list_address, longest)), LIST_TEXT_MAX);
}

static void numbers_lose_what_people_put_between_digits(void **state)
{
	assert_string_equal(normal(list_number, "+1 (415) 555-0100"), "14155550100");
	assert_string_equal(normal(list_number, "*67#"), "*67#");
	assert_string_equal(normal(list_number, "alice"), "");
	assert_string_equal(normal(list_number, "+"), "");
	assert_string_equal(normal(list_number, "1+2"), "");
	assert_string_equal(normal(list_number, ""), "");
}

/* The reference vectors' first and last of the shape that its authors printed. */
static void siphash_gives_its_authors_value(void **state)
{
	const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
	uint8_t text[15];

	for (unsigned i = 0; i < sizeof(text); i++)
		text[i] = i;
	assert_true(siphash(key, text, sizeof(text)) == UINT64_C(0xa129ca6149be45e5));
	assert_true(siphash(key, text, 0) == UINT64_C(0x726fdb47dd0e0e31));
}

static void kind_owner_and_key_make_other_hashes(void **state)
{
	const uint64_t key[2] = {1, 2}, other[2] = {1, 3};
	const uint8_t text[] = "user@example.com";
	uint64_t hash = list_hash(key, LIST_OPTOUT, 1, text, 16);

	assert_true(hash == list_hash(key, LIST_OPTOUT, 1, text, 16));
	assert_true(hash != list_hash(key, LIST_DNC, 1, text, 16));
	assert_true(hash != list_hash(key, LIST_OPTOUT, 2, text, 16));
	assert_true(hash != list_hash(key, LIST_OPTOUT, 1, text, 15));
	assert_true(hash != list_hash(other, LIST_OPTOUT, 1, text, 16));
}

static struct hashset set_of(const uint64_t *hashes, size_t count)
{
	struct hash_list list = {0};
	struct hashset set = {0};

	for (size_t i = 0; i < count; i++)
		assert_int_equal(hash_list_add(&list, hashes[i]), 0);
	assert_int_equal(hashset_init(&set, &list), 0);
	hash_list_fini(&list);
	return set;
}

static void an_empty_set_has_nothing(void **state)
{
	struct hashset set = set_of(NULL, 0);

	assert_false(hashset_has(&set, 1));
	hashset_fini(&set);
}

static void hashes_that_crowd_at_the_end_are_found(void **state)
{
	const uint64_t hashes[] = {UINT64_MAX,     UINT64_MAX - 1, UINT64_MAX - 2,
				   UINT64_MAX - 9, UINT64_MAX,     1};
	struct hashset set = set_of(hashes, 6);

	assert_int_equal(set.count, 5);
	for (size_t i = 0; i < 6; i++)
		assert_true(hashset_has(&set, hashes[i]));
	assert_false(hashset_has(&set, UINT64_MAX - 3));
	assert_false(hashset_has(&set, 2));
	hashset_fini(&set);
}

static void a_large_set_has_what_went_in_and_nothing_else(void **state)
{
	enum { COUNT = 200000 };
	uint64_t *hashes = calloc(COUNT, sizeof(*hashes));
	const uint64_t key[2] = {3, 4};
	struct hashset set;

	assert_non_null(hashes);
	for (uint32_t i = 0; i < COUNT; i++)
		hashes[i] = siphash(key, &i, sizeof(i));
	set = set_of(hashes, COUNT);
	assert_int_equal(set.count, COUNT);
	assert_true(set.length * sizeof(*set.hashes) <= 12 * (size_t)COUNT);
	for (uint32_t i = 0; i < 2 * COUNT; i++)
		assert_int_equal(hashset_has(&set, siphash(key, &i, sizeof(i))), i < COUNT);
	hashset_fini(&set);
	free(hashes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_differ_in_nothing_but_what_matters),
		cmocka_unit_test(domains_in_unicode_are_those_of_the_dns),
		cmocka_unit_test(what_is_no_address_has_no_normal_form),
		cmocka_unit_test(numbers_lose_what_people_put_between_digits),
		cmocka_unit_test(siphash_gives_its_authors_value),
		cmocka_unit_test(kind_owner_and_key_make_other_hashes),
		cmocka_unit_test(an_empty_set_has_nothing),
		cmocka_unit_test(hashes_that_crowd_at_the_end_are_found),
		cmocka_unit_test(a_large_set_has_what_went_in_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
