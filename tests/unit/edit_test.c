/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Refusals on live connections: what each application reads is what the other said, without the
 * refused commands, with the refusals where they belong; whatever the network does.
 */
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/tcp/editor.h"
#include "dataplane/tcp/tcp.h"
#include "tests/live_pair.h"
#include "tests/unit/test.h"

#ifdef __SANITIZE_ADDRESS__
#define SEEDS 10
#else
#define SEEDS 50
#endif

static const char config[] =
	"tenants: ({ id = 1; name = \"acme\"; prefixes = [ \"10.1.0.0/16\", \"2001:db8:1::/48\" "
	"];\n"
	"  domain_consent = true; domains = [ \"one.example\" ]; optout = [ \"%s\" ]; },\n"
	"  { id = 2; name = \"initech\"; prefixes = [ \"10.2.0.0/16\" ]; state = \"suspended\"; "
	"},\n"
	"  { id = 3; name = \"slow\"; prefixes = [ \"10.3.0.0/16\" ]; optout = [ \"%s\" ];\n"
	"  limits: { messages = \"1/h\"; }; });\n"
	"policy: { actions: { header_missing = \"pass\"; }; mail: { mailbomb = \"unlimited\"; }; "
	"};\n"
	"budgets: { flows = 256; sessions = 128; messages = 16; calls = 256; fragments = 64; };\n";

static struct gate_fixture g;
static struct pair pair;
static unsigned long long first_seed, last_seed, traced_seed; /* of the command line */

static int setup(void **state)
{
	gate_fixture_open_listed(&g, config, "evil@two.example\n");
	return 0;
}

static int teardown(void **state)
{
	gate_fixture_close(&g);
	return 0;
}

/* The server ---------------------------------------------------------------- */

struct text {
	char p[PAIR_STREAM];
	uint32_t len;
};

static void text_add(struct text *t, const char *s, size_t len)
{
	assert_true(t->len + len < sizeof(t->p));
	memcpy(t->p + t->len, s, len);
	t->len += (uint32_t)len;
	t->p[t->len] = '\0';
}

static void text_say(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

struct server {
	uint32_t read, commands, chunk;
	bool in_data, closed;
};

static bool starts(const char *line, const char *word)
{
	return strncmp(line, word, strlen(word)) == 0;
}

/* One line, with its end. */
static void server_line(struct server *s, const char *line, struct text *reply)
{
	char words[64];

	if (s->chunk) {
		s->chunk -= (uint32_t)strlen(line);
		if (s->chunk)
			return;
	} else if (starts(line, "BDAT")) {
		s->chunk = (uint32_t)strtoul(line + 5, NULL, 10);
		return;
	} else if (s->in_data) {
		if (!starts(line, ".\r\n"))
			return;
		s->in_data = false;
	} else if (starts(line, "DATA")) {
		s->in_data = true;
		text_say(reply, "354 go\r\n");
		return;
	} else if (starts(line, "QUIT")) {
		s->closed = true;
		text_say(reply, "221 bye\r\n");
		return;
	} else if (starts(line, "EHLO")) {
		text_say(reply, "250-mx.two.example\r\n250-PIPELINING\r\n");
	}
	s->commands++;
	snprintf(words, sizeof(words), s->commands % 5 ? "250 %u ok\r\n" : "250-%u\r\n250 so\r\n",
		 s->commands);
	text_say(reply, words);
}

#define GREETING "220-mx.two.example\r\n220 ESMTP\r\n"

/* The length of the line there, with its LF; 0: not whole yet. */
static uint32_t line_len(const void *from, uint32_t len)
{
	const char *lf = memchr(from, '\n', len);

	return lf ? (uint32_t)(lf - (const char *)from) + 1 : 0;
}

/* The client ---------------------------------------------------------------- */

struct turn {
	uint32_t from, len;
	unsigned replies; /* to have, in all, before it */
};

struct session {
	struct text says;    /* all that the client says */
	struct text reaches; /* what of it the server hears */
	struct text hears;   /* what the client hears */
	struct turn turns[256];
	unsigned turn_count, turn, replies, refused, mails;
	struct server model, server;
	unsigned tenant;
	bool pipelined;
	bool last_chunk;
	bool evil;  /* the message in hand is to be refused */
	bool over;  /* the gate refused it, or said 421 */
	bool ended; /* it has said its last word */
	uint32_t client_read, client_replies;
};

static const char *refusal(struct session *s, const char *line)
{
	const struct policy_answer *answers = g.policy->answers;

	if (starts(line, "MAIL") && s->tenant == 3 && s->mails++)
		return answers[REASON_LIMIT_MESSAGES].smtp;

	if (starts(line, "MAIL") && s->tenant == 1 && strstr(line, "evil"))
		return answers[REASON_DOMAIN_CONSENT].smtp;
	if (starts(line, "RCPT") && strstr(line, "evil"))
		return answers[REASON_OPT_OUT].smtp;
	return NULL;
}

/* Its last byte is the message's last, and that is refused. */
static bool ends_message(const struct session *s, const char *line)
{
	if (s->model.chunk)
		return s->evil && s->last_chunk && s->model.chunk == strlen(line);
	return s->evil && s->model.in_data && starts(line, ".\r\n");
}

/* What the gate says when the session is over. */
static void last_words(struct session *s, const char *line)
{
	if (!s->ended)
		text_say(&s->hears, starts(line, "QUIT")
					    ? "221 2.0.0 Closing connection\r\n"
					    : "421 4.3.0 Closing connection after a refusal\r\n");
	s->ended = true;
}

/* The client waits for all replies first, or, pipelined, says it with what came before. */
static void say(struct session *s, const char *line, bool waits)
{
	struct turn *t = s->turn_count ? &s->turns[s->turn_count - 1] : NULL;
	bool command = !s->model.in_data && !s->model.chunk;
	const char *words = command ? refusal(s, line) : NULL;
	uint32_t len = (uint32_t)strlen(line), before = s->hears.len;

	if (!t || waits || !s->pipelined) {
		t = &s->turns[s->turn_count++];
		assert_true(s->turn_count < RTE_DIM(s->turns));
		*t = (struct turn){.from = s->says.len, .replies = s->replies};
	}
	t->len += len;
	text_say(&s->says, line);
	if (s->over) {
		last_words(s, line);
	} else if (ends_message(s, line)) {
		words = g.policy->answers[REASON_DOMAIN_CONSENT].smtp;
		/* At the most: where the end comes in several segments. */
		text_add(&s->reaches, line, len - 1);
		text_say(&s->hears, words);
		text_say(&s->hears, "\r\n");
		s->over = true;
	} else if (words) {
		text_say(&s->hears, words);
		text_say(&s->hears, "\r\n");
		s->refused++;
		s->over = s->ended = starts(words, "421");
	} else {
		text_say(&s->reaches, line);
		server_line(&s->model, line, &s->hears);
	}
	s->replies += s->hears.len != before;
}

#define TEXT_LINE   "MAIL FROM:<x@evil.example> is text here\r\n"
#define HEADER_EVIL "From: <x@evil.example>\r\n"
#define HEADER_GOOD "From: <a@one.example>\r\n"

static void say_header(struct session *s, bool waits)
{
	say(s, s->evil ? HEADER_EVIL : HEADER_GOOD, waits);
	say(s, "\r\n", false);
}

static void say_data(struct session *s, uint64_t *random)
{
	say(s, "DATA\r\n", false);
	say_header(s, true);
	for (unsigned n = fixture_below(random, 30); n--;)
		say(s, TEXT_LINE, false);
	say(s, ".\r\n", false);
}

static void say_chunk(struct session *s, bool first, bool last, unsigned lines)
{
	size_t header = strlen(s->evil ? HEADER_EVIL : HEADER_GOOD) + 2;
	char line[64];

	snprintf(line, sizeof(line), "BDAT %zu%s\r\n",
		 (first ? header : 0) + lines * strlen(TEXT_LINE), last ? " LAST" : "");
	s->last_chunk = last;
	say(s, line, false);
	if (first)
		say_header(s, false);
	while (lines--)
		say(s, TEXT_LINE, false);
}

/* RFC 3030: a whole message without waiting for anything. */
static void say_chunks(struct session *s, uint64_t *random)
{
	unsigned chunks = fixture_below(random, 3);

	for (unsigned n = 0; n < chunks; n++)
		say_chunk(s, n == 0, false, 1 + fixture_below(random, 20));
	say_chunk(s, chunks == 0, true, 1 + fixture_below(random, 20));
}

static void say_mail(struct session *s, uint64_t *random)
{
	unsigned n = fixture_below(random, 8), wrong = fixture_below(random, 3);

	while (wrong--)
		say(s, "MAIL FROM:<x@evil.example>\r\n", false);
	say(s, "MAIL FROM:<a@one.example> BODY=8BITMIME\r\n", false);
	while (n--)
		say(s,
		    fixture_below(random, 2) ? "RCPT TO:<evil@two.example>\r\n"
					     : "RCPT TO:<someone.else@two.example>\r\n",
		    false);
	say(s, "RCPT TO:<b@two.example>\r\n", false);
	if (fixture_below(random, 3) == 0)
		say(s, "NOOP\r\n", true);
	if (fixture_below(random, 3) == 0)
		say_chunks(s, random);
	else
		say_data(s, random);
}

enum ending {
	WELL,    /* QUIT */
	MESSAGE, /* a message is refused */
	LIMIT,   /* MAIL is answered 421 */
	GREETED, /* so is the connection */
};

static void session_make(struct session *s, enum ending ending, bool pipelined, uint64_t seed)
{
	uint64_t random = seed * 77;

	memset(s, 0, sizeof(*s));
	s->tenant = ending == LIMIT ? 3 : ending == GREETED ? 2 : 1;
	s->pipelined = true;
	text_say(&s->hears, ending == GREETED
				    ? "421 4.7.0 Service suspended, contact your provider\r\n"
				    : GREETING);
	s->over = s->ended = ending == GREETED;
	s->replies = 1;
	say(s, "EHLO one.example\r\n", true);
	for (unsigned mails = 2 + fixture_below(&random, 3); mails--;) {
		s->pipelined = pipelined;
		s->evil = ending == MESSAGE && mails == 1;
		say(s, "RSET\r\n", fixture_below(&random, 2));
		say_mail(s, &random);
	}
	if (fixture_below(&random, 2))
		say(s, "MAIL FROM:<x@evil.example>\r\n", true);
	say(s, "QUIT\r\n", fixture_below(&random, 2));
}

static void server_app(struct pair *p, struct session *s)
{
	struct peer *peer = &p->peer[1];
	static struct text reply;
	uint32_t n;

	if (!peer->out_len)
		peer_write(p, 1, GREETING, strlen(GREETING));
	/* It may be slow, and then say several things at once. */
	while (fixture_below(&p->random, 4) && !s->server.closed &&
	       (n = line_len(peer->in + s->server.read, peer->in_read - s->server.read))) {
		char line[512] = "";

		memcpy(line, peer->in + s->server.read, RTE_MIN(n, sizeof(line) - 1));
		s->server.read += n;
		reply.len = 0;
		server_line(&s->server, line, &reply);
		peer_write(p, 1, reply.p, reply.len);
	}
	if (s->server.closed)
		peer_finish(p, 1);
}

static void client_app(struct pair *p, struct session *s)
{
	struct peer *peer = &p->peer[0];
	uint32_t n;

	while ((n = line_len(peer->in + s->client_read, peer->in_read - s->client_read))) {
		s->client_replies += peer->in[s->client_read + 3] == ' ';
		s->client_read += n;
	}
	while (s->turn < s->turn_count && s->client_replies >= s->turns[s->turn].replies) {
		const struct turn *t = &s->turns[s->turn++];

		peer_write(p, 0, s->says.p + t->from, t->len);
	}
	if ((s->turn == s->turn_count && s->client_replies >= s->replies) ||
	    peer->in_next == peer->in_fin)
		peer_finish(p, 0);
}

static void app(struct pair *p, unsigned side)
{
	if (side)
		server_app(p, p->ctx);
	else
		client_app(p, p->ctx);
}

/* Runs ---------------------------------------------------------------------- */

static void assert_heard(const struct peer *peer, const struct text *want, const char *who,
			 uint64_t seed)
{
	if (peer->in_next == want->len && memcmp(peer->in, want->p, want->len) == 0)
		return;
	fail_msg("seed %llu: the %s heard %u bytes of %u:\n%.*s\nnot:\n%.*s",
		 (unsigned long long)seed, who, peer->in_next, want->len, (int)peer->in_next,
		 peer->in, (int)want->len, want->p);
}

static struct session session;

static bool is_done(const struct pair *p, enum ending ending)
{
	const struct peer *client = &p->peer[0], *server = &p->peer[1];

	if (!peer_said_all(client) || !peer_heard_all(client))
		return false;
	if (ending == WELL)
		return peer_said_all(server) && peer_heard_all(server);
	/* A reset may be lost on its way, a few times over. */
	return server->state == PEER_RESET || (p->options.loss && p->now > client->quiet);
}

static void fail_stuck(const struct pair *p, uint64_t seed)
{
	const struct peer *client = &p->peer[0], *server = &p->peer[1];

	fail_msg("seed %llu: stuck: client said %u of %u, heard %u; server said %u of %u, heard "
		 "%u; states %u %u\n%.*s",
		 (unsigned long long)seed, client->una, client->out_len, client->in_next,
		 server->una, server->out_len, server->in_next, client->state, server->state,
		 (int)client->in_next, client->in);
}

static void run(const struct pair_options *options, enum ending ending, bool pipelined,
		uint64_t seed)
{
	struct peer *client = &pair.peer[0], *server = &pair.peer[1];
	uint64_t end;

	gate_fixture_reset(&g);
	session_make(&session, ending, pipelined, seed);
	pair_open(&pair, &g, options, session.tenant, seed);
	pair.app = app;
	pair.ctx = &session;
	if (seed == traced_seed)
		pair.trace = stderr;
	end = pair.now + UINT64_C(3600000000000);
	while (!is_done(&pair, ending)) {
		pair_step(&pair);
		if (pair.now > end || client->state == PEER_RESET ||
		    (ending == WELL && server->state == PEER_RESET))
			fail_stuck(&pair, seed);
	}
	pair_close(&pair);
	/* A reset throws away what was not read yet. */
	if (ending != WELL && server->in_next < session.reaches.len)
		session.reaches.len = server->in_next;
	assert_heard(server, &session.reaches, "server", seed);
	assert_heard(client, &session.hears, "client", seed);
}

static void run_seeds(const struct pair_options *options, bool pipelined)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		run(options, WELL, pipelined, seed);
}

static void refused_commands_are_cut_and_answered_in_lock_step(void **state)
{
	struct pair_options o = pair_easy();

	run_seeds(&o, false);
}

static void refused_commands_are_cut_and_answered_pipelined(void **state)
{
	struct pair_options o = pair_easy();

	run_seeds(&o, true);
}

static void run_hostile(enum ending ending, bool pipelined, uint64_t from, uint64_t to)
{
	for (uint64_t seed = from; seed <= to; seed++) {
		struct pair_options o = pair_hostile(seed);

		/* A lot to say, and nobody who reads it: the gate waits ten minutes, no more. */
		o.peer[0].tiny &= ending == WELL;
		/* Tenants' other prefixes are IPv4's. */
		o.ipv6 &= ending == WELL || ending == MESSAGE;
		run(&o, ending, pipelined, seed);
	}
}

static void whatever_the_network_does_in_lock_step(void **state)
{
	run_hostile(WELL, false, 1, SEEDS);
}

static void whatever_the_network_does_pipelined(void **state)
{
	run_hostile(WELL, true, 1, 2 * SEEDS);
}

static void a_refused_message_ends_the_session(void **state)
{
	run_hostile(MESSAGE, false, 1, SEEDS / 2);
	run_hostile(MESSAGE, true, 1, SEEDS);
}

static void a_421_ends_the_session_in_its_turn(void **state)
{
	run_hostile(LIMIT, false, 1, SEEDS / 2);
	run_hostile(LIMIT, true, 1, SEEDS);
}

static void a_suspended_tenant_hears_it_in_the_greetings_place(void **state)
{
	run_hostile(GREETED, true, 1, SEEDS);
}

static void the_command_lines_seeds(void **state)
{
	for (enum ending ending = WELL; ending <= GREETED; ending++) {
		run_hostile(ending, false, first_seed, last_seed);
		run_hostile(ending, true, first_seed, last_seed);
	}
}

/* FIRST LAST [TRACED]: these seeds. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_commands_are_cut_and_answered_in_lock_step),
		cmocka_unit_test(refused_commands_are_cut_and_answered_pipelined),
		cmocka_unit_test(whatever_the_network_does_in_lock_step),
		cmocka_unit_test(whatever_the_network_does_pipelined),
		cmocka_unit_test(a_refused_message_ends_the_session),
		cmocka_unit_test(a_421_ends_the_session_in_its_turn),
		cmocka_unit_test(a_suspended_tenant_hears_it_in_the_greetings_place),
	};

	const struct CMUnitTest seeds[] = {cmocka_unit_test(the_command_lines_seeds)};

	if (argc < 3)
		return cmocka_run_group_tests(tests, setup, teardown);
	first_seed = strtoull(argv[1], NULL, 10);
	last_seed = strtoull(argv[2], NULL, 10);
	traced_seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
	return cmocka_run_group_tests(seeds, setup, teardown);
}
