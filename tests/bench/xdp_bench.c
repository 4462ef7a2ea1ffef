/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the XDP program costs a packet, against one that only redirects: ns from
 * BPF_PROG_TEST_RUN, in turns, and the ratio with its spread. argv: gate.bpf.o [rounds].
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "control/policy/policy_build.h"
#include "control/policy/prefix_build.h"
#include "tests/bpf/kernel_gate.h"
#include "tests/bpf/stage_cases.h"
#include "tests/unit/test.h"

#define REPEAT 100000
#define ROUNDS 21
#define MANY   10000 /* prefixes that are nobody's in these packets */

static const struct {
	const char *name;
	struct frame_spec frame;
	uint8_t from;
} packets[] = {
	{"ARP", {.ethertype = 0x0806}, FROM_INSIDE},
	{"a tenant's, not read", {.src = "10.1.0.1", .dst = "192.0.2.9"}, FROM_INSIDE},
	{"to a tenant, not read", {.src = "192.0.2.9", .dst = "10.1.0.1"}, FROM_OUTSIDE},
	{"the same, IPv6", {.src = "2001:db8:1::1", .dst = "2001:db8:ffff::9"}, FROM_INSIDE},
	{"in a VLAN", {.src = "10.3.0.1", .dst = "192.0.2.9", .vlan = {100}}, FROM_INSIDE},
	{"a datagram of a tenant's",
	 {.src = "10.1.0.1", .dst = "192.0.2.9", .proto = IPPROTO_UDP, .dport = 4500},
	 FROM_INSIDE},
	{"a datagram to a tenant",
	 {.src = "192.0.2.9", .dst = "10.1.0.1", .proto = IPPROTO_UDP, .dport = 4500},
	 FROM_OUTSIDE},
	{"a SYN of a tenant's",
	 {.src = "10.1.0.1", .dst = "192.0.2.9", .flags = 0x02},
	 FROM_INSIDE},
	{"SMTP, to the socket", {.src = "10.1.0.1", .dst = "192.0.2.9", .dport = 25}, FROM_INSIDE},
	{"spoofed, dropped", {.src = "172.16.0.1", .dst = "192.0.2.9"}, FROM_INSIDE},
	{"suspended, dropped", {.src = "10.2.0.1", .dst = "192.0.2.9"}, FROM_INSIDE},
};

#define PACKETS (sizeof(packets) / sizeof(packets[0]))

static int bare_redirect(void)
{
	const struct bpf_insn program[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 2},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 0},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "bare_redirect", "GPL", program, 4, NULL);
}

/* ns a packet, as the kernel counts them. */
static double measure(int program, const uint8_t *frame, uint32_t len)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = len,
		    .repeat = REPEAT);

	if (bpf_prog_test_run_opts(program, &options) < 0)
		fail_msg("BPF_PROG_TEST_RUN");
	return options.duration;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void bench(struct gate_maps *maps, int bare, unsigned packet, unsigned rounds)
{
	double ratio[256], gate[256], base[256];
	static uint8_t frame[FRAME_MAX];
	uint32_t len = frame_build(&packets[packet].frame, frame);

	gate_maps_port(maps, 0,
		       &(struct gate_port){.ifindex = 1, .peer = 2, .from = packets[packet].from});
	for (unsigned i = 0; i < rounds; i++) {
		base[i] = measure(bare, frame, len);
		gate[i] = measure(gate_maps_program(maps), frame, len);
		ratio[i] = gate[i] / (base[i] ? base[i] : 1);
	}
	qsort(ratio, rounds, sizeof(*ratio), compare);
	qsort(gate, rounds, sizeof(*gate), compare);
	qsort(base, rounds, sizeof(*base), compare);
	printf("%-24s %6.0f %6.0f %7.1f   %.1f to %.1f\n", packets[packet].name, gate[rounds / 2],
	       base[rounds / 2], ratio[rounds / 2], ratio[rounds / 4], ratio[rounds * 3 / 4]);
}

/* A table as deep as a provider's: others' prefixes around the few. */
static void add_prefixes(struct policy *policy)
{
	struct prefix_list *list = &policy->prefix_list;
	struct prefix *more = reallocarray(list->items, list->count + MANY, sizeof(*more));

	if (!more)
		abort();
	list->items = more;
	for (unsigned i = 0; i < MANY; i++)
		more[list->count++] = (struct prefix){.addr = {11, (uint8_t)(i >> 8), (uint8_t)i},
						      .length = 24,
						      .family = 4,
						      .slot = 1};
	prefix_table_fini(&policy->prefixes);
	if (prefix_table_init(&policy->prefixes, list->items, list->count) != 0)
		abort();
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 2 ? (unsigned)atoi(argv[2]) : ROUNDS;
	struct policy *policy = stage_case_policy();
	const char *why = argc < 2 ? "no object" : kernel_gate_enter(argv[1]);
	struct gate_maps *maps;
	int bare;

	if (why || rounds < 1 || rounds > 256) {
		printf("skipped: %s\n", why ? why : "1 to 256 rounds");
		policy_free(policy);
		kernel_gate_leave();
		return 77;
	}
	add_prefixes(policy);
	maps = kernel_gate_open(kernel_gate_dir());
	bare = bare_redirect();
	if (gate_maps_apply(maps, policy, NULL) != 0 || bare < 0)
		return 1;
	kernel_gate_listen(maps, true);
	printf("%u rounds of %u packets each, %zu prefixes\n", rounds, REPEAT,
	       policy->prefix_list.count);
	printf("%-24s %6s %6s %7s   %s\n", "packet", "gate", "bare", "ratio", "middle half");
	for (unsigned i = 0; i < PACKETS; i++)
		bench(maps, bare, i, rounds);
	gate_maps_close(maps);
	policy_free(policy);
	kernel_gate_leave();
	return 0;
}
