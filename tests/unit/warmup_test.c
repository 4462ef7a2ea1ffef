/* SPDX-License-Identifier: BSD-3-Clause */
/* Warm-up by a clock of the test's own: which step holds when, and which of two limits is lower. */
#include <errno.h>
#include <stdlib.h>

#include "control/config/config.h"
#include "control/policy/warmup.h"
#include "tests/text_file.h"
#include "tests/unit/test.h"

#define SINCE UINT64_C(1800000000)
#define HOUR  UINT64_C(3600)
#define DAY   (24 * HOUR)
#define S     UINT64_C(1000000000)

static struct warmup *schedule(void)
{
	struct warmup *w = calloc(1, sizeof(*w) + 2 * sizeof(w->step[0]));

	assert_non_null(w);
	w->count = 2;
	w->step[0] = (struct warmup_step){.days = 1, .recipients_per_message = 5};
	w->step[0].limit[LIMIT_MESSAGES] = (struct gcra){60 * S, 9 * 60 * S}; /* 1/min burst 10 */
	w->step[1] = (struct warmup_step){.days = 7};
	w->step[1].limit[LIMIT_MESSAGES] = (struct gcra){S, 99 * S};
	return w;
}

static void a_step_holds_while_the_tenant_is_younger(void **state)
{
	struct warmup *w = schedule();

	assert_ptr_equal(warmup_step_at(w, SINCE, SINCE), &w->step[0]);
	assert_ptr_equal(warmup_step_at(w, SINCE, SINCE + DAY - 1), &w->step[0]);
	assert_ptr_equal(warmup_step_at(w, SINCE, SINCE + DAY), &w->step[1]);
	assert_ptr_equal(warmup_step_at(w, SINCE, SINCE + 7 * DAY - 1), &w->step[1]);
	assert_null(warmup_step_at(w, SINCE, SINCE + 7 * DAY));
	assert_null(warmup_step_at(w, 0, SINCE));
	assert_null(warmup_step_at(NULL, SINCE, SINCE));
	/* Who comes tomorrow is new. */
	assert_ptr_equal(warmup_step_at(w, SINCE + DAY, SINCE), &w->step[0]);
	free(w);
}

static void it_is_known_when_the_next_change_is(void **state)
{
	struct warmup *w = schedule();
	uint64_t now = SINCE;
	unsigned changes = 0;

	/* A clock that jumps from change to change meets each once, and comes to an end. */
	for (uint64_t next; (next = warmup_next(w, SINCE, now)) != 0; now = next, changes++)
		assert_true(next > now);
	assert_int_equal(changes, 2);
	assert_int_equal(now, SINCE + 7 * DAY);
	assert_int_equal(warmup_next(w, SINCE + DAY, SINCE), SINCE + 2 * DAY);
	assert_int_equal(warmup_next(NULL, SINCE, SINCE), 0);
	free(w);
}

static double burst(const struct tenant_slot *t, unsigned limit)
{
	const double unit = limit == LIMIT_BYTES ? GCRA_BYTES_UNIT : 1;

	return (double)t->limit[limit].tolerance * unit / (double)t->limit[limit].interval + 1;
}

static void of_both_limits_the_lower_holds(void **state)
{
	struct warmup *w = schedule();
	struct tenant_slot slot = {.recipients_per_message = 100};

	/* 10/s burst 10: the step is slower, and as many at once. */
	slot.limit[LIMIT_MESSAGES] = (struct gcra){S / 10, 9 * S / 10};
	warmup_apply(&w->step[0], 0, &slot);
	assert_int_equal(slot.limit[LIMIT_MESSAGES].interval, 60 * S);
	assert_true(burst(&slot, LIMIT_MESSAGES) == 10);
	assert_int_equal(slot.recipients_per_message, 5);
	/* 1/h burst 2: lower than the step in both. */
	slot.limit[LIMIT_MESSAGES] = (struct gcra){HOUR * S, HOUR * S};
	slot.recipients_per_message = 3;
	warmup_apply(&w->step[0], 0, &slot);
	assert_int_equal(slot.limit[LIMIT_MESSAGES].interval, HOUR * S);
	assert_true(burst(&slot, LIMIT_MESSAGES) == 2);
	assert_int_equal(slot.recipients_per_message, 3);
	/* 1/h burst 20: slower, and more at once than the step has. */
	slot.limit[LIMIT_MESSAGES] = (struct gcra){HOUR * S, 19 * HOUR * S};
	warmup_apply(&w->step[0], 0, &slot);
	assert_int_equal(slot.limit[LIMIT_MESSAGES].interval, HOUR * S);
	assert_true(burst(&slot, LIMIT_MESSAGES) == 10);
	/* No limit of its own: the step's. */
	slot = (struct tenant_slot){0};
	warmup_apply(&w->step[1], 0, &slot);
	assert_int_equal(slot.limit[LIMIT_MESSAGES].interval, S);
	assert_int_equal(slot.recipients_per_message, 0);
	free(w);
}

static void bytes_are_compared_in_their_unit(void **state)
{
	struct warmup_step step = {.days = 1};
	struct rate own = {RATE_LIMITED, 1000000, S, 2000000}, new = {RATE_LIMITED, 1000, S, 1500};
	struct tenant_slot slot = {0};

	assert_int_equal(rate_gcra(&own, true, &slot.limit[LIMIT_BYTES]), 0);
	assert_int_equal(rate_gcra(&new, true, &step.limit[LIMIT_BYTES]), 0);
	warmup_apply(&step, 0, &slot);
	assert_int_equal(slot.limit[LIMIT_BYTES].interval, step.limit[LIMIT_BYTES].interval);
	assert_in_range((unsigned)burst(&slot, LIMIT_BYTES), 1499, 1501);
}

static void what_a_person_has_set_stays(void **state)
{
	struct warmup *w = schedule();
	struct tenant_slot slot = {.recipients_per_message = 100};

	warmup_apply(&w->step[0], 1u << LIMIT_MESSAGES | WARMUP_RECIPIENTS, &slot);
	assert_int_equal(slot.limit[LIMIT_MESSAGES].interval, 0);
	assert_int_equal(slot.recipients_per_message, 100);
	warmup_apply(NULL, 0, &slot);
	assert_int_equal(slot.recipients_per_message, 100);
	free(w);
}

static void it_survives_the_way_to_posternd(void **state)
{
	struct warmup *w = schedule(), *back;
	json_t *json = warmup_json(w), *bad;

	assert_int_equal(warmup_parse(json, &back), 0);
	assert_int_equal(back->count, 2);
	assert_memory_equal(back->step, w->step, 2 * sizeof(w->step[0]));
	free(back);
	assert_int_equal(warmup_parse(NULL, &back), 0);
	assert_null(back);
	bad = json_deep_copy(json);
	json_object_del(json_array_get(bad, 1), "days");
	assert_int_equal(warmup_parse(bad, &back), -EINVAL);
	assert_null(back);
	json_decref(bad);
	json_decref(json);
	free(w);
}

/* The file's: steps in their order, and a day is as good as a time. */
static void a_schedule_is_read_or_refused(void **state)
{
	static const char good[] =
		"tiers: { new: { messages = \"100/min\"; warmup = ( { days = 1; messages = "
		"\"10/d\"; "
		"recipients_per_message = 5; }, { days = 7; messages = \"100/d\"; } ); }; };\n"
		"tenants: ( { id = 1; name = \"a\"; prefixes = [ \"10.0.0.0/8\" ]; tier = \"new\"; "
		"since = \"2027-01-15\"; } );\n";
	static const char *const bad[] = {
		"tiers: { new: { warmup = ( { days = 7; }, { days = 7; } ); }; };\n",
		"tiers: { new: { warmup = ( { messages = \"1/d\"; } ); }; };\n",
		"tiers: { new: { warmup = ( { days = 0; } ); }; };\n",
		"tenants: ( { id = 1; name = \"a\"; prefixes = [ \"10.0.0.0/8\" ]; since = "
		"\"soon\"; } );\n",
		"tenants: ( { id = 1; name = \"a\"; prefixes = [ \"10.0.0.0/8\" ]; since = "
		"\"2027-02-30T\"; } );\n",
	};
	struct diag diag = {0};
	struct config *config = text_config(good, &diag);
	struct warmup *w;

	assert_non_null(config);
	assert_int_equal(diag.errors, 0);
	assert_int_equal(config_since(config_tenant_at(config, 0)), SINCE - 8 * HOUR);
	w = config_warmup(config_tier_at(config, 0));
	assert_int_equal(w->count, 2);
	assert_int_equal(w->step[0].days, 1);
	assert_int_equal(w->step[0].recipients_per_message, 5);
	assert_int_equal(w->step[1].limit[LIMIT_MESSAGES].interval, 864 * S);
	free(w);
	config_free(config);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		diag_fini(&diag);
		config_free(text_config(bad[i], &diag));
		assert_int_equal(diag.errors, 1);
	}
	diag_fini(&diag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_holds_while_the_tenant_is_younger),
		cmocka_unit_test(it_is_known_when_the_next_change_is),
		cmocka_unit_test(of_both_limits_the_lower_holds),
		cmocka_unit_test(bytes_are_compared_in_their_unit),
		cmocka_unit_test(what_a_person_has_set_stays),
		cmocka_unit_test(it_survives_the_way_to_posternd),
		cmocka_unit_test(a_schedule_is_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
