/* SPDX-License-Identifier: BSD-3-Clause */
/* What is legal and odd: each kind by an example of it, and what is not odd is left alone. */
#include "control/config/config_lint.h"

#include "tests/text_file.h"
#include "tests/unit/test.h"

/* A configuration of which nothing can be said. */
#define LIMITS "messages = \"30/min\"; recipients = \"10000/d\"; calls = \"5/s\"; "
#define GOOD                                                                                \
	"tiers: { all: { " LIMITS "recipients_per_message = 100; }; };\n"                   \
	"tenants: (\n"                                                                      \
	"  { id = 1; name = \"acme\"; prefixes = [ \"10.1.0.0/16\" ]; tier = \"all\"; },\n" \
	"  { id = 2; name = \"globex\"; prefixes = [ \"10.2.0.0/16\" ]; tier = \"all\"; } );\n"

static struct lint lint_of(const char *text)
{
	struct diag diag = {0};
	/* Columns are looked up in the file. */
	struct text_file file = text_file_make(text);
	struct config *config = config_load(file.path, &diag);
	struct lint lint;

	assert_non_null(config);
	diag_print(&diag, stderr);
	assert_int_equal(diag.errors, 0);
	assert_int_equal(config_lint(config, &lint), 0);
	unlink(file.path);
	config_free(config);
	diag_fini(&diag);
	return lint;
}

static void nothing_is_said_of_what_is_usual(void **state)
{
	struct lint lint = lint_of(GOOD);

	for (size_t i = 0; i < lint.count; i++)
		print_error("%s: %s\n", lint.notes[i].path, lint.notes[i].text);
	assert_int_equal(lint.count, 0);
	lint_fini(&lint);
}

/* One more tenant; of those above nothing is said. */
#define TENANT(more)                                                                             \
	"tiers: { all: { " LIMITS "}; };\n"                                                      \
	"tenants: ( { id = 1; name = \"acme\"; prefixes = [ \"10.1.0.0/16\" ]; tier = \"all\"; " \
	"},\n"                                                                                   \
	"  { id = 2; name = \"odd\"; prefixes = [ \"10.2.0.0/16\" ]; " more "} );\n"

static const struct {
	const char *text;
	enum lint_kind kind;
	unsigned line, column;
	const char *path, *words; /* part of what is said */
} odd[] = {
	{TENANT(""), LINT_NO_LIMITS, 3, 3, "tenants[1]", "neither mails nor calls"},
	{TENANT("limits: { calls = \"1/s\"; }; "), LINT_NO_LIMITS, 3, 57, "tenants[1].limits",
	 "mails are not limited"},
	{TENANT("limits: { messages = \"1/s\"; }; "), LINT_NO_LIMITS, 3, 57, "tenants[1].limits",
	 "calls are not limited"},
	{TENANT("tier = \"all\"; limits: { packets = \"unlimited\"; }; "), LINT_UNLIMITED, 3, 81,
	 "tenants[1].limits.packets", "no limit"},
	{TENANT("tier = \"all\"; limits: { messages = \"31/min\"; }; "), LINT_LOOSER, 3, 81,
	 "tenants[1].limits.messages", "31/min allows more than 30/min of its tier"},
	{TENANT("tier = \"all\"; limits: { messages = \"29/min burst 40\"; }; "), LINT_LOOSER, 3,
	 81, "tenants[1].limits.messages", "allows more than"},
	{TENANT("tier = \"all\"; limits: { shadow = [ \"calls\" ]; }; "), LINT_SHADOW, 3, 81,
	 "tenants[1].limits.shadow", "not enforced"},
	{TENANT("tier = \"all\"; risk = \"shadow\"; "), LINT_SHADOW, 3, 71, "tenants[1].risk",
	 "nothing follows"},
	{TENANT("tier = \"all\"; domain_consent = true; "), LINT_CONSENT, 3, 71,
	 "tenants[1].domain_consent", "only bounces pass"},
	{TENANT("tier = \"all\"; domains = [ \"a.example\" ]; "), LINT_CONSENT, 3, 71,
	 "tenants[1].domains", "nothing looks at them"},
	{TENANT("tier = \"all\"; domain_consent = true; domains = [ \"a.example\", \"a.example\" "
		"]; "),
	 LINT_LIST_TWICE, 3, 94, "tenants[1].domains[1]", "twice"},
	{TENANT("tier = \"all\"; emergency = \"reject\"; "), LINT_COUNTRY, 3, 71,
	 "tenants[1].emergency", "112 and 911"},
	{TENANT("tier = \"all\"; optout = [ \"x\" ]; ") "lists: { optout = [ \"x\" ]; };\n",
	 LINT_LIST_TWICE, 3, 71, "tenants[1].optout[0]", "every tenant already"},
	{GOOD "lists: { do_not_call = [ \"x\", \"x\" ]; };\n", LINT_LIST_TWICE, 5, 10,
	 "lists.do_not_call[1]", "twice"},
	{"tiers: { all: { " LIMITS "}; other: { " LIMITS "}; };\n"
	 "tenants: ( { id = 1; name = \"acme\"; prefixes = [ \"10.1.0.0/16\" ]; tier = \"all\"; } "
	 ");\n",
	 LINT_UNUSED_TIER, 1, 80, "tiers.other", "no tenant"},
	{"tiers: { all: { messages = \"30/min\"; recipients = \"50/d\"; recipients_per_message = "
	 "51; "
	 "calls = \"1/s\"; }; };\n"
	 "tenants: ( { id = 1; name = \"acme\"; prefixes = [ \"10.1.0.0/16\" ]; tier = \"all\"; } "
	 ");\n",
	 LINT_TOO_LARGE, 1, 59, "tiers.all.recipients_per_message", "51 recipients"},
	{"tiers: { all: { " LIMITS "}; };\n"
	 "tenants: ( { id = 1; name = \"acme\"; prefixes = [ \"10.0.0.0/8\", \"10.3.0.0/16\" ]; "
	 "tier = "
	 "\"all\"; },\n"
	 "  { id = 2; name = \"in\"; prefixes = [ \"192.0.2.0/24\",\n"
	 "    \"10.3.4.0/24\" ]; tier = \"all\"; } );\n",
	 LINT_NESTED, 4, 5, "tenants[1].prefixes[1]", "inside 10.3.0.0/16 of \"acme\" (line 2)"},
	{GOOD "policy: { shadow = true; };\n", LINT_SHADOW, 5, 11, "policy.shadow",
	 "none is enforced"},
	{GOOD "policy: { actions: { opt_out = \"pass\"; }; };\n", LINT_CHECK_OFF, 5, 22,
	 "policy.actions.opt_out", "nobody looks"},
	{GOOD "policy: { smtp_answers: { opt_out = \"421 4.7.0 Later\"; }; };\n", LINT_ANSWER, 5,
	 27, "policy.smtp_answers.opt_out", "try again, to what is forbidden"},
	{GOOD "policy: { smtp_answers: { limit_messages = \"550 5.7.0 No\"; }; };\n", LINT_ANSWER,
	 5, 27, "policy.smtp_answers.limit_messages", "never again"},
	{GOOD "policy: { sip_answers: { do_not_call = \"603 Decline\"; }; };\n", LINT_SIP_CODE, 5,
	 26, "policy.sip_answers.do_not_call", "regulated in the US"},
	{GOOD "policy: { sip_answers: { limit_calls = \"403 No\"; }; };\n", LINT_ANSWER, 5, 26,
	 "policy.sip_answers.limit_calls", "must not be tried again"},
	{GOOD "policy: { sip_answers: { rule = \"503 No\"; }; };\n", LINT_ANSWER, 5, 26,
	 "policy.sip_answers.rule", "is tried again"},
	{GOOD "budgets: { calls_share = 100; };\n", LINT_SHARE, 5, 12, "budgets.calls_share",
	 "may fill"},
	{GOOD "risk: { mode = \"shadow\"; };\n", LINT_SHADOW, 5, 9, "risk.mode", "nothing follows"},
	{GOOD "risk: { leave = 100; };\n", LINT_UNREACHABLE, 5, 9, "risk.leave", "trembles"},
	{GOOD "risk: { asr: { minimum_parts = 101; }; };\n", LINT_UNREACHABLE, 5, 16,
	 "risk.asr.minimum_parts", "more answered than"},
	{GOOD "risk: { events: { trap: { points = 0; }; }; };\n", LINT_UNREACHABLE, 5, 27,
	 "risk.events.trap.points", "only shown"},
	{GOOD "risk: { events: { trap: { cap = 9; }; }; };\n", LINT_UNREACHABLE, 5, 27,
	 "risk.events.trap.cap", "25 points, and 9 is the most"},
	{GOOD "gate: { retention: { evidence = \"0s\"; }; };\n", LINT_RETENTION, 5, 22,
	 "gate.retention.evidence", "for ever"},
	{GOOD "gate: { retention: { evidence = \"47h\"; }; };\n", LINT_RETENTION, 5, 22,
	 "gate.retention.evidence", "time to answer (cases.answer_within) is 2"},
	{GOOD "gate: { retention: { scores = \"167h\"; }; };\n", LINT_RETENTION, 5, 22,
	 "gate.retention.scores", "half-life of what a score is made of is 7"},
	{GOOD "gate: { retention: { reports = \"1h\"; }; };\n", LINT_RETENTION, 5, 22,
	 "gate.retention.reports", "(feedback.keep)"},
	{GOOD "feedback: { keep = \"23h\"; };\n", LINT_RETENTION, 5, 13, "feedback.keep",
	 "before complaints of them come"},
};

static bool is_it(const struct lint_note *note, size_t i)
{
	return note->kind == odd[i].kind && note->line == odd[i].line &&
	       note->column == odd[i].column && strcmp(note->path, odd[i].path) == 0 &&
	       strstr(note->text, odd[i].words);
}

static void each_oddity_is_named_with_its_place(void **state)
{
	unsigned kinds[LINT_COUNT] = {0};
	bool bad = false;

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct lint lint = lint_of(odd[i].text);

		for (size_t n = 0; n < lint.count; n++)
			if (lint.count > 1 || !is_it(&lint.notes[n], i))
				print_error("%zu: %u:%u: %s: %s [%s]\n", i, lint.notes[n].line,
					    lint.notes[n].column, lint.notes[n].path,
					    lint.notes[n].text, lint_name(lint.notes[n].kind));
		if (lint.count != 1)
			print_error("%zu: %zu notes\n", i, lint.count);
		bad |= lint.count != 1 || !is_it(&lint.notes[0], i);
		kinds[odd[i].kind]++;
		lint_fini(&lint);
	}
	assert_false(bad);
	/* No kind without an example. */
	for (unsigned i = 0; i < LINT_COUNT; i++)
		if (!kinds[i])
			fail_msg("no example of %s", lint_name((enum lint_kind)i));
}

static void one_vlan_is_not_inside_another(void **state)
{
	struct lint lint = lint_of("tiers: { all: { " LIMITS "}; };\n"
				   "tenants: ( { id = 1; name = \"a\"; prefixes = [ \"10.0.0.0/8\" "
				   "]; tier = \"all\"; },\n"
				   "  { id = 2; name = \"b\"; vlan = 7; prefixes = [ "
				   "\"10.1.0.0/16\" ]; tier = \"all\"; },\n"
				   "  { id = 3; name = \"c\"; prefixes = [ \"11.0.0.0/8\", "
				   "\"a00::/16\" ]; tier = \"all\"; } );\n");

	assert_int_equal(lint.count, 0);
	lint_fini(&lint);
}

static void thresholds_that_no_points_reach(void **state)
{
	struct lint lint = lint_of(GOOD "risk: { asr: { points = 1; }; short_calls: { points = 1; "
					"}; bounces: { points = 1; }; "
					"complaints: { points = 1; }; events: {\n"
#define X(id, name, ...) name ": { points = 0.1; cap = 0.5; };"
				   RISK_EVENTS(X)
#undef X
					   "}; };\n");
	unsigned unreachable = 0, families = 0;

	for (size_t i = 0; i < lint.count; i++) {
		unreachable += strstr(lint.notes[i].text, "no score comes to") != NULL;
		families += strstr(lint.notes[i].text, "two families can't give") != NULL;
	}
	assert_int_equal(families, 1);
	assert_int_equal(unreachable, 3);
	lint_fini(&lint);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_said_of_what_is_usual),
		cmocka_unit_test(each_oddity_is_named_with_its_place),
		cmocka_unit_test(one_vlan_is_not_inside_another),
		cmocka_unit_test(thresholds_that_no_points_reach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
