/* SPDX-License-Identifier: BSD-3-Clause */
/* The numbers' way through JSON, and what follows of a level in a tenant's slot. */
#include <errno.h>

#include "bpf/limit.h"
#include "control/risk/risk_json.h"
#include "control/risk/risk_run.h"
#include "tests/unit/risk_fixture.h"
#include "tests/unit/test.h"

static void numbers_survive_their_way_through_json(void **state)
{
	struct risk_config there = risk_config_default(), back;
	json_t *object;

	there.mode = RISK_ON;
	there.z = 2.718281828459045;
	there.factor = 0.1;
	there.ratio[RISK_RATIO_COMPLAINTS].critical = 0.0029999;
	there.event[RISK_EVENT_DNSBL].half_life = 12345678901234567;
	object = risk_config_json(&there);
	assert_int_equal(risk_config_parse(object, &back), 0);
	assert_memory_equal(&back, &there, sizeof(back));
	json_object_del(json_object_get(object, "events"), "trap");
	assert_int_equal(risk_config_parse(object, &back), -EINVAL);
	json_decref(object);
	assert_int_equal(risk_config_parse(NULL, &back), -EINVAL);
}

/* Limits of a throttled tenant: rate and burst are a tenth. */
static void a_throttled_limit_is_a_share_of_it(void **state)
{
	struct tenant_slot slot = {0}, before;
	const struct gcra minute = {2 * SECOND, 29 * 2 * SECOND}; /* 30/min, 30 at once */

	slot.limit[LIMIT_MESSAGES] = minute;
	slot.limit[LIMIT_CALLS] = minute;
	slot.limit[LIMIT_RECIPIENTS] = (struct gcra){SECOND, 0}; /* one a second, at once too */
	before = slot;
	risk_throttle(&slot, 1 << LIMIT_CALLS, 0.1);
	assert_int_equal(slot.limit[LIMIT_MESSAGES].interval, 20 * SECOND);
	assert_int_equal(slot.limit[LIMIT_MESSAGES].tolerance, 40 * SECOND); /* 3 at once */
	assert_memory_equal(&slot.limit[LIMIT_CALLS], &before.limit[LIMIT_CALLS], sizeof(minute));
	assert_int_equal(slot.limit[LIMIT_RECIPIENTS].interval, 10 * SECOND);
	assert_int_equal(slot.limit[LIMIT_RECIPIENTS].tolerance, 0);
	/* What has no limit gets none. */
	assert_int_equal(slot.limit[LIMIT_BYTES].interval, 0);
	slot.limit[LIMIT_SYNS] = (struct gcra){UINT64_C(1) << 60, 0};
	risk_throttle(&slot, 0, 0.01);
	assert_true(slot.limit[LIMIT_SYNS].interval == LIMIT_DEBT_MAX);
	slot = before;
	risk_throttle(&slot, 0, 1);
	assert_memory_equal(slot.limit, before.limit, sizeof(slot.limit));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_survive_their_way_through_json),
		cmocka_unit_test(a_throttled_limit_is_a_share_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
