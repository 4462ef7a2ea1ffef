/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An SMTP session over a network that loses, doubles, reorders and re-cuts its
 * segments, and a sender that lies in its retransmissions. Whatever it does: what
 * reaches the receiver is what was read, each byte with one value only.
 */
#include "dataplane/tcp/tcp.h"
#include "tests/gate_fixture.h"
#include "tests/unit/test.h"

#define ROUNDS 150
#define STREAM 16384

struct turn {
	unsigned side; /* 0: the client */
	const char *text;
	const char *early; /* sent right behind it, but to stay until the other side has spoken */
};

#define BODY                                                                                       \
	"From: <a@one.example>\r\nTo: <b@two.example>\r\nSubject: stream\r\nMIME-Version: 1.0\r\n" \
	"Content-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\n\r\nfirst\r\n..dots\r\n"      \
	"--cut\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; "          \
	"filename=x.bin\r\n\r\nUG9zdGVybiBzdGFuZHMgaW4gdGhlIHdpcmUgYmV0d2VlbiB0ZW5hbnRz\r\n"       \
	"YW5kIHRoZSBpbnRlcm5ldC4gVGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVy\r\n--cut--\r\n.\r\n"

/* As it should be, and by a client that waits for nothing. */
static const struct turn session[] = {
	{.side = 1, .text = "220 mx.two.example ESMTP\r\n"},
	{.side = 0, .text = "EHLO one.example\r\n"},
	{.side = 1, .text = "250-mx.two.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n"},
	{.side = 0,
	 .text = "MAIL FROM:<a@one.example>\r\nRCPT TO:<b@two.example>\r\nRCPT "
		 "TO:<c@two.example>\r\n"
		 "DATA\r\n"},
	{.side = 1,
	 .text = "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n550 5.1.1 User unknown\r\n354 Go ahead\r\n"},
	{.side = 0, .text = BODY},
	{.side = 1, .text = "250 2.0.0 Queued\r\n"},
	{.side = 0,
	 .text = "MAIL FROM:<a@one.example>\r\nRCPT TO:<b@two.example>\r\nBDAT 30 LAST\r\n"
		 "Subject: chunk\r\n\r\nAll of it.\r\n"},
	{.side = 1, .text = "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.0.0 Queued\r\n"},
	{.side = 0, .text = "QUIT\r\n"},
	{.side = 1, .text = "221 2.0.0 Bye\r\n"},
};

static const struct turn hasty_session[] = {
	{.side = 1, .text = "220 mx.two.example ESMTP\r\n"},
	{.side = 0,
	 .text = "EHLO one.example\r\nMAIL FROM:<a@one.example>\r\nRCPT "
		 "TO:<b@two.example>\r\nDATA\r\n",
	 .early = BODY "MAIL FROM:<a@one.example>\r\nRCPT TO:<c@two.example>\r\nDATA\r\n"},
	/* The second answer comes late, and is no. */
	{.side = 1,
	 .text = "250 mx.two.example\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go ahead\r\n"},
	{.side = 0,
	 .text = "",
	 .early = "NOOP behind\r\nMAIL FROM:<a@one.example>\r\nRCPT TO:<b@two.example>\r\n"
		  "BDAT 30 LAST\r\nSubject: chunk\r\n\r\nAll of it.\r\nQUIT\r\n"},
	{.side = 1,
	 .text = "250 2.0.0 Queued\r\n250 2.1.0 Ok\r\n550 5.1.1 User unknown\r\n554 5.5.1 No\r\n"},
	{.side = 1,
	 .text = "250 Ok\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.0.0 Queued\r\n221 2.0.0 Bye\r\n"},
};

enum network {
	STRAIGHT = 0,
	RECUT = 1 << 0,     /* other segments */
	REORDER = 1 << 1,   /* within a turn */
	DOUBLE = 1 << 2,    /* resent, cut otherwise, with the same content */
	LIE_LATER = 1 << 3, /* resent with other content, once the true bytes were sent */
	LIE = 1 << 4,       /* the client's, resent with other content, at any time */
	SILENT = 1 << 5,    /* the receiver acknowledges with its own data only */
};

/* One direction, as its sender and as its receiver know it. */
struct stream {
	uint8_t sent[STREAM], got[STREAM];
	bool offered[STREAM]; /* the gate has had a copy */
	bool have[STREAM];
	uint32_t len, next, acked; /* sent; received in order; acknowledged through the gate */
	uint32_t limit;            /* what is beyond is to stay */
};

struct net {
	struct gate_fixture *g;
	struct talk talk;
	unsigned how;
	uint64_t random;
	struct stream stream[2];
	unsigned left; /* packets looked at */
};

static struct gate_fixture g;

static void receive(struct net *n, const struct left_packet *p)
{
	unsigned side = p->hdr.sport == n->talk.port[1];
	struct stream *s = &n->stream[side];
	uint32_t at = p->hdr.seq - n->talk.isn[side] - 1;

	assert_true(p->sound);
	for (uint32_t k = 0; k < p->hdr.payload_len; k++, at++) {
		uint8_t byte = p->bytes[p->hdr.payload + k];

		/* Keep-alives and what is acknowledged: no receiver takes it. */
		if ((int32_t)(at - s->acked) < 0)
			continue;
		assert_true(at < s->len);
		if (at >= s->limit)
			fail_msg("byte %u of side %u left before byte %u", at, side, s->limit);
		if (s->have[at] && s->got[at] != byte)
			fail_msg("byte %u of side %u left as %02x and as %02x", at, side,
				 s->got[at], byte);
		s->have[at] = true;
		s->got[at] = byte;
	}
	while (s->next < s->len && s->have[s->next])
		s->next++;
}

static void look_at_what_left(struct net *n)
{
	gate_fixture_run(n->g);
	for (; n->left < n->g->left_count; n->left++)
		receive(n, &n->g->left[n->left]);
}

static void put(struct net *n, unsigned side, uint32_t from, uint32_t to, bool lie)
{
	struct stream *s = &n->stream[side], *other = &n->stream[!side];
	uint8_t data[STREAM];

	memcpy(data, s->sent + from, to - from);
	for (uint32_t k = 0; lie && k < to - from; k++)
		if (fixture_below(&n->random, 3) == 0)
			data[k] ^= (uint8_t)(1 + fixture_below(&n->random, 255));
	talk_put(n->g, &n->talk, side, TCP_ACK, from, other->next, data, to - from);
	other->acked = other->next;
	for (uint32_t k = from; k < to; k++)
		s->offered[k] = true;
	if (fixture_below(&n->random, 4) == 0)
		look_at_what_left(n);
}

static bool all_offered(const struct stream *s, uint32_t from, uint32_t to)
{
	while (from < to && s->offered[from])
		from++;
	return from == to;
}

/* Something of the last kilobyte again. */
static void again(struct net *n, unsigned side)
{
	struct stream *s = &n->stream[side];
	uint32_t first = s->len > 1000 ? s->len - 1000 : 0;
	uint32_t from = first + fixture_below(&n->random, s->len - first);
	uint32_t to = from + 1 + fixture_below(&n->random, RTE_MIN(s->len - from, 200u));
	bool lie = fixture_below(&n->random, 2);

	to = RTE_MIN(to, s->len);
	/* The server's word must be what it is: the client waits for it. */
	if (lie && (n->how & LIE) && side == 0)
		put(n, side, from, to, true);
	else if (lie && (n->how & LIE_LATER) && all_offered(s, from, to))
		put(n, side, from, to, true);
	else if (n->how & DOUBLE)
		put(n, side, from, to, false);
}

static void acknowledge(struct net *n, unsigned side)
{
	struct stream *other = &n->stream[!side];

	talk_put(n->g, &n->talk, side, TCP_ACK, n->stream[side].len, other->next, NULL, 0);
	other->acked = other->next;
}

/* A sender sends again what is not acknowledged. */
static void insist(struct net *n, unsigned side)
{
	struct stream *s = &n->stream[side];

	for (unsigned tries = 0; s->next < s->limit; tries++) {
		uint32_t to = RTE_MIN(s->len, s->next + 100);

		if (tries == 400)
			fail_msg("side %u is stuck at %u of %u", side, s->next, s->limit);
		put(n, side, s->next, to, false);
		look_at_what_left(n);
	}
}

/* The last `early` bytes of the text are to stay. */
static void speak(struct net *n, unsigned side, const uint8_t *text, uint32_t len, uint32_t early)
{
	struct stream *s = &n->stream[side];
	uint32_t cut[1024], base = s->len, count = 0;

	assert_true(s->len + len <= STREAM);
	memcpy(s->sent + s->len, text, len);
	s->len += len;
	s->limit = RTE_MAX(s->limit, s->len - early);
	for (uint32_t at = base; at < s->len;) {
		cut[count++] = at;
		at += n->how & RECUT ? 1 + fixture_below(&n->random, 120) : len;
	}
	cut[count] = s->len;
	for (uint32_t k = 0; k < count; k++) {
		uint32_t i = k;

		/* Among the next eight. */
		if (n->how & REORDER)
			i = k + fixture_below(&n->random, RTE_MIN(8u, count - k));
		put(n, side, cut[i], cut[i + 1] > cut[i] ? cut[i + 1] : s->len, false);
		if (i != k) {
			/* The one that was due is lost; it comes again below. */
			continue;
		}
		if (n->how & (DOUBLE | LIE | LIE_LATER) && fixture_below(&n->random, 3) == 0)
			again(n, side);
		if (!(n->how & SILENT) && fixture_below(&n->random, 4) == 0)
			acknowledge(n, !side);
	}
	look_at_what_left(n);
	insist(n, side);
	if (!(n->how & SILENT))
		acknowledge(n, !side);
	look_at_what_left(n);
}

static void net_open(struct net *n, unsigned how, uint64_t seed)
{
	memset(n, 0, sizeof(*n));
	n->g = &g;
	n->how = how;
	n->random = seed;
	n->talk = talk_smtp;
	if (how) {
		n->talk.isn[0] = UINT32_MAX - fixture_below(&n->random, 3000);
		n->talk.isn[1] = UINT32_MAX - fixture_below(&n->random, 300);
	}
	talk_handshake(n->g, &n->talk);
	gate_fixture_run(n->g);
	n->left = n->g->left_count;
}

static void net_close(struct net *n)
{
	talk_put(n->g, &n->talk, 0, TCP_ACK | TCP_FIN, n->stream[0].len, n->stream[1].next, NULL,
		 0);
	talk_put(n->g, &n->talk, 1, TCP_ACK | TCP_FIN, n->stream[1].len, n->stream[0].next + 1,
		 NULL, 0);
	gate_fixture_run(n->g);
	gate_fixture_finish(n->g);
}

/* The turns' texts; from `as`, where it is given: bytes that another run delivered. */
static void hold_session(struct net *n, const struct turn *turns, unsigned count,
			 const struct net *as)
{
	uint32_t at[2] = {0, 0};

	for (unsigned i = 0; i < count; i++) {
		const struct turn *t = &turns[i];
		uint32_t early = t->early ? (uint32_t)strlen(t->early) : 0;
		uint32_t len = (uint32_t)strlen(t->text) + early;
		char text[STREAM];

		snprintf(text, sizeof(text), "%s%s", t->text, t->early ? t->early : "");
		/* The server's word may be what the client's bytes wait for. */
		if (t->side == 1)
			n->stream[0].limit = n->stream[0].len;
		speak(n, t->side, as ? as->stream[t->side].got + at[t->side] : (uint8_t *)text, len,
		      early);
		at[t->side] += len;
		if (t->side == 1)
			insist(n, 0);
	}
}

struct outcome {
	struct counters counters;
	char digests[8][65];
	unsigned digest_count;
};

static struct outcome outcome(void)
{
	struct outcome o = {.counters = *g.w->counters, .digest_count = g.digest_count};

	memcpy(o.digests, g.digests, sizeof(o.digests));
	return o;
}

static struct outcome run_turns(struct net *n, const struct turn *turns, unsigned count,
				unsigned how, uint64_t seed, const struct net *as)
{
	gate_fixture_reset(&g);
	net_open(n, how, seed);
	hold_session(n, turns, count, as);
	net_close(n);
	return outcome();
}

static struct outcome run(struct net *n, unsigned how, uint64_t seed, const struct net *as)
{
	return run_turns(n, session, RTE_DIM(session), how, seed, as);
}

static void assert_same_outcome(const struct outcome *a, const struct outcome *b)
{
	assert_int_equal(a->counters.smtp.messages_attempted, b->counters.smtp.messages_attempted);
	assert_int_equal(a->counters.smtp.messages_accepted, b->counters.smtp.messages_accepted);
	assert_int_equal(a->digest_count, b->digest_count);
	for (unsigned i = 0; i < a->digest_count; i++)
		assert_string_equal(a->digests[i], b->digests[i]);
	assert_memory_equal(&a->counters.smtp, &b->counters.smtp, sizeof(a->counters.smtp));
}

static struct net straight, disturbed, replayed;

static void an_undisturbed_session_is_read(void **state)
{
	struct outcome o = run(&straight, STRAIGHT, 0, NULL);

	assert_int_equal(o.counters.smtp.messages_accepted, 2);
	assert_int_equal(o.counters.smtp.rcpt_attempted, 3);
	assert_int_equal(o.counters.smtp.rcpt_hard_bounced, 1);
	assert_int_equal(o.digest_count, 2);
	assert_int_equal(o.counters.verdicts[VERDICT_PASS], g.number - 1);
	assert_int_equal(o.counters.tcp.retransmitted + o.counters.tcp.out_of_order, 0);
}

/* The same results, and the receiver has the sender's bytes. */
static void same_results_of(const struct turn *turns, unsigned count, unsigned how)
{
	struct outcome plain = run_turns(&straight, turns, count, STRAIGHT, 0, NULL);

	for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
		struct outcome o = run_turns(&disturbed, turns, count, how, seed, NULL);

		for (unsigned side = 0; side < 2; side++)
			assert_memory_equal(disturbed.stream[side].got, straight.stream[side].got,
					    straight.stream[side].len);
		assert_same_outcome(&o, &plain);
		assert_int_equal(o.counters.tcp.gaps, 0);
		assert_int_equal(o.counters.verdicts[VERDICT_DROP], 0);
	}
}

static void same_results_over(unsigned how)
{
	same_results_of(session, RTE_DIM(session), how);
}

static void segments_cut_otherwise_change_nothing(void **state)
{
	same_results_over(RECUT);
}

static void reordered_and_lost_segments_change_nothing(void **state)
{
	same_results_over(RECUT | REORDER);
}

static void retransmissions_in_other_segments_change_nothing(void **state)
{
	same_results_over(RECUT | REORDER | DOUBLE);
	same_results_over(RECUT | REORDER | DOUBLE | SILENT);
}

static void later_lies_change_nothing(void **state)
{
	same_results_over(RECUT | REORDER | DOUBLE | LIE_LATER);
	same_results_over(RECUT | REORDER | DOUBLE | LIE_LATER | SILENT);
}

/* A lie may come first; then it is what is read, and what is delivered. */
static void what_is_delivered_is_what_was_read(void **state)
{
	for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
		struct outcome o = run(&disturbed, RECUT | REORDER | DOUBLE | LIE, seed, NULL);
		struct outcome again_o = run(&replayed, STRAIGHT, 0, &disturbed);

		assert_same_outcome(&o, &again_o);
	}
}

static void what_a_client_sends_too_early_waits_for_the_answer(void **state)
{
	struct outcome o =
		run_turns(&straight, hasty_session, RTE_DIM(hasty_session), STRAIGHT, 0, NULL);

	/* What came behind the refused DATA is commands. */
	assert_int_equal(o.counters.smtp.messages_attempted, 2);
	assert_int_equal(o.counters.smtp.messages_accepted, 2);
	assert_int_equal(o.counters.smtp.rcpt_attempted, 3);
	assert_int_equal(o.counters.verdicts[VERDICT_PASS], g.number - 1);
	same_results_of(hasty_session, RTE_DIM(hasty_session), RECUT);
	same_results_of(hasty_session, RTE_DIM(hasty_session), RECUT | REORDER);
	same_results_of(hasty_session, RTE_DIM(hasty_session), RECUT | REORDER | DOUBLE);
	same_results_of(hasty_session, RTE_DIM(hasty_session),
			RECUT | REORDER | DOUBLE | LIE_LATER);
}

/* More than there is room for: it is read as if the server had said yes, in order. */
static void what_has_no_room_to_wait_goes_on(void **state)
{
	char body[8192];
	uint32_t segments = g.w->policy->budgets.reorder_segments + 20, from, n;

	gate_fixture_reset(&g);
	net_open(&disturbed, STRAIGHT, 0);
	hold_session(&disturbed, hasty_session, 1, NULL);
	n = (uint32_t)snprintf(body, sizeof(body),
			       "EHLO one.example\r\nMAIL FROM:<a@one.example>\r\n"
			       "RCPT TO:<b@two.example>\r\nDATA\r\nSubject: long\r\n\r\n");
	talk_put(&g, &disturbed.talk, 0, TCP_ACK, 0, 0, body, n);
	for (from = n; segments-- > 0; from += 10)
		talk_put(&g, &disturbed.talk, 0, TCP_ACK, from, 0, "ten bytes\n", 10);
	talk_put(&g, &disturbed.talk, 0, TCP_ACK, from, 0, "\r\n.\r\nQUIT\r\n", 11);
	gate_fixture_run(&g);
	assert_int_equal(g.w->counters->smtp.messages_attempted, 1);
	assert_int_equal(g.digest_count, 1);
	assert_int_equal(g.w->counters->verdicts[VERDICT_DROP], 0);
	from = 0;
	for (unsigned i = 0; i < g.left_count; i++) {
		const struct left_packet *p = &g.left[i];

		if (p->hdr.sport == 25 || !p->hdr.payload_len)
			continue;
		assert_int_equal(p->hdr.seq - disturbed.talk.isn[0] - 1, from);
		from += p->hdr.payload_len;
	}
	assert_true(from > n + 1000);
}

/* Of one side alone: the fourth segment behind a gap shows that it stays, and waits itself. */
static void what_a_held_segment_lets_go_leaves_in_its_turn(void **state)
{
	struct talk calls = talk_smtp;
	uint64_t last;

	calls.port[1] = 5060;
	gate_fixture_reset(&g);
	talk_put(&g, &calls, 0, TCP_SYN, UINT32_MAX, 0, NULL, 0);
	talk_put(&g, &calls, 0, TCP_ACK, 0, 0, "\r\n\r\n", 4);
	for (uint32_t i = 2; i < 5; i++)
		talk_put(&g, &calls, 0, TCP_ACK, 4 * i, 0, "\r\n\r\n", 4);
	gate_fixture_run(&g);
	assert_int_equal(g.left_count, 2);
	last = g.number;
	talk_put(&g, &calls, 0, TCP_ACK, 4 * 5, 0, "\r\n\r\n", 4);
	gate_fixture_run(&g);
	assert_int_equal(g.left_count, 6);
	for (unsigned i = 2; i < 6; i++)
		assert_int_equal(g.left[i].meta.decided, last);
	assert_int_equal(g.w->packet, last);
}

static int setup(void **state)
{
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
		cmocka_unit_test(an_undisturbed_session_is_read),
		cmocka_unit_test(segments_cut_otherwise_change_nothing),
		cmocka_unit_test(reordered_and_lost_segments_change_nothing),
		cmocka_unit_test(retransmissions_in_other_segments_change_nothing),
		cmocka_unit_test(later_lies_change_nothing),
		cmocka_unit_test(what_is_delivered_is_what_was_read),
		cmocka_unit_test(what_a_client_sends_too_early_waits_for_the_answer),
		cmocka_unit_test(what_has_no_room_to_wait_goes_on),
		cmocka_unit_test(what_a_held_segment_lets_go_leaves_in_its_turn),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
