/* SPDX-License-Identifier: BSD-3-Clause */
/* What holds for the whole gate: choices, answers, timeouts, budgets. */
#include <stdio.h>
#include <string.h>

#include "bpf/check.h"
#include "control/config/config_names.h"
#include "control/policy/policy_words.h"

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

#define AT(member) .offset = offsetof(struct config, member)

static const char *const verdicts[] = {
	[VERDICT_PASS] = "pass",
	[VERDICT_ALERT] = "alert",
	[VERDICT_DROP] = "drop",
	[VERDICT_REJECT] = "reject",
	NULL,
};
static const char *const asr_modes[] = {
	[ASR_WITH_PROGRESS] = "with_progress",
	[ASR_FINAL_ONLY] = "final_only",
	[ASR_ALL] = "all",
	NULL,
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_text(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
			return false;
	return true;
}

/* "N.NNN.NNN " (RFC 3463 2) of the class of the reply's code. */
static bool has_enhanced_code(const char *text, char class)
{
	if (text[0] != class)
		return false;
	text++;
	for (int part = 0; part < 2; part++) {
		size_t digits;

		if (*text++ != '.')
			return false;
		digits = strspn(text, "0123456789");
		if (!digits || digits > 3)
			return false;
		text += digits;
	}
	return *text == ' ';
}

static const char *check_smtp_answer(const char *text)
{
	if ((text[0] == '4' || text[0] == '5') && text[1] >= '0' && text[1] <= '5' &&
	    is_digit(text[2]) && text[3] == ' ' && has_enhanced_code(text + 4, text[0]) &&
	    is_text(text) && strlen(text) < sizeof(((struct policy_answer *)0)->smtp))
		return NULL;
	return "a reply such as \"550 5.7.1 Refused\": code, enhanced code of the same class, "
	       "text, "
	       "at most 127 bytes of ASCII";
}

/* 607 is a callee's alone to say (RFC 8197), 604 a lie, 429 about somebody's Referred-By (RFC
 * 3892).
 */
static bool is_others(const char *text)
{
	return strncmp(text, "607", 3) == 0 || strncmp(text, "604", 3) == 0 ||
	       strncmp(text, "429", 3) == 0;
}

static const char *check_sip_answer(const char *text)
{
	if (is_others(text))
		return "a response other than 429, 604 and 607, which are not a gate's to give";
	if (text[0] >= '4' && text[0] <= '6' && is_digit(text[1]) && is_digit(text[2]) &&
	    text[3] == ' ' && text[4] && is_text(text) &&
	    strlen(text + 4) < sizeof(((struct policy_answer *)0)->sip_phrase))
		return NULL;
	return "a response such as \"403 Forbidden\": code from 400 to 699, phrase of at most 43 "
	       "bytes of ASCII";
}

/* A 6xx ends the search for whoever could answer (RFC 3261 16.7 5): on other branches, too. */
static const char *check_emergency_answer(const char *text)
{
	if (text[0] == '6')
		return "a response below 600: a 6xx would end an emergency call's other branches";
	return check_sip_answer(text);
}

/* What others say, and what nobody could be told about: the most that can become of it. */
static const struct {
	enum reason reason;
	enum verdict most;
} silent[] = {
	{REASON_SMS_STOP, VERDICT_ALERT},
	{REASON_SMS_START, VERDICT_ALERT},
	{REASON_CALL_UNWANTED, VERDICT_ALERT},
	{REASON_PROBING, VERDICT_DROP},
};

void config_check_actions(const struct config *config, struct diag *diag)
{
	char path[80];

	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++) {
		if (config->actions[silent[i].reason] <= (int)silent[i].most)
			continue;
		snprintf(path, sizeof(path), "policy.actions.%s", reason_name(silent[i].reason));
		setting_error(diag, config_lookup(&config->file, path),
			      "there is nobody to refuse it to; expected at most \"%s\"",
			      verdicts[silent[i].most]);
	}
}

/* clang-format off */
#define ON_LOSS(id, key, text)                                                                     \
	{.name = key, .type = SETTING_CHOICE, AT(on_loss[REASON_##id]), .choices = verdicts,       \
	 .fallback = "pass", .help = text}

static const struct setting loss_settings[] = {
	ON_LOSS(FLOW_BUDGET, "flow_budget", "a new flow beyond the tenant's share of the flow table"),
	ON_LOSS(MIDSTREAM, "midstream", "a TCP flow whose start was not seen"),
	ON_LOSS(TCP_GAP, "tcp_gap", "data that the receiver has was never seen"),
	ON_LOSS(PARSER_BUDGET, "parser_budget", "no memory for a session's parser"),
	ON_LOSS(SMTP_LOST, "smtp_lost", "an SMTP session that can't be followed any more"),
	ON_LOSS(SMTP_LINE_TOO_LONG, "smtp_line_too_long", "a command or reply beyond every limit"),
	ON_LOSS(MIME_LIMIT, "mime_limit", "a message beyond the MIME parser's bounds"),
	ON_LOSS(SIP_MALFORMED, "sip_malformed", "a SIP message that can't be read"),
	ON_LOSS(SIP_LOST, "sip_lost", "framing lost in a SIP stream"),
	ON_LOSS(CALL_BUDGET, "call_budget", "no room to remember a call"),
	ON_LOSS(MATCH_BUDGET, "match_budget", "no matcher state for a message"),
	{0},
};

#define VERDICT_TEXT_PASS   "pass"
#define VERDICT_TEXT_ALERT  "alert"
#define VERDICT_TEXT_DROP   "drop"
#define VERDICT_TEXT_REJECT "reject"

static const struct setting action_settings[] = {
#define X(id, row, verdict)                                                                        \
	{.name = config_reason_name.id, .type = SETTING_CHOICE, AT(actions[REASON_##id]),          \
	 .choices = verdicts, .fallback = VERDICT_TEXT_##verdict, .help = config_reason_text.id},
	POLICY_CHECKS(X)
#undef X
	{0},
};

#define SMTP_ANSWER(id, key, value)                                                                \
	{.name = key, .type = SETTING_TEXT, AT(smtp_answer[REASON_##id]), .fallback = value,       \
	 .check = check_smtp_answer, .help = config_reason_text.id}

static const struct setting smtp_answer_settings[] = {
	SMTP_ANSWER(RULE, "rule", "550 5.7.1 Refused by policy"),
	SMTP_ANSWER(TENANT_CLOSED, "tenant_closed", "554 5.7.1 Service suspended, contact your provider"),
	SMTP_ANSWER(TENANT_SUSPENDED, "tenant_suspended", "421 4.7.0 Service suspended, contact your provider"),
	SMTP_ANSWER(LIMIT_MESSAGES, "limit_messages", "421 4.7.0 Too many messages, try again later"),
	SMTP_ANSWER(LIMIT_RECIPIENTS, "limit_recipients", "421 4.7.0 Too many recipients, try again later"),
	SMTP_ANSWER(LIMIT_RECIPIENTS_MESSAGE, "limit_recipients_message", "452 4.5.3 Too many recipients of one message"),
	SMTP_ANSWER(LIMIT_CONNECTIONS, "limit_connections", "421 4.7.0 Too many connections, try again later"),
	SMTP_ANSWER(DOMAIN_CONSENT, "domain_consent", "550 5.7.1 This sender's domain is not registered for you"),
	SMTP_ANSWER(HEADER_MISSING, "header_missing", "550 5.7.0 Message has no From or no Date field"),
	SMTP_ANSWER(HEADER_REPEATED, "header_repeated", "550 5.7.0 Message has a header field twice that may be there once"),
	SMTP_ANSWER(HEADER_NUL, "header_nul", "550 5.7.0 Message has a NUL in its header"),
	SMTP_ANSWER(RECEIVED_FORGED, "received_forged", "550 5.7.0 Message has a forged Received field"),
	SMTP_ANSWER(DOMAIN_INVALID, "domain_invalid", "550 5.1.8 This sender's domain does not exist"),
	SMTP_ANSWER(UNSUBSCRIBE, "unsubscribe", "550 5.7.0 Bulk mail needs List-Unsubscribe with one click (RFC 8058)"),
	SMTP_ANSWER(HELO_NAME, "helo_name", "550 5.7.0 This EHLO name is not yours"),
	SMTP_ANSWER(TAG_ALTERED, "tag_altered", "550 5.7.0 Message identifies another sender"),
	SMTP_ANSWER(TAG_MISSING, "tag_missing", "550 5.7.0 Message lacks the field that identifies you"),
	SMTP_ANSWER(SUBJECT_REPLY, "subject_reply", "550 5.7.0 Bulk mail must not look like an answer"),
	SMTP_ANSWER(TRADEMARK, "trademark", "550 5.7.0 Message uses a protected name"),
	SMTP_ANSWER(OPT_OUT, "opt_out", "550 5.7.1 The recipient opted out of your mail"),
	/* They don't say what they are. */
	SMTP_ANSWER(SPAM_TRAP, "spam_trap", "550 5.1.1 No such user"),
	SMTP_ANSWER(SPAM_TRAP_RECYCLED, "spam_trap_recycled", "550 5.1.1 No such user"),
	SMTP_ANSWER(SUPPRESSED, "suppressed", "550 5.1.1 The recipient's address bounced before"),
	SMTP_ANSWER(MAILBOMB, "mailbomb", "421 4.7.28 Too many messages to this recipient, try again later"),
	SMTP_ANSWER(PER_DOMAIN, "per_domain", "450 4.7.0 Too many recipients in this domain, try again later"),
	SMTP_ANSWER(DISTINCT_RECIPIENTS, "distinct_recipients", "450 4.7.0 Too many different recipients today, try again tomorrow"),
	SMTP_ANSWER(DISTINCT_DOMAINS, "distinct_domains", "450 4.7.0 Recipients in too many domains today, try again tomorrow"),
	SMTP_ANSWER(HARVEST, "harvest", "421 4.7.0 Too many recipients that don't exist, try again later"),
	SMTP_ANSWER(NEW_RECIPIENTS, "new_recipients", "450 4.7.0 Too many new recipients, try again later"),
	SMTP_ANSWER(SAME_BODY, "same_body", "421 4.7.0 Too many messages with the same text, try again later"),
	SMTP_ANSWER(RELAY, "relay", "421 4.7.1 Too many servers refuse to relay for you"),
	SMTP_ANSWER(RESTRICTED_INDUSTRY, "restricted_industry", "550 5.7.1 Service not available to your industry"),
	SMTP_ANSWER(SMTP_BARE_LF_END, "smtp_bare_lf_end", "550 5.5.2 End of data written with a bare LF"),
	SMTP_ANSWER(SMTP_LOST, "smtp_lost", "451 4.7.0 Session can't be followed"),
	SMTP_ANSWER(SMTP_LINE_TOO_LONG, "smtp_line_too_long", "500 5.5.2 Line too long"),
	SMTP_ANSWER(MIME_LIMIT, "mime_limit", "554 5.6.0 Message too complex"),
	SMTP_ANSWER(FLOW_BUDGET, "flow_budget", "421 4.3.2 Too many open connections, try again later"),
	SMTP_ANSWER(PARSER_BUDGET, "parser_budget", "421 4.3.2 Out of resources, try again later"),
	SMTP_ANSWER(MATCH_BUDGET, "match_budget", "451 4.3.2 Out of resources, try again later"),
	{0},
};

#define SIP_ANSWER(id, key, value)                                                                 \
	{.name = key, .type = SETTING_TEXT, AT(sip_answer[REASON_##id]), .fallback = value,        \
	 .check = check_sip_answer, .help = config_reason_text.id}

static const struct setting sip_answer_settings[] = {
	SIP_ANSWER(RULE, "rule", "403 Forbidden"),
	SIP_ANSWER(TENANT_SUSPENDED, "tenant_suspended", "403 Service suspended"),
	SIP_ANSWER(LIMIT_CONNECTIONS, "limit_connections", "503 Too many connections"),
	SIP_ANSWER(LIMIT_CALLS, "limit_calls", "503 Too many calls"),
	SIP_ANSWER(LIMIT_SIP_REQUESTS, "limit_sip_requests", "503 Too many requests"),
	SIP_ANSWER(DO_NOT_CALL, "do_not_call", "403 Callee is on a do-not-call list"),
	SIP_ANSWER(TRADEMARK, "trademark", "403 Protected name"),
	{.name = "emergency_number", .type = SETTING_TEXT, AT(sip_answer[REASON_EMERGENCY_NUMBER]),
	 .fallback = "403 No emergency calls on this service", .check = check_emergency_answer,
	 .help = config_reason_text.EMERGENCY_NUMBER},
	SIP_ANSWER(LIMIT_SMS, "limit_sms", "503 Too many messages"),
	SIP_ANSWER(LIMIT_REGISTERS, "limit_registers", "503 Too many registrations"),
	SIP_ANSWER(CALLS_AT_ONCE, "calls_at_once", "503 Too many calls at once"),
	SIP_ANSWER(CALLER_ID, "caller_id", "403 Caller's number is not registered for you"),
	SIP_ANSWER(CALL_UNSIGNED, "call_unsigned", "403 Caller's identity is not signed"),
	SIP_ANSWER(SMS_OPT_OUT, "sms_opt_out", "403 Recipient wants no messages"),
	SIP_ANSWER(AUTH_FAILURES, "auth_failures", "503 Too many failed log-ins"),
	SIP_ANSWER(RESTRICTED_INDUSTRY, "restricted_industry", "403 Service not available to your industry"),
	SIP_ANSWER(SIP_MALFORMED, "sip_malformed", "400 Bad Request"),
	SIP_ANSWER(SIP_LOST, "sip_lost", "400 Bad Request"),
	SIP_ANSWER(FLOW_BUDGET, "flow_budget", "503 Out of resources"),
	SIP_ANSWER(PARSER_BUDGET, "parser_budget", "503 Out of resources"),
	SIP_ANSWER(CALL_BUDGET, "call_budget", "503 Out of resources"),
	SIP_ANSWER(MATCH_BUDGET, "match_budget", "503 Out of resources"),
	{0},
};

const struct setting config_policy_settings[] = {
	{.name = "shadow", .type = SETTING_BOOL, AT(shadow), .fallback = "false",
	 .help = "count what every limit and rule would do, and do none of it"},
	{.name = "bare_lf", .type = SETTING_CHOICE, AT(bare_lf), .choices = verdicts, .fallback = "reject",
	 .help = "an end of data written with a bare LF (SMTP smuggling, CVE-2023-51764)"},
	{.name = "short_call", .type = SETTING_DURATION, AT(short_call), .fallback = "6s",
	 .min = SECOND, .max = 10 * MINUTE, .help = "an answered call that lasts no longer is short"},
	{.name = "asr_mode", .type = SETTING_CHOICE, AT(asr_mode), .choices = asr_modes,
	 .fallback = "with_progress",
	 .help = "calls without any final response count as seized: if a 1xx was seen, never, always"},
	{.name = "restricted_industries", .type = SETTING_TEXTS, AT(restricted),
	 .help = "what tenants may not do here, as their `industry` says it; which, the policy leaves open"},
	{.name = "learn_unwanted", .type = SETTING_BOOL, AT(calls.learn_unwanted), .fallback = "false",
	 .help = "a callee who answers 607 (RFC 8197) is on the tenant's do-not-call list from then on"},
	{.name = "probing", .type = SETTING_COUNT, AT(calls.destinations), .fallback = "1000", .min = 0, .max = 30000,
	 .help = "different addresses within a minute, at which a tenant is told of as probing; 0: never"},
	{.name = "auth_failures", .type = SETTING_COUNT, AT(calls.auth_failures), .fallback = "30", .min = 0, .max = 100000,
	 .help = "log-ins that fail within ten minutes (SMTP 535; SIP 401, 403, 407 to credentials), from which on it is a check; 0: never"},
	{.name = "retry_after", .type = SETTING_DURATION, AT(retry_after), .fallback = "5s",
	 .min = SECOND, .max = HOUR, .help = "Retry-After of every 503"},
	{.name = "marks", .type = SETTING_TEXTS, AT(marks), .check = policy_check_mark,
	 .help = "the provider's marks, which tenants may not use as names and in subjects (AUP-TRADEMARK): whole words, in any "
	 "case, 1,000 bytes together"},
	{.name = "provider_hosts", .type = SETTING_TEXTS, AT(provider_hosts), .check = policy_check_host,
	 .help = "hosts of the provider's that mail has passed only behind the gate, which no tenant's mail can name in "
	 "`Received` and no client in `EHLO`: `\"mx.example.com\"`, `\".out.example.com\"` all below it; 1,000 bytes together"},
	{.name = "reserved_domains", .type = SETTING_TEXT, AT(reserved_domains), .fallback = "invalid localhost onion test",
	 .help = "domains that can't exist in public (RFC 6761, RFC 7686), with all below them: no sender's (AUP-DOMAIN-INVALID)"},
	{.name = "tell_domains", .type = SETTING_BOOL, AT(tell_domains), .fallback = "false",
	 .help = "tell posternd of senders' domains, so that it can look them up"},
	{.name = "mail", .type = SETTING_GROUP, .members = config_mail_settings,
	 .help = "how much mail, to whom; what becomes of more is `policy.actions`"},
	{.name = "on_loss", .type = SETTING_GROUP, .members = loss_settings,
	 .help = "what becomes of traffic that can't be followed"},
	{.name = "actions", .type = SETTING_GROUP, .members = action_settings,
	 .help = "what becomes of what the gate finds; `pass`: it doesn't look"},
	{.name = "smtp_answers", .type = SETTING_GROUP, .members = smtp_answer_settings,
	 .help = "what a client is told, by reason"},
	{.name = "sip_answers", .type = SETTING_GROUP, .members = sip_answer_settings,
	 .help = "the same for SIP"},
	{0},
};

#define TIMEOUT(member, value, least, most, text)                                                  \
	{.name = #member, .type = SETTING_DURATION, AT(timeouts.member), .fallback = value,        \
	 .min = least, .max = most, .help = text}

const struct setting config_timeout_settings[] = {
	TIMEOUT(tcp_syn, "30s", SECOND, HOUR, "TCP flows that are not yet established"),
	TIMEOUT(tcp_established, "20min", 10 * SECOND, 7 * DAY, "idle TCP flows"),
	TIMEOUT(tcp_closing, "15s", SECOND, HOUR, "TCP flows after FIN or RST"),
	TIMEOUT(udp, "3min", SECOND, DAY, "idle UDP flows"),
	TIMEOUT(sip_transaction, "32s", SECOND, HOUR,
		"SIP transactions after their final response (64·T1, RFC 3261 17)"),
	TIMEOUT(call, "4h", MINUTE, 7 * DAY, "calls without any message of their dialog"),
	TIMEOUT(fragment, "30s", SECOND, 5 * MINUTE, "fragmented packets whose rest does not come"),
	TIMEOUT(emergency_media, "3min", 30 * SECOND, HOUR, "an emergency call of which nothing comes: its media are not exempt any more"),
	{0},
};

#define BUDGET(member, value, least, most, text)                                                   \
	{.name = #member, .type = SETTING_COUNT, AT(budgets.member), .fallback = value,            \
	 .min = least, .max = most, .help = text}
#define SHARE(member, value, what)                                                                 \
	BUDGET(member, value, 1, 100, "percent of " what " that one tenant may hold")

const struct setting config_budget_settings[] = {
	BUDGET(flows, "131072", 64, 1 << 26, "flows, each worker"),
	SHARE(flows_share, "50", "the flows"),
	BUDGET(sessions, "32768", 16, 1 << 24, "flows with a parser's state, each worker"),
	SHARE(sessions_share, "50", "the sessions"),
	BUDGET(messages, "4096", 4, 1 << 22, "mails in flight, each worker"),
	SHARE(messages_share, "50", "the messages"),
	BUDGET(calls, "65536", 16, 1 << 24, "calls and SIP transactions remembered, each worker"),
	SHARE(calls_share, "50", "the calls"),
	BUDGET(fragments, "1024", 16, 1 << 20, "fragmented packets whose rest is awaited, each worker"),
	BUDGET(recipient_counts, "262144", 256, 1 << 26,
	       "counts of mails by recipient, all workers, rounded up to a power of two: 48 bytes each; a tenant has room for 1/16"),
	BUDGET(known_recipients, "4194304", 256, 1 << 30,
	       "recipients that are known again, all workers, rounded up to a power of two: 4 bytes each; a tenant has room for 1/16"),
	BUDGET(suppressed, "65536", 256, 1 << 26,
	       "recipients that bounced, all workers, rounded up to a power of two: 16 bytes each; a tenant has room for half"),
	BUDGET(emergency_media, "1024", 4, 4096,
	       "media of emergency calls that pass whatever their tenant's state, all workers: 400 bytes each"),
	BUDGET(emergency_media_share, "50", 1, 100, "percent of these that one tenant may hold, 64 at most"),
	BUDGET(reorder_segments, "128", 1, 4096, "TCP segments held beyond a gap, per direction of a flow"),
	{.name = "reorder_bytes", .type = SETTING_SIZE, AT(budgets.reorder_bytes), .fallback = "256Ki",
	 .min = 1500, .max = 1 << 26, .help = "bytes held beyond a gap, per direction of a flow"},
	{0},
};
/* clang-format on */
