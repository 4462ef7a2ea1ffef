/* SPDX-License-Identifier: BSD-3-Clause */
/* Senders' domains that control is told of: each once in a while, so many of a tenant. */
#include "bpf/event_record.h"
#include "dataplane/tcp/tcp.h"
#include "tests/gate_fixture.h"
#include "tests/unit/test.h"

static const char config[] =
	"tenants: ( { id = 7; name = \"acme\"; prefixes = [ \"10.1.0.0/16\" ]; } );\n"
	"policy: { tell_domains = true; actions: { header_missing = \"pass\"; }; };";

static struct gate_fixture g;
static uint32_t at[2]; /* what each side has sent */
static char told[4096];
static unsigned told_count;

static void take(void *ctx, const struct event_head *head)
{
	struct event_reader r;
	struct event_value v;

	if (head->type != EVENT_DOMAIN)
		return;
	assert_non_null(event_open(&r, head, head->size));
	assert_true(event_next(&r, &v));
	assert_int_equal(v.key, FIELD_KEY_DOMAIN_NAME);
	told_count++;
	if (strlen(told) + v.len + 2 < sizeof(told))
		snprintf(told + strlen(told), sizeof(told) - strlen(told), "%.*s ", (int)v.len,
			 (const char *)v.p);
}

static void say(unsigned side, const char *text)
{
	uint32_t len = (uint32_t)strlen(text);

	talk_put(&g, &talk_smtp, side, TCP_ACK, at[side], at[!side], text, len);
	at[side] += len;
	gate_fixture_run(&g);
}

static void open_session(void)
{
	at[0] = at[1] = 0;
	talk_handshake(&g, &talk_smtp);
	say(1, "220 mx.example\r\n");
}

static void send_mail(const char *from, const char *header)
{
	char text[512];

	snprintf(text, sizeof(text), "MAIL FROM:<%s>\r\n", from);
	say(0, text);
	say(1, "250 ok\r\n");
	say(0, "RCPT TO:<b@b.example>\r\n");
	say(1, "250 ok\r\n");
	say(0, "DATA\r\n");
	say(1, "354 go\r\n");
	snprintf(text, sizeof(text), "%s\r\n\r\ntext\r\n.\r\n", header);
	say(0, text);
	say(1, "250 ok\r\n");
}

static void a_domain_is_told_of_once_in_its_normal_form(void **state)
{
	open_session();
	send_mail("a@One.Example.", "From: A <a@two.example>, b@b\xc3\xbc"
				    "cher.example");
	assert_string_equal(told, "one.example two.example xn--bcher-kva.example ");
	send_mail("x@one.example", "From: a@TWO.example");
	assert_int_equal(told_count, 3);
	g.time += 600 * UINT64_C(1000000000);
	send_mail("x@one.example", "From: a@two.example");
	assert_int_equal(told_count, 5);
}

static void what_is_no_domain_is_not_told_of(void **state)
{
	open_session();
	send_mail("", "From: nobody");
	send_mail("a@[192.0.2.1]", "From: a@b..c");
	assert_string_equal(told, "");
}

/* 64 at once, and then eight a second; one that was too much is told of when it comes again. */
static void a_tenant_may_have_so_many_told(void **state)
{
	char text[64];

	g.step = 1000;
	open_session();
	for (unsigned i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "MAIL FROM:<a@d%u.example>\r\nRSET\r\n", i);
		say(0, text);
		say(1, "250 ok\r\n250 ok\r\n");
	}
	assert_in_range(told_count, 64, 66);
	assert_null(strstr(told, "d199.example"));
	g.time += UINT64_C(1000000000);
	send_mail("a@d199.example", "From: a@d0.example");
	assert_non_null(strstr(told, "d199.example"));
}

static int each(void **state)
{
	gate_fixture_reset(&g);
	memset(&g.w->senders, 0, sizeof(g.w->senders));
	told[0] = '\0';
	told_count = 0;
	return 0;
}

static int setup(void **state)
{
	gate_fixture_environment();
	gate_fixture_open_live(&g, config);
	g.event = take;
	return 0;
}

static int teardown(void **state)
{
	gate_fixture_close(&g);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_domain_is_told_of_once_in_its_normal_form, each),
		cmocka_unit_test_setup(what_is_no_domain_is_not_told_of, each),
		cmocka_unit_test_setup(a_tenant_may_have_so_many_told, each),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
