/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a worker behind XDP asks to have put into the kernel about which flow, and what voids it:
 * tests/bpf has what the kernel makes of it.
 */
#include "dataplane/kernel_flow.h"

#include "bpf/event_record.h"
#include "tests/gate_fixture.h"
#include "tests/unit/test.h"

#define CLIENT 0
#define SERVER 1
#define ACK    0x10
#define FIN    0x01
#define RST    0x04
#define SYN    0x02
#define HOUR   (UINT64_C(3600) * 1000000000)

static const char config[] =
	"tenants: ( { id = 7; name = \"acme\"; prefixes = [ \"10.1.0.0/16\" ]; } );";
static const uint8_t hello[] = "\x16\x03\x01\x00\x04\x01\x00\x00\x00";

static struct gate_fixture g;
static uint64_t epochs[FLOW_EPOCHS];
static struct kernel_flow asked[64];
static unsigned asked_count;
static uint32_t sent[2]; /* stream bytes of each end */
static unsigned ended, bypassed;

static void take(void *ctx, const struct event_head *head)
{
	struct event_reader r;
	struct event_value v;

	if (head->type == EVENT_FLOW) {
		ended++;
		bypassed += event_find(head, FIELD_KEY_FLOW_BYPASS, &v);
	}
	if (head->type != EVENT_KERNEL)
		return;
	assert_non_null(event_open(&r, head, head->size));
	assert_true(event_next(&r, &v));
	assert_int_equal(v.key, FIELD_KEY_KERNEL_FLOW);
	assert_int_equal(v.len, sizeof(asked[0]));
	assert_in_range(asked_count, 0, 63);
	memcpy(&asked[asked_count++], v.p, v.len);
}

/* How many verdicts were asked for by now. */
static unsigned asks(void)
{
	gate_fixture_run(&g);
	return asked_count;
}

static const struct kernel_flow *last(void)
{
	assert_true(asked_count > 0);
	return &asked[asked_count - 1];
}

/* As the kernel would: of its connection, and in time. */
static bool holds(const struct kernel_flow *k)
{
	return epochs[k->verdict.place] == k->verdict.epoch &&
	       k->verdict.expires > (uint64_t)((int64_t)g.w->now + g.w->monotonic);
}

static void say(unsigned from, const void *data, uint32_t len)
{
	talk_put(&g, &talk_smtp, from, ACK, sent[from], sent[!from], data, len);
	sent[from] += len;
	gate_fixture_run(&g); /* what a burst ends with is known of all that is in it */
}

static void chat(unsigned packets)
{
	for (unsigned i = 0; i < packets; i++)
		say(i % 2 ? SERVER : CLIENT, "\x17\x03\x03\x00\x01x", 6);
}

static void control(unsigned from, uint8_t flags)
{
	talk_put(&g, &talk_smtp, from, flags, sent[from], sent[!from], NULL, 0);
}

static void begin(void)
{
	memset(sent, 0, sizeof(sent));
	talk_handshake(&g, &talk_smtp);
	gate_fixture_run(&g);
}

/* STARTTLS, and the client's hello. */
static void begin_tls(void)
{
	begin();
	say(SERVER, "220 mx ESMTP\r\n", 14);
	say(CLIENT, "EHLO a\r\n", 8);
	say(SERVER, "250-mx\r\n250 STARTTLS\r\n", 22);
	say(CLIENT, "STARTTLS\r\n", 10);
	say(SERVER, "220 go\r\n", 8);
	say(CLIENT, hello, sizeof(hello) - 1);
}

static void a_tls_session_is_passed_when_it_goes_on(void **state)
{
	begin_tls();
	chat(KERNEL_FLOW_PASS - 3);
	assert_int_equal(asks(), 0);
	chat(4);
	assert_int_equal(asks(), 1);
	assert_int_equal(last()->verdict.decision, FLOW_PASS);
	assert_int_equal(last()->key.family, 4);
	assert_int_equal(last()->key.proto, 6);
	assert_true(holds(last()));
	assert_true(last()->verdict.expires <=
		    (uint64_t)((int64_t)g.w->now + g.w->monotonic) + KERNEL_FLOW_TIME);
	/* Packets that are still on their way here. */
	chat(100);
	assert_int_equal(asks(), 1);
}

static void tls_from_the_first_byte_is_passed_too(void **state)
{
	begin();
	say(CLIENT, hello, sizeof(hello) - 1);
	chat(KERNEL_FLOW_PASS + 2);
	assert_int_equal(asks(), 1);
	assert_int_equal(last()->verdict.decision, FLOW_PASS);
}

static void what_is_read_is_never_passed(void **state)
{
	begin();
	say(SERVER, "220 mx ESMTP\r\n", 14);
	for (unsigned i = 0; i < 100; i++) {
		say(CLIENT, "NOOP\r\n", 6);
		say(SERVER, "250 Ok\r\n", 8);
	}
	assert_int_equal(asks(), 0);
}

static void one_that_has_expired_is_asked_for_again(void **state)
{
	begin_tls();
	chat(40);
	assert_int_equal(asks(), 1);
	g.time += KERNEL_FLOW_TIME + 1;
	chat(1);
	gate_fixture_run(&g);
	assert_false(holds(last()));
	chat(KERNEL_FLOW_PASS);
	assert_int_equal(asks(), 2);
	assert_true(holds(last()));
}

static void another_connection_on_the_same_ports_voids_it(void **state)
{
	struct talk next = talk_smtp;

	begin_tls();
	chat(40);
	assert_int_equal(asks(), 1);
	control(CLIENT, RST | ACK);
	asks();
	assert_true(holds(last()));
	next.isn[CLIENT] += 1000000;
	next.isn[SERVER] += 77;
	g.time += 1000000;
	talk_put(&g, &next, CLIENT, SYN, UINT32_MAX, 0, NULL, 0);
	gate_fixture_run(&g);
	assert_false(holds(last()));
	assert_int_equal(asks(), 1);
}

static void others_connections_void_none_but_by_their_place(void **state)
{
	struct talk other = talk_smtp;
	unsigned voided = 0;

	begin_tls();
	chat(40);
	assert_int_equal(asks(), 1);
	for (unsigned i = 0; i < 100; i++) {
		other.port[CLIENT]++;
		talk_put(&g, &other, CLIENT, SYN, UINT32_MAX, 0, NULL, 0);
		gate_fixture_run(&g);
		voided += !holds(last());
	}
	assert_int_equal(voided, 0);
	/* One that shares its place, as may be: it is asked for again. */
	epochs[last()->verdict.place]++;
	chat(KERNEL_FLOW_PASS);
	assert_int_equal(asks(), 2);
	assert_true(holds(last()));
}

static void one_that_ends_is_not_asked_for(void **state)
{
	begin_tls();
	control(SERVER, FIN | ACK);
	chat(40);
	assert_int_equal(asks(), 0);
}

static void a_suspended_tenants_session_is_stopped_and_not_passed(void **state)
{
	begin_tls();
	gate_fixture_run(&g);
	gate_fixture_forget(&g);
	g.policy->slots[1].state = TENANT_SUSPENDED;
	chat(40);
	assert_int_equal(asks(), 0);
	assert_int_equal(g.left_count, 0);
	assert_int_equal(g.w->counters->reasons[REASON_TENANT_SUSPENDED], 40);
	g.policy->slots[1].state = TENANT_ACTIVE;
	chat(40);
	assert_int_equal(asks(), 1);
	assert_int_equal(g.left_count, 40);
}

static void what_is_left_of_a_refused_session_is_dropped(void **state)
{
	uint8_t on_loss = g.policy->on_loss[REASON_SMTP_ENCRYPTED];

	g.policy->on_loss[REASON_SMTP_ENCRYPTED] = VERDICT_DROP;
	begin();
	say(CLIENT, hello, sizeof(hello) - 1);
	chat(KERNEL_FLOW_DROP - 3);
	assert_int_equal(asks(), 0);
	chat(6);
	assert_int_equal(asks(), 1);
	assert_int_equal(last()->verdict.decision, FLOW_DROP);
	assert_true(holds(last()));
	g.policy->on_loss[REASON_SMTP_ENCRYPTED] = on_loss;
}

static void a_session_whose_client_the_gate_still_answers_is_not(void **state)
{
	g.policy->slots[1].state = TENANT_SUSPENDED;
	begin();
	say(SERVER, "220 mx ESMTP\r\n", 14);
	for (unsigned i = 0; i < 3; i++)
		say(CLIENT, "NOOP\r\n", 6);
	gate_fixture_run(&g);
	assert_true(g.w->counters->reasons[REASON_TENANT_SUSPENDED] > 0);
	for (unsigned i = 0; i < 100; i++)
		control(CLIENT, ACK);
	assert_int_equal(asks(), 0);
	g.policy->slots[1].state = TENANT_ACTIVE;
}

static void without_xdp_nobody_is_asked(void **state)
{
	g.w->epochs = NULL;
	begin_tls();
	chat(100);
	assert_int_equal(asks(), 0);
}

static void a_flow_that_the_kernel_was_told_of_says_so_when_it_ends(void **state)
{
	begin_tls();
	chat(KERNEL_FLOW_PASS - 3);
	assert_int_equal(asks(), 0);
	gate_fixture_reset(&g);
	assert_int_equal(ended, 1);
	assert_int_equal(bypassed, 0);
	begin_tls();
	chat(40);
	assert_int_equal(asks(), 1);
	gate_fixture_reset(&g);
	assert_int_equal(ended, 2);
	assert_int_equal(bypassed, 1);
}

static void where_verdicts_are_turned_off_nobody_is_asked(void **state)
{
	g.policy->flow_verdicts = false;
	begin_tls();
	chat(100);
	assert_int_equal(asks(), 0);
	gate_fixture_reset(&g);
	assert_int_equal(ended, 1);
	assert_int_equal(bypassed, 0);
	g.policy->flow_verdicts = true;
}

static void a_new_dataplane_voids_all_of_the_last_ones(void **state)
{
	begin_tls();
	chat(40);
	assert_int_equal(asks(), 1);
	assert_true(holds(last()));
	kernel_flow_forget_all(epochs);
	assert_false(holds(last()));
}

static int setup(void **state)
{
	gate_fixture_reset(&g);
	asked_count = ended = bypassed = 0;
	g.w->epochs = epochs;
	g.w->monotonic = (int64_t)HOUR - (int64_t)g.time;
	return 0;
}

static int open_gate(void **state)
{
	gate_fixture_open_live(&g, config);
	g.event = take;
	return 0;
}

static int close_gate(void **state)
{
	gate_fixture_close(&g);
	return 0;
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_tls_session_is_passed_when_it_goes_on),
		T(tls_from_the_first_byte_is_passed_too),
		T(what_is_read_is_never_passed),
		T(one_that_has_expired_is_asked_for_again),
		T(another_connection_on_the_same_ports_voids_it),
		T(others_connections_void_none_but_by_their_place),
		T(one_that_ends_is_not_asked_for),
		T(a_suspended_tenants_session_is_stopped_and_not_passed),
		T(what_is_left_of_a_refused_session_is_dropped),
		T(a_session_whose_client_the_gate_still_answers_is_not),
		T(without_xdp_nobody_is_asked),
		T(a_flow_that_the_kernel_was_told_of_says_so_when_it_ends),
		T(where_verdicts_are_turned_off_nobody_is_asked),
		T(a_new_dataplane_voids_all_of_the_last_ones),
	};

	return cmocka_run_group_tests(tests, open_gate, close_gate);
}
