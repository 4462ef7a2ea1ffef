/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the XDP program costs a packet with 1, 1,000 and 100,000 tenants, a prefix each, in the
 * kernel: ns from BPF_PROG_TEST_RUN, in turns, and the ratio with its spread to one tenant. The
 * same tenant's packet again and again (how deep the table is), and another tenant's each time
 * (what isn't in the caches). Then what it takes to bring the maps to a policy, in ms: made anew,
 * again, and with one network that is another. argv: gate-large.bpf.o [rounds].
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/policy/policy_build.h"
#include "control/policy/prefix_build.h"
#include "tests/bpf/kernel_gate.h"
#include "tests/bpf/stage_cases.h"
#include "tests/unit/test.h"

enum { REPEAT = 100000, OTHERS = 20000, APPLIED = 20, ROUNDS = 11, ROUNDS_MAX = 64 };

static const uint32_t counts[] = {1, 1000, 100000};

#define COUNTS (sizeof(counts) / sizeof(counts[0]))

struct gate {
	struct gate_maps *maps;
	struct policy policy;
	uint32_t tenants;
	double first; /* ms */
};

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void address_of(uint32_t tenant, uint8_t addr[4])
{
	addr[0] = 10;
	addr[1] = (uint8_t)(tenant >> 16);
	addr[2] = (uint8_t)(tenant >> 8);
	addr[3] = (uint8_t)tenant;
}

static void make_table(struct policy *policy)
{
	const struct prefix_list *list = &policy->prefix_list;

	prefix_table_fini(&policy->prefixes);
	if (prefix_table_init(&policy->prefixes, list->items, list->count) != 0)
		abort();
}

static void make_policy(struct policy *policy, uint32_t tenants)
{
	const size_t size = (tenants + 1) * sizeof(struct tenant_slot);

	memset(policy, 0, sizeof(*policy));
	policy->slots = aligned_alloc(_Alignof(struct tenant_slot), size);
	policy->slot_count = tenants + 1;
	policy->prefix_list.items = calloc(tenants, sizeof(struct prefix));
	policy->prefix_list.count = tenants;
	if (!policy->slots || !policy->prefix_list.items)
		abort();
	memset(policy->slots, 0, size);
	for (uint32_t i = 1; i <= tenants; i++) {
		struct prefix *prefix = &policy->prefix_list.items[i - 1];

		policy->slots[i].id = i;
		*prefix = (struct prefix){.length = 32, .family = 4, .slot = i};
		address_of(i, prefix->addr);
	}
	make_table(policy);
}

/* ms */
static double apply(struct gate *gate)
{
	const double begin = now_ms();

	if (gate_maps_apply(gate->maps, &gate->policy, NULL) != 0)
		fail_msg("%s", gate_maps_error(gate->maps));
	return now_ms() - begin;
}

static void gate_open(struct gate *gate, const char *object, uint32_t tenants)
{
	const struct gate_port port = {.ifindex = 1, .peer = 2, .from = FROM_INSIDE};
	char name[32], error[GATE_ERROR_SIZE];

	snprintf(name, sizeof(name), "tenants-%u", tenants);
	gate->tenants = tenants;
	gate->maps = gate_maps_open(object, kernel_gate_new_dir(name), error);
	if (!gate->maps)
		fail_msg("%s", error);
	make_policy(&gate->policy, tenants);
	gate->first = apply(gate);
	gate_maps_port(gate->maps, 0, &port);
}

static void gate_close(struct gate *gate)
{
	gate_maps_close(gate->maps);
	prefix_table_fini(&gate->policy.prefixes);
	free(gate->policy.slots);
	free(gate->policy.prefix_list.items);
}

static double run(const struct gate *gate, uint32_t tenant, int repeat)
{
	uint8_t frame[FRAME_MAX], addr[4];
	char src[16];
	const struct frame_spec spec = {.src = src, .dst = "192.0.2.9"};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .repeat = repeat);

	address_of(tenant, addr);
	snprintf(src, sizeof(src), "%u.%u.%u.%u", addr[0], addr[1], addr[2], addr[3]);
	options.data_size_in = frame_build(&spec, frame);
	if (bpf_prog_test_run_opts(gate_maps_program(gate->maps), &options) < 0)
		fail_msg("BPF_PROG_TEST_RUN");
	return options.duration;
}

static double again(const struct gate *gate)
{
	return run(gate, gate->tenants, REPEAT);
}

/* One packet a system call: what the clock around it takes is in all of them. */
static double another(const struct gate *gate)
{
	double sum = 0;

	for (uint64_t i = 0; i < OTHERS; i++)
		sum += run(gate, 1 + (uint32_t)(i * 7919 % gate->tenants), 1);
	return sum / OTHERS;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void report(const char *what, double (*measure)(const struct gate *), struct gate *gates,
		   unsigned rounds)
{
	static double ns[COUNTS][ROUNDS_MAX], ratio[COUNTS][ROUNDS_MAX];

	for (unsigned r = 0; r < rounds; r++)
		for (unsigned i = 0; i < COUNTS; i++) {
			ns[i][r] = measure(&gates[i]);
			ratio[i][r] = ns[i][r] / ns[0][r];
		}
	for (unsigned i = 0; i < COUNTS; i++) {
		qsort(ns[i], rounds, sizeof(double), compare);
		qsort(ratio[i], rounds, sizeof(double), compare);
		printf("%-28s %8u %6.0f %7.2f   %.2f to %.2f\n", what, counts[i], ns[i][rounds / 2],
		       ratio[i][rounds / 2], ratio[i][rounds / 4], ratio[i][rounds * 3 / 4]);
	}
}

/* The last tenant's network is 192.0.2.0/24, and then its own again. */
static double another_network(struct gate *gate, unsigned round)
{
	struct prefix_list *list = &gate->policy.prefix_list;
	struct prefix *last = &list->items[list->count - 1];

	last->length = round % 2 ? 32 : 24;
	memset(last->addr, 0, sizeof(last->addr));
	if (round % 2)
		address_of(last->slot, last->addr);
	else
		memcpy(last->addr, (uint8_t[]){192, 0, 2, 0}, 4);
	make_table(&gate->policy);
	return apply(gate);
}

static void report_applied(struct gate *gate)
{
	double same[APPLIED], one[APPLIED];

	for (unsigned i = 0; i < APPLIED; i++) {
		same[i] = apply(gate);
		one[i] = another_network(gate, i);
	}
	qsort(same, APPLIED, sizeof(double), compare);
	qsort(one, APPLIED, sizeof(double), compare);
	printf("%8u %8.1f %8.1f %8.1f   %.1f to %.1f\n", gate->tenants, gate->first,
	       same[APPLIED / 2], one[APPLIED / 2], one[APPLIED / 4], one[APPLIED * 3 / 4]);
}

int main(int argc, char **argv)
{
	const unsigned rounds = argc > 2 ? (unsigned)atoi(argv[2]) : ROUNDS;
	const char *why = argc < 2 ? "no object" : kernel_gate_enter(argv[1]);
	struct gate gates[COUNTS];

	if (why || rounds < 1 || rounds > ROUNDS_MAX) {
		printf("skipped: %s\n", why ? why : "1 to 64 rounds");
		kernel_gate_leave();
		return 77;
	}
	for (unsigned i = 0; i < COUNTS; i++)
		gate_open(&gates[i], argv[1], counts[i]);
	printf("%u rounds\n%-28s %8s %6s %7s   %s\n", rounds, "packets", "tenants", "ns", "ratio",
	       "middle half");
	report("one tenant's, again", again, gates, rounds);
	report("another tenant's each time", another, gates, rounds);
	printf("\napplied, in ms\n%8s %8s %8s %8s   middle half\n", "tenants", "first", "again",
	       "one");
	for (unsigned i = 0; i < COUNTS; i++)
		report_applied(&gates[i]);
	for (unsigned i = 0; i < COUNTS; i++)
		gate_close(&gates[i]);
	kernel_gate_leave();
	return 0;
}
