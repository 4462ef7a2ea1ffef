/* SPDX-License-Identifier: BSD-3-Clause */
/* What is said of bad configurations, to the letter. */
#include "control/config/config.h"

#include <unistd.h>

#include "control/rules/check.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

#define TENANT "id = 1; name = \"a\"; prefixes = [ \"10.0.0.0/8\" ];"
#define SECOND "id = 2; name = \"b\"; prefixes = [ \"10.1.0.0/16\" ];"

struct wrong {
	const char *text; /* of t.conf */
	const char *said; /* before the line that counts errors */
};

static const struct wrong wrongs[] = {
	/* The schema */
	{"tiers: { a: { mesages = \"1/s\"; }; };",
	 "t.conf:1: error: tiers.a.mesages: no such setting; did you mean \"messages\"?\n"},
	{"\n\nelephants = 3;", "t.conf:3: error: elephants: no such setting\n"},
	{"timeouts = 3;", "t.conf:1: error: timeouts: expected a group: { ... }\n"},
	{"tenants: { };",
	 "t.conf:1: error: tenants: expected a list of groups: ( { ... }, ... )\n"},
	{"tenants: ( 3 );", "t.conf:1: error: tenants[0]: expected a group: { ... }\n"},
	{"tiers: ( );",
	 "t.conf:1: error: tiers: expected a group of groups: { NAME: { ... }; ... }\n"},
	{"tenants: (\n{ name = \"a\"; prefixes = [ ]; } );",
	 "t.conf:2: error: tenants[0]: needs the setting \"id\"\n"},
	{"timeouts: { udp = \"30\"; };",
	 "t.conf:1: error: timeouts.udp: expected a duration from \"1s\" to \"1d\", not \"30\"\n"},
	{"timeouts: { udp = \"2d\"; };",
	 "t.conf:1: error: timeouts.udp: expected a duration from \"1s\" to \"1d\", not \"2d\"\n"},
	{"budgets: { flows = 3; };",
	 "t.conf:1: error: budgets.flows: expected a whole number from 64 to 67108864, not 3\n"},
	{"budgets: { flows = -1; };",
	 "t.conf:1: error: budgets.flows: expected a whole number from 64 to 67108864, not -1\n"},
	{"budgets: { flows = 1.5; };",
	 "t.conf:1: error: budgets.flows: expected a whole number from 64 to 67108864, not 1.5\n"},
	{"budgets: { reorder_bytes = \"1k\"; };",
	 "t.conf:1: error: budgets.reorder_bytes: expected a size from 1500 to 67108864, such as "
	 "\"64K\" or \"1Mi\", not \"1k\"\n"},
	{"policy: { shadow = 1; };",
	 "t.conf:1: error: policy.shadow: expected true or false, not 1\n"},
	{"policy: { bare_lf = \"refuse\"; };",
	 "t.conf:1: error: policy.bare_lf: expected \"pass\", \"alert\", \"drop\" or \"reject\", "
	 "not \"refuse\"\n"},
	{"policy: { smtp_answers: { opt_out = \"550 4.7.1 No\"; }; };",
	 "t.conf:1: error: policy.smtp_answers.opt_out: expected a reply such as \"550 5.7.1 "
	 "Refused\": code, enhanced code of the same class, text, at most 127 bytes of ASCII, not "
	 "\"550 4.7.1 No\"\n"},
	{"policy: { sip_answers: { rule = \"200 OK\"; }; };",
	 "t.conf:1: error: policy.sip_answers.rule: expected a response such as \"403 Forbidden\": "
	 "code from 400 to 699, phrase of at most 43 bytes of ASCII, not \"200 OK\"\n"},
	{"policy: { sip_answers: { do_not_call = \"607 Unwanted\"; }; };",
	 "t.conf:1: error: policy.sip_answers.do_not_call: expected a response other than 429, 604 "
	 "and 607, which are not a gate's to give, not \"607 Unwanted\"\n"},
	{"policy: { sip_answers: { emergency_number = \"603 Decline\"; }; };",
	 "t.conf:1: error: policy.sip_answers.emergency_number: expected a response below 600: a "
	 "6xx would end an emergency call's other branches, not \"603 Decline\"\n"},
	{"policy: { actions: { sms_stop = \"reject\"; }; };",
	 "t.conf:1: error: policy.actions.sms_stop: there is nobody to refuse it to; expected at "
	 "most \"alert\"\n"},
	{"inspect: { sip = [ 0 ]; };",
	 "t.conf:1: error: inspect.sip[0]: expected a port number from 1 to 65535, not 0\n"},
	{"inspect: { sip = 5060; };",
	 "t.conf:1: error: inspect.sip: expected a list of port numbers: [ 25, 587 ], not 5060\n"},
	{"inspect: { sip = [ 25 ]; };",
	 "t.conf:1: error: inspect.sip: port 25 is in inspect.smtp already\n"},
	{"inspect: { smtp = [ 5060 ]; };",
	 "t.conf:1: error: inspect.smtp: port 5060 is in inspect.sip by default\n"},
	/* The live gate */
	{"gate: { mode = \"afp\"; };",
	 "t.conf:1: error: gate.mode: expected \"xdp\" or \"dpdk\", not \"afp\"\n"},
	{"gate: { inside = \"eth1\"; };",
	 "t.conf:1: error: gate.inside: a gate has two ports, inside and outside\n"},
	{"gate: { inside = \"eth1\";\n outside = \"eth1\"; };",
	 "t.conf:2: error: gate.outside: \"eth1\" is the inside port already\n"},
	{"gate: { metrics: { listen = \"0.0.0.0:9425\"; }; };",
	 "t.conf:1: error: gate.metrics.listen: expected an address of the loopback and a port, "
	 "\"127.0.0.1:9425\" or \"[::1]:9425\", or \"\" for none, not \"0.0.0.0:9425\"\n"},
	{"gate: { cpus = \"2-\"; };",
	 "t.conf:1: error: gate.cpus: expected CPU numbers such as \"1,2,3\", not \"2-\"\n"},
	{"gate: { cpus = \"2,3\"; workers = 2; };",
	 "t.conf:1: error: gate.cpus: 2 CPUs for the main thread and 2 workers\n"},
	{"gate: { tenants = 131072; };",
	 "t.conf:1: error: gate.tenants: with mode \"xdp\" there is room for 131071 tenants\n"},
	{"gate: { state_dir = \"state\"; };",
	 "t.conf:1: error: gate.state_dir: expected a path from the root, not \"state\"\n"},
	/* Risk */
	{"risk: { mode = \"yes\"; };",
	 "t.conf:1: error: risk.mode: expected \"off\", \"shadow\" or \"on\", not \"yes\"\n"},
	{"risk: { z = 10.5; };",
	 "t.conf:1: error: risk.z: expected a number from 0 to 10, not 10.5\n"},
	{"risk: { z = -1; };", "t.conf:1: error: risk.z: expected a number from 0 to 10, not -1\n"},
	{"risk: { z = \"3\"; };",
	 "t.conf:1: error: risk.z: expected a number from 0 to 10, not \"3\"\n"},
	{"risk: {\n throttle = 80; };",
	 "t.conf:2: error: risk.throttle: expected watch below throttle below suspend, not 25, 80 "
	 "and 80\n"},
	{"risk: { asr: {\n warn = 40; }; };",
	 "t.conf:1: error: risk.asr: expected \"critical\" below \"warn\", not 40 and 40\n"},
	{"risk: { bounces: { critical = 5; }; };",
	 "t.conf:1: error: risk.bounces: expected \"critical\" above \"warn\", not 5 and 5\n"},
	{"risk: { events: { trapp: { points = 3; }; }; };",
	 "t.conf:1: error: risk.events.trapp: there is no such event of risk; did you mean "
	 "\"trap\"? "
	 "(docs/risk.md has all)\n"},
	{"risk: { events: { trap: { point = 3; }; }; };",
	 "t.conf:1: error: risk.events.trap.point: no such setting; did you mean \"points\"?\n"},
	/* Tiers */
	{"tiers: { a: { calls = \"fast\"; }; };",
	 "t.conf:1: error: tiers.a.calls: expected a rate such as \"30/min\", \"10M/s burst 20M\" "
	 "or \"unlimited\", not \"fast\"\n"},
	{"tiers: { a: {\n calls = \"3G/s\"; }; };",
	 "t.conf:2: error: tiers.a.calls: a rate too fast to be counted, or a burst that takes "
	 "more than 400 days to come back\n"},
	{"tiers: { a: { shadow = [ \"call\" ]; }; };",
	 "t.conf:1: error: tiers.a.shadow[0]: expected a name such as \"calls\", not \"call\"\n"},
	{"tiers: { a: { recipients_per_message = 0; }; };",
	 "t.conf:1: error: tiers.a.recipients_per_message: expected a whole number from 1 to "
	 "1000000 or \"unlimited\", not 0\n"},
	/* Tenants */
	{"tenants: ( { " TENANT " tier = \"gold\"; } );",
	 "t.conf:1: error: tenants[0].tier: no tier is called \"gold\"\n"},
	{"tiers: { gold: { }; };\ntenants: ( { " TENANT " tier = \"glod\"; } );",
	 "t.conf:2: error: tenants[0].tier: no tier is called \"glod\"; did you mean \"gold\"?\n"},
	{"tenants: ( { id = 1; name = \"a\";\nprefixes = [ \"10.0.0.0/8\",\n\"10.1.2.3/16\" ]; } "
	 ");",
	 "t.conf:3: error: tenants[0].prefixes[1]: \"10.1.2.3/16\" has bits set beyond its length; "
	 "the network is \"10.1.0.0/16\"\n"},
	{"tenants: ( { id = 1; name = \"a\"; prefixes = [ \"10.0.0.0/33\" ]; } );",
	 "t.conf:1: error: tenants[0].prefixes[0]: expected a network such as \"192.0.2.0/24\" or "
	 "\"2001:db8::/32\", not \"10.0.0.0/33\"\n"},
	{"tenants: ( { " TENANT " },\n{ id = 2; name = \"b\"; prefixes = [ \"10.0.0.0/8\" ]; } );",
	 "t.conf:2: error: tenants[1].prefixes[0]: 10.0.0.0/8 belongs to tenant \"a\" already "
	 "(line "
	 "1)\n"},
	{"tenants: ( { id = 1; name = \"a\"; prefixes = [ \"::/0\", \"::/0\" ]; } );",
	 "t.conf:1: error: tenants[0].prefixes[1]: ::/0 is listed twice\n"},
	{"tenants: ( { " TENANT " },\n{ id = 1; name = \"b\"; prefixes = [ ]; } );",
	 "t.conf:2: error: tenants[1].id: the tenant at line 1 has the id 1 already\n"},
	{"tenants: ( { " TENANT " },\n{ id = 2; name = \"a\"; prefixes = [ ]; } );",
	 "t.conf:2: error: tenants[1].name: the tenant at line 1 is called \"a\" already\n"},
	{"tenants: ( { id = 0; name = \"a\"; prefixes = [ ]; } );",
	 "t.conf:1: error: tenants[0].id: expected a whole number from 1 to 4294967295, not 0\n"},
	{"tenants: ( { id = 1; name = \"\"; prefixes = [ ]; } );",
	 "t.conf:1: error: tenants[0].name: expected a name of 1 to 64 bytes, not \"\"\n"},
	{"tenants: ( { " TENANT " vlan = 4095; } );",
	 "t.conf:1: error: tenants[0].vlan: expected a whole number from 1 to 4094, not 4095\n"},
	{"tenants: ( { " TENANT " country = \"us\"; } );",
	 "t.conf:1: error: tenants[0].country: expected a country's two capital letters (ISO "
	 "3166-1), such as \"US\", not \"us\"\n"},
	{"tenants: ( { " TENANT " domains = [ \"a@b\" ]; } );",
	 "t.conf:1: error: tenants[0].domains[0]: expected a domain such as \"example.com\" or "
	 "\".example.com\", not \"a@b\"\n"},
	{"tenants: ( { " TENANT " numbers = [ \"alice\" ]; } );",
	 "t.conf:1: error: tenants[0].numbers[0]: expected a telephone number such as "
	 "\"+14155550100\", not \"alice\"\n"},
	{"tenants: ( { " TENANT " limits: { bytes = 3; }; } );",
	 "t.conf:1: error: tenants[0].limits.bytes: expected a rate such as \"30/min\", \"10M/s "
	 "burst 20M\" or \"unlimited\", not 3\n"},
	/* Lists */
	{"lists: { optout = \"optout.txt\"; };",
	 "t.conf:1: error: lists.optout: expected a list of strings: [ \"...\", ... ]\n"},
	{"lists: { optout = [ \"none.txt\" ]; };",
	 "t.conf:1: error: lists.optout[0]: none.txt: No such file or directory\n"},
	{"lists: { optout = [ \"optout.txt\" ]; };",
	 "optout.txt:3: error: expected an address such as user@example.com, not \"two words\"\n"
	 "optout.txt:5: error: expected an address such as user@example.com, not \"nobody\"\n"},
	{"lists: { do_not_call = [ \"optout.txt\" ]; };",
	 "optout.txt:2: error: expected a telephone number such as +14155550100, not "
	 "\"user@example.com\"\n"
	 "optout.txt:3: error: expected a telephone number such as +14155550100, not \"two "
	 "words\"\n"
	 "optout.txt:5: error: expected a telephone number such as +14155550100, not \"nobody\"\n"},
	{"lists: { emergency_numbers = \"none.conf\"; };",
	 "t.conf:1: error: lists.emergency_numbers: none.conf: No such file or directory\n"},
	{"lists: { emergency_numbers = \"emergency.conf\"; };",
	 "emergency.conf: error: no line \"*\" for countries that are not listed\n"
	 "emergency.conf:2: error: expected a number of 1 to 8 digits, not \"9l1\"\n"
	 "emergency.conf:3: error: US has a line already\n"
	 "emergency.conf:4: error: expected a country's two capital letters or \"*\", not "
	 "\"Ruritania\"\n"
	 "emergency.conf:5: error: a country without numbers\n"},
	/* libconfig's own, and files */
	{"tiers: {", "t.conf:1: error: syntax error\n"},
	{"a = 1;\na = 2;", "t.conf:2: error: duplicate setting name\n"},
	{"\n@include \"inner.conf\"\n", "inner.conf:2: error: budgets.flowz: no such setting; did "
					"you mean \"flows\"?\n"},
	/* All at once, in the order of the file */
	{"tenants: ( { " TENANT " teir = \"x\"; },\n{ " SECOND
	 " vlan = 0;\noptout = [ \"none.txt\" "
	 "]; } );\nflows = 3;",
	 "t.conf:1: error: tenants[0].teir: no such setting; did you mean \"tier\"?\n"
	 "t.conf:2: error: tenants[1].vlan: expected a whole number from 1 to 4094, not 0\n"
	 "t.conf:3: error: tenants[1].optout[0]: none.txt: No such file or directory\n"
	 "t.conf:4: error: flows: no such setting\n"},
};

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int enter_directory(void **state)
{
	if (scratch_setup(state) != 0 || chdir(scratch_dir) != 0)
		return -1;
	write_file("optout.txt", "# opted out\r\nuser@example.com\r\ntwo words\n\nnobody\n");
	write_file("emergency.conf", "\nUS 911 9l1\nUS 112\nRuritania 999\nDE\n");
	write_file("inner.conf", "budgets: {\n  flowz = 64; };\n");
	write_file("good.txt", " Out@Example.COM \n# not@example.com\n");
	write_file("t.conf", "");
	return 0;
}

/* What check_config() says of t.conf; the caller frees. */
static char *check_text(const char *text, int *result)
{
	char *said;
	size_t len;
	FILE *out = open_memstream(&said, &len);

	assert_non_null(out);
	write_file("t.conf", text);
	*result = check_config("t.conf", out);
	fclose(out);
	return said;
}

static void assert_said(const char *text, int expected_result, const char *expected)
{
	int result;
	char *said = check_text(text, &result);

	assert_string_equal(said, expected);
	assert_int_equal(result, expected_result);
	free(said);
}

static unsigned lines_in(const char *text)
{
	unsigned lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static void every_mistake_is_told_with_its_place_and_what_was_expected(void **state)
{
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		unsigned errors = lines_in(wrongs[i].said);
		char expected[2048];

		snprintf(expected, sizeof(expected), "%st.conf: %u error%s\n", wrongs[i].said,
			 errors, errors == 1 ? "" : "s");
		assert_said(wrongs[i].text, 1, expected);
	}
}

static void a_good_configuration_is_counted(void **state)
{
	assert_said("", 0,
		    "t.conf: good, 0 tenants, 0 prefixes, 0 tiers, 0 list entries, 0 rules\n");
	assert_said("tiers: { a: { }; };\n"
		    "tenants: ( { " TENANT " domains = [ \"a.example\" ]; }, { " SECOND " } );\n"
		    "lists: { optout = [ \"good.txt\" ]; };",
		    0, "t.conf: good, 2 tenants, 2 prefixes, 1 tier, 2 list entries, 0 rules\n");
}

static void the_rules_that_it_names_are_compiled(void **state)
{
	static const char rule[] = "alert smtp any any -> any any (msg:\"m\"; smtp.helo; "
				   "content:\"x\"; sid:1;)\n";
	char text[512];

	write_file("good.rules", rule);
	assert_said("gate: { rules = [ \"good.rules\" ]; };", 0,
		    "t.conf: good, 0 tenants, 0 prefixes, 0 tiers, 0 list entries, 1 rule\n");
	snprintf(text, sizeof(text), "%salert smtp any any -> any any (nonsense; sid:2;)\n", rule);
	write_file("bad.rules", text);
	assert_said("gate: { rules = [ \"bad.rules\", \"none.rules\" ]; };", 1,
		    "bad.rules:2:32: error: unknown keyword 'nonsense'\n"
		    "none.rules: error: No such file or directory\n"
		    "t.conf: 2 errors\n");
	/* All mistakes at once. */
	assert_said("nonsense = 1;\ngate: { rules = [ \"bad.rules\" ]; };", 1,
		    "t.conf:1: error: nonsense: no such setting\n"
		    "bad.rules:2:32: error: unknown keyword 'nonsense'\n"
		    "t.conf: 2 errors\n");
}

static void a_warning_is_no_error(void **state)
{
	assert_said("tenants: ( {\n" TENANT " domain_consent = true; } );", 0,
		    "t.conf:1: warning: tenants[0]: domain_consent without domains: only bounces "
		    "will pass\n"
		    "t.conf: good, 1 tenant, 1 prefix, 0 tiers, 0 list entries, 0 rules\n");
}

static void a_missing_file_is_an_error(void **state)
{
	char *said;
	size_t len;
	FILE *out = open_memstream(&said, &len);

	assert_int_equal(check_config("missing.conf", out), 1);
	fclose(out);
	assert_string_equal(said, "missing.conf: error: can't be read: No such file or directory\n"
				  "missing.conf: 1 error\n");
	free(said);
}

static void a_thousand_errors_are_enough(void **state)
{
	struct diag diag = {0};
	char *said;
	size_t len;
	FILE *out = open_memstream(&said, &len);

	for (unsigned i = 0; i < DIAG_KEPT + 7; i++)
		diag_error(&diag, "list.txt", i + 1, "bad");
	diag_print(&diag, out);
	fclose(out);
	assert_non_null(strstr(said, "list.txt:1000: error: bad\npostern: error: and 7 more\n"));
	assert_int_equal(diag.errors, DIAG_KEPT + 7);
	free(said);
	diag_fini(&diag);
}

static void addresses_to_listen_at_are_the_loopbacks(void **state)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
	} good[] = {{"127.0.0.1:9425", "127.0.0.1", 9425},
		    {"127.9.9.9:0", "127.9.9.9", 0},
		    {"[::1]:65535", "::1", 65535}};
	static const char *const bad[] = {
		"127.0.0.1",  "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:1x", "localhost:1",
		"10.0.0.1:1", "[::1:1",     "::1:1",           "[::]:1",       "127.0.0.1:-1",
		":1",         "[]:1",       "127.0.0.1.0.0:1", "[127.0.0.1:1"};
	char host[CONFIG_HOST_SIZE];
	uint16_t port;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(config_listen_parse(good[i].text, host, &port));
		assert_string_equal(host, good[i].host);
		assert_int_equal(port, good[i].port);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (config_listen_parse(bad[i], host, &port))
			fail_msg("%s", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mistake_is_told_with_its_place_and_what_was_expected),
		cmocka_unit_test(a_good_configuration_is_counted),
		cmocka_unit_test(the_rules_that_it_names_are_compiled),
		cmocka_unit_test(a_warning_is_no_error),
		cmocka_unit_test(addresses_to_listen_at_are_the_loopbacks),
		cmocka_unit_test(a_missing_file_is_an_error),
		cmocka_unit_test(a_thousand_errors_are_enough),
	};

	return cmocka_run_group_tests(tests, enter_directory, scratch_teardown);
}
