/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/sip_reply.h"
#include "dataplane/proto/sip_transaction.h"
#include "tests/unit/test.h"

static const uint8_t key[SIPHASH_KEY_SIZE] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static struct sip_message msg;
static char buf[4096];

static void parse(const char *text)
{
	sip_parse((const uint8_t *)text, strlen(text), &msg);
}

static void siphash_agrees_with_its_authors_vectors(void **state)
{
	/* Aumasson and Bernstein, appendix A (15 bytes), and vectors.h (0 and 8 bytes). */
	static const struct {
		size_t len;
		uint64_t hash;
	} vectors[] = {
		{0, UINT64_C(0x726fdb47dd0e0e31)},
		{8, UINT64_C(0x93f5f5799a932462)},
		{15, UINT64_C(0xa129ca6149be45e5)},
	};

	for (size_t i = 0; i < 3; i++) {
		for (size_t cut = 0; cut <= vectors[i].len; cut++) {
			struct siphash h;

			siphash_init(&h, key);
			siphash_add(&h, key, cut);
			siphash_add(&h, key + cut, vectors[i].len - cut);
			assert_true(siphash_end(&h) == vectors[i].hash);
		}
	}
}

static uint64_t transaction(const char *start, const char *via, const char *rest)
{
	static char text[512]; /* msg goes on pointing into it */

	snprintf(text, sizeof(text), "%s\r\nVia: SIP/2.0/UDP %s\r\n%s\r\n", start, via, rest);
	parse(text);
	return sip_transaction_key(&msg, key);
}

#define CALL     "Call-ID: c\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\n"
#define ACK_CALL "Call-ID: c\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>;tag=9\r\n"
#define VIA      "h:5060;branch=z9hG4bKx"

static void a_transaction_is_branch_sent_by_and_method(void **state)
{
	uint64_t invite = transaction("INVITE sip:a@b SIP/2.0", VIA, CALL "CSeq: 1 INVITE\r\n");

	assert_true(invite != 0);
	assert_true(invite == transaction("ACK sip:a@b SIP/2.0", VIA, ACK_CALL "CSeq: 1 ACK\r\n"));
	assert_true(invite == transaction("SIP/2.0 403 No", VIA, ACK_CALL "CSeq: 1 INVITE\r\n"));
	assert_true(invite == transaction("INVITE sip:a@b SIP/2.0", "H;branch=z9hG4bKx", ""));
	assert_true(invite != transaction("BYE sip:a@b SIP/2.0", VIA, CALL "CSeq: 1 BYE\r\n"));
	assert_true(invite != transaction("INVITE sip:a@b SIP/2.0", "h;branch=z9hG4bKX", ""));
	assert_true(invite != transaction("INVITE sip:a@b SIP/2.0", "h:5061;branch=z9hG4bKx", ""));
	assert_true(invite != transaction("INVITE sip:a@b SIP/2.0", "i;branch=z9hG4bKx", ""));
	assert_true(transaction("CANCEL sip:a@b SIP/2.0", VIA, CALL "CSeq: 1 CANCEL\r\n") !=
		    invite);
	assert_true(sip_transaction_cancelled(&msg, key) == invite);
	transaction("INVITE sip:a@b SIP/2.0", VIA, "");
	assert_true(sip_transaction_cancelled(&msg, key) == 0);
}

static void an_old_clients_transaction_is_told_by_its_call(void **state)
{
	uint64_t invite = transaction("INVITE sip:a@b SIP/2.0", "h", CALL "CSeq: 1 INVITE\r\n");

	assert_true(invite == transaction("ACK sip:a@b SIP/2.0", "h", ACK_CALL "CSeq: 1 ACK\r\n"));
	assert_true(invite == transaction("SIP/2.0 486 B", "h", ACK_CALL "CSeq: 1 INVITE\r\n"));
	assert_true(invite !=
		    transaction("INVITE sip:a@b SIP/2.0", "h", CALL "CSeq: 2 INVITE\r\n"));
	assert_true(invite !=
		    transaction("INVITE sip:a@b SIP/2.0", "h", "Call-ID: d\r\nCSeq: 1 INVITE\r\n"));
	/* The cookie alone is no branch (RFC 4475 3.2.1). */
	assert_true(transaction("OPTIONS sip:a@b SIP/2.0", "h;branch=z9hG4bK",
				"Call-ID: c\r\nCSeq: 1 OPTIONS\r\n") !=
		    transaction("OPTIONS sip:a@b SIP/2.0", "h;branch=z9hG4bK",
				"Call-ID: d\r\nCSeq: 1 OPTIONS\r\n"));
}

static void without_a_via_there_is_no_transaction(void **state)
{
	parse("INVITE sip:a@b SIP/2.0\r\nCall-ID: c\r\n\r\n");
	assert_true(sip_transaction_key(&msg, key) == 0);
	parse("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h\r\n\r\n");
	assert_true(sip_transaction_key(&msg, key) == 0);
}

static const char request[] = "INVITE sip:911@example.net SIP/2.0\r\n"
			      "Via: SIP/2.0/UDP p;branch=z9hG4bK2;rport;x=y,\r\n"
			      " SIP/2.0/UDP o;branch=z9hG4bK1\r\n"
			      "Max-Forwards: 70\r\n"
			      "f: \"Ann\"\r\n <sip:ann@example.com>;tag=77\r\n"
			      "v: SIP/2.0/TCP n;branch=z9hG4bK0\r\n"
			      "To: <sip:911@example.net>\r\n"
			      "i: c1@example.com\r\n"
			      "CSeq: 314 INVITE\r\n"
			      "Record-Route: <sip:p;lr>\r\n"
			      "Content-Length: 0\r\n\r\n";

static void a_reply_is_built_from_its_request(void **state)
{
	struct sip_reply reply = {
		.code = 503,
		.reason = BYTES("Too many calls"),
		.warning = BYTES("say \"please\""),
		.retry_after = 30,
		.received = BYTES("192.0.2.9"),
		.rport = 40000,
		.seed = key,
	};

	parse(request);

	size_t n = sip_reply_build(&msg, &reply, buf, sizeof(buf));
	char *tag = strstr(buf, ";tag=");

	buf[n] = '\0';
	assert_true(n > 0);
	tag = strstr(tag + 1, ";tag="); /* the To header's */
	assert_non_null(tag);
	assert_int_equal(strspn(tag + 5, "0123456789abcdef"), 16);
	memset(tag + 5, 'T', 16);
	assert_string_equal(buf, "SIP/2.0 503 Too many calls\r\n"
				 "Via: SIP/2.0/UDP p;branch=z9hG4bK2;rport=40000;x=y"
				 ";received=192.0.2.9, SIP/2.0/UDP o;branch=z9hG4bK1\r\n"
				 "Via: SIP/2.0/TCP n;branch=z9hG4bK0\r\n"
				 "From: \"Ann\" <sip:ann@example.com>;tag=77\r\n"
				 "To: <sip:911@example.net>;tag=TTTTTTTTTTTTTTTT\r\n"
				 "Call-ID: c1@example.com\r\n"
				 "CSeq: 314 INVITE\r\n"
				 "Retry-After: 30\r\n"
				 "Warning: 399 postern \"say \\\"please\\\"\"\r\n"
				 "Content-Length: 0\r\n\r\n");
}

static void a_retransmission_is_given_the_same_bytes(void **state)
{
	static const uint8_t other_seed[SIPHASH_KEY_SIZE] = {1};
	struct sip_reply reply = {.code = 403, .reason = BYTES("No"), .seed = key};
	char again[sizeof(buf)];

	parse(request);

	size_t n = sip_reply_build(&msg, &reply, buf, sizeof(buf));

	parse(request);
	assert_int_equal(sip_reply_build(&msg, &reply, again, sizeof(again)), n);
	assert_memory_equal(buf, again, n);
	reply.seed = other_seed;
	assert_int_equal(sip_reply_build(&msg, &reply, again, sizeof(again)), n);
	assert_memory_not_equal(buf, again, n);
	/* And what was built can be read. */
	assert_int_equal(sip_parse((uint8_t *)buf, n, &msg), SIP_OK);
	assert_int_equal(msg.code, 403);
	assert_int_equal(msg.to.tag.len, 16);
	assert_int_equal(sip_message_flags(&msg), 0);
}

static void a_tag_that_is_there_stays(void **state)
{
	struct sip_reply reply = {.code = 403, .reason = BYTES("No"), .seed = key};

	parse("BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\n"
	      "To: <sip:b@c>;tag=2\r\nCall-ID: c\r\nCSeq: 2 BYE\r\n\r\n");
	buf[sip_reply_build(&msg, &reply, buf, sizeof(buf))] = '\0';
	assert_non_null(strstr(buf, "\r\nTo: <sip:b@c>;tag=2\r\n"));
}

static void a_reply_that_does_not_fit_is_not_built(void **state)
{
	struct sip_reply reply = {.code = 403, .reason = BYTES("No"), .seed = key};

	parse(request);

	size_t n = sip_reply_build(&msg, &reply, buf, sizeof(buf));

	for (size_t size = 0; size < n; size++) {
		char *exact = malloc(size ? size : 1);

		assert_int_equal(sip_reply_build(&msg, &reply, exact, size), 0);
		free(exact);
	}
	assert_int_equal(sip_reply_build(&msg, &reply, buf, n), n);
}

static void what_cannot_be_answered_is_not(void **state)
{
	static const char *const texts[] = {
		"ACK sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>\r\nTo: <sip:b@c>\r\n"
		"Call-ID: c\r\nCSeq: 1 ACK\r\n\r\n",
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>\r\nTo: <sip:b@c>\r\n"
		"Call-ID: c\r\nCSeq: 1 BYE\r\n\r\n",
		"BYE sip:a@b SIP/2.0\r\nFrom: <sip:a@b>\r\nTo: <sip:b@c>\r\nCall-ID: c\r\n"
		"CSeq: 1 BYE\r\n\r\n",
		"BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nTo: <sip:b@c>\r\nCall-ID: c\r\n"
		"CSeq: 1 BYE\r\n\r\n",
		"not SIP at all",
	};
	struct sip_reply reply = {.code = 403, .reason = BYTES("No"), .seed = key};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		parse(texts[i]);
		assert_int_equal(sip_reply_build(&msg, &reply, buf, sizeof(buf)), 0);
	}
}

static void nothing_of_a_text_or_header_ends_a_line_early(void **state)
{
	struct sip_reply reply = {
		.code = 403,
		.reason = BYTES("No\r\nX-Evil: 1"),
		.warning = BYTES("a\nb"),
		.seed = key,
	};

	parse("BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\n"
	      "To: <sip:b@c>;x=\r y\r\nCall-ID: c\rd\r\nCSeq: 2 BYE\r\n\r\n");
	buf[sip_reply_build(&msg, &reply, buf, sizeof(buf))] = '\0';
	assert_null(strstr(buf, "Evil"));
	for (char *p = buf; *p; p++)
		if (*p == '\r' || *p == '\n')
			assert_true((*p == '\r' && p[1] == '\n') || (p > buf && p[-1] == '\r'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_agrees_with_its_authors_vectors),
		cmocka_unit_test(a_transaction_is_branch_sent_by_and_method),
		cmocka_unit_test(an_old_clients_transaction_is_told_by_its_call),
		cmocka_unit_test(without_a_via_there_is_no_transaction),
		cmocka_unit_test(a_reply_is_built_from_its_request),
		cmocka_unit_test(a_retransmission_is_given_the_same_bytes),
		cmocka_unit_test(a_tag_that_is_there_stays),
		cmocka_unit_test(a_reply_that_does_not_fit_is_not_built),
		cmocka_unit_test(what_cannot_be_answered_is_not),
		cmocka_unit_test(nothing_of_a_text_or_header_ends_a_line_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
