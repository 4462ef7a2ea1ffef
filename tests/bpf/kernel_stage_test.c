/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program in the kernel against the same header on the host: every verdict, reason and counter
 * of the table, of every case cut at every byte, of nonsense and of captures. argv: gate.bpf.o,
 * folders.
 */
#include <linux/bpf.h>
#include <unistd.h>

#include "control/policy/policy_build.h"
#include "tests/bpf/captures.h"
#include "tests/bpf/host_gate.h"
#include "tests/bpf/kernel_gate.h"
#include "tests/bpf/stage_cases.h"
#include "tests/unit/test.h"

#define SECOND UINT64_C(1000000000)

/* Both gates, with the same policy, and where the kernel's counters stood at the beginning. */
static struct {
	struct policy *policy;
	struct gate_maps *maps;
	struct gate_view *view;
	struct host_gate host;
	struct gate_port_counters port;
	struct gate_tenant_counters tenant[HOST_TENANTS];
	struct flow_key key; /* of the flow that the last case knew of */
} both;

static char **folders;

static void kernel_counters(struct gate_port_counters *port,
			    struct gate_tenant_counters tenant[HOST_TENANTS])
{
	assert_int_equal(gate_maps_port_counters(both.maps, CASE_PLACE, port), 0);
	for (uint32_t slot = 1; tenant && slot < both.policy->slot_count; slot++)
		assert_int_equal(gate_maps_tenant_counters(both.maps, slot, &tenant[slot]), 0);
}

/* Full buckets, nothing counted, nothing known of flows. */
static void begin(void)
{
	host_gate_init(&both.host, both.policy);
	gate_maps_flow_forget(both.maps, &both.key);
	for (uint32_t slot = 0; slot < both.policy->slot_count; slot++)
		memset(both.view->tenants[slot].bucket, 0, sizeof(both.view->tenants[slot].bucket));
	memset(both.view->reach, 0, both.policy->slot_count * sizeof(struct reach));
	both.view->shared->reach = both.host.shared.reach;
	both.view->shared->reach_drop = 0;
	memset(both.view->peers, 0, both.policy->slot_count * PEER_SETS * sizeof(struct peer_set));
	memcpy(both.host.shared.key, both.view->shared->key, sizeof(both.host.shared.key));
	memset(both.view->media_first, 0, HOST_TENANTS * sizeof(both.view->media_first[0]));
	both.view->shared->media = 0;
	kernel_counters(&both.port, both.tenant);
}

static void set_port(const struct gate_port *port)
{
	gate_maps_port(both.maps, CASE_PLACE, port);
	both.host.shared.port[CASE_PLACE] = *port;
}

static void begin_case(const struct stage_case *c, const uint8_t *frame, uint32_t len)
{
	const struct gate_port port = stage_case_port(c);
	uint64_t now = kernel_gate_now(), beat = stage_case_heartbeat(c, now);
	struct flow_verdict verdict;
	struct stage_packet p;
	struct flow_key key;
	uint32_t first;

	begin();
	set_port(&port);
	both.host.shared.shadow = both.view->shared->shadow = c->shadow;
	both.host.heartbeats[gate_queue_index(CASE_PLACE, 0)] = beat;
	gate_heartbeat_write(both.view, CASE_PLACE, 0, beat);
	both.host.epochs[CASE_EPOCH] = both.view->epochs[CASE_EPOCH] = 7;
	for (uint32_t slot = 1; c->alien && slot < both.policy->slot_count; slot++)
		for (unsigned k = 0; k < LIMIT_COUNT; k++)
			both.host.slots[slot].bucket[k] = both.view->tenants[slot].bucket[k] =
				CASE_ALIEN;
	both.host.socket = c->dataplane != AWAY;
	kernel_gate_listen(both.maps, both.host.socket);
	host_gate_decode(frame, len, &p);
	stage_flow_key(&p, &key);
	both.view->shared->media = stage_case_media(c, &p, now, both.view->media, &first);
	both.view->media_first[c->tenant] = first;
	memcpy(both.host.media, both.view->media, CASE_MEDIA * sizeof(struct media));
	both.host.media_first[c->tenant] = first;
	if (!stage_case_verdict(c, now, &verdict))
		return;
	assert_int_equal(gate_maps_flow(both.maps, &key, &verdict), 0);
	both.host.flows[0].key = both.key = key;
	both.host.flows[0].verdict = verdict;
	both.host.flow_count = 1;
}

/* The counters are words: what came to them since the beginning. */
static void subtract(void *counters, const void *before, size_t size)
{
	uint64_t *to = counters;
	const uint64_t *from = before;

	for (size_t i = 0; i < size / sizeof(*to); i++)
		to[i] -= from[i];
}

static void fail_frame(const char *what, const uint8_t *frame, uint32_t len)
{
	for (uint32_t i = 0; i < len && i < 128; i++)
		print_message("%02x%s", frame[i], i % 2 ? " " : "");
	fail_msg("%s, %u bytes: kernel and host count differently", what, len);
}

static void compare_port(const char *what, const uint8_t *frame, uint32_t len)
{
	struct gate_port_counters port;

	kernel_counters(&port, NULL);
	subtract(&port, &both.port, sizeof(port));
	if (memcmp(&port, &both.host.counters[CASE_PLACE], sizeof(port)) != 0)
		fail_frame(what, frame, len);
}

static void compare_tenants(const char *what)
{
	struct gate_tenant_counters tenant[HOST_TENANTS] = {0};
	struct gate_port_counters port;

	kernel_counters(&port, tenant);
	for (uint32_t slot = 1; slot < both.policy->slot_count; slot++) {
		subtract(&tenant[slot], &both.tenant[slot], sizeof(tenant[slot]));
		if (memcmp(&tenant[slot], &both.host.per_tenant[slot], sizeof(tenant[slot])) != 0)
			fail_msg("%s: the counters of tenant %u differ", what, slot);
	}
}

/* Of either age: one may begin between what the host sees and what the kernel does. */
static bool heard_alike(const struct reach *kernel, const struct reach *host)
{
	for (unsigned i = 0; i < REACH_HEARD; i++)
		if ((kernel->heard[0][i] | kernel->heard[1][i]) !=
		    (host->heard[0][i] | host->heard[1][i]))
			return false;
	return true;
}

/* But for the times, which differ by moments. */
static void compare_reach(const char *what)
{
	for (uint32_t slot = 1; slot < both.policy->slot_count; slot++) {
		const struct reach *kernel = &both.view->reach[slot],
				   *host = &both.host.reach[slot];

		if (kernel->count != host->count || kernel->bits != host->bits ||
		    kernel->times != host->times ||
		    memcmp(kernel->sent, host->sent, sizeof(host->sent)) != 0 ||
		    !heard_alike(kernel, host))
			fail_msg("%s: where tenant %u sent to differs: %u and %u addresses", what,
				 slot, kernel->count / REACH_UNIT, host->count / REACH_UNIT);
	}
}

static enum xdp_action xdp_of(uint8_t action)
{
	return action == WIRE_DROP ? XDP_DROP : XDP_REDIRECT;
}

/* One frame through both. */
static struct stage_result run_both(const char *what, const uint8_t *frame, uint32_t len)
{
	struct stage_result r =
		host_gate_run(&both.host, CASE_IFINDEX, 0, kernel_gate_now(), frame, len);
	uint32_t returned = kernel_gate_run(both.maps, frame, len, 1);

	if (returned != xdp_of(r.action))
		fail_msg("%s, %u bytes: the kernel returns %u, the host %u (%s)", what, len,
			 returned, r.action, reason_name(r.reason));
	return r;
}

static void every_case_is_decided_as_on_the_host_and_as_the_table_says(void **state)
{
	static uint8_t frame[FRAME_MAX];

	for (unsigned i = 0; i < stage_case_count; i++) {
		const struct stage_case *c = &stage_cases[i];
		uint32_t len = frame_build(&c->frame, frame);
		struct stage_result r;

		begin_case(c, frame, len);
		for (unsigned n = 0; n <= c->before; n++)
			r = run_both(c->name, frame, len);
		compare_port(c->name, frame, len);
		compare_tenants(c->name);
		assert_int_equal(r.action, c->action);
		assert_int_equal(r.reason, c->reason);
	}
}

static void run_talk(const struct stage_talk *talk)
{
	static uint8_t frame[FRAME_MAX];

	for (const struct stage_step *s = talk->step; s->frame.src; s++) {
		const struct stage_case c = {.from = s->from};
		const struct gate_port port = stage_case_port(&c);
		uint32_t len = frame_build(&s->frame, frame);
		struct stage_result r;

		set_port(&port);
		for (unsigned n = 0; n < (s->times ? s->times : 1u); n++)
			r = run_both(talk->name, frame, len);
		assert_int_equal(r.action, s->action);
		assert_int_equal(r.reason, s->reason);
	}
}

static void every_talk_goes_as_on_the_host_and_as_the_table_says(void **state)
{
	const struct stage_case ordinary = {0};
	const uint8_t nothing[14] = {0};

	for (unsigned i = 0; i < stage_talk_count; i++) {
		begin_case(&ordinary, nothing, sizeof(nothing));
		both.host.shared.reach = both.view->shared->reach = stage_talks[i].reach;
		both.host.shared.reach_drop = both.view->shared->reach_drop =
			stage_talks[i].reach_drop;
		run_talk(&stage_talks[i]);
		compare_reach(stage_talks[i].name);
		compare_port(stage_talks[i].name, NULL, 0);
		compare_tenants(stage_talks[i].name);
	}
}

/* All that follows: the dataplane well, nothing in shadow, and the tenants behind this side. */
static void begin_many(enum stage_from from)
{
	const struct stage_case ordinary = {.from = (uint8_t)from};
	const uint8_t nothing[14] = {0};

	begin_case(&ordinary, nothing, sizeof(nothing));
}

static void every_case_cut_at_every_byte_is_decided_as_on_the_host(void **state)
{
	static uint8_t frame[FRAME_MAX];

	begin_many(FROM_INSIDE);
	for (unsigned i = 0; i < stage_case_count; i++) {
		uint32_t len = frame_build(&stage_cases[i].frame, frame);

		/* TEST_RUN wants an Ethernet header; what is behind the headers is alike. */
		for (uint32_t cut = 14; cut < len && cut < 160; cut++)
			run_both(stage_cases[i].name, frame, cut);
		compare_port(stage_cases[i].name, frame, len);
	}
	compare_tenants("cut");
}

static void nonsense_is_decided_as_on_the_host(void **state)
{
	static uint8_t frame[FRAME_MAX];
	uint64_t seed = 2026;

	for (int from = FROM_ANYWHERE; from <= FROM_OUTSIDE; from++) {
		begin_many(from);
		for (unsigned round = 0; round < 8000; round++) {
			const struct stage_case *c =
				&stage_cases[frame_random(&seed) % stage_case_count];
			uint32_t len = frame_build(&c->frame, frame);

			len = frame_mutate(frame, len, &seed);
			run_both(c->name, frame, len);
			compare_port(c->name, frame, len);
		}
		compare_tenants("nonsense");
		compare_reach("nonsense");
	}
}

struct taken {
	uint64_t run, large;
};

static void take(void *ctx, const uint8_t *frame, uint32_t len)
{
	struct taken *taken = ctx;

	/* TEST_RUN takes an Ethernet header at least, and a page at most. */
	if (len < 14 || len > KERNEL_FRAME_MAX) {
		taken->large++;
		return;
	}
	run_both("captured", frame, len);
	if (++taken->run % 16 == 0)
		compare_port("captured, or one of the fifteen before", frame, len);
}

static void captures_are_decided_as_on_the_host(void **state)
{
	struct policy *cases = both.policy;
	struct taken taken = {0, 0};

	both.policy = stage_capture_policy();
	assert_int_equal(gate_maps_apply(both.maps, both.policy, NULL), 0);
	for (int from = FROM_ANYWHERE; from <= FROM_OUTSIDE; from++) {
		begin_many(from);
		for (char **folder = folders; *folder; folder++)
			if (access(*folder, R_OK) == 0)
				captures_each(*folder, take, &taken);
		compare_port("captures", NULL, 0);
		compare_tenants("captures");
	}
	print_message("# %lu frames, %lu too short or too long for TEST_RUN\n",
		      (unsigned long)taken.run, (unsigned long)taken.large);
	assert_true(taken.run > 3000);
	assert_true(both.host.counters[CASE_PLACE].packets > 1000);
	policy_free(both.policy);
	both.policy = cases;
	assert_int_equal(gate_maps_apply(both.maps, both.policy, NULL), 0);
}

static void kernel_and_host_spend_of_one_bucket(void **state)
{
	static uint8_t frame[FRAME_MAX];
	const struct frame_spec spec = {.src = "10.4.0.1", .dst = "192.0.2.9"};
	uint32_t len = frame_build(&spec, frame);
	unsigned host = 0, kernel = 0;

	begin_many(FROM_INSIDE);
	both.host.tenants = both.view->tenants;
	for (unsigned i = 0; i < 20; i++) {
		host += host_gate_run(&both.host, CASE_IFINDEX, 0, kernel_gate_now(), frame, len)
				.action != WIRE_DROP;
		kernel += kernel_gate_run(both.maps, frame, len, 1) != XDP_DROP;
	}
	/* Three a day: two on this side, one on the other. */
	assert_int_equal(host, 2);
	assert_int_equal(kernel, 1);
}

static void a_flows_verdict_holds_until_it_expires(void **state)
{
	static uint8_t frame[FRAME_MAX];
	const struct frame_spec spec = {.src = "10.1.0.1", .dst = "192.0.2.9", .dport = 25};
	uint32_t len = frame_build(&spec, frame);
	struct flow_verdict verdict = {.decision = FLOW_DROP};
	struct stage_packet p;
	struct flow_key key;
	uint64_t began;

	begin_many(FROM_INSIDE);
	host_gate_decode(frame, len, &p);
	stage_flow_key(&p, &key);
	began = kernel_gate_now();
	verdict.expires = began + SECOND / 2;
	assert_int_equal(gate_maps_flow(both.maps, &key, &verdict), 0);
	while (kernel_gate_run(both.maps, frame, len, 1) == XDP_DROP)
		assert_true(kernel_gate_now() < began + 20 * SECOND);
	assert_true(kernel_gate_now() > verdict.expires);
	gate_maps_flow_forget(both.maps, &key);
}

static void a_change_in_the_mapped_slot_holds_for_the_next_packet(void **state)
{
	static uint8_t frame[FRAME_MAX];
	const struct frame_spec spec = {.src = "10.1.0.1", .dst = "192.0.2.9"};
	uint32_t len = frame_build(&spec, frame), *tenant = &both.view->tenants[1].state;

	begin_many(FROM_INSIDE);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(kernel_gate_run(both.maps, frame, len, 1), XDP_REDIRECT);
		*tenant = TENANT_SUSPENDED;
		assert_int_equal(kernel_gate_run(both.maps, frame, len, 1), XDP_DROP);
		*tenant = TENANT_ACTIVE;
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_is_decided_as_on_the_host_and_as_the_table_says),
		cmocka_unit_test(every_talk_goes_as_on_the_host_and_as_the_table_says),
		cmocka_unit_test(every_case_cut_at_every_byte_is_decided_as_on_the_host),
		cmocka_unit_test(nonsense_is_decided_as_on_the_host),
		cmocka_unit_test(captures_are_decided_as_on_the_host),
		cmocka_unit_test(kernel_and_host_spend_of_one_bucket),
		cmocka_unit_test(a_flows_verdict_holds_until_it_expires),
		cmocka_unit_test(a_change_in_the_mapped_slot_holds_for_the_next_packet),
	};
	const char *why;
	int failed;

	if (argc < 2)
		return 1;
	why = kernel_gate_enter(argv[1]);
	if (why) {
		printf("skipped: %s\n", why);
		kernel_gate_leave();
		return 77;
	}
	folders = argv + 2;
	both.policy = stage_case_policy();
	both.maps = kernel_gate_open(kernel_gate_dir());
	both.view = gate_maps_view(both.maps);
	failed = gate_maps_apply(both.maps, both.policy, NULL);
	if (!failed)
		failed = cmocka_run_group_tests(tests, NULL, NULL);
	gate_maps_close(both.maps);
	policy_free(both.policy);
	kernel_gate_leave();
	return failed != 0;
}
