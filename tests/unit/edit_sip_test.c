/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Refused SIP requests on live TCP connections: cut out, answered between the server's messages,
 * their ACK absorbed; whatever the network does.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/live_pair.h"
#include "tests/unit/test.h"

#ifdef __SANITIZE_ADDRESS__
#define SEEDS 10
#else
#define SEEDS 40
#endif

#define CALLS 12

static const char config[] =
	"tenants: ({ id = 1; name = \"acme\"; prefixes = [ \"10.1.0.0/16\", \"2001:db8:1::/48\" "
	"];\n"
	"  do_not_call = [ \"%s\" ]; });\n"
	"budgets: { flows = 256; sessions = 128; messages = 16; calls = 256; fragments = 64; };\n";

static struct gate_fixture g;
static struct pair pair;

static int setup(void **state)
{
	gate_fixture_open_listed(&g, config, "+14155550100\n");
	return 0;
}

static int teardown(void **state)
{
	gate_fixture_close(&g);
	return 0;
}

struct call {
	bool evil, answered, said;
};

struct session {
	uint64_t seed;
	struct call calls[CALLS];
	unsigned count, begun, done, at_once;
	char reaches[PAIR_STREAM]; /* what the server hears */
	uint32_t reach, server_read, client_read;
	char said[PAIR_STREAM]; /* by the server */
	uint32_t said_len;
};

/* A message's length, 0: not whole. */
static uint32_t message_len(const uint8_t *p, uint32_t len)
{
	const uint8_t *body = memmem(p, len, "\r\n\r\n", 4);
	const uint8_t *field = memmem(p, len, "Content-Length: ", 16);
	uint32_t n;

	if (!body || !field)
		return 0;
	n = (uint32_t)(body - p) + 4 + (uint32_t)strtoul((const char *)field + 16, NULL, 10);
	return n <= len ? n : 0;
}

static unsigned call_of(const uint8_t *p, uint32_t len)
{
	const uint8_t *id = memmem(p, len, "Call-ID: c", 10);

	assert_non_null(id);
	return (unsigned)strtoul((const char *)id + 10, NULL, 10);
}

static void client_say(struct pair *p, struct session *s, unsigned call, const char *method)
{
	const char *number = s->calls[call].evil ? "+14155550100" : "+14155550199";
	bool invite = strcmp(method, "INVITE") == 0;
	char text[2048], body[400];
	uint32_t n = invite ? fixture_below(&p->random, sizeof(body)) : 0;
	int len;

	memset(body, 'b', sizeof(body));
	len = snprintf(text, sizeof(text),
		       "%s sip:%s@two.example SIP/2.0\r\n"
		       "Via: SIP/2.0/TCP 10.1.0.2:5060;branch=z9hG4bK%u-%llu\r\n"
		       "Max-Forwards: 70\r\nFrom: <sip:a@one.example>;tag=f%u\r\n"
		       "To: <sip:%s@two.example>%s\r\nCall-ID: c%u-%llu\r\nCSeq: 1 %s\r\n"
		       "Contact: <sip:a@10.1.0.2>\r\nContent-Length: %u\r\n\r\n%.*s",
		       method, number, call, (unsigned long long)s->seed, call, number,
		       invite ? "" : ";tag=x", call, (unsigned long long)s->seed, method, n, (int)n,
		       body);
	peer_write(p, 0, text, (uint32_t)len);
	if (s->calls[call].evil)
		return;
	memcpy(s->reaches + s->reach, text, (size_t)len);
	s->reach += (uint32_t)len;
}

static void client_hears(struct pair *p, struct session *s, const uint8_t *msg, uint32_t len)
{
	unsigned call = call_of(msg, len),
		 code = (unsigned)strtoul((const char *)msg + 8, NULL, 10);

	assert_memory_equal(msg, "SIP/2.0 ", 8);
	assert_in_range(call, 0, s->count - 1);
	/* What the gate says comes between the server's messages, which are what they were. */
	if (s->calls[call].evil) {
		assert_int_equal(code, g.policy->answers[REASON_DO_NOT_CALL].sip_code);
	} else {
		assert_true(s->said_len >= len);
		assert_memory_equal(msg, s->said, len);
		memmove(s->said, s->said + len, s->said_len - len);
		s->said_len -= len;
	}
	if (code < 200)
		return;
	assert_false(s->calls[call].answered);
	s->calls[call].answered = true;
	s->done++;
	client_say(p, s, call, "ACK");
}

static void client_app(struct pair *p, struct session *s)
{
	struct peer *peer = &p->peer[0];
	uint32_t n;

	while ((n = message_len(peer->in + s->client_read, peer->in_read - s->client_read))) {
		client_hears(p, s, peer->in + s->client_read, n);
		s->client_read += n;
	}
	while (s->begun < s->count && s->begun < s->done + s->at_once)
		client_say(p, s, s->begun++, "INVITE");
	if (s->done == s->count)
		peer_finish(p, 0);
}

static void server_say(struct pair *p, struct session *s, const uint8_t *msg, uint32_t len,
		       const char *status)
{
	char text[512];
	int n = snprintf(text, sizeof(text),
			 "SIP/2.0 %s\r\nCall-ID: c%u-%llu\r\nFrom: <sip:a@one.example>;tag=f\r\n"
			 "To: <sip:b@two.example>;tag=t\r\nCSeq: 1 INVITE\r\n"
			 "Via: SIP/2.0/TCP 10.1.0.2:5060;branch=z9hG4bK\r\n"
			 "Content-Length: 0\r\n\r\n",
			 status, call_of(msg, len), (unsigned long long)s->seed);

	peer_write(p, 1, text, (uint32_t)n);
	memcpy(s->said + s->said_len, text, (size_t)n);
	s->said_len += (uint32_t)n;
}

static void server_app(struct pair *p, struct session *s)
{
	struct peer *peer = &p->peer[1];
	uint32_t n;

	while (fixture_below(&p->random, 3) &&
	       (n = message_len(peer->in + s->server_read, peer->in_read - s->server_read))) {
		const uint8_t *msg = peer->in + s->server_read;

		s->server_read += n;
		if (memcmp(msg, "INVITE", 6) != 0)
			continue;
		server_say(p, s, msg, n, "100 Trying");
		server_say(p, s, msg, n, "200 OK");
	}
	if (peer->in_next == peer->in_fin && s->server_read == peer->in_next)
		peer_finish(p, 1);
}

static void app(struct pair *p, unsigned side)
{
	if (side)
		server_app(p, p->ctx);
	else
		client_app(p, p->ctx);
}

static struct session session;

static void session_make(struct session *s, uint64_t seed)
{
	uint64_t random = seed * 55;

	memset(s, 0, sizeof(*s));
	s->seed = seed;
	s->count = 1 + fixture_below(&random, CALLS);
	s->at_once = 1 + fixture_below(&random, CALLS);
	for (unsigned i = 0; i < s->count; i++)
		s->calls[i].evil = fixture_below(&random, 2);
}

static bool is_done(const struct pair *p)
{
	return peer_said_all(&p->peer[0]) && peer_said_all(&p->peer[1]) &&
	       peer_heard_all(&p->peer[0]) && peer_heard_all(&p->peer[1]);
}

static void run(const struct pair_options *options, uint64_t seed)
{
	struct pair_options o = *options;
	uint64_t end;

	o.port = 5060;
	gate_fixture_reset(&g);
	session_make(&session, seed);
	pair_open(&pair, &g, &o, 1, seed);
	pair.app = app;
	pair.ctx = &session;
	end = pair.now + UINT64_C(36000000000000);
	while (!is_done(&pair)) {
		pair_step(&pair);
		if (pair.now > end || pair.peer[0].state == PEER_RESET ||
		    pair.peer[1].state == PEER_RESET)
			fail_msg("seed %llu: stuck: %u of %u calls, client heard %u, server %u of "
				 "%u, states %u %u",
				 (unsigned long long)seed, session.done, session.count,
				 pair.peer[0].in_next, pair.peer[1].in_next, session.reach,
				 pair.peer[0].state, pair.peer[1].state);
	}
	pair_close(&pair);
	assert_int_equal(session.done, session.count);
	assert_int_equal(session.said_len, 0);
	if (pair.peer[1].in_next != session.reach ||
	    memcmp(pair.peer[1].in, session.reaches, session.reach) != 0)
		fail_msg("seed %llu: the server heard:\n%.*s\nnot:\n%.*s", (unsigned long long)seed,
			 (int)pair.peer[1].in_next, pair.peer[1].in, (int)session.reach,
			 session.reaches);
}

static void refused_calls_are_answered_between_the_servers_messages(void **state)
{
	struct pair_options o = pair_easy();

	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		run(&o, seed);
}

static void whatever_the_network_does(void **state)
{
	for (uint64_t seed = 1; seed <= 2 * SEEDS; seed++) {
		struct pair_options o = pair_hostile(seed);

		/* What takes longer than a transaction is remembered is no copy of it. */
		o.peer[0].tiny = o.peer[1].tiny = false;
		run(&o, seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_calls_are_answered_between_the_servers_messages),
		cmocka_unit_test(whatever_the_network_does),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
