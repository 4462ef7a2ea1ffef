/* SPDX-License-Identifier: BSD-3-Clause */
/* A table of a few calls, what was said in them, and what that counted. */
#ifndef POSTERN_TESTS_CALL_FIXTURE_H
#define POSTERN_TESTS_CALL_FIXTURE_H

#include "dataplane/proto/call.h"
#include "tests/unit/test.h"

#define SECOND UINT64_C(1000000000)
#define CALLS  4

static struct call_config config;
static struct call_table *table;
static uint64_t now;
static uint32_t total[32]; /* of each event, messages and ends */
static unsigned ended_count;
static char ended_state[32];
static uint16_t ended_code;
static uint64_t ended_duration;

static void count(uint32_t events)
{
	for (int i = 0; i < 32; i++)
		total[i] += events >> i & 1;
}

static uint32_t counted(enum call_event event)
{
	return total[__builtin_ctz(event)];
}

static void on_ended(void *ctx, const struct call *call, uint32_t events)
{
	count(events);
	ended_count++;
	snprintf(ended_state, sizeof(ended_state), "%s", call_state_name(call));
	ended_code = call->code;
	ended_duration = call_duration(call);
}

static int setup(void **state)
{
	call_config_default(&config);
	config.calls = CALLS;
	config.tenants = 3;
	config.ended = on_ended;
	return 0;
}

static void fresh(void)
{
	free(table);
	table = call_table_init(aligned_alloc(64, call_table_size(&config)), &config);
	memset(total, 0, sizeof(total));
	ended_count = 0;
	ended_state[0] = '\0';
	now = 1000 * SECOND;
}

static int teardown(void **state)
{
	free(table);
	table = NULL;
	return 0;
}

/* A message of call `id`; from and to are tags, "" for none. */
static uint32_t say(uint32_t tenant, const char *start, const char *id, const char *from,
		    const char *to, const char *cseq)
{
	char text[600];
	struct sip_message msg;
	int n = snprintf(text, sizeof(text),
			 "%s\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
			 "From: <sip:ann@a>%s%s\r\nTo: <sip:bob@b>%s%s\r\n"
			 "Call-ID: %s\r\nCSeq: %s\r\nContent-Length: 0\r\n\r\n",
			 start, *from ? ";tag=" : "", from, *to ? ";tag=" : "", to, id, cseq);

	assert_int_equal(sip_parse((uint8_t *)text, (size_t)n, &msg), SIP_OK);

	uint32_t events = call_message(table, now, tenant, &msg, NULL);

	count(events);
	return events;
}

#define INVITE "INVITE sip:+14155550100@b SIP/2.0"
#define BYE    "BYE sip:b SIP/2.0"

static uint32_t invite(const char *id, const char *cseq)
{
	return say(1, INVITE, id, "a", "", cseq);
}

static uint32_t reply(const char *status, const char *id, const char *cseq)
{
	char line[64];

	snprintf(line, sizeof(line), "SIP/2.0 %s", status);
	return say(1, line, id, "a", "b", cseq);
}

static uint32_t bye(const char *id)
{
	return say(1, BYE, id, "a", "b", "9 BYE");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
