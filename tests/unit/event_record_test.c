/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
#include "bpf/event_record.h"
#include "tests/unit/test.h"

static _Alignas(8) uint8_t buf[256];

static void what_is_put_is_read_in_order(void **state)
{
	struct event_builder b;
	struct event_reader r;
	struct event_value v;
	struct event_head *head;

	memset(buf, 0xa5, sizeof(buf));
	head = event_begin(&b, buf, sizeof(buf), EVENT_SMTP);
	assert_non_null(head);
	head->packet = 7;
	assert_true(event_put_text(&b, FIELD_KEY_SMTP_HELO, "mx.example"));
	assert_true(event_put_uint(&b, FIELD_KEY_SMTP_BYTES, 1ULL << 40));
	assert_true(event_put_bool(&b, FIELD_KEY_SMTP_TLS, true));
	assert_true(event_put_ns(&b, FIELD_KEY_CALL_RING, 5));
	assert_true(event_put_str(&b, FIELD_KEY_SMTP_MAIL_FROM, NULL, 0));
	assert_int_equal(head->count, 5);
	assert_int_equal(head->size % 8, 0);
	assert_int_equal(event_size(&b), head->size);

	assert_ptr_equal(event_open(&r, buf, sizeof(buf)), head);
	assert_int_equal(head->packet, 7);
	assert_true(event_next(&r, &v));
	assert_int_equal(v.key, FIELD_KEY_SMTP_HELO);
	assert_int_equal(v.len, 10);
	assert_memory_equal(v.p, "mx.example", 10);
	assert_int_equal(v.p[10], 0); /* padding */
	assert_true(event_next(&r, &v));
	assert_true(event_value_uint(&v) == 1ULL << 40);
	assert_true(event_next(&r, &v));
	assert_true(event_value_bool(&v));
	assert_true(event_next(&r, &v));
	assert_int_equal(event_value_uint(&v), 5);
	assert_true(event_next(&r, &v));
	assert_int_equal(v.key, FIELD_KEY_SMTP_MAIL_FROM);
	assert_int_equal(v.len, 0);
	assert_false(event_next(&r, &v));
	assert_true(event_find(head, FIELD_KEY_SMTP_TLS, &v));
	assert_false(event_find(head, FIELD_KEY_SIP_URI, &v));
}

static void a_field_without_room_is_left_out_and_counted(void **state)
{
	const size_t size = sizeof(struct event_head) + 24;
	struct event_builder b;
	struct event_head *head;

	memset(buf, 0xa5, sizeof(buf));
	head = event_begin(&b, buf, size, EVENT_SIP);
	assert_true(event_put_text(&b, FIELD_KEY_SIP_METHOD, "INVITE")); /* 10, so 16 */
	assert_false(event_put_text(&b, FIELD_KEY_SIP_URI, "sip:a"));    /* 9, so 16 */
	assert_true(event_put_text(&b, FIELD_KEY_SIP_CODE, "200"));
	assert_false(event_put_bool(&b, FIELD_KEY_CALL_SHORT, true));
	assert_int_equal(head->count, 4);
	assert_int_equal(head->size, size);
	assert_int_equal(buf[size], 0xa5);
}

static void a_value_longer_than_the_length_can_say_is_left_out(void **state)
{
	static _Alignas(8) uint8_t big[80000];
	static char value[EVENT_FIELD_LEN_MAX + 1];
	struct event_builder b;
	struct event_head *head = event_begin(&b, big, sizeof(big), EVENT_EMAIL);

	assert_false(event_put_str(&b, FIELD_KEY_EMAIL_SUBJECT, value, sizeof(value)));
	assert_int_equal(head->size, sizeof(*head));
	assert_true(event_put_str(&b, FIELD_KEY_EMAIL_SUBJECT, value, sizeof(value) - 1));
	assert_int_equal(head->count, 2);
}

static void a_buffer_smaller_than_the_head_takes_nothing(void **state)
{
	struct event_builder b;

	assert_null(event_begin(&b, buf, sizeof(struct event_head) - 1, EVENT_SIP));
	assert_false(event_put_text(&b, FIELD_KEY_SIP_METHOD, "INVITE"));
	assert_int_equal(event_size(&b), 0);
}

static void a_record_of_impossible_size_is_no_record(void **state)
{
	struct event_builder b;
	struct event_reader r;
	struct event_value v;
	struct event_head *head = event_begin(&b, buf, sizeof(buf), EVENT_SIP);
	const uint32_t bad[] = {0,
				8,
				sizeof(*head) - 8,
				sizeof(*head) + 4,
				sizeof(buf) + 8,
				UINT32_MAX,
				UINT32_MAX - 7};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		head->size = bad[i];
		assert_null(event_open(&r, buf, sizeof(buf)));
		assert_false(event_next(&r, &v));
	}
	head->size = sizeof(*head);
	assert_null(event_open(&r, buf, sizeof(*head) - 1));
}

static void a_lying_length_ends_the_record(void **state)
{
	const size_t size = sizeof(struct event_head) + 16;
	struct event_builder b;
	struct event_reader r;
	struct event_value v;
	uint8_t *exact;

	event_begin(&b, buf, sizeof(buf), EVENT_SIP);
	event_put_text(&b, FIELD_KEY_SIP_METHOD, "INVITE");
	exact = malloc(size); /* its own block: a sanitizer sees any byte too many */
	assert_non_null(exact);
	for (unsigned len = 0; len <= UINT16_MAX; len++) {
		const uint16_t lie = (uint16_t)len;
		size_t fields = 0;

		memcpy(exact, buf, size);
		memcpy(exact + sizeof(struct event_head) + 2, &lie, sizeof(lie));
		assert_non_null(event_open(&r, exact, size));
		while (event_next(&r, &v)) {
			assert_true(v.p >= exact && v.p + v.len <= exact + size);
			fields++;
		}
		assert_int_equal(fields, len <= 4 ? 2 : len <= 12 ? 1 : 0);
	}
	free(exact);
}

static void a_number_of_another_length_reads_as_zero(void **state)
{
	const struct event_value v = {FIELD_KEY_SMTP_BYTES, 4, (const uint8_t *)"\1\1\1\1"};

	assert_int_equal(event_value_uint(&v), 0);
	assert_false(event_value_bool(&v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_is_read_in_order),
		cmocka_unit_test(a_field_without_room_is_left_out_and_counted),
		cmocka_unit_test(a_value_longer_than_the_length_can_say_is_left_out),
		cmocka_unit_test(a_buffer_smaller_than_the_head_takes_nothing),
		cmocka_unit_test(a_record_of_impossible_size_is_no_record),
		cmocka_unit_test(a_lying_length_ends_the_record),
		cmocka_unit_test(a_number_of_another_length_reads_as_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
