/* SPDX-License-Identifier: BSD-3-Clause */
/* The `email` event of messages that are hard to report: too long for it, or not all there. */
#include "dataplane/tcp/tcp.h"
#include "tests/gate_fixture.h"
#include "tests/unit/test.h"

static struct gate_fixture g;
static uint32_t at[2]; /* what each side has sent */

static void say(unsigned side, const char *text)
{
	uint32_t len = (uint32_t)strlen(text);

	talk_put(&g, &talk_smtp, side, TCP_ACK, at[side], at[!side], text, len);
	at[side] += len;
	gate_fixture_run(&g);
}

/* Bytes that were sent but never seen here; the other side says that it has them. */
static void say_unseen(unsigned side, uint32_t bytes)
{
	at[side] += bytes;
	talk_put(&g, &talk_smtp, !side, TCP_ACK, at[!side], at[side], NULL, 0);
	gate_fixture_run(&g);
}

static void open_message(void)
{
	gate_fixture_reset(&g);
	at[0] = at[1] = 0;
	talk_handshake(&g, &talk_smtp);
	say(1, "220 mx.example\r\n");
	say(0, "MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n");
	say(1, "250 ok\r\n250 ok\r\n354 go\r\n");
}

static void end_message(void)
{
	say(0, "\r\n.\r\n");
	say(1, "250 ok\r\n");
	gate_fixture_finish(&g);
	assert_int_equal(g.w->counters->smtp.messages_accepted, 1);
}

static void a_digest_has_room_beside_any_number_of_headers(void **state)
{
	char to[1000];

	memset(to, 'x', sizeof(to));
	memcpy(to, "To: ", 4);
	strcpy(to + sizeof(to) - 3, "\r\n");
	open_message();
	for (unsigned i = 0; i < 20; i++)
		say(0, to);
	end_message();
	assert_int_equal(g.digest_count, 1);
}

static void a_message_that_lacks_bytes_has_no_digest(void **state)
{
	open_message();
	say(0, "Subject: x\r\n\r\none ");
	say_unseen(0, 3);
	say(0, " three");
	end_message();
	assert_int_equal(g.w->counters->tcp.gaps, 1);
	assert_int_equal(g.digest_count, 0);
}

static void a_whole_message_has_one(void **state)
{
	open_message();
	say(0, "Subject: x\r\n\r\none two three");
	end_message();
	assert_int_equal(g.digest_count, 1);
}

static int setup(void **state)
{
	gate_fixture_environment();
	gate_fixture_open(&g, NULL);
	return 0;
}

static int teardown(void **state)
{
	gate_fixture_close(&g);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_digest_has_room_beside_any_number_of_headers),
		cmocka_unit_test(a_message_that_lacks_bytes_has_no_digest),
		cmocka_unit_test(a_whole_message_has_one),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
