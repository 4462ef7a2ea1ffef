/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients are told, what is looked for, what scores can come to. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "control/config/config_lint_internal.h"

static const struct setting *members_of(const char *name)
{
	for (const struct setting *s = config_policy_settings; s->name; s++)
		if (strcmp(s->name, name) == 0)
			return s->members;
	return NULL;
}

/* The default says whether something is forbidden (5yz) or too fast (4yz). */
static void lint_smtp(struct lint *lint, const struct setting *s, const config_setting_t *where,
		      const char *answer)
{
	if (answer[0] == s->fallback[0])
		return;
	if (s->fallback[0] == '5')
		lint_add(lint, LINT_ANSWER, where,
			 "%.3s says try again, to what is forbidden: mail that waits in the "
			 "client's queue, and comes again",
			 answer);
	else
		lint_add(lint, LINT_ANSWER, where,
			 "%.3s says never again, to what would pass a little later: mail that is "
			 "lost",
			 answer);
}

/* RFC 3261 21.4.4: 403 must not be tried again; 21.5.4: 503 with Retry-After is. */
static void lint_sip(struct lint *lint, const struct setting *s, const config_setting_t *where,
		     const char *answer)
{
	const long code = strtol(answer, NULL, 10), usual = strtol(s->fallback, NULL, 10);

	if (code == 603)
		lint_add(lint, LINT_SIP_CODE, where,
			 "603 for what analytics blocked is regulated in the US");
	else if (usual == 503 && code < 500)
		lint_add(lint, LINT_ANSWER, where,
			 "%ld must not be tried again, and this would pass a little later", code);
	else if (usual < 500 && code >= 500 && code < 600)
		lint_add(lint, LINT_ANSWER, where, "%ld is tried again, and this is forbidden",
			 code);
}

static void lint_group(struct lint *lint, const struct config *config, const char *group,
		       void (*look)(struct lint *lint, const struct setting *s,
				    const config_setting_t *where, const char *answer))
{
	const config_setting_t *policy = config_lookup(&config->file, "policy");
	const config_setting_t *written = policy ? config_setting_get_member(policy, group) : NULL;

	for (const struct setting *s = members_of(group); written && s->name; s++) {
		const config_setting_t *where = config_setting_get_member(written, s->name);

		if (where && config_setting_get_string(where))
			look(lint, s, where, config_setting_get_string(where));
	}
}

static void lint_action(struct lint *lint, const struct setting *s, const config_setting_t *where,
			const char *action)
{
	if (strcmp(action, "pass") == 0 && strcmp(s->fallback, "pass") != 0)
		lint_add(lint, LINT_CHECK_OFF, where, "nobody looks for it");
}

void lint_answers(struct lint *lint, const struct config *config)
{
	lint_group(lint, config, "smtp_answers", lint_smtp);
	lint_group(lint, config, "sip_answers", lint_sip);
	lint_group(lint, config, "actions", lint_action);
}

/* Risk */

static double most_of(const struct risk_config *r, double family[RISK_FAMILY_COUNT])
{
	double sum = 0;

	for (unsigned i = 0; i < RISK_RATIO_COUNT; i++) {
		family[risk_ratio_text[i].family] += r->ratio[i].points;
		sum += r->ratio[i].points;
	}
	for (unsigned i = 0; i < RISK_EVENT_COUNT; i++) {
		const double most = r->event[i].points > 0 ? r->event[i].cap : 0;

		family[risk_event_text[i].family] += most;
		sum += most;
	}
	return fmin(sum, RISK_SCORE_MAX);
}

static void lint_thresholds(struct lint *lint, const struct risk_config *r,
			    const config_setting_t *group)
{
	const struct {
		const char *name;
		double score;
	} levels[] = {{"watch", r->watch}, {"throttle", r->throttle}, {"suspend", r->suspend}};
	double family[RISK_FAMILY_COUNT] = {0}, most = most_of(r, family);
	unsigned able = 0;

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (levels[i].score > most)
			lint_add(lint, LINT_UNREACHABLE, lint_place(group, levels[i].name),
				 "no score comes to %g: all points together are %g",
				 levels[i].score, most);
	for (unsigned i = 0; i < RISK_FAMILY_COUNT; i++)
		able += family[i] > 0 && family[i] >= r->family_points;
	if (able < 2)
		lint_add(lint, LINT_UNREACHABLE, lint_place(group, "family_points"),
			 "two families can't give %g points each", r->family_points);
	if (r->leave >= 1)
		lint_add(lint, LINT_UNREACHABLE, lint_place(group, "leave"),
			 "a level is left where it begins: a score that trembles there changes it "
			 "all the time");
}

static void lint_event(struct lint *lint, const struct risk_config *r,
		       const struct config_risk_event *e)
{
	const enum risk_event event = risk_event_find(config_setting_name(e->where));
	const struct risk_event_config *c = &r->event[event];

	if (c->points <= 0)
		lint_add(lint, LINT_UNREACHABLE, lint_place(e->where, "points"),
			 "no points: it is only shown");
	else if (c->cap < c->points)
		lint_add(lint, LINT_UNREACHABLE, lint_place(e->where, "cap"),
			 "one event gives %g points, and %g is the most", c->points, c->cap);
}

void lint_risk(struct lint *lint, const struct config *config)
{
	const config_setting_t *group = config_lookup(&config->file, "risk");
	const config_setting_t *mode = group ? config_setting_get_member(group, "mode") : NULL;
	const struct risk_config r = config_risk(config);

	if (mode && r.mode == RISK_SHADOW)
		lint_add(lint, LINT_SHADOW, mode, "scores are shown, and nothing follows");
	if (r.mode == RISK_OFF || !group)
		return;
	lint_thresholds(lint, &r, group);
	for (unsigned i = 0; i < RISK_RATIO_COUNT; i++)
		if (r.ratio[i].minimum_parts > r.ratio[i].minimum)
			lint_add(lint, LINT_UNREACHABLE,
				 lint_place(
					 config_setting_get_member(group, risk_ratio_text[i].name),
					 "minimum_parts"),
				 "more %s than there must be %s", risk_ratio_text[i].parts,
				 risk_ratio_text[i].whole);
	for (size_t i = 0; i < config->risk_events.count; i++)
		lint_event(lint, &r, (struct config_risk_event *)config->risk_events.items + i);
}
