/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loader: maps made, adopted, refused; brought from policy to policy under traffic; the program
 * on an interface. argv: gate.bpf.o, gate-large.bpf.o.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <unistd.h>

#include "control/kernel/gate_port.h"
#include "control/policy/policy_build.h"
#include "control/policy/prefix_build.h"
#include "tests/bpf/frames.h"
#include "tests/bpf/kernel_gate.h"
#include "tests/bpf/kernel_traffic.h"
#include "tests/bpf/stage_cases.h"
#include "tests/unit/test.h"

static const char *object, *large;

/* A policy ------------------------------------------------------------------ */

static struct gate_changes apply(struct gate_maps *maps, const char *text)
{
	struct policy *policy = stage_policy(text);
	struct gate_changes changes;

	if (gate_maps_apply(maps, policy, &changes) != 0)
		fail_msg("%s", gate_maps_error(maps));
	policy_free(policy);
	return changes;
}

static void assert_changes(struct gate_changes c, unsigned tenants, bool prefixes, unsigned blocked,
			   unsigned ports)
{
	if (c.tenants != tenants || c.prefixes != prefixes || c.blocked != blocked ||
	    c.ports != ports)
		fail_msg("%u tenants, prefixes: %d, %u blocked, %u words of ports; wanted %u, %d, "
			 "%u, %u",
			 c.tenants, c.prefixes, c.blocked, c.ports, tenants, prefixes, blocked,
			 ports);
}

#define ACME   "{ id = 1; name = \"acme\"; prefixes = [ \"10.1.0.0/16\" ]; }"
#define GLOBEX "{ id = 2; name = \"globex\"; prefixes = [ \"10.2.0.0/16\", \"2001:db8:2::/48\" ]; }"
#define INITECH                                                                              \
	"{ id = 3; name = \"initech\"; prefixes = [ \"10.3.0.0/16\" ]; limits: { packets = " \
	"\"5/d\"; }; }"
#define TENANTS(list) "tenants: ( " list " );\n"

/* What was sent by a tenant: dropped or not. */
static bool passes(struct gate_maps *maps, const char *src)
{
	uint8_t frame[FRAME_MAX];
	const struct frame_spec spec = {.src = src,
					.dst = strchr(src, ':') ? "2001:db8:f::1" : "192.0.2.9"};

	return kernel_gate_run(maps, frame, frame_build(&spec, frame), 1) == XDP_REDIRECT;
}

static void be_inside(struct gate_maps *maps)
{
	gate_maps_port(maps, 0, &(struct gate_port){.ifindex = 1, .peer = 2, .from = FROM_INSIDE});
}

/* Policies ------------------------------------------------------------------ */

static void only_what_differs_is_written(void **state)
{
	struct gate_maps *maps = kernel_gate_open(kernel_gate_new_dir("differs"));

	be_inside(maps);
	assert_changes(apply(maps, TENANTS(ACME)), 1, true, 0, 8);
	assert_changes(apply(maps, TENANTS(ACME)), 0, false, 0, 0);
	assert_true(passes(maps, "10.1.0.1"));
	assert_false(passes(maps, "10.2.0.1"));
	assert_changes(apply(maps, TENANTS(ACME ", " GLOBEX)), 1, true, 0, 0);
	assert_true(passes(maps, "10.2.0.1"));
	assert_true(passes(maps, "2001:db8:2::1"));
	assert_changes(apply(maps, TENANTS(ACME ", " GLOBEX
						"\n, " INITECH) "inspect: { smtp = [ 25 ]; };"),
		       1, true, 0, 2);
	assert_changes(apply(maps, TENANTS(ACME) "lists: { blocked = [ \"192.0.2.0/24\" ]; };"), 2,
		       true, 1, 2);
	assert_false(passes(maps, "10.2.0.1"));
	assert_false(passes(maps, "10.1.0.1"));
	assert_changes(apply(maps, TENANTS(ACME)), 0, false, 1, 0);
	assert_true(passes(maps, "10.1.0.1"));
	gate_maps_close(maps);
}

static void a_tenant_that_stays_keeps_its_bucket_and_state_in_any_slot(void **state)
{
	struct gate_maps *maps = kernel_gate_open(kernel_gate_new_dir("stays"));
	struct tenant_slot *tenants = gate_maps_view(maps)->tenants;

	be_inside(maps);
	apply(maps, TENANTS(ACME ", " GLOBEX ", " INITECH));
	for (unsigned i = 0; i < 5; i++)
		assert_true(passes(maps, "10.3.0.1"));
	assert_false(passes(maps, "10.3.0.1"));
	tenants[2].state = TENANT_SUSPENDED;
	assert_false(passes(maps, "10.2.0.1"));
	/* Two new ones in front: everybody has another slot. */
	apply(maps, TENANTS("{ id = 8; name = \"h\"; prefixes = [ \"10.8.0.0/16\" ]; }, "
			    "{ id = 9; name = \"i\"; prefixes = [ \"10.9.0.0/16\" ]; }, " INITECH
			    ", " GLOBEX));
	assert_int_equal(tenants[3].id, 3);
	assert_false(passes(maps, "10.3.0.1"));
	assert_int_equal(tenants[4].state, TENANT_SUSPENDED);
	assert_false(passes(maps, "10.2.0.1"));
	assert_true(passes(maps, "10.8.0.1"));
	/* Who comes new begins anew. */
	apply(maps, TENANTS(ACME));
	apply(maps, TENANTS(ACME ", " GLOBEX ", " INITECH));
	assert_true(passes(maps, "10.2.0.1"));
	assert_true(passes(maps, "10.3.0.1"));
	gate_maps_close(maps);
}

static void the_files_state_holds_when_the_file_changes(void **state)
{
	struct gate_maps *maps = kernel_gate_open(kernel_gate_new_dir("state"));
	struct tenant_slot *tenants = gate_maps_view(maps)->tenants;
	static const char suspended[] = TENANTS("{ id = 1; name = \"acme\"; state = \"suspended\"; "
						"prefixes = [ \"10.1.0.0/16\" ]; }");

	be_inside(maps);
	apply(maps, TENANTS(ACME));
	apply(maps, suspended);
	assert_false(passes(maps, "10.1.0.1"));
	/* Resumed by hand: the file, which says the same as before, doesn't undo it. */
	tenants[1].state = TENANT_ACTIVE;
	apply(maps, suspended);
	assert_true(passes(maps, "10.1.0.1"));
	apply(maps, TENANTS(ACME));
	assert_true(passes(maps, "10.1.0.1"));
	gate_maps_close(maps);
}

static bool send_of_acme(struct gate_maps *maps, unsigned i)
{
	return passes(maps, i % 2 ? "10.1.2.1" : "10.1.0.1");
}

static void a_tenant_that_stays_is_known_all_the_time(void **state)
{
	struct kernel_traffic t = {.maps = kernel_gate_open(kernel_gate_new_dir("known")),
				   .send = send_of_acme};
	struct policy *policies[] = {
		stage_policy(TENANTS(ACME ", " GLOBEX)),
		stage_policy(TENANTS(GLOBEX ", " INITECH ", " ACME)),
		stage_policy(TENANTS(
			ACME ", { id = 5; name = \"in\"; prefixes = [ \"10.1.2.0/24\" ]; }")),
	};

	be_inside(t.maps);
	assert_int_equal(gate_maps_apply(t.maps, policies[0], NULL), 0);
	kernel_traffic_start(&t);
	for (unsigned i = 0; i < 60 || t.sent < 1000; i++)
		assert_int_equal(gate_maps_apply(t.maps, policies[i % 3], NULL), 0);
	kernel_traffic_stop(&t);
	assert_int_equal(t.dropped, 0);
	gate_maps_close(t.maps);
	for (unsigned i = 0; i < 3; i++)
		policy_free(policies[i]);
}

static void more_tenants_than_slots_are_refused_whole(void **state)
{
	struct gate_maps *maps = kernel_gate_open(kernel_gate_new_dir("many"));
	const uint32_t slots = gate_maps_view(maps)->slots;
	struct policy policy = {.slot_count = slots + 1};
	struct gate_changes changes = {0};
	char words[32];

	assert_int_equal(gate_maps_apply(maps, &policy, &changes), -E2BIG);
	snprintf(words, sizeof(words), "%u tenants, ", slots);
	assert_non_null(strstr(gate_maps_error(maps), words));
	gate_maps_close(maps);
}

/* Made, adopted, refused ------------------------------------------------------ */

static void pinned_maps_are_adopted_with_all_that_they_hold(void **state)
{
	const char *dir = kernel_gate_new_dir("adopted");
	struct gate_maps *maps = kernel_gate_open(dir);
	struct gate_tenant_counters counters;
	struct gate_view view;
	char error[GATE_ERROR_SIZE];

	be_inside(maps);
	apply(maps, TENANTS(ACME ", " INITECH));
	for (unsigned i = 0; i < 5; i++)
		assert_true(passes(maps, "10.3.0.1"));
	gate_maps_view(maps)->tenants[1].state = TENANT_SUSPENDED;
	gate_maps_close(maps);

	/* The dataplane's look at it, with nobody else there. */
	assert_int_equal(gate_view_open(&view, dir, error), 0);
	assert_int_equal(view.tenants[1].state, TENANT_SUSPENDED);
	assert_int_equal(gate_port_find(view.shared, 1), 0);
	assert_int_equal(gate_port_find(view.shared, 99), GATE_PORTS);

	maps = kernel_gate_open(dir);
	assert_false(passes(maps, "10.3.0.1"));
	assert_false(passes(maps, "10.1.0.1"));
	assert_changes(apply(maps, TENANTS(ACME ", " INITECH)), 0, false, 0, 0);
	assert_int_equal(gate_maps_tenant_counters(maps, 2, &counters), 0);
	assert_int_equal(counters.packets[1], 6);
	assert_int_equal(counters.dropped[CHECK_LIMIT_PACKETS], 1);
	/* Whoever has mapped them sees the others' doing. */
	view.tenants[1].state = TENANT_ACTIVE;
	assert_true(passes(maps, "10.1.0.1"));
	gate_view_close(&view);
	gate_maps_close(maps);

	/* Unpinned, they are new again. */
	assert_int_equal(gate_maps_unpin(dir), 0);
	assert_int_equal(gate_maps_unpin(dir), 0);
	assert_int_equal(gate_view_open(&view, dir, error), -ENOENT);
	assert_non_null(strstr(error, "postern_gate"));
	maps = kernel_gate_open(dir);
	assert_int_equal(gate_maps_view(maps)->tenants[1].id, 0);
	gate_maps_close(maps);
}

static void assert_refused(const char *dir, const char *map, const char *found, const char *wanted)
{
	char error[GATE_ERROR_SIZE];
	struct gate_maps *maps = gate_maps_open(object, dir, error);

	assert_null(maps);
	assert_int_equal(errno, EPROTO);
	if (!strstr(error, map) || !strstr(error, found) || !strstr(error, wanted))
		fail_msg("%s: wanted %s, %s, %s", error, map, found, wanted);
}

static void maps_of_another_size_are_refused_by_name_and_left_alone(void **state)
{
	const char *dir = kernel_gate_new_dir("size");
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	char path[256], error[GATE_ERROR_SIZE], wanted[64];
	struct gate_view view;
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "postern_tenants", 4, 192, 1024, &options);

	assert_true(fd >= 0);
	snprintf(wanted, sizeof(wanted), "8192 of 4 to %zu", sizeof(struct tenant_slot));
	snprintf(path, sizeof(path), "%s/postern_tenants", dir);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
	assert_refused(dir, "postern_tenants", "1024 of 4 to 192", wanted);
	assert_int_equal(access(path, F_OK), 0);
	/* Nothing else was made beside it. */
	snprintf(path, sizeof(path), "%s/postern_gate", dir);
	assert_int_equal(access(path, F_OK), -1);
	close(fd);

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "postern_gate", 4, sizeof(struct gate_shared) + 8,
			    1, &options);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
	assert_int_equal(gate_view_open(&view, dir, error), -EPROTO);
	assert_non_null(strstr(error, "postern_gate"));
	close(fd);
}

/* The policy's one tenant, in the last of so many slots. */
static struct tenant_slot *move_to_slot(struct policy *policy, uint32_t slot)
{
	const size_t size = (slot + 1) * sizeof(struct tenant_slot);
	struct tenant_slot *slots = aligned_alloc(_Alignof(struct tenant_slot), size);
	struct tenant_slot *own = policy->slots;

	assert_non_null(slots);
	memset(slots, 0, size);
	slots[slot] = own[1];
	policy->slots = slots;
	policy->slot_count = slot + 1;
	for (size_t i = 0; i < policy->prefix_list.count; i++)
		policy->prefix_list.items[i].slot = slot;
	prefix_table_fini(&policy->prefixes);
	assert_int_equal(prefix_table_init(&policy->prefixes, policy->prefix_list.items,
					   policy->prefix_list.count),
			 0);
	return own;
}

static void many_tenants_have_an_object_of_their_own(void **state)
{
	const uint32_t last = 100000;
	const char *dir = kernel_gate_new_dir("large");
	char error[GATE_ERROR_SIZE];
	struct gate_maps *maps = gate_maps_open(large, dir, error);
	struct policy *policy = stage_policy(TENANTS(ACME));
	struct tenant_slot *own = move_to_slot(policy, last);
	struct gate_tenant_counters *counters = calloc(last + 1, sizeof(*counters));

	if (!maps)
		fail_msg("%s", error);
	assert_int_equal(gate_maps_view(maps)->slots, GATE_SLOTS_LARGE);
	be_inside(maps);
	assert_int_equal(gate_maps_apply(maps, policy, NULL), 0);
	assert_true(passes(maps, "10.1.0.1"));
	gate_maps_view(maps)->tenants[last].state = TENANT_SUSPENDED;
	assert_false(passes(maps, "10.1.0.1"));
	assert_non_null(counters);
	assert_int_equal(gate_maps_tenants_counters(maps, last + 1, counters), 0);
	assert_int_equal(counters[last].packets[1], 2);
	assert_int_equal(counters[last].dropped[CHECK_TENANT_SUSPENDED], 1);
	gate_maps_close(maps);
	/* Few tenants again: not as long as these maps are pinned. */
	assert_refused(dir, ": of another size", "another number of tenants", "wanted");

	free(counters);
	free(policy->slots);
	policy->slots = own;
	policy->slot_count = 2;
	policy_free(policy);
	gate_maps_unpin(dir);
}

static void maps_of_another_kind_are_refused(void **state)
{
	const char *dir = kernel_gate_new_dir("kind");
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "postern_flows", sizeof(struct flow_key),
				sizeof(struct flow_verdict), GATE_FLOWS, NULL);
	char path[256];

	assert_true(fd >= 0);
	snprintf(path, sizeof(path), "%s/postern_flows", dir);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
	assert_refused(dir, "postern_flows", "found type 1,", "wanted type 9,");
	close(fd);
}

static void a_version_that_is_not_this_ones_is_refused(void **state)
{
	const char *dir = kernel_gate_new_dir("version");
	struct gate_maps *maps = kernel_gate_open(dir);
	struct gate_view mapped = *gate_maps_view(maps), view;
	char error[GATE_ERROR_SIZE], found[32], wanted[32];

	snprintf(found, sizeof(found), "tenant_abi is %d", TENANT_ABI + 1);
	snprintf(wanted, sizeof(wanted), "this program's is %d", TENANT_ABI);
	assert_int_equal(gate_view_open(&view, dir, error), 0);
	gate_view_close(&view);
	mapped.shared->tenant_abi++;
	assert_int_equal(gate_view_open(&view, dir, error), -EPROTO);
	assert_non_null(strstr(error, found));
	assert_refused(dir, "postern_gate", found, wanted);
	mapped.shared->tenant_abi--;
	mapped.shared->reasons--;
	assert_refused(dir, "postern_gate", "reasons is", "this program's is");
	gate_maps_close(maps);
}

static void what_is_no_bpffs_or_no_object_is_said_so(void **state)
{
	char error[GATE_ERROR_SIZE];

	assert_null(gate_maps_open(object, "/tmp", error));
	assert_int_equal(errno, ENODEV);
	assert_non_null(strstr(error, "/tmp: no bpffs"));
	assert_null(gate_maps_open(object, "/nowhere", error));
	assert_int_equal(errno, ENOENT);
	assert_null(gate_maps_open("/nowhere.o", kernel_gate_dir(), error));
	assert_int_equal(errno, ENOENT);
	assert_null(gate_maps_open("/proc/self/exe", kernel_gate_dir(), error));
	assert_true(error[0]);
}

/* Interfaces ----------------------------------------------------------------- */

static int others_program(void)
{
	const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "somebodys", "GPL", pass, 2, NULL);
}

static void the_program_is_put_on_an_interface_found_and_taken_away(void **state)
{
	const char *dir = kernel_gate_new_dir("port");
	struct gate_maps *maps = kernel_gate_open(dir), *again;
	uint32_t first = 0, second = 0;

	assert_int_equal(gate_port_attached(1, &first), GATE_NOTHING);
	assert_int_equal(gate_port_detach(1), 0);
	assert_int_equal(gate_port_attach(maps, 1), 0);
	assert_int_equal(gate_port_attached(1, &first), GATE_OURS);
	/* Who loaded it is gone, as after a kill -9; it goes on, and the next one takes its place.
	 */
	gate_maps_close(maps);
	assert_int_equal(gate_port_attached(1, &second), GATE_OURS);
	assert_int_equal(first, second);
	again = kernel_gate_open(dir);
	assert_int_equal(gate_port_attach(again, 1), 0);
	assert_int_equal(gate_port_attached(1, &second), GATE_OURS);
	assert_int_not_equal(first, second);
	gate_maps_close(again);
	assert_int_equal(gate_port_detach(1), 0);
	assert_int_equal(gate_port_attached(1, NULL), GATE_NOTHING);
	assert_int_equal(gate_port_attached(4711, NULL), -ENODEV);
}

static void somebody_elses_program_is_left_alone(void **state)
{
	struct gate_maps *maps = kernel_gate_open(kernel_gate_new_dir("others"));
	int fd = others_program();

	assert_true(fd >= 0);
	assert_int_equal(bpf_xdp_attach(1, fd, 0, NULL), 0);
	assert_int_equal(gate_port_attached(1, NULL), GATE_OTHERS);
	assert_int_equal(gate_port_attach(maps, 1), -EBUSY);
	assert_int_equal(gate_port_detach(1), -EBUSY);
	assert_int_equal(gate_port_attached(1, NULL), GATE_OTHERS);
	assert_int_equal(bpf_xdp_detach(1, 0, NULL), 0);
	close(fd);
	gate_maps_close(maps);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_differs_is_written),
		cmocka_unit_test(a_tenant_that_stays_keeps_its_bucket_and_state_in_any_slot),
		cmocka_unit_test(the_files_state_holds_when_the_file_changes),
		cmocka_unit_test(a_tenant_that_stays_is_known_all_the_time),
		cmocka_unit_test(more_tenants_than_slots_are_refused_whole),
		cmocka_unit_test(pinned_maps_are_adopted_with_all_that_they_hold),
		cmocka_unit_test(maps_of_another_size_are_refused_by_name_and_left_alone),
		cmocka_unit_test(many_tenants_have_an_object_of_their_own),
		cmocka_unit_test(maps_of_another_kind_are_refused),
		cmocka_unit_test(a_version_that_is_not_this_ones_is_refused),
		cmocka_unit_test(what_is_no_bpffs_or_no_object_is_said_so),
		cmocka_unit_test(the_program_is_put_on_an_interface_found_and_taken_away),
		cmocka_unit_test(somebody_elses_program_is_left_alone),
	};
	const char *why;
	int failed;

	if (argc < 3)
		return 1;
	object = argv[1];
	large = argv[2];
	why = kernel_gate_enter(object);
	if (why) {
		printf("skipped: %s\n", why);
		kernel_gate_leave();
		return 77;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	kernel_gate_leave();
	return failed != 0;
}
