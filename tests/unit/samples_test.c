/* SPDX-License-Identifier: BSD-3-Clause */
/* Samples: what they say, and every mistake in them where it stands. */
#include "control/rules/samples.h"

#include <netinet/in.h>

#include "tests/unit/test.h"

static struct sample_list list;
static struct rule_diags diags;

static void read_text(const char *text, size_t len)
{
	sample_list_fini(&list);
	rule_diags_fini(&diags);
	samples_parse(&list, &diags, "t.samples", text, len);
}

static void read_string(const char *text)
{
	read_text(text, strlen(text));
}

struct mistake {
	const char *text;
	uint32_t line, column;
	const char *message; /* how it begins */
};

static const struct mistake mistakes[] = {
	{"\temail.subject \"x\"\n", 1, 2, "an indented line before any sample"},
	{"abc match\n\temail.subject \"x\"\n", 1, 1, "expected a rule's sid"},
	{"0 match\n\temail.subject \"x\"\n", 1, 1, "expected a rule's sid"},
	{"4294967296 match\n\temail.subject \"x\"\n", 1, 1, "expected a rule's sid"},
	{"12x match\n\temail.subject \"x\"\n", 1, 1, "expected a rule's sid"},
	{"-1 match\n\temail.subject \"x\"\n", 1, 1, "expected a rule's sid"},
	{"12 hit\n\temail.subject \"x\"\n", 1, 4, "expected 'match' or 'miss'"},
	{"12\n\temail.subject \"x\"\n", 1, 3, "expected 'match' or 'miss'"},
	{"12 match\n", 1, 1, "an empty sample"},
	{"12 match\n\tclient 10.0.0.1\n", 1, 1, "an empty sample"},
	{"12 match\n\temail.subject x\n", 2, 16, "expected a text in double quotes"},
	{"12 match\n\temail.subject\n", 2, 15, "expected a text in double quotes"},
	{"12 match\n\temail.subject \"x\n", 2, 16, "this text has no closing quote"},
	{"12 match\n\temail.subject \"x\" y\n", 2, 20, "expected a text in double quotes, or"},
	{"12 match\n\temail.subject \"\\q\"\n", 2, 17, "expected \\\\, \\\", \\r"},
	{"12 match\n\temail.subject \"\\x4\"\n", 2, 17, "expected \\\\, \\\", \\r"},
	{"12 match\n\temail.subject \"\\", 2, 17, "expected \\\\, \\\", \\r"},
	{"12 match\n\temail.subject \"a\\/b\"\n", 2, 18, "a packet can end (\\/) only in whole"},
	{"12 match\n\temail.subjekt \"x\"\n", 2, 2,
	 "no buffer is called 'email.subjekt': did you mean 'email.subject'?"},
	{"12 match\n\tnonsense \"x\"\n", 2, 2, "expected a buffer's name, mail, sip"},
	{"12 match\n\t| text\n", 2, 2, "a line of text without 'mail'"},
	{"12 match\n\temail.subject \"x\"\n\t| text\n", 3, 2, "a line of text without 'mail'"},
	{"12 match\n\tmail now\n\t| text\n", 2, 7, "expected the line's end"},
	{"12 match\n\tmail\n\t| a\\qb\n", 3, 5, "expected \\\\, \\\", \\r"},
	{"12 match\n\tmail\n\t| Subject: x\n\temail.subject \"x\"\n", 4, 2,
	 "a whole mail says this itself"},
	{"12 match\n\tsip\n\t| OPTIONS sip:x SIP/2.0\n\tsip.from \"x\"\n", 4, 2,
	 "a whole SIP message says everything"},
	{"12 match\n\tC: EHLO x\n\tsmtp.helo \"x\"\n", 3, 2, "a whole session"},
	{"12 match\n\tsmtp.helo \"x\"\n\tsip.from \"y\"\n", 3, 2, "SMTP and SIP in one sample"},
	{"12 match\n\tclient 10.0.0\n", 2, 9, "expected ADDRESS, ADDRESS:PORT"},
	{"12 match\n\tclient 10.0.0.1:0\n", 2, 9, "expected a port, 1 to 65535"},
	{"12 match\n\tserver [::1\n", 2, 9, "expected [ADDRESS] or [ADDRESS]:PORT"},
	{"12 match\n\tserver [::1]2\n", 2, 9, "expected [ADDRESS] or [ADDRESS]:PORT"},
	{"12 match\n\ttenant\n", 2, 8, "expected a name"},
	{"12 match\n\ttenant a b\n", 2, 9, "expected a name"},
	{"12 match\n\ttenant \"a\"\n", 2, 9, "expected a name"},
	{"12 match\n\ttier 9x\n", 2, 7, "expected a name"},
	{"12 match\n\ttimes\n", 2, 7, "expected a number, 1 to 1000"},
	{"12 match\n\ttimes 0\n", 2, 8, "expected a number, 1 to 1000"},
	{"12 match\n\ttimes 1001\n", 2, 8, "expected a number, 1 to 1000"},
	{"12 match\n\ttimes 99999999999999999999\n", 2, 8, "expected a number, 1 to 1000"},
	{"12 match\n\ttimes -1\n", 2, 8, "expected a number, 1 to 1000"},
	{"12 match\n\ttimes 9x\n", 2, 9, "expected 'every' and a time"},
	{"12 match\n\ttimes 9 in 2s\n", 2, 9, "expected 'every' and a time"},
	{"12 match\n\ttimes 9 every\n", 2, 15, "expected a number, 1 to 3600000"},
	{"12 match\n\ttimes 9 every 0s\n", 2, 16, "expected a number, 1 to 3600000"},
	{"12 match\n\ttimes 9 every 5\n", 2, 17, "expected a unit after the number"},
	{"12 match\n\ttimes 9 every 5 s\n", 2, 17, "expected a unit after the number"},
	{"12 match\n\ttimes 9 every 5d\n", 2, 17, "expected a unit after the number"},
	{"12 match\n\ttimes 9 every 61m\n", 2, 16, "at most an hour"},
	{"12 match\n\tover sctp\n", 2, 7, "expected 'tcp' or 'udp'"},
	{"# a comment\n\n  # another\n12 match\n\temail.subject x\n", 5, 16, "expected a text"},
};

static void mistakes_are_said_where_they_stand(void **state)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		const struct mistake *m = &mistakes[i];

		read_string(m->text);
		if (diags.count != 1 || diags.list[0].place.line != m->line ||
		    diags.list[0].place.column != m->column ||
		    strncmp(diags.list[0].message, m->message, strlen(m->message)) != 0)
			fail_msg("case %zu: %zu said, first %u:%u %s", i, diags.count,
				 diags.count ? diags.list[0].place.line : 0,
				 diags.count ? diags.list[0].place.column : 0,
				 diags.count ? diags.list[0].message : "");
		assert_int_equal(list.count, 0);
	}
}

static const char good[] = "12 match  with a title \r\n"
			   "\temail.subject \"a\\x41\\r\\n\" \"b\"\r\n"
			   "\t\t\"c\\\"\\\\\"\n"
			   "\temail.subject \"\"\n"
			   "\tclient 10.1.2.3:99\n"
			   "\tserver [2001:db8::1]:26\n"
			   "13 miss\n"
			   "\tsip\n"
			   "\t| OPTIONS \\/sip:x\n"
			   "\t|\n"
			   "\tsip answer\n"
			   "\t|SIP/2.0 200 OK\n"
			   "\tover udp\n"
			   "\ttimes 40\n"
			   "14 match\n"
			   "\ttimes 3 every 2m\n"
			   "\tC: a\n"
			   "\tC: b\n"
			   "\tS: c\n";

static void assert_item(const struct sample_item *item, enum sample_item_kind kind,
			const char *text)
{
	assert_int_equal(item->kind, kind);
	assert_int_equal(item->len, strlen(text));
	assert_memory_equal(item->text, text, item->len);
}

static void samples_are_read(void **state)
{
	const struct sample *s;

	read_string(good);
	assert_int_equal(diags.count, 0);
	assert_int_equal(list.count, 3);
	s = &list.samples[0];
	assert_int_equal(s->times, 1);
	assert_int_equal(s[1].times, 40);
	assert_int_equal(s[1].every_ms, 1000);
	assert_int_equal(s[2].times, 3);
	assert_int_equal(s[2].every_ms, 120000);
	assert_int_equal(s->sid, 12);
	assert_int_equal(s->want, SAMPLE_MATCH);
	assert_int_equal(s->place.line, 1);
	assert_string_equal(s->title, "with a title ");
	assert_int_equal(s->count, 2);
	assert_int_equal(s->items[0].buffer, RULE_BUFFER_EMAIL_SUBJECT);
	assert_item(&s->items[0], SAMPLE_VALUE, "aA\r\nbc\"\\");
	assert_item(&s->items[1], SAMPLE_VALUE, "");
	assert_int_equal(s->client.family, 4);
	assert_int_equal(s->client.port, 99);
	assert_int_equal(s->server.family, 6);
	assert_int_equal(s->server.port, 26);
	assert_int_equal(s->over, IPPROTO_TCP);
	s = &list.samples[1];
	assert_int_equal(s->want, SAMPLE_MISS);
	assert_int_equal(s->family, BUFFER_SIP);
	assert_int_equal(s->over, IPPROTO_UDP);
	assert_item(&s->items[0], SAMPLE_SIP, "OPTIONS sip:x\r\n\r\n");
	assert_int_equal(s->items[0].cut_count, 1);
	assert_int_equal(s->items[0].cuts[0], 8);
	assert_item(&s->items[1], SAMPLE_SIP_ANSWER, "SIP/2.0 200 OK\r\n");
	s = &list.samples[2];
	assert_int_equal(s->count, 2);
	assert_item(&s->items[0], SAMPLE_CLIENT, "a\r\nb\r\n");
	assert_item(&s->items[1], SAMPLE_SERVER, "c\r\n");
}

/* Of the rest of a sample with a mistake nothing is said, the next one is read. */
static void a_mistake_costs_its_sample_alone(void **state)
{
	read_string("12 match\n\tbad\n\tworse\n13 miss\n\temail.subject \"x\"\n14 mach\n\tbad\n");
	assert_int_equal(diags.count, 2);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.samples[0].sid, 13);
}

/* No NUL ends what is read: the last byte that may be looked at is the text's. */
static void a_text_may_end_anywhere(void **state)
{
	for (size_t len = 0; len < sizeof(good); len++) {
		char *copy = malloc(len ? len : 1);

		assert_non_null(copy);
		memcpy(copy, good, len);
		read_text(copy, len);
		assert_true(list.count <= 3);
		free(copy);
	}
}

static void what_rules_lack_is_said(void **state)
{
	static const char rules[] =
		"alert smtp any any -> any any (msg:\"a\"; smtp.helo; content:\"a\"; sid:1;)\n"
		"alert smtp any any -> any any (msg:\"b\"; smtp.helo; content:\"b\"; sid:2;)\n"
		"alert smtp any any -> any any (msg:\"c\"; smtp.helo; content:\"c\"; sid:3;)\n"
		"alert smtp any any -> any any (msg:\"d\"; smtp.helo; content:\"d\"; sid:4;)\n";
	static const char *const said[] = {
		"rule 2 has no sample that it must leave alone",
		"rule 3 has no sample that it must match",
		"rule 4 has no samples",
		"a sample of rule 5, which is not there",
	};
	struct rule_list list_of_rules = {0};

	read_string("1 match\n\tsmtp.helo \"a\"\n1 miss\n\tsmtp.helo \"x\"\n"
		    "2 match\n\tsmtp.helo \"b\"\n3 miss\n\tsmtp.helo \"x\"\n"
		    "5 miss\n\tsmtp.helo \"x\"\n");
	rules_parse(&list_of_rules, &diags, NULL, "t.rules", rules, sizeof(rules) - 1);
	samples_check(&list, &list_of_rules, &diags);
	assert_int_equal(diags.count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(diags.list[i].message, said[i]);
	assert_int_equal(samples_count(&list, 1).of[SAMPLE_MATCH], 1);
	assert_int_equal(samples_count(&list, 1).of[SAMPLE_MISS], 1);
	assert_int_equal(samples_count(&list, 4).of[SAMPLE_MISS], 0);
	rule_list_fini(&list_of_rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_said_where_they_stand),
		cmocka_unit_test(samples_are_read),
		cmocka_unit_test(a_mistake_costs_its_sample_alone),
		cmocka_unit_test(a_text_may_end_anywhere),
		cmocka_unit_test(what_rules_lack_is_said),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	sample_list_fini(&list);
	rule_diags_fini(&diags);
	return rc;
}
