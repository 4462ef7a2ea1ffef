/* SPDX-License-Identifier: BSD-3-Clause */
/* What the dataplane tells of mail that leaves, and what posternd remembers of it. */
#include <arpa/inet.h>
#include <unistd.h>

#include "bpf/event_record.h"
#include "control/daemon/daemon.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

#define NOW    UINT64_C(1795660000)
#define SECOND UINT64_C(1000000000)
#define SLOT   3
#define ACME   7
#define HASH   UINT64_C(0x123456789)

static struct roster_tenant tenants[5] = {[SLOT] = {.id = ACME, .name = "acme"}};
static struct roster roster = {.count = 5, .tenants = 1, .tenant = tenants};
static struct daemon d = {.roster = &roster};
static char messages[96], reports[96];

static int setup(void **state)
{
	assert_int_equal(scratch_setup(state), 0);
	snprintf(messages, sizeof(messages), "%s/m", scratch_dir);
	snprintf(reports, sizeof(reports), "%s/r", scratch_dir);
	d.feedback.memory.rules = (struct feedback_rules){14 * 86400, 5 * 86400, 10, false};
	assert_int_equal(feedback_table_open(&d.feedback.memory.messages, messages, 1024), 0);
	assert_int_equal(feedback_table_open(&d.feedback.memory.reports, reports, 1024), 0);
	return 0;
}

static int teardown(void **state)
{
	feedback_close(&d);
	return scratch_teardown(state);
}

static uint32_t owner(void *ctx, const char *address)
{
	return 0;
}

static uint32_t tagged(void *ctx, const char *tag)
{
	return 0;
}

static uint64_t recipient(void *ctx, uint32_t tenant, const char *rcpt)
{
	return HASH;
}

static unsigned judge(void *ctx, const struct feedback_item *item,
		      struct reply_hit hits[REPLY_HITS])
{
	hits[0] = (struct reply_hit){9000301, 8};
	return strstr(item->text, "blocked using") != NULL;
}

static struct feedback_match match(enum feedback_source source, enum feedback_kind kind)
{
	static const struct feedback_world world = {owner, tagged, recipient, judge, NULL};
	struct feedback_item item = {.source = source,
				     .kind = kind,
				     .incidents = 1,
				     .message_id = "1@acme.example",
				     .rcpt = "gone@example.org",
				     .remote = "mx.example.org[198.51.100.7]:25",
				     .text = "User unknown",
				     .code = 550};

	if (kind != FEEDBACK_HARD)
		strcpy(item.text, "Client host blocked using zen.spamhaus.org");

	return feedback_match(&d.feedback.memory, &item, &world, (int64_t)NOW, false);
}

static uint8_t room[1024] __attribute__((aligned(8)));
static struct event_builder builder;

static struct event_head *record(enum event_type type, uint8_t direction, uint32_t slot)
{
	struct event_head *head = event_begin(&builder, room, sizeof(room), type);

	head->direction = direction;
	head->tenant = slot;
	head->time = NOW * SECOND;
	return head;
}

static void tell_email(uint8_t direction, uint32_t slot)
{
	struct event_head *head = record(EVENT_EMAIL, direction, slot);

	event_put_text(&builder, FIELD_KEY_EMAIL_MESSAGE_ID, " <1@acme.example>");
	feedback_record(&d, head);
}

static void a_tenants_mail_is_remembered_by_its_message_id(void **state)
{
	tell_email(EVENT_BY_TENANT, SLOT);
	assert_int_equal(match(FEEDBACK_ARF, FEEDBACK_COMPLAINT).tenant, ACME);
	assert_int_equal(match(FEEDBACK_ARF, FEEDBACK_COMPLAINT).result, FEEDBACK_DUPLICATE);
}

static void mail_to_a_tenant_and_of_nobody_is_not(void **state)
{
	tell_email(0, SLOT);
	tell_email(EVENT_BY_TENANT, 0);
	tell_email(EVENT_BY_TENANT, 4);
	tell_email(EVENT_BY_TENANT, 400);
	assert_int_equal(match(FEEDBACK_ARF, FEEDBACK_COMPLAINT).result, FEEDBACK_UNMATCHED);
}

static void a_bounce_that_it_saw_is_not_counted_again(void **state)
{
	struct event_head *head;

	tell_email(EVENT_BY_TENANT, SLOT);
	head = record(EVENT_BOUNCED, 0, SLOT);
	event_put_uint(&builder, FIELD_KEY_BOUNCED_HASH, HASH);
	feedback_record(&d, head);
	assert_int_equal(match(FEEDBACK_DSN, FEEDBACK_HARD).result, FEEDBACK_SEEN);
	assert_int_equal(match(FEEDBACK_LOG, FEEDBACK_HARD).result, FEEDBACK_SEEN);
}

static void tell_alert(const char *row, uint8_t direction)
{
	struct event_head *head = record(EVENT_ALERT, direction, SLOT);

	head->family = 4;
	assert_int_equal(inet_pton(AF_INET, "198.51.100.7", head->src), 1);
	event_put_text(&builder, FIELD_KEY_ALERT_AUP, row);
	feedback_record(&d, head);
}

static void a_block_list_it_read_of_is_not_counted_again(void **state)
{
	tell_email(EVENT_BY_TENANT, SLOT);
	/* Not that: of another row, or the tenant's own words. */
	tell_alert("AUP-SUBJECT", 0);
	tell_alert("AUP-BLACKLIST", EVENT_BY_TENANT);
	assert_int_equal(match(FEEDBACK_DSN, FEEDBACK_SOFT).counts.listings, 1);
	tell_alert("AUP-BLACKLIST", 0);
	assert_int_equal(match(FEEDBACK_DSN, FEEDBACK_SOFT).counts.listings, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_tenants_mail_is_remembered_by_its_message_id,
						setup, teardown),
		cmocka_unit_test_setup_teardown(mail_to_a_tenant_and_of_nobody_is_not, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_bounce_that_it_saw_is_not_counted_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_block_list_it_read_of_is_not_counted_again, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("feedback_record", tests, NULL, NULL);
}
