/* SPDX-License-Identifier: BSD-3-Clause */
/* SIP over TCP between ports that are not its own. */
#include "dataplane/tcp/tcp.h"
#include "tests/gate_fixture.h"
#include "tests/unit/test.h"

static const struct talk other_ports = {
	.addr = {0x0a010002, 0xcb007109},
	.port = {51806, 5054},
	.isn = {1000, 2000},
};

static struct gate_fixture g;

/* The responses that the gate counts of what one side says first. */
static uint64_t responses_of(unsigned side, const char *text)
{
	gate_fixture_reset(&g);
	talk_handshake(&g, &other_ports);
	talk_put(&g, &other_ports, side, TCP_ACK, 0, 0, text, (uint32_t)strlen(text));
	gate_fixture_run(&g);
	gate_fixture_finish(&g);
	return g.w->counters->sip.responses[401];
}

static void a_response_alone_shows_sip(void **state)
{
	static const char response[] = "SIP/2.0 401 Unauthorized\r\n"
				       "Via: SIP/2.0/TCP 10.1.0.2;branch=z9hG4bK1\r\n"
				       "From: <sip:a@a.example>;tag=1\r\nTo: <sip:a@a.example>\r\n"
				       "Call-ID: 1\r\nCSeq: 1 REGISTER\r\n"
				       "Content-Length: 0\r\n\r\n";

	assert_int_equal(responses_of(0, response), 1);
	assert_int_equal(responses_of(1, response), 1);
}

static void a_web_server_that_says_sip_is_none(void **state)
{
	assert_int_equal(responses_of(1, "SIP/2.0 401 Unauthorized\r\n"
					 "Content-Type: text/html\r\n"
					 "Content-Length: 0\r\n\r\n"),
			 0);
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
		cmocka_unit_test(a_response_alone_shows_sip),
		cmocka_unit_test(a_web_server_that_says_sip_is_none),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
