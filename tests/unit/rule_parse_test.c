/* SPDX-License-Identifier: BSD-3-Clause */
/* Every mistake is said, where it stands; a rule with one is left out, the rest stay. */
#include "control/rules/rule_parse.h"
#include "control/rules/ruleset_build.h"
#include "tests/unit/test.h"

#define HEAD   "alert smtp any any -> any any "
#define REFUSE "reject smtp any any -> any any "
#define OK     HEAD "(msg:\"t\"; email.subject; content:\"ok\"; sid:99;)\n"

struct mistake {
	const char *rule;
	uint32_t line, column;
	const char *message; /* how it begins */
};

static const struct mistake mistakes[] = {
	{"alrt smtp any any -> any any (sid:1;)", 1, 1, "unknown action 'alrt'"},
	{"alert http any any -> any any (sid:1;)", 1, 7, "protocol 'http' is not inspected"},
	{"alert smtp any any", 1, 19, "expected a direction"},
	{"alert smtp any any <- any any (sid:1;)", 1, 20,
	 "expected '->', '<>' or '=>', found '<-'"},
	{"alert smtp 10.0.0 any -> any any (sid:1;)", 1, 12, "'10.0.0' is no address"},
	{"alert smtp 10.0.0.0/33 any -> any any (sid:1;)", 1, 12, "'10.0.0.0/33' is no address"},
	{"alert smtp $NOBODY any -> any any (sid:1;)", 1, 12, "$NOBODY is not defined"},
	{"alert smtp any any -> any 70000 (sid:1;)", 1, 27, "'70000' is no port"},
	{"alert smtp any any -> any [25,,26] (sid:1;)", 1, 27, "an empty element in [..]"},
	{"alert smtp !any any -> any any (sid:1;)", 1, 12, "'!any' can never hold"},
	{"alert smtp any any -> any any", 1, 30, "expected '(' and the rule's options"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\"; sid:1;) x", 1, 77,
	 "nothing may follow the rule's ')'"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\"; sid:1;", 1, 75, "the rule ends here"},
	{HEAD "(msg:\"a;b\"; sid:1;)", 1, 38, "a ';' inside quotes is written \\;"},
	{HEAD "(msg:\"t\"; email.subject; contant:\"a\"; sid:1;)", 1, 56,
	 "unknown keyword 'contant'"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\"; flowbits:sett,x; sid:1;)", 1, 78,
	 "expected set, unset, toggle, isset, isnotset or noalert, found 'sett'"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\"; flowbits:set,a|b; sid:1;)", 1, 84,
	 "flowbits: a list of names is for isset"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\"; flowbits:set; sid:1;)", 1, 81,
	 "expected a name"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\"; xbits:set,x; sid:1;)", 1, 75,
	 "xbits: track ip_src, ip_dst"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\"; xbits:set,x,track tx; sid:1;)", 1, 87,
	 "xbits: a transaction is one rule's"},
	{HEAD
	 "(msg:\"t\"; email.subject; content:\"a\"; xbits:set,x,track ip_src,expire 0; sid:1;)",
	 1, 101, "expire: expected seconds"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\"; threshold:type limit,count 1,seconds 1; "
	      "sid:1;)",
	 1, 79, "expected type TYPE, track BY, count N, seconds N"},
	{HEAD
	 "(msg:\"t\"; email.subject; content:\"a\"; threshold:type backoff,track by_flow,count 1; "
	 "sid:1;)",
	 1, 79, "expected type backoff, track BY, count N, multiplier N"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\"; detection_filter:track by_me,count "
	      "1,seconds 1; "
	      "sid:1;)",
	 1, 92, "track: expected by_src"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\"; detection_filter:track by_src,count "
	      "0,seconds 1; "
	      "sid:1;)",
	 1, 105, "count: expected a number from 1"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\"; detection_filter:track by_src,count "
	      "1,seconds 1; "
	      "threshold:type limit,track by_src,count 1,seconds 1; sid:1;)",
	 1, 118, "a rule has one threshold or detection_filter"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\"; rate_filter:track by_src; sid:1;)", 1, 81,
	 "expected track BY, count N, seconds N, new_action ACTION"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\"; metadata:tenant; sid:1;)", 1, 78,
	 "tenant: expected a name"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\"; flowint:x,+,1; sid:1;)", 1, 69,
	 "keyword 'flowint' can't be honoured: there are no numbers of a flow"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\"; http.uri; sid:1;)", 1, 69,
	 "keyword 'http.uri' can't be honoured: HTTP is not inspected"},
	{HEAD "(msg:\"t\"; email.subjekt; content:\"a\"; sid:1;)", 1, 41,
	 "keyword 'email.subjekt' can't be honoured: no such buffer"},
	{HEAD "(msg:\"t\"; email.subject; byte_tset:1,=,1,0; sid:1;)", 1, 56,
	 "unknown keyword 'byte_tset': did you mean 'byte_test'?"},
	{HEAD "(msg:\"t\"; email.subject; byte_test:9,=,1,0; sid:1;)", 1, 56,
	 "'byte_test' reads 1 to 8 bytes; of digits"},
	{HEAD "(msg:\"t\"; email.subject; byte_test:24,=,1,0,string,dec; sid:1;)", 1, 66,
	 "number of bytes: expected a number, found '24'"},
	{HEAD "(msg:\"t\"; email.subject; byte_test:1,~,1,0; sid:1;)", 1, 68,
	 "expected an operator"},
	{HEAD "(msg:\"t\"; email.subject; byte_test:1,=,1; sid:1;)", 1, 66,
	 "expected byte_test:BYTES"},
	{HEAD "(msg:\"t\"; email.subject; byte_test:1,=,1,0,dce; sid:1;)", 1, 74,
	 "dce: there is no"},
	{HEAD "(msg:\"t\"; email.subject; byte_test:1,=,1,0,dec; sid:1;)", 1, 56,
	 "'byte_test': hex, dec and oct are of a string"},
	{HEAD "(msg:\"t\"; email.subject; byte_test:1,=,x,0; sid:1;)", 1, 70,
	 "value: expected a number or a name that byte_extract"},
	{HEAD "(msg:\"t\"; email.subject; byte_test:1,=,1,0,bitmask 0; sid:1;)", 1, 82,
	 "bitmask: expected a number that is not 0"},
	{HEAD "(msg:\"t\"; email.subject; byte_jump:1,0,from_end,from_beginning; sid:1;)", 1, 79,
	 "from_beginning and from_end"},
	{HEAD "(msg:\"t\"; email.subject; byte_jump:1,0,multiplier 0; sid:1;)", 1, 81,
	 "multiplier: expected"},
	{HEAD "(msg:\"t\"; email.subject; byte_extract:1,0,2x; sid:1;)", 1, 73,
	 "expected a name for the number"},
	{HEAD "(msg:\"t\"; email.subject; byte_extract:1,0,x,align 3; sid:1;)", 1, 81,
	 "align: expected 2 or 4"},
	{HEAD "(msg:\"t\"; email.subject; byte_extract:15,0,x,string,hex; sid:1;)", 1, 56,
	 "'byte_extract' reads 1 to 14 bytes of a string"},
	{HEAD "(msg:\"t\"; email.subject; byte_math:bytes 1, offset 0, oper +, rvalue 1; sid:1;)",
	 1, 66, "expected byte_math:bytes"},
	{HEAD "(msg:\"t\"; email.subject; byte_math:bytes 1, offset 0, oper %, rvalue 1, result x; "
	      "sid:1;)",
	 1, 90, "oper: expected"},
	{HEAD "(msg:\"t\"; email.subject; byte_extract:1,0,x; email.from; content:\"a\"; offset:x; "
	      "sid:1;)",
	 1, 108, "'x' is a number of another buffer"},
	{HEAD "(msg:\"t\"; file.data; content:\"a\"; byte_test:1,=,1,0; sid:1;)", 1, 65,
	 "in a buffer that comes in pieces a number is read relative"},
	{HEAD "(msg:\"t\"; file.data; content:\"a\"; byte_jump:1,0,relative,from_end; sid:1;)", 1,
	 65, "byte_jump: a buffer that comes in pieces"},
	{HEAD "(msg:\"t\"; file.data; content:\"a\"; byte_extract:1,0,x,relative; content:\"b\"; "
	      "offset:x; sid:1;)",
	 1, 94, "in a buffer that comes in pieces a number from the data"},
	{HEAD "(msg:\"t\"; email.subject; content:\"abc\"; bsize:2; sid:1;)", 1, 56,
	 "content: longer than bsize lets the buffer be"},
	{HEAD "(msg:\"t\"; email.subject; bsize:5<>6; sid:1;)", 1, 62, "bsize: expected"},
	{HEAD "(msg:\"t\"; email.subject; isdataat:x; sid:1;)", 1, 65, "isdataat: expected"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\"; gid:3; sid:1;)", 1, 73,
	 "gid: rules have no"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\"; target:me; sid:1;)", 1, 76, "target:"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\"; requires:version >= 9; sid:1;)", 1, 86,
	 "requires: rules are read as Suricata 8's"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\"; requires:keyword foo; sid:1;)", 1, 86,
	 "requires: there is no keyword 'foo'"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\"; app-layer-protocol:sip; sid:1;)", 1, 88,
	 "app-layer-protocol: another one"},
	{"drop smtp any any -> any any (msg:\"t\"; email.subject; content:\"a\"; noalert; sid:1;)",
	 1, 1, "noalert: nothing is withheld without an event"},
	{HEAD "(msg:\"t\"; email.md5; content:\"a\"; sid:1;)", 1, 41,
	 "keyword 'email.md5' can't be honoured: no such buffer"},
	{HEAD "(msg:\"t\"; content:\"a\"; sid:1;)", 1, 41,
	 "'content' without a sticky buffer means the raw payload"},
	{HEAD "(msg:\"t\"; email.subject; content:a; sid:1;)", 1, 64,
	 "expected a \"quoted\" value"},
	{HEAD "(msg:\"t\"; email.subject; content:\"\"; sid:1;)", 1, 65, "content: empty"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a|2x|\"; sid:1;)", 1, 67,
	 "content: expected two hex digits"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a|20\"; sid:1;)", 1, 66,
	 "content: this '|' has no end"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\\n\"; sid:1;)", 1, 66, "content: only"},
	{HEAD "(msg:\"t\"; email.subject; nocase; sid:1;)", 1, 56,
	 "'nocase' needs a content before it"},
	{HEAD "(msg:\"t\"; email.subject; content:\"abc\"; depth:2; sid:1;)", 1, 77,
	 "depth: smaller than the content, which has 3 bytes"},
	{HEAD "(msg:\"t\"; email.subject; content:\"abc\"; depth:x; sid:1;)", 1, 77,
	 "depth: expected a number"},
	{HEAD "(msg:\"t\"; email.subject; content:\"abc\"; offset:1; within:5; sid:1;)", 1, 56,
	 "content: offset and depth count from the buffer's start"},
	{HEAD "(msg:\"t\"; email.subject; content:!\"a\"; content:\"b\"; within:5; sid:1;)", 1, 70,
	 "relative to a match, but what stands before it leaves none"},
	{HEAD "(msg:\"t\"; email.subject; content:!\"a\"; fast_pattern; sid:1;)", 1, 70,
	 "fast_pattern: a negated content can't be it"},
	{HEAD "(msg:\"t\"; email.subject; pcre:\"/a(b/\"; sid:1;)", 1, 66, "pcre: missing closing"},
	{HEAD "(msg:\"t\"; email.subject; pcre:\"/ab/U\"; sid:1;)", 1, 66,
	 "pcre: flag 'U' can't be honoured"},
	{HEAD "(msg:\"t\"; email.subject; pcre:\"ab\"; sid:1;)", 1, 62, "pcre: expected"},
	{HEAD "(msg:\"t\"; email.subject; sid:1;)", 1, 41, "nothing is asked of this buffer"},
	{HEAD "(msg:\"t\"; sid:1;)", 1, 1, "the rule looks at no buffer"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\";)", 1, 1, "the rule has no sid"},
	{HEAD "(msg:\"t\"; email.subject; content:\"a\"; sid:x;)", 1, 73, "sid: expected a number"},
	{HEAD "(msg:\"t\"; sip.uri; content:\"a\"; sid:1;)", 1, 41,
	 "a rule on smtp has no buffer of SIP"},
	{"alert tcp any any -> any any (msg:\"t\"; sip.uri; content:\"a\"; email.from; "
	 "content:\"a\"; "
	 "sid:1;)",
	 1, 62, "buffers of SMTP and of SIP never meet"},
	{"alert udp any any -> any any (msg:\"t\"; email.from; content:\"a\"; sid:1;)", 1, 40,
	 "there is no SMTP over UDP"},
	{HEAD "(msg:\"t\"; flow:to_server; smtp.reply_text; content:\"a\"; sid:1;)", 1, 57,
	 "the server writes this buffer"},
	{HEAD "(msg:\"t\"; smtp.mail_from; content:\"a\"; smtp.reply_text; content:\"a\"; sid:1;)",
	 1, 70, "buffers of both directions in one rule"},
	{HEAD "(msg:\"t\"; flow:only_frag; email.from; content:\"a\"; sid:1;)", 1, 46,
	 "flow: 'only_frag' can't be honoured"},
	{HEAD "(msg:\"t\"; flow:no_stream; email.from; content:\"a\"; sid:1;)", 1, 41,
	 "flow: SMTP is always a stream"},
	{HEAD "(msg:\"t\"; email.body; pcre:\"/\\Aab/\"; sid:1;)", 1, 53,
	 "pcre: in a buffer that comes in pieces the start is written ^"},
	{HEAD "(msg:\"t\"; email.body; pcre:\"/ab\\z/\"; sid:1;)", 1, 53,
	 "pcre: in a buffer that comes in pieces the end is written $"},
	{HEAD "(msg:\"t\"; email.from; content:\"a\"; metadata:risk 101; sid:1;)", 1, 80,
	 "risk: expected points"},
	{HEAD "(msg:\"t\"; email.body; content:\"a\"; metadata:keep 15; sid:1;)", 1, 80,
	 "keep: expected 16 to 512 bytes of a body"},
	{HEAD "(msg:\"t\"; email.body; content:\"a\"; metadata:risk 1, keep 513; sid:1;)", 1, 88,
	 "keep: expected 16 to 512 bytes of a body"},
	{HEAD "(msg:\"t\"; email.body; content:\"a\"; metadata:keep all; sid:1;)", 1, 80,
	 "keep: expected 16 to 512 bytes of a body"},
	{HEAD "(msg:\"t\"; email.body; content:\"a\"; metadata:keep 200; sid:1;)", 1, 75,
	 "keep: of mails that are refused: the rule drops and rejects none"},
	{REFUSE "(msg:\"t\"; email.subject; content:\"a\"; metadata:keep 200; sid:1;)", 1, 79,
	 "keep: the rule finds nothing in email.body or file.data"},
	{REFUSE "(msg:\"t\"; email.body; none; content:\"a\"; metadata:keep 200; sid:1;)", 1, 82,
	 "keep: the rule finds nothing in email.body or file.data"},
	{REFUSE "(msg:\"t\"; file.data; to_sha256; content:\"a\"; metadata:keep 200; sid:1;)", 1,
	 86, "keep: the rule finds nothing in email.body or file.data"},
	{HEAD "(msg:\"t\"; email.from; content:\"a\"; metadata:reply \"no\"; sid:1;)", 1, 81,
	 "reply: expected a code"},
	{HEAD "(msg:\"t\"; email.from; content:\"a\"; metadata:reply \"550 4.7.1 x\"; sid:1;)", 1,
	 81, "reply: the enhanced code"},
	{HEAD "(msg:\"t\"; \\\n  email.subject; \\\r\n  contant:\"a\"; sid:1;)", 3, 3,
	 "unknown keyword 'contant'"},
	{OK HEAD "(msg:\"t\"; email.subject; content:\"a\"; sid:99;)", 2, 69,
	 "sid 99 is taken by the rule at x.rules:1"},
};

static void a_mistake_is_said_where_it_stands(void **state)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		const struct mistake *m = &mistakes[i];
		struct rule_list list = {0};
		struct rule_diags diags = {0};
		const struct rule_diag *d;

		rules_parse(&list, &diags, NULL, "x.rules", m->rule, strlen(m->rule));
		if (!diags.count)
			fail_msg("taken: %s", m->rule);
		d = &diags.list[0];
		if (d->place.line != m->line || d->place.column != m->column ||
		    strncmp(d->message, m->message, strlen(m->message)) != 0)
			fail_msg("%s\nexpected %u:%u: %s\ngot      %u:%u: %s", m->rule, m->line,
				 m->column, m->message, d->place.line, d->place.column, d->message);
		assert_string_equal(d->place.file, "x.rules");
		assert_int_equal(list.refused, 1);
		rule_diags_fini(&diags);
		rule_list_fini(&list);
	}
}

static void one_mistake_leaves_the_other_rules(void **state)
{
	static const char text[] =
		"# a comment\r\n\n" OK "alert nonsense\r\n"
		"# alert smtp any any -> any any (sid:5;)\n" HEAD
		"(msg:\"t\"; rev:3; email.subject; contant:\"a\"; contint:\"b\"; sid:6;)\n"
		"  " HEAD "(msg:\"t\"; email.subject; content:\"a\"; sid:7;) # why";
	struct rule_list list = {0};
	struct rule_diags diags = {0};

	rules_parse(&list, &diags, NULL, "x.rules", text, strlen(text));
	assert_int_equal(list.count, 2);
	assert_int_equal(list.rules[0].sid, 99);
	assert_int_equal(list.rules[1].sid, 7);
	assert_int_equal(list.refused, 2);
	assert_int_equal(diags.errors, 3); /* both of the one rule's */
	assert_int_equal(diags.list[0].place.line, 4);
	assert_int_equal(diags.list[1].place.line, 6);
	assert_int_equal(diags.list[2].place.line, 6);
	rule_diags_fini(&diags);
	rule_list_fini(&list);
}

static void what_a_rule_says_of_itself_is_kept(void **state)
{
	static const char text[] =
		"reject smtp any any -> any any (msg:\"a \\\"b\\\"\\;\"; email.subject; "
		"content:\"a\"; "
		"classtype:policy-violation; priority:1; rev:2; sid:5; "
		"reference:url,example.org/x; "
		"email.body; content:\"b\"; metadata:keep 512, aup AUP-SUBJECT, risk 15, reply "
		"\"550 5.7.1 No, thanks\", shadow yes, "
		"created_at 2026_01_01;)";
	struct rule_list list = {0};
	struct rule_diags diags = {0};
	const struct rule *rule;

	rules_parse(&list, &diags, NULL, "x.rules", text, strlen(text));
	assert_int_equal(list.count, 1);
	rule = &list.rules[0];
	assert_string_equal(rule->msg, "a \"b\";");
	assert_string_equal(rule->classtype, "policy-violation");
	assert_string_equal(rule->aup, "AUP-SUBJECT");
	assert_string_equal(rule->reply, "550 5.7.1 No, thanks");
	assert_string_equal(rule->info, "url,example.org/x, created_at 2026_01_01");
	assert_int_equal(rule->risk, 15);
	assert_int_equal(rule->keep, 512);
	assert_int_equal(rule->priority, 1);
	assert_int_equal(rule->rev, 2);
	assert_true(rule->shadow);
	rule_diags_fini(&diags);
	rule_list_fini(&list);
}

static void a_mistake_is_said_once(void **state)
{
	static const char text[] = HEAD
		"(msg:\"t\"; content:\"a\"; nocase; content:\"b\"; distance:0; sid:6;)";
	struct rule_list list = {0};
	struct rule_diags diags = {0};

	rules_parse(&list, &diags, NULL, "x.rules", text, strlen(text));
	assert_int_equal(diags.count, 1);
	rule_diags_fini(&diags);
	rule_list_fini(&list);
}

static void variables_are_the_users_first(void **state)
{
	static const struct rule_var var[] = {{"HOME_NET", "[10.0.0.0/8,!$SERVERS]"},
					      {"SERVERS", "10.9.0.0/16"},
					      {"LOOP", "$LOOP"}};
	static const char good[] = "alert smtp $HOME_NET any -> !$HOME_NET any (msg:\"t\"; "
				   "email.from; content:\"a\"; sid:1;)";
	static const char loop[] =
		"alert smtp $LOOP any -> any any (msg:\"t\"; email.from; content:\"a\"; sid:2;)";
	struct rule_vars vars = {var, 3};
	struct rule_list list = {0};
	struct rule_diags diags = {0};

	rules_parse(&list, &diags, &vars, "x.rules", good, strlen(good));
	assert_int_equal(list.count, 0); /* what ![a,!b] would mean nobody should guess */
	rules_parse(&list, &diags, &vars, "x.rules", loop, strlen(loop));
	assert_int_equal(list.count, 0);
	assert_int_equal(diags.errors, 2);
	assert_int_equal(diags.list[0].place.column, 29);
	assert_string_equal(diags.list[1].message, "groups or variables nested more than 8 deep");
	rule_diags_fini(&diags);
	rule_list_fini(&list);
}

static void the_document_names_every_buffer_and_keyword(void **state)
{
	static char text[65536];
	char row[512];
	size_t count;
	const struct rule_option *options = rule_options(&count);
	FILE *f = fopen(POSTERN_ROOT "/docs/rules.md", "r");

	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	for (int b = 0; b < RULE_BUFFER_COUNT; b++) {
		snprintf(row, sizeof(row), "\n| `%s` | %s |", rule_buffers[b].name,
			 rule_buffers[b].doc);
		if (!strstr(text, row))
			fail_msg("docs/rules.md has no row%s", row);
	}
	for (size_t i = 0; i < count; i++) {
		snprintf(row, sizeof(row), "\n| `%s` | %s |\n", options[i].name, options[i].doc);
		if (!strstr(text, row))
			fail_msg("docs/rules.md has no row%s", row);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mistake_is_said_where_it_stands),
		cmocka_unit_test(one_mistake_leaves_the_other_rules),
		cmocka_unit_test(what_a_rule_says_of_itself_is_kept),
		cmocka_unit_test(a_mistake_is_said_once),
		cmocka_unit_test(the_document_names_every_buffer_and_keyword),
		cmocka_unit_test(variables_are_the_users_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
