/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/page/page.h"

#include "control/page/page_text.h"
#include "tests/unit/test.h"

#define SECOND 1000000000ULL

static struct counters total;
static struct tenant_counters tenants[32];
static struct tenant_name slots[32] = {
	{0, "", "active"},
	{17, "caf\xc3\xa9 example", "suspended"},
	{1000017, "a tenant whose name is far too long", "active"},
	{4, "quiet", "active"},
};

static char *printed(struct page *page, const struct report *report, bool colour)
{
	char *text = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&text, &len);

	assert_non_null(file);
	assert_int_equal(page_print(page, report, file, colour), 0);
	fclose(file);
	return text;
}

struct refusal_text {
	const char *action, *object, *reason, *reply;
	uint32_t sid;
	bool shadow;
};

static void refuse(struct page *page, uint32_t tenant, uint64_t time, struct refusal_text what)
{
	static _Alignas(8) uint8_t buf[1024];
	struct event_builder b;
	struct event_head *head = event_begin(&b, buf, sizeof(buf), EVENT_VERDICT);

	head->tenant = tenant;
	head->time = time;
	event_put_text(&b, FIELD_KEY_VERDICT_ACTION, what.action);
	event_put_text(&b, FIELD_KEY_VERDICT_OBJECT, what.object);
	event_put_text(&b, FIELD_KEY_VERDICT_REASON, what.reason);
	if (what.reply)
		event_put_text(&b, FIELD_KEY_VERDICT_REJECT, what.reply);
	if (what.sid)
		event_put_uint(&b, FIELD_KEY_VERDICT_SID, what.sid);
	if (what.shadow)
		event_put_bool(&b, FIELD_KEY_VERDICT_SHADOW, true);
	assert_int_equal(page_event(page, head, event_size(&b)), 0);
}

static void traffic_set(void)
{
	memset(&total, 0, sizeof(total));
	total.link.packets = 1234567;
	total.link.bytes = 880000000;
	total.link.not_ip = 12;
	total.link.fragments = 3;
	total.flows_created = 2345;
	total.flows_peak = 99;
	total.tcp.flows = 2000;
	total.tcp.midstream = 3;
	total.tcp.retransmitted = 44;
	total.smtp.sessions = 1000;
	total.smtp.starttls = 10;
	total.smtp.commands[0] = (struct counted_name){"MAIL", 1100};
	total.smtp.commands[1] = (struct counted_name){"RCPT", 12000};
	total.smtp.replies[250] = 14000;
	total.smtp.messages_attempted = 1090;
	total.smtp.messages_accepted = 1000;
	total.smtp.messages_refused_by_gate = 31;
	total.smtp.rcpt_attempted = 12000;
	total.smtp.rcpt_accepted = 11999;
	total.smtp.rcpt_delivered = 11500;
	total.sip.requests[0] = (struct counted_name){"INVITE", 400};
	total.sip.responses[200] = 300;
	total.sip.calls_attempted = 400;
	total.sip.calls_seized = 390;
	total.sip.calls_answered = 260;
	total.sip.calls_short = 13;
	total.sip.calls_completed = 250;
	total.verdicts[VERDICT_PASS] = 1234500;
	total.verdicts[VERDICT_DROP] = 20;
	total.verdicts[VERDICT_REJECT] = 47;
	for (unsigned i = 0; i < STAGE_COUNT; i++)
		total.cycles[i] = 1234567ULL * 10 * (i + 1);

	memset(tenants, 0, sizeof(tenants));
	tenants[0].packets = 100;
	tenants[1].packets = 1200000;
	tenants[1].messages = 1000;
	tenants[1].recipients = 12000;
	tenants[1].reasons[REASON_OPT_OUT] = 2;
	tenants[1].reasons[REASON_LIMIT_MESSAGES] = 31;
	tenants[1].reasons[REASON_MIDSTREAM] = 2;
	tenants[1].reasons[REASON_AFTER_REFUSAL] = 400; /* packets: no decision of its own */
	tenants[1].reasons[REASON_RULE] = 34;           /* the alerts too, where a rule refused */
	tenants[2].packets = 34467;
	tenants[2].calls = 400;
	tenants[2].calls_seized = 390;
	tenants[2].calls_answered = 260;
	tenants[2].calls_short = 13;
}

/* clang-format off */
static const char expected_page[] =
	"\n"
	"WHAT CAME IN\n"
	"  files      mail.pcap, calls.pcapng\n"
	"  packets    1.23 M packets, 880 MB, 1 m 30 s of traffic, 12 not IP, 3 fragments\n"
	"  flows      2,345 flows, 2,000 of them TCP, 3 joined midstream, 44 sent again\n"
	"  SMTP       1,000 sessions, 10 with STARTTLS, 13,100 commands, 14,000 replies\n"
	"  messages   1,090 attempted, 1,000 accepted, 31 refused by the gate\n"
	"  recipients 12,000 attempted, 11,999 accepted, 11,500 delivered\n"
	"  SIP        400 requests, 300 responses\n"
	"  calls      400 attempted, 260 answered (ASR 66.7 %), 13 short (5.0 %), 250 completed\n"
	"  verdicts   1.23 M packets passed, 20 dropped, 47 rejected\n"
	"\n"
	"TENANTS\n"
	"      id  tenant                 state      packets  messages   rcpts  calls     ASR   short refused\n"
	"      17  caf\xc3\xa9" " example           suspended   1.20 M     1,000  12,000      0       -       -      32\n"
	"          why: limit_messages 31, midstream 2, opt_out 2, rule 1\n"
	" 1000017  a tenant whose name ~  active      34,467         0       0    400  66.7 %   5.0 %       1\n"
	"          why: emergency_number 1\n"
	"       0  (no tenant)            active         100         0       0      0       -       -       0\n"
	"  1 without traffic\n"
	"\n"
	"REFUSED\n"
	"   times  first     tenant              verdict what        why, and in which words\n"
	"      31  01:00:31  caf\xc3\xa9" " example        reject  message     too many messages\n"
	"                                        \"421 4.7.0 Too many messages, try again later\"\n"
	"       2  02:00:00  caf\xc3\xa9" " example        shadow  message     rule 9000103: Subject pretends to be a ~\n"
	"                                        \"550 5.7.1 Misleading ?[2J subject line\"\n"
	"       1  00:00:00  caf\xc3\xa9" " example        drop    packet      rule 1001: once or twice\n"
	"       1  00:01:40  a tenant whose na~  reject  call        an emergency number\n"
	"                                        \"403 Not possible here\"\n"
	"\n"
	"RULES THAT HIT\n"
	"    hits  action         sid  message\n"
	"      31  reject     9000103  Subject pretends to be a reply\n"
	"       2  alert         1001  once or twice\n"
	"\n"
	"NEAR A LIMIT\n"
	"  caf\xc3\xa9" " example        messages      ##########  100 % of 30/min, burst 30; exceeded 31 times\n"
	"  a tenant whose na~  calls         #######...   74 % of 10,000/day, burst 200\n"
	"  a tenant whose na~  connections   ######....   60 %\n"
	"\n"
	"RISK\n"
	"  a tenant whose na~    57.0  throttle  asr 55, bulk 2\n"
	"  caf\xc3\xa9" " example           3.0  none      bulk 3\n"
	"\n"
	"HOW FAST\n"
	"  rate       2.47 M packets/s, 14.1 Gbit/s, 500 ms with 2 workers\n"
	"  cycles     rx 10, decode 20, flow 30, stream 40, inspect 50, verdict 60, tx 70,\n"
	"             together 280 a packet\n"
	"  memory     912 bytes a flow, 99 flows at most\n";
/* clang-format on */

static void the_page_reads(void **state)
{
	static const char *const files[] = {"mail.pcap", "calls.pcapng"};
	static const struct rule_hits rules[] = {
		{1000, 0, "never", "alert"},
		{1001, 2, "once or twice", "alert"},
		{9000103, 31, "Subject pretends to be a reply", "reject"},
	};
	static const struct limit_use limits[] = {
		{1, "messages", 100, 31, 0.5, 30},
		{2, "calls", 74, 0, 10000 / 86400.0, 200},
		{2, "bytes", 12, 0, 1e7, 2e7},
		{2, "connections", 60, 0, 0, 0},
	};
	const struct tenant_names names = {slots, 4};
	json_t *const risk[] = {
		NULL,
		json_pack("{s:f, s:s, s:{s:f}}", "score", 3.0, "level", "none", "points", "bulk",
			  3.0),
		json_pack("{s:f, s:s, s:{s:f, s:f}}", "score", 57.0, "level", "throttle", "points",
			  "asr", 55.0, "bulk", 2.0),
		json_pack("{s:f, s:s, s:{}}", "score", 0.0, "level", "none", "points"),
	};
	const struct report report = {
		.file = files,
		.files = 2,
		.duration_ns = 90 * SECOND,
		.total = &total,
		.tenant = tenants,
		.names = &names,
		.risk = risk,
		.rule = rules,
		.rules = 3,
		.limit = limits,
		.limits = 4,
		.wall_s = 0.5,
		.workers = 2,
		.bytes_per_flow = 912,
	};
	struct page *page = page_new(4);
	char *text;

	assert_non_null(page);
	traffic_set();
	refuse(page, 2, 100 * SECOND,
	       (struct refusal_text){.action = "reject",
				     .object = "call",
				     .reason = "emergency_number",
				     .reply = "403 Not possible here"});
	for (uint64_t i = 0; i < 31; i++)
		refuse(page, 1, (3661 - i) * SECOND,
		       (struct refusal_text){
			       .action = "reject",
			       .object = "message",
			       .reason = "limit_messages",
			       .reply = "421 4.7.0 Too many messages, try again later"});
	refuse(page, 1, 0,
	       (struct refusal_text){
		       .action = "drop", .object = "packet", .reason = "rule", .sid = 1001});
	for (int i = 0; i < 2; i++)
		refuse(page, 1, 7200 * SECOND,
		       (struct refusal_text){.action = "reject",
					     .object = "message",
					     .reason = "rule",
					     .reply = "550 5.7.1 Misleading \x1b[2J subject line",
					     .sid = 9000103,
					     .shadow = true});
	text = printed(page, &report, false);
	assert_string_equal(text, expected_page);
	free(text);
	page_free(page);
	for (int i = 0; i < 4; i++)
		json_decref(risk[i]);
}

static const struct tenant_names nobody = {slots, 1};

static void nothing_seen_is_said(void **state)
{
	const struct report report = {
		.total = &total, .tenant = tenants, .names = &nobody, .workers = 1};
	struct page *page = page_new(1);
	char *text;

	memset(&total, 0, sizeof(total));
	memset(tenants, 0, sizeof(tenants));
	text = printed(page, &report, false);
	assert_non_null(strstr(text, "  SMTP       none\n"));
	assert_non_null(strstr(text, "  SIP        none\n"));
	assert_non_null(strstr(text, "\nREFUSED\n  nothing\n"));
	assert_non_null(strstr(text, "\nRULES THAT HIT\n  none\n"));
	assert_non_null(strstr(text, "\nNEAR A LIMIT\n  nobody came to 50 % of a limit\n"));
	assert_non_null(strstr(text, "  rate       0 s with 1 worker\n"));
	free(text);
	page_free(page);
}

static void kinds_beyond_the_rows_and_the_memory_are_still_counted(void **state)
{
	const struct report report = {.total = &total, .tenant = tenants, .names = &nobody};
	struct page *page = page_new(1);
	char *text, reply[32];

	for (int i = 0; i < 300; i++) {
		snprintf(reply, sizeof(reply), "550 kind %03d", i);
		refuse(page, 0, 0,
		       (struct refusal_text){.action = "reject",
					     .object = "x",
					     .reply = reply,
					     .reason = "opt_out"});
	}
	refuse(page, 0, 0,
	       (struct refusal_text){.action = "reject",
				     .object = "x",
				     .reply = "550 kind 007",
				     .reason = "opt_out"});
	text = printed(page, &report, false);
	assert_non_null(strstr(text, "       2  00:00:00  (no tenant)         reject  x           "
				     "the recipient opted out\n"
				     "                                        \"550 kind 007\"\n"));
	assert_non_null(strstr(text, "\"550 kind 014\"\n  and 285 more\n"));
	assert_null(strstr(text, "kind 015"));
	free(text);
	page_free(page);
}

static void the_busiest_tenants_are_shown(void **state)
{
	const struct tenant_names names = {slots, 32};
	const struct report report = {.total = &total, .tenant = tenants, .names = &names};
	struct page *page = page_new(32);
	char *text;

	memset(tenants, 0, sizeof(tenants));
	for (unsigned i = 4; i < 32; i++) {
		slots[i] = (struct tenant_name){100 + i, i == 31 ? "busiest" : "other", "active"};
		tenants[i].packets = i < 31 ? 1000 - i : 5000;
	}
	text = printed(page, &report, false);
	assert_non_null(
		strstr(text, "refused\n     131  busiest                active       5,000"));
	assert_non_null(strstr(text, "     122  other "));
	assert_null(strstr(text, "     123  other "));
	assert_non_null(strstr(text, "\n  and 8 more\n  4 without traffic\n"));
	free(text);
	page_free(page);
}

static void colour_adds_escapes_and_nothing_else(void **state)
{
	const struct tenant_names names = {slots, 4};
	const struct report report = {.total = &total, .tenant = tenants, .names = &names};
	struct page *page = page_new(4);
	char *plain, *coloured, *to;

	traffic_set();
	plain = printed(page, &report, false);
	assert_null(strchr(plain, '\033'));
	coloured = printed(page, &report, true);
	assert_non_null(strstr(coloured, "\033[1mTENANTS\033[0m\n"));
	assert_non_null(strstr(coloured, "\033[31msuspended\033[0m"));
	to = coloured;
	for (const char *from = coloured; *from; from++) {
		if (*from == '\033')
			from = strchr(from, 'm');
		else
			*to++ = *from;
	}
	*to = '\0';
	assert_string_equal(coloured, plain);
	free(plain);
	free(coloured);
	page_free(page);
}

static void a_file_gets_no_colour(void **state)
{
	FILE *file = fopen("/dev/null", "w");

	assert_false(page_colour(file));
	fclose(file);
}

static void shadow_refuses_nobody(void **state)
{
	const struct report report = {.total = &total, .tenant = tenants, .names = &nobody};
	struct page *page = page_new(1);
	char *text;

	memset(tenants, 0, sizeof(tenants));
	tenants[0].packets = 1;
	refuse(page, 0, 0,
	       (struct refusal_text){.action = "reject",
				     .object = "call",
				     .reason = "do_not_call",
				     .shadow = true});
	text = printed(page, &report, false);
	assert_non_null(strstr(text, "      -       -       0\n"));
	assert_non_null(
		strstr(text, "  shadow  call        the callee is on a do-not-call list\n"));
	free(text);
	page_free(page);
}

static void records_that_lie_are_refused(void **state)
{
	static _Alignas(8) uint8_t buf[128];
	struct event_builder b;
	struct page *page = page_new(1);

	event_begin(&b, buf, sizeof(buf), EVENT_VERDICT)->tenant = 77;
	assert_int_equal(page_event(page, b.head, event_size(&b)), 0);
	assert_true(page_event(page, b.head, event_size(&b) - 1) < 0);
	b.head->type = EVENT_SMTP;
	assert_int_equal(page_event(page, b.head, event_size(&b)), 0);
	page_free(page);
}

static void numbers_are_short(void **state)
{
	char text[SHORT_SIZE];

	assert_string_equal(short_count(text, 0), "0");
	assert_string_equal(short_count(text, 999), "999");
	assert_string_equal(short_count(text, 1000), "1,000");
	assert_string_equal(short_count(text, 99999), "99,999");
	assert_string_equal(short_count(text, 100000), "100 k");
	assert_string_equal(short_count(text, 999499), "999 k");
	assert_string_equal(short_count(text, 999500), "1.00 M");
	assert_string_equal(short_count(text, UINT64_MAX), "18.4 E");
	assert_string_equal(short_amount(text, 1.2e9, "bit/s"), "1.20 Gbit/s");
	assert_string_equal(short_amount(text, 9.996e6, "B"), "10.0 MB");
	assert_string_equal(short_amount(text, 99.96e6, "B"), "100 MB");
	assert_string_equal(short_ratio(text, 1, 3), "33.3 %");
	assert_string_equal(short_ratio(text, 0, 0), "-");
	assert_string_equal(short_duration(text, 0), "0 s");
	assert_string_equal(short_duration(text, 0.0123), "12.3 ms");
	assert_string_equal(short_duration(text, 1.5), "1.5 s");
	assert_string_equal(short_duration(text, 59.6), "1 m 0 s");
	assert_string_equal(short_duration(text, 3599.6), "1 h 0 m");
	assert_string_equal(short_duration(text, 100000), "1 d 3 h");
}

static void long_lists_wrap_within_the_page(void **state)
{
	static const char *const files[] = {
		"a-capture-with-a-rather-long-name.pcap",
		"another-capture-of-the-kind.pcap",
		"the-third.pcap",
		"the-fourth.pcap",
		"/a/path/so/long/that/it/fills/more/than/a/line/of/the/page/all/by/itself/and.pcap",
	};
	const struct report report = {
		.file = files, .files = 5, .total = &total, .tenant = tenants, .names = &nobody};
	struct page *page = page_new(1);
	char *text = printed(page, &report, false);

	assert_non_null(strstr(text, "  files      a-capture-with-a-rather-long-name.pcap, "
				     "another-capture-of-the-kind.pcap,\n"
				     "             the-third.pcap, the-fourth.pcap,\n"
				     "             /a/path/so/"));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= PAGE_COLUMNS);
	free(text);
	page_free(page);
}

/* A path says most at its end; what nobody may miss the end of has no end. */
static void a_path_is_cut_at_its_beginning(void **state)
{
	char *text = NULL;
	size_t size;
	struct page_out out = {.file = open_memstream(&text, &size), .column = PAGE_COLUMNS - 8};

	page_path(&out, INK_PLAIN, "/etc/postern.conf:12");
	page_newline(&out);
	page_path(&out, INK_PLAIN, "/etc/caf\xc3\xa9.conf:1");
	page_newline(&out);
	out.column = PAGE_COLUMNS - 6;
	page_path(&out, INK_PLAIN, "caf\xc3\xa9:12");
	page_path(&out, INK_PLAIN, "none");
	page_newline(&out);
	out.column = PAGE_COLUMNS;
	page_whole(&out, INK_PLAIN, "all\033 of it");
	page_newline(&out);
	page_none(&out);
	fclose(out.file);
	assert_string_equal(text,
			    "~conf:12\n/etc/caf\xc3\xa9.conf:1\n~f\xc3\xa9:12\nall? of it\nnone\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_cut_at_its_beginning),
		cmocka_unit_test(the_page_reads),
		cmocka_unit_test(nothing_seen_is_said),
		cmocka_unit_test(kinds_beyond_the_rows_and_the_memory_are_still_counted),
		cmocka_unit_test(the_busiest_tenants_are_shown),
		cmocka_unit_test(colour_adds_escapes_and_nothing_else),
		cmocka_unit_test(a_file_gets_no_colour),
		cmocka_unit_test(shadow_refuses_nobody),
		cmocka_unit_test(records_that_lie_are_refused),
		cmocka_unit_test(numbers_are_short),
		cmocka_unit_test(long_lists_wrap_within_the_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
