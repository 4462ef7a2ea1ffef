/* SPDX-License-Identifier: BSD-3-Clause */
/* What is refused does not leave, however it is sent; a session is not passed by. */
#include "dataplane/tcp/tcp.h"
#include "tests/gate_fixture.h"
#include "tests/unit/test.h"

static const char config[] =
	"tenants: ({ id = 1; name = \"acme\"; prefixes = [ \"10.1.0.0/16\" ];\n"
	"  domain_consent = true; domains = [ \"one.example\" ];\n"
	"  limits: { recipients_per_message = 1; }; },\n"
	"  { id = 2; name = \"initech\"; prefixes = [ \"10.2.0.0/16\" ]; state = \"suspended\"; "
	"});\n"
	"policy: { actions: { header_missing = \"pass\"; }; };\n"
	"budgets: { flows = 256; sessions = 128; messages = 16; calls = 256; fragments = 64; };\n";

static struct gate_fixture g;
static struct talk talk;
static uint32_t at[2]; /* offsets of what is said next */

static int setup(void **state)
{
	gate_fixture_open(&g, config);
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
	talk = talk_smtp;
	at[0] = at[1] = 0;
	return 0;
}

static void say(unsigned side, const char *text)
{
	uint32_t len = (uint32_t)strlen(text);

	talk_put(&g, &talk, side, TCP_ACK, at[side], at[!side], text, len);
	at[side] += len;
}

/* Somewhere in the stream, acknowledging nothing. */
static void say_at(unsigned side, uint32_t offset, const char *text)
{
	talk_put(&g, &talk, side, TCP_ACK, offset, 0, text, (uint32_t)strlen(text));
}

static void greet(void)
{
	talk_handshake(&g, &talk);
	say(1, "220 mx.two.example ESMTP\r\n");
	say(0, "EHLO one.example\r\n");
	say(1, "250-mx.two.example\r\n250 PIPELINING\r\n");
	gate_fixture_run(&g);
}

static bool has(const struct left_packet *p, const char *text)
{
	return memmem(p->bytes + p->hdr.payload, p->hdr.payload_len, text, strlen(text)) != NULL;
}

/* How many packets from that side, or the gate in its name, hold the text. */
static unsigned left_with(unsigned side, const char *text)
{
	unsigned n = 0;

	for (unsigned i = 0; i < g.left_count; i++)
		n += g.left[i].hdr.class == CLASS_L4 && g.left[i].hdr.sport == talk.port[side] &&
		     has(&g.left[i], text);
	return n;
}

static uint64_t commands(const char *name)
{
	const struct counted_name *table = g.w->counters->smtp.commands;

	for (unsigned i = 0; i < COUNTED_NAMES; i++)
		if (strcmp(table[i].name, name) == 0)
			return table[i].count;
	return 0;
}

#define REFUSED "MAIL FROM:<x@evil.example>\r\n"

static void a_refused_command_is_cut_out_of_its_packet(void **state)
{
	greet();
	say(0, "NOOP one\r\n" REFUSED "NOOP two\r\n");
	gate_fixture_run(&g);
	assert_int_equal(left_with(0, "evil"), 0);
	assert_int_equal(left_with(0, "NOOP one\r\n"), 1);
	assert_int_equal(left_with(0, "NOOP two\r\n"), 1);
	assert_int_equal(left_with(1, "550 5.7.1 This sender"), 1);
	for (unsigned i = 0; i < g.left_count; i++)
		assert_true(g.left[i].sound);
}

static void a_refused_command_sent_again_does_not_leave(void **state)
{
	uint32_t from;

	greet();
	from = at[0];
	say(0, REFUSED);
	gate_fixture_run(&g);
	say_at(0, from, REFUSED);
	/* One new byte behind it; one old byte before it. */
	say_at(0, from, REFUSED "N");
	say_at(0, from - 1, "\n" REFUSED "NO");
	gate_fixture_run(&g);
	assert_int_equal(left_with(0, "example>\r\n"), 0);
	assert_int_equal(left_with(0, "N"), 1);
}

/* Two segments beyond a gap, one within the other: its tail was a copy of the refused command. */
static void a_refused_command_does_not_leave_in_a_neighbours_tail(void **state)
{
	uint32_t from;

	greet();
	from = at[0];
	say_at(0, from + 10, "NOOP two\r\n" REFUSED);
	say_at(0, from + 15, "two\r\n" REFUSED "NOOP\r\n");
	say_at(0, from + 5, "one\r\nNOOP two\r\n" REFUSED "N");
	gate_fixture_run(&g);
	say(0, "NOOP ");
	gate_fixture_run(&g);
	assert_int_equal(left_with(0, "evil"), 0);
	assert_int_equal(commands("MAIL"), 1);
	assert_int_equal(commands("NOOP"), 3);
}

/* More refusals than a burst remembers places for. */
static void none_of_many_refused_commands_leaves(void **state)
{
	char text[4096] = "RCPT TO:<ok@two.example>\r\n";

	greet();
	say(0, "MAIL FROM:<a@one.example>\r\n");
	say(1, "250 Ok\r\n");
	gate_fixture_run(&g);
	for (unsigned i = 0; i < 40; i++)
		strcat(text, "RCPT TO:<evil@two.example>\r\n");
	say(0, text);
	say(0, text + strlen("RCPT TO:<ok@two.example>\r\n"));
	say(0, "RCPT TO:<evil@two.example>\r\n");
	say(0, "RCPT TO:<evil@two.example>\r\nNOOP\r\n");
	gate_fixture_run(&g);
	assert_int_equal(left_with(0, "evil"), 0);
	assert_int_equal(left_with(1, "452 4.5.3"), 82);
}

/* The end is withheld and the session over: another end behind it is no help. */
static void nothing_of_a_session_leaves_after_its_refusal(void **state)
{
	greet();
	say(0, "MAIL FROM:<a@one.example>\r\nRCPT TO:<b@two.example>\r\nDATA\r\n");
	say(1, "250 Ok\r\n250 Ok\r\n354 Go ahead\r\n");
	gate_fixture_run(&g);
	say(0, "From: <x@evil.example>\r\n\r\nText\r\n.\r\n\r\n.\r\nNOOP behind\r\n");
	say(0, "NOOP later\r\n");
	gate_fixture_run(&g);
	assert_int_equal(left_with(0, "Text"), 1);
	assert_int_equal(left_with(0, ".\r\n"), 0);
	assert_int_equal(left_with(0, "NOOP"), 0);
	assert_int_equal(left_with(1, "550"), 1);
}

/* Connections ------------------------------------------------------------- */

static void a_suspended_tenants_syn_with_data_is_no_way_in(void **state)
{
	talk.addr[0] = 0x0a020002;
	talk.port[1] = 5061;
	talk_put(&g, &talk, 0, TCP_SYN, 0, 0, "x", 1);
	gate_fixture_run(&g);
	assert_int_equal(g.left_count, 0);
	assert_int_equal(g.w->counters->reasons[REASON_TENANT_SUSPENDED], 1);
}

static void a_suspended_tenant_is_told_in_place_of_the_greeting(void **state)
{
	talk.addr[0] = 0x0a020002;
	talk_handshake(&g, &talk);
	say(1, "220 mx.two.example ESMTP\r\n");
	say(0, "EHLO one.example\r\n");
	gate_fixture_run(&g);
	assert_int_equal(left_with(1, "220 mx"), 0);
	assert_int_equal(left_with(1, "421 4.7.0 Service suspended"), 1);
	assert_int_equal(left_with(0, "EHLO"), 0);
}

static void hold_mail(void)
{
	greet();
	say(0, "MAIL FROM:<a@one.example>\r\nRCPT TO:<b@two.example>\r\nDATA\r\n");
	say(1, "250 Ok\r\n250 Ok\r\n354 Go ahead\r\n");
	say(0, "From: <a@one.example>\r\n\r\nText\r\n.\r\n");
	say(1, "250 Queued\r\n");
}

static void begin_again(uint32_t isn)
{
	talk.isn[0] = isn;
	talk.isn[1] += 77777;
	at[0] = at[1] = 0;
}

static void a_new_connection_between_the_same_ports_is_read_anew(void **state)
{
	greet();
	say(0, "MAIL FROM:<a@one.example>\r\n");
	/* In the same burst, and the old one is not even closed. */
	begin_again(talk.isn[0] + 1000000);
	hold_mail();
	gate_fixture_run(&g);
	assert_int_equal(g.w->counters->tcp.flows, 2);
	assert_int_equal(g.w->counters->smtp.sessions, 2);
	assert_int_equal(g.w->counters->smtp.messages_accepted, 1);
	assert_int_equal(commands("MAIL"), 2);
	assert_int_equal(g.w->counters->verdicts[VERDICT_DROP], 0);
}

/* A session that nobody reads must not cover the next one. */
static void an_unread_connection_does_not_cover_the_next(void **state)
{
	/* TLS from the first byte, then a reset, then the same number again. */
	talk_handshake(&g, &talk);
	say(1, "220 mx.two.example ESMTP\r\n");
	say(0, "\x16\x03\x01 and so on");
	talk_put(&g, &talk, 0, TCP_RST | TCP_ACK, at[0], at[1], NULL, 0);
	gate_fixture_run(&g);
	begin_again(talk.isn[0]);
	hold_mail();
	gate_fixture_run(&g);
	assert_int_equal(g.w->counters->smtp.messages_accepted, 1);
	/* The server never saw a reset. */
	each(NULL);
	talk_handshake(&g, &talk);
	say(1, "220 mx.two.example ESMTP\r\n");
	say(0, "\x16\x03\x01 and so on");
	gate_fixture_run(&g);
	begin_again(talk.isn[0]);
	hold_mail();
	gate_fixture_run(&g);
	assert_int_equal(g.w->counters->smtp.messages_accepted, 1);
}

static void an_unread_packet_before_the_syn_does_not_cover_the_session(void **state)
{
	/* No connection there: the server doesn't answer. */
	talk_put(&g, &talk, 0, TCP_ACK, 50000, 0, "\x16\x03\x01 and so on", 13);
	gate_fixture_run(&g);
	hold_mail();
	gate_fixture_run(&g);
	assert_int_equal(g.w->counters->smtp.messages_accepted, 1);
	/* It says what a host says to that. */
	each(NULL);
	talk_put(&g, &talk, 0, TCP_ACK, 50000, 0, "\x16\x03\x01 and so on", 13);
	talk_put(&g, &talk, 1, TCP_RST, 0, 0, NULL, 0);
	gate_fixture_run(&g);
	hold_mail();
	gate_fixture_run(&g);
	assert_int_equal(g.w->counters->smtp.messages_accepted, 1);
}

static void a_syn_sent_again_is_one_connection(void **state)
{
	talk_put(&g, &talk, 0, TCP_SYN, 0, 0, NULL, 0);
	talk_put(&g, &talk, 0, TCP_SYN, 0, 0, NULL, 0);
	gate_fixture_run(&g);
	talk_put(&g, &talk, 0, TCP_SYN, 0, 0, NULL, 0);
	talk_put(&g, &talk, 1, TCP_SYN | TCP_ACK, 0, 0, NULL, 0);
	talk_put(&g, &talk, 1, TCP_SYN | TCP_ACK, 0, 0, NULL, 0);
	hold_mail();
	gate_fixture_run(&g);
	assert_int_equal(g.w->counters->tcp.flows, 1);
	assert_int_equal(g.w->counters->smtp.messages_accepted, 1);
}

static void a_session_is_picked_up_in_its_middle(void **state)
{
	talk_put(&g, &talk, 0, TCP_ACK, 700, 900, "NOOP\r\n", 6);
	talk_put(&g, &talk, 1, TCP_ACK, 900, 706, "250 Ok\r\n", 8);
	at[0] = 706;
	at[1] = 908;
	say(0, "MAIL FROM:<a@one.example>\r\nRCPT TO:<b@two.example>\r\nDATA\r\n");
	say(1, "250 Ok\r\n250 Ok\r\n354 Go ahead\r\n");
	say(0, "From: <a@one.example>\r\n\r\nText\r\n.\r\n");
	say(1, "250 Queued\r\n");
	gate_fixture_run(&g);
	assert_int_equal(g.w->counters->tcp.midstream, 1);
	assert_int_equal(g.w->counters->smtp.messages_accepted, 1);
}

static void a_reset_out_of_the_window_ends_nothing(void **state)
{
	greet();
	talk_put(&g, &talk, 0, TCP_RST, 0x60000000, 0, NULL, 0);
	gate_fixture_run(&g);
	assert_int_equal(g.w->counters->reasons[REASON_TCP_OUT_OF_WINDOW], 1);
	/* And one within it, forged or not, blinds nobody. */
	talk_put(&g, &talk, 0, TCP_RST, at[0] + 5, 0, NULL, 0);
	say(0, REFUSED);
	gate_fixture_run(&g);
	assert_int_equal(left_with(0, "evil"), 0);
}

static void data_out_of_the_window_does_not_leave(void **state)
{
	greet();
	say_at(0, 0x60000000, "NOOP\r\n");
	gate_fixture_run(&g);
	assert_int_equal(left_with(0, "NOOP"), 0);
	assert_int_equal(g.w->counters->reasons[REASON_TCP_OUT_OF_WINDOW], 1);
}

static void both_sides_may_close_at_once(void **state)
{
	hold_mail();
	talk_put(&g, &talk, 0, TCP_ACK | TCP_FIN, at[0], at[1], NULL, 0);
	talk_put(&g, &talk, 1, TCP_ACK | TCP_FIN, at[1], at[0], NULL, 0);
	talk_put(&g, &talk, 0, TCP_ACK, at[0] + 1, at[1] + 1, NULL, 0);
	talk_put(&g, &talk, 1, TCP_ACK, at[1] + 1, at[0] + 1, NULL, 0);
	gate_fixture_run(&g);
	assert_int_equal(g.w->counters->verdicts[VERDICT_PASS], g.left_count);
	/* Fifteen seconds later it is forgotten, not after twenty minutes. */
	g.time += UINT64_C(16000000000);
	begin_again(talk.isn[0]);
	hold_mail();
	gate_fixture_run(&g);
	assert_int_equal(g.w->counters->tcp.flows, 2);
	assert_int_equal(g.w->counters->smtp.messages_accepted, 2);
}

static void a_keep_alive_is_no_data(void **state)
{
	greet();
	talk_put(&g, &talk, 0, TCP_ACK, at[0], at[1], NULL, 0);
	gate_fixture_run(&g);
	talk_put(&g, &talk, 1, TCP_ACK, at[1], at[0], NULL, 0);
	say_at(0, at[0] - 1, "x");
	talk_put(&g, &talk, 0, TCP_ACK, at[0] - 1, at[1], NULL, 0);
	gate_fixture_run(&g);
	assert_int_equal(g.w->counters->verdicts[VERDICT_DROP], 0);
	assert_int_equal(g.w->counters->tcp.retransmitted, 0);
	/* Where the byte has not been acknowledged, it is what it was. */
	say(0, "NOOP\r\n");
	say_at(0, at[0] - 1, "!");
	gate_fixture_run(&g);
	assert_int_equal(left_with(0, "!"), 0);
	assert_int_equal(g.w->counters->tcp.overlap_differs, 1);
}

/* One burst or several: what is sent again once TLS has begun leaves as it did the first time. */
static void tls_is_not_compared_wherever_bursts_end(void **state)
{
	static const char hello[] = "\x16\x03\x01\x01\x40\x01", answer[] = "\x16\x03\x03\x02"
									   "answer";

	for (unsigned whole = 0; whole < 2; whole++) {
		each(state);
		greet();
		say(0, "STARTTLS\r\n");
		gate_fixture_run(&g);
		for (unsigned i = 0; i < 4; i++) {
			if (i == 0)
				say(1, "220 Go ahead\r\n");
			else if (i == 1)
				say(0, hello);
			else if (i == 2)
				say(1, answer);
			else
				say_at(1, at[1] - (uint32_t)strlen(answer), answer);
			if (!whole)
				gate_fixture_run(&g);
		}
		gate_fixture_run(&g);
		assert_int_equal(left_with(1, "answer"), 2);
		assert_int_equal(g.w->counters->reasons[REASON_TCP_UNVERIFIABLE], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_refused_command_is_cut_out_of_its_packet, each),
		cmocka_unit_test_setup(a_refused_command_sent_again_does_not_leave, each),
		cmocka_unit_test_setup(a_refused_command_does_not_leave_in_a_neighbours_tail, each),
		cmocka_unit_test_setup(none_of_many_refused_commands_leaves, each),
		cmocka_unit_test_setup(nothing_of_a_session_leaves_after_its_refusal, each),
		cmocka_unit_test_setup(a_suspended_tenants_syn_with_data_is_no_way_in, each),
		cmocka_unit_test_setup(a_suspended_tenant_is_told_in_place_of_the_greeting, each),
		cmocka_unit_test_setup(a_new_connection_between_the_same_ports_is_read_anew, each),
		cmocka_unit_test_setup(an_unread_connection_does_not_cover_the_next, each),
		cmocka_unit_test_setup(an_unread_packet_before_the_syn_does_not_cover_the_session,
				       each),
		cmocka_unit_test_setup(a_syn_sent_again_is_one_connection, each),
		cmocka_unit_test_setup(a_session_is_picked_up_in_its_middle, each),
		cmocka_unit_test_setup(a_reset_out_of_the_window_ends_nothing, each),
		cmocka_unit_test_setup(data_out_of_the_window_does_not_leave, each),
		cmocka_unit_test_setup(both_sides_may_close_at_once, each),
		cmocka_unit_test_setup(a_keep_alive_is_no_data, each),
		cmocka_unit_test_setup(tls_is_not_compared_wherever_bursts_end, each),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
