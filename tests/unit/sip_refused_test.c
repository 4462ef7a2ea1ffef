/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/sip_refused.h"

#include "dataplane/proto/sip_reply.h"
#include "tests/unit/test.h"

#define SECOND UINT64_C(1000000000)

static const uint8_t key[SIPHASH_KEY_SIZE] = "secret";
static struct sip_refused_table *table;
static uint64_t now;

static void fresh(uint32_t entries, uint32_t tenant_max)
{
	struct sip_refused_config config = {entries, 3, tenant_max, 32 * SECOND};

	free(table);
	table = sip_refused_init(aligned_alloc(64, sip_refused_size(&config)), &config);
	now = 1000 * SECOND;
}

static int teardown(void **state)
{
	free(table);
	table = NULL;
	return 0;
}

static struct sip_transaction numbered(uint64_t n)
{
	return (struct sip_transaction){.key = n * UINT64_C(0x9e3779b97f4a7c15), .method = 7};
}

static void it_is_known_for_its_time_and_not_longer(void **state)
{
	struct sip_refused *r;

	fresh(4, 4);
	assert_null(sip_refused_find(table, now, 1, numbered(1)));
	r = sip_refused_add(table, now, 1, numbered(1));
	assert_non_null(r);
	r->code = 403;
	/* Timers E and A: 0.5 s, 1 s, 2 s, 4 s; asking makes it live no longer. */
	for (uint64_t half = 1; half <= 64; half *= 2) {
		r = sip_refused_find(table, now + half * SECOND / 2, 1, numbered(1));
		assert_non_null(r);
		assert_int_equal(r->code, 403);
	}
	assert_null(sip_refused_find(table, now + 32 * SECOND + 1, 1, numbered(1)));
	/* A clock that steps back. */
	assert_non_null(sip_refused_find(table, now - SECOND, 1, numbered(1)));
	sip_refused_expire(table, now + 32 * SECOND, 8);
	assert_int_equal(sip_refused_count(table, 1), 1);
	sip_refused_expire(table, now + 33 * SECOND, 8);
	assert_int_equal(sip_refused_count(table, 1), 0);
}

static void tenants_and_methods_are_kept_apart(void **state)
{
	struct sip_transaction t = numbered(1);

	fresh(4, 4);
	assert_non_null(sip_refused_add(table, now, 1, t));
	assert_null(sip_refused_find(table, now, 2, t));
	t.method = 8;
	assert_null(sip_refused_find(table, now, 1, t));
	t.method = SIP_METHOD_ANY;
	assert_non_null(sip_refused_find(table, now, 1, t));
	t.key = 0;
	assert_null(sip_refused_find(table, now, 1, t));
	assert_null(sip_refused_add(table, now, 1, t));
}

static void a_flood_takes_the_tenants_share_and_nothing_before_its_time(void **state)
{
	unsigned room = 0;

	fresh(100, 60);
	assert_non_null(sip_refused_add(table, now, 2, numbered(1)));
	for (uint64_t n = 2; n < 1000; n++)
		room += sip_refused_add(table, now + n, 1, numbered(n)) != NULL;
	assert_int_equal(room, 60);
	assert_non_null(sip_refused_find(table, now, 2, numbered(1)));
	for (uint64_t n = 2; n < 62; n++)
		assert_non_null(sip_refused_find(table, now, 1, numbered(n)));
	assert_null(sip_refused_find(table, now, 1, numbered(62)));
	/* The other tenant has what is left. */
	for (uint64_t n = 1000; n < 2000; n++)
		room += sip_refused_add(table, now + n, 2, numbered(n)) != NULL;
	assert_int_equal(room, 99);
	/* What is over makes room, though nobody swept. */
	now += 40 * SECOND;
	for (uint64_t n = 2000; n < 2060; n++)
		assert_non_null(sip_refused_add(table, now, 1, numbered(n)));
	assert_null(sip_refused_add(table, now, 1, numbered(3000)));
	assert_null(sip_refused_find(table, now, 1, numbered(2)));
}

static void the_ring_turns_for_ever(void **state)
{
	fresh(7, 7);
	for (uint64_t n = 1; n < 1000; n++) {
		now += 10 * SECOND;
		assert_non_null(sip_refused_add(table, now, n % 3, numbered(n)));
		/* Ten seconds apart: this one and the three before it. */
		for (uint64_t m = n > 8 ? n - 8 : 1; m <= n; m++)
			assert_int_equal(sip_refused_find(table, now, m % 3, numbered(m)) != NULL,
					 n - m <= 3);
	}
}

static struct sip_transaction read_text(const char *start, const char *branch, const char *rest)
{
	struct sip_message msg;
	char text[1024];
	int n = snprintf(text, sizeof(text),
			 "%s\r\nVia: SIP/2.0/UDP 10.0.0.1:5060%s\r\nTo: <sip:b@c>\r\n%s\r\n\r\n",
			 start, branch, rest);

	sip_parse((const uint8_t *)text, (size_t)n, &msg);
	return sip_transaction_read(&msg, key);
}

#define FROM "From: <sip:a@b>;tag=a\r\n"
#define MINE FROM "Call-ID: c\r\nCSeq: 1 "

static void what_is_of_a_transaction_has_its_key(void **state)
{
	static const char *const branches[] = {";branch=z9hG4bKx", ";branch=old", ""};

	for (int i = 0; i < 3; i++) {
		const char *b = branches[i];
		struct sip_transaction invite =
			read_text("INVITE sip:b@c SIP/2.0", b, MINE "INVITE");
		struct sip_transaction ack = read_text("ACK sip:b@c SIP/2.0", b, MINE "ACK");
		struct sip_transaction cancel =
			read_text("CANCEL sip:b@c SIP/2.0", b, MINE "CANCEL");
		struct sip_transaction options =
			read_text("OPTIONS sip:b@c SIP/2.0", b, MINE "OPTIONS");
		struct sip_transaction busy = read_text("SIP/2.0 486 Busy", b, MINE "INVITE");

		assert_true(invite.key && invite.method);
		assert_memory_equal(&ack.key, &invite.key, 8);
		assert_int_equal(ack.method, invite.method);
		assert_true(cancel.key == invite.key);
		assert_int_equal(cancel.method, SIP_METHOD_ANY);
		assert_true(options.key == invite.key);
		assert_true(options.method != invite.method);
		assert_true(busy.key == invite.key && busy.method == invite.method);
	}
}

static void whatever_differs_is_another(void **state)
{
	static const char start[] = "INVITE sip:b@c SIP/2.0", branch[] = ";branch=z9hG4bKx";
	uint64_t own = read_text(start, branch, MINE "INVITE").key;

	assert_true(own != read_text(start, ";branch=z9hG4bKy", MINE "INVITE").key);
	assert_true(own != read_text(start, branch, FROM "Call-ID: c\r\nCSeq: 2 INVITE").key);
	assert_true(own != read_text(start, branch, FROM "Call-ID: d\r\nCSeq: 1 INVITE").key);
	assert_true(own != read_text(start, branch,
				     "From: <sip:a@b>;tag=z\r\nCall-ID: c\r\nCSeq: 1 INVITE")
				   .key);
	/* Nothing to know it by. */
	assert_true(read_text(start, "", FROM "CSeq: 1 INVITE").key == 0);
}

static struct sip_message parsed(const char *text)
{
	struct sip_message msg;

	sip_parse((const uint8_t *)text, strlen(text), &msg);
	return msg;
}

static void an_ack_shows_whose_answer_it_means(void **state)
{
	static const uint8_t other[SIPHASH_KEY_SIZE] = "other";
	static const char head[] = "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx\r\n" MINE;
	char text[1024], answer[1024];
	struct sip_reply reply = {.code = 403, .reason = BYTES("No"), .seed = key};
	struct sip_message msg;
	size_t n;

	snprintf(text, sizeof(text), "INVITE sip:b@c SIP/2.0\r\n%sINVITE\r\nTo: <sip:b@c>\r\n\r\n",
		 head);
	msg = parsed(text);
	n = sip_reply_build(&msg, &reply, answer, sizeof(answer) - 1);
	assert_true(n > 0);
	answer[n] = '\0';
	msg = parsed(answer);
	assert_int_equal(msg.to.tag.len, 16);
	snprintf(text, sizeof(text),
		 "ACK sip:b@c SIP/2.0\r\n%sACK\r\nTo: <sip:b@c>;tag=%.16s\r\n\r\n", head,
		 (const char *)msg.to.tag.p);
	msg = parsed(text);
	assert_true(sip_reply_is_acked(&msg, key));
	assert_false(sip_reply_is_acked(&msg, other));
	*strstr(text, "K sip") = 'C'; /* ACC: no ACK */
	msg = parsed(text);
	assert_false(sip_reply_is_acked(&msg, key));
	snprintf(text, sizeof(text),
		 "ACK sip:b@c SIP/2.0\r\n%sACK\r\nTo: <sip:b@c>;tag=0123456789abcdef\r\n\r\n",
		 head);
	msg = parsed(text);
	assert_false(sip_reply_is_acked(&msg, key));
	snprintf(text, sizeof(text), "ACK sip:b@c SIP/2.0\r\n%sACK\r\nTo: <sip:b@c>\r\n\r\n", head);
	msg = parsed(text);
	assert_false(sip_reply_is_acked(&msg, key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_known_for_its_time_and_not_longer),
		cmocka_unit_test(tenants_and_methods_are_kept_apart),
		cmocka_unit_test(a_flood_takes_the_tenants_share_and_nothing_before_its_time),
		cmocka_unit_test(the_ring_turns_for_ever),
		cmocka_unit_test(what_is_of_a_transaction_has_its_key),
		cmocka_unit_test(whatever_differs_is_another),
		cmocka_unit_test(an_ack_shows_whose_answer_it_means),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
