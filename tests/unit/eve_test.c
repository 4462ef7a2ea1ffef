/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/events/eve.h"

#include <errno.h>
#include <netinet/in.h>

#include "tests/unit/test.h"

static const struct tenant_name tenants[] = {
	{0, "unknown", "active"},
	{17, "caf\xc3\xa9", "active"},
};
static const struct tenant_names names = {tenants, 2};

static _Alignas(8) uint8_t buf[1024];

static struct event_head *packet_event(struct event_builder *b, enum event_type type)
{
	struct event_head *head = event_begin(b, buf, sizeof(buf), type);

	head->direction = TO_SERVER;
	head->family = 4;
	head->proto = IPPROTO_TCP;
	head->time = 1795474010ULL * 1000000000 + 123456789;
	head->packet = 42;
	head->flow_id = 99;
	head->tenant = 1;
	head->generation = 3;
	memcpy(head->src, (uint8_t[]){192, 0, 2, 1}, 4);
	memcpy(head->dst, (uint8_t[]){198, 51, 100, 2}, 4);
	head->sport = 40000;
	head->dport = 25;
	return head;
}

static void line_is(const struct event_builder *b, const char *expected)
{
	char *line = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&line, &len);

	assert_non_null(out);
	assert_int_equal(eve_write(out, b->head, event_size(b), &names), 0);
	fclose(out);
	assert_string_equal(line, expected);
	free(line);
}

#define HEAD(type)                                                                           \
	"{\"timestamp\":\"2026-11-23T22:46:50.123456+0000\",\"flow_id\":99,\"pcap_cnt\":42," \
	"\"event_type\":\"" type "\",\"src_ip\":\"192.0.2.1\",\"src_port\":40000,"           \
	"\"dest_ip\":\"198.51.100.2\",\"dest_port\":25,\"proto\":\"TCP\","                   \
	"\"direction\":\"to_server\",\"tenant_id\":17,\"tenant\":\"caf\xc3\xa9\",\"generation\":3"

static void fields_stand_where_the_table_says(void **state)
{
	struct event_builder b;

	packet_event(&b, EVENT_SMTP);
	event_put_text(&b, FIELD_KEY_SMTP_HELO, "mx\x01\"\\ \xe9");
	event_put_text(&b, FIELD_KEY_SMTP_RCPT_TO, "<a@example.org>");
	event_put_text(&b, FIELD_KEY_FLOW_APP, "smtp");
	event_put_text(&b, FIELD_KEY_SMTP_RCPT_TO, "<b@example.org>");
	event_put_uint(&b, FIELD_KEY_SMTP_BYTES, UINT64_MAX);
	event_put_bool(&b, FIELD_KEY_SMTP_TLS, false);
	line_is(&b, HEAD("smtp") ",\"smtp\":{\"helo\":\"mx\\u0001\\\"\\\\ \\\\xe9\","
				 "\"rcpt_to\":[\"<a@example.org>\",\"<b@example.org>\"],"
				 "\"message_bytes\":9223372036854775807,\"tls\":false},"
				 "\"app_proto\":\"smtp\"}\n");
}

static void fields_of_one_object_may_stand_apart(void **state)
{
	struct event_builder b;

	packet_event(&b, EVENT_ALERT);
	event_put_text(&b, FIELD_KEY_VERDICT_ACTION, "drop");
	event_put_text(&b, FIELD_KEY_ALERT_AUP, "A");
	event_put_uint(&b, FIELD_KEY_ALERT_SID, 1);
	event_put_text(&b, FIELD_KEY_VERDICT_REASON, "rule");
	event_put_text(&b, FIELD_KEY_ALERT_AUP, "B{");
	event_put_uint(&b, FIELD_KEY_ALERT_REV, 2);
	event_put_uint(&b, FIELD_KEY_ALERT_REV, 3); /* twice: the first stands */
	line_is(&b, HEAD("alert") ",\"alert\":{\"gid\":1,\"metadata\":{\"aup\":[\"A\",\"B{\"]},"
				  "\"signature_id\":1,\"rev\":2},"
				  "\"verdict\":{\"action\":\"drop\",\"reason\":\"rule\"}}\n");
}

static void a_long_record_is_one_line(void **state)
{
	static _Alignas(8) uint8_t big[70000];
	static char value[60000];
	struct event_builder b;
	char *line = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&line, &len);

	memset(value, '\xff', sizeof(value));
	event_begin(&b, big, sizeof(big), EVENT_EMAIL);
	assert_true(event_put_str(&b, FIELD_KEY_EMAIL_SUBJECT, value, sizeof(value)));
	assert_int_equal(eve_write(out, b.head, event_size(&b), &names), 0);
	fclose(out);
	assert_true(len > 5 * sizeof(value)); /* \\xff */
	assert_ptr_equal(strchr(line, '\n'), line + len - 1);
	assert_string_equal(line + len - 9, "\\\\xff\"}}\n");
	free(line);
}

static void durations_are_seconds(void **state)
{
	struct event_builder b;

	packet_event(&b, EVENT_CALL);
	event_put_ns(&b, FIELD_KEY_CALL_DURATION, 86400123456789);
	event_put_ns(&b, FIELD_KEY_CALL_RING, 0);
	event_put_ns(&b, FIELD_KEY_FLOW_AGE, 1999999999);
	line_is(&b, HEAD("call") ",\"call\":{\"duration_s\":86400.123456789,\"ring_s\":0.0},"
				 "\"flow\":{\"age\":1}}\n");
}

static void an_alert_looks_like_suricatas(void **state)
{
	struct event_builder b;

	packet_event(&b, EVENT_ALERT);
	event_put_text(&b, FIELD_KEY_ALERT_ACTION, "blocked");
	event_put_uint(&b, FIELD_KEY_ALERT_SID, 9000103);
	event_put_text(&b, FIELD_KEY_ALERT_AUP, "AUP-SUBJECT");
	line_is(&b, HEAD("alert") ",\"alert\":{\"gid\":1,\"action\":\"blocked\","
				  "\"signature_id\":9000103,"
				  "\"metadata\":{\"aup\":[\"AUP-SUBJECT\"]}}}\n");
}

static void ipv6_vlan_and_other_protocols_are_shown(void **state)
{
	struct event_builder b;
	struct event_head *head = event_begin(&b, buf, sizeof(buf), EVENT_VERDICT);

	head->family = 6;
	head->proto = IPPROTO_GRE;
	head->direction = TO_CLIENT;
	head->vlan = 100;
	head->src[0] = 0x20;
	head->src[1] = 0x01;
	head->dst[15] = 1;
	head->tenant = 2; /* beyond the table */
	head->packet = EVENT_OF_NO_PACKET | 17;
	line_is(&b, "{\"timestamp\":\"1970-01-01T00:00:00.000000+0000\",\"event_type\":\"verdict\","
		    "\"vlan\":[100],\"src_ip\":\"2001::\",\"dest_ip\":\"::1\",\"proto\":\"047\","
		    "\"direction\":\"to_client\",\"tenant_id\":0,\"generation\":0}\n");
}

static void what_had_no_room_is_said_to_be_missing(void **state)
{
	struct event_builder b;
	struct event_head *head;

	packet_event(&b, EVENT_SIP);
	head = b.head;
	event_put_text(&b, FIELD_KEY_SIP_METHOD, "INVITE");
	b.room = 0;
	event_put_text(&b, FIELD_KEY_SIP_URI, "sip:a@example.org");
	assert_int_equal(head->count, 2);
	line_is(&b, HEAD("sip") ",\"sip\":{\"method\":\"INVITE\"},\"fields_omitted\":1}\n");
}

static void what_is_between_worker_and_control_is_neither_shown_nor_missed(void **state)
{
	struct event_builder b;

	packet_event(&b, EVENT_SMTP);
	event_put_bool(&b, FIELD_KEY_SMTP_TLS, false);
	event_put_text(&b, FIELD_KEY_SMTP_MESSAGE_ID, "<a@example.org>");
	line_is(&b, HEAD("smtp") ",\"smtp\":{\"tls\":false}}\n");
}

static void fields_of_the_wrong_size_or_unknown_are_left_out(void **state)
{
	struct event_builder b;

	packet_event(&b, EVENT_SMTP);
	event_put_str(&b, FIELD_KEY_SMTP_BYTES, "abcd", 4);
	event_put_str(&b, FIELD_KEY_SMTP_TLS, "", 0);
	event_put_text(&b, FIELD_KEY_COUNT, "from a newer gate");
	line_is(&b, HEAD("smtp") ",\"fields_omitted\":3}\n");
}

static void addresses_are_no_events_and_nonsense_is_refused(void **state)
{
	struct event_builder b;
	struct event_head *head = packet_event(&b, EVENT_ADDRESS);

	event_put_text(&b, FIELD_KEY_ADDRESS_RCPT_TO, "a@example.org");
	line_is(&b, "");
	head->type = 0;
	assert_int_equal(eve_write(stdout, head, event_size(&b), &names), -EBADMSG);
	head->type = 255;
	assert_int_equal(eve_write(stdout, head, event_size(&b), &names), -EBADMSG);
	head->type = EVENT_SMTP;
	assert_int_equal(eve_write(stdout, head, event_size(&b) - 8, &names), -EBADMSG);
}

static void a_stream_that_refuses_is_an_error(void **state)
{
	struct event_builder b;
	FILE *full = fopen("/dev/full", "w");

	if (!full)
		skip();
	setvbuf(full, NULL, _IONBF, 0);
	packet_event(&b, EVENT_SMTP);
	assert_int_equal(eve_write(full, b.head, event_size(&b), &names), -EIO);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_stand_where_the_table_says),
		cmocka_unit_test(fields_of_one_object_may_stand_apart),
		cmocka_unit_test(a_long_record_is_one_line),
		cmocka_unit_test(durations_are_seconds),
		cmocka_unit_test(an_alert_looks_like_suricatas),
		cmocka_unit_test(ipv6_vlan_and_other_protocols_are_shown),
		cmocka_unit_test(what_had_no_room_is_said_to_be_missing),
		cmocka_unit_test(what_is_between_worker_and_control_is_neither_shown_nor_missed),
		cmocka_unit_test(fields_of_the_wrong_size_or_unknown_are_left_out),
		cmocka_unit_test(addresses_are_no_events_and_nonsense_is_refused),
		cmocka_unit_test(a_stream_that_refuses_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
