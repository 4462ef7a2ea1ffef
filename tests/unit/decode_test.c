/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets that say how they should be read: a table of layers, built, decoded and cut
 * off at every byte before a page that can't be read.
 */
#include <netinet/in.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dataplane/packet.h"
#include "tests/unit/test.h"

/* A packet without a pool: the mbuf, its private area, and bytes that end at a guard page. */
static struct {
	struct rte_mbuf m;
	struct packet_meta meta;
} packet;
static uint8_t *page_end;

static int setup(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), room = 2 * page;
	uint8_t *area =
		mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		return -1;
	page_end = area + room;
	return mprotect(page_end, page, PROT_NONE);
}

static struct headers decode(const uint8_t *bytes, uint32_t len, uint32_t wirelen, uint16_t link,
			     uint8_t flags)
{
	struct headers h;

	memset(&packet, 0, sizeof(packet));
	packet.m.priv_size = sizeof(packet.meta);
	assert_ptr_equal(packet_meta(&packet.m), &packet.meta);
	packet.meta = (struct packet_meta){.wirelen = wirelen, .link = link, .flags = flags};
	memcpy(page_end - len, bytes, len);
	packet.m.buf_addr = page_end - len;
	packet.m.data_len = (uint16_t)len;
	packet.m.pkt_len = len;
	packet_decode(&packet.m, &h);
	return h;
}

/* Layers ------------------------------------------------------------------ */

struct bytes_out {
	uint8_t bytes[2048];
	uint32_t len;
};

static void out_hex(struct bytes_out *o, const char *hex)
{
	for (; *hex; hex++) {
		unsigned byte;

		if (*hex == ' ')
			continue;
		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		o->bytes[o->len++] = (uint8_t)byte;
		hex++;
	}
}

#define MAC  "020000000001 020000000002 "
#define IPV4 "45 00 %s 0001 0000 40 06 0000 0a010002 cb007109 "
#define TCP  "9c41 0019 00000064 000000c8 5018 ffff 0000 0000 "
#define UDP  "13c4 13c4 000c 0000 "
#define DATA "41424344"
#define V6   "20010db8000000000000000000000001 20010db8000000000000000000000002 "

struct row {
	const char *name;
	uint16_t link;
	const char *hex;
	enum packet_class class;
	enum reason reason;
	uint8_t proto, family;
	uint16_t l3, l4, payload_len;
	uint16_t vlan[2];
};

#define L4(p, f, at3, at4) CLASS_L4, REASON_NONE, p, f, at3, at4, 4

/* clang-format off */
static const struct row rows[] = {
	{"ethernet, ipv4, tcp", LINK_ETHERNET,
	 MAC "0800 4500002c0001000040060000 0a010002 cb007109 " TCP DATA, L4(6, 4, 14, 34), {0, 0}},
	{"padding behind the datagram", LINK_ETHERNET,
	 MAC "0800 450000200001000040110000 0a010002 cb007109 " UDP DATA "000000000000",
	 L4(17, 4, 14, 34), {0, 0}},
	{"802.1Q", LINK_ETHERNET,
	 MAC "8100 2064 0800 4500002c0001000040060000 0a010002 cb007109 " TCP DATA,
	 L4(6, 4, 18, 38), {100, 0}},
	{"QinQ", LINK_ETHERNET,
	 MAC "88a8 0064 8100 00c8 0800 4500002c0001000040060000 0a010002 cb007109 " TCP DATA,
	 L4(6, 4, 22, 42), {100, 200}},
	{"three tags of old", LINK_ETHERNET,
	 MAC "9100 0001 8100 0002 8100 0003 0800 4500002c0001000040060000 0a010002 cb007109 " TCP DATA,
	 L4(6, 4, 26, 46), {1, 2}},
	{"ipv4 options", LINK_ETHERNET,
	 MAC "0800 470000340001000040060000 0a010002 cb007109 0101010101010100 " TCP DATA,
	 L4(6, 4, 14, 42), {0, 0}},
	{"ipv6", LINK_ETHERNET, MAC "86dd 60000000 0018 06 40 " V6 TCP DATA, L4(6, 6, 14, 54), {0, 0}},
	{"ipv6, hop-by-hop, routing, destination options, AH", LINK_ETHERNET,
	 MAC "86dd 60000000 0048 00 40 " V6 "2b00010400000000 3c000000 00000000 3300010400000000 "
	     "0604000000000001 0000000200000003 0000000400000005 " TCP DATA,
	 CLASS_L4, REASON_NONE, 6, 6, 14, 102, 4, {0, 0}},
	{"ipv6, an atomic fragment", LINK_ETHERNET,
	 MAC "86dd 60000000 0014 2c 40 " V6 "11000000 00000007 " UDP DATA, L4(17, 6, 14, 62), {0, 0}},
	{"raw ipv4", LINK_RAW, "4500002c0001000040060000 0a010002 cb007109 " TCP DATA, L4(6, 4, 0, 20), {0, 0}},
	{"raw ipv6", LINK_RAW_BSD, "60000000 0018 06 40 " V6 TCP DATA, L4(6, 6, 0, 40), {0, 0}},
	{"null, little-endian", LINK_NULL, "02000000 4500002c0001000040060000 0a010002 cb007109 " TCP DATA,
	 L4(6, 4, 4, 24), {0, 0}},
	{"null, big-endian", LINK_NULL, "00000002 4500002c0001000040060000 0a010002 cb007109 " TCP DATA,
	 L4(6, 4, 4, 24), {0, 0}},
	{"null, another BSD's ipv6", LINK_NULL, "1e000000 60000000 0018 06 40 " V6 TCP DATA,
	 L4(6, 6, 4, 44), {0, 0}},
	{"loop", LINK_LOOP, "00000018 60000000 0018 06 40 " V6 TCP DATA, L4(6, 6, 4, 44), {0, 0}},
	{"cooked", LINK_SLL,
	 "0000 0001 0006 020000000001 0000 0800 4500002c0001000040060000 0a010002 cb007109 " TCP DATA,
	 L4(6, 4, 16, 36), {0, 0}},
	{"cooked v2", LINK_SLL2,
	 "0800 0000 00000002 0001 00 06 0200000000010000 4500002c0001000040060000 0a010002 cb007109 " TCP DATA,
	 L4(6, 4, 20, 40), {0, 0}},
	{"arp", LINK_ETHERNET, MAC "0806 0001", CLASS_NOT_IP, 0, 0, 0, 14, 0, 0, {0, 0}},
	{"a link type that is not read", 147, "0102030405060708", CLASS_NOT_IP, REASON_UNKNOWN_LINK,
	 0, 0, 0, 0, 0, {0, 0}},
	{"icmp", LINK_RAW, "4500001c0001000040010000 0a010002 cb007109 0800000000000000", CLASS_OTHER, 0,
	 1, 4, 0, 20, 0, {0, 0}},
	{"gre", LINK_RAW, "4500001c00010000402f0000 0a010002 cb007109 0000080000000000", CLASS_TUNNEL, 0,
	 47, 4, 0, 20, 0, {0, 0}},
	{"ip in ip", LINK_RAW, "4500001c0001000040040000 0a010002 cb007109 0000000000000000", CLASS_TUNNEL, 0,
	 4, 4, 0, 20, 0, {0, 0}},
	{"6in4", LINK_RAW, "4500001c0001000040290000 0a010002 cb007109 0000000000000000", CLASS_TUNNEL, 0,
	 41, 4, 0, 20, 0, {0, 0}},
	{"gtp", LINK_RAW, "450000200001000040110000 0a010002 cb007109 0868 0868 000c 0000 " DATA,
	 CLASS_TUNNEL, 0, 17, 4, 0, 20, 4, {0, 0}},
	{"first fragment", LINK_RAW, "450000200001200040110000 0a010002 cb007109 " UDP DATA,
	 CLASS_FRAGMENT, 0, 17, 4, 0, 20, 0, {0, 0}},
	{"last fragment", LINK_RAW, "450000200001000140110000 0a010002 cb007109 " UDP DATA,
	 CLASS_FRAGMENT, 0, 17, 4, 0, 20, 0, {0, 0}},
	{"ipv6 fragment", LINK_RAW, "60000000 0014 2c 40 " V6 "11000001 00000007 " UDP DATA,
	 CLASS_FRAGMENT, 0, 17, 6, 0, 40, 0, {0, 0}},
	{"version 5", LINK_ETHERNET, MAC "0800 5500002c0001000040060000 0a010002 cb007109 " TCP DATA,
	 CLASS_MALFORMED, REASON_BAD_LENGTH, 0, 0, 14, 0, 0, {0, 0}},
	{"ipv4 header of 16", LINK_RAW, "4400002c0001000040060000 0a010002 cb007109 " TCP DATA,
	 CLASS_MALFORMED, REASON_BAD_LENGTH, 0, 0, 0, 0, 0, {0, 0}},
	{"ipv4 longer than the frame", LINK_RAW, "4500002d0001000040060000 0a010002 cb007109 " TCP DATA,
	 CLASS_MALFORMED, REASON_BAD_LENGTH, 6, 4, 0, 0, 0, {0, 0}},
	{"ipv4 shorter than its header", LINK_RAW, "450000130001000040060000 0a010002 cb007109 " TCP DATA,
	 CLASS_MALFORMED, REASON_BAD_LENGTH, 0, 0, 0, 0, 0, {0, 0}},
	{"ipv4 length zero, nobody's NIC", LINK_RAW, "450000000001000040060000 0a010002 cb007109 " TCP DATA,
	 CLASS_MALFORMED, REASON_BAD_LENGTH, 0, 0, 0, 0, 0, {0, 0}},
	{"ipv6 longer than the frame", LINK_RAW, "60000000 0019 06 40 " V6 TCP DATA,
	 CLASS_MALFORMED, REASON_BAD_LENGTH, 6, 6, 0, 0, 0, {0, 0}},
	{"ipv6 extension beyond the packet", LINK_RAW, "60000000 0018 3c 40 " V6 "06ff000000000000 0000000000000000 00000000 00000000",
	 CLASS_MALFORMED, REASON_BAD_LENGTH, 60, 6, 0, 0, 0, {0, 0}},
	{"tcp header of 16", LINK_RAW, "450000280001000040060000 0a010002 cb007109 9c41 0019 00000064 000000c8 4018 ffff 0000 0000",
	 CLASS_MALFORMED, REASON_BAD_LENGTH, 6, 4, 0, 20, 0, {0, 0}},
	{"tcp header beyond the packet", LINK_RAW, "450000280001000040060000 0a010002 cb007109 9c41 0019 00000064 000000c8 6018 ffff 0000 0000",
	 CLASS_MALFORMED, REASON_BAD_LENGTH, 6, 4, 0, 20, 0, {0, 0}},
	{"udp shorter than its header", LINK_RAW, "450000200001000040110000 0a010002 cb007109 13c4 13c4 0007 0000 " DATA,
	 CLASS_MALFORMED, REASON_BAD_LENGTH, 17, 4, 0, 20, 0, {0, 0}},
	{"udp longer than the packet", LINK_RAW, "450000200001000040110000 0a010002 cb007109 13c4 13c4 000d 0000 " DATA,
	 CLASS_MALFORMED, REASON_BAD_LENGTH, 17, 4, 0, 20, 0, {0, 0}},
	{"udp shorter than the packet", LINK_RAW, "450000220001000040110000 0a010002 cb007109 " UDP DATA "4546",
	 L4(17, 4, 0, 20), {0, 0}},
};
/* clang-format on */

static void build(const struct row *r, struct bytes_out *o)
{
	o->len = 0;
	out_hex(o, r->hex);
}

static void every_layer_is_read_or_named(void **state)
{
	static struct bytes_out o;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct headers h;

		build(r, &o);
		h = decode(o.bytes, o.len, o.len, r->link, 0);
		if (h.class != r->class || h.reason != r->reason)
			fail_msg("%s: class %u, %s", r->name, h.class, reason_name(h.reason));
		if (r->l4 && (h.l3 != r->l3 || h.l4 != r->l4 || h.proto != r->proto ||
			      h.family != r->family))
			fail_msg("%s: l3 %u l4 %u proto %u family %u", r->name, h.l3, h.l4, h.proto,
				 h.family);
		assert_int_equal(h.key.vlan[0], r->vlan[0]);
		assert_int_equal(h.key.vlan[1], r->vlan[1]);
		if (r->class != CLASS_L4 || !r->payload_len)
			continue;
		assert_int_equal(h.missing, 0);
		assert_int_equal(h.payload_len, r->payload_len);
		assert_memory_equal(page_end - o.len + h.payload, "ABCD", 4);
	}
}

/* Cut by the capture at any byte: said to be so, and never read beyond. */
static void a_cut_packet_is_truncated_and_a_short_one_is_wrong(void **state)
{
	static struct bytes_out o;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];

		build(r, &o);
		for (uint32_t len = 0; len < o.len; len++) {
			struct headers h = decode(o.bytes, len, o.len, r->link, 0);
			bool l4 = h.class == CLASS_L4;

			if (r->class == CLASS_L4 && h.class != CLASS_NOT_IP && !l4 &&
			    (h.class != CLASS_MALFORMED || h.reason != REASON_TRUNCATED))
				fail_msg("%s cut to %u: class %u, %s", r->name, len, h.class,
					 reason_name(h.reason));
			if (l4 && r->class == CLASS_L4 && r->payload_len)
				assert_int_equal(h.payload_len + h.missing, r->payload_len);
			/* As short on the wire: nothing is truncated then. */
			h = decode(o.bytes, len, len, r->link, 0);
			assert_int_not_equal(h.reason, REASON_TRUNCATED);
			if (h.class == CLASS_L4) {
				assert_int_equal(h.missing, 0);
				assert_true(h.payload + h.payload_len <= len);
				packet_checksum_ok(&packet.m, &h);
			}
		}
	}
}

/* Random bytes behind a sound beginning: nothing is read beyond the end. */
static void nonsense_is_read_within_its_bounds(void **state)
{
	static struct bytes_out o;
	uint64_t seed = 7;

	for (unsigned round = 0; round < 200000; round++) {
		const struct row *r = &rows[round % (sizeof(rows) / sizeof(rows[0]))];
		struct headers h;

		build(r, &o);
		for (unsigned k = 0; k < 4; k++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			o.bytes[(seed >> 33) % o.len] = (uint8_t)(seed >> 56);
		}
		h = decode(o.bytes, o.len, o.len + (round % 3) * 100, r->link,
			   (uint8_t)(round % 2));
		if (h.class == CLASS_L4) {
			assert_true(!h.payload_len || h.payload + h.payload_len <= o.len);
			packet_checksum_ok(&packet.m, &h);
		}
	}
}

static void length_zero_is_the_rest_of_the_frame_where_a_nic_fills_in(void **state)
{
	static struct bytes_out o;
	struct headers h;

	out_hex(&o, "450000000001000040060000 0a010002 cb007109 " TCP DATA);
	h = decode(o.bytes, o.len, o.len, LINK_RAW, PACKET_CHECKSUM_TRUSTED);
	assert_int_equal(h.class, CLASS_L4);
	assert_int_equal(h.payload_len, 4);
	/* 70,000 bytes, of which the capture has a few. */
	h = decode(o.bytes, o.len, 70000, LINK_RAW, PACKET_CHECKSUM_TRUSTED);
	assert_int_equal(h.payload_len, 4);
	assert_int_equal(h.missing, 70000 - 44);
	o.len = 0;
	out_hex(&o, "60000000 0000 06 40 " V6 TCP DATA);
	h = decode(o.bytes, o.len, o.len, LINK_RAW, PACKET_CHECKSUM_TRUSTED);
	assert_int_equal(h.class, CLASS_L4);
	assert_int_equal(h.payload_len, 4);
	h = decode(o.bytes, o.len, o.len, LINK_RAW, 0);
	assert_int_equal(h.class, CLASS_MALFORMED);
}

/* Hosts take any number of them, so a bound would be a way around the gate. */
static void any_number_of_extension_headers_is_walked(void **state)
{
	static struct bytes_out o;
	struct headers h;

	o.len = 0;
	out_hex(&o, "60000000 0298 3c 40 " V6);
	for (unsigned i = 0; i < 80; i++)
		out_hex(&o, i < 79 ? "3c00010400000000" : "0600010400000000");
	out_hex(&o, TCP DATA);
	h = decode(o.bytes, o.len, o.len, LINK_RAW, 0);
	assert_int_equal(h.class, CLASS_L4);
	assert_int_equal(h.payload_len, 4);
}

static void both_directions_have_one_key_and_one_hash(void **state)
{
	static struct bytes_out o;
	struct headers a, b;

	out_hex(&o, "4500002c0001000040060000 0a010002 cb007109 " TCP DATA);
	a = decode(o.bytes, o.len, o.len, LINK_RAW, 0);
	o.len = 0;
	out_hex(&o,
		"4500002c0001000040060000 cb007109 0a010002 0019 9c41 00000064 000000c8 5018 ffff "
		"0000 0000 " DATA);
	b = decode(o.bytes, o.len, o.len, LINK_RAW, 0);
	assert_memory_equal(&a.key, &b.key, sizeof(a.key));
	assert_int_equal(a.hash, b.hash);
	assert_int_not_equal(a.side, b.side);
	assert_memory_equal(headers_src(&a), headers_dst(&b), 16);
}

/* The same address on both sides: the ports tell them apart, unless they are equal too. */
static void a_host_that_talks_to_itself_has_two_sides(void **state)
{
	static struct bytes_out o;
	struct headers a, b;

	out_hex(&o, "4500002c0001000040060000 7f000001 7f000001 " TCP DATA);
	a = decode(o.bytes, o.len, o.len, LINK_RAW, 0);
	o.len = 0;
	out_hex(&o,
		"4500002c0001000040060000 7f000001 7f000001 0019 9c41 00000064 000000c8 5018 ffff "
		"0000 0000 " DATA);
	b = decode(o.bytes, o.len, o.len, LINK_RAW, 0);
	assert_memory_equal(&a.key, &b.key, sizeof(a.key));
	assert_int_not_equal(a.side, b.side);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layer_is_read_or_named),
		cmocka_unit_test(a_cut_packet_is_truncated_and_a_short_one_is_wrong),
		cmocka_unit_test(nonsense_is_read_within_its_bounds),
		cmocka_unit_test(length_zero_is_the_rest_of_the_frame_where_a_nic_fills_in),
		cmocka_unit_test(any_number_of_extension_headers_is_walked),
		cmocka_unit_test(both_directions_have_one_key_and_one_hash),
		cmocka_unit_test(a_host_that_talks_to_itself_has_two_sides),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
