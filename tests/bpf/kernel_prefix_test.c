/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whose a packet is, in the kernel: against the workers' look-up and against the definition; while
 * the table is replaced, and when who replaces it is killed. argv: gate.bpf.o.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "control/policy/prefix_build.h"
#include "dataplane/policy/prefix.h"
#include "tests/bpf/frames.h"
#include "tests/bpf/kernel_gate.h"
#include "tests/bpf/kernel_traffic.h"
#include "tests/prefix_random.h"
#include "tests/unit/test.h"

enum { OWNERS = 1000 };

/* As many prefixes and owners as wanted, and nothing else. */
static struct policy *policy_of(struct prefix *prefixes, size_t count)
{
	const size_t size = (OWNERS + 1) * sizeof(struct tenant_slot);
	struct policy *policy = calloc(1, sizeof(*policy));

	assert_non_null(policy);
	policy->slots = aligned_alloc(_Alignof(struct tenant_slot), size);
	assert_non_null(policy->slots);
	memset(policy->slots, 0, size);
	policy->slot_count = OWNERS + 1;
	for (uint32_t slot = 1; slot <= OWNERS; slot++)
		policy->slots[slot].id = slot;
	policy->prefix_list = (struct prefix_list){prefixes, prefix_random_sort(prefixes, count)};
	assert_int_equal(prefix_table_init(&policy->prefixes, prefixes, policy->prefix_list.count),
			 0);
	return policy;
}

static void policy_drop(struct policy *policy)
{
	prefix_table_fini(&policy->prefixes);
	free(policy->slots);
	free(policy);
}

static struct gate_maps *open_inside(const char *dir)
{
	struct gate_maps *maps = kernel_gate_open(dir);

	gate_maps_port(maps, 0, &(struct gate_port){.ifindex = 1, .peer = 2, .from = FROM_INSIDE});
	return maps;
}

static void put(struct gate_maps *maps, const struct policy *policy)
{
	if (gate_maps_apply(maps, policy, NULL) != 0)
		fail_msg("%s", gate_maps_error(maps));
}

/* Sends one from the address; whether it goes on, which only a tenant's does. */
static bool send_from(struct gate_maps *maps, uint16_t vlan, uint8_t family, const uint8_t *addr)
{
	char src[INET6_ADDRSTRLEN];
	uint8_t frame[FRAME_MAX];
	const struct frame_spec spec = {
		.src = src, .dst = family == 4 ? "192.0.2.9" : "2001:db8:f::1", .vlan = {vlan}};

	assert_non_null(inet_ntop(family == 4 ? AF_INET : AF_INET6, addr, src, sizeof(src)));
	return kernel_gate_run(maps, frame, frame_build(&spec, frame), 1) == XDP_REDIRECT;
}

static uint64_t sent_by(struct gate_maps *maps, uint32_t slot)
{
	struct gate_tenant_counters counters;

	assert_int_equal(gate_maps_tenant_counters(maps, slot, &counters), 0);
	return counters.packets[1];
}

/* Everybody's, against the other two. */

struct address {
	uint16_t vlan;
	uint8_t family;
	uint8_t addr[16];
};

static void check(struct gate_maps *maps, const struct policy *policy, const struct address *a)
{
	const struct prefix_list *list = &policy->prefix_list;
	const uint32_t wanted =
		prefix_search(list->items, list->count, a->vlan, a->family, a->addr);
	uint64_t before = wanted ? sent_by(maps, wanted) : 0;

	assert_int_equal(prefix_lookup(&policy->prefixes, a->vlan, a->family, a->addr), wanted);
	if (send_from(maps, a->vlan, a->family, a->addr) != (wanted != 0))
		fail_msg("%s", wanted ? "a tenant's packet is dropped" : "nobody's packet passes");
	if (wanted && sent_by(maps, wanted) != before + 1)
		fail_msg("the packet is another's than %u's", wanted);
}

/* Near the edges of prefixes; what may come without an owner (stage_one.h) is left out. */
static struct address random_address(uint64_t *seed)
{
	struct address a = {.vlan = (uint16_t)(prefix_random_next(seed) % 4),
			    .family = prefix_random_next(seed) % 2 ? 4 : 6};

	prefix_random_addr(seed, a.addr, a.family == 4 ? 4 : 16);
	if (!a.addr[0] || a.addr[0] == 0xfc || a.addr[0] == 0xff)
		a.addr[0] = 0x20;
	return a;
}

static void any_table_is_read_as_by_workers_and_by_the_definition(void **state)
{
	struct gate_maps *maps = open_inside(kernel_gate_new_dir("random"));
	static struct prefix prefixes[OWNERS];
	uint64_t seed = 20261126;

	for (unsigned round = 0; round < 40; round++) {
		const size_t count = prefix_random_next(&seed) % (round % 8 ? 200 : OWNERS);
		struct policy *policy;

		for (size_t i = 0; i < count; i++)
			prefixes[i] = prefix_random(&seed, (uint32_t)i + 1);
		policy = policy_of(prefixes, count);
		put(maps, policy);
		for (unsigned i = 0; i < 250; i++) {
			const struct address a = random_address(&seed);

			check(maps, policy, &a);
		}
		policy_drop(policy);
	}
	gate_maps_close(maps);
}

static void the_first_and_the_last_address_of_a_prefix_are_its_own(void **state)
{
	struct gate_maps *maps = open_inside(kernel_gate_new_dir("edges"));
	static struct prefix prefixes[128 + 32 - 6];
	struct policy *policy;
	size_t count = 0;

	/* Each inside the one before it: 10.0.0.0/3 …, 2000::/3 …. */
	for (uint8_t length = 3; length <= 128; length++) {
		prefixes[count++] = (struct prefix){
			.family = 6, .addr = {0x20}, .length = length, .slot = length};
		if (length <= 30)
			prefixes[count++] = (struct prefix){.family = 4,
							    .addr = {0x20},
							    .length = length,
							    .slot = 200u + length};
	}
	policy = policy_of(prefixes, count);
	put(maps, policy);
	for (size_t i = 0; i < policy->prefix_list.count; i++) {
		struct address first = {.family = prefixes[i].family}, last;
		const unsigned bits = first.family == 4 ? 32 : 128;

		memcpy(first.addr, prefixes[i].addr, sizeof(first.addr));
		last = first;
		for (unsigned bit = prefixes[i].length; bit < bits; bit++)
			last.addr[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
		check(maps, policy, &first);
		check(maps, policy, &last);
	}
	policy_drop(policy);
	gate_maps_close(maps);
}

static void without_any_table_every_source_is_nobodys(void **state)
{
	struct gate_maps *maps = open_inside(kernel_gate_new_dir("none"));

	for (uint16_t vlan = 0; vlan < 3; vlan++) {
		assert_false(send_from(maps, vlan, 4, (const uint8_t[16]){10, 1, 0, 1}));
		assert_false(send_from(maps, vlan, 6, (const uint8_t[16]){0x20, 1, 0xd, 0xb8}));
	}
	gate_maps_close(maps);
}

/* Replaced ------------------------------------------------------------------- */

/*
 * Three policies, each with an owner of its own for the same addresses, in tables that are unlike:
 * to read one as if it were another leads to a neighbour, or to nobody. In the second, those that
 * are in a VLAN are owned in theirs, else in any. They are three so that the half that is written
 * never holds already what it is to hold.
 */
enum { POLICIES = 3, NEIGHBOUR, NEIGHBOURS = 40000, WANDERERS = 64, TAGGED = 5 };

static struct prefix prefixes_of[POLICIES][NEIGHBOURS + WANDERERS];
static struct policy *policies[POLICIES];

static uint32_t owner_in(unsigned policy)
{
	return policy % POLICIES + 1;
}

static struct address wanderer(unsigned i)
{
	return (struct address){.vlan = i % 2 ? TAGGED : 0,
				.family = 4,
				.addr = {10, (uint8_t)(i * 37), (uint8_t)(i * 11), (uint8_t)i}};
}

static void make_policies(void)
{
	uint64_t seed = 7;

	for (unsigned k = 0; k < POLICIES; k++) {
		const size_t neighbours = NEIGHBOURS >> k;
		struct prefix *p = prefixes_of[k];

		for (unsigned i = 0; i < WANDERERS; i++) {
			const struct address a = wanderer(i);

			p[i] = (struct prefix){.family = 4,
					       .length = 32,
					       .vlan = k == 1 ? a.vlan : 0,
					       .slot = owner_in(k)};
			memcpy(p[i].addr, a.addr, 4);
		}
		for (size_t i = WANDERERS; i < WANDERERS + neighbours; i++) {
			const uint64_t bits = prefix_random_next(&seed);

			p[i] = (struct prefix){.family = 4,
					       .length = 31,
					       .vlan = i % 3 ? 0 : TAGGED,
					       .slot = NEIGHBOUR,
					       .addr = {10, (uint8_t)bits, (uint8_t)(bits >> 8),
							(uint8_t)(bits >> 16) & 0xfe}};
		}
		policies[k] = policy_of(p, WANDERERS + neighbours);
	}
}

static void drop_policies(void)
{
	for (unsigned k = 0; k < POLICIES; k++)
		policy_drop(policies[k]);
}

static bool wander(struct gate_maps *maps, unsigned i)
{
	const struct address a = wanderer(i % WANDERERS);

	return send_from(maps, a.vlan, a.family, a.addr);
}

static size_t half_nodes(struct gate_maps *maps)
{
	return (size_t)gate_maps_view(maps)->slots * GATE_SLOT_NODES;
}

static struct prefix_node *nodes_of(struct gate_maps *maps, uint32_t half)
{
	return gate_maps_view(maps)->prefix_nodes + half * half_nodes(maps);
}

/* The half that doesn't hold: nothing leads anywhere in it. */
static void spoil(struct gate_maps *maps)
{
	struct gate_shared *shared = gate_maps_view(maps)->shared;
	const uint32_t idle = !gate_prefix_half(shared->prefixes);

	memset(nodes_of(maps, idle), 0xff, half_nodes(maps) * sizeof(struct prefix_node));
	memset(&shared->prefix_roots[idle], 0xff, sizeof(shared->prefix_roots[idle]));
}

static void a_packet_is_the_old_owners_or_the_new_ones(void **state)
{
	struct kernel_traffic t = {.maps = open_inside(kernel_gate_new_dir("replaced")),
				   .send = wander};
	uint64_t sent = 0;

	make_policies();
	put(t.maps, policies[0]);
	kernel_traffic_start(&t);
	for (unsigned i = 1; i < 40 || t.sent < 10000; i++) {
		/* Once nobody reads it, on kernels that let anybody wait for that. */
		if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0)
			spoil(t.maps);
		put(t.maps, policies[i % POLICIES]);
	}
	kernel_traffic_stop(&t);
	for (unsigned k = 0; k < POLICIES; k++) {
		assert_true(sent_by(t.maps, owner_in(k)));
		sent += sent_by(t.maps, owner_in(k));
	}
	assert_int_equal(t.dropped, 0);
	assert_int_equal(sent_by(t.maps, NEIGHBOUR), 0);
	assert_int_equal(sent, t.sent);
	gate_maps_close(t.maps);
	drop_policies();
}

/* All of the wanderers have the same of the owners, which is returned. */
static uint32_t owner_of_all(struct gate_maps *maps)
{
	uint64_t before[POLICIES];
	uint32_t owner = 0;

	for (unsigned k = 0; k < POLICIES; k++)
		before[k] = sent_by(maps, owner_in(k));
	for (unsigned i = 0; i < WANDERERS; i++) {
		const struct address a = wanderer(i);

		assert_true(send_from(maps, a.vlan, a.family, a.addr));
	}
	for (unsigned k = 0; k < POLICIES; k++)
		if (sent_by(maps, owner_in(k)) == before[k] + WANDERERS)
			owner = owner_in(k);
	assert_int_not_equal(owner, 0);
	return owner;
}

static void a_kill_in_the_middle_leaves_the_table_that_holds(void **state)
{
	const char *dir = kernel_gate_new_dir("killed");
	struct gate_maps *maps = open_inside(dir);

	make_policies();
	put(maps, policies[0]);
	for (unsigned round = 0; round < 6; round++) {
		const struct timespec pause = {.tv_nsec = 1000000 + 11000000L * round};
		pid_t child = fork();

		if (child == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (unsigned i = 0;; i++)
				gate_maps_apply(maps, policies[i % POLICIES], NULL);
		}
		assert_true(child > 0);
		nanosleep(&pause, NULL);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		owner_of_all(maps);
		/* Who comes next goes on from there. */
		gate_maps_close(maps);
		maps = kernel_gate_open(dir);
		owner_of_all(maps);
		put(maps, policies[round % POLICIES]);
		assert_int_equal(owner_of_all(maps), owner_in(round));
	}
	gate_maps_close(maps);
	drop_policies();
}

static void what_was_half_written_is_not_looked_at(void **state)
{
	struct gate_maps *maps = open_inside(kernel_gate_new_dir("half"));

	make_policies();
	for (unsigned i = 0; i < 4; i++) {
		spoil(maps);
		if (i)
			assert_int_equal(owner_of_all(maps), owner_in(i - 1));
		put(maps, policies[i % POLICIES]);
		assert_int_equal(owner_of_all(maps), owner_in(i));
	}
	gate_maps_close(maps);
	drop_policies();
}

/* posternd makes none; the kernel's program ends whatever is in the maps. */
static void a_way_in_a_circle_has_an_end(void **state)
{
	struct gate_maps *maps = open_inside(kernel_gate_new_dir("circle"));
	struct gate_shared *shared = gate_maps_view(maps)->shared;
	const uint32_t half = gate_prefix_half(shared->prefixes);
	struct prefix_node *nodes = nodes_of(maps, half);

	shared->prefix_roots[half].root4[0] = shared->prefix_roots[half].root6[0] = 1;
	for (uint32_t skip = 0; skip < 200; skip += 99) {
		for (uint32_t n = 0; n < 64; n++)
			nodes[n] = (struct prefix_node){.children = UINT64_MAX, .skip = skip};
		assert_false(send_from(maps, 0, 4, (const uint8_t[16]){10, 1, 0, 1}));
		assert_false(send_from(maps, 0, 6, (const uint8_t[16]){0x20, 1, 0xd, 0xb8}));
	}
	gate_maps_close(maps);
}

/* Room ----------------------------------------------------------------------- */

static void prefixes_beyond_the_room_are_refused_whole(void **state)
{
	const size_t count = 140000;
	struct gate_maps *maps = open_inside(kernel_gate_new_dir("room"));
	struct prefix *many = calloc(count, sizeof(*many));
	struct policy *policy;
	uint64_t seed = 11;
	char words[64];

	assert_non_null(many);
	make_policies();
	put(maps, policies[0]);
	for (size_t i = 0; i < count; i++) {
		const uint64_t bits = prefix_random_next(&seed);

		many[i] = (struct prefix){.family = 4, .length = 32, .slot = owner_in(1)};
		memcpy(many[i].addr, &bits, 4);
	}
	policy = policy_of(many, count);
	policy->slots[owner_in(0)].state = TENANT_SUSPENDED;
	policy->slots[owner_in(0)].configured_state = TENANT_SUSPENDED;
	assert_int_equal(gate_maps_fits(maps, policy), -E2BIG);
	assert_int_equal(gate_maps_apply(maps, policy, NULL), -E2BIG);
	snprintf(words, sizeof(words), "are %u nodes", policy->prefixes.node_count);
	assert_non_null(strstr(gate_maps_error(maps), words));
	assert_non_null(strstr(gate_maps_error(maps), "room for 65536 and 262144"));
	assert_int_equal(owner_of_all(maps), owner_in(0));
	/* Half of them are not too many. */
	policy_drop(policy);
	policy = policy_of(many, count / 4);
	put(maps, policy);
	check(maps, policy, &(struct address){.family = 4, .addr = {10, 1, 0, 1}});
	policy_drop(policy);
	free(many);
	gate_maps_close(maps);
	drop_policies();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_table_is_read_as_by_workers_and_by_the_definition),
		cmocka_unit_test(the_first_and_the_last_address_of_a_prefix_are_its_own),
		cmocka_unit_test(without_any_table_every_source_is_nobodys),
		cmocka_unit_test(a_packet_is_the_old_owners_or_the_new_ones),
		cmocka_unit_test(a_kill_in_the_middle_leaves_the_table_that_holds),
		cmocka_unit_test(what_was_half_written_is_not_looked_at),
		cmocka_unit_test(a_way_in_a_circle_has_an_end),
		cmocka_unit_test(prefixes_beyond_the_room_are_refused_whole),
	};
	const char *why = argc < 2 ? "no object" : kernel_gate_enter(argv[1]);
	int failed;

	if (why) {
		printf("skipped: %s\n", why);
		kernel_gate_leave();
		return 77;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	kernel_gate_leave();
	return failed != 0;
}
