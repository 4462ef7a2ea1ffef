/* SPDX-License-Identifier: BSD-3-Clause */
/* The `email` event of messages that are hard to report: too long for it, or not all there. */
#include "bpf/event_record.h"
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

static char told_id[64];
static uint64_t told_accepted;
static unsigned told;

static void hear_smtp(void *unused, const struct event_head *head)
{
	struct event_value id, accepted;

	if (head->type != EVENT_SMTP || !event_find(head, FIELD_KEY_SMTP_MESSAGE_ID, &id) ||
	    !event_find(head, FIELD_KEY_SMTP_RCPT_ACCEPTED, &accepted))
		return;
	assert_in_range(id.len, 1, sizeof(told_id) - 1);
	memcpy(told_id, id.p, id.len);
	told_id[id.len] = '\0';
	told_accepted = event_value_uint(&accepted);
	told++;
}

/* For complaints: how many can complain is known when the server has taken it. */
static void whose_recipients_are_counted_is_told_with_the_message_id(void **state)
{
	static const struct {
		const char *answers, *end;
		unsigned told, accepted;
	} cases[] = {
		{"250 ok\r\n250 ok\r\n550 5.1.1 no\r\n251 ok\r\n354 go\r\n", "250 ok\r\n", 1, 2},
		{"250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", "451 later\r\n", 0, 0},
	};

	for (unsigned i = 0; i < 2; i++) {
		gate_fixture_reset(&g);
		at[0] = at[1] = 0;
		told = 0;
		g.event = hear_smtp;
		talk_handshake(&g, &talk_smtp);
		say(1, "220 mx.example\r\n");
		say(0,
		    "MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nRCPT TO:<c@b.example>\r\n"
		    "RCPT TO:<d@b.example>\r\nDATA\r\n");
		say(1, cases[i].answers);
		say(0, "Message-ID: <1@a.example>\r\n\r\ntext\r\n.\r\n");
		assert_int_equal(told, 0);
		say(1, cases[i].end);
		assert_int_equal(told, cases[i].told);
		if (told) {
			assert_string_equal(told_id, "<1@a.example>");
			assert_int_equal(told_accepted, cases[i].accepted);
		}
		gate_fixture_finish(&g);
		g.event = NULL;
	}
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
		cmocka_unit_test(whose_recipients_are_counted_is_told_with_the_message_id),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
