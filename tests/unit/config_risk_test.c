/* SPDX-License-Identifier: BSD-3-Clause */
/* The numbers of risk: the policy's where nothing is written, the file's where something is. */
#include "control/config/config.h"

#include "tests/text_file.h"
#include "tests/unit/test.h"

static struct config *load(const char *text)
{
	struct diag diag = {0};
	struct config *config = text_config(text, &diag);

	assert_non_null(config);
	assert_int_equal(diag.errors, 0);
	diag_fini(&diag);
	return config;
}

static void nothing_written_is_the_policy(void **state)
{
	struct config *config = config_default();
	const struct risk_config risk = config_risk(config), policy = risk_config_default();

	assert_int_equal(risk.mode, RISK_SHADOW);
	assert_memory_equal(risk.ratio, policy.ratio, sizeof(risk.ratio));
	assert_memory_equal(risk.event, policy.event, sizeof(risk.event));
	assert_memory_equal(&risk, &policy, sizeof(risk));
	config_free(config);
}

static void what_is_written_holds_and_the_rest_stays(void **state)
{
	struct config *config = load(
		"risk: { mode = \"on\"; z = 2; suspend = 90; limits = 2.5; half_life = \"1d\";\n"
		" asr: { warn = 55.5; points = 40; };\n"
		" events: { trap: { points = 30; half_life = \"1h\"; }; bulk: { every = \"0s\"; "
		"}; spoof: { points = 0; }; }; };");
	const struct risk_config risk = config_risk(config), policy = risk_config_default();

	assert_int_equal(risk.mode, RISK_ON);
	assert_true(risk.z == 2 && risk.suspend == 90 && risk.watch == policy.watch);
	assert_true(risk.factor == 0.025);
	assert_true(risk.ratio[RISK_RATIO_ASR].warn == 0.555);
	assert_true(risk.ratio[RISK_RATIO_ASR].points == 40);
	assert_true(risk.ratio[RISK_RATIO_ASR].critical == policy.ratio[RISK_RATIO_ASR].critical);
	assert_true(risk.event[RISK_EVENT_TRAP].points == 30);
	assert_true(risk.event[RISK_EVENT_TRAP].cap == policy.event[RISK_EVENT_TRAP].cap);
	assert_int_equal(risk.event[RISK_EVENT_TRAP].half_life, 3600 * UINT64_C(1000000000));
	assert_int_equal(risk.event[RISK_EVENT_BULK].spacing, 0);
	assert_true(risk.event[RISK_EVENT_SPOOF].points == 0);
	assert_true(risk.event[RISK_EVENT_SPOOF].cap == policy.event[RISK_EVENT_SPOOF].cap);
	config_free(config);
}

static void a_tenant_may_have_a_mode_of_its_own(void **state)
{
	struct config *config =
		load("risk: { mode = \"on\"; };\n"
		     "tenants: ( { id = 1; name = \"a\"; prefixes = [ ]; },\n"
		     " { id = 2; name = \"b\"; prefixes = [ ]; risk = \"shadow\"; },\n"
		     " { id = 3; name = \"c\"; prefixes = [ ]; risk = \"off\"; } );");

	assert_int_equal(config_risk_of(config, config_tenant_at(config, 0)), RISK_ON);
	assert_int_equal(config_risk_of(config, config_tenant_at(config, 1)), RISK_SHADOW);
	assert_int_equal(config_risk_of(config, config_tenant_at(config, 2)), RISK_OFF);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_written_is_the_policy),
		cmocka_unit_test(what_is_written_holds_and_the_rest_stays),
		cmocka_unit_test(a_tenant_may_have_a_mode_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
