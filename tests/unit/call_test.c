/* SPDX-License-Identifier: BSD-3-Clause */
/* What an attempt, an answer and an end are, and whose. */
#include "tests/unit/call_fixture.h"

static void a_call_is_attempted_seized_answered_and_completed_once(void **state)
{
	fresh();
	assert_int_equal(invite("c", "1 INVITE"), CALL_EVENT_ATTEMPT);
	assert_int_equal(invite("c", "1 INVITE"), CALL_EVENT_AGAIN | CALL_EVENT_REPEATED);
	assert_int_equal(reply("100 Trying", "c", "1 INVITE"), 0);
	now += SECOND;
	assert_int_equal(reply("180 Ringing", "c", "1 INVITE"), CALL_EVENT_RINGING);
	assert_int_equal(reply("183 Progress", "c", "1 INVITE"), 0);
	now += SECOND;
	assert_int_equal(reply("200 OK", "c", "1 INVITE"), CALL_EVENT_ANSWERED | CALL_EVENT_SEIZED);
	assert_int_equal(reply("200 OK", "c", "1 INVITE"), 0);
	assert_int_equal(say(1, INVITE, "c", "a", "b", "2 INVITE"), CALL_EVENT_REINVITE);
	assert_int_equal(reply("200 OK", "c", "2 INVITE"), 0);
	assert_int_equal(reply("488 No", "c", "2 INVITE"), 0);
	now += 7 * SECOND;
	assert_int_equal(ended_count, 0);
	assert_int_equal(bye("c"), CALL_EVENT_COMPLETED | CALL_EVENT_ENDED);
	assert_int_equal(bye("c"), 0);
	assert_int_equal(reply("200 OK", "c", "9 BYE"), 0);
	assert_int_equal(reply("200 OK", "c", "1 INVITE"), 0);
	assert_int_equal(ended_count, 1);
	assert_string_equal(ended_state, "answered");
	assert_int_equal(ended_code, 200);
	assert_true(ended_duration == 7 * SECOND);
	call_flush(table, now);
	assert_int_equal(ended_count, 1);
	assert_int_equal(call_count(table), 0);
}

static void short_is_up_to_six_seconds_and_no_longer(void **state)
{
	fresh();
	for (int ns = 0; ns <= 1; ns++) {
		const char *id = ns ? "long" : "short";

		invite(id, "1 INVITE");
		reply("200 OK", id, "1 INVITE");
		now += 6 * SECOND + (uint64_t)ns;
		assert_int_equal(bye(id), CALL_EVENT_COMPLETED | CALL_EVENT_ENDED |
						  (ns ? 0 : CALL_EVENT_SHORT));
	}
}

static void a_bye_of_the_callee_ends_the_call(void **state)
{
	fresh();
	invite("c", "1 INVITE");
	reply("200 OK", "c", "1 INVITE");
	now += SECOND;
	assert_true(say(1, BYE, "c", "b", "a", "1 BYE") & CALL_EVENT_COMPLETED);
}

static void a_call_of_an_old_client_without_a_tag_ends_too(void **state)
{
	fresh();
	assert_int_equal(say(1, INVITE, "c", "", "", "1 INVITE"), CALL_EVENT_ATTEMPT);
	say(1, "SIP/2.0 200 OK", "c", "", "b", "1 INVITE");
	assert_true(say(1, BYE, "c", "b", "", "1 BYE") & CALL_EVENT_COMPLETED);
}

static void challenges_do_not_make_another_attempt(void **state)
{
	static const char *const codes[] = {"401", "407", "413", "415", "416", "420", "422"};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		fresh();
		invite("c", "1 INVITE");
		assert_int_equal(reply(codes[i], "c", "1 INVITE"), CALL_EVENT_CHALLENGED);
		assert_int_equal(invite("c", "2 INVITE"), CALL_EVENT_AGAIN);
		assert_int_equal(reply(codes[i], "c", "1 INVITE"), 0); /* late, of the first */
		assert_int_equal(reply("486 Busy", "c", "2 INVITE"),
				 CALL_EVENT_SEIZED | CALL_EVENT_FAILED | CALL_EVENT_ENDED);
		assert_int_equal(counted(CALL_EVENT_ATTEMPT), 1);
		assert_int_equal(counted(CALL_EVENT_SEIZED), 1);
		assert_int_equal(ended_count, 1);
	}
}

static void a_challenge_nobody_answers_is_no_seizure(void **state)
{
	fresh();
	invite("c", "1 INVITE");
	reply("100 Trying", "c", "1 INVITE");
	reply("407 Who", "c", "1 INVITE");
	now += 179 * SECOND; /* a password is typed */
	call_expire(table, now, CALLS);
	assert_int_equal(ended_count, 0);
	now += 2 * SECOND;
	call_expire(table, now, CALLS);
	assert_int_equal(ended_count, 1);
	assert_string_equal(ended_state, "unanswered");
	assert_int_equal(counted(CALL_EVENT_SEIZED), 0);
	assert_int_equal(call_count(table), 0);
}

static void failures_are_unanswered_seizures(void **state)
{
	static const char *const codes[] = {"480", "486", "404", "487", "600", "603", "403"};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		fresh();
		invite("c", "1 INVITE");
		assert_int_equal(reply(codes[i], "c", "1 INVITE"),
				 CALL_EVENT_SEIZED | CALL_EVENT_FAILED | CALL_EVENT_ENDED);
		assert_int_equal(reply(codes[i], "c", "1 INVITE"), 0);
		assert_string_equal(ended_state, "unanswered");
	}
}

static void a_carriers_outage_is_counted_apart_too(void **state)
{
	static const char *const codes[] = {"408", "500", "503", "504"};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		fresh();
		invite("c", "1 INVITE");
		assert_int_equal(reply(codes[i], "c", "1 INVITE"),
				 CALL_EVENT_SEIZED | CALL_EVENT_OUTAGE | CALL_EVENT_FAILED |
					 CALL_EVENT_ENDED);
	}
}

static void a_redirected_attempt_leaves_the_denominator(void **state)
{
	fresh();
	invite("c", "1 INVITE");
	assert_int_equal(reply("302 Moved", "c", "1 INVITE"), CALL_EVENT_REDIRECTED);
	call_flush(table, now);
	assert_int_equal(counted(CALL_EVENT_SEIZED), 0);
	assert_string_equal(ended_state, "redirected");

	fresh();
	invite("c", "1 INVITE");
	reply("302 Moved", "c", "1 INVITE");
	assert_int_equal(invite("c", "2 INVITE"), CALL_EVENT_AGAIN);
	assert_int_equal(reply("200 OK", "c", "2 INVITE"), CALL_EVENT_ANSWERED | CALL_EVENT_SEIZED);
}

static void a_cancel_that_crosses_the_answer_is_an_answered_call(void **state)
{
	fresh();
	invite("c", "1 INVITE");
	assert_int_equal(say(1, "CANCEL sip:b SIP/2.0", "c", "a", "", "1 CANCEL"),
			 CALL_EVENT_CANCELLED);
	assert_int_equal(say(1, "CANCEL sip:b SIP/2.0", "c", "a", "", "1 CANCEL"), 0);
	assert_int_equal(reply("200 OK", "c", "1 CANCEL"), 0);
	assert_int_equal(reply("200 OK", "c", "1 INVITE"), CALL_EVENT_ANSWERED | CALL_EVENT_SEIZED);
	bye("c");
	assert_string_equal(ended_state, "answered");

	fresh();
	invite("c", "1 INVITE");
	say(1, "CANCEL sip:b SIP/2.0", "c", "a", "", "1 CANCEL");
	reply("487 Terminated", "c", "1 INVITE");
	assert_string_equal(ended_state, "cancelled");
	assert_int_equal(counted(CALL_EVENT_SEIZED), 1);
}

static void no_final_response_counts_as_the_mode_says(void **state)
{
	static const struct {
		enum call_asr_mode mode;
		unsigned silent, ringing; /* seizures */
	} cases[] = {
		{CALL_ASR_PROVISIONAL, 0, 1},
		{CALL_ASR_ALWAYS, 1, 1},
		{CALL_ASR_NEVER, 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int ringing = 0; ringing < 2; ringing++) {
			config.asr_mode = cases[i].mode;
			fresh();
			invite("c", "1 INVITE");
			if (ringing)
				reply("180 Ringing", "c", "1 INVITE");
			now += 180 * SECOND;
			call_expire(table, now, CALLS);
			assert_int_equal(ended_count, 0);
			now += 1;
			call_expire(table, now, CALLS);
			assert_int_equal(ended_count, 1);
			assert_string_equal(ended_state, "unknown");
			assert_int_equal(counted(CALL_EVENT_SEIZED),
					 ringing ? cases[i].ringing : cases[i].silent);
			now += 33 * SECOND;
			call_expire(table, now, CALLS);
			assert_int_equal(call_count(table), 0);
			assert_int_equal(ended_count, 1);
		}
	}
}

static void an_answer_after_the_call_was_given_up_still_counts(void **state)
{
	fresh();
	invite("c", "1 INVITE");
	reply("180 Ringing", "c", "1 INVITE");
	now += 181 * SECOND;
	call_expire(table, now, CALLS);
	assert_int_equal(counted(CALL_EVENT_SEIZED), 1);
	assert_int_equal(reply("200 OK", "c", "1 INVITE"), CALL_EVENT_ANSWERED);
}

static void without_a_bye_a_call_is_unknown_not_short(void **state)
{
	fresh();
	invite("c", "1 INVITE");
	reply("200 OK", "c", "1 INVITE");
	now += config.no_bye_ns;
	say(1, "UPDATE sip:b SIP/2.0", "c", "a", "b", "2 UPDATE"); /* it lives */
	now += config.no_bye_ns;
	call_expire(table, now, CALLS);
	assert_int_equal(ended_count, 0);
	now += 1;
	call_expire(table, now, CALLS);
	assert_string_equal(ended_state, "unknown");
	assert_int_equal(counted(CALL_EVENT_SHORT), 0);
	assert_int_equal(counted(CALL_EVENT_COMPLETED), 0);
}

static void a_call_picked_up_midstream_is_no_attempt(void **state)
{
	fresh();
	assert_int_equal(reply("200 OK", "c", "1 INVITE"), CALL_EVENT_MIDSTREAM);
	assert_int_equal(bye("c"), CALL_EVENT_MIDSTREAM);
	assert_int_equal(say(1, INVITE, "c", "a", "b", "5 INVITE"), CALL_EVENT_MIDSTREAM);
	assert_int_equal(call_count(table), 0);
}

static void what_the_gate_refuses_never_counts_as_failed(void **state)
{
	static const char text[] = INVITE "\r\nFrom: <sip:a@b>;tag=a\r\nCall-ID: c\r\n"
					  "CSeq: 1 INVITE\r\n\r\n";
	struct sip_message msg;

	fresh();
	invite("c", "1 INVITE");
	sip_parse((const uint8_t *)text, sizeof(text) - 1, &msg);
	assert_int_equal(call_refuse(table, now, 1, &msg, 403),
			 CALL_EVENT_REFUSED | CALL_EVENT_ENDED);
	assert_string_equal(ended_state, "refused");
	assert_int_equal(ended_code, 403);
	assert_int_equal(call_refuse(table, now, 1, &msg, 403), 0);
	/* A capture shows what the gate would not have let happen. */
	assert_int_equal(reply("200 OK", "c", "1 INVITE"), 0);
	assert_int_equal(bye("c"), 0);
	assert_int_equal(counted(CALL_EVENT_SEIZED), 0);
	/* Not the refused transaction, the caller says, though its CSeq: asked anew. */
	assert_int_equal(invite("c", "1 INVITE"), CALL_EVENT_AGAIN | CALL_EVENT_RETRIED);
	assert_int_equal(call_refuse(table, now, 1, &msg, 403),
			 CALL_EVENT_REFUSED | CALL_EVENT_ENDED);
	/* Tried again later, and let through. */
	assert_int_equal(invite("c", "2 INVITE"), CALL_EVENT_AGAIN | CALL_EVENT_RETRIED);
	assert_int_equal(reply("200 OK", "c", "2 INVITE"), CALL_EVENT_ANSWERED | CALL_EVENT_SEIZED);
}

static void what_is_refused_leaves_the_attempt_before_it_alone(void **state)
{
	static const char text[] = INVITE "\r\nFrom: <sip:a@b>;tag=a\r\nCall-ID: c\r\n"
					  "CSeq: 2 INVITE\r\n\r\n";
	struct sip_message msg;

	fresh();
	invite("c", "1 INVITE");
	/* Before the first has its final response. */
	assert_int_equal(invite("c", "2 INVITE"), CALL_EVENT_AGAIN | CALL_EVENT_RETRIED);
	sip_parse((const uint8_t *)text, sizeof(text) - 1, &msg);
	assert_int_equal(call_refuse(table, now, 1, &msg, 403), 0);
	assert_int_equal(ended_count, 0);
	assert_int_equal(reply("200 OK", "c", "1 INVITE"), CALL_EVENT_ANSWERED | CALL_EVENT_SEIZED);
	assert_true(bye("c") & CALL_EVENT_COMPLETED);
	assert_string_equal(ended_state, "answered");
}

static void trying_again_after_failure_is_the_same_attempt_but_shows(void **state)
{
	fresh();
	invite("c", "1 INVITE");
	reply("503 Down", "c", "1 INVITE");
	assert_int_equal(invite("c", "2 INVITE"), CALL_EVENT_AGAIN | CALL_EVENT_RETRIED);
	assert_int_equal(reply("200 OK", "c", "2 INVITE"), CALL_EVENT_ANSWERED);
	bye("c");
	assert_int_equal(invite("c", "3 INVITE"), CALL_EVENT_AGAIN | CALL_EVENT_RETRIED);
	assert_int_equal(reply("200 OK", "c", "3 INVITE"), 0);
	assert_int_equal(counted(CALL_EVENT_ATTEMPT), 1);
	assert_int_equal(counted(CALL_EVENT_SEIZED), 1);
	assert_int_equal(counted(CALL_EVENT_ANSWERED), 1);
}

static bool is_beyond(uint32_t most)
{
	return call_open_beyond(table, now, 1, call_open_count(table, 1), most);
}

static void open_calls_are_those_that_ring_or_are_talked_on(void **state)
{
	static const char text[] = INVITE "\r\nFrom: <sip:a@b>;tag=a\r\nCall-ID: 3\r\n"
					  "CSeq: 1 INVITE\r\n\r\n";
	struct sip_message msg;

	fresh();
	assert_int_equal(call_open_count(table, 1), 0);
	invite("1", "1 INVITE");
	invite("1", "1 INVITE");
	invite("2", "1 INVITE");
	assert_int_equal(call_open_count(table, 1), 2);
	assert_int_equal(call_open_count(table, 2), 0);
	invite("3", "1 INVITE");
	sip_parse((const uint8_t *)text, sizeof(text) - 1, &msg);
	call_refuse(table, now, 1, &msg, 503);
	assert_int_equal(call_open_count(table, 1), 2);
	reply("407 Who", "1", "1 INVITE");
	assert_int_equal(call_open_count(table, 1), 1);
	invite("1", "2 INVITE");
	assert_int_equal(call_open_count(table, 1), 2);
	reply("200 OK", "1", "2 INVITE");
	say(1, "SIP/2.0 200 OK", "1", "a", "fork", "2 INVITE");
	assert_int_equal(call_open_count(table, 1), 2);
	say(1, "CANCEL sip:b SIP/2.0", "2", "a", "", "1 CANCEL");
	reply("487 Terminated", "2", "1 INVITE");
	assert_int_equal(call_open_count(table, 1), 1);
	assert_true(is_beyond(0));
	assert_false(is_beyond(1));
	say(1, BYE, "1", "a", "b", "3 BYE");
	say(1, BYE, "1", "a", "fork", "3 BYE");
	assert_int_equal(call_open_count(table, 1), 0);
	call_flush(table, now);
	assert_int_equal(call_open_count(table, 1), 0);
}

/* Two workers, with a call each: whoever was first is not refused for the other's. */
static void of_two_calls_at_once_the_second_is_one_too_many(void **state)
{
	uint32_t first, second;

	fresh();
	invite("a", "1 INVITE");
	first = call_open_count(table, 1);
	invite("b", "1 INVITE");
	second = call_open_count(table, 1);
	assert_false(call_open_beyond(table, now, 1, first, 1));
	assert_true(call_open_beyond(table, now, 1, second, 1));
	/* What has ended since makes room, and so does what had been over. */
	reply("486 Busy Here", "a", "1 INVITE");
	assert_false(call_open_beyond(table, now, 1, second, 1));
	assert_true(call_open_beyond(table, now, 1, first, 0));
	now += config.no_final_ns + 1;
	invite("c", "1 INVITE");
	invite("d", "1 INVITE");
	assert_false(call_open_beyond(table, now, 1, second, 1));
	assert_int_equal(call_open_count(table, 1), 2);
}

static void a_lost_bye_leaves_no_open_call(void **state)
{
	fresh();
	invite("lost", "1 INVITE");
	reply("200 OK", "lost", "1 INVITE");
	invite("silent", "1 INVITE");
	now += config.no_final_ns + 1;
	assert_int_equal(call_open_count(table, 1), 2);
	assert_true(is_beyond(0));
	assert_int_equal(call_open_count(table, 1), 1);
	now += config.no_bye_ns + 1;
	assert_false(is_beyond(0));
	assert_int_equal(call_open_count(table, 1), 0);
	assert_int_equal(ended_count, 2);
	/* Whom the table evicts, or what is asked twice, is counted once. */
	for (int i = 0; i < 3 * CALLS; i++) {
		char id[8];

		snprintf(id, sizeof(id), "%d", i);
		invite(id, "1 INVITE");
		assert_int_equal(call_open_count(table, 1), i < CALLS ? i + 1 : CALLS);
	}
}

static void tenants_calls_and_tags_are_kept_apart(void **state)
{
	fresh();
	assert_int_equal(say(1, INVITE, "c", "a", "", "1 INVITE"), CALL_EVENT_ATTEMPT);
	assert_int_equal(say(2, INVITE, "c", "a", "", "1 INVITE"), CALL_EVENT_ATTEMPT);
	assert_int_equal(say(1, INVITE, "c", "A", "", "1 INVITE"), CALL_EVENT_ATTEMPT);
	assert_int_equal(say(1, INVITE, "C", "a", "", "1 INVITE"), CALL_EVENT_ATTEMPT);
	assert_int_equal(say(9, INVITE, "c", "a", "", "1 INVITE"), 0); /* no such tenant */
}

static void a_full_table_evicts_the_same_tenants_calls(void **state)
{
	fresh();
	say(2, INVITE, "other", "a", "", "1 INVITE");
	invite("1", "1 INVITE");
	invite("2", "1 INVITE");
	invite("3", "1 INVITE");
	reply("180 Ringing", "1", "1 INVITE"); /* now "2" is the oldest */
	assert_int_equal(invite("4", "1 INVITE"), CALL_EVENT_ATTEMPT);
	assert_int_equal(ended_count, 1);
	assert_int_equal(counted(CALL_EVENT_SEIZED), 0);
	assert_int_equal(reply("200 OK", "2", "1 INVITE"), CALL_EVENT_MIDSTREAM);
	assert_true(reply("200 OK", "1", "1 INVITE") & CALL_EVENT_ANSWERED);
	/* Who has none has nothing to give. */
	assert_int_equal(say(0, INVITE, "5", "a", "", "1 INVITE"), CALL_EVENT_NO_ROOM);
	assert_int_equal(call_count(table), CALLS);
}

static void what_is_over_goes_before_what_lives(void **state)
{
	fresh();
	invite("1", "1 INVITE");
	invite("2", "1 INVITE");
	invite("3", "1 INVITE");
	invite("4", "1 INVITE");
	reply("486 Busy", "3", "1 INVITE");
	invite("5", "1 INVITE");
	assert_int_equal(ended_count, 1); /* the 486's own */
	assert_true(reply("200 OK", "1", "1 INVITE") & CALL_EVENT_ANSWERED);
}

static void a_tenant_has_its_share_and_no_more(void **state)
{
	config.tenant_max = 2;
	fresh();
	invite("1", "1 INVITE");
	invite("2", "1 INVITE");
	invite("3", "1 INVITE");
	assert_int_equal(call_count(table), 2);
	assert_int_equal(ended_count, 1);
}

static void a_clock_that_steps_back_makes_no_long_call(void **state)
{
	fresh();
	invite("c", "1 INVITE");
	reply("200 OK", "c", "1 INVITE");
	now -= SECOND;
	call_expire(table, now, CALLS);
	assert_true(bye("c") & CALL_EVENT_SHORT);
	assert_true(ended_duration == 0);
}

static void long_names_are_cut_and_still_told_apart(void **state)
{
	char a[101], b[101];

	memset(a, 'x', 100);
	a[100] = '\0';
	strcpy(b, a);
	b[99] = 'y';
	fresh();
	assert_int_equal(invite(a, "1 INVITE"), CALL_EVENT_ATTEMPT);
	assert_int_equal(invite(b, "1 INVITE"), CALL_EVENT_ATTEMPT);
	assert_int_equal(invite(a, "1 INVITE"), CALL_EVENT_AGAIN | CALL_EVENT_REPEATED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_call_is_attempted_seized_answered_and_completed_once),
		TEST(short_is_up_to_six_seconds_and_no_longer),
		TEST(a_bye_of_the_callee_ends_the_call),
		TEST(a_call_of_an_old_client_without_a_tag_ends_too),
		TEST(challenges_do_not_make_another_attempt),
		TEST(a_challenge_nobody_answers_is_no_seizure),
		TEST(failures_are_unanswered_seizures),
		TEST(a_carriers_outage_is_counted_apart_too),
		TEST(a_redirected_attempt_leaves_the_denominator),
		TEST(a_cancel_that_crosses_the_answer_is_an_answered_call),
		TEST(no_final_response_counts_as_the_mode_says),
		TEST(an_answer_after_the_call_was_given_up_still_counts),
		TEST(without_a_bye_a_call_is_unknown_not_short),
		TEST(a_call_picked_up_midstream_is_no_attempt),
		TEST(what_the_gate_refuses_never_counts_as_failed),
		TEST(what_is_refused_leaves_the_attempt_before_it_alone),
		TEST(trying_again_after_failure_is_the_same_attempt_but_shows),
		TEST(open_calls_are_those_that_ring_or_are_talked_on),
		TEST(of_two_calls_at_once_the_second_is_one_too_many),
		TEST(a_lost_bye_leaves_no_open_call),
		TEST(tenants_calls_and_tags_are_kept_apart),
		TEST(a_full_table_evicts_the_same_tenants_calls),
		TEST(what_is_over_goes_before_what_lives),
		TEST(a_tenant_has_its_share_and_no_more),
		TEST(a_clock_that_steps_back_makes_no_long_call),
		TEST(long_names_are_cut_and_still_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
