/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose a report is, and that nothing counts twice. */
#include "control/feedback/feedback_match.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

#define NOW   INT64_C(1795660000)
#define ACME  7
#define OTHER 9

static char messages[96], reports[96];
static struct feedback_memory memory;

static uint32_t owner(void *ctx, const char *address)
{
	if (strcmp(address, "192.0.2.10") == 0)
		return ACME;
	return strcmp(address, "203.0.113.5") == 0 ? OTHER : 0;
}

static uint32_t tagged(void *ctx, const char *tag)
{
	if (strcmp(tag, "X-Tag: acme") == 0)
		return ACME;
	return strcmp(tag, "X-Tag: other") == 0 ? OTHER : 0;
}

static uint64_t recipient(void *ctx, uint32_t tenant, const char *rcpt)
{
	uint64_t hash = tenant;

	for (const char *p = rcpt; *p; p++)
		hash = hash * 131 + (uint8_t)*p;
	return *rcpt ? hash : 0;
}

static unsigned judge(void *ctx, const struct feedback_item *item,
		      struct reply_hit hits[REPLY_HITS])
{
	unsigned n = 0;

	if (strstr(item->text, "blocked using"))
		hits[n++] = (struct reply_hit){1, 8};
	if (strstr(item->text, "listed.example"))
		hits[n++] = (struct reply_hit){2, 4};
	return n;
}

static const struct feedback_world world = {owner, tagged, recipient, judge, NULL};

static int setup(void **state)
{
	assert_int_equal(scratch_setup(state), 0);
	snprintf(messages, sizeof(messages), "%s/m", scratch_dir);
	snprintf(reports, sizeof(reports), "%s/r", scratch_dir);
	memory.rules = (struct feedback_rules){14 * 86400, 5 * 86400, 10, false};
	assert_int_equal(feedback_table_open(&memory.messages, messages, 1024), 0);
	assert_int_equal(feedback_table_open(&memory.reports, reports, 1024), 0);
	return 0;
}

static int teardown(void **state)
{
	feedback_table_close(&memory.messages);
	feedback_table_close(&memory.reports);
	return scratch_teardown(state);
}

static struct feedback_item item_of(enum feedback_source source, enum feedback_kind kind,
				    const char *id, const char *rcpt)
{
	struct feedback_item item = {.source = source, .kind = kind, .incidents = 1};

	snprintf(item.message_id, sizeof(item.message_id), "%s", id);
	snprintf(item.rcpt, sizeof(item.rcpt), "%s", rcpt);
	return item;
}

static struct feedback_match match(const struct feedback_item *item)
{
	return feedback_match(&memory, item, &world, NOW, false);
}

static struct feedback_match match_of(enum feedback_source source, enum feedback_kind kind,
				      const char *id, const char *rcpt)
{
	const struct feedback_item item = item_of(source, kind, id, rcpt);

	return match(&item);
}

static void a_complaint_finds_its_tenant_and_counts_once(void **state)
{
	struct feedback_match m;

	feedback_remember(&memory, "1@acme", ACME, FEEDBACK_BY_GATE, NOW);
	m = match_of(FEEDBACK_ARF, FEEDBACK_COMPLAINT, "1@acme", "a@example.org");
	assert_int_equal(m.tenant, ACME);
	assert_int_equal(m.by, FEEDBACK_BY_MESSAGE_ID);
	assert_int_equal(m.result, FEEDBACK_COUNTED);
	assert_int_equal(m.counts.complaints, 1);
	m = match_of(FEEDBACK_ARF, FEEDBACK_COMPLAINT, "1@acme", "A@example.org");
	assert_int_equal(m.result, FEEDBACK_DUPLICATE);
	assert_int_equal(m.counts.complaints, 0);
	/* Another recipient of the same mail is another complaint. */
	m = match_of(FEEDBACK_FORWARD, FEEDBACK_COMPLAINT, "1@acme", "e2a4c1");
	assert_int_equal(m.counts.complaints, 1);
	m = match_of(FEEDBACK_FORWARD, FEEDBACK_COMPLAINT, "1@acme", "e2a4c1");
	assert_int_equal(m.result, FEEDBACK_DUPLICATE);
}

static void a_report_may_stand_for_some_but_not_for_any_number(void **state)
{
	struct feedback_item item = item_of(FEEDBACK_ARF, FEEDBACK_COMPLAINT, "1@acme", "a@b");

	feedback_remember(&memory, "1@acme", ACME, FEEDBACK_BY_GATE, NOW);
	item.incidents = 4000000000;
	assert_int_equal(match(&item).counts.complaints, 10);
}

/* Complaints of one mail, each of another recipient that somebody made up: how many count. */
static unsigned invented(const char *id, unsigned many)
{
	unsigned complaints = 0;

	for (unsigned i = 0; i < many; i++) {
		struct feedback_match m;
		char rcpt[32];

		snprintf(rcpt, sizeof(rcpt), "made.up%u@example.org", i);
		m = match_of(FEEDBACK_ARF, FEEDBACK_COMPLAINT, id, rcpt);
		assert_int_equal(m.tenant, ACME);
		assert_int_equal(m.result,
				 m.counts.complaints ? FEEDBACK_COUNTED : FEEDBACK_EXCESS);
		complaints += m.counts.complaints;
	}
	return complaints;
}

static void a_mail_has_no_more_complaints_than_recipients(void **state)
{
	struct feedback_item item;
	uint64_t put;

	feedback_remember(&memory, "1@acme", ACME, FEEDBACK_BY_GATE, NOW);
	feedback_left_for(&memory, "1@acme", ACME, FEEDBACK_BY_GATE, 2, NOW);
	assert_int_equal(invented("1@acme", 500), 2);
	/* What was one too many takes no room, is tried in vain again, and the first stay known. */
	put = memory.reports.put;
	assert_int_equal(match_of(FEEDBACK_ARF, FEEDBACK_COMPLAINT, "1@acme", "x@y").result,
			 FEEDBACK_EXCESS);
	assert_int_equal(memory.reports.put, put);
	assert_int_equal(
		match_of(FEEDBACK_FORWARD, FEEDBACK_COMPLAINT, "1@acme", "made.up1@example.org")
			.result,
		FEEDBACK_DUPLICATE);
	/* More recipients, in another session, have more to complain. */
	feedback_left_for(&memory, "1@acme", ACME, FEEDBACK_BY_GATE, 3, NOW);
	assert_int_equal(match_of(FEEDBACK_ARF, FEEDBACK_COMPLAINT, "1@acme", "c@d").result,
			 FEEDBACK_COUNTED);
	/* One report for several is cut at what is left. */
	item = item_of(FEEDBACK_ARF, FEEDBACK_COMPLAINT, "1@acme", "e@f");
	item.incidents = 9;
	assert_int_equal(match(&item).counts.complaints, 2);
	strcpy(item.rcpt, "g@h");
	assert_int_equal(match(&item).result, FEEDBACK_EXCESS);
	/* Another mail's are its own. */
	feedback_left_for(&memory, "2@acme", ACME, FEEDBACK_BY_GATE, 1, NOW);
	assert_int_equal(invented("2@acme", 50), 1);
}

static void of_a_mail_of_unknown_recipients_as_many_count_as_a_report_may_stand_for(void **state)
{
	feedback_remember(&memory, "1@acme", ACME, FEEDBACK_BY_GATE, NOW);
	assert_int_equal(invented("1@acme", 500), 10);
}

static void what_is_nobodys_counts_for_nobody(void **state)
{
	struct feedback_item item = item_of(FEEDBACK_ARF, FEEDBACK_COMPLAINT, "1@acme", "a@b");
	struct feedback_match m = match(&item);

	assert_int_equal(m.result, FEEDBACK_UNMATCHED);
	assert_int_equal(m.tenant, 0);
	/* By its address alone it is known whose it is, and counts nothing: anybody can write one.
	 */
	strcpy(item.address, "192.0.2.10");
	m = match(&item);
	assert_int_equal(m.result, FEEDBACK_NOTED);
	assert_int_equal(m.tenant, ACME);
	assert_int_equal(m.by, FEEDBACK_BY_ADDRESS);
	assert_int_equal(m.counts.complaints, 0);
	memory.rules.by_address = true;
	assert_int_equal(match(&item).counts.complaints, 1);
	assert_int_equal(match(&item).result, FEEDBACK_DUPLICATE);
	/* Without an id one can't be told from the next. */
	item.message_id[0] = '\0';
	assert_int_equal(match(&item).result, FEEDBACK_NOTED);
}

static void a_message_id_of_two_tenants_says_nothing(void **state)
{
	struct feedback_item item = item_of(FEEDBACK_ARF, FEEDBACK_COMPLAINT, "1@acme", "a@b");
	struct feedback_match m;

	feedback_remember(&memory, "1@acme", ACME, FEEDBACK_BY_GATE, NOW);
	/* Seen with another tenant's address: somebody wrote an id that he had seen. */
	strcpy(item.address, "203.0.113.5");
	m = match(&item);
	assert_int_equal(m.result, FEEDBACK_AMBIGUOUS);
	assert_int_equal(m.tenant, 0);
	feedback_remember(&memory, "1@acme", OTHER, FEEDBACK_BY_GATE, NOW);
	item.address[0] = '\0';
	assert_int_equal(match(&item).result, FEEDBACK_AMBIGUOUS);
	/* The address tells which of the two. */
	strcpy(item.address, "203.0.113.5");
	m = match(&item);
	assert_int_equal(m.result, FEEDBACK_COUNTED);
	assert_int_equal(m.tenant, OTHER);
	/* One that is no tenant's says nothing against it. */
	strcpy(item.address, "198.51.100.1");
	assert_int_equal(match(&item).result, FEEDBACK_AMBIGUOUS);
}

static void kinds_that_are_no_complaint_count_nothing(void **state)
{
	static const enum feedback_kind kinds[] = {FEEDBACK_NOT_SPAM, FEEDBACK_AUTH_FAILURE,
						   FEEDBACK_OPT_OUT, FEEDBACK_OTHER,
						   FEEDBACK_DELAYED};

	feedback_remember(&memory, "1@acme", ACME, FEEDBACK_BY_GATE, NOW);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct feedback_match m = match_of(FEEDBACK_ARF, kinds[i], "1@acme", "a@b");

		assert_int_equal(m.result, FEEDBACK_NOTED);
		assert_int_equal(m.tenant, ACME);
		assert_int_equal(m.counts.complaints + m.counts.bounced + m.counts.recipients, 0);
	}
	assert_int_equal(match_of(FEEDBACK_ARF, FEEDBACK_COMPLAINT, "1@acme", "a@b").result,
			 FEEDBACK_COUNTED);
}

static void a_bounce_that_the_gate_saw_does_not_count_again(void **state)
{
	struct feedback_match m;

	feedback_remember(&memory, "1@acme", ACME, FEEDBACK_BY_GATE, NOW);
	feedback_saw_bounce(&memory, ACME, recipient(NULL, ACME, "gone@example.org"), NOW);
	m = match_of(FEEDBACK_DSN, FEEDBACK_HARD, "1@acme", "gone@example.org");
	assert_int_equal(m.result, FEEDBACK_SEEN);
	assert_int_equal(m.counts.bounced, 0);
	/* One that bounced later, behind a server that had taken it: the recipient was counted. */
	m = match_of(FEEDBACK_DSN, FEEDBACK_HARD, "1@acme", "late@example.org");
	assert_int_equal(m.result, FEEDBACK_COUNTED);
	assert_int_equal(m.counts.bounced, 1);
	assert_int_equal(m.counts.recipients, 0);
	m = match_of(FEEDBACK_LOG, FEEDBACK_HARD, "1@acme", "late@example.org");
	assert_int_equal(m.result, FEEDBACK_DUPLICATE);
	/* What was seen long ago was another time. */
	feedback_saw_bounce(&memory, ACME, recipient(NULL, ACME, "x@example.org"), NOW - 6 * 86400);
	assert_int_equal(match_of(FEEDBACK_DSN, FEEDBACK_HARD, "1@acme", "x@example.org").result,
			 FEEDBACK_COUNTED);
	feedback_forget(&memory, ACME, recipient(NULL, ACME, "gone@example.org"));
	assert_int_equal(match_of(FEEDBACK_DSN, FEEDBACK_HARD, "1@acme", "gone@example.org").result,
			 FEEDBACK_COUNTED);
}

static struct feedback_item line(enum feedback_kind kind, const char *id, const char *rcpt)
{
	struct feedback_item item = item_of(FEEDBACK_LOG, kind, id, rcpt);

	strcpy(item.address, "192.0.2.10");
	item.time = NOW - 60;
	return item;
}

static void a_log_tells_what_tls_hid(void **state)
{
	struct feedback_item item = line(FEEDBACK_DELIVERED, "1@acme", "a@example.org");
	struct feedback_match m = match(&item);

	assert_int_equal(m.tenant, ACME);
	assert_int_equal(m.counts.delivered, 1);
	assert_int_equal(m.counts.recipients, 1);
	assert_int_equal(match(&item).result, FEEDBACK_DUPLICATE);
	/* The same mail's next recipient: a recipient more, not a mail. */
	item = line(FEEDBACK_DELIVERED, "1@acme", "b@example.org");
	m = match(&item);
	assert_int_equal(m.counts.delivered, 0);
	assert_int_equal(m.counts.recipients, 1);
	item = line(FEEDBACK_HARD, "1@acme", "c@example.org");
	m = match(&item);
	assert_int_equal(m.counts.bounced, 1);
	assert_int_equal(m.counts.recipients, 1);
	/* Taken, and it bounced later: a recipient is one recipient. */
	m = match_of(FEEDBACK_DSN, FEEDBACK_HARD, "1@acme", "b@example.org");
	assert_int_equal(m.counts.bounced, 1);
	assert_int_equal(m.counts.recipients, 0);
	/* A complaint finds the mail that only the log has told of. */
	m = match_of(FEEDBACK_ARF, FEEDBACK_COMPLAINT, "1@acme", "a@example.org");
	assert_int_equal(m.tenant, ACME);
	assert_int_equal(m.counts.complaints, 1);
}

static void a_log_tells_nothing_new_of_mail_that_the_gate_read(void **state)
{
	struct feedback_item item = line(FEEDBACK_DELIVERED, "1@acme", "a@example.org");
	struct feedback_match m;

	feedback_remember(&memory, "1@acme", ACME, FEEDBACK_BY_GATE, NOW);
	m = match(&item);
	assert_int_equal(m.result, FEEDBACK_SEEN);
	assert_int_equal(m.counts.delivered + m.counts.recipients, 0);
	item = line(FEEDBACK_SOFT, "1@acme", "a@example.org");
	item.code = 552;
	assert_int_equal(match(&item).result, FEEDBACK_SEEN);
}

static void a_log_tells_how_many_may_complain(void **state)
{
	struct feedback_item item = line(FEEDBACK_DELIVERED, "1@acme", "a@example.org");

	for (unsigned i = 0; i < 3; i++) /* read again from its beginning */
		match(&item);
	item = line(FEEDBACK_DELIVERED, "1@acme", "b@example.org");
	match(&item);
	assert_int_equal(invented("1@acme", 50), 2);
}

/* Hard bounces of one mail, each of another recipient: how many count. */
static unsigned bounced(enum feedback_source source, const char *id, unsigned many)
{
	unsigned counted = 0;

	for (unsigned i = 0; i < many; i++) {
		struct feedback_item item = line(FEEDBACK_HARD, id, "");

		item.source = source;
		if (source == FEEDBACK_DSN)
			item.address[0] = '\0';
		snprintf(item.rcpt, sizeof(item.rcpt), "made.up%u@example%u.org", i, i);
		snprintf(item.text, sizeof(item.text), "blocked using Spamhaus");
		counted += match(&item).counts.bounced;
	}
	return counted;
}

static void a_mail_has_no_more_bounces_by_reports_than_recipients(void **state)
{
	struct feedback_item item;
	unsigned listings = 0;

	feedback_left_for(&memory, "1@acme", ACME, FEEDBACK_BY_GATE, 3, NOW);
	assert_int_equal(bounced(FEEDBACK_DSN, "1@acme", 200), 3);
	item = item_of(FEEDBACK_DSN, FEEDBACK_SOFT, "1@acme", "full@example.org");
	item.code = 552;
	assert_int_equal(match(&item).result, FEEDBACK_EXCESS);
	/* Nor do servers name block lists to more of them. */
	feedback_left_for(&memory, "2@acme", ACME, FEEDBACK_BY_GATE, 2, NOW);
	item = item_of(FEEDBACK_DSN, FEEDBACK_DELAYED, "2@acme", "");
	strcpy(item.text, "blocked using Spamhaus");
	for (unsigned i = 0; i < 50; i++) {
		snprintf(item.rcpt, sizeof(item.rcpt), "made.up@example%u.org", i);
		listings += match(&item).counts.listings;
	}
	assert_int_equal(listings, 2);
	/* The provider's own log is not bounded: nobody else wrote it. */
	assert_int_equal(bounced(FEEDBACK_LOG, "3@acme", 30), 30);
}

static void later_is_no_answer_and_old_lines_are_no_news(void **state)
{
	struct feedback_item item = line(FEEDBACK_SOFT, "1@acme", "a@example.org");

	item.code = 451;
	assert_int_equal(match(&item).result, FEEDBACK_NOTED);
	item.code = 552;
	assert_int_equal(match(&item).counts.recipients, 1);
	item = line(FEEDBACK_HARD, "2@acme", "a@example.org");
	item.time = NOW - 15 * 86400;
	assert_int_equal(match(&item).result, FEEDBACK_STALE);
	assert_int_equal(match(&item).counts.bounced, 0);
}

static void a_reply_that_names_a_block_list_is_one_event(void **state)
{
	struct feedback_item item = line(FEEDBACK_DELAYED, "1@acme", "a@example.org");
	struct feedback_match m;

	strcpy(item.text, "blocked using Spamhaus");
	strcpy(item.remote, "mx.example.org[198.51.100.7]:25");
	assert_int_equal(match(&item).counts.listings, 1);
	assert_int_equal(match(&item).counts.listings, 0);
	/* On the wire a rule speaks once of a mail: its other recipients there are no more. */
	strcpy(item.rcpt, "b@Example.org");
	assert_int_equal(match(&item).counts.listings, 0);
	strcpy(item.rcpt, "a@example.net");
	assert_int_equal(match(&item).counts.listings, 1);
	/* Another rule is another thing that was said, with points of its own. */
	strcpy(item.text, "blocked using Spamhaus, see listed.example");
	assert_int_equal(match(&item).counts.listings, 1);
	assert_int_equal(match(&item).result, FEEDBACK_NOTED);
	strcpy(item.rcpt, "a@example.com");
	m = match(&item);
	assert_int_equal(m.counts.listings, 2);
	assert_int_equal(m.counts.listed[1].sid, 2);
	assert_int_equal(m.counts.listed[1].risk, 4);
	/* The gate has read that server's words itself, a moment ago. */
	feedback_saw_block(&memory, ACME, "198.51.100.8", NOW);
	item = line(FEEDBACK_SOFT, "2@acme", "a@example.org");
	item.code = 554;
	strcpy(item.text, "blocked using Spamhaus");
	strcpy(item.remote, "mx2.example.org[198.51.100.8]:25");
	assert_int_equal(match(&item).counts.listings, 0);
}

static struct feedback_match tag_match(const char *id, const char *tag, const char *address)
{
	struct feedback_item item = item_of(FEEDBACK_ARF, FEEDBACK_COMPLAINT, id, "a@b");

	strcpy(item.tag, tag);
	strcpy(item.address, address);
	return match(&item);
}

static void a_tag_counts_where_the_address_agrees(void **state)
{
	struct feedback_match m = tag_match("1@gone", "X-Tag: acme", "");

	/* Whoever got a mail of the tenant's knows its tag: alone it tells whom to ask. */
	assert_int_equal(m.tenant, ACME);
	assert_int_equal(m.by, FEEDBACK_BY_TAG);
	assert_int_equal(m.result, FEEDBACK_NOTED);
	m = tag_match("1@gone", "X-Tag: acme", "198.51.100.1");
	assert_int_equal(m.result, FEEDBACK_NOTED);
	m = tag_match("1@gone", "X-Tag: acme", "192.0.2.10");
	assert_int_equal(m.tenant, ACME);
	assert_int_equal(m.by, FEEDBACK_BY_TAG);
	assert_int_equal(m.result, FEEDBACK_COUNTED);
	assert_int_equal(tag_match("1@gone", "X-Tag: acme", "192.0.2.10").result,
			 FEEDBACK_DUPLICATE);
	/* Without an id the next one is the same. */
	assert_int_equal(tag_match("", "X-Tag: acme", "192.0.2.10").result, FEEDBACK_NOTED);
	assert_int_equal(tag_match("2@gone", "X-Tag: nobody", "").result, FEEDBACK_UNMATCHED);
}

static void a_forged_tag_makes_nobody_pay(void **state)
{
	struct feedback_match m;

	/* Another's tag in a report of one's own mail, and of mail that never was. */
	m = tag_match("1@gone", "X-Tag: other", "192.0.2.10");
	assert_int_equal(m.tenant, ACME);
	assert_int_equal(m.by, FEEDBACK_BY_ADDRESS);
	assert_int_equal(m.result, FEEDBACK_NOTED);
	/* A mail that is remembered is its sender's, whatever is written in it. */
	feedback_remember(&memory, "1@acme", ACME, FEEDBACK_BY_GATE, NOW);
	m = tag_match("1@acme", "X-Tag: other", "");
	assert_int_equal(m.tenant, ACME);
	assert_int_equal(m.result, FEEDBACK_COUNTED);
	/* One that two had is not made one's by its tag. */
	feedback_remember(&memory, "2@acme", ACME, FEEDBACK_BY_GATE, NOW);
	feedback_remember(&memory, "2@acme", OTHER, FEEDBACK_BY_GATE, NOW);
	assert_int_equal(tag_match("2@acme", "X-Tag: other", "").result, FEEDBACK_AMBIGUOUS);
}

static void a_try_changes_nothing(void **state)
{
	struct feedback_item item = line(FEEDBACK_HARD, "1@acme", "a@example.org");

	for (unsigned i = 0; i < 3; i++) {
		struct feedback_match m = feedback_match(&memory, &item, &world, NOW, true);

		assert_int_equal(m.result, FEEDBACK_COUNTED);
		assert_int_equal(m.counts.bounced, 1);
	}
	assert_int_equal(memory.messages.put + memory.reports.put, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_complaint_finds_its_tenant_and_counts_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_report_may_stand_for_some_but_not_for_any_number,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_mail_has_no_more_complaints_than_recipients,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			of_a_mail_of_unknown_recipients_as_many_count_as_a_report_may_stand_for,
			setup, teardown),
		cmocka_unit_test_setup_teardown(a_log_tells_how_many_may_complain, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_mail_has_no_more_bounces_by_reports_than_recipients, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_nobodys_counts_for_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(a_message_id_of_two_tenants_says_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(kinds_that_are_no_complaint_count_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_bounce_that_the_gate_saw_does_not_count_again,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_log_tells_what_tls_hid, setup, teardown),
		cmocka_unit_test_setup_teardown(a_log_tells_nothing_new_of_mail_that_the_gate_read,
						setup, teardown),
		cmocka_unit_test_setup_teardown(later_is_no_answer_and_old_lines_are_no_news, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_reply_that_names_a_block_list_is_one_event, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_tag_counts_where_the_address_agrees, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_forged_tag_makes_nobody_pay, setup, teardown),
		cmocka_unit_test_setup_teardown(a_try_changes_nothing, setup, teardown),
	};

	return cmocka_run_group_tests_name("feedback_match", tests, NULL, NULL);
}
