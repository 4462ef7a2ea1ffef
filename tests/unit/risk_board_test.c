/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the dataplane's memory to scores: what is news and what was counted, several workers,
 * dataplanes that come and go, limits that are the score's own doing.
 */
#include "control/risk/risk_board.h"

#include "bpf/maps.h"
#include "control/risk/risk_pack.h"
#include "control/risk/sketch.h"
#include "tests/unit/risk_fixture.h"
#include "tests/unit/test.h"

#define SLOT    3
#define WORKERS 2

static struct risk_board board;
static struct shm_head *memory;

static struct shm_head *memory_new(uint64_t started)
{
	const struct shm_layout layout = {WORKERS, 8, 0, EVENT_RING_MINIMUM};
	struct shm_head *head = aligned_alloc(SHM_ALIGN, shm_size(&layout));

	assert_non_null(head);
	memset(head, 0, shm_size(&layout));
	shm_format(head, &layout);
	head->started = started;
	return head;
}

/* Of the memory in hand. */
static const struct risk_counters *all(void)
{
	static struct risk_counters c;

	c = risk_counters_of(memory);
	return &c;
}

static struct tenant_counters *counters(unsigned worker)
{
	return &shm_tenants(memory, worker)[SLOT];
}

static int setup(void **state)
{
	memory = memory_new(1);
	assert_int_equal(risk_board_init(&board, 8), 0);
	risk_board_take(&board, SLOT, 7, NULL);
	risk_board_memory(&board, all(), false);
	return 0;
}

static int teardown(void **state)
{
	risk_board_fini(&board);
	free(memory);
	return 0;
}

static struct risk_change step(uint64_t now)
{
	return risk_board_step(&board, all(), SLOT, 0, now);
}

static struct risk_tenant *tenant(void)
{
	return &board.tenant[SLOT];
}

static void see_callees(unsigned worker, unsigned from, unsigned n)
{
	for (unsigned i = from; i < from + n; i++)
		sketch_add(&counters(worker)->callees, START,
			   i * UINT64_C(0x9e3779b97f4a7c15) ^ i << 7);
}

static void workers_are_summed_and_counted_once(void **state)
{
	see_callees(0, 0, 15);
	see_callees(1, 10, 15);
	counters(0)->calls_seized = 200;
	counters(0)->calls_answered = 60;
	counters(1)->calls_seized = 100;
	counters(1)->calls_answered = 30;
	assert_int_equal(step(START).to, RISK_LEVEL_THROTTLE);
	assert_true(tenant()->ratio[RISK_RATIO_ASR].whole == 300);
	assert_true(tenant()->ratio[RISK_RATIO_ASR].parts == 90);
	assert_in_range(tenant()->callees, 23, 27);
	for (int i = 0; i < 10; i++)
		step(START);
	assert_true(tenant()->ratio[RISK_RATIO_ASR].whole == 300);
	counters(1)->calls_seized += 5;
	step(START);
	assert_true(tenant()->ratio[RISK_RATIO_ASR].whole == 305);
}

static void every_counter_has_its_place(void **state)
{
	struct tenant_counters *c = counters(0);

	c->calls_seized = 9;
	c->calls_answered = 8;
	c->calls_short = 7;
	c->calls_outage = 6;
	c->calls_unwanted = 2;
	c->recipients_answered = 5;
	c->recipients_bounced = 4;
	c->messages_accepted = 3;
	sketch_add(&c->domains, START, 1);
	sketch_add(&c->domains, START, 2);
	step(START);
	risk_board_complaints(&board, SLOT, 2, START);
	assert_true(tenant()->ratio[RISK_RATIO_ASR].whole == 9);
	assert_true(tenant()->ratio[RISK_RATIO_ASR].parts == 8);
	assert_true(tenant()->ratio[RISK_RATIO_SHORT].whole == 8);
	assert_true(tenant()->ratio[RISK_RATIO_SHORT].parts == 7);
	assert_true(tenant()->outage == 6);
	assert_true(tenant()->ratio[RISK_RATIO_BOUNCES].whole == 5);
	assert_true(tenant()->ratio[RISK_RATIO_BOUNCES].parts == 4);
	assert_true(tenant()->ratio[RISK_RATIO_COMPLAINTS].whole == 3);
	assert_true(tenant()->ratio[RISK_RATIO_COMPLAINTS].parts == 2);
	assert_true(tenant()->event[RISK_EVENT_UNWANTED].value == 8);
	assert_int_equal(tenant()->domains, 2);
}

static void a_dataplane_that_comes_anew_begins_at_zero(void **state)
{
	struct shm_head *before = memory;

	counters(0)->calls_seized = 100;
	step(START);
	memory = memory_new(2);
	counters(0)->calls_seized = 10;
	risk_board_memory(&board, all(), false);
	step(START);
	assert_true(tenant()->ratio[RISK_RATIO_ASR].whole == 110);
	free(before);
}

/* Another posternd, with what the one before had saved. */
static void restart(const struct risk_saved *saved)
{
	risk_board_fini(&board);
	assert_int_equal(risk_board_init(&board, 8), 0);
	risk_board_take(&board, SLOT, 7, saved);
	risk_board_memory(&board, all(), true);
}

static struct risk_saved save(void)
{
	static uint8_t packed[RISK_PACKED];
	struct risk_saved saved;

	assert_int_equal(risk_unpack(packed, risk_pack(&board, SLOT, packed), &saved), 0);
	return saved;
}

static void another_posternd_goes_on_where_the_one_before_was(void **state)
{
	struct risk_saved saved;

	counters(0)->calls_seized = 100;
	step(START);
	saved = save();
	/* Meanwhile there is none. */
	counters(0)->calls_seized = 130;
	restart(&saved);
	assert_true(tenant()->ratio[RISK_RATIO_ASR].whole == 100);
	step(START);
	assert_true(tenant()->ratio[RISK_RATIO_ASR].whole == 130);
	assert_int_equal(risk_window_sum(&board.window[SLOT], &board.config, START).seized, 130);
	/* Of whom nothing was saved there was nothing to save: all of it is news. */
	restart(NULL);
	step(START);
	assert_true(tenant()->ratio[RISK_RATIO_ASR].whole == 130);
}

static void what_nobody_knows_to_be_news_is_none(void **state)
{
	struct risk_saved saved;

	counters(0)->calls_seized = 100;
	step(START);
	saved = save();
	saved.seen = (struct risk_seen){0}; /* of a posternd that didn't say */
	restart(&saved);
	step(START);
	assert_true(tenant()->ratio[RISK_RATIO_ASR].whole == 100);
	counters(0)->calls_seized = 150;
	risk_board_skip(&board, all(), SLOT); /* it is not scored now */
	saved = save();
	counters(0)->calls_seized = 200;
	restart(&saved);
	counters(0)->calls_seized = 201;
	step(START);
	assert_true(tenant()->ratio[RISK_RATIO_ASR].whole == 101);
	/* Saved of another place than it has now. */
	saved = save();
	saved.slot = SLOT + 1;
	counters(0)->calls_seized = 300;
	restart(&saved);
	step(START);
	assert_true(tenant()->ratio[RISK_RATIO_ASR].whole == 101);
}

static void a_dataplane_that_comes_anew_makes_no_callees_few(void **state)
{
	struct shm_head *before = memory;
	struct risk_saved saved;
	uint32_t callees;

	see_callees(0, 0, 40);
	counters(0)->calls_seized = 100;
	step(START);
	callees = tenant()->callees;
	assert_in_range(callees, 35, 45);
	memory = memory_new(2);
	risk_board_memory(&board, all(), false);
	see_callees(0, 0, 1);
	counters(0)->calls_seized = 1;
	step(START + 1);
	assert_int_equal(tenant()->callees, callees);
	saved = save();
	restart(&saved);
	counters(0)->calls_seized = 2;
	step(START + 2);
	assert_int_equal(tenant()->callees, callees);
	/* For as long as it would have known them itself. */
	counters(0)->calls_seized = 3;
	step(START + 2 * SKETCH_EPOCH);
	assert_int_equal(tenant()->callees, 0);
	free(before);
}

static void only_news_are_to_be_saved(void **state)
{
	assert_false(board.dirty[SLOT]);
	counters(0)->calls_seized = 1;
	step(START);
	assert_true(board.dirty[SLOT]);
	board.dirty[SLOT] = false;
	for (int i = 0; i < 100; i++)
		step(START + i * MINUTE); /* fading is none */
	assert_false(board.dirty[SLOT]);
	risk_board_event(&board, SLOT, RISK_EVENT_MALWARE, 1, START, 0, 0);
	assert_true(board.dirty[SLOT]);
	board.dirty[SLOT] = false;
	assert_int_equal(step(START + HOUR + 40 * MINUTE).to, RISK_LEVEL_THROTTLE);
	assert_true(board.dirty[SLOT]);
	board.dirty[SLOT] = false;
	risk_board_skip(&board, all(), SLOT);
	assert_true(board.dirty[SLOT]);
	board.dirty[SLOT] = false;
	risk_board_skip(&board, all(), SLOT);
	assert_false(board.dirty[SLOT]);
	step(START + HOUR + 40 * MINUTE); /* it is scored again */
	assert_true(board.dirty[SLOT]);
}

static void what_came_while_nobody_scored_it_is_not_counted_later(void **state)
{
	counters(0)->calls_seized = 100;
	risk_board_skip(&board, all(), SLOT);
	step(START);
	assert_true(risk_is_empty(tenant()));
	counters(0)->calls_seized = 101;
	step(START);
	assert_true(tenant()->ratio[RISK_RATIO_ASR].whole == 1);
}

static void without_a_dataplane_scores_go_on_fading(void **state)
{
	risk_board_event(&board, SLOT, RISK_EVENT_TRAP, 1, START, 0, 0);
	assert_int_equal(step(START).to, RISK_LEVEL_WATCH);
	assert_int_equal(
		risk_board_step(&board, &(struct risk_counters){0}, SLOT, 0, START + 7 * DAY).to,
		RISK_LEVEL_NONE);
}

static void excess_of_limits_gives_points_once_a_minute(void **state)
{
	counters(0)->reasons[REASON_LIMIT_MESSAGES] = 1000;
	step(START);
	assert_true(tenant()->event[RISK_EVENT_BULK].value == 1);
	counters(0)->reasons[REASON_LIMIT_RECIPIENTS] = 1;
	step(START + SECOND);
	assert_true(tenant()->event[RISK_EVENT_BULK].value == 1);
	counters(1)->reasons[REASON_LIMIT_SIP_REQUESTS] = 1;
	step(START + 2 * SECOND);
	assert_true(tenant()->event[RISK_EVENT_FLOOD].value == 5);
	counters(1)->reasons[REASON_LIMIT_BYTES] = 1;
	step(START + 5 * MINUTE);
	assert_int_equal(tenant()->event[RISK_EVENT_BULK].count, 2);
	assert_int_equal(tenant()->event[RISK_EVENT_FLOOD].count, 1);
}

static void limits_in_shadow_and_those_of_the_scores_own_doing_give_none(void **state)
{
	counters(0)->reasons[REASON_LIMIT_MESSAGES] = 10;
	risk_board_step(&board, all(), SLOT, 1 << LIMIT_MESSAGES, START);
	counters(0)->reasons[REASON_LIMIT_CALLS] = 10;
	risk_board_step(&board, all(), SLOT, RISK_OWN_LIMITS, START);
	assert_true(risk_is_empty(tenant()));
	/* They don't come along when it is over. */
	step(START + HOUR);
	assert_true(risk_is_empty(tenant()));
}

static void a_slot_of_another_tenant_begins_with_what_is_known_of_it(void **state)
{
	const struct risk_saved known = {.tenant.level = RISK_LEVEL_WATCH};

	risk_board_event(&board, SLOT, RISK_EVENT_TRAP, 1, START, 5, 0);
	risk_board_take(&board, SLOT, 7, NULL); /* it is its already */
	assert_non_null(board.trace[SLOT]);
	risk_board_take(&board, SLOT, 8, &known);
	assert_int_equal(tenant()->level, RISK_LEVEL_WATCH);
	assert_true(tenant()->event[RISK_EVENT_TRAP].value == 0);
	assert_null(board.trace[SLOT]);
}

static unsigned traced(enum risk_event event, uint64_t *oldest)
{
	unsigned n = 0;

	*oldest = UINT64_MAX;
	for (int i = 0; i < RISK_TRACE; i++) {
		const struct risk_trace_item *item = &board.trace[SLOT]->item[i];

		if (!item->used || item->event != event)
			continue;
		n++;
		*oldest = item->time < *oldest ? item->time : *oldest;
	}
	return n;
}

static void a_flood_of_one_kind_leaves_the_trace_of_others(void **state)
{
	uint64_t oldest;

	risk_board_event(&board, SLOT, RISK_EVENT_TRAP, 1, START, 1, 0);
	for (unsigned i = 0; i < 1000; i++)
		risk_board_trace(&board, SLOT, RISK_EVENT_BULK, START + i, 2, 0);
	assert_int_equal(traced(RISK_EVENT_TRAP, &oldest), 1);
	assert_int_equal(oldest, START);
	assert_int_equal(traced(RISK_EVENT_BULK, &oldest), RISK_TRACE - 1);
	assert_int_equal(oldest, START + 1000 - (RISK_TRACE - 1));
}

static void sketches_estimate_and_forget(void **state)
{
	const unsigned counts[] = {1, 5, 20, 100, 500};

	for (unsigned k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
		struct sketch s = {0};
		uint64_t bits[SKETCH_WORDS] = {0}, hash = k;

		for (unsigned i = 0; i < counts[k]; i++) {
			hash = hash * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			sketch_add(&s, START, hash >> 20);
			sketch_add(&s, START, hash >> 20); /* no other one */
		}
		sketch_merge(&s, START, bits);
		assert_in_range(sketch_estimate(bits), counts[k] - counts[k] / 5,
				counts[k] + counts[k] / 5);
	}
}

static void sketches_know_two_epochs(void **state)
{
	const uint64_t first = START / SKETCH_EPOCH * SKETCH_EPOCH;
	struct sketch s = {0};

	for (uint64_t i = 0; i < 4; i++) {
		uint64_t bits[SKETCH_WORDS] = {0}, later[SKETCH_WORDS] = {0},
			 gone[SKETCH_WORDS] = {0};

		sketch_add(&s, first + i * SKETCH_EPOCH, i);
		sketch_merge(&s, first + i * SKETCH_EPOCH, bits);
		sketch_merge(&s, first + (i + 1) * SKETCH_EPOCH, later);
		sketch_merge(&s, first + (i + 2) * SKETCH_EPOCH, gone);
		assert_int_equal(sketch_estimate(bits), i ? 2 : 1);
		assert_int_equal(sketch_estimate(later), 1);
		assert_int_equal(sketch_estimate(gone), 0);
	}
	memset(s.bits, 0xff, sizeof(s.bits));
	uint64_t all[SKETCH_WORDS] = {0};

	sketch_merge(&s, first + 3 * SKETCH_EPOCH, all);
	assert_int_equal(sketch_estimate(all), SKETCH_MOST);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* What the kernel drops counts as what workers do, and what it had dropped before doesn't. */
static void what_the_kernel_drops_counts_once_a_minute(void **state)
{
	struct gate_tenant_counters kernel = {0};

	kernel.dropped[CHECK_LIMIT_SYNS] = 1000;
	kernel.dropped[CHECK_SPOOFED] = 7;
	risk_board_kernel(&board, SLOT, &kernel, 0, START);
	assert_int_equal(tenant()->event[RISK_EVENT_FLOOD].count, 0);
	kernel.dropped[CHECK_LIMIT_SYNS] = 1500;
	kernel.dropped[CHECK_LIMIT_PACKETS] = 3;
	kernel.dropped[CHECK_LIMIT_BYTES] = 9;
	risk_board_kernel(&board, SLOT, &kernel, 0, START + SECOND);
	assert_true(tenant()->event[RISK_EVENT_FLOOD].value == 5);
	assert_true(tenant()->event[RISK_EVENT_SPOOF].value == 0);
	kernel.dropped[CHECK_LIMIT_PACKETS]++;
	kernel.dropped[CHECK_SPOOFED]++;
	risk_board_kernel(&board, SLOT, &kernel, 0, START + 2 * SECOND);
	assert_in_range((int)(tenant()->event[RISK_EVENT_FLOOD].value * 100), 490, 500);
	assert_true(tenant()->event[RISK_EVENT_SPOOF].value == 1);
	/* In shadow, and by the score's own doing: none. Bytes are paced. */
	kernel.dropped[CHECK_LIMIT_PACKETS]++;
	risk_board_kernel(&board, SLOT, &kernel, 1u << LIMIT_PACKETS, START + 90 * SECOND);
	kernel.dropped[CHECK_LIMIT_SYNS]++;
	risk_board_kernel(&board, SLOT, &kernel, RISK_OWN_LIMITS, START + 91 * SECOND);
	kernel.dropped[CHECK_LIMIT_BYTES]++;
	risk_board_kernel(&board, SLOT, &kernel, 0, START + 92 * SECOND);
	assert_int_equal(tenant()->event[RISK_EVENT_FLOOD].count, 2);
	/* The slot is another's: what was counted before is nobody's. */
	risk_board_take(&board, SLOT, 8, NULL);
	risk_board_kernel(&board, SLOT, &kernel, 0, START + 93 * SECOND);
	assert_int_equal(tenant()->event[RISK_EVENT_SPOOF].count, 0);
}

static void spoofed_packets_of_its_vlan_are_its_own(void **state)
{
	counters(0)->reasons[REASON_SPOOFED] = 5;
	step(START);
	assert_true(tenant()->event[RISK_EVENT_SPOOF].value == 1);
	counters(1)->reasons[REASON_SPOOFED] = 5;
	step(START + 70 * SECOND);
	assert_int_equal(tenant()->event[RISK_EVENT_SPOOF].count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(workers_are_summed_and_counted_once),
		TEST(every_counter_has_its_place),
		TEST(a_dataplane_that_comes_anew_begins_at_zero),
		TEST(another_posternd_goes_on_where_the_one_before_was),
		TEST(what_nobody_knows_to_be_news_is_none),
		TEST(a_dataplane_that_comes_anew_makes_no_callees_few),
		TEST(only_news_are_to_be_saved),
		TEST(what_came_while_nobody_scored_it_is_not_counted_later),
		TEST(without_a_dataplane_scores_go_on_fading),
		TEST(excess_of_limits_gives_points_once_a_minute),
		TEST(limits_in_shadow_and_those_of_the_scores_own_doing_give_none),
		TEST(a_slot_of_another_tenant_begins_with_what_is_known_of_it),
		TEST(what_the_kernel_drops_counts_once_a_minute),
		TEST(spoofed_packets_of_its_vlan_are_its_own),
		TEST(a_flood_of_one_kind_leaves_the_trace_of_others),
		cmocka_unit_test(sketches_estimate_and_forget),
		cmocka_unit_test(sketches_know_two_epochs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
