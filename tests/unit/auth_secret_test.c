/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is said while a client authenticates never leaves the parser: it is in no event, and in
 * nothing of what control reads (counters, the ring of events).
 */
#include "dataplane/tcp/tcp.h"
#include "tests/gate_fixture.h"
#include "tests/unit/test.h"

/* "\0ann@acme.example\0correct-horse-battery" and its parts, as they go over the wire. */
static const char *const secrets[] = {
	"AGFubkBhY21lLmV4YW1wbGUAY29ycmVjdC1ob3JzZS1iYXR0ZXJ5",
	"Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5",
	"correct-horse-battery",
	"YW5uQGFjbWUuZXhhbXBsZQ==",
};

static const struct {
	const char *client, *server;
} plain[] = {{"AUTH PLAIN AGFubkBhY21lLmV4YW1wbGUAY29ycmVjdC1ob3JzZS1iYXR0ZXJ5\r\n",
	      "235 2.7.0 ok\r\n"}},
  challenged[] = {{"AUTH PLAIN\r\n", "334 \r\n"},
		  {"AGFubkBhY21lLmV4YW1wbGUAY29ycmVjdC1ob3JzZS1iYXR0ZXJ5\r\n", "235 2.7.0 ok\r\n"}},
  login[] = {{"AUTH LOGIN\r\n", "334 VXNlcm5hbWU6\r\n"},
	     {"YW5uQGFjbWUuZXhhbXBsZQ==\r\n", "334 UGFzc3dvcmQ6\r\n"},
	     {"Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5\r\n", "535 5.7.8 no\r\n"}};

static struct gate_fixture g;
static uint32_t at[2];
static unsigned events, mails;

static bool has(const void *bytes, size_t len, const char *text)
{
	return memmem(bytes, len, text, strlen(text)) != NULL;
}

static bool has_secret(const void *bytes, size_t len)
{
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (has(bytes, len, secrets[i]))
			return true;
	return false;
}

static void on_event(void *unused, const struct event_head *head)
{
	assert_false(has_secret(head, head->size));
	events++;
	mails += has(head, head->size, "ann@acme.example");
}

/* `part` bytes a packet. */
static void say(unsigned side, const char *text, uint32_t part)
{
	uint32_t left = (uint32_t)strlen(text);

	while (left) {
		const uint32_t len = left < part ? left : part;

		talk_put(&g, &talk_smtp, side, TCP_ACK, at[side], at[!side], text, len);
		at[side] += len;
		text += len;
		left -= len;
		gate_fixture_run(&g);
	}
}

static void begin(void)
{
	gate_fixture_reset(&g);
	at[0] = at[1] = events = mails = 0;
	talk_handshake(&g, &talk_smtp);
	say(1, "220 mx.example\r\n", 100);
	say(0, "EHLO a.example\r\n", 100);
	say(1, "250-mx.example\r\n250 AUTH PLAIN LOGIN\r\n", 100);
}

static void end(uint32_t part)
{
	const struct counters *c = g.w->counters;

	say(0, "MAIL FROM:<ann@acme.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n", part);
	say(1, "250 ok\r\n250 ok\r\n354 go\r\n", 100);
	say(0, "Subject: x\r\n\r\nhello\r\n.\r\n", part);
	say(1, "250 ok\r\n", 100);
	gate_fixture_finish(&g);
	/* The session was read to its end, so there was something to be told. */
	assert_int_equal(c->smtp.messages_accepted, 1);
	assert_true(mails > 0 && events > 1);
	assert_false(has_secret(c, sizeof(*c)));
}

static void no_event_has_what_a_client_authenticates_with(void **unused)
{
	for (uint32_t part = 1; part <= 100; part += part < 10 ? 1 : 30) {
		begin();
		say(0, plain[0].client, part);
		say(1, plain[0].server, 100);
		end(part);
		begin();
		for (size_t i = 0; i < 2; i++) {
			say(0, challenged[i].client, part);
			say(1, challenged[i].server, 100);
		}
		end(part);
		begin();
		for (size_t i = 0; i < 3; i++) {
			say(0, login[i].client, part);
			say(1, login[i].server, 100);
		}
		end(part);
	}
}

/* Broken off in the middle, told too early, or answered with what no server says. */
static void nor_when_it_goes_wrong(void **unused)
{
	begin();
	say(0, login[0].client, 100);
	say(1, login[0].server, 100);
	say(0, "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5", 100); /* no end of line, ever */
	gate_fixture_finish(&g);
	begin();
	say(0,
	    "AUTH PLAIN AGFubkBhY21lLmV4YW1wbGUAY29ycmVjdC1ob3JzZS1iYXR0ZXJ5\r\n"
	    "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5\r\n",
	    100);
	say(1, "501 5.5.2 what?\r\n500 5.5.2 what?\r\n", 100);
	end(100);
	begin();
	say(0, "AUTH UNHEARD-OF Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5\r\n", 7);
	say(1, "504 5.5.4 no\r\n", 100);
	end(100);
}

static int setup(void **state)
{
	gate_fixture_environment();
	gate_fixture_open(&g, NULL);
	g.event = on_event;
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
		cmocka_unit_test(no_event_has_what_a_client_authenticates_with),
		cmocka_unit_test(nor_when_it_goes_wrong),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
