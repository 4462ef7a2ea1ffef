/* SPDX-License-Identifier: BSD-3-Clause */
/* From a configuration to what workers ask the snapshot. */
#include "bpf/check.h"
#include "control/policy/policy_build.h"

#include <errno.h>
#include <unistd.h>

#include "dataplane/policy/lists.h"
#include "dataplane/policy/prefix.h"
#include "tests/text_file.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

#define SECOND UINT64_C(1000000000)

static struct policy *build(const char *path)
{
	struct diag diag = {0};
	struct config *config = config_load(path, &diag);
	struct policy *policy = config ? policy_build(config, &diag) : NULL;

	diag_print(&diag, stdout);
	assert_int_equal(diag.errors, 0);
	assert_non_null(policy);
	/* The snapshot must not borrow from what it was made of. */
	config_free(config);
	diag_fini(&diag);
	return policy;
}

static void without_a_file_everything_is_nobodys_and_unlimited(void **state)
{
	struct policy *p = build(NULL);
	const uint8_t addr[4] = {10, 0, 0, 1};

	assert_int_equal(p->slot_count, 1);
	assert_int_equal(prefix_lookup(&p->prefixes, 0, 4, addr), 0);
	assert_string_equal(p->names[0], "");
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		assert_int_equal(p->slots[0].limit[i].interval, 0);
	assert_int_equal(p->ports.tcp[25], APP_SMTP);
	assert_int_equal(p->ports.tcp[587], APP_SMTP);
	assert_int_equal(p->ports.tcp[2525], APP_SMTP);
	assert_int_equal(p->ports.tcp[465], APP_SMTPS);
	assert_int_equal(p->ports.udp[25], APP_NONE);
	assert_int_equal(p->ports.udp[5060], APP_SIP);
	assert_int_equal(p->ports.tcp[5080], APP_SIP);
	assert_int_equal(p->ports.tcp[5061], APP_SIPS);
	assert_int_equal(p->ports.tcp[80], APP_NONE);
	assert_int_equal(p->short_call, 6 * SECOND);
	assert_int_equal(p->asr_mode, ASR_WITH_PROGRESS);
	assert_false(p->shadow);
	policy_free(p);
}

/* What is said of a policy, or nothing. */
static const char *room_said(const char *gate, const struct policy *policy)
{
	static char words[512];
	struct diag diag = {0};
	struct config *config = text_config(gate, &diag);
	int rc;

	assert_non_null(config);
	rc = policy_check_room(policy, config, &diag);
	assert_int_equal(rc, diag.errors ? -EINVAL : 0);
	snprintf(words, sizeof(words), "%s", diag.errors ? diag.items[0].text : "");
	config_free(config);
	diag_fini(&diag);
	return words;
}

/* Of a table of so many nodes, and so many leaves. */
static const char *room_for(const char *gate, uint32_t nodes, uint32_t leaves)
{
	const struct policy policy = {.prefixes = {.node_count = nodes, .leaf_count = leaves}};

	return room_said(gate, &policy);
}

static void blocked_networks_beyond_the_kernels_room_are_refused(void **state)
{
	struct policy policy = {.blocked_list = {.count = 524288}};

	assert_string_equal(room_said("", &policy), "");
	policy.blocked_list.count++;
	assert_non_null(
		strstr(room_said("", &policy), "524289 networks, and there is room for 524288"));
	assert_string_equal(room_said("gate: { mode = \"dpdk\"; };", &policy), "");
}

static void prefixes_beyond_the_kernels_room_are_refused(void **state)
{
	const char *words;

	assert_string_equal(room_for("", 65536, 262144), "");
	words = room_for("", 65537, 3);
	assert_non_null(strstr(words, "65537 nodes and 3 leaves"));
	assert_non_null(strstr(words, "room for 65536 and 262144; from gate.tenants = 8192 on"));
	assert_non_null(strstr(room_for("", 3, 262145), "262145 leaves"));
	assert_string_equal(room_for("gate: { tenants = 8192; };", 1 << 20, 1 << 22), "");
	words = room_for("gate: { tenants = 8192; };", (1 << 20) + 1, 3);
	assert_non_null(strstr(words, "room for 1048576 and 4194304"));
	assert_null(strstr(words, "there is more"));
	assert_string_equal(room_for("gate: { mode = \"dpdk\"; };", 1 << 21, 3), "");
}

static void losses_pass_and_a_bare_lf_is_refused_by_default(void **state)
{
	struct policy *p = build(NULL);

	for (unsigned i = 0; i < REASON_COUNT; i++)
		assert_int_equal(p->on_loss[i],
				 i == REASON_SMTP_BARE_LF_END ? VERDICT_REJECT : VERDICT_PASS);
	policy_free(p);
}

static void answers_say_5yz_to_what_is_forbidden_and_4yz_to_what_is_too_fast(void **state)
{
	static const struct {
		enum reason reason;
		const char *smtp;
	} replies[] = {
		{REASON_LIMIT_MESSAGES, "421 4.7.0 "},
		{REASON_LIMIT_RECIPIENTS, "421 4.7.0 "},
		{REASON_LIMIT_CONNECTIONS, "421 4.7.0 "},
		{REASON_TENANT_SUSPENDED, "421 4.7.0 "},
		{REASON_LIMIT_RECIPIENTS_MESSAGE, "452 4.5.3 "},
		{REASON_OPT_OUT, "550 5.7.1 "},
		{REASON_DOMAIN_CONSENT, "550 5.7.1 "},
		{REASON_RULE, "550 5.7.1 "},
		{REASON_SMTP_BARE_LF_END, "550 5."},
	};
	struct policy *p = build(NULL);

	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		assert_memory_equal(p->answers[replies[i].reason].smtp, replies[i].smtp,
				    strlen(replies[i].smtp));
	assert_int_equal(p->answers[REASON_LIMIT_CALLS].sip_code, 503);
	assert_int_equal(p->answers[REASON_LIMIT_CALLS].retry_after, 5);
	assert_int_equal(p->answers[REASON_EMERGENCY_NUMBER].sip_code, 403);
	assert_int_equal(p->answers[REASON_EMERGENCY_NUMBER].retry_after, 0);
	assert_string_equal(p->answers[REASON_RULE].sip_phrase, "Forbidden");
	assert_string_equal(p->answers[REASON_DO_NOT_CALL].smtp, "");
	assert_int_equal(p->answers[REASON_OPT_OUT].sip_code, 0);
	policy_free(p);
}

static uint32_t owner_of(const struct policy *p, uint16_t vlan, uint8_t a, uint8_t b, uint8_t c,
			 uint8_t d)
{
	const uint8_t addr[4] = {a, b, c, d};

	return prefix_lookup(&p->prefixes, vlan, 4, addr);
}

static void the_shipped_example_holds_its_tenants_to_what_it_says(void **state)
{
	struct policy *p = build(POSTERN_ROOT "/docs/postern.conf.example");
	const struct tenant_slot *acme = &p->slots[1], *globex = &p->slots[2],
				 *initech = &p->slots[3];

	assert_int_equal(p->slot_count, 4);
	assert_int_equal(owner_of(p, 0, 192, 0, 2, 1), 1);
	assert_int_equal(owner_of(p, 0, 192, 0, 2, 128), 0);
	assert_int_equal(owner_of(p, 120, 10, 0, 0, 1), 2);
	assert_int_equal(owner_of(p, 7, 10, 0, 0, 1), 3);
	assert_int_equal(acme->id, 1);
	assert_string_equal(p->names[1], "acme");
	assert_int_equal(acme->limit[LIMIT_MESSAGES].interval, 2 * SECOND);
	assert_int_equal(acme->limit[LIMIT_RECIPIENTS].tolerance, 1999 * UINT64_C(8640000000));
	assert_int_equal(acme->recipients_per_message, 100);
	assert_int_equal(acme->emergency, EMERGENCY_REJECT);
	assert_int_equal(acme->flags, TENANT_DOMAIN_CONSENT | TENANT_HAS_NUMBERS);
	/* Its own limits instead of the tier's, the tier's where it has none. */
	assert_int_equal(globex->limit[LIMIT_MESSAGES].interval, SECOND / 5);
	assert_int_equal(globex->limit[LIMIT_BYTES].interval, 0);
	assert_int_equal(globex->limit[LIMIT_CALLS].interval, SECOND / 5);
	assert_int_equal(initech->state, TENANT_SUSPENDED);
	assert_int_equal(initech->shadow, 1 << LIMIT_MESSAGES | 1 << LIMIT_CALLS);
	assert_int_equal(p->on_loss[REASON_SIP_MALFORMED], VERDICT_ALERT);
	policy_free(p);
}

/* Others say it, or there is nobody to be told. */
static bool is_silent(enum reason reason)
{
	return reason == REASON_SMS_STOP || reason == REASON_SMS_START ||
	       reason == REASON_CALL_UNWANTED || reason == REASON_PROBING;
}

static void every_check_has_something_to_say_and_a_place_in_shadow(void **state)
{
	struct policy *p = build(POSTERN_ROOT "/docs/postern.conf.example");

	for (unsigned i = 0; i < POLICY_CHECK_COUNT; i++) {
		const struct policy_check_info *check = &policy_checks[i];
		const struct policy_answer *answer = &p->answers[check->reason];

		assert_int_equal(policy_check_of(check->reason), i);
		assert_int_equal(p->actions[check->reason], check->fallback);
		assert_true(answer->smtp[0] || answer->sip_code || is_silent(check->reason));
		assert_memory_equal(check->row, "AUP-", 4);
	}
	assert_int_equal(policy_check_of(REASON_RULE), POLICY_CHECK_COUNT);
	assert_int_equal(p->actions[REASON_RULE], VERDICT_PASS);
	policy_free(p);
}

static void a_tenant_sends_from_its_domains_alone(void **state)
{
	struct policy *p = build(POSTERN_ROOT "/docs/postern.conf.example");

	assert_true(list_may_send_from(p, 1, BYTES("sales@acme.example")));
	assert_true(list_may_send_from(p, 1, BYTES("<Sales@ACME.Example.>")));
	assert_true(list_may_send_from(p, 1, BYTES("x@a.b.acme.example")));
	assert_true(list_may_send_from(p, 1, BYTES("")));
	assert_true(list_may_send_from(p, 1, BYTES("<>")));
	assert_false(list_may_send_from(p, 1, BYTES("x@notacme.example")));
	assert_false(list_may_send_from(p, 1, BYTES("x@example")));
	assert_false(list_may_send_from(p, 1, BYTES("acme.example")));
	assert_false(list_may_send_from(p, 1, BYTES("\"x@acme.example\"@evil.example")));
	/* Without domain_consent: from anywhere. */
	assert_true(list_may_send_from(p, 2, BYTES("x@notacme.example")));
	assert_true(list_owns_number(p, 1, BYTES("+1 415 555 0100")));
	assert_false(list_owns_number(p, 1, BYTES("+14155550102")));
	assert_false(list_owns_number(p, 2, BYTES("+14155550100")));
	policy_free(p);
}

static void emergency_numbers_are_the_tenants_countrys_and_whole(void **state)
{
	struct policy *p = build(POSTERN_ROOT "/docs/postern.conf.example");

	/* 1: US, 2: DE, 3: none said */
	assert_true(list_is_emergency(p, 1, BYTES("911")));
	assert_true(list_is_emergency(p, 1, BYTES("9-1-1")));
	assert_false(list_is_emergency(p, 1, BYTES("110")));
	assert_true(list_is_emergency(p, 2, BYTES("110")));
	assert_false(list_is_emergency(p, 2, BYTES("911")));
	assert_true(list_is_emergency(p, 3, BYTES("112")));
	assert_true(list_is_emergency(p, 3, BYTES("911")));
	assert_true(list_is_emergency(p, 0, BYTES("911")));
	assert_false(list_is_emergency(p, 1, BYTES("9112345678")));
	assert_false(list_is_emergency(p, 1, BYTES("+911")));
	assert_false(list_is_emergency(p, 1, BYTES("+9112")));
	assert_false(list_is_emergency(p, 1, BYTES("0119112")));
	assert_false(list_is_emergency(p, 1, BYTES("91")));
	assert_false(list_is_emergency(p, 1, BYTES("")));
	assert_false(list_is_emergency(p, 1, BYTES("sos")));
	policy_free(p);
}

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
	write_file("all.txt", "nobody@example.com\n");
	write_file("one.txt", "Jo@Example.com\n");
	write_file("dnc.txt", "+1 415 555 0199\n");
	write_file("lists.conf",
		   "tenants: (\n"
		   "{ id = 10; name = \"a\"; prefixes = [ ]; optout = [ \"one.txt\" ]; "
		   "do_not_call = [ \"dnc.txt\" ]; },\n"
		   "{ id = 11; name = \"b\"; prefixes = [ ]; } );\n"
		   "lists: { optout = [ \"all.txt\" ]; };\n");
	return 0;
}

static void a_list_holds_for_its_owner_and_the_providers_for_all(void **state)
{
	struct policy *p = build("lists.conf");

	assert_true(list_opted_out(p, 1, BYTES("<jo@EXAMPLE.com>")));
	assert_false(list_opted_out(p, 2, BYTES("jo@example.com")));
	assert_true(list_opted_out(p, 1, BYTES("nobody@example.com")));
	assert_true(list_opted_out(p, 2, BYTES("nobody@example.com")));
	/* Mail of no tenant is not the provider's customers'. */
	assert_false(list_opted_out(p, 0, BYTES("nobody@example.com")));
	assert_true(list_do_not_call(p, 1, BYTES("+14155550199")));
	assert_true(list_do_not_call(p, 1, BYTES("1(415)555-0199")));
	assert_false(list_do_not_call(p, 2, BYTES("+14155550199")));
	assert_false(list_do_not_call(p, 1, BYTES("nobody@example.com")));
	policy_free(p);
}

static void tenants_have_names_for_what_control_writes(void **state)
{
	struct policy *p = build(POSTERN_ROOT "/docs/postern.conf.example");
	struct tenant_name *names = policy_tenant_names(p);

	assert_non_null(names);
	assert_int_equal(names[0].id, 0);
	assert_string_equal(names[2].name, "globex");
	assert_string_equal(names[2].state, "active");
	assert_int_equal(names[3].id, 3);
	assert_string_equal(names[3].state, "suspended");
	free(names);
	policy_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_file_everything_is_nobodys_and_unlimited),
		cmocka_unit_test(blocked_networks_beyond_the_kernels_room_are_refused),
		cmocka_unit_test(prefixes_beyond_the_kernels_room_are_refused),
		cmocka_unit_test(losses_pass_and_a_bare_lf_is_refused_by_default),
		cmocka_unit_test(answers_say_5yz_to_what_is_forbidden_and_4yz_to_what_is_too_fast),
		cmocka_unit_test(the_shipped_example_holds_its_tenants_to_what_it_says),
		cmocka_unit_test(every_check_has_something_to_say_and_a_place_in_shadow),
		cmocka_unit_test(a_tenant_sends_from_its_domains_alone),
		cmocka_unit_test(emergency_numbers_are_the_tenants_countrys_and_whole),
		cmocka_unit_test(a_list_holds_for_its_owner_and_the_providers_for_all),
		cmocka_unit_test(tenants_have_names_for_what_control_writes),
	};

	return cmocka_run_group_tests(tests, enter_directory, scratch_teardown);
}
