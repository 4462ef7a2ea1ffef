/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Edited connections at the edges: in fragments, beyond the gate's room, after their end, and what
 * routers say of them.
 */
#include <netinet/in.h>

#include "dataplane/packet_write.h"
#include "dataplane/tcp/checksum.h"
#include "dataplane/tcp/tcp.h"
#include "dataplane/tcp/tcp_option.h"
#include "tests/edited_talk.h"
#include "tests/unit/test.h"

/* Fragments ----------------------------------------------------------------- */

/* The frame's packet in fragments of `size` bytes, a multiple of 8. */
static void put_fragments(const uint8_t *frame, uint32_t len, uint32_t size)
{
	uint32_t head = 14 + (ends.ipv6 ? 40 : 20), extra = ends.ipv6 ? 8 : 0;

	for (uint32_t at = 0; at < len - head; at += size) {
		uint32_t n = RTE_MIN(size, len - head - at);
		bool last = head + at + n == len;
		uint8_t out[4096], *ip = out + 14;

		memcpy(out, frame, head);
		memcpy(out + head + extra, frame + head + at, n);
		if (ends.ipv6) {
			/* RFC 8200 4.5. */
			memset(out + head, 0, 8);
			out[head] = ip[6];
			ip[6] = IPPROTO_FRAGMENT;
			put16(ip + 4, n + 8);
			put16(out + head + 2, at | !last);
			put32(out + head + 4, 77);
		} else {
			uint16_t sum;

			put16(ip + 2, 20 + n);
			put16(ip + 4, 77);
			put16(ip + 6, at / 8 | (last ? 0 : 0x2000));
			put16(ip + 10, 0);
			sum = checksum_finish(checksum_add(0, ip, 20));
			memcpy(ip + 10, &sum, 2);
		}
		gate_fixture_put(&g, LINK_ETHERNET, out, head + extra + n, 0);
	}
}

static void a_segment_in_fragments_is_cut_like_any_other(void **state)
{
	static const char text[] = GOOD EVIL GOOD;

	for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
		uint8_t frame[4096];
		struct segment s;

		talk_heard(ipv6);
		gate_fixture_forget(&g);
		s = segment_of(CLIENT, TCP_ACK, SAID, TOLD, text);
		put_fragments(frame, segment_write(frame, &ends, &s), 40);
		gate_fixture_run(&g);
		assert_left(CLIENT, 0, TCP_ACK, HEARD, REPLIED, GOOD);
		assert_left(CLIENT, 1, TCP_ACK, HEARD + sizeof(GOOD) - 1, REPLIED, GOOD);
		assert_null(left(CLIENT, 2));
	}
}

static void what_came_in_fragments_fits_every_path(void **state)
{
	static char text[3000];

	for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
		uint8_t frame[4096];
		uint32_t heard = 0;
		struct segment s;

		talk_heard(ipv6);
		gate_fixture_forget(&g);
		memset(text, 0, sizeof(text));
		while (strlen(text) + sizeof(GOOD) < sizeof(text) - 40)
			strcat(text, GOOD);
		s = segment_of(CLIENT, TCP_ACK, SAID, TOLD, text);
		put_fragments(frame, segment_write(frame, &ends, &s), 1200);
		gate_fixture_run(&g);
		for (unsigned n = 0; left(CLIENT, n); n++) {
			const struct left_packet *p = left(CLIENT, n);

			assert_in_range(p->len - p->hdr.l3, 1, 1280);
			assert_int_equal(p->hdr.seq - isn[CLIENT], HEARD + heard);
			assert_memory_equal(p->bytes + p->hdr.payload, text + heard,
					    p->hdr.payload_len);
			heard += p->hdr.payload_len;
		}
		assert_int_equal(heard, strlen(text));
	}
}

/* Bounds -------------------------------------------------------------------- */

#define TOO_MANY "421 4.3.2 Too many refused commands, closing connection\r\n"

static unsigned count_in(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

/* A client that never acknowledges a word, and asks on. */
static void more_refusals_than_there_is_room_for_end_the_session(void **state)
{
	static char heard[65536] = REFUSED, text[4096];
	uint32_t at = SAID, len = 0;
	bool reset = false, fin = false;

	talk_edited(false);
	for (unsigned n = 0; n < 40; n++) {
		const struct left_packet *p;

		text[0] = '\0';
		for (unsigned k = 0; k < 20; k++)
			strcat(text, EVIL);
		put(CLIENT, TCP_ACK, at, REPLIED, text);
		at += (uint32_t)strlen(text);
		for (unsigned k = 0; (p = left(SERVER, k)); k++) {
			uint32_t to = p->hdr.seq - isn[SERVER] - REPLIED;

			fin |= p->hdr.tcp_flags & TCP_FIN;
			if (!p->hdr.payload_len)
				continue;
			assert_true(to + p->hdr.payload_len < sizeof(heard));
			memcpy(heard + to, p->bytes + p->hdr.payload, p->hdr.payload_len);
			len = RTE_MAX(len, to + p->hdr.payload_len);
		}
		/* Not one of them reached the server. */
		for (unsigned k = 0; (p = left(CLIENT, k)); k++) {
			assert_int_equal(p->hdr.payload_len, 0);
			assert_int_equal(p->hdr.seq - isn[CLIENT], HEARD);
			reset |= p->hdr.tcp_flags & TCP_RST;
		}
	}
	assert_in_range(count_in(heard, REFUSED), 90, 200);
	assert_int_equal(count_in(heard, TOO_MANY), 1);
	assert_string_equal(heard + len - strlen(TOO_MANY), TOO_MANY);
	assert_true(g.w->counters->reasons[REASON_EDIT_BUDGET] >= 1);
	assert_true(reset && fin);
}

#define LINES 250 /* of LINE bytes: more than TCP_HISTORY */
#define LINE  1400

static void line_put(uint32_t n, uint32_t at, char fill)
{
	char line[LINE + 1];

	memset(line, fill, LINE);
	memcpy(line + LINE - 2, "\r\n", 3);
	put(CLIENT, TCP_ACK, at + n * LINE, sizeof(GREETING OK OK OK "354 go\r\n") - 1, line);
}

/* What is lost behind the gate is sent again, and must not be let down for what came after it. */
static void no_more_is_on_its_way_than_can_be_compared(void **state)
{
	const uint32_t at = HEARD + sizeof(GOOD "DATA\r\n") - 1;
	uint32_t first = 0;

	wire_new(false);
	talk_begin();
	put(CLIENT, TCP_ACK, HEARD, REPLIED, GOOD);
	put(SERVER, TCP_ACK, REPLIED, HEARD + sizeof(GOOD) - 1, OK);
	put(CLIENT, TCP_ACK, HEARD + sizeof(GOOD) - 1, REPLIED + sizeof(OK) - 1, "DATA\r\n");
	put(SERVER, TCP_ACK, REPLIED + sizeof(OK) - 1, at, "354 go\r\n");
	for (uint32_t n = 0; n < LINES; n++) {
		line_put(n, at, 'a');
		if (!g.left_count && !first)
			first = n;
		assert_int_equal(g.left_count, first ? 0 : 1);
	}
	assert_in_range(first * LINE, TCP_HISTORY - LINE, TCP_HISTORY + LINE);
	/* What came behind it waited like all that comes beyond a gap. */
	assert_int_equal(g.w->counters->reasons[REASON_CONGESTION], 1);
	/* The first copy, whatever comes now. */
	line_put(0, at, 'b');
	assert_int_equal(g.left_count, 1);
	assert_int_equal(left(CLIENT, 0)->bytes[left(CLIENT, 0)->hdr.payload], 'a');
	line_put(first, at, 'a');
	assert_int_equal(g.left_count, 0);
	put(SERVER, TCP_ACK, REPLIED + sizeof(OK "354 go\r\n") - 1, at + 2 * LINE, NULL);
	line_put(first, at, 'a');
	assert_true(g.left_count > 1);
}

/* Of a session that is over the gate takes all that its client still has to say. */
static void a_refused_client_is_read_to_its_end(void **state)
{
	static const char more[] = EVIL EVIL EVIL EVIL;
	uint32_t at = SAID;

	talk_edited(false);
	put(CLIENT, TCP_ACK, at, TOLD, GOOD);
	at += sizeof(GOOD) - 1;
	while (g.w->counters->reasons[REASON_EDIT_BUDGET] == 0) {
		put(CLIENT, TCP_ACK, at, TOLD, more);
		at += sizeof(more) - 1;
	}
	/* It has not replied yet. */
	put(SERVER, TCP_ACK, REPLIED, HEARD + sizeof(GOOD) - 1, NULL);
	for (uint32_t n = 0; n < LINES; n++) {
		line_put(n, at, 'a');
		assert_non_null(left(SERVER, 0));
		assert_int_equal(left(SERVER, 0)->hdr.ack - isn[CLIENT], at + (n + 1) * LINE);
	}
	assert_int_equal(g.w->counters->reasons[REASON_CONGESTION], 0);
}

static void windows_are_no_larger_than_that(void **state)
{
	static const uint8_t scale[4] = {TCP_OPTION_SCALE, 3, 7, TCP_OPTION_NOP};
	struct segment s;

	wire_new(true);
	for (unsigned from = 0; from < 2; from++) {
		s = segment_of(from, TCP_SYN | (from ? TCP_ACK : 0), 0, 0, NULL);
		memcpy(s.options, scale, sizeof(scale));
		s.options_len = sizeof(scale);
		s.window = 65535;
		put_segment(&s);
		/* A SYN's is not scaled. */
		assert_int_equal(left(from, 0)->hdr.window, 65535);
	}
	for (unsigned from = 0; from < 2; from++) {
		s = segment_of(from, TCP_ACK, 0, 0, NULL);
		s.window = 65535;
		put_segment(&s);
		assert_int_equal(left(from, 0)->hdr.window, TCP_HISTORY >> 7);
		s.window = 1000;
		put_segment(&s);
		assert_int_equal(left(from, 0)->hdr.window, 1000);
	}
}

/* An end that did not hear the other's last acknowledgement says its FIN again for a while. */
static void a_fin_sent_late_is_still_translated(void **state)
{
	talk_heard(false);
	put(SERVER, TCP_ACK | TCP_FIN, REPLIED, HEARD, NULL);
	put(CLIENT, TCP_ACK | TCP_FIN, SAID, TOLD + 1, NULL);
	put(SERVER, TCP_ACK, REPLIED + 1, HEARD + 1, NULL);
	pass(55 * SECOND);
	put(CLIENT, TCP_ACK | TCP_FIN, SAID, TOLD + 1, NULL);
	assert_left(CLIENT, 0, TCP_ACK | TCP_FIN, HEARD, REPLIED + 1, NULL);
}

/* ICMP ---------------------------------------------------------------------- */

/* RFC 8200 4: what the quoted packet has between its IPv6 header and TCP; the first is `kind`. */
static struct {
	uint8_t kind;
	uint32_t len;
	uint8_t bytes[64];
} extensions;

/* What a router says of a packet that left the gate: `quoted` bytes of its transport header. */
static uint32_t error_write(uint8_t *frame, const struct left_packet *about, unsigned to,
			    uint32_t quoted)
{
	const uint32_t head = (uint32_t)(about->hdr.l4 - about->hdr.l3);
	uint32_t len = head + extensions.len + quoted, l4;
	struct segment_ends router = ends;
	uint64_t sum = 0;
	uint16_t field;
	uint8_t *icmp;

	router.addr[!to][ends.ipv6 ? 14 : 2] ^= 1;
	l4 = segment_write_ip(frame, &router, !to, ends.ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
			      8 + len);
	icmp = frame + l4;
	memset(icmp, 0, 8);
	icmp[0] = ends.ipv6 ? 2 : 3; /* too big; unreachable, fragmentation needed */
	icmp[1] = ends.ipv6 ? 0 : 4;
	put32(icmp + 4, 1400);
	memcpy(icmp + 8, about->bytes + about->hdr.l3, head);
	if (extensions.len)
		icmp[8 + 6] = extensions.kind;
	memcpy(icmp + 8 + head, extensions.bytes, extensions.len);
	memcpy(icmp + 8 + head + extensions.len, about->bytes + about->hdr.l4, quoted);
	if (ends.ipv6)
		sum = checksum_pseudo_ipv6(router.addr[!to], router.addr[to], IPPROTO_ICMPV6,
					   8 + len);
	field = checksum_finish(checksum_add(sum, icmp, 8 + len));
	memcpy(icmp + 2, &field, 2);
	return l4 + 8 + len;
}

/* The quoted TCP header; checksums of what left are right. */
static const uint8_t *error_left(uint32_t l3, uint32_t len, unsigned to)
{
	const struct left_packet *p = &g.left[0];
	uint32_t head = ends.ipv6 ? 40 : 20;
	const uint8_t *ip = p->bytes + l3;
	uint64_t sum = 0;

	assert_int_equal(g.left_count, 1);
	assert_int_equal(p->len, len);
	assert_int_equal(p->meta.role, to == CLIENT ? PORT_INSIDE : PORT_OUTSIDE);
	if (ends.ipv6)
		sum = checksum_pseudo_ipv6(ip + 8, ip + 24, IPPROTO_ICMPV6, len - l3 - head);
	assert_int_equal(checksum_finish(checksum_add(sum, ip + head, len - l3 - head)), 0);
	return ip + head + 8 + head + extensions.len;
}

/* An error to `to` about its segment that left at offset `now` and was sent at `sent`. */
static void check_error(unsigned to, uint32_t now, uint32_t sent, uint32_t quoted)
{
	uint8_t frame[4096];
	const struct left_packet *about = left(to, 0);
	const uint8_t *tcp;
	uint32_t len;

	assert_non_null(about);
	assert_int_equal(about->hdr.seq - isn[to], now);
	len = error_write(frame, about, to, quoted);
	gate_fixture_forget(&g);
	gate_fixture_put(&g, LINK_ETHERNET, frame, len, 0);
	gate_fixture_run(&g);
	tcp = error_left(14, len, to);
	assert_int_equal(get32(tcp + 4) - isn[to], sent);
}

/* RFC 5927 4.1: no host would believe it otherwise. */
static void errors_quote_the_numbers_that_the_sender_used(void **state)
{
	static const uint32_t quoted[] = {8, 17, 18, 20, 20 + sizeof(GOOD) - 1};

	for (unsigned n = 0; n < 2 * RTE_DIM(quoted); n++) {
		talk_heard(n % 2);
		put(CLIENT, TCP_ACK, SAID, TOLD, GOOD);
		check_error(CLIENT, HEARD, SAID, quoted[n / 2]);
		put(SERVER, TCP_ACK, REPLIED, HEARD + sizeof(GOOD) - 1, OK);
		check_error(SERVER, TOLD, REPLIED, RTE_MIN(quoted[n / 2], 20 + sizeof(OK) - 1));
		/* And behind that all is as before. */
		put(CLIENT, TCP_ACK, SAID + sizeof(GOOD) - 1, TOLD + sizeof(OK) - 1, MAIL);
		assert_left(CLIENT, 0, TCP_ACK, HEARD + sizeof(GOOD) - 1, REPLIED + sizeof(OK) - 1,
			    MAIL);
	}
}

/* RFC 4443 3: as much of the packet as fits, extension headers first. */
static void what_stands_before_the_quoted_segment_is_walked(void **state)
{
	static const struct {
		uint8_t kind;
		uint32_t len;
		uint8_t bytes[40];
		bool walked;
	} rows[] = {
		{60, 8, {6, 0}, true},                            /* destination options */
		{0, 32, {43, 0, [8] = 60, 1, [24] = 6, 0}, true}, /* hop by hop, routing, options */
		{51, 24, {6, 4}, true},                           /* AH of 12 bytes */
		{44, 8, {6, 0, 0, 1}, true},                      /* the first of its fragments */
		{44, 8, {6, 0, 0, 9}, false},                     /* a later one */
		{60, 8, {17, 0}, false},                          /* no TCP */
		{60, 8, {6, 200}, false},                         /* beyond what is quoted */
	};

	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		talk_heard(true);
		assert_true(ends.ipv6);
		put(CLIENT, TCP_ACK, SAID, TOLD, GOOD);
		extensions.kind = rows[i].kind;
		extensions.len = rows[i].len;
		memcpy(extensions.bytes, rows[i].bytes, sizeof(rows[i].bytes));
		check_error(CLIENT, HEARD, rows[i].walked ? SAID : HEARD, 20);
		extensions.len = 0;
	}
}

/* A whole segment that is quoted has the checksum that its sender gave it. */
static void a_quoted_checksum_is_the_senders(void **state)
{
	uint8_t sent[4096], frame[4096];
	struct segment s;
	const uint8_t *tcp;
	uint32_t len;

	talk_heard(false);
	s = segment_of(CLIENT, TCP_ACK, SAID, REPLIED, GOOD);
	segment_write(sent, &ends, &s);
	s.ack += TOLD - REPLIED;
	put_segment(&s);
	len = error_write(frame, left(CLIENT, 0), CLIENT, 20);
	gate_fixture_forget(&g);
	gate_fixture_put(&g, LINK_ETHERNET, frame, len, 0);
	gate_fixture_run(&g);
	tcp = error_left(14, len, CLIENT);
	assert_memory_equal(tcp, sent + 34, 20);
}

static void errors_that_are_none_of_the_gates_pass_as_they_are(void **state)
{
	uint8_t frame[4096];
	struct segment s;
	uint32_t len;

	/* Too short, in all ways; the last one is whole. */
	talk_heard(false);
	put(CLIENT, TCP_ACK, SAID, TOLD, GOOD);
	len = error_write(frame, left(CLIENT, 0), CLIENT, 8);
	for (uint32_t cut = 14; cut < len; cut++) {
		gate_fixture_forget(&g);
		gate_fixture_put(&g, LINK_ETHERNET, frame, cut, len);
		gate_fixture_run(&g);
		assert_int_equal(g.left_count, 1);
		assert_memory_equal(g.left[0].bytes, frame, cut);
	}
	/* About a segment that has not crossed the gate yet: from the side of its sender. */
	put(CLIENT, TCP_ACK, SAID, TOLD, GOOD);
	len = error_write(frame, left(CLIENT, 0), SERVER, 8);
	gate_fixture_forget(&g);
	gate_fixture_put(&g, LINK_ETHERNET, frame, len, 0);
	gate_fixture_run(&g);
	assert_int_equal(g.left_count, 1);
	assert_memory_equal(g.left[0].bytes, frame, len);
	/* About another connection. */
	ends.port[CLIENT]++;
	s = segment_of(CLIENT, TCP_SYN, 0, 0, NULL);
	put_segment(&s);
	len = error_write(frame, left(CLIENT, 0), CLIENT, 8);
	gate_fixture_forget(&g);
	gate_fixture_put(&g, LINK_ETHERNET, frame, len, 0);
	gate_fixture_run(&g);
	assert_int_equal(g.left_count, 1);
	assert_memory_equal(g.left[0].bytes, frame, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_segment_in_fragments_is_cut_like_any_other),
		cmocka_unit_test(what_came_in_fragments_fits_every_path),
		cmocka_unit_test(more_refusals_than_there_is_room_for_end_the_session),
		cmocka_unit_test(no_more_is_on_its_way_than_can_be_compared),
		cmocka_unit_test(a_refused_client_is_read_to_its_end),
		cmocka_unit_test(windows_are_no_larger_than_that),
		cmocka_unit_test(a_fin_sent_late_is_still_translated),
		cmocka_unit_test(errors_quote_the_numbers_that_the_sender_used),
		cmocka_unit_test(what_stands_before_the_quoted_segment_is_walked),
		cmocka_unit_test(a_quoted_checksum_is_the_senders),
		cmocka_unit_test(errors_that_are_none_of_the_gates_pass_as_they_are),
	};

	return cmocka_run_group_tests(tests, edited_setup, edited_teardown);
}
