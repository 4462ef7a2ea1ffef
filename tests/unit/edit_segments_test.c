/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An edited connection, segment by segment: what hosts may send at any moment, behind a command
 * that was cut out and an answer that came in. Offsets are as their senders and receivers count,
 * from the first byte of a stream.
 */
#include <netinet/in.h>
#include <unistd.h>

#include "dataplane/checksum.h"
#include "dataplane/editor.h"
#include "dataplane/packet_write.h"
#include "dataplane/tcp.h"
#include "dataplane/tcp_option.h"
#include "tests/gate_fixture.h"
#include "tests/segment.h"
#include "tests/text_file.h"
#include "tests/unit/test.h"

#define SECOND UINT64_C(1000000000)
#define PSH    0x08
#define ECE    0x40
#define CWR    0x80

#define GREETING "220 mx\r\n"
#define EHLO     "EHLO one.example\r\n"
#define MAIL     "MAIL FROM:<a@one.example>\r\n"
#define EVIL     "RCPT TO:<evil@two.example>\r\n"
#define GOOD     "RCPT TO:<bob@two.example>\r\n"
#define OK       "250 ok\r\n"
#define REFUSED  "550 5.7.1 The recipient opted out of your mail\r\n"

/* What both have said when the command was refused: the client, as the server hears it, ... */
enum {
	SAID = sizeof(EHLO MAIL EVIL) - 1,
	HEARD = sizeof(EHLO MAIL) - 1,
	REPLIED = sizeof(GREETING OK OK) - 1,
	TOLD = sizeof(GREETING OK OK REFUSED) - 1,
};

enum { CLIENT, SERVER };

static const char config[] =
	"tenants: ({ id = 1; name = \"acme\"; prefixes = [ \"10.1.0.0/16\", \"2001:db8:1::/48\" "
	"];\n"
	"  optout = [ \"%s\" ]; });\n"
	"budgets: { flows = 256; sessions = 128; messages = 16; calls = 256; fragments = 64; };\n";

static struct gate_fixture g;

static int setup(void **state)
{
	struct text_file list = text_file_make("evil@two.example\n");
	char text[1024];

	snprintf(text, sizeof(text), config, list.path);
	gate_fixture_open_live(&g, text);
	unlink(list.path);
	return 0;
}

static int teardown(void **state)
{
	gate_fixture_close(&g);
	return 0;
}

/* The wire ------------------------------------------------------------------ */

static struct segment_ends ends;
static uint32_t isn[2]; /* of their first bytes */
static bool stamps;     /* each segment has them */
static uint32_t clock_of[2];

static void wire_new(bool ipv6)
{
	gate_fixture_reset(&g);
	ends = segment_ends(ipv6, 1, 40001, 25);
	isn[CLIENT] = 1000;
	isn[SERVER] = 5000000;
	stamps = false;
	clock_of[CLIENT] = 70000;
	clock_of[SERVER] = 90000;
}

static struct segment segment_of(unsigned from, uint8_t flags, uint32_t at, uint32_t ack,
				 const char *data)
{
	struct segment s = {
		.from = from,
		.flags = flags,
		.seq = isn[from] + at - !!(flags & TCP_SYN),
		.ack = isn[!from] + ack,
		.window = 8000,
		.data = data,
		.len = data ? (uint32_t)strlen(data) : 0,
	};

	if (!stamps)
		return s;
	s.options[0] = s.options[1] = TCP_OPTION_NOP;
	s.options[2] = TCP_OPTION_STAMPS;
	s.options[3] = 10;
	put32(s.options + 4, clock_of[from]++);
	put32(s.options + 8, flags & TCP_ACK ? clock_of[!from] - 1 : 0);
	s.options_len = 12;
	return s;
}

static void queue(const struct segment *s)
{
	uint8_t frame[4096];

	gate_fixture_put(&g, LINK_ETHERNET, frame, segment_write(frame, &ends, s), 0);
}

/* What left before is forgotten. */
static void put_segment(const struct segment *s)
{
	gate_fixture_forget(&g);
	queue(s);
	gate_fixture_run(&g);
}

static void put(unsigned from, uint8_t flags, uint32_t at, uint32_t ack, const char *data)
{
	struct segment s = segment_of(from, flags, at, ack, data);

	put_segment(&s);
}

/* Nothing comes; the gate looks at its timers. */
static void pass(uint64_t ns)
{
	gate_fixture_forget(&g);
	g.time += ns;
	g.w->now = g.time;
	worker_sweep(g.w);
	gate_fixture_turn(&g);
}

/* What left in that end's name, the n-th of it. NULL: no such. */
static const struct left_packet *left(unsigned from, unsigned n)
{
	for (unsigned i = 0; i < g.left_count; i++) {
		const struct left_packet *p = &g.left[i];

		assert_true(p->sound);
		if (p->hdr.class == CLASS_L4 && p->hdr.sport == ends.port[from] && n-- == 0)
			return p;
	}
	return NULL;
}

static void assert_left(unsigned from, unsigned n, uint8_t flags, uint32_t at, uint32_t ack,
			const char *data)
{
	const struct left_packet *p = left(from, n);

	assert_non_null(p);
	assert_int_equal(p->hdr.tcp_flags & ~PSH, flags & ~PSH);
	assert_int_equal(p->hdr.seq - isn[from], at);
	if (flags & TCP_ACK)
		assert_int_equal(p->hdr.ack - isn[!from], ack);
	assert_int_equal(p->hdr.payload_len, data ? strlen(data) : 0);
	if (data)
		assert_memory_equal(p->bytes + p->hdr.payload, data, strlen(data));
}

static void assert_only(unsigned client, unsigned server)
{
	assert_null(left(CLIENT, client));
	assert_null(left(SERVER, server));
	assert_int_equal(g.left_count, client + server);
}

/* Up to the command that is refused. */
static void talk_begin(void)
{
	struct segment syn = segment_of(CLIENT, TCP_SYN, 0, 0, NULL);

	put_segment(&syn);
	put(SERVER, TCP_SYN | TCP_ACK, 0, 0, NULL);
	put(CLIENT, TCP_ACK, 0, 0, NULL);
	put(SERVER, TCP_ACK, 0, 0, GREETING);
	put(CLIENT, TCP_ACK, 0, sizeof(GREETING) - 1, EHLO);
	put(SERVER, TCP_ACK, sizeof(GREETING) - 1, sizeof(EHLO) - 1, OK);
	put(CLIENT, TCP_ACK, sizeof(EHLO) - 1, sizeof(GREETING OK) - 1, MAIL);
	put(SERVER, TCP_ACK, sizeof(GREETING OK) - 1, HEARD, OK);
}

/* It is refused; `window`: what the client takes. */
static void talk_refuse(uint16_t window)
{
	struct segment s;

	talk_begin();
	s = segment_of(CLIENT, TCP_ACK, HEARD, REPLIED, EVIL);
	s.window = window;
	put_segment(&s);
	/* The server is told what of its own the client has, and no more. */
	assert_left(CLIENT, 0, TCP_ACK, HEARD, REPLIED, NULL);
}

static void talk_edited(bool ipv6)
{
	wire_new(ipv6);
	talk_refuse(8000);
	assert_left(SERVER, 0, TCP_ACK, REPLIED, SAID, REFUSED);
	assert_only(1, 1);
}

static void talk_heard(bool ipv6)
{
	talk_edited(ipv6);
	put(CLIENT, TCP_ACK, SAID, TOLD, NULL);
	assert_left(CLIENT, 0, TCP_ACK, HEARD, REPLIED, NULL);
	assert_only(1, 0);
}

/* The session goes on, in each one's numbers. */
static void talk_goes_on(void)
{
	put(CLIENT, TCP_ACK, SAID, TOLD, GOOD);
	assert_left(CLIENT, 0, TCP_ACK, HEARD, REPLIED, GOOD);
	put(SERVER, TCP_ACK, REPLIED, HEARD + sizeof(GOOD) - 1, OK);
	assert_left(SERVER, 0, TCP_ACK, TOLD, SAID + sizeof(GOOD) - 1, OK);
	assert_only(0, 1);
}

/* Numbers ------------------------------------------------------------------- */

static void sequence_numbers_wrap_anywhere_about_an_edit(void **state)
{
	for (uint32_t at = 0; at <= SAID + 4; at++) {
		wire_new(at % 2);
		isn[CLIENT] = isn[SERVER] = UINT32_MAX - at + 2;
		talk_refuse(8000);
		assert_left(SERVER, 0, TCP_ACK, REPLIED, SAID, REFUSED);
		put(CLIENT, TCP_ACK, SAID, TOLD, NULL);
		talk_goes_on();
	}
}

static void a_command_sent_again_in_other_segments_is_cut_again(void **state)
{
	static const char all[] = EHLO MAIL EVIL GOOD;

	for (uint32_t size = 1; size < sizeof(all); size++) {
		char part[sizeof(all)];

		talk_edited(false);
		for (uint32_t at = 0; at < sizeof(all) - 1; at += size) {
			static const char passed[] = EHLO MAIL GOOD;
			const struct left_packet *p;

			snprintf(part, sizeof(part), "%.*s", (int)size, all + at);
			put(CLIENT, TCP_ACK, at, REPLIED, part);
			for (unsigned n = 0; (p = left(CLIENT, n)); n++) {
				uint32_t to = p->hdr.seq - isn[CLIENT];

				assert_true(to + p->hdr.payload_len < sizeof(passed));
				assert_memory_equal(p->bytes + p->hdr.payload, passed + to,
						    p->hdr.payload_len);
			}
		}
	}
}

static void an_acknowledgement_of_what_nobody_sent_is_none_of_the_gates(void **state)
{
	talk_edited(false);
	put(SERVER, TCP_ACK, REPLIED, HEARD + 5000, NULL);
	/* What the gate says next is acceptable to the client. */
	pass(SECOND);
	assert_left(SERVER, 0, TCP_ACK, REPLIED, SAID, REFUSED);
	/* Nor is the client's, of words that it never got. */
	put(CLIENT, TCP_ACK, SAID, TOLD + 5000, NULL);
	pass(2 * SECOND);
	assert_left(SERVER, 0, TCP_ACK, REPLIED, SAID, REFUSED);
	put(CLIENT, TCP_ACK, SAID, TOLD, NULL);
	talk_goes_on();
}

static void sack_blocks_are_of_the_senders_bytes(void **state)
{
	struct segment s;
	const uint8_t *sack;

	talk_heard(false);
	put(CLIENT, TCP_ACK, SAID, TOLD, GOOD);
	/* The server has that, and not what was before the cut: a D-SACK first (RFC 2883 4). */
	s = segment_of(SERVER, TCP_ACK, REPLIED, sizeof(EHLO) - 1, NULL);
	s.options_len = 20;
	s.options[0] = s.options[1] = TCP_OPTION_NOP;
	s.options[2] = TCP_OPTION_SACK;
	s.options[3] = 18;
	put32(s.options + 4, isn[CLIENT] + 2);
	put32(s.options + 8, isn[CLIENT] + 8);
	put32(s.options + 12, isn[CLIENT] + HEARD);
	put32(s.options + 16, isn[CLIENT] + HEARD + 10);
	put_segment(&s);
	assert_non_null(left(SERVER, 0));
	sack = tcp_option_find(left(SERVER, 0)->bytes + left(SERVER, 0)->hdr.l4, TCP_OPTION_SACK,
			       18);
	assert_non_null(sack);
	assert_int_equal(get32(sack + 2) - isn[CLIENT], 2);
	assert_int_equal(get32(sack + 6) - isn[CLIENT], 8);
	/* What was cut is as good as had. */
	assert_int_equal(get32(sack + 10) - isn[CLIENT], HEARD);
	assert_int_equal(get32(sack + 14) - isn[CLIENT], SAID + 10);
}

static void a_sack_block_of_the_gates_words_is_none_of_the_servers(void **state)
{
	struct segment s;

	talk_edited(false);
	put(SERVER, TCP_ACK, REPLIED, HEARD, OK);
	s = segment_of(CLIENT, TCP_ACK, SAID, REPLIED, NULL);
	s.options_len = 12;
	s.options[0] = s.options[1] = TCP_OPTION_NOP;
	s.options[2] = TCP_OPTION_SACK;
	s.options[3] = 10;
	put32(s.options + 4, isn[SERVER] + REPLIED + 5);
	put32(s.options + 8, isn[SERVER] + REPLIED + 20);
	put_segment(&s);
	assert_non_null(left(CLIENT, 0));
	assert_null(tcp_option_find(left(CLIENT, 0)->bytes + left(CLIENT, 0)->hdr.l4,
				    TCP_OPTION_SACK, 2));
}

/* Empty segments ------------------------------------------------------------ */

static void keep_alives_ask_for_what_the_other_end_has(void **state)
{
	for (unsigned heard = 0; heard < 2; heard++) {
		for (unsigned byte = 0; byte < 2; byte++) {
			talk_edited(false);
			if (heard)
				put(CLIENT, TCP_ACK, SAID, TOLD, NULL);
			/* Of any value (RFC 9293 3.8.4). */
			put(CLIENT, TCP_ACK, SAID - 1, heard ? TOLD : REPLIED, byte ? "?" : NULL);
			assert_non_null(left(CLIENT, 0));
			assert_int_equal(left(CLIENT, 0)->hdr.seq - isn[CLIENT], HEARD - 1);
			put(SERVER, TCP_ACK, REPLIED, HEARD, NULL);
			assert_left(SERVER, 0, TCP_ACK, TOLD, SAID, NULL);
			put(SERVER, TCP_ACK, REPLIED - 1, HEARD, byte ? "?" : NULL);
			assert_non_null(left(SERVER, 0));
			assert_true(left(SERVER, 0)->hdr.seq - isn[SERVER] <
				    (heard ? TOLD : REPLIED));
			talk_goes_on();
		}
	}
}

static void timestamps_of_the_gates_words_are_the_latest(void **state)
{
	const uint8_t *option;

	wire_new(false);
	stamps = true;
	talk_refuse(8000);
	assert_non_null(left(SERVER, 0));
	option = tcp_option_find(left(SERVER, 0)->bytes + left(SERVER, 0)->hdr.l4,
				 TCP_OPTION_STAMPS, 10);
	assert_non_null(option);
	/* Neither older than what was said (RFC 7323 5.3), nor never said. */
	assert_int_equal(get32(option + 2), clock_of[SERVER] - 1);
	assert_int_equal(get32(option + 6), clock_of[CLIENT] - 1);
	put(CLIENT, TCP_ACK, SAID, TOLD, NULL);
	/* An old segment that comes late makes nothing old. */
	clock_of[SERVER] -= 3;
	put(SERVER, TCP_ACK, REPLIED, HEARD, NULL);
	clock_of[SERVER] += 2;
	put(CLIENT, TCP_ACK, SAID, TOLD, EVIL);
	option = tcp_option_find(left(SERVER, 0)->bytes + left(SERVER, 0)->hdr.l4,
				 TCP_OPTION_STAMPS, 10);
	assert_non_null(option);
	assert_int_equal(get32(option + 2), clock_of[SERVER] - 1);
	assert_int_equal(get32(option + 6), clock_of[CLIENT] - 1);
}

/* Flags --------------------------------------------------------------------- */

/* Its receiver may take the byte out of the stream: "RCPT TO:<evxil@". */
static void no_byte_is_urgent(void **state)
{
	struct segment s;

	talk_heard(false);
	s = segment_of(CLIENT, TCP_ACK | TCP_URG | ECE | CWR, SAID, TOLD, GOOD);
	s.urgent = 12;
	put_segment(&s);
	assert_left(CLIENT, 0, TCP_ACK | ECE | CWR, HEARD, REPLIED, GOOD);
	assert_int_equal(get16(left(CLIENT, 0)->bytes + left(CLIENT, 0)->hdr.l4 + 18), 0);
	/* In a session that nothing was edited in, too. */
	wire_new(true);
	talk_begin();
	s = segment_of(CLIENT, TCP_ACK | TCP_URG, HEARD, REPLIED, GOOD);
	s.urgent = 12;
	put_segment(&s);
	assert_left(CLIENT, 0, TCP_ACK, HEARD, REPLIED, GOOD);
	assert_int_equal(get16(left(CLIENT, 0)->bytes + left(CLIENT, 0)->hdr.l4 + 18), 0);
}

static void a_reset_is_numbered_as_its_receiver_expects(void **state)
{
	/* RFC 5961 3.2: exactly, or it is challenged. */
	talk_heard(false);
	put(CLIENT, TCP_RST, SAID, 0, NULL);
	assert_left(CLIENT, 0, TCP_RST, HEARD, 0, NULL);
	talk_heard(true);
	put(SERVER, TCP_RST | TCP_ACK, REPLIED, HEARD, NULL);
	assert_left(SERVER, 0, TCP_RST | TCP_ACK, TOLD, SAID, NULL);
	/* The words are on their way. */
	talk_edited(false);
	put(SERVER, TCP_RST, REPLIED, 0, NULL);
	assert_left(SERVER, 0, TCP_RST, TOLD, 0, NULL);
	/* Or were never sent, because the client had no room for them. */
	wire_new(false);
	talk_refuse(0);
	put(SERVER, TCP_RST, REPLIED, 0, NULL);
	assert_left(SERVER, 0, TCP_RST, REPLIED, 0, NULL);
}

static void half_a_command_is_none_for_a_reset(void **state)
{
	wire_new(false);
	talk_begin();
	put(CLIENT, TCP_ACK, HEARD, REPLIED, "RCPT TO:<");
	put(CLIENT, TCP_RST, HEARD + 9, 0, NULL);
	assert_left(CLIENT, 0, TCP_RST, HEARD, 0, NULL);
}

static void a_fin_and_a_reset_that_cross_reach_both_ends(void **state)
{
	talk_edited(false);
	gate_fixture_forget(&g);
	for (unsigned from = 0; from < 2; from++) {
		struct segment s =
			from == CLIENT
				? segment_of(CLIENT, TCP_ACK | TCP_FIN, SAID, TOLD, NULL)
				: segment_of(SERVER, TCP_ACK | TCP_RST, REPLIED, HEARD, NULL);

		queue(&s);
	}
	gate_fixture_run(&g);
	assert_left(CLIENT, 0, TCP_ACK | TCP_FIN, HEARD, REPLIED, NULL);
	assert_left(SERVER, 0, TCP_ACK | TCP_RST, TOLD, SAID, NULL);
	assert_only(1, 1);
}

static void a_fin_behind_a_cut_comes_where_the_cut_began(void **state)
{
	wire_new(false);
	talk_begin();
	put(CLIENT, TCP_ACK | TCP_FIN, HEARD, REPLIED, EVIL);
	assert_left(CLIENT, 0, TCP_ACK | TCP_FIN, HEARD, REPLIED, NULL);
	assert_non_null(left(SERVER, 0));
	/* It is no more acknowledged than its receiver has it. */
	assert_int_equal(left(SERVER, 0)->hdr.ack - isn[CLIENT], SAID);
	put(SERVER, TCP_ACK, REPLIED, HEARD + 1, NULL);
	assert_non_null(left(SERVER, 0));
	assert_int_equal(left(SERVER, 0)->hdr.ack - isn[CLIENT], SAID + 1);
}

/* Windows ------------------------------------------------------------------- */

static void a_client_without_room_is_probed_and_hears_it_when_it_has(void **state)
{
	struct segment closed;
	unsigned probes = 0;

	wire_new(false);
	talk_refuse(0);
	closed = segment_of(CLIENT, TCP_ACK, SAID, REPLIED, NULL);
	closed.window = 0;
	/* Nothing but the acknowledgement of what was cut. */
	assert_left(SERVER, 0, TCP_ACK, REPLIED, SAID, NULL);
	assert_only(1, 1);
	/* An hour: RFC 9293 3.8.6.1 knows no end while it answers. */
	for (unsigned s = 0; s < 3600; s++) {
		pass(SECOND);
		if (!left(SERVER, 0))
			continue;
		assert_left(SERVER, 0, TCP_ACK, REPLIED, SAID, REFUSED);
		probes++;
		put_segment(&closed);
		assert_null(left(SERVER, 0));
		/* So that the flow lives, too. */
		put(SERVER, TCP_ACK, REPLIED, HEARD, NULL);
	}
	assert_in_range(probes, 60, 200);
	closed.window = 1000;
	put_segment(&closed);
	assert_left(SERVER, 0, TCP_ACK, REPLIED, SAID, REFUSED);
	put(CLIENT, TCP_ACK, SAID, TOLD, NULL);
	talk_goes_on();
}

/* RFC 9293 3.8.6.2.1: all of its buffer is less than what the gate has to say. */
static void a_client_with_little_room_hears_it_in_pieces(void **state)
{
	const uint32_t room = 20;
	struct segment more;
	char piece[64];

	wire_new(false);
	talk_refuse(room);
	more = segment_of(CLIENT, TCP_ACK, SAID, REPLIED, NULL);
	more.window = room;
	for (uint32_t at = 0; at < sizeof(REFUSED) - 1; at += room) {
		snprintf(piece, sizeof(piece), "%.*s", (int)room, REFUSED + at);
		assert_left(SERVER, 0, TCP_ACK, REPLIED + at, SAID, piece);
		assert_null(left(SERVER, 1));
		more.ack = isn[SERVER] + RTE_MIN(REPLIED + at + room, (uint32_t)TOLD);
		put_segment(&more);
	}
	assert_null(left(SERVER, 0));
	talk_goes_on();
}

static void a_probe_may_be_taken(void **state)
{
	struct segment some;

	wire_new(false);
	talk_refuse(0);
	pass(SECOND);
	assert_left(SERVER, 0, TCP_ACK, REPLIED, SAID, REFUSED);
	/* Some of it: the client had room for that by then, and has none again. */
	some = segment_of(CLIENT, TCP_ACK, SAID, REPLIED + 30, NULL);
	some.window = 0;
	put_segment(&some);
	assert_left(CLIENT, 0, TCP_ACK, HEARD, REPLIED, NULL);
	some.window = 1000;
	put_segment(&some);
	assert_left(SERVER, 0, TCP_ACK, REPLIED + 30, SAID, REFUSED + 30);
	put(CLIENT, TCP_ACK, SAID, TOLD, NULL);
	talk_goes_on();
}

static void a_client_that_says_nothing_is_given_up(void **state)
{
	bool reset = false;

	wire_new(false);
	talk_refuse(0);
	for (unsigned s = 0; s < 300 && !reset; s++) {
		pass(SECOND);
		reset = left(CLIENT, 0) && (left(CLIENT, 0)->hdr.tcp_flags & TCP_RST);
	}
	assert_true(reset);
	assert_left(SERVER, 0, TCP_RST | TCP_ACK, REPLIED, SAID, NULL);
}

static void what_was_held_for_a_server_without_room_comes_when_it_has(void **state)
{
	struct segment closed;

	wire_new(false);
	talk_begin();
	closed = segment_of(SERVER, TCP_ACK, REPLIED, HEARD, NULL);
	closed.window = 0;
	put_segment(&closed);
	/* A probe, and the line that it begins (RFC 9293 3.8.6.1). */
	put(CLIENT, TCP_ACK, HEARD, REPLIED, "R");
	assert_int_equal(left(SERVER, 0)->hdr.ack - isn[CLIENT], HEARD + 1);
	assert_null(left(CLIENT, 1));
	put(CLIENT, TCP_ACK, HEARD + 1, REPLIED, GOOD + 1);
	for (unsigned s = 0; s < 600; s++) {
		pass(SECOND);
		if (!left(CLIENT, 0))
			continue;
		assert_int_equal(left(CLIENT, 0)->hdr.tcp_flags & TCP_RST, 0);
		put_segment(&closed);
	}
	closed.window = 1000;
	put_segment(&closed);
	assert_non_null(left(CLIENT, 0));
	assert_int_equal(left(CLIENT, 0)->hdr.seq - isn[CLIENT], HEARD);
	put(SERVER, TCP_ACK, REPLIED, HEARD + sizeof(GOOD) - 1, OK);
	assert_left(SERVER, 0, TCP_ACK, REPLIED, HEARD + sizeof(GOOD) - 1, OK);
}

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

/* ICMP ---------------------------------------------------------------------- */

/* What a router says of a packet that left the gate: `quoted` bytes of its transport header. */
static uint32_t error_write(uint8_t *frame, const struct left_packet *about, unsigned to,
			    uint32_t quoted)
{
	uint32_t len = (uint32_t)(about->hdr.l4 - about->hdr.l3) + quoted, l4;
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
	memcpy(icmp + 8, about->bytes + about->hdr.l3, len);
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
	return ip + head + 8 + head;
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
		cmocka_unit_test(sequence_numbers_wrap_anywhere_about_an_edit),
		cmocka_unit_test(a_command_sent_again_in_other_segments_is_cut_again),
		cmocka_unit_test(an_acknowledgement_of_what_nobody_sent_is_none_of_the_gates),
		cmocka_unit_test(sack_blocks_are_of_the_senders_bytes),
		cmocka_unit_test(a_sack_block_of_the_gates_words_is_none_of_the_servers),
		cmocka_unit_test(keep_alives_ask_for_what_the_other_end_has),
		cmocka_unit_test(timestamps_of_the_gates_words_are_the_latest),
		cmocka_unit_test(no_byte_is_urgent),
		cmocka_unit_test(a_reset_is_numbered_as_its_receiver_expects),
		cmocka_unit_test(half_a_command_is_none_for_a_reset),
		cmocka_unit_test(a_fin_and_a_reset_that_cross_reach_both_ends),
		cmocka_unit_test(a_fin_behind_a_cut_comes_where_the_cut_began),
		cmocka_unit_test(a_client_without_room_is_probed_and_hears_it_when_it_has),
		cmocka_unit_test(a_client_with_little_room_hears_it_in_pieces),
		cmocka_unit_test(a_probe_may_be_taken),
		cmocka_unit_test(a_client_that_says_nothing_is_given_up),
		cmocka_unit_test(what_was_held_for_a_server_without_room_comes_when_it_has),
		cmocka_unit_test(a_segment_in_fragments_is_cut_like_any_other),
		cmocka_unit_test(what_came_in_fragments_fits_every_path),
		cmocka_unit_test(more_refusals_than_there_is_room_for_end_the_session),
		cmocka_unit_test(errors_quote_the_numbers_that_the_sender_used),
		cmocka_unit_test(a_quoted_checksum_is_the_senders),
		cmocka_unit_test(errors_that_are_none_of_the_gates_pass_as_they_are),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
