/* SPDX-License-Identifier: BSD-3-Clause */
/* Suricata's rules: which are taken, as what, and why the others are not. */
#include "control/rules/rule_import.h"
#include "tests/unit/test.h"

struct expected {
	const char *rule;
	enum rule_import_what what;
	const char *begins; /* the text that is taken (NULL: as it stands), or the reason */
};

#define SIP_UDP "alert udp any any -> any 5060 "

static const struct expected cases[] = {
	{"alert smtp any any -> any any (msg:\"t\"; email.subject; content:\"a\"; sid:1;)",
	 IMPORT_TAKEN, NULL},
	{"alert tcp any any -> any 25 (msg:\"t\"; file_data; content:\"a\"; sid:2;)", IMPORT_TAKEN,
	 NULL},
	{"alert http any any -> any any (msg:\"t\"; http.uri; content:\"a\"; sid:3;)", IMPORT_OTHER,
	 "http"},
	{"alert tcp any any -> any !25 (msg:\"t\"; content:\"a\"; sid:4;)", IMPORT_OTHER, "tcp"},
	{"alert tcp any any -> any [80,2500] (msg:\"t\"; content:\"a\"; sid:5;)", IMPORT_OTHER,
	 "tcp"},
	{"alert smtp any any -> any any (msg:\"t\"; http.uri; content:\"a\"; sid:6;)",
	 IMPORT_REFUSED, "keyword 'http.uri' can't be honoured"},
	{"alert smtp any any -> any any (msg:\"t\"; content:\"a\"; sid:7;)", IMPORT_REFUSED,
	 "it looks at the connection's raw bytes"},
	{SIP_UDP "(msg:\"t\"; content:\"INVITE\"; depth:6; sid:8;)", IMPORT_MAPPED,
	 SIP_UDP "(msg:\"t\"; sip.message; content:\"INVITE\"; depth:6; sid:8;)"},
	{"alert sip any any -> any any (msg:\"t\"; content:\"a\"; pcre:\"/b\\;/\"; sid:9;)",
	 IMPORT_MAPPED,
	 "alert sip any any -> any any (msg:\"t\"; sip.message; content:\"a\"; pcre:\"/b\\;/\"; "
	 "sid:9;)"},
	{"alert tcp any any -> any 5061 (msg:\"t\"; content:\"|18 03|\"; depth:2; sid:10;)",
	 IMPORT_REFUSED, "it looks at TLS's own records"},
	{"alert smtp any any -> any any (msg:\"t\"; flow:from_server; content:\"abuseat.org\"; "
	 "sid:11;)",
	 IMPORT_MAPPED,
	 "alert smtp any any -> any any (msg:\"t\"; flow:from_server; smtp.reply_text; "
	 "content:\"abuseat.org\"; sid:11;)"},
	{"alert smtp any any -> any any (msg:\"t\"; flow:from_server; content:\"550 no\"; sid:12;)",
	 IMPORT_REFUSED, "it looks at the connection's raw bytes"},
	{"alert smtp any any -> any any (msg:\"t\"; content:\"Subject|3a 20|x\"; nocase; "
	 "content:\"X-Mailer|3a 20|y\"; sid:13;)",
	 IMPORT_MAPPED,
	 "alert smtp any any -> any any (msg:\"t\"; email.header; content:\"Subject|3a 20|x\"; "
	 "nocase; email.header; content:\"X-Mailer|3a 20|y\"; sid:13;)"},
	{"alert smtp any any -> any any (msg:\"t\"; content:\"Subject|3a 20|=?utf-8?\"; sid:14;)",
	 IMPORT_REFUSED, "it looks at the connection's raw bytes"},
	{"alert smtp any any -> any any (msg:\"t\"; content:\"MAIL FROM|3a|x\"; sid:15;)",
	 IMPORT_REFUSED, "it looks at the connection's raw bytes"},
	{"alert tcp $HTTP_SERVERS any -> [$HOME_NET,$SITE] 25 (msg:\"t\"; email.from; "
	 "content:\"a\"; sid:16;)",
	 IMPORT_TAKEN,
	 "alert tcp $HOME_NET any -> [$HOME_NET,10.0.0.0/8] 25 (msg:\"t\"; email.from; "},
	{"alert smtp $NOBODY any -> any any (msg:\"t\"; email.from; content:\"a\"; sid:17;)",
	 IMPORT_REFUSED, "$NOBODY is not defined"},
	{"accept:hook smtp:request_data any any -> any any (msg:\"t\"; sid:18;)", IMPORT_REFUSED,
	 "action 'accept:hook' is of Suricata's firewall mode"},
	{"alert smtp any any -> any any (msg:\"t\"; email.subject; content:\"a\"; sid:1;)",
	 IMPORT_AGAIN, "x.rules"},
	{"alert smtp any any -> any any (msg:\"other\"; email.subject; content:\"a\"; sid:1;)",
	 IMPORT_REFUSED, "sid 1 is taken"},
	{"alert smtp any any -> any any (msg:\"t\"; email.subject; content:\"a", IMPORT_REFUSED,
	 "the rule ends here"},
	{"alert ip any any -> any any (msg:\"t\"; app-layer-protocol:sip; sip.uri; content:\"a\"; "
	 "sid:19;)",
	 IMPORT_TAKEN, NULL},
	{"smtp", IMPORT_OTHER, ""},
};

static const struct rule_var site[] = {{"SITE", "10.0.0.0/8"}};
static const struct rule_vars vars = {site, 1};

static void each_is_taken_or_has_a_reason(void **state)
{
	struct rule_import import = {.vars = &vars};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct expected *e = &cases[i];
		const struct rule_imported *r;
		const char *got, *begins = e->begins ? e->begins : e->rule;

		rule_import_text(&import, "x.rules", e->rule, strlen(e->rule));
		assert_int_equal(import.count, i + 1);
		r = &import.rules[i];
		got = r->what <= IMPORT_MAPPED ? r->text : r->why;
		if (r->what != e->what || strncmp(got, begins, strlen(begins)) != 0)
			fail_msg("%s\nexpected %d %s\ngot      %d %s", e->rule, e->what, begins,
				 r->what, got);
		/* As it stands means no byte more. */
		if (!e->begins)
			assert_string_equal(r->text, e->rule);
		assert_int_equal(r->place.line, 1);
	}
	rule_import_fini(&import);
}

static void a_sid_that_is_taken_can_be_given_anew(void **state)
{
	static const char text[] =
		"alert smtp any any -> any any (msg:\"a\"; email.subject; content:\"a\"; sid:1;)\n"
		"# alert smtp any any -> any any (msg:\"off\"; content:\"a\"; sid:9;)\n"
		"alert smtp any any -> any any (msg:\"b\"; sid:1; email.subject; content:\"b\";)\n"
		"alert smtp any any -> any any (msg:\"c\"; \\\n  email.subject; content:\"c\"; "
		"sid: 1; rev:2;)\n";
	struct rule_import import = {.renumber = 500};

	rule_import_text(&import, "x.rules", text, sizeof(text) - 1);
	assert_int_equal(import.count, 3);
	assert_int_equal(import.counts[IMPORT_TAKEN], 3);
	assert_string_equal(import.rules[1].text, "alert smtp any any -> any any (msg:\"b\"; "
						  "sid:500; email.subject; content:\"b\";)");
	assert_int_equal(import.rules[2].sid, 501);
	assert_int_equal(import.rules[2].place.line, 4);
	assert_int_equal(import.list.count, 3);
	rule_import_fini(&import);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_taken_or_has_a_reason),
		cmocka_unit_test(a_sid_that_is_taken_can_be_given_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
