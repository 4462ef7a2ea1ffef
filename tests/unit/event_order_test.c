/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/events/event_order.h"

#include "tests/unit/test.h"

#define WORKERS 4

static struct event_order order;

static int setup(void **state)
{
	event_order_init(&order);
	return 0;
}

static int teardown(void **state)
{
	event_order_fini(&order);
	return 0;
}

static void push(unsigned worker, uint64_t packet, uint64_t flow, const char *text)
{
	static _Alignas(8) uint8_t buf[256];
	struct event_builder b;
	struct event_head *head = event_begin(&b, buf, sizeof(buf), EVENT_SMTP);

	head->packet = packet;
	head->flow_id = flow;
	event_put_text(&b, FIELD_KEY_SMTP_HELO, text);
	assert_int_equal(event_order_push(&order, worker, head, event_size(&b)), 0);
}

/* Appends the record's text and a blank to a log. */
static int note(void *arg, const struct event_head *head, size_t len)
{
	struct event_value text;
	char *log = arg;

	assert_int_equal(len, head->size);
	assert_true(event_find(head, FIELD_KEY_SMTP_HELO, &text));
	strncat(log, (const char *)text.p, text.len);
	strcat(log, " ");
	return 0;
}

static void releases(uint64_t upto, const char *expected)
{
	char log[65536] = "";

	assert_int_equal(event_order_release(&order, upto, note, log), 0);
	assert_string_equal(log, expected);
}

static void packets_come_in_order(void **state)
{
	push(0, 1, 10, "one");
	push(0, 4, 10, "four");
	push(1, 2, 20, "two");
	push(1, 3, 20, "three");
	releases(UINT64_MAX, "one two three four ");
	releases(UINT64_MAX, "");
}

static void what_is_not_due_is_held(void **state)
{
	push(0, 5, 10, "five");
	push(1, 1, 20, "one");
	push(0, 7, 10, "seven");
	push(1, 6, 20, "six");
	releases(0, "");
	releases(5, "one five ");
	push(1, 8, 20, "eight");
	releases(6, "six ");
	releases(8, "seven eight ");
}

static void a_packets_records_stay_as_written(void **state)
{
	push(0, 1, 10, "a");
	push(0, 1, 10, "c");
	push(0, 1, 10, "b");
	releases(1, "a c b ");
}

static void records_of_no_flow_go_by_content(void **state)
{
	push(2, 1, 0, "b");
	push(0, 1, 0, "c");
	push(1, 1, 0, "aa");
	push(1, 1, 0, "a");
	push(1, 1, 5, "flow");
	releases(1, "a b c aa flow "); /* a value's length stands before it */
}

/* The log of 3000 records in 200 flows, given to so many workers, released as they come. */
static char *log_of(unsigned workers)
{
	char *log = calloc(1, 65536);
	uint32_t seed = 7;
	unsigned pushed[WORKERS] = {0};

	assert_non_null(log);
	for (uint64_t start = 0; start < 1000; start += 100) {
		/* Each worker's part of the batch, one worker after the other, the last first. */
		for (unsigned worker = workers; worker-- > 0;) {
			seed = (uint32_t)start + 7;
			for (uint64_t i = 0; i < 300; i++) {
				const uint64_t packet = start + i / 3 + 1;
				uint32_t flow;
				char text[32];

				seed = seed * 1664525 + 1013904223;
				flow = seed >> 16 & 127;
				if (flow % workers != worker)
					continue;
				snprintf(text, sizeof(text), "%u:%u:%u", (unsigned)packet, flow,
					 (unsigned)i % 3);
				push(worker, packet, flow, text);
				pushed[worker]++;
			}
		}
		assert_int_equal(event_order_release(&order, start + 50, note, log), 0);
	}
	assert_int_equal(event_order_release(&order, UINT64_MAX, note, log), 0);
	for (unsigned worker = 0; worker < workers; worker++)
		assert_true(pushed[worker] > 0);
	return log;
}

static void any_number_of_workers_gives_the_same_log(void **state)
{
	char *one = log_of(1);

	assert_true(strlen(one) > 3000 * 6);
	for (unsigned workers = 2; workers <= WORKERS; workers++) {
		char *many = log_of(workers);

		assert_string_equal(many, one);
		free(many);
	}
	free(one);
}

static int stop_at_second(void *arg, const struct event_head *head, size_t len)
{
	int *calls = arg;

	return ++*calls == 2 ? -5 : 0;
}

static void an_error_of_the_taker_ends_the_release(void **state)
{
	int calls = 0;

	push(0, 1, 10, "a");
	push(0, 2, 10, "b");
	push(0, 3, 10, "c");
	push(0, 9, 10, "later");
	assert_int_equal(event_order_release(&order, 3, stop_at_second, &calls), -5);
	assert_int_equal(calls, 2);
	releases(9, "later ");
}

static void nonsense_is_refused(void **state)
{
	static _Alignas(8) uint8_t buf[128];
	struct event_builder b;

	event_begin(&b, buf, sizeof(buf), EVENT_SMTP);
	assert_true(event_order_push(&order, 0, b.head, event_size(&b) - 1) < 0);
	b.head->size = 4;
	assert_true(event_order_push(&order, 0, b.head, sizeof(buf)) < 0);
	releases(UINT64_MAX, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(packets_come_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_due_is_held, setup, teardown),
		cmocka_unit_test_setup_teardown(a_packets_records_stay_as_written, setup, teardown),
		cmocka_unit_test_setup_teardown(records_of_no_flow_go_by_content, setup, teardown),
		cmocka_unit_test_setup_teardown(any_number_of_workers_gives_the_same_log, setup,
						teardown),
		cmocka_unit_test_setup_teardown(an_error_of_the_taker_ends_the_release, setup,
						teardown),
		cmocka_unit_test_setup_teardown(nonsense_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
