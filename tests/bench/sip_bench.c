/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the messages of a call cost: nanoseconds of CPU time each, as the median of rounds, to
 * parse, and to follow in a table of so many calls that it is in no cache.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dataplane/proto/call.h"

#define ROUNDS 21
#define TIMES  20000
#define CALLS  200000

/* clang-format off */
#define DIALOG                                                                                     \
	"From: <sip:+12125550030@10.3.0.112>;tag=77f6dbbe\r\n"                                      \
	"To: <sip:+15655550148@203.0.113.95>%s\r\n"                                                 \
	"Call-ID: %08xe543d504@10.3.0.112\r\n"
#define BRANCH "Via: SIP/2.0/UDP 10.3.0.112:46303;branch=z9hG4bKe2c1ef74;rport\r\n"
#define REPLY "Server: Example Softswitch 9.1\r\nContent-Length: 0\r\n\r\n"

static const struct {
	const char *name, *text;
} kinds[] = {
	{"INVITE", "INVITE sip:+15655550148@203.0.113.95 SIP/2.0\r\n" BRANCH DIALOG
	 "CSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
	 "Contact: <sip:+12125550030@10.3.0.112:46303>\r\n"
	 "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, PRACK\r\n"
	 "Supported: timer, 100rel, replaces\r\n"
	 "P-Asserted-Identity: <sip:+12125550030@10.3.0.112>\r\nSession-Expires: 1800\r\n"
	 "User-Agent: Example SBC 4.2.1\r\nContent-Type: application/sdp\r\n"
	 "Content-Length: 148\r\n\r\nv=0\r\no=- 16691656216641 1 IN IP4 10.3.0.112\r\ns=-\r\n"
	 "c=IN IP4 10.3.0.112\r\nt=0 0\r\nm=audio 12866 RTP/AVP 0 8 9 18 101\r\n"
	 "a=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n"},
	{"100", "SIP/2.0 100 Trying\r\n" BRANCH DIALOG "CSeq: 1 INVITE\r\n" REPLY},
	{"180", "SIP/2.0 180 Ringing\r\n" BRANCH DIALOG "CSeq: 1 INVITE\r\n"
	 "Contact: <sip:+15655550148@203.0.113.95:5060>\r\n" REPLY},
	{"200", "SIP/2.0 200 OK\r\n" BRANCH DIALOG "CSeq: 1 INVITE\r\n"
	 "Contact: <sip:+15655550148@203.0.113.95:5060>\r\n" REPLY},
	{"ACK", "ACK sip:+15655550148@203.0.113.95 SIP/2.0\r\n" BRANCH DIALOG
	 "CSeq: 1 ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"},
	{"BYE", "BYE sip:+15655550148@203.0.113.95 SIP/2.0\r\n" BRANCH DIALOG
	 "CSeq: 2 BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"},
};
/* clang-format on */

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *rounds)
{
	qsort(rounds, ROUNDS, sizeof(rounds[0]), compare);
	return rounds[ROUNDS / 2];
}

static size_t message_make(char *buf, size_t size, unsigned kind, unsigned call)
{
	const char *to_tag = kind < 2 ? "" : ";tag=5b3f11aa";
	int n = snprintf(buf, size, kinds[kind].text, to_tag, call);

	if (n < 0 || (size_t)n >= size)
		abort();
	return (size_t)n;
}

static void measure_parse(unsigned kind)
{
	char buf[2048];
	double rounds[ROUNDS];
	struct sip_message msg;
	size_t len = message_make(buf, sizeof(buf), kind, 1);

	for (unsigned r = 0; r < ROUNDS; r++) {
		double start = now_ns();

		for (unsigned i = 0; i < TIMES; i++)
			if (sip_parse((const uint8_t *)buf, len, &msg) != SIP_OK)
				abort();
		rounds[r] = (now_ns() - start) / TIMES;
	}
	printf("parse    %-7s %4zu bytes %6.0f ns\n", kinds[kind].name, len, median(rounds));
}

/* Each kind once for every call, so that a call is cold again when its next message comes. */
static void measure_calls(void)
{
	struct call_config config;
	double took[KINDS][ROUNDS];
	struct sip_message msg;
	struct call_table *table;
	char buf[2048], id[64];

	call_config_default(&config);
	config.calls = CALLS;
	config.tenants = 1;
	table = call_table_init(aligned_alloc(64, call_table_size(&config)), &config);
	for (unsigned r = 0; r < ROUNDS; r++) {
		uint64_t now = (r + 1) * UINT64_C(1000000000000);

		for (unsigned k = 0; k < KINDS; k++) {
			double start;
			uint8_t *at;

			sip_parse((const uint8_t *)buf, message_make(buf, sizeof(buf), k, 0), &msg);
			snprintf(id, sizeof(id), "%.*s", (int)msg.call_id.len, msg.call_id.p);
			msg.call_id = bytes_of(id, msg.call_id.len);
			at = (uint8_t *)id;
			start = now_ns();
			for (uint32_t i = 0; i < CALLS / 2; i++) {
				uint32_t turned = i * 2654435761u;

				memcpy(at, &turned, sizeof(turned));
				call_message(table, now + k, 0, &msg, NULL);
			}
			took[k][r] = (now_ns() - start) / (CALLS / 2);
		}
		call_expire(table, now + UINT64_C(100000000000), CALLS);
	}
	for (unsigned k = 0; k < KINDS; k++)
		printf("follow   %-7s %u calls %6.0f ns\n", kinds[k].name, CALLS / 2,
		       median(took[k]));
	free(table);
}

int main(void)
{
	for (unsigned k = 0; k < KINDS; k++)
		measure_parse(k);
	measure_calls();
	return 0;
}
