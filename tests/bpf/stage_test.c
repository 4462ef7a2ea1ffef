/* SPDX-License-Identifier: BSD-3-Clause */
/* Stage one as the host compiles it, packet by packet: every verdict, reason and counter. */
#include "control/policy/policy_build.h"
#include "tests/bpf/host_gate.h"
#include "tests/bpf/stage_cases.h"
#include "tests/unit/test.h"

#define NOW UINT64_C(5000000000000)

static struct host_gate gate;

static void prepare(const struct policy *policy, const struct stage_case *c, const uint8_t *frame,
		    uint32_t len)
{
	struct stage_packet p;

	host_gate_init(&gate, policy);
	gate.shared.port[CASE_PLACE] = stage_case_port(c);
	gate.shared.shadow = c->shadow;
	gate.socket = c->dataplane != AWAY;
	gate.heartbeats[gate_queue_index(CASE_PLACE, 0)] = stage_case_heartbeat(c, NOW);
	gate.epochs[CASE_EPOCH] = 7;
	for (unsigned i = 0; c->alien && i < HOST_TENANTS; i++)
		for (unsigned k = 0; k < LIMIT_COUNT; k++)
			gate.slots[i].bucket[k] = CASE_ALIEN;
	host_gate_decode(frame, len, &p);
	stage_flow_key(&p, &gate.flows[0].key);
	gate.flow_count = stage_case_verdict(c, NOW, &gate.flows[0].verdict);
	stage_case_media(c, &p, NOW, gate.media, &gate.media_first[c->tenant]);
}

static void check(const struct stage_case *c, const struct stage_result *r)
{
	const struct gate_port_counters *counters = &gate.counters[CASE_PLACE];

	if (r->action != c->action || r->reason != c->reason)
		fail_msg("%s: action %u, %s; wanted %u, %s", c->name, r->action,
			 reason_name(r->reason), c->action, reason_name(c->reason));
	if (r->tenant != c->tenant || r->outbound != c->outbound || r->shadowed != c->shadowed)
		fail_msg("%s: tenant %u, outbound %u, shadowed %#x", c->name, r->tenant,
			 r->outbound, r->shadowed);
	if (counters->packets != c->before + 1u || counters->action[WIRE_DROP] != c->dropped)
		fail_msg("%s: %lu of %lu dropped", c->name,
			 (unsigned long)counters->action[WIRE_DROP],
			 (unsigned long)counters->packets);
	if (r->blamed != c->blamed ||
	    (c->blamed && gate.per_tenant[c->blamed].dropped[CHECK_SPOOFED] != c->dropped))
		fail_msg("%s: tenant %u is blamed", c->name, r->blamed);
	if (gate.per_tenant[c->tenant].media !=
	    (c->reason == REASON_EMERGENCY_MEDIA ? c->before + 1u : 0))
		fail_msg("%s: the tenant's media are not counted", c->name);
	if (gate.per_tenant[c->tenant].packets[c->outbound] != (c->tenant ? c->before + 1u : 0))
		fail_msg("%s: the tenant's packets are not counted", c->name);
	/* What passes because nobody can read it, emergency calls' media left out. */
	if (gate.per_tenant[c->tenant].bytes_tls !=
	    (c->flow == KNOWN_PASS && c->reason == REASON_FLOW_DECIDED ? counters->bytes : 0))
		fail_msg("%s: bytes under TLS", c->name);
}

static void every_packet_goes_where_the_table_says(void **state)
{
	struct policy *policy = stage_case_policy();
	static uint8_t frame[FRAME_MAX];

	for (unsigned i = 0; i < stage_case_count; i++) {
		const struct stage_case *c = &stage_cases[i];
		uint32_t len = frame_build(&c->frame, frame);
		struct stage_result r;

		prepare(policy, c, frame, len);
		for (unsigned n = 0; n <= c->before; n++)
			r = host_gate_run(&gate, CASE_IFINDEX, 0, NOW, frame, len);
		check(c, &r);
	}
	policy_free(policy);
}

static void check_told(const struct stage_talk *talk)
{
	const uint64_t shadowed = gate.per_tenant[talk->scanner].shadow[CHECK_PROBING];

	if (gate.reach[talk->scanner].times != talk->told)
		fail_msg("%s: %u times too many", talk->name, gate.reach[talk->scanner].times);
	if (shadowed != talk->shadowed)
		fail_msg("%s: %lu in shadow", talk->name, (unsigned long)shadowed);
}

/* Longer talks, of which earlier packets bear on later ones. */
static void talks_go_as_the_table_says(void **state)
{
	struct policy *policy = stage_case_policy();
	static uint8_t frame[FRAME_MAX];

	for (unsigned i = 0; i < stage_talk_count; i++) {
		host_gate_init(&gate, policy);
		gate.shared.reach = stage_talks[i].reach;
		gate.shared.reach_drop = stage_talks[i].reach_drop;
		for (const struct stage_step *s = stage_talks[i].step; s->frame.src; s++) {
			const struct stage_case c = {.from = s->from};
			uint32_t len = frame_build(&s->frame, frame);
			struct stage_result r;

			gate.shared.port[CASE_PLACE] = stage_case_port(&c);
			gate.socket = true;
			gate.heartbeats[gate_queue_index(CASE_PLACE, 0)] =
				stage_case_heartbeat(&c, NOW);
			for (unsigned n = 0; n < (s->times ? s->times : 1u); n++)
				r = host_gate_run(&gate, CASE_IFINDEX, 0, NOW, frame, len);
			if (r.action != s->action || r.reason != s->reason)
				fail_msg("%s, step %d: action %u, %s", stage_talks[i].name,
					 (int)(s - stage_talks[i].step), r.action,
					 reason_name(r.reason));
		}
		check_told(&stage_talks[i]);
	}
	policy_free(policy);
}

/* Sums, so that a page made of them adds up. */
static void every_packet_is_counted_once(void **state)
{
	struct policy *policy = stage_case_policy();
	static uint8_t frame[FRAME_MAX];
	uint64_t actions = 0, classes = 0, reasons = 0, tenants = 0;

	host_gate_init(&gate, policy);
	gate.shared.port[0] = (struct gate_port){.ifindex = 1, .peer = 2, .from = FROM_INSIDE};
	for (unsigned i = 0; i < stage_case_count; i++) {
		uint32_t len = frame_build(&stage_cases[i].frame, frame);

		tenants += host_gate_run(&gate, 1, 0, NOW, frame, len).tenant != 0;
	}
	for (unsigned i = 0; i < WIRE_COUNT; i++)
		actions += gate.counters[0].action[i];
	for (unsigned i = 0; i < CLASS_COUNT; i++)
		classes += gate.counters[0].class[i];
	for (unsigned i = 0; i < REASON_COUNT; i++)
		for (unsigned j = 0; j < WIRE_COUNT; j++)
			reasons += gate.counters[0].reason[i][j];
	for (unsigned i = 0; i < HOST_TENANTS; i++)
		tenants -= gate.per_tenant[i].packets[0] + gate.per_tenant[i].packets[1];
	assert_int_equal(actions, stage_case_count);
	assert_int_equal(classes, stage_case_count);
	assert_int_equal(reasons, stage_case_count);
	assert_int_equal(tenants, 0);
	/* Nothing is dropped for no reason. */
	assert_int_equal(gate.counters[0].reason[REASON_NONE][WIRE_DROP], 0);
	policy_free(policy);
}

static void a_port_without_a_place_is_none_of_the_gates(void **state)
{
	struct policy *policy = stage_case_policy();
	static uint8_t frame[FRAME_MAX];
	struct frame_spec spec = {.src = "172.16.0.1", .dst = "192.0.2.1"};
	struct stage_result r;

	host_gate_init(&gate, policy);
	r = host_gate_run(&gate, 77, 0, NOW, frame, frame_build(&spec, frame));
	assert_int_equal(r.reason, REASON_PORT_UNKNOWN);
	assert_int_equal(r.action, WIRE_PASS);
	assert_int_equal(gate.counters[GATE_PORTS].packets, 1);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_packet_goes_where_the_table_says),
		cmocka_unit_test(talks_go_as_the_table_says),
		cmocka_unit_test(every_packet_is_counted_once),
		cmocka_unit_test(a_port_without_a_place_is_none_of_the_gates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
