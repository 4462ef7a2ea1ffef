/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker's stage one, on a native port: the table's packets through a gate. What it drops and why
 * is what the header says; what comes after stage one is others' tests.
 */
#include "dataplane/gate.h"
#include "tests/bpf/stage_cases.h"
#include "tests/gate_fixture.h"
#include "tests/unit/test.h"

static struct gate_fixture g;

/*
 * Flows that were decided upon, what is known of media (the `urgent` tests), ports' choices, the
 * failure policy and headers that can't be walked are the kernel's alone; and later stages want
 * mail in connections, and right checksums.
 */
static bool is_the_workers(const struct stage_case *c)
{
	return c->action != WIRE_INSPECT && c->dataplane == WELL && c->flow == NEVER_SEEN &&
	       !c->media && !c->flags && !c->shadow && !c->frame.fragment && !c->alien &&
	       !(c->frame.extensions > 8 && !c->frame.flags) &&
	       !(c->frame.dport == 25 && (c->before || c->action != WIRE_DROP));
}

static void put_case(const struct stage_case *c)
{
	static uint8_t frame[FRAME_MAX];
	uint32_t len = frame_build(&c->frame, frame);

	g.from = c->from;
	for (unsigned i = 0; i <= c->before; i++)
		gate_fixture_put(&g, LINK_ETHERNET, frame, len, 0);
	gate_fixture_run(&g);
}

static void check_case(const struct stage_case *c)
{
	const struct tenant_counters *t = &g.w->tenants[c->tenant];

	/* Nothing in the table says more than one reason to drop. */
	if (c->action == WIRE_DROP && (g.w->counters->reasons[c->reason] != c->dropped ||
				       t->reasons[c->reason] != c->dropped))
		fail_msg("%s: %s %lu times, of the tenant %lu; wanted %u", c->name,
			 reason_name(c->reason), (unsigned long)g.w->counters->reasons[c->reason],
			 (unsigned long)t->reasons[c->reason], c->dropped);
	if (g.w->counters->verdicts[VERDICT_DROP] != c->dropped ||
	    g.left_count != c->before + 1u - c->dropped)
		fail_msg("%s: %lu dropped, %u left; wanted %u dropped", c->name,
			 (unsigned long)g.w->counters->verdicts[VERDICT_DROP], g.left_count,
			 c->dropped);
	if (c->shadowed && !g.w->counters->reasons[REASON_LIMIT_PACKETS])
		fail_msg("%s: what is in shadow is not counted", c->name);
	if (c->blamed && g.w->tenants[c->blamed].reasons[REASON_SPOOFED] != c->dropped)
		fail_msg("%s: nobody is blamed", c->name);
	if (t->packets != c->before + 1u)
		fail_msg("%s: the tenant's packets are not counted", c->name);
}

static void a_worker_drops_what_the_table_says(void **state)
{
	unsigned tried = 0;

	for (unsigned i = 0; i < stage_case_count; i++) {
		const struct stage_case *c = &stage_cases[i];

		if (!is_the_workers(c))
			continue;
		for (uint32_t slot = 0; slot < g.policy->slot_count; slot++)
			memset(g.policy->slots[slot].bucket, 0,
			       sizeof(g.policy->slots[slot].bucket));
		put_case(c);
		check_case(c);
		gate_fixture_reset(&g);
		tried++;
	}
	assert_in_range(tried, 50, stage_case_count);
}

static void a_workers_talks_go_as_the_table_says(void **state)
{
	static uint8_t frame[FRAME_MAX];

	for (unsigned i = 0; i < stage_talk_count; i++) {
		/* Workers count flows. */
		if (stage_talks[i].reach)
			continue;
		for (uint32_t slot = 0; slot < g.policy->slot_count; slot++)
			memset(g.policy->slots[slot].bucket, 0,
			       sizeof(g.policy->slots[slot].bucket));
		memset(g.gate->peers.sets, 0, g.gate->peers.size);
		for (const struct stage_step *s = stage_talks[i].step; s->frame.src; s++) {
			uint32_t len = frame_build(&s->frame, frame);
			uint64_t before;

			g.from = s->from;
			for (unsigned n = 1; n < s->times; n++)
				gate_fixture_put(&g, LINK_ETHERNET, frame, len, 0);
			gate_fixture_run(&g);
			before = g.w->counters->reasons[REASON_LIMIT_SYNS];
			gate_fixture_put(&g, LINK_ETHERNET, frame, len, 0);
			gate_fixture_run(&g);
			if (g.w->counters->reasons[REASON_LIMIT_SYNS] - before !=
			    (s->action == WIRE_DROP))
				fail_msg("%s: step %d", stage_talks[i].name,
					 (int)(s - stage_talks[i].step));
		}
		gate_fixture_reset(&g);
	}
}

/* XDP lets fragments of the suspended through, since a call may be in them. */
static void what_fragments_of_the_suspended_turn_out_to_be_is_dropped(void **state)
{
	static const struct frame_spec first = {
		.src = "10.2.0.1", .dst = "192.0.2.9", .proto = 17, .dport = 53, .payload = 16};
	static uint8_t frame[FRAME_MAX];
	uint32_t len = frame_build(&first, frame);

	g.w->options.stage_one_done = true;
	/* In two: the first has the ports and 8 bytes. */
	frame[14 + 3] = 36;
	frame[14 + 6] = 0x20;
	gate_fixture_put(&g, LINK_ETHERNET, frame, 14 + 36, 0);
	memmove(frame + 34, frame + 34 + 16, 8);
	frame[14 + 3] = 28;
	frame[14 + 6] = 0;
	frame[14 + 7] = 2;
	gate_fixture_put(&g, LINK_ETHERNET, frame, 14 + 28, 0);
	gate_fixture_run(&g);
	assert_int_equal(len, 14 + 20 + 8 + 16);
	assert_int_equal(g.w->counters->reasons[REASON_TENANT_SUSPENDED], 1);
	assert_int_equal(g.left_count, 0);
	g.w->options.stage_one_done = false;
	gate_fixture_reset(&g);
}

static void what_the_suspended_hide_behind_headers_is_dropped(void **state)
{
	const struct frame_spec spec = {
		.src = "2001:db8:2::1", .dst = "2001:db8:ffff::9", .extensions = 9};
	struct frame_spec mail = spec;
	static uint8_t frame[FRAME_MAX];

	g.w->options.stage_one_done = true;
	gate_fixture_put(&g, LINK_ETHERNET, frame, frame_build(&spec, frame), 0);
	gate_fixture_run(&g);
	assert_int_equal(g.w->counters->reasons[REASON_TENANT_SUSPENDED], 1);
	assert_int_equal(g.left_count, 0);
	gate_fixture_reset(&g);
	/* What is read is refused later, in its protocol. */
	mail.dport = 25;
	g.w->options.stage_one_done = true;
	gate_fixture_put(&g, LINK_ETHERNET, frame, frame_build(&mail, frame), 0);
	gate_fixture_run(&g);
	assert_int_equal(g.w->counters->reasons[REASON_TENANT_SUSPENDED], 0);
	g.w->options.stage_one_done = false;
	gate_fixture_reset(&g);
}

static int setup(void **state)
{
	gate_fixture_open(&g, stage_case_text);
	return 0;
}

static int teardown(void **state)
{
	gate_fixture_close(&g);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_drops_what_the_table_says),
		cmocka_unit_test(a_workers_talks_go_as_the_table_says),
		cmocka_unit_test(what_the_suspended_hide_behind_headers_is_dropped),
		cmocka_unit_test(what_fragments_of_the_suspended_turn_out_to_be_is_dropped),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
