/* SPDX-License-Identifier: BSD-3-Clause */
/* Fragments: read as one packet, forwarded as they came, bounded. */
#include <netinet/in.h>

#include "dataplane/tcp/checksum.h"
#include "tests/gate_fixture.h"
#include "tests/unit/test.h"

#define SECOND UINT64_C(1000000000)

static struct gate_fixture g;

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* An IP payload to be cut up: a UDP datagram to port 5060 that holds `len` bytes. */
struct whole {
	uint8_t bytes[65536 + 128]; /* a fragment may claim to end beyond a datagram */
	uint32_t len;
	uint16_t id;
	uint8_t family;
};

static uint8_t address[2][16] = {{10, 1, 0, 2}, {203, 0, 113, 9}};

static struct whole *options(uint8_t family, uint32_t padding)
{
	static struct whole w;
	static uint16_t id;
	uint64_t pseudo;
	uint16_t sum;
	int n;

	w.family = family;
	w.id = ++id;
	n = snprintf((char *)w.bytes + 8, 1024,
		     "OPTIONS sip:b@example.com SIP/2.0\r\n"
		     "Via: SIP/2.0/UDP 10.1.0.2:5060;branch=z9hG4bK%u\r\n"
		     "From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\n"
		     "Call-ID: %u@10.1.0.2\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
		     "Content-Length: %u\r\n\r\n",
		     id, id, padding);
	memset(w.bytes + 8 + n, 'x', padding);
	w.len = 8 + (uint32_t)n + padding;
	put16(w.bytes, 5060);
	put16(w.bytes + 2, 5060);
	put16(w.bytes + 4, w.len);
	put16(w.bytes + 6, 0);
	pseudo = family == 4 ? checksum_pseudo_ipv4(address[0], address[1], 17, (uint16_t)w.len)
			     : checksum_pseudo_ipv6(address[0], address[1], 17, w.len);
	sum = checksum_finish(checksum_add(pseudo, w.bytes, w.len));
	memcpy(w.bytes + 6, &sum, 2);
	return &w;
}

static uint32_t fragment_ipv4(uint8_t *to, const struct whole *w, uint32_t from, uint32_t len,
			      bool more)
{
	memset(to, 0, 34);
	to[12] = 8;
	to[14] = 0x45;
	put16(to + 16, 20 + len);
	put16(to + 18, w->id);
	put16(to + 20, from / 8 | (more ? 0x2000 : 0));
	to[22] = 64;
	to[23] = 17;
	memcpy(to + 26, address[0], 4);
	memcpy(to + 30, address[1], 4);
	memcpy(to + 34, w->bytes + from, len);
	to[24] = to[25] = 0;
	uint16_t sum = checksum_finish(checksum_add(0, to + 14, 20));
	memcpy(to + 24, &sum, 2);
	return 34 + len;
}

/* `extensions`: the headers between the IPv6 header and the fragment header, the first of
 * type `first`. */
static uint32_t fragment_ipv6(uint8_t *to, const struct whole *w, uint32_t from, uint32_t len,
			      bool more, uint8_t first, const uint8_t *extensions, uint32_t ext_len,
			      uint8_t upper)
{
	uint8_t *fh = to + 14 + 40 + ext_len;

	memset(to, 0, 54);
	to[12] = 0x86;
	to[13] = 0xdd;
	to[14] = 0x60;
	put16(to + 18, ext_len + 8 + len);
	to[20] = ext_len ? first : 44;
	to[21] = 64;
	memcpy(to + 22, address[0], 16);
	memcpy(to + 38, address[1], 16);
	if (ext_len)
		memcpy(to + 54, extensions, ext_len);
	memset(fh, 0, 8);
	fh[0] = upper;
	put16(fh + 2, from | more);
	put16(fh + 6, w->id);
	memcpy(fh + 8, w->bytes + from, len);
	return 62 + ext_len + len;
}

static void put_fragment(const struct whole *w, uint32_t from, uint32_t len, bool more)
{
	static uint8_t frame[FIXTURE_FRAME];
	uint32_t size = w->family == 4 ? fragment_ipv4(frame, w, from, len, more)
				       : fragment_ipv6(frame, w, from, len, more, 0, NULL, 0, 17);

	gate_fixture_put(&g, LINK_ETHERNET, frame, size, 0);
}

/* The place of fragment k of those of `size` bytes each. */
static void put_nth(const struct whole *w, uint32_t size, uint32_t k)
{
	uint32_t from = k * size, len = RTE_MIN(size, w->len - from);

	put_fragment(w, from, len, from + len < w->len);
}

static uint32_t pieces_of(const struct whole *w, uint32_t size)
{
	return (w->len + size - 1) / size;
}

static uint64_t requests(void)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < COUNTED_NAMES; i++)
		n += g.w->counters->sip.requests[i].count;
	return n;
}

static uint64_t reason(enum reason r)
{
	return g.w->counters->reasons[r];
}

static int setup(void **state)
{
	gate_fixture_open(&g, NULL);
	return 0;
}

static int teardown(void **state)
{
	gate_fixture_close(&g);
	return 0;
}

static int each(void **state)
{
	gate_fixture_reset(&g);
	return 0;
}

/* Orders ------------------------------------------------------------------ */

static void assert_read_and_forwarded(uint32_t pieces)
{
	gate_fixture_run(&g);
	assert_int_equal(requests(), 1);
	assert_int_equal(g.w->counters->sip.malformed, 0);
	assert_int_equal(g.left_count, pieces);
	for (uint32_t i = 0; i < pieces; i++)
		assert_int_equal(g.left[i].hdr.class, CLASS_FRAGMENT);
	assert_int_equal(g.w->counters->verdicts[VERDICT_DROP], 0);
}

static void fragments_in_order_are_read_as_one_and_leave_as_they_came(void **state)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		const struct whole *w = options(family, 900);

		each(NULL);
		for (uint32_t k = 0; k < pieces_of(w, 400); k++)
			put_nth(w, 400, k);
		assert_read_and_forwarded(pieces_of(w, 400));
	}
}

static void fragments_in_reverse_order_are_read_as_one(void **state)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		const struct whole *w = options(family, 900);

		each(NULL);
		for (uint32_t k = pieces_of(w, 400); k-- > 0;)
			put_nth(w, 400, k);
		assert_read_and_forwarded(pieces_of(w, 400));
	}
}

static void a_burst_between_two_fragments_changes_nothing(void **state)
{
	const struct whole *w = options(4, 900);

	/* The gate's clock stands where the last packet left it: an hour ago. */
	g.time += 3600 * SECOND;
	put_nth(w, 800, 0);
	gate_fixture_run(&g);
	put_nth(w, 800, 1);
	assert_read_and_forwarded(2);
}

static void many_tiny_fragments_are_read_as_one(void **state)
{
	const struct whole *w = options(4, 0);

	for (uint32_t k = pieces_of(w, 8); k-- > 0;)
		put_nth(w, 8, k);
	assert_read_and_forwarded(pieces_of(w, 8));
}

/* A 20 KB message; and the largest that UDP has room for is refused without harm. */
static void large_datagrams_are_read_and_the_largest_does_no_harm(void **state)
{
	const struct whole *w = options(4, 20000);

	for (uint32_t k = 0; k < pieces_of(w, 1480); k++)
		put_nth(w, 1480, k);
	assert_read_and_forwarded(pieces_of(w, 1480));
	each(NULL);
	w = options(4, 65515 - 8 - 300);
	for (uint32_t k = 0; k < pieces_of(w, 1480); k++)
		put_nth(w, 1480, k);
	gate_fixture_run(&g);
	assert_int_equal(requests(), 0);
	assert_true(reason(REASON_FRAGMENT_BAD) > 0);
	assert_int_equal(g.left_count, 0);
}

static void ipv6_extension_headers_before_the_fragment_header_are_kept(void **state)
{
	/* Hop-by-hop options, then a fragment header that fragments nothing (RFC 6946). */
	static const uint8_t extensions[24] = {[0] = 60, [8] = 44, [16] = 44, [17] = 0xff};
	const struct whole *w = options(6, 900);
	uint8_t frame[2048];

	for (uint32_t k = 0; k < 2; k++) {
		uint32_t from = k * 800, len = k ? w->len - 800 : 800;
		uint32_t size = fragment_ipv6(frame, w, from, len, k == 0, 0, extensions, 24, 17);

		gate_fixture_put(&g, LINK_ETHERNET, frame, size, 0);
	}
	assert_read_and_forwarded(2);
}

/* Linux puts the outer ones together and reads on. */
static void fragments_within_fragments_do_not_pass_unread(void **state)
{
	struct whole *w = options(6, 900);
	static struct whole inner;
	uint8_t frame[2048];

	/* The whole payload begins with a fragment header of its own: atomic, so it is read. */
	inner = *w;
	memset(inner.bytes, 0, 8);
	inner.bytes[0] = 17;
	memcpy(inner.bytes + 8, w->bytes, w->len);
	inner.len = w->len + 8;
	for (uint32_t k = 0; k < 2; k++) {
		uint32_t from = k * 800, len = k ? inner.len - 800 : 800;
		uint32_t size = fragment_ipv6(frame, &inner, from, len, k == 0, 0, NULL, 0, 44);

		gate_fixture_put(&g, LINK_ETHERNET, frame, size, 0);
	}
	assert_read_and_forwarded(2);
	/* A true one: nobody's honest packet. */
	each(NULL);
	inner.id++;
	inner.bytes[3] = 1;
	for (uint32_t k = 0; k < 2; k++) {
		uint32_t from = k * 800, len = k ? inner.len - 800 : 800;
		uint32_t size = fragment_ipv6(frame, &inner, from, len, k == 0, 0, NULL, 0, 44);

		gate_fixture_put(&g, LINK_ETHERNET, frame, size, 0);
	}
	gate_fixture_run(&g);
	assert_int_equal(g.left_count, 0);
	assert_true(reason(REASON_FRAGMENT_BAD) > 0);
}

/* What can't be put together ---------------------------------------------- */

static void a_copy_of_a_fragment_does_no_harm(void **state)
{
	const struct whole *w = options(4, 900);

	put_nth(w, 800, 0);
	put_nth(w, 800, 0);
	put_nth(w, 800, 1);
	gate_fixture_run(&g);
	assert_int_equal(requests(), 1);
	assert_int_equal(g.left_count, 2);
}

static void overlapping_fragments_are_dropped_with_all_that_came(void **state)
{
	struct whole *w = options(4, 900);

	put_fragment(w, 0, 800, true);
	put_fragment(w, 792, w->len - 792, false);
	gate_fixture_run(&g);
	assert_int_equal(requests(), 0);
	assert_int_equal(g.left_count, 0);
	assert_int_equal(reason(REASON_FRAGMENT_BAD), 2);
	/* The same place, other bytes. */
	each(NULL);
	w = options(4, 900);
	put_fragment(w, 0, 800, true);
	w->bytes[100] ^= 1;
	put_fragment(w, 0, 800, true);
	put_fragment(w, 800, w->len - 800, false);
	gate_fixture_run(&g);
	assert_int_equal(requests(), 0);
	assert_int_equal(g.left_count, 0);
}

static void impossible_fragments_are_dropped(void **state)
{
	const struct whole *w = options(4, 900);

	/* Not a multiple of eight, and not the last; beyond 64 KiB; two different ends. */
	put_fragment(w, 0, 801, true);
	put_fragment(w, 65528, 100, false);
	put_fragment(w, 800, 200, false);
	put_fragment(w, 1000, 40, false);
	gate_fixture_run(&g);
	assert_int_equal(g.left_count, 0);
	assert_int_equal(reason(REASON_FRAGMENT_BAD), 4);
}

static void what_stays_unfinished_is_dropped_when_its_time_is_up(void **state)
{
	const struct whole *w = options(4, 900);

	put_nth(w, 800, 0);
	gate_fixture_run(&g);
	g.time += 31 * SECOND;
	put_nth(w, 800, 1);
	gate_fixture_run(&g);
	assert_int_equal(requests(), 0);
	assert_int_equal(reason(REASON_FRAGMENT_TIMEOUT), 1);
	gate_fixture_finish(&g);
	assert_int_equal(reason(REASON_FRAGMENT_TIMEOUT), 2);
	assert_int_equal(g.left_count, 0);
}

static void unfinished_packets_are_bounded_and_so_are_their_fragments(void **state)
{
	struct whole *w = options(4, 60000);

	for (unsigned i = 0; i < 400; i++) {
		w->id = (uint16_t)(1000 + i);
		put_nth(w, 800, 0);
	}
	gate_fixture_run(&g);
	assert_true(reason(REASON_FRAGMENT_BUDGET) > 0);
	assert_in_range(rte_mempool_in_use_count(g.gate->large), 1, 64);
	assert_in_range(rte_mempool_in_use_count(g.gate->small), 1, 64);
	each(NULL);
	/* Eight bytes at a time: seven thousand buffers for one packet. */
	w->id++;
	for (uint32_t k = 0; k + 1 < pieces_of(w, 8); k++)
		put_nth(w, 8, k);
	gate_fixture_run(&g);
	assert_in_range(rte_mempool_in_use_count(g.gate->small), 0, 256);
}

static void other_protocols_fragments_pass(void **state)
{
	const struct whole *w = options(4, 900);
	uint8_t frame[2048];
	uint32_t size = fragment_ipv4(frame, w, 0, 800, true);

	frame[23] = IPPROTO_ICMP;
	gate_fixture_put(&g, LINK_ETHERNET, frame, size, 0);
	gate_fixture_run(&g);
	assert_int_equal(g.left_count, 1);
	assert_int_equal(g.w->counters->link.fragments, 1);
}

static void a_datagram_with_a_bad_checksum_is_nothing_to_read(void **state)
{
	struct whole *w = options(4, 900);

	w->bytes[7] ^= 0x55;
	put_nth(w, 800, 0);
	put_nth(w, 800, 1);
	gate_fixture_run(&g);
	assert_int_equal(requests(), 0);
	assert_int_equal(g.left_count, 0);
	assert_int_equal(reason(REASON_BAD_CHECKSUM), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(fragments_in_order_are_read_as_one_and_leave_as_they_came,
				       each),
		cmocka_unit_test_setup(fragments_in_reverse_order_are_read_as_one, each),
		cmocka_unit_test_setup(a_burst_between_two_fragments_changes_nothing, each),
		cmocka_unit_test_setup(many_tiny_fragments_are_read_as_one, each),
		cmocka_unit_test_setup(large_datagrams_are_read_and_the_largest_does_no_harm, each),
		cmocka_unit_test_setup(ipv6_extension_headers_before_the_fragment_header_are_kept,
				       each),
		cmocka_unit_test_setup(fragments_within_fragments_do_not_pass_unread, each),
		cmocka_unit_test_setup(a_copy_of_a_fragment_does_no_harm, each),
		cmocka_unit_test_setup(overlapping_fragments_are_dropped_with_all_that_came, each),
		cmocka_unit_test_setup(impossible_fragments_are_dropped, each),
		cmocka_unit_test_setup(what_stays_unfinished_is_dropped_when_its_time_is_up, each),
		cmocka_unit_test_setup(unfinished_packets_are_bounded_and_so_are_their_fragments,
				       each),
		cmocka_unit_test_setup(other_protocols_fragments_pass, each),
		cmocka_unit_test_setup(a_datagram_with_a_bad_checksum_is_nothing_to_read, each),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
