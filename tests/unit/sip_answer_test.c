/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Refused SIP requests over UDP on a live gate: where the answer goes, over IPv4 and IPv6; what is
 * sent again, and the ACK.
 */
#include <netinet/in.h>

#include "dataplane/packet_write.h"
#include "dataplane/tcp/checksum.h"
#include "tests/gate_fixture.h"
#include "tests/segment.h"
#include "tests/unit/test.h"

static const char config[] =
	"tenants: ({ id = 1; name = \"acme\"; prefixes = [ \"10.1.0.0/16\", \"2001:db8:1::/48\" "
	"];\n"
	"  do_not_call = [ \"%s\" ]; },\n"
	"  { id = 2; name = \"initech\"; prefixes = [ \"10.2.0.0/16\", \"2001:db8:2::/48\" ]; });\n"
	"budgets: { flows = 256; sessions = 128; messages = 16; calls = 256; fragments = 64; };\n";

static struct gate_fixture g;
static struct segment_ends ends;

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

static void put(const char *text)
{
	uint32_t len = 8 + (uint32_t)strlen(text);
	const uint8_t *from = ends.addr[0], *to = ends.addr[1];
	uint8_t frame[2048], *udp;
	uint64_t pseudo;
	uint16_t sum;

	gate_fixture_forget(&g);
	udp = frame + segment_write_ip(frame, &ends, 0, IPPROTO_UDP, len);
	put16(udp, ends.port[0]);
	put16(udp + 2, ends.port[1]);
	put16(udp + 4, len);
	put16(udp + 6, 0);
	memcpy(udp + 8, text, len - 8);
	pseudo = ends.ipv6 ? checksum_pseudo_ipv6(from, to, IPPROTO_UDP, len)
			   : checksum_pseudo_ipv4(from, to, IPPROTO_UDP, (uint16_t)len);
	sum = checksum_finish(checksum_add(pseudo, udp, len));
	memcpy(udp + 6, &sum, 2);
	gate_fixture_put(&g, LINK_ETHERNET, frame, (uint32_t)(udp - frame) + len, 0);
	gate_fixture_run(&g);
}

/* To a number that is not to be called; `branch` names the transaction. */
static void ask(const char *method, const char *via, unsigned branch)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "%s sip:+14155550100@two.example SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP %s;branch=z9hG4bK%u\r\nMax-Forwards: 70\r\n"
		 "From: <sip:a@one.example>;tag=f\r\nTo: <sip:+14155550100@two.example>%s\r\n"
		 "Call-ID: c%u\r\nCSeq: 1 %s\r\nContact: <sip:a@10.1.0.2>\r\n"
		 "Content-Length: 0\r\n\r\n",
		 method, via, branch, strcmp(method, "ACK") == 0 ? ";tag=x" : "", branch, method);
	put(text);
}

/* The one packet that left: the gate's answer, from the callee's address. */
static const char *answer(const uint8_t *to, uint16_t port)
{
	static char text[2048];
	const struct left_packet *p = &g.left[0];
	uint32_t size = ends.ipv6 ? 16 : 4;

	assert_int_equal(g.left_count, 1);
	assert_true(p->sound);
	assert_true(p->meta.flags & PACKET_FROM_GATE);
	assert_int_equal(p->meta.role, PORT_INSIDE);
	assert_memory_equal(headers_src(&p->hdr), ends.addr[1], size);
	assert_int_equal(p->hdr.sport, ends.port[1]);
	assert_memory_equal(headers_dst(&p->hdr), to, size);
	assert_int_equal(p->hdr.dport, port);
	snprintf(text, sizeof(text), "%.*s", p->hdr.payload_len,
		 (const char *)p->bytes + p->hdr.payload);
	assert_memory_equal(text, "SIP/2.0 403 ", 12);
	return text;
}

static void begin(bool ipv6)
{
	gate_fixture_reset(&g);
	ends = segment_ends(ipv6, 1, 40001, 5060);
}

static void a_refused_call_is_answered_again_and_its_ack_absorbed(void **state)
{
	for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
		const char *via = ipv6 ? "[2001:db8:1::2]:5070" : "10.1.0.2:5070";
		char first[2048];

		begin(ipv6);
		ask("INVITE", via, 1);
		snprintf(first, sizeof(first), "%s", answer(ends.addr[0], 5070));
		ask("INVITE", via, 1);
		assert_string_equal(answer(ends.addr[0], 5070), first);
		ask("ACK", via, 1);
		assert_int_equal(g.left_count, 0);
		/* Confirmed (RFC 3261 17.2.1): it is not answered any more. */
		ask("INVITE", via, 1);
		assert_int_equal(g.left_count, 0);
		/* Another transaction is. */
		ask("INVITE", via, 2);
		answer(ends.addr[0], 5070);
	}
}

/* RFC 3261 18.2.2, RFC 3581 4. */
static void answers_go_where_the_via_says(void **state)
{
	begin(false);
	ask("INVITE", "10.1.0.2", 1);
	assert_null(strstr(answer(ends.addr[0], 5060), "received="));
	ask("INVITE", "10.1.0.2:5070;rport", 2);
	assert_non_null(strstr(answer(ends.addr[0], 40001), ";rport=40001;"));
	ask("INVITE", "192.168.1.1:5070;rport", 3);
	assert_non_null(strstr(answer(ends.addr[0], 40001), ";received=10.1.0.2"));
	/* Behind a translator that it knows nothing of. */
	ask("INVITE", "192.168.1.1:5070", 4);
	assert_non_null(strstr(answer(ends.addr[0], 5070), ";received=10.1.0.2"));
	ask("INVITE", "one.example", 5);
	assert_non_null(strstr(answer(ends.addr[0], 5060), ";received=10.1.0.2"));
	/* Whoever says where it is received says nothing. */
	ask("INVITE", "10.1.0.2:5070;received=203.0.113.77", 6);
	answer(ends.addr[0], 5070);
	begin(true);
	ask("INVITE", "[2001:db8:1::2]:5070;rport", 7);
	assert_non_null(strstr(answer(ends.addr[0], 40001), ";received=2001:db8:1::2"));
	ask("INVITE", "[2001:db8:1::99]", 8);
	assert_non_null(strstr(answer(ends.addr[0], 5060), ";received=2001:db8:1::2"));
}

static void answers_go_to_maddr_where_it_is_the_tenants(void **state)
{
	uint8_t other[16] = {10, 1, 7, 8};

	begin(false);
	ask("INVITE", "10.1.0.2:5070;maddr=10.1.7.8", 1);
	answer(other, 5070);
	ask("INVITE", "10.1.0.2;maddr=10.1.7.8", 2);
	answer(other, 5060);
	/* RFC 3581 4: before rport. */
	ask("INVITE", "10.1.0.2:5070;rport;maddr=10.1.7.8", 3);
	answer(other, 5070);
	/* Sent again, it is answered there again. */
	ask("INVITE", "10.1.0.2:5070;rport;maddr=10.1.7.8", 3);
	answer(other, 5070);
	begin(true);
	memcpy(other, ends.addr[0], 16);
	other[15] = 8;
	ask("INVITE", "[2001:db8:1::2]:5070;maddr=[2001:db8:1::8]", 4);
	answer(other, 5070);
	ask("INVITE", "[2001:db8:1::2]:5070;maddr=2001:db8:1::8", 5);
	answer(other, 5070);
}

/* The gate sends nobody what a stranger asked for. */
static void a_maddr_of_anybody_else_is_none(void **state)
{
	static const char *const wrong[] = {
		"10.2.0.2", "203.0.113.77",     "224.0.1.75", "two.example",   "10.1.0.2.3",
		"",         "[2001:db8:1::8]",  "[",          "2001:db8:1::8", "255.255.255.255",
		"0.0.0.0",  "10.1.0.2\";x=\"y", "127.0.0.1",  "[10.1.7.8",     "[10.1.7.8]]",
	};
	char via[128];

	begin(false);
	for (unsigned i = 0; i < RTE_DIM(wrong); i++) {
		snprintf(via, sizeof(via), "10.1.0.2:5070;maddr=%s", wrong[i]);
		ask("INVITE", via, 100 + i);
		answer(ends.addr[0], 5070);
	}
	snprintf(via, sizeof(via), "10.1.0.2:5070;maddr=%080d", 1);
	ask("INVITE", via, 200);
	answer(ends.addr[0], 5070);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refused_call_is_answered_again_and_its_ack_absorbed),
		cmocka_unit_test(answers_go_where_the_via_says),
		cmocka_unit_test(answers_go_to_maddr_where_it_is_the_tenants),
		cmocka_unit_test(a_maddr_of_anybody_else_is_none),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
