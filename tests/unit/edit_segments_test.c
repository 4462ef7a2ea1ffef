/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What hosts may send at any moment, behind a command that was cut out and an answer that came in:
 * copies, SACK blocks, keep-alives, resets, FINs, closed windows.
 */
#include "dataplane/packet_write.h"
#include "dataplane/tcp/tcp.h"
#include "dataplane/tcp/tcp_option.h"
#include "tests/edited_talk.h"
#include "tests/unit/test.h"

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

/* The client goes on behind its last word; the server, of little room, has to hear that it has the
 * replies. */
static void who_speaks_with_the_gate_alone_acknowledges_still(void **state)
{
	static const char last[] = EVIL EVIL EVIL EVIL;
	uint32_t at = SAID;

	talk_edited(false);
	put(CLIENT, TCP_ACK, at, TOLD, GOOD);
	at += sizeof(GOOD) - 1;
	/* The first that there is no room for is the last. */
	while (g.w->counters->reasons[REASON_EDIT_BUDGET] == 0) {
		put(CLIENT, TCP_ACK, at, TOLD, last);
		at += sizeof(last) - 1;
	}
	put(SERVER, TCP_ACK, REPLIED, HEARD + sizeof(GOOD) - 1, OK);
	put(CLIENT, TCP_ACK, at, TOLD + sizeof(OK) - 1, NULL);
	assert_left(CLIENT, 0, TCP_ACK, HEARD + sizeof(GOOD) - 1, REPLIED + sizeof(OK) - 1, NULL);
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

#define CLOSES "421 mx timeout\r\n"

/* A server that hangs up, and a client that did not know when it asked. */
static void nothing_comes_before_a_fin_that_has_left(void **state)
{
	for (unsigned bare = 0; bare < 2; bare++) {
		uint32_t fin = REPLIED + sizeof(CLOSES) - 1;

		wire_new(false);
		talk_begin();
		if (bare)
			put(SERVER, TCP_ACK, REPLIED, HEARD, CLOSES);
		put(SERVER, TCP_ACK | TCP_FIN, bare ? fin : REPLIED, HEARD, bare ? NULL : CLOSES);
		put(CLIENT, TCP_ACK, HEARD, REPLIED, EVIL);
		assert_left(SERVER, 0, TCP_ACK, fin + 1, SAID, NULL);
		assert_only(1, 1);
		put(SERVER, TCP_ACK | TCP_FIN, REPLIED, HEARD, CLOSES);
		assert_left(SERVER, 0, TCP_ACK | TCP_FIN, REPLIED, SAID, CLOSES);
		put(CLIENT, TCP_ACK | TCP_FIN, SAID, fin + 1, NULL);
		assert_left(CLIENT, 0, TCP_ACK | TCP_FIN, HEARD, fin + 1, NULL);
		put(SERVER, TCP_ACK, fin + 1, HEARD + 1, NULL);
		assert_left(SERVER, 0, TCP_ACK, fin + 1, SAID + 1, NULL);
	}
}

/* The same in an edited session; and where the answer waits for the reply before it, it comes in
 * time. */
static void an_answer_that_waits_comes_before_the_fin(void **state)
{
	static const char both[] = GOOD EVIL;
	const uint32_t said = SAID + sizeof(both) - 1, heard = HEARD + sizeof(GOOD) - 1;

	talk_heard(false);
	put(CLIENT, TCP_ACK, SAID, TOLD, both);
	assert_left(CLIENT, 0, TCP_ACK, HEARD, REPLIED, GOOD);
	assert_only(1, 0);
	put(SERVER, TCP_ACK | TCP_FIN, REPLIED, heard, OK);
	assert_left(SERVER, 0, TCP_ACK, TOLD, said, OK);
	assert_left(SERVER, 1, TCP_ACK, TOLD + sizeof(OK) - 1, said, REFUSED);
	assert_left(SERVER, 2, TCP_ACK | TCP_FIN, TOLD + sizeof(OK REFUSED) - 1, said, NULL);
	put(CLIENT, TCP_ACK, said, TOLD + sizeof(OK REFUSED), EVIL);
	for (unsigned n = 0; left(SERVER, n); n++)
		assert_int_equal(left(SERVER, n)->hdr.payload_len, 0);
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
		snprintf(piece, sizeof(piece), "%.*s", (int)room, &REFUSED[at]);
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
	assert_left(SERVER, 0, TCP_ACK, REPLIED + 30, SAID, &REFUSED[30]);
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
	put(CLIENT, TCP_ACK, HEARD + 1, REPLIED, &GOOD[1]);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sequence_numbers_wrap_anywhere_about_an_edit),
		cmocka_unit_test(a_command_sent_again_in_other_segments_is_cut_again),
		cmocka_unit_test(an_acknowledgement_of_what_nobody_sent_is_none_of_the_gates),
		cmocka_unit_test(sack_blocks_are_of_the_senders_bytes),
		cmocka_unit_test(a_sack_block_of_the_gates_words_is_none_of_the_servers),
		cmocka_unit_test(keep_alives_ask_for_what_the_other_end_has),
		cmocka_unit_test(who_speaks_with_the_gate_alone_acknowledges_still),
		cmocka_unit_test(timestamps_of_the_gates_words_are_the_latest),
		cmocka_unit_test(no_byte_is_urgent),
		cmocka_unit_test(a_reset_is_numbered_as_its_receiver_expects),
		cmocka_unit_test(half_a_command_is_none_for_a_reset),
		cmocka_unit_test(a_fin_and_a_reset_that_cross_reach_both_ends),
		cmocka_unit_test(a_fin_behind_a_cut_comes_where_the_cut_began),
		cmocka_unit_test(nothing_comes_before_a_fin_that_has_left),
		cmocka_unit_test(an_answer_that_waits_comes_before_the_fin),
		cmocka_unit_test(a_client_without_room_is_probed_and_hears_it_when_it_has),
		cmocka_unit_test(a_client_with_little_room_hears_it_in_pieces),
		cmocka_unit_test(a_probe_may_be_taken),
		cmocka_unit_test(a_client_that_says_nothing_is_given_up),
		cmocka_unit_test(what_was_held_for_a_server_without_room_comes_when_it_has),
	};

	return cmocka_run_group_tests(tests, edited_setup, edited_teardown);
}
