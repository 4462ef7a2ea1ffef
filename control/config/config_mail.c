/* SPDX-License-Identifier: BSD-3-Clause */
/* How much mail, to whom (policy.mail). */
#include "control/config/config.h"

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* What a count can hold in half a window (dataplane/policy/count_min.h). */
#define COUNT_MOST 65535

#define AT(member) .offset = offsetof(struct config, mail.member)

/* clang-format off */
#define SHARE(member, least, percent, in, what)                                                    \
	{.name = "count", .type = SETTING_COUNT, AT(member.count), .fallback = least,              \
	 .min = 1, .max = COUNT_MOST, .help = "so many at the least"},                             \
	{.name = "share", .type = SETTING_COUNT, AT(member.share), .fallback = percent,            \
	 .min = 1, .max = 100, .help = what},                                                      \
	{.name = "window", .type = SETTING_DURATION, AT(member.window), .fallback = in,            \
	 .min = 2 * SECOND, .max = 30 * DAY, .help = "within so long, and up to half of it more"}

static const struct setting harvest_settings[] = {
	SHARE(harvest, "40", "50", "1h", "and so many percent of all its recipients that were answered for good, with every VRFY and EXPN"),
	{0},
};

static const struct setting new_settings[] = {
	SHARE(new_recipients, "200", "50", "1h", "and so many percent of all its recipients"),
	{.name = "learn", .type = SETTING_DURATION, AT(learn), .fallback = "7d", .min = 0, .max = 90 * DAY,
	 .help = "nobody counts as new so long after the dataplane's start, or a capture's first recipient"},
	{.name = "remember", .type = SETTING_DURATION, AT(remember), .fallback = "90d", .min = DAY, .max = 200 * DAY,
	 .help = "who wasn't written to for so long is new again; in whole days"},
	{0},
};

static const struct setting relay_settings[] = {
	{.name = "hosts", .type = SETTING_COUNT, AT(relay_hosts), .fallback = "20", .min = 1, .max = 1000,
	 .help = "servers that refuse to relay"},
	{.name = "window", .type = SETTING_DURATION, AT(relay_window), .fallback = "24h", .min = SECOND, .max = 30 * DAY,
	 .help = "within so long from the first"},
	{0},
};

const struct setting config_mail_settings[] = {
	{.name = "mailbomb", .type = SETTING_RATE, AT(mailbomb), .fallback = "60/10min",
	 .help = "mails of a tenant to one recipient (`RCPT` commands that aren't refused), in the time and up to half of it more"},
	{.name = "per_domain", .type = SETTING_RATE, AT(per_domain), .fallback = "unlimited",
	 .help = "recipients of a tenant in one domain, a bucket for each, where neither tier nor tenant has another"},
	{.name = "same_body", .type = SETTING_RATE, AT(same_body), .fallback = "200/h",
	 .help = "mails of a tenant with the same text, in the time and up to half of it more, where neither tier nor tenant has another number; not those of class `bulk`"},
	{.name = "suppress", .type = SETTING_DURATION, AT(suppress), .fallback = "14d", .min = 0, .max = 365 * DAY,
	 .help = "a recipient that bounced for a tenant is refused to it so long; `0s`: it isn't"},
	{.name = "harvest", .type = SETTING_GROUP, .members = harvest_settings,
	 .help = "recipients of a tenant that are tried out: they don't exist, or their transaction ended without `DATA`"},
	{.name = "new_recipients", .type = SETTING_GROUP, .members = new_settings,
	 .help = "recipients to whom the tenant never wrote"},
	{.name = "relay", .type = SETTING_GROUP, .members = relay_settings,
	 .help = "servers that say to a tenant that they relay nothing"},
	{0},
};
/* clang-format on */

static void check_count(const struct config *config, struct diag *diag, const char *path,
			const struct rate *rate)
{
	if (rate->state == RATE_LIMITED &&
	    (rate->count > COUNT_MOST || rate->period < 2 * SECOND || rate->period > 30 * DAY))
		setting_error(diag, config_lookup(&config->file, path),
			      "at most %d in 2 s to 30 days are counted here", COUNT_MOST);
}

void config_check_mail(const struct config *config, struct diag *diag)
{
	struct gcra gcra;

	check_count(config, diag, "policy.mail.mailbomb", &config->mail.mailbomb);
	check_count(config, diag, "policy.mail.same_body", &config->mail.same_body);
	if (rate_gcra(&config->mail.per_domain, false, &gcra) != 0)
		setting_error(diag, config_lookup(&config->file, "policy.mail.per_domain"),
			      "a rate too fast to be counted, or a burst that takes more than 400 "
			      "days to come back");
}

static uint32_t count_of(const struct rate *rate)
{
	return rate->state == RATE_LIMITED ? (uint32_t)rate->count : 0;
}

static uint64_t window_of(const struct rate *rate)
{
	return rate->state == RATE_LIMITED ? rate->period : HOUR;
}

struct policy_mail config_mail_policy(const struct config *config)
{
	const struct config_mail *m = &config->mail;
	return (struct policy_mail){
		.mailbomb = count_of(&m->mailbomb),
		.mailbomb_window = window_of(&m->mailbomb),
		.same_body_window = window_of(&m->same_body),
		.harvest = m->harvest.count,
		.harvest_share = m->harvest.share,
		.harvest_window = m->harvest.window,
		.new_recipients = m->new_recipients.count,
		.recipients_share = m->new_recipients.share,
		.recipients_window = m->new_recipients.window,
		.recipients_learn = m->learn,
		.recipients_days = (uint32_t)(m->remember / DAY),
		.relay_hosts = m->relay_hosts,
		.relay_window = m->relay_window,
		.suppress = m->suppress,
	};
}

void config_mail_limits(const struct config *config, const struct config_limits *limits,
			struct tenant_slot *slot)
{
	const struct config_mail *m = &config->mail;
	const bool is_own = limits->same_body.state != RATE_UNSET;

	rate_gcra(limits->per_domain.state != RATE_UNSET ? &limits->per_domain : &m->per_domain,
		  false, &slot->per_domain);
	/* One text for many is what they are there for. */
	if (is_own || !(slot->flags & TENANT_MAIL_BULK))
		slot->same_body = count_of(is_own ? &limits->same_body : &m->same_body);
	slot->distinct_recipients = count_of(&limits->distinct_recipients);
	slot->distinct_domains = count_of(&limits->distinct_domains);
}
