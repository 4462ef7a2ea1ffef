/* SPDX-License-Identifier: BSD-3-Clause */
/* Recipients in events: found again by whoever has the key and the address, and read by nobody. */
#include "control/events/eve_people.h"

#include <fcntl.h>

#include "control/events/eve.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

static const struct person_key key = {{0x1234, 0x5678}};

static const char *hidden(enum field_key field, const char *value)
{
	static char out[2048];
	size_t len = eve_people_hide(&key, field, value, strlen(value), out, sizeof(out) - 1);

	out[len] = '\0';
	return out;
}

static const char *hash_of(const char *person)
{
	static char texts[4][PERSON_TEXT];
	static unsigned next;

	return person_text(person_hash(&key, person, strlen(person)), texts[next++ % 4]);
}

static void an_address_is_one_person_however_it_is_written(void **unused)
{
	static const char *const same[] = {"bob@example.net",
					   "<bob@example.net>",
					   "BOB@Example.NET",
					   "Bob Miller <bob@example.net>",
					   "\"bob\"@example.net",
					   "mailto:bob@example.net",
					   "<@relay.example:bob@example.net>"};

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		const char *text = hidden(FIELD_KEY_EMAIL_TO, same[i]);

		/* A quote or a route splits it: then it is somebody else, but nobody's name. */
		assert_null(strcasestr(text, "bob"));
		assert_null(strcasestr(text, "miller"));
		if (i < 4)
			assert_string_equal(text, hash_of("bob@example.net"));
	}
	assert_string_equal(hidden(FIELD_KEY_SMTP_RCPT_TO, "al@example.net"),
			    hash_of("al@example.net"));
	assert_string_equal(hidden(FIELD_KEY_SMTP_RCPT_TO, "12345@example.net"),
			    hash_of("12345@example.net"));
	assert_string_not_equal(hash_of("al@example.net"), hash_of("bob@example.net"));
}

static void a_callee_is_a_number_wherever_it_is_called(void **unused)
{
	static const char *const same[] = {"sip:+15551234567@carrier.example",
					   "tel:+1-555-123-4567",
					   "\"Bob\" <sip:15551234567@10.0.0.1;user=phone>;tag=x1",
					   "sips:+15551234567@other.example:5061;transport=tcp"};

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		assert_int_equal(strncmp(hidden(FIELD_KEY_SIP_TO, same[i]), hash_of("15551234567"),
					 PERSON_TEXT - 1),
				 0);
	assert_string_equal(hidden(FIELD_KEY_CALL_TO, "+15551234567"), hash_of("15551234567"));
	assert_string_equal(hidden(FIELD_KEY_SIP_URI, "sip:bob@example.net"),
			    hash_of("bob@example.net"));
}

static void texts_lose_who_is_in_them_and_nothing_else(void **unused)
{
	char expected[256];

	snprintf(expected, sizeof(expected), "5.1.1 <%s>: user unknown (see https://a.example/x?y)",
		 hash_of("bob@example.net"));
	assert_string_equal(
		hidden(FIELD_KEY_SMTP_REPLY_TEXT,
		       "5.1.1 <bob@example.net>: user unknown (see https://a.example/x?y)"),
		expected);
	snprintf(expected, sizeof(expected), "INVITE %s SIP/2.0", hash_of("4711"));
	assert_string_equal(hidden(FIELD_KEY_SIP_REQUEST_LINE, "INVITE sip:4711@x SIP/2.0"),
			    expected);
	snprintf(expected, sizeof(expected), "https://a.example/u?m=%s&n=1",
		 hash_of("bob@example.net"));
	assert_string_equal(
		hidden(FIELD_KEY_EMAIL_URL, "https://a.example/u?m=bob@example.net&n=1"), expected);
	assert_string_equal(hidden(FIELD_KEY_VERDICT_DETAIL, "example.net"), "example.net");
	assert_string_equal(hidden(FIELD_KEY_VERDICT_DETAIL, ""), "");
	assert_string_equal(hidden(FIELD_KEY_VERDICT_DETAIL, "15551234567"),
			    hash_of("15551234567"));
	assert_string_equal(hidden(FIELD_KEY_VERDICT_DETAIL, "16 digits"), "16 digits");
}

static void what_is_no_address_is_somebody_all_the_same(void **unused)
{
	assert_int_equal(strncmp(hidden(FIELD_KEY_EMAIL_TO, "undisclosed"), "hash:", 5), 0);
	assert_int_equal(strncmp(hidden(FIELD_KEY_SMTP_RCPT_TO, "postmaster"), "hash:", 5), 0);
	assert_string_equal(hidden(FIELD_KEY_EMAIL_TO, ""), "");
	assert_false(eve_people_in(FIELD_KEY_SMTP_MAIL_FROM));
	assert_false(eve_people_in(FIELD_KEY_EMAIL_SUBJECT));
	assert_false(eve_people_in(FIELD_KEY_COUNT));
}

static void it_keeps_to_its_room(void **unused)
{
	char out[64], text[4096];

	memset(text, 'x', sizeof(text));
	for (size_t i = 10; i < sizeof(text); i += 20)
		text[i] = i % 40 ? '@' : ' ';
	for (size_t size = 0; size <= sizeof(out); size++) {
		memset(out, '#', sizeof(out));
		assert_true(eve_people_hide(&key, FIELD_KEY_EMAIL_TO, text, sizeof(text), out,
					    size) <= size);
		for (size_t i = size; i < sizeof(out); i++)
			assert_int_equal(out[i], '#');
	}
}

static void an_event_has_hashes_unless_it_is_asked_for_plain(void **unused)
{
	static _Alignas(8) uint8_t record[1024];
	struct event_builder b;
	struct event_head *head = (struct event_head *)record;
	const struct tenant_name tenant = {1, "acme", "active"};
	const struct tenant_names names = {&tenant, 1};
	struct json_out out;
	char buf[2048];

	event_begin(&b, record, sizeof(record), EVENT_SMTP);
	event_put_text(&b, FIELD_KEY_SMTP_MAIL_FROM, "ann@acme.example");
	event_put_text(&b, FIELD_KEY_SMTP_RCPT_TO, "bob@example.net");
	event_put_text(&b, FIELD_KEY_SMTP_RCPT_TO, "al@example.net");
	for (int plain = 0; plain < 2; plain++) {
		json_out_init(&out, buf, sizeof(buf));
		assert_int_equal(
			eve_format(&out, head, event_size(&b), &names, plain ? NULL : &key), 0);
		out.text[out.len] = '\0';
		assert_non_null(strstr(out.text, "\"mail_from\":\"ann@acme.example\""));
		assert_int_equal(!strstr(out.text, "bob@example.net"), !plain);
		assert_int_equal(!strstr(out.text, hash_of("bob@example.net")), plain);
		assert_int_equal(!strstr(out.text, hash_of("al@example.net")), plain);
		json_out_fini(&out);
	}
}

static void the_key_is_made_once_and_kept(void **unused)
{
	struct person_key first, second;
	char error[PERSON_ERROR], text[PERSON_TEXT];
	int dir = open(scratch_dir, O_RDONLY | O_DIRECTORY);
	uint64_t hash;

	assert_int_equal(person_key_open(dir, &first, error), 0);
	assert_int_equal(person_key_open(dir, &second, error), 0);
	assert_memory_equal(&first, &second, sizeof(first));
	assert_int_equal(truncate(scratch_path("person.key"), 5), 0);
	assert_true(person_key_open(dir, &second, error) < 0);
	assert_non_null(strstr(error, "person.key"));
	hash = person_hash(&first, "bob@example.net", 15);
	assert_int_equal(person_parse(person_text(hash, text)), hash);
	assert_int_equal(person_parse("hash:12"), 0);
	assert_int_equal(person_parse("bob@example.net"), 0);
	assert_true(hash != person_hash(&key, "bob@example.net", 15));
	close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_one_person_however_it_is_written),
		cmocka_unit_test(a_callee_is_a_number_wherever_it_is_called),
		cmocka_unit_test(texts_lose_who_is_in_them_and_nothing_else),
		cmocka_unit_test(what_is_no_address_is_somebody_all_the_same),
		cmocka_unit_test(it_keeps_to_its_room),
		cmocka_unit_test(an_event_has_hashes_unless_it_is_asked_for_plain),
		cmocka_unit_test_setup_teardown(the_key_is_made_once_and_kept, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
