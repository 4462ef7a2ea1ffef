/* SPDX-License-Identifier: BSD-3-Clause */
/* When a case is opened, who hears of it, how long a tenant may take to answer. */
#include <string.h>

#include "control/config/config.h"

#define SECOND INT64_C(1000000000)
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)

#define AT(member) .offset = offsetof(struct config, cases.member)

static const char *const levels[] = {
	[RISK_LEVEL_NONE] = "never",
	[RISK_LEVEL_WATCH] = "watch",
	[RISK_LEVEL_THROTTLE] = "throttle",
	[RISK_LEVEL_SUSPEND] = "suspend",
	NULL,
};

static const char *const overdue[] = {
	[OVERDUE_ASK] = "ask",
	[OVERDUE_SUSPEND] = "suspend",
	NULL,
};

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0 && text[strlen(with)];
}

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

static const char *check_webhook(const char *text)
{
	if (!*text || (is_plain(text) && (begins(text, "https://") || begins(text, "http://"))))
		return NULL;
	return "a URL such as \"https://desk.example/postern\"";
}

static const char *check_relay(const char *text)
{
	if (!*text || (is_plain(text) && (begins(text, "smtp://") || begins(text, "smtps://"))))
		return NULL;
	return "a mail server such as \"smtp://mail.example:25\"";
}

const char *config_check_address(const char *text)
{
	const char *at = strchr(text, '@');

	if (is_plain(text) && at && at != text && at[1] && !strchr(at + 1, '@') &&
	    !strpbrk(text, "<>,;:\"()") && strlen(text) < 255)
		return NULL;
	return "an address such as \"abuse@example.com\"";
}

static const char *check_from(const char *text)
{
	return *text ? config_check_address(text) : NULL;
}

/* clang-format off */
const struct setting config_case_settings[] = {
	{.name = "open", .type = SETTING_CHOICE, AT(open), .choices = levels, .fallback = "throttle",
	 .help = "the level of risk from which on a tenant has a case, where its mode is `on`"},
	{.name = "answer_within", .type = SETTING_DURATION, AT(answer), .fallback = "48h", .min = SECOND, .max = 90 * DAY,
	 .help = "how long a tenant may take to answer, from when it was told"},
	{.name = "overdue", .type = SETTING_CHOICE, AT(overdue), .choices = overdue, .fallback = "ask",
	 .help = "what follows without an answer: the desk is asked, or the tenant is suspended"},
	{.name = "webhook", .type = SETTING_TEXT, AT(webhook), .fallback = "", .check = check_webhook,
	 .help = "where cases and alarms are posted to, as JSON; empty: nowhere"},
	{.name = "webhook_secret", .type = SETTING_TEXT, AT(webhook_secret), .fallback = "",
	 .help = "a file whose first line is the key that signs them: `X-Postern-Signature: sha256=`, HMAC-SHA-256 of the body"},
	{.name = "relay", .type = SETTING_TEXT, AT(relay), .fallback = "", .check = check_relay,
	 .help = "the mail server that takes notices: `\"smtp://mail.example:25\"`, with TLS where it is offered, or `smtps://`, verified; empty: no mail"},
	{.name = "from", .type = SETTING_TEXT, AT(from), .fallback = "", .check = check_from,
	 .help = "the sender of notices"},
	{.name = "desk", .type = SETTING_TEXTS, AT(desk), .check = config_check_address,
	 .help = "addresses of the abuse desk: every notice goes there too"},
	{.name = "retry_first", .type = SETTING_DURATION, AT(retry_first), .fallback = "1min", .min = SECOND / 10, .max = DAY,
	 .help = "a notice that failed is sent again after this, then after twice as long, …"},
	{.name = "retry_most", .type = SETTING_DURATION, AT(retry_most), .fallback = "1h", .min = SECOND / 10, .max = DAY,
	 .help = "… but after this at the latest"},
	{.name = "retry_until", .type = SETTING_DURATION, AT(retry_until), .fallback = "3d", .min = SECOND, .max = 30 * DAY,
	 .help = "when it is given up, which is an alarm"},
	{.name = "alarm_every", .type = SETTING_DURATION, AT(alarm_every), .fallback = "5min", .min = SECOND, .max = DAY,
	 .help = "alarms of one kind, about one tenant or the gate, are told at most so often"},
	{.name = "evidence", .type = SETTING_BOOL, AT(evidence), .fallback = "true",
	 .help = "headers of mails that were refused at their end are kept, 8 KiB of each, and what the rule that refused one keeps of its body; takes effect with a reload"},
	{0},
};
/* clang-format on */

void config_check_cases(const struct config *config, struct diag *diag)
{
	const struct config_cases *c = &config->cases;
	const config_setting_t *root = config_root_setting(&config->file);
	const config_setting_t *group = root ? config_setting_get_member(root, "cases") : NULL;

	/* NULL: it was wrong, which is told already. */
	if (!c->relay || !c->from)
		return;
	if (*c->relay && !*c->from)
		setting_error(diag, group, "\"relay\" needs \"from\", the sender of notices");
	if (!*c->relay && c->desk.count)
		setting_error(diag, group, "\"desk\" has addresses and no \"relay\" to reach them");
}
