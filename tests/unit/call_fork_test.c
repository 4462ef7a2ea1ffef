/* SPDX-License-Identifier: BSD-3-Clause */
/* Several answers to one call, and one call in place of another. */
#include "tests/unit/call_fixture.h"

static void a_fork_that_is_given_back_does_not_end_the_call(void **state)
{
	fresh();
	invite("c", "1 INVITE");
	say(1, "SIP/2.0 200 OK", "c", "a", "fork1", "1 INVITE");
	say(1, "ACK sip:b SIP/2.0", "c", "a", "fork1", "1 ACK");
	assert_int_equal(say(1, "SIP/2.0 200 OK", "c", "a", "fork2", "1 INVITE"), 0);
	say(1, "ACK sip:b SIP/2.0", "c", "a", "fork2", "1 ACK");
	assert_int_equal(say(1, BYE, "c", "a", "fork2", "2 BYE"), 0);
	assert_int_equal(say(1, BYE, "c", "a", "fork2", "2 BYE"), 0);
	now += 60 * SECOND;
	assert_int_equal(say(1, BYE, "c", "fork1", "a", "1 BYE"),
			 CALL_EVENT_COMPLETED | CALL_EVENT_ENDED);
}

static void a_fork_that_was_never_taken_does_not_keep_the_call(void **state)
{
	fresh();
	invite("c", "1 INVITE");
	say(1, "SIP/2.0 200 OK", "c", "a", "fork2", "1 INVITE");
	say(1, "SIP/2.0 200 OK", "c", "a", "fork1", "1 INVITE");
	say(1, "ACK sip:b SIP/2.0", "c", "a", "fork1", "1 ACK");
	now += 60 * SECOND;
	assert_int_equal(say(1, BYE, "c", "a", "fork1", "2 BYE"),
			 CALL_EVENT_COMPLETED | CALL_EVENT_ENDED);
}

static void early_media_is_no_answer(void **state)
{
	fresh();
	invite("c", "1 INVITE");
	assert_int_equal(reply("183 Session Progress", "c", "1 INVITE"), CALL_EVENT_RINGING);
	now += 60 * SECOND; /* an announcement is played */
	assert_int_equal(reply("480 Unavailable", "c", "1 INVITE"),
			 CALL_EVENT_SEIZED | CALL_EVENT_FAILED | CALL_EVENT_ENDED);
	assert_int_equal(counted(CALL_EVENT_ANSWERED), 0);
	assert_true(ended_duration == 0);
}

static void of_several_forks_that_answer_one_call_is_answered(void **state)
{
	static const char *const forks[] = {"f1", "f2", "f3", "f4", "f5", "f6"};

	fresh();
	invite("c", "1 INVITE");
	for (int i = 0; i < 6; i++) {
		say(1, "SIP/2.0 180 Ringing", "c", "a", forks[i], "1 INVITE");
		say(1, "SIP/2.0 200 OK", "c", "a", forks[i], "1 INVITE");
		say(1, "ACK sip:b SIP/2.0", "c", "a", forks[i], "1 ACK");
	}
	assert_int_equal(counted(CALL_EVENT_ANSWERED), 1);
	assert_int_equal(counted(CALL_EVENT_SEIZED), 1);
	now += 2 * SECOND; /* given back at once, but for one: more than are told apart */
	for (int i = 1; i < 6; i++)
		assert_int_equal(say(1, BYE, "c", "a", forks[i], "2 BYE"), 0);
	now += 60 * SECOND;
	assert_int_equal(say(1, BYE, "c", "a", "f1", "2 BYE"),
			 CALL_EVENT_COMPLETED | CALL_EVENT_ENDED);
	assert_int_equal(counted(CALL_EVENT_SHORT), 0);
	assert_true(ended_duration == 62 * SECOND);
}

static void prack_update_and_info_change_nothing(void **state)
{
	static const char *const methods[] = {"PRACK", "UPDATE", "INFO"};

	fresh();
	invite("c", "1 INVITE");
	reply("183 Session Progress", "c", "1 INVITE");
	for (int i = 0; i < 3; i++) {
		char start[32], cseq[32];

		snprintf(start, sizeof(start), "%s sip:b SIP/2.0", methods[i]);
		snprintf(cseq, sizeof(cseq), "%d %s", i + 2, methods[i]);
		assert_int_equal(say(1, start, "c", "a", "b", cseq), 0);
		assert_int_equal(reply("200 OK", "c", cseq), 0);
		assert_int_equal(reply("481 Unknown", "c", cseq), 0);
	}
	assert_int_equal(counted(CALL_EVENT_ANSWERED), 0);
	assert_int_equal(reply("200 OK", "c", "1 INVITE"), CALL_EVENT_ANSWERED | CALL_EVENT_SEIZED);
}

/* RFC 3891: another call that takes the place of one; each is one. */
static void an_invite_that_replaces_a_call_is_an_attempt_of_its_own(void **state)
{
	fresh();
	invite("old", "1 INVITE");
	reply("200 OK", "old", "1 INVITE");
	now += 60 * SECOND;
	assert_int_equal(invite("new", "1 INVITE"), CALL_EVENT_ATTEMPT);
	reply("200 OK", "new", "1 INVITE");
	assert_int_equal(say(1, BYE, "old", "b", "a", "1 BYE"),
			 CALL_EVENT_COMPLETED | CALL_EVENT_ENDED);
	now += 60 * SECOND;
	bye("new");
	assert_int_equal(counted(CALL_EVENT_ANSWERED), 2);
	assert_int_equal(counted(CALL_EVENT_COMPLETED), 2);
	assert_int_equal(counted(CALL_EVENT_SHORT), 0);
}

/* RFC 3261 14.1: both ask at once and both are answered 491, with each other's CSeq numbers. */
static void glare_ends_no_call(void **state)
{
	fresh();
	invite("c", "1 INVITE");
	reply("200 OK", "c", "1 INVITE");
	for (int i = 0; i < 2; i++) {
		const char *ours = i ? "2 INVITE" : "3 INVITE",
			   *theirs = i ? "2 INVITE" : "1 INVITE";

		assert_int_equal(say(1, INVITE, "c", "a", "b", ours), CALL_EVENT_REINVITE);
		assert_int_equal(say(1, INVITE, "c", "b", "a", theirs), CALL_EVENT_REINVITE);
		assert_int_equal(say(1, "SIP/2.0 491 Pending", "c", "a", "b", ours), 0);
		assert_int_equal(say(1, "SIP/2.0 491 Pending", "c", "b", "a", theirs), 0);
	}
	now += 30 * SECOND;
	assert_int_equal(bye("c"), CALL_EVENT_COMPLETED | CALL_EVENT_ENDED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_fork_that_is_given_back_does_not_end_the_call),
		TEST(a_fork_that_was_never_taken_does_not_keep_the_call),
		TEST(early_media_is_no_answer),
		TEST(of_several_forks_that_answer_one_call_is_answered),
		TEST(prack_update_and_info_change_nothing),
		TEST(an_invite_that_replaces_a_call_is_an_attempt_of_its_own),
		TEST(glare_ends_no_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
