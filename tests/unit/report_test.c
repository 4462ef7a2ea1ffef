/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/page/report.h"
#include "tests/unit/test.h"

static struct counters sum, worker;

/* Sets every number to n, and leaves the tables of names empty. */
static void fill(struct counters *c, uint64_t n)
{
	uint64_t *word = (uint64_t *)c;

	for (size_t i = 0; i < sizeof(*c) / sizeof(*word); i++)
		word[i] = n;
	memset(c->smtp.commands, 0, sizeof(c->smtp.commands));
	memset(c->sip.requests, 0, sizeof(c->sip.requests));
}

static void every_counter_is_added(void **state)
{
	struct counters *expected = malloc(sizeof(*expected));

	assert_non_null(expected);
	memset(&sum, 0, sizeof(sum));
	fill(&worker, 3);
	counters_add(&sum, &worker);
	fill(&worker, 4);
	counters_add(&sum, &worker);
	fill(expected, 7);
	assert_memory_equal(&sum, expected, sizeof(sum));
	free(expected);
}

static void name_set(struct counted_name *slot, const char *name, uint64_t count)
{
	snprintf(slot->name, sizeof(slot->name), "%s", name);
	slot->count = count;
}

static void names_are_added_wherever_they_stand(void **state)
{
	memset(&sum, 0, sizeof(sum));
	memset(&worker, 0, sizeof(worker));
	name_set(&sum.smtp.commands[0], "MAIL", 1);
	name_set(&sum.smtp.commands[1], "RCPT", 2);
	name_set(&worker.smtp.commands[0], "RCPT", 10);
	name_set(&worker.smtp.commands[3], "QUIT", 20);
	name_set(&worker.sip.requests[0], "BYE", 5);
	counters_add(&sum, &worker);
	assert_int_equal(sum.smtp.commands[0].count, 1);
	assert_int_equal(sum.smtp.commands[1].count, 12);
	assert_string_equal(sum.smtp.commands[2].name, "QUIT");
	assert_int_equal(sum.smtp.commands[2].count, 20);
	assert_string_equal(sum.sip.requests[0].name, "BYE");
}

static void a_full_table_loses_names_but_no_counts(void **state)
{
	char name[COUNTED_NAME_SIZE];
	uint64_t total = 0;

	memset(&sum, 0, sizeof(sum));
	memset(&worker, 0, sizeof(worker));
	for (int i = 0; i < COUNTED_NAMES; i++) {
		snprintf(name, sizeof(name), "A%d", i);
		name_set(&sum.smtp.commands[i], name, 1);
		snprintf(name, sizeof(name), "B%d", i);
		name_set(&worker.smtp.commands[i], name, 1);
	}
	counters_add(&sum, &worker);
	for (int i = 0; i < COUNTED_NAMES; i++)
		total += sum.smtp.commands[i].count;
	assert_int_equal(total, 2 * COUNTED_NAMES);
	assert_int_equal(sum.smtp.commands[0].count, 1);
	assert_int_equal(sum.smtp.commands[COUNTED_NAMES - 1].count, COUNTED_NAMES + 1);
}

static void a_tenants_counters_are_added(void **state)
{
	struct tenant_counters a = {.packets = 1, .calls_short = 2}, b = {.packets = 10};

	b.reasons[REASON_RULE] = 4;
	tenant_counters_add(&a, &b);
	assert_int_equal(a.packets, 11);
	assert_int_equal(a.calls_short, 2);
	assert_int_equal(a.reasons[REASON_RULE], 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_counter_is_added),
		cmocka_unit_test(names_are_added_wherever_they_stand),
		cmocka_unit_test(a_full_table_loses_names_but_no_counts),
		cmocka_unit_test(a_tenants_counters_are_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
