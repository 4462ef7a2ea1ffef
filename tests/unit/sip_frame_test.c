/* SPDX-License-Identifier: BSD-3-Clause */
/* What the spec documents cannot say of the framer: where bytes lie, and pools that run dry. */
#include "dataplane/proto/sip_frame.h"
#include "tests/unit/test.h"

#define BLOCK 16384

static uint8_t block[BLOCK];
static int lent;
static bool dry;

static void *block_get(struct proto_pool *pool)
{
	if (dry)
		return NULL;
	assert_int_equal(lent, 0);
	lent++;
	return block;
}

static void block_put(struct proto_pool *pool, void *p)
{
	assert_ptr_equal(p, block);
	lent--;
}

static struct proto_pool pool = {block_get, block_put, BLOCK};
static const uint8_t *last_data;
static size_t last_len;
static uint64_t last_begin, last_end;
static bool last_truncated;
static unsigned messages, losses;
static enum sip_lost last_lost;

static void on_message(void *ctx, const struct sip_frame *frame, enum sip_result result,
		       const struct sip_message *msg)
{
	messages++;
	last_data = frame->data;
	last_len = frame->len;
	last_begin = frame->begin;
	last_end = frame->end;
	last_truncated = frame->truncated;
	assert_ptr_equal(msg->body.p + msg->body.len, frame->data + frame->len);
}

static void on_lost(void *ctx, uint64_t offset, enum sip_lost why)
{
	losses++;
	last_lost = why;
}

static const struct sip_sink sink = {on_message, on_lost};
static struct sip_framer f;

static int setup(void **state)
{
	memset(&f, 0, sizeof(f));
	messages = losses = 0;
	lent = 0;
	dry = false;
	return 0;
}

static void feed(const char *text, size_t len)
{
	sip_frame_feed(&f, (const uint8_t *)text, len, &pool, &sink, NULL);
}

static const char two[] = "OPTIONS sip:b@x SIP/2.0\r\nl: 2\r\n\r\nok"
			  "SIP/2.0 200 OK\r\nl: 0\r\n\r\n";
#define FIRST 35 /* bytes of the first message */

static void whole_messages_are_handed_over_in_place(void **state)
{
	feed(two, sizeof(two) - 1);
	assert_int_equal(messages, 2);
	assert_ptr_equal(last_data, two + FIRST);
	assert_int_equal(last_begin, FIRST);
	assert_int_equal(last_end, sizeof(two) - 1);
	assert_int_equal(lent, 0);
	assert_null(f.block);
}

static void only_a_split_message_takes_a_block(void **state)
{
	feed(two, FIRST + 5);
	assert_int_equal(messages, 1);
	assert_int_equal(lent, 1);
	assert_int_equal(sip_frame_settled(&f), FIRST);
	feed(two + FIRST + 5, sizeof(two) - 1 - FIRST - 5);
	assert_int_equal(messages, 2);
	assert_ptr_equal(last_data, block);
	assert_int_equal(last_begin, FIRST);
	assert_int_equal(lent, 0);
	assert_int_equal(sip_frame_settled(&f), sizeof(two) - 1);
}

static void without_a_block_the_framing_is_lost_and_found(void **state)
{
	dry = true;
	feed(two, 10);
	assert_int_equal(losses, 1);
	assert_int_equal(last_lost, SIP_LOST_BUDGET);
	feed(two + 10, sizeof(two) - 1 - 10);
	assert_int_equal(messages,
			 0); /* "ok" and the second start line are one line to who is lost */
	feed("\r\n", 2);
	feed(two, sizeof(two) - 1);
	assert_int_equal(messages, 2);
	assert_int_equal(losses, 1);
}

static void a_gap_in_a_body_that_is_passed_over_costs_nothing(void **state)
{
	static char big[BLOCK + 100];
	const size_t body = 100000;
	int n = snprintf(big, sizeof(big), "MESSAGE sip:b@x SIP/2.0\r\nl: %zu\r\n\r\n", body);

	feed(big, sizeof(big));
	assert_int_equal(messages, 1);
	assert_true(last_truncated);
	assert_int_equal(last_len, BLOCK);
	assert_int_equal(last_end, (size_t)n + body);
	assert_int_equal(lent, 0);
	sip_frame_gap(&f, last_end - sizeof(big), &pool, &sink, NULL);
	feed(two, sizeof(two) - 1);
	assert_int_equal(messages, 3);
	assert_int_equal(losses, 0);
}

static void offsets_do_not_wrap(void **state)
{
	for (int i = 0; i < 3; i++)
		sip_frame_gap(&f, UINT64_C(1) << 32, &pool, &sink, NULL);
	feed(two, sizeof(two) - 1);
	assert_int_equal(messages, 2);
	assert_true(last_end == 3 * (UINT64_C(1) << 32) + sizeof(two) - 1);
}

static void the_end_of_a_stream_gives_the_block_back(void **state)
{
	feed(two, 10);
	assert_int_equal(lent, 1);
	sip_frame_fini(&f, &pool);
	assert_int_equal(lent, 0);
	assert_int_equal(messages, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(whole_messages_are_handed_over_in_place, setup),
		cmocka_unit_test_setup(only_a_split_message_takes_a_block, setup),
		cmocka_unit_test_setup(without_a_block_the_framing_is_lost_and_found, setup),
		cmocka_unit_test_setup(a_gap_in_a_body_that_is_passed_over_costs_nothing, setup),
		cmocka_unit_test_setup(offsets_do_not_wrap, setup),
		cmocka_unit_test_setup(the_end_of_a_stream_gives_the_block_back, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
