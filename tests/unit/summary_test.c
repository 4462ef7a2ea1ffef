/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/page/summary.h"

#include "control/events/counters_json.h"
#include "tests/unit/test.h"

static struct counters total;
static struct tenant_counters tenants[2];

static const struct tenant_name slots[] = {
	{0, "unknown", "active"},
	{17, "example", "suspended"},
};
static const struct tenant_names names = {slots, 2};

static void json_is(json_t *json, const char *expected)
{
	char *text = json_dumps(json, JSON_INDENT(1) | JSON_REAL_PRECISION(12));

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
	json_decref(json);
}

#define NOTHING_SENT                                                                          \
	"   \"packets\": 0,\n   \"bytes\": 0,\n   \"messages\": 0,\n   \"recipients\": 0,\n"  \
	"   \"calls\": 0,\n   \"asr\": null,\n   \"short_call_ratio\": null,\n"               \
	"   \"verdicts\": {\n    \"pass\": 0,\n    \"alert\": 0,\n    \"drop\": 0,\n"         \
	"    \"reject\": 0\n   },\n   \"messages_accepted\": 0,\n   \"calls_answered\": 0,\n" \
	"   \"calls_completed\": 0,\n   \"reasons\": {},\n   \"wire\": {\n"                   \
	"    \"connections\": 0,\n    \"connections_tls\": 0,\n    \"bytes_clear\": 0,\n"     \
	"    \"bytes_tls\": 0\n   },\n   \"risk\": null\n"

static void nothing_seen_still_has_every_key(void **state)
{
	const struct tenant_names only = {slots, 1};
	const struct report report = {
		.total = &total, .tenant = tenants, .names = &only, .workers = 1};
	struct summary summary;

	memset(&total, 0, sizeof(total));
	memset(tenants, 0, sizeof(tenants));
	summary_init(&summary);
	json_is(summary_json(&summary, &report),
		"{\n \"files\": [],\n \"packets\": 0,\n \"bytes\": 0,\n \"duration_s\": 0.0,\n"
		" \"link\": {\n  \"decoded\": 0,\n  \"not_ip\": 0,\n  \"fragments\": 0,\n"
		"  \"malformed\": 0,\n  \"truncated\": 0,\n  \"not_inspected\": 0,\n  \"tunnels\": "
		"0\n },\n"
		" \"tcp\": {\n  \"flows\": 0,\n  \"midstream\": 0,\n  \"out_of_order\": 0,\n"
		"  \"retransmitted\": 0,\n  \"overlap_differs\": 0,\n  \"gaps\": 0\n },\n"
		" \"smtp\": {\n  \"sessions\": 0,\n  \"commands\": {},\n  \"replies\": {},\n"
		"  \"messages\": {\n   \"attempted\": 0,\n   \"accepted\": 0,\n"
		"   \"refused_by_peer\": 0,\n   \"refused_by_gate\": 0\n  },\n"
		"  \"recipients\": {\n   \"attempted\": 0,\n   \"accepted\": 0,\n"
		"   \"delivered\": 0,\n   \"hard_bounced\": 0\n  },\n"
		"  \"starttls\": 0,\n  \"auth\": 0,\n  \"implicit_tls\": 0,\n"
		"  \"mail_from\": [],\n  \"rcpt_to\": []\n },\n"
		" \"sip\": {\n  \"requests\": {},\n  \"responses\": {},\n  \"malformed\": 0,\n"
		"  \"calls\": {\n   \"attempted\": 0,\n   \"seized\": 0,\n   \"answered\": 0,\n"
		"   \"short\": 0,\n   \"completed\": 0\n  },\n"
		"  \"asr\": null,\n  \"short_call_ratio\": null\n },\n"
		" \"verdicts\": {\n  \"pass\": 0,\n  \"alert\": 0,\n  \"drop\": 0,\n  \"reject\": "
		"0\n },\n"
		" \"reasons\": {},\n \"rules\": {},\n"
		" \"tenants\": [\n  {\n   \"id\": 0,\n   \"name\": \"unknown\",\n"
		"   \"state\": \"active\",\n" NOTHING_SENT "  }\n ],\n"
		" \"performance\": {\n  \"wall_s\": 0.0,\n  \"cpu_s\": 0.0,\n  \"packets_per_s\": "
		"0.0,\n"
		"  \"bits_per_s\": 0.0,\n  \"workers\": 1,\n"
		"  \"cycles_per_packet\": {\n   \"rx\": 0.0,\n   \"decode\": 0.0,\n   \"flow\": "
		"0.0,\n"
		"   \"stream\": 0.0,\n   \"inspect\": 0.0,\n   \"verdict\": 0.0,\n   \"tx\": 0.0\n "
		" },\n"
		"  \"bytes_per_flow\": 0,\n  \"rss_bytes\": 0\n },\n"
		" \"flows\": {\n  \"created\": 0,\n  \"now\": 0,\n  \"peak\": 0\n },\n"
		" \"events\": {\n  \"written\": 0,\n  \"lost\": 0\n }\n}");
	summary_fini(&summary);
}

static void mail_counts_stand_in_their_places(void **state)
{
	memset(&total, 0, sizeof(total));
	total.smtp.sessions = 1;
	total.smtp.commands[0] = (struct counted_name){"RCPT", 3};
	total.smtp.commands[1] = (struct counted_name){"EHLO", 1};
	total.smtp.commands[2] = (struct counted_name){"X\xff", 1};
	total.smtp.replies[250] = 5;
	total.smtp.replies[220] = 1;
	total.smtp.messages_attempted = 4;
	total.smtp.messages_accepted = 3;
	total.smtp.messages_refused_by_peer = 2;
	total.smtp.messages_refused_by_gate = 1;
	total.smtp.rcpt_attempted = 14;
	total.smtp.rcpt_accepted = 13;
	total.smtp.rcpt_delivered = 12;
	total.smtp.rcpt_hard_bounced = 11;
	total.smtp.starttls = 21;
	total.smtp.auth = 22;
	total.smtp.implicit_tls = 23;
	json_is(smtp_json(&total),
		"{\n \"sessions\": 1,\n \"commands\": {\n  \"EHLO\": 1,\n  \"RCPT\": 3,\n"
		"  \"X\\\\xff\": 1\n },\n \"replies\": {\n  \"220\": 1,\n  \"250\": 5\n },\n"
		" \"messages\": {\n  \"attempted\": 4,\n  \"accepted\": 3,\n"
		"  \"refused_by_peer\": 2,\n  \"refused_by_gate\": 1\n },\n"
		" \"recipients\": {\n  \"attempted\": 14,\n  \"accepted\": 13,\n"
		"  \"delivered\": 12,\n  \"hard_bounced\": 11\n },\n"
		" \"starttls\": 21,\n \"auth\": 22,\n \"implicit_tls\": 23\n}");
}

static void call_ratios_are_of_seizures_and_of_answers(void **state)
{
	memset(&total, 0, sizeof(total));
	total.sip.requests[5] = (struct counted_name){"INVITE", 12};
	total.sip.responses[200] = 5;
	total.sip.malformed = 1;
	total.sip.calls_attempted = 11;
	total.sip.calls_seized = 10;
	total.sip.calls_answered = 5;
	total.sip.calls_short = 1;
	total.sip.calls_completed = 4;
	json_is(sip_json(&total),
		"{\n \"requests\": {\n  \"INVITE\": 12\n },\n \"responses\": {\n  \"200\": 5\n },\n"
		" \"malformed\": 1,\n \"calls\": {\n  \"attempted\": 11,\n  \"seized\": 10,\n"
		"  \"answered\": 5,\n  \"short\": 1,\n  \"completed\": 4\n },\n"
		" \"asr\": 0.5,\n \"short_call_ratio\": 0.2\n}");
}

static void link_and_tcp_counts_stand_in_their_places(void **state)
{
	memset(&total, 0, sizeof(total));
	total.link.decoded = 1;
	total.link.not_ip = 2;
	total.link.fragments = 3;
	total.link.malformed = 4;
	total.link.truncated = 5;
	total.link.not_inspected = 6;
	total.link.tunnels = 7;
	total.tcp.flows = 1;
	total.tcp.midstream = 2;
	total.tcp.out_of_order = 3;
	total.tcp.retransmitted = 4;
	total.tcp.overlap_differs = 5;
	total.tcp.gaps = 6;
	json_is(link_json(&total),
		"{\n \"decoded\": 1,\n \"not_ip\": 2,\n \"fragments\": 3,\n \"malformed\": 4,\n"
		" \"truncated\": 5,\n \"not_inspected\": 6,\n \"tunnels\": 7\n}");
	json_is(tcp_json(&total),
		"{\n \"flows\": 1,\n \"midstream\": 2,\n \"out_of_order\": 3,\n"
		" \"retransmitted\": 4,\n \"overlap_differs\": 5,\n \"gaps\": 6\n}");
}

/* The member at a path of keys, each ended by a dot or the end. */
static json_t *member(json_t *json, const char *path)
{
	while (json && *path) {
		const size_t len = strcspn(path, ".");

		json = json_object_getn(json, path, len);
		path += len + (path[len] == '.');
	}
	return json;
}

static void text_is(json_t *json, const char *path, const char *expected)
{
	char *text = json_dumps(member(json, path),
				JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(12));

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

static void a_run_is_described(void **state)
{
	static const char *const files[] = {"a.pcap", "caf\xe9.pcap"};
	static const struct rule_hits rules[] = {
		{100, 0, NULL, NULL}, {200, 7, NULL, NULL}, {9000103, 1, NULL, NULL}};
	const struct report report = {
		.file = files,
		.files = 2,
		.duration_ns = 1500000000,
		.total = &total,
		.tenant = tenants,
		.names = &names,
		.rule = rules,
		.rules = 3,
		.wall_s = 0.5,
		.cpu_s = 0.25,
		.workers = 2,
		.bytes_per_flow = 900,
		.rss_bytes = 5000000,
	};
	struct summary summary;
	json_t *json;

	memset(&total, 0, sizeof(total));
	memset(tenants, 0, sizeof(tenants));
	total.link.packets = 100;
	total.link.bytes = 5000;
	total.cycles[STAGE_DECODE] = 2500;
	total.verdicts[VERDICT_REJECT] = 3;
	total.reasons[REASON_RULE] = 3;
	total.events = 8;
	total.events_lost = 1;
	tenants[1].packets = 60;
	tenants[1].calls = 12;
	tenants[1].calls_seized = 8;
	tenants[1].calls_answered = 4;
	tenants[1].calls_short = 1;
	tenants[1].verdicts[VERDICT_DROP] = 2;
	tenants[1].reasons[REASON_OPT_OUT] = 2;
	summary_init(&summary);
	json = summary_json(&summary, &report);
	text_is(json, "files", "[\"a.pcap\",\"caf\\\\xe9.pcap\"]");
	text_is(json, "duration_s", "1.5");
	text_is(json, "verdicts", "{\"pass\":0,\"alert\":0,\"drop\":0,\"reject\":3}");
	text_is(json, "reasons", "{\"rule\":3}");
	text_is(json, "rules", "{\"200\":7,\"9000103\":1}");
	text_is(json, "performance",
		"{\"wall_s\":0.5,\"cpu_s\":0.25,\"packets_per_s\":200.0,\"bits_per_s\":80000.0,"
		"\"workers\":2,"
		"\"cycles_per_packet\":{\"rx\":0.0,\"decode\":25.0,\"flow\":0.0,\"stream\":0.0,"
		"\"inspect\":0.0,\"verdict\":0.0,\"tx\":0.0},\"bytes_per_flow\":900,\"rss_bytes\":"
		"5000000}");
	text_is(json, "events", "{\"written\":8,\"lost\":1}");
	assert_int_equal(json_array_size(member(json, "tenants")), 2);
	text_is(json_array_get(member(json, "tenants"), 1), "",
		"{\"id\":17,\"name\":\"example\",\"state\":\"suspended\",\"packets\":60,"
		"\"bytes\":0,\"messages\":0,\"recipients\":0,\"calls\":12,\"asr\":0.5,"
		"\"short_call_ratio\":0.25,"
		"\"verdicts\":{\"pass\":0,\"alert\":0,\"drop\":2,\"reject\":0},"
		"\"messages_accepted\":0,\"calls_answered\":4,\"calls_completed\":0,"
		"\"reasons\":{\"opt_out\":2},\"wire\":{\"connections\":0,\"connections_tls\":0,"
		"\"bytes_clear\":0,\"bytes_tls\":0},\"risk\":null}");
	json_decref(json);
	summary_fini(&summary);
}

static void address_event(struct summary *summary, uint64_t packet, enum field_key key,
			  const char *first, const char *second)
{
	static _Alignas(8) uint8_t buf[256];
	struct event_builder b;

	event_begin(&b, buf, sizeof(buf), EVENT_ADDRESS)->packet = packet;
	event_put_text(&b, key, first);
	if (second)
		event_put_text(&b, key, second);
	assert_int_equal(summary_event(summary, b.head, event_size(&b)), 0);
}

static void addresses_are_listed_in_packet_order(void **state)
{
	const struct report report = {.total = &total, .tenant = tenants, .names = &names};
	struct summary summary;
	char expected[4096] = "[\"first\"";
	json_t *json;

	summary_init(&summary);
	address_event(&summary, 9, FIELD_KEY_ADDRESS_RCPT_TO, "ninth", NULL);
	address_event(&summary, 2, FIELD_KEY_ADDRESS_MAIL_FROM, "a@example.org", NULL);
	address_event(&summary, 5, FIELD_KEY_ADDRESS_MAIL_FROM, "", NULL);
	for (int i = 0; i < 200; i++) { /* beyond the first allocation, all of one packet */
		char text[8];

		snprintf(text, sizeof(text), "r%d", i);
		address_event(&summary, 8, FIELD_KEY_ADDRESS_RCPT_TO, text, NULL);
		snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected),
			 "%s,\"r%d\"", i ? "" : ",\"third\",\"third too\"", i);
	}
	address_event(&summary, 3, FIELD_KEY_ADDRESS_RCPT_TO, "third", "third too");
	address_event(&summary, 1, FIELD_KEY_ADDRESS_RCPT_TO, "first", NULL);
	strcat(expected, ",\"ninth\"]");
	json = summary_json(&summary, &report);
	text_is(json, "smtp.mail_from", "[\"a@example.org\",\"\"]");
	text_is(json, "smtp.rcpt_to", expected);
	json_decref(json);
	summary_fini(&summary);
}

static void other_records_are_left_alone(void **state)
{
	static _Alignas(8) uint8_t buf[256];
	struct event_builder b;
	struct summary summary;

	summary_init(&summary);
	event_begin(&b, buf, sizeof(buf), EVENT_SMTP);
	event_put_text(&b, FIELD_KEY_ADDRESS_RCPT_TO, "a@example.org");
	assert_int_equal(summary_event(&summary, b.head, event_size(&b)), 0);
	assert_int_equal(summary.rcpt_to.count, 0);
	assert_true(summary_event(&summary, b.head, event_size(&b) - 1) < 0);
	summary_fini(&summary);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_seen_still_has_every_key),
		cmocka_unit_test(mail_counts_stand_in_their_places),
		cmocka_unit_test(call_ratios_are_of_seizures_and_of_answers),
		cmocka_unit_test(link_and_tcp_counts_stand_in_their_places),
		cmocka_unit_test(a_run_is_described),
		cmocka_unit_test(addresses_are_listed_in_packet_order),
		cmocka_unit_test(other_records_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
