/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/tcp/checksum.h"
#include "tests/unit/test.h"

/* RFC 1071 as it reads: 16-bit words, big-endian, one at a time. */
static uint16_t plain_sum(uint32_t start, const uint8_t *p, size_t len)
{
	uint64_t sum = start;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (uint64_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint16_t network(uint16_t memory_order)
{
	uint8_t b[2];

	memcpy(b, &memory_order, 2);
	return (uint16_t)(b[0] << 8 | b[1]);
}

static void fill_random(uint8_t *p, size_t len, uint64_t *state)
{
	for (size_t i = 0; i < len; i++) {
		*state = *state * 6364136223846793005u + 1442695040888963407u;
		p[i] = (uint8_t)(*state >> 56);
	}
}

/* The worked example of RFC 1071, section 3. */
static void rfc1071_example(void **state)
{
	const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	assert_int_equal(network(checksum_finish(checksum_add(0, data, 8))), 0xffff - 0xddf2);
}

static void ipv4_header_verifies_and_every_flipped_bit_shows(void **state)
{
	uint8_t header[20] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
			      0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};

	assert_true(checksum_ipv4_header_ok(header, 20));
	for (unsigned int bit = 0; bit < 160; bit++) {
		header[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(checksum_ipv4_header_ok(header, 20));
		header[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void same_as_plain_for_every_length_and_alignment(void **state)
{
	static uint8_t data[2048 + 16];
	uint64_t seed = 1;

	fill_random(data, sizeof(data), &seed);
	for (size_t len = 0; len <= 300; len++)
		for (size_t align = 0; align < 16; align++)
			assert_int_equal(
				network(checksum_finish(checksum_add(0, data + align, len))),
				plain_sum(0, data + align, len));
	for (size_t len = 300; len <= 2048; len += 7)
		assert_int_equal(network(checksum_finish(checksum_add(0, data + 1, len))),
				 plain_sum(0, data + 1, len));
}

static void carries_are_not_lost_in_64k_of_ones(void **state)
{
	static uint8_t data[65536];

	memset(data, 0xff, sizeof(data));
	assert_int_equal(checksum_finish(checksum_add(0, data, sizeof(data))), 0);
	/* UINT64_MAX is zero's other name: it must change nothing. */
	for (size_t len = 0; len < 200; len++)
		assert_int_equal(checksum_finish(checksum_add(UINT64_MAX, data, len + 1)),
				 checksum_finish(checksum_add(0, data, len + 1)));
}

static void pieces_sum_like_the_whole(void **state)
{
	uint8_t data[999];
	uint64_t seed = 2;

	fill_random(data, sizeof(data), &seed);
	for (size_t cut = 0; cut < sizeof(data); cut += 2) {
		uint64_t sum = checksum_add(0, data, cut);

		sum = checksum_add(sum, data + cut, sizeof(data) - cut);
		assert_int_equal(network(checksum_finish(sum)), plain_sum(0, data, sizeof(data)));
	}
}

/* What a receiver does, in the plainest way, over pseudo header and segment. */
static uint16_t plain_tcp(const uint8_t *addrs, size_t addrs_len, uint8_t proto, const uint8_t *seg,
			  size_t len)
{
	uint32_t start = proto + (uint32_t)(len >> 16) + (uint32_t)(len & 0xffff);

	for (size_t i = 0; i < addrs_len; i += 2)
		start += (uint32_t)(addrs[i] << 8 | addrs[i + 1]);
	return plain_sum(start, seg, len);
}

static void tcp_over_both_families(void **state)
{
	uint8_t addrs[32], seg[1460];
	uint64_t seed = 3;

	for (size_t len = 20; len <= sizeof(seg); len += 61) {
		uint16_t check;

		fill_random(addrs, sizeof(addrs), &seed);
		fill_random(seg, len, &seed);
		seg[16] = seg[17] = 0;
		check = plain_tcp(addrs, 8, 6, seg, len);
		seg[16] = (uint8_t)(check >> 8);
		seg[17] = (uint8_t)check;
		assert_true(checksum_tcp_ok(
			checksum_pseudo_ipv4(addrs, addrs + 4, 6, (uint16_t)len), seg, len));
		seg[len - 1] ^= 0x10;
		assert_false(checksum_tcp_ok(
			checksum_pseudo_ipv4(addrs, addrs + 4, 6, (uint16_t)len), seg, len));

		seg[16] = seg[17] = 0;
		check = plain_tcp(addrs, 32, 6, seg, len);
		seg[16] = (uint8_t)(check >> 8);
		seg[17] = (uint8_t)check;
		assert_true(checksum_tcp_ok(
			checksum_pseudo_ipv6(addrs, addrs + 16, 6, (uint32_t)len), seg, len));
		addrs[15] ^= 1;
		assert_false(checksum_tcp_ok(
			checksum_pseudo_ipv6(addrs, addrs + 16, 6, (uint32_t)len), seg, len));
	}
}

static void a_change_is_made_up_for_wherever_it_is(void **state)
{
	uint8_t seg[200], before[CHECKSUM_UPDATE_MAX];
	uint64_t seed = 4;

	for (size_t at = 18; at < 100; at++) {
		for (size_t len = 1; len <= CHECKSUM_UPDATE_MAX; len++) {
			uint16_t sum;

			fill_random(seg, sizeof(seg), &seed);
			memset(seg + 16, 0, 2);
			sum = checksum_finish(checksum_add(0, seg, sizeof(seg)));
			memcpy(seg + 16, &sum, 2);
			memcpy(before, seg + at, len);
			fill_random(seg + at, len, &seed);
			/* And nothing but zeroes, or ones. */
			if (len % 5 == 0)
				memset(seg + at, len % 2 ? 0xff : 0, len);
			checksum_update(seg + 16, at, before, seg + at, len);
			assert_true(checksum_tcp_ok(0, seg, sizeof(seg)));
		}
	}
}

static void pseudo_ipv6_counts_the_whole_length(void **state)
{
	const uint8_t addr[16] = {0};

	assert_int_equal(network(checksum_finish(checksum_pseudo_ipv6(addr, addr, 6, 0x00020001))),
			 0xffff - (2 + 1 + 6));
}

static void udp_without_a_checksum_is_for_ipv4_only(void **state)
{
	const uint8_t addrs[32] = {10, 0, 0, 1, 10, 0, 0, 2};
	uint8_t dgram[12] = {0x13, 0xc4, 0x13, 0xc4, 0, 12, 0, 0, 'p', 'i', 'n', 'g'};
	uint64_t v4 = checksum_pseudo_ipv4(addrs, addrs + 4, 17, 12);
	uint64_t v6 = checksum_pseudo_ipv6(addrs, addrs + 16, 17, 12);
	uint16_t check;

	assert_true(checksum_udp_ipv4_ok(v4, dgram, 12));
	assert_false(checksum_udp_ipv6_ok(v6, dgram, 12));

	check = checksum_finish(checksum_add(v6, dgram, 12));
	memcpy(dgram + 6, &check, 2);
	assert_true(checksum_udp_ipv6_ok(v6, dgram, 12));
	dgram[11] ^= 1;
	assert_false(checksum_udp_ipv6_ok(v6, dgram, 12));
	assert_false(checksum_udp_ipv4_ok(v4, dgram, 12));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc1071_example),
		cmocka_unit_test(ipv4_header_verifies_and_every_flipped_bit_shows),
		cmocka_unit_test(same_as_plain_for_every_length_and_alignment),
		cmocka_unit_test(carries_are_not_lost_in_64k_of_ones),
		cmocka_unit_test(pieces_sum_like_the_whole),
		cmocka_unit_test(tcp_over_both_families),
		cmocka_unit_test(a_change_is_made_up_for_wherever_it_is),
		cmocka_unit_test(pseudo_ipv6_counts_the_whole_length),
		cmocka_unit_test(udp_without_a_checksum_is_for_ipv4_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
