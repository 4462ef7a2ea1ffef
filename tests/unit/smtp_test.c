/* SPDX-License-Identifier: BSD-3-Clause */
/* What the spec documents can't show of the SMTP parser: memory, sizes, secrets. */
#include "tests/unit/test.h"

#include "tests/spec/smtp_log.h"

static void say(struct smtp_log *log, enum smtp_direction direction, const char *text)
{
	smtp_log_feed(log, direction, text, strlen(text));
}

static const char *last_line(const char *text)
{
	const char *end = text + strlen(text) - 1, *p = end;

	while (p > text && p[-1] != '\n')
		p--;
	return p;
}

static void a_session_holds_no_block_between_lines(void **state)
{
	static const struct {
		enum smtp_direction direction;
		const char *text;
		size_t blocks;
	} steps[] = {
		{SMTP_FROM_SERVER, "220-mx", 1},       {SMTP_FROM_SERVER, "\r\n220 mx\r\n", 0},
		{SMTP_FROM_CLIENT, "EH", 1},           {SMTP_FROM_CLIENT, "LO c\r\nMAIL", 1},
		{SMTP_FROM_CLIENT, " FROM:<>\r\n", 0}, {SMTP_FROM_SERVER, "250 mx\r\n25", 0},
		{SMTP_FROM_SERVER, "0 ok\r\n", 0},     {SMTP_FROM_CLIENT, "DATA\r\n", 0},
		{SMTP_FROM_SERVER, "354 go\r\n", 0},   {SMTP_FROM_CLIENT, "half a line\r\n.\r", 0},
	};
	struct smtp_log log;

	assert_true(sizeof(struct smtp) <= 192);
	smtp_log_init(&log, 0);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		say(&log, steps[i].direction, steps[i].text);
		assert_int_equal(log.blocks, steps[i].blocks);
	}
	smtp_log_finish(&log);
	smtp_log_fini(&log);
}

static void ten_thousand_pipelined_recipients_take_no_memory(void **state)
{
	struct smtp_log log;

	smtp_log_init(&log, 0);
	say(&log, SMTP_FROM_SERVER, "220 mx\r\n");
	say(&log, SMTP_FROM_CLIENT, "MAIL FROM:<a@c>\r\n");
	for (int i = 0; i < 10000; i++)
		say(&log, SMTP_FROM_CLIENT, "RCPT TO:<b@d>\r\n");
	say(&log, SMTP_FROM_CLIENT, "DATA\r\n.\r\n");
	assert_int_equal(log.blocks, 0);
	assert_true(smtp_waiting(&log.parser));
	say(&log, SMTP_FROM_SERVER, "250 ok\r\n");
	for (int i = 0; i < 10000; i++)
		say(&log, SMTP_FROM_SERVER, i % 4 ? "250 ok\r\n" : "550 no\r\n");
	say(&log, SMTP_FROM_SERVER, "354 go\r\n250 queued\r\n");
	assert_string_equal(last_line(smtp_log_finish(&log)),
			    "result accepted 250 rcpts 7500/10000\n");
	smtp_log_fini(&log);
}

static void a_ragged_queue_is_bounded_by_one_block(void **state)
{
	struct smtp_log log;

	smtp_log_init(&log, 0);
	say(&log, SMTP_FROM_SERVER, "220 mx\r\n");
	for (int i = 0; i < 1000; i++)
		say(&log, SMTP_FROM_CLIENT, "NOOP\r\nRSET\r\n");
	assert_int_equal(log.blocks, 1);
	assert_true(smtp_waiting(&log.parser));
	for (int i = 0; i < 1000; i++)
		say(&log, SMTP_FROM_SERVER, "250 ok\r\n250 ok\r\n");
	assert_false(smtp_waiting(&log.parser));
	assert_int_equal(log.blocks, 0);
	assert_non_null(strstr(last_line(smtp_log_finish(&log)), "reply 250 \"ok\" to RSET"));
	smtp_log_fini(&log);
}

static void credentials_are_not_carried(void **state)
{
	struct smtp_log log;

	smtp_log_init(&log, 0);
	say(&log, SMTP_FROM_SERVER, "220 mx\r\n");
	say(&log, SMTP_FROM_CLIENT, "AUTH PLAIN AGFsaWNl");
	assert_non_null(log.parser.line);
	assert_int_equal(log.parser.held, strlen("AUTH PLAIN "));
	assert_null(memmem(log.parser.line, 32, "AGFs", 4));
	say(&log, SMTP_FROM_CLIENT, "AHNlY3JldA==");
	assert_int_equal(log.parser.held, strlen("AUTH PLAIN "));
	say(&log, SMTP_FROM_CLIENT, "\r\n");
	say(&log, SMTP_FROM_SERVER, "334 more\r\n");
	say(&log, SMTP_FROM_CLIENT, "AHNlY3Jl");
	assert_int_equal(log.blocks, 0);
	say(&log, SMTP_FROM_CLIENT, "dA==\r\n");
	assert_null(strstr(smtp_log_finish(&log), "AHNl"));
	smtp_log_fini(&log);
}

static void esmtp_parameters_come_one_by_one(void **state)
{
	struct bytes params = BYTES("SIZE=120  SMTPUTF8\tRET= ORCPT=rfc822;b=c@d");
	static const char *const want[][2] = {
		{"SIZE", "120"}, {"SMTPUTF8", ""}, {"RET", ""}, {"ORCPT", "rfc822;b=c@d"}};
	struct bytes key, value;

	for (size_t i = 0; i < 4; i++) {
		assert_true(smtp_param_next(&params, &key, &value));
		assert_true(bytes_eq(key, bytes_of(want[i][0], strlen(want[i][0]))));
		assert_true(bytes_eq(value, bytes_of(want[i][1], strlen(want[i][1]))));
	}
	assert_false(smtp_param_next(&params, &key, &value));
}

static void without_blocks_a_session_is_read_as_far_as_its_segments_allow(void **state)
{
	struct smtp_log log;
	const char *text;

	smtp_log_init(&log, 0);
	log.blocks_max = 0;
	say(&log, SMTP_FROM_SERVER, "220-one\r\n");
	say(&log, SMTP_FROM_SERVER, "220 two\r\n");
	say(&log, SMTP_FROM_CLIENT, "HELO c\r\nMAI");
	say(&log, SMTP_FROM_CLIENT, "L FROM:<a@c>\r\nRCPT TO:<b@d>\r\n");
	say(&log, SMTP_FROM_SERVER, "250 mx\r\n250 ok\r\n250 ok\r\n");
	text = smtp_log_finish(&log);
	assert_non_null(strstr(text, "reply 220 \"two\" to greeting cut"));
	assert_non_null(strstr(text, "lost: no block, client 8\n"));
	assert_non_null(strstr(text, "command RCPT address \"b@d\" [25,40)"));
	assert_non_null(strstr(text, "reply 250 \"ok\" to RCPT [34,42)"));
	smtp_log_fini(&log);
}

static void body_feed_hostile(const char *line, size_t lines)
{
	size_t len = strlen(line), spans;
	char *text = malloc(len * lines);
	struct smtp_log log;

	for (size_t i = 0; i < lines; i++)
		memcpy(text + i * len, line, len);
	smtp_log_init(&log, 0);
	say(&log, SMTP_FROM_SERVER, "220 mx\r\n");
	say(&log, SMTP_FROM_CLIENT, "DATA\r\n");
	say(&log, SMTP_FROM_SERVER, "354 go\r\n");
	spans = log.spans;
	smtp_log_feed(&log, SMTP_FROM_CLIENT, text, len * lines);
	assert_in_range(log.spans - spans, 1, 4 + len * lines / 1024);
	smtp_log_finish(&log);
	smtp_log_fini(&log);
	free(text);
}

static void a_body_of_dots_is_told_in_few_spans(void **state)
{
	body_feed_hostile("\r\n..", 10000);
	body_feed_hostile("\r\n.x", 10000);
	body_feed_hostile("\n.", 20000);
	body_feed_hostile("\r.", 20000);
	body_feed_hostile("\r\n.\n", 10000);
	body_feed_hostile("\r\n.\rx", 8000);
	body_feed_hostile(".", 40000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_holds_no_block_between_lines),
		cmocka_unit_test(ten_thousand_pipelined_recipients_take_no_memory),
		cmocka_unit_test(a_ragged_queue_is_bounded_by_one_block),
		cmocka_unit_test(credentials_are_not_carried),
		cmocka_unit_test(a_body_of_dots_is_told_in_few_spans),
		cmocka_unit_test(esmtp_parameters_come_one_by_one),
		cmocka_unit_test(without_blocks_a_session_is_read_as_far_as_its_segments_allow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
