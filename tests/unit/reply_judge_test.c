/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A reply has one verdict, whichever way it comes: over the wire through a gate with all of the
 * shipped rules, in a delivery report, in a line of a log.
 */
#include "control/rules/reply_judge.h"

#include <stdlib.h>

#include "control/feedback/feedback_log.h"
#include "control/feedback/feedback_mail.h"
#include "control/rules/reply_rules.h"
#include "control/rules/ruleset_build.h"
#include "tests/unit/test.h"
#include "tools/samples/samples_gate.h"

#define NOW     1795660000
#define MOST    32
#define TEXT    8192
#define SERVER  "198.51.100.7"
#define ALERT   "alert smtp any any -> $TENANTS any (msg:\"x\"; flow:established,to_client; "
#define ANOTHER "metadata:aup AUP-BLACKLIST"

static struct rule_list list;
static struct reply_judge *judge;

static struct reply_judge *judge_of(const struct rule_list *rules)
{
	struct reply_judge *j;
	char error[160];
	void *image;
	size_t size;

	assert_int_equal(reply_rules_build(rules, 1, NULL, &image, &size), 0);
	assert_int_equal(reply_judge_new(image, size, &j, error, sizeof(error)), 0);
	free(image); /* it has its own */
	return j;
}

/* Rules of a test's own, one judge at a time. */
static struct reply_judge *judge_by(const char *text)
{
	static struct rule_list own;
	struct rule_diags diags = {0};

	rule_list_fini(&own);
	own = (struct rule_list){0};
	rules_parse(&own, &diags, NULL, "test.rules", text, strlen(text));
	assert_int_equal(diags.errors, 0);
	rule_diags_fini(&diags);
	return judge_of(&own);
}

/* Sids, ascending. */
struct sids {
	uint32_t sid[MOST];
	unsigned n;
};

static void sids_put(struct sids *s, uint32_t sid)
{
	unsigned at = 0;

	while (at < s->n && s->sid[at] < sid)
		at++;
	if (at < s->n && s->sid[at] == sid)
		return;
	assert_true(s->n < MOST);
	memmove(&s->sid[at + 1], &s->sid[at], (s->n - at) * sizeof(sid));
	s->sid[at] = sid;
	s->n++;
}

static const struct rule *rule_of(uint32_t sid)
{
	for (size_t i = 0; i < list.count; i++)
		if (list.rules[i].sid == sid)
			return &list.rules[i];
	return NULL;
}

/* Over the wire */

struct wire {
	struct rule_diags diags;
	struct sample_list samples;
	void *image;
	struct ruleset *ruleset;
	struct samples_gate gate;
	struct script script;
};

static void wire_open(struct wire *w)
{
	char error[GATE_ERROR];
	size_t size;

	*w = (struct wire){0};
	assert_int_equal(rules_load_path(&list, &w->diags, NULL, POSTERN_ROOT "/rules"), 0);
	assert_int_equal(samples_load_path(&w->samples, &w->diags, POSTERN_ROOT "/rules"), 0);
	assert_int_equal(ruleset_build(&list, 1, &w->diags, &w->image, &size, NULL), 0);
	assert_int_equal(ruleset_load(w->image, size, &w->ruleset, error, sizeof(error)), 0);
	assert_int_equal(samples_gate_open(&w->gate, w->ruleset, &w->samples, NULL, error), 0);
}

static void wire_close(struct wire *w)
{
	script_fini(&w->script);
	samples_gate_close(&w->gate);
	ruleset_free(w->ruleset);
	free(w->image);
	sample_list_fini(&w->samples);
	rule_diags_fini(&w->diags);
}

/* Only of a server's reply. */
static bool is_reply(const struct sample *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->items[i].kind != SAMPLE_VALUE ||
		    (s->items[i].buffer != RULE_BUFFER_SMTP_REPLY_TEXT &&
		     s->items[i].buffer != RULE_BUFFER_SMTP_REPLY_CODE))
			return false;
	return true;
}

static struct sids by_wire(struct wire *w, const struct sample *s)
{
	const struct ruleset_image *image = ruleset_image(w->ruleset);
	const struct ruleset_rule *rules = RULESET_AT(image, struct ruleset_rule, rules);
	const uint64_t *hits = w->gate.worker->rule_hits;
	struct sids sids = {0};

	script_write(&w->script, s);
	samples_gate_talk(&w->gate, s, &w->script, &samples_ways[0]);
	for (uint32_t i = 0; i < image->rules.count; i++)
		if (hits[i] && reply_rule_is(rule_of(rules[i].sid)) &&
		    rules[i].action != VERDICT_PASS)
			sids_put(&sids, rules[i].sid);
	return sids;
}

/* What the server said of the message: its lines, each ending as `end` says. */
static void reply_text(const struct script *script, const char *end, char out[TEXT])
{
	const struct script_turn *turn = NULL;
	size_t n = 0;

	/* The last is the answer to QUIT. */
	for (size_t i = 0; i + 2 < script->turn_count; i++)
		if (script->turns[i].server)
			turn = &script->turns[i];
	assert_non_null(turn);
	for (size_t i = turn->start; i < turn->start + turn->len; i++) {
		const char c = (char)script->bytes.bytes[i];

		if (c == '\r')
			continue;
		n += c == '\n' ? (size_t)snprintf(out + n, TEXT - n, "%s", end) : 1;
		assert_true(n < TEXT);
		if (c != '\n')
			out[n - 1] = c;
	}
	while (n && strchr(" \t\n", out[n - 1]))
		n--;
	out[n] = '\0';
}

/* By a report */

struct asked {
	struct sids sids;
	unsigned items;
};

static void on_item(void *ctx, const struct feedback_item *item)
{
	const struct reply_words words = {.code = item->code, .text = item->text, .server = SERVER};
	struct reply_hit hits[REPLY_HITS];
	struct asked *a = ctx;
	unsigned n = reply_judge_ask(judge, &words, hits);

	a->items++;
	for (unsigned i = 0; i < n; i++) {
		const struct rule *rule = rule_of(hits[i].sid);

		sids_put(&a->sids, hits[i].sid);
		assert_int_equal(hits[i].risk, rule->risk ? rule->risk : 8);
	}
}

static struct sids by_dsn(const char *reply)
{
	static struct feedback_mail mail;
	struct asked a = {0};
	const struct feedback_sink sink = {on_item, &a};
	char text[TEXT + 1024];
	int n = snprintf(
		text, sizeof(text),
		"MIME-Version: 1.0\n"
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
		"--b\nContent-Type: message/delivery-status\n\n"
		"Reporting-MTA: dns; relay.example\n\n"
		"Final-Recipient: rfc822; bob@example.net\nAction: failed\nStatus: 5.7.1\n"
		"Diagnostic-Code: smtp; %s\n\n--b--\n",
		reply);

	feedback_mail_init(&mail);
	feedback_mail_feed(&mail, bytes_of(text, (size_t)n));
	assert_int_equal(feedback_mail_finish(&mail), FEEDBACK_MAIL_DSN);
	feedback_mail_tell(&mail, &sink);
	assert_int_equal(a.items, 1);
	return a.sids;
}

static struct sids by_log(const char *reply)
{
	struct feedback_log *log = feedback_log_new(NOW);
	struct asked a = {0};
	const struct feedback_sink sink = {on_item, &a};
	char text[TEXT + 1024];
	int n = snprintf(text, sizeof(text),
			 "Nov 25 10:00:00 relay postfix/smtp[7]: 4F6A21C0: to=<bob@example.net>, "
			 "relay=mx.example.net[" SERVER
			 "]:25, delay=1, delays=0/0/0/1, dsn=%c.7.1, "
			 "status=%s (host mx.example.net[" SERVER "] said: %s (in reply to end of "
			 "DATA command))",
			 *reply, *reply == '4' ? "deferred" : "bounced", reply);

	assert_non_null(log);
	feedback_log_line(log, bytes_of(text, (size_t)n), &sink);
	feedback_log_free(log);
	assert_int_equal(a.items, 1);
	return a.sids;
}

static void sids_compare(const struct sample *s, const char *way, const struct sids *wire,
			 struct sids got)
{
	if (wire->n == got.n && memcmp(wire->sid, got.sid, got.n * sizeof(got.sid[0])) == 0)
		return;
	fail_msg("%s:%u: by wire %u rules (%u ...), %s %u (%u ...)", s->place.file, s->place.line,
		 wire->n, wire->sid[0], way, got.n, got.sid[0]);
}

static void each_sample_has_one_verdict_by_wire_report_and_log(void **state)
{
	unsigned looked = 0, named = 0;
	char joined[TEXT], folded[TEXT];
	struct wire w;

	wire_open(&w);
	judge = judge_of(&list);
	for (size_t i = 0; i < w.samples.count; i++) {
		const struct sample *s = &w.samples.samples[i];
		struct sids sids;

		if (!is_reply(s))
			continue;
		sids = by_wire(&w, s);
		reply_text(&w.script, " ", joined);
		reply_text(&w.script, "\n\t", folded);
		sids_compare(s, "by report", &sids, by_dsn(joined));
		sids_compare(s, "by folded report", &sids, by_dsn(folded));
		sids_compare(s, "by log", &sids, by_log(joined));
		looked++;
		named += sids.n > 0;
	}
	assert_true(looked > 150);
	assert_true(named > 70 && named < looked);
	reply_judge_free(judge);
	wire_close(&w);
	rule_list_fini(&list);
	list = (struct rule_list){0};
}

static unsigned ask(struct reply_judge *j, const struct reply_words *words)
{
	struct reply_hit hits[REPLY_HITS];

	return reply_judge_ask(j, words, hits);
}

static unsigned ask_text(struct reply_judge *j, const char *text)
{
	const struct reply_words words = {.code = 550, .text = text};

	return ask(j, &words);
}

static void rules_of_other_things_say_nothing_of_a_reply(void **state)
{
	/* Of another row, in shadow, silent, that asks what was before, of the mail too. */
	static const char *const others[] = {
		ALERT "smtp.reply_text; content:\"listed\"; metadata:aup AUP-SPAM-BULK; sid:1;)",
		ALERT "smtp.reply_text; content:\"listed\"; " ANOTHER ", shadow yes; sid:1;)",
		ALERT "smtp.reply_text; content:\"listed\"; noalert; " ANOTHER "; sid:1;)",
		ALERT "smtp.reply_text; content:\"listed\"; flowbits:isset,seen; " ANOTHER
		      "; sid:1;)",
		ALERT "smtp.reply_text; content:\"listed\"; threshold:type limit, track by_dst, "
		      "count 1, seconds 60; " ANOTHER "; sid:1;)",
		("alert smtp $TENANTS any -> any any (msg:\"x\"; email.subject; "
		 "content:\"listed\"; "
		 "metadata:aup AUP-BLACKLIST; sid:1;)"),
	};
	struct reply_judge *j;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		j = judge_by(others[i]);
		assert_int_equal(ask_text(j, "you are listed"), 0);
		reply_judge_free(j);
	}
	j = judge_by(ALERT "smtp.reply_text; content:\"listed\"; " ANOTHER "; sid:1;)");
	assert_int_equal(ask_text(j, "you are listed"), 1);
	assert_int_equal(ask_text(j, "you are not"), 0);
	reply_judge_free(j);
}

static void a_pass_rule_excuses_a_reply(void **state)
{
	struct reply_judge *j =
		judge_by(ALERT "smtp.reply_text; content:\"listed\"; " ANOTHER "; sid:1;)\n"
			       "pass smtp any any -> $TENANTS any (msg:\"y\"; flow:to_client; "
			       "smtp.reply_text; content:\"returnc\"; sid:2;)");

	assert_int_equal(ask_text(j, "listed"), 1);
	assert_int_equal(ask_text(j, "listed, see returnc"), 0);
	/* What was said of one reply is not said of the next. */
	assert_int_equal(ask_text(j, "listed"), 1);
	reply_judge_free(j);
}

static void codes_and_addresses_hold_as_far_as_they_are_known(void **state)
{
	struct reply_words words = {.code = 554, .text = "no"};
	struct reply_judge *j =
		judge_by("alert smtp 203.0.113.0/24 any -> $TENANTS any (msg:\"x\"; "
			 "flow:to_client; smtp.reply_code; content:\"554\"; smtp.reply_text; "
			 "content:\"no\"; metadata:aup AUP-BLACKLIST, risk 4; sid:1;)\n"
			 "alert smtp 2001:db8::/32 any -> $TENANTS any (msg:\"x\"; "
			 "flow:to_client; smtp.reply_text; content:\"no\"; metadata:aup "
			 "AUP-BLACKLIST; sid:2;)");
	struct reply_hit hits[REPLY_HITS];

	assert_int_equal(ask(j, &words), 0);
	words.server = "203.0.113.9";
	assert_int_equal(reply_judge_ask(j, &words, hits), 1);
	assert_int_equal(hits[0].sid, 1);
	assert_int_equal(hits[0].risk, 4);
	words.code = 0;
	assert_int_equal(ask(j, &words), 0);
	words.server = "2001:db8::1";
	words.client = "192.0.2.1"; /* of another family: as if it were not known */
	assert_int_equal(reply_judge_ask(j, &words, hits), 1);
	assert_int_equal(hits[0].sid, 2);
	assert_int_equal(hits[0].risk, 8);
	words.server = "no address";
	assert_int_equal(ask(j, &words), 0);
	words.text = NULL;
	assert_int_equal(ask(j, &words), 0);
	reply_judge_free(j);
}

static void without_rules_nothing_is_said_and_no_image_is_refused(void **state)
{
	struct rule_list none = {0};
	struct reply_judge *j = judge_of(&none);
	char error[160], image[4096] = "not a ruleset";

	assert_int_equal(ask_text(j, "blocked using zen.spamhaus.org"), 0);
	reply_judge_free(j);
	reply_judge_free(NULL);
	assert_int_equal(reply_judge_new(image, sizeof(image), &j, error, sizeof(error)), -EINVAL);
	assert_string_equal(error, "not a ruleset");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_sample_has_one_verdict_by_wire_report_and_log),
		cmocka_unit_test(rules_of_other_things_say_nothing_of_a_reply),
		cmocka_unit_test(a_pass_rule_excuses_a_reply),
		cmocka_unit_test(codes_and_addresses_hold_as_far_as_they_are_known),
		cmocka_unit_test(without_rules_nothing_is_said_and_no_image_is_refused),
	};

	return cmocka_run_group_tests_name("reply_judge", tests, NULL, NULL);
}
