/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bounded decoder of stage one against the dataplane's: the same of every packet, or
 * CLASS_DEEP where the first may not go on. argv: folders of captures, those that are there.
 */
#include <unistd.h>

#include "dataplane/worker.h"
#include "tests/bpf/captures.h"
#include "tests/bpf/host_gate.h"
#include "tests/bpf/stage_cases.h"
#include "tests/unit/test.h"

static struct {
	struct rte_mbuf m;
	struct packet_meta meta;
} packet;

static char **folders;

static void decode_both(const uint8_t *frame, uint32_t len, struct stage_packet *bounded,
			struct stage_packet *full, struct headers *h)
{
	/* Both may read what is there and nothing behind it: a sanitizer sees to that. */
	uint8_t *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, frame, len);
	memset(&packet, 0, sizeof(packet));
	packet.m.priv_size = sizeof(packet.meta);
	packet.meta = (struct packet_meta){.wirelen = len, .link = LINK_ETHERNET};
	packet.m.buf_addr = copy;
	packet.m.data_len = (uint16_t)len;
	packet.m.pkt_len = len;
	packet_decode(&packet.m, h);
	memset(full, 0, sizeof(*full));
	stage_packet_of(&packet.m, h, full);
	host_gate_decode(copy, len, bounded);
	free(copy);
}

static void explain(const char *what, const uint8_t *frame, uint32_t len,
		    const struct stage_packet *bounded, const struct stage_packet *full)
{
	for (uint32_t i = 0; i < len && i < 128; i++)
		print_message("%02x%s", frame[i], i % 2 ? " " : "");
	fail_msg("%s, %u bytes: class %u and %u, reason %u and %u, family %u and %u, protocol %u "
		 "and %u, ports %u and %u, %u and %u, neighbour %u and %u",
		 what, len, bounded->class, full->class, bounded->reason, full->reason,
		 bounded->family, full->family, bounded->proto, full->proto, bounded->sport,
		 full->sport, bounded->dport, full->dport, bounded->neighbour, full->neighbour);
}

/* Returns whether the bounded one gave up. */
static bool agree(const char *what, const uint8_t *frame, uint32_t len)
{
	struct stage_packet bounded, full;
	struct flow_key key;
	struct headers h;

	decode_both(frame, len, &bounded, &full, &h);
	if (bounded.class == CLASS_DEEP) {
		/* Whose it is it knows all the same. */
		assert_int_equal(bounded.family, 6);
		assert_memory_equal(bounded.src, full.src, 16);
		assert_memory_equal(bounded.dst, full.dst, 16);
		assert_memory_equal(bounded.vlan, full.vlan, sizeof(full.vlan));
		return true;
	}
	/* Fragments are the dataplane's to put together: it never asks what one may begin. */
	if (full.class == CLASS_FRAGMENT)
		bounded.begins = 0;
	if (memcmp(&bounded, &full, sizeof(full)) != 0)
		explain(what, frame, len, &bounded, &full);
	if (full.class == CLASS_L4) {
		stage_flow_key(&bounded, &key);
		assert_memory_equal(&key, &h.key, sizeof(key));
	}
	return false;
}

static void both_read_the_same_of_every_case_cut_at_every_byte(void **state)
{
	static uint8_t frame[FRAME_MAX];

	for (unsigned i = 0; i < stage_case_count; i++) {
		uint32_t len = frame_build(&stage_cases[i].frame, frame);

		for (uint32_t cut = 0; cut <= len; cut++)
			agree(stage_cases[i].name, frame, cut);
	}
}

static void both_read_the_same_of_nonsense(void **state)
{
	static uint8_t frame[FRAME_MAX];
	uint64_t seed = 42;
	unsigned deep = 0;

	for (unsigned round = 0; round < 300000; round++) {
		const struct stage_case *c = &stage_cases[round % stage_case_count];
		uint32_t len = frame_build(&c->frame, frame);

		len = frame_mutate(frame, len, &seed);
		deep += agree(c->name, frame, len);
	}
	/* The exception stays one. */
	assert_in_range(deep, 1, 300000 / 20);
}

static void giving_up_takes_more_headers_than_it_walks_or_a_long_way(void **state)
{
	static uint8_t frame[FRAME_MAX];

	for (unsigned headers = 0; headers < 60; headers++)
		for (unsigned length = 0; length < 30; length++) {
			struct frame_spec spec = {.src = "2001:db8::1",
						  .dst = "2001:db8::2",
						  .extensions = (uint8_t)headers,
						  .extension_length = (uint8_t)length};
			uint32_t reach = 54 + headers * 8 * (length + 1);
			bool deep;

			if (reach + 20 > FRAME_MAX)
				break;
			deep = agree("extensions", frame, frame_build(&spec, frame));
			assert_int_equal(deep, headers > 8 || reach > 1024);
		}
}

static void take(void *ctx, const uint8_t *frame, uint32_t len)
{
	unsigned *deep = ctx;

	if (len <= UINT16_MAX)
		*deep += agree("captured", frame, len);
}

static void both_read_the_same_of_every_capture(void **state)
{
	uint64_t frames = 0;
	unsigned deep = 0;

	for (char **folder = folders; *folder; folder++)
		if (access(*folder, R_OK) == 0)
			frames += captures_each(*folder, take, &deep);
	print_message("# %lu frames, %u deep\n", (unsigned long)frames, deep);
	assert_true(frames > 1000);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_read_the_same_of_every_case_cut_at_every_byte),
		cmocka_unit_test(both_read_the_same_of_nonsense),
		cmocka_unit_test(giving_up_takes_more_headers_than_it_walks_or_a_long_way),
		cmocka_unit_test(both_read_the_same_of_every_capture),
	};

	folders = argv + 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
