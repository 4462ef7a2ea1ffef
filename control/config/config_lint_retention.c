/* SPDX-License-Identifier: BSD-3-Clause */
/* What is kept for ever, and what is gone before it is needed. */
#include "control/config/config_lint_internal.h"

#define DAY UINT64_C(86400000000000) /* ns */

static double days(uint64_t ns)
{
	return (double)ns / (double)DAY;
}

/* Of an event that gives points: until its points are few, there is something to remember. */
static uint64_t longest_half_life(const struct config *config)
{
	const struct risk_config r = config_risk(config);
	uint64_t longest = r.half_life;

	for (unsigned i = 0; i < RISK_EVENT_COUNT; i++)
		if (r.event[i].points > 0 && r.event[i].half_life > longest)
			longest = r.event[i].half_life;
	return longest;
}

/* What is written in gate.retention, and how long it must be at least: `need`, whose it is. */
static void lint_kept(struct lint *lint, const struct config *config, const char *name,
		      uint64_t kept, uint64_t need, const char *whose)
{
	const config_setting_t *group = config_lookup(&config->file, "gate.retention");
	const config_setting_t *where = group ? config_setting_get_member(group, name) : NULL;

	if (where && !kept)
		lint_add(lint, LINT_RETENTION, where,
			 "0 keeps them for ever: a database that only grows, of people and "
			 "tenants");
	else if (where && kept < need)
		lint_add(lint, LINT_RETENTION, where, "%.3g days, and %s is %.3g", days(kept),
			 whose, days(need));
}

static void lint_mail(struct lint *lint, const struct config *config)
{
	const config_setting_t *feedback = config_lookup(&config->file, "feedback");
	const config_setting_t *people = config_lookup(&config->file, "policy.mail.new_recipients");
	const config_setting_t *keep = feedback ? config_setting_get_member(feedback, "keep")
						: NULL;

	if (keep && config->feedback.keep < DAY)
		lint_add(lint, LINT_RETENTION, keep,
			 "mails are forgotten before complaints of them come, which takes days");
	if (people && config->mail.remember < config->mail.new_recipients.window)
		lint_add(lint, LINT_RETENTION, lint_place(people, "remember"),
			 "recipients are forgotten within the window in which new ones are "
			 "counted: all are new");
}

void lint_retention(struct lint *lint, const struct config *config)
{
	const struct config_gate *g = &config->gate;

	lint_kept(lint, config, "cases", g->retention_cases, 0, "");
	lint_kept(lint, config, "evidence", g->retention_evidence, config->cases.answer,
		  "a tenant's time to answer (cases.answer_within)");
	lint_kept(lint, config, "reports", g->retention_reports, config->feedback.keep,
		  "the time in which they count (feedback.keep)");
	lint_kept(lint, config, "scores", g->retention_scores, longest_half_life(config),
		  "the longest half-life of what a score is made of");
	lint_mail(lint, config);
}
