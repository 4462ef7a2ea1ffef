/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/replay_risk.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "control/risk/risk_json.h"
#include "control/risk/risk_record.h"
#include "dataplane/match/match.h"

/* Limits that no event tells of: their excess is known by counters alone. */
#define SILENT_LIMITS (1u << LIMIT_PACKETS | 1u << LIMIT_SYNS)

int replay_risk_init(struct replay_risk *r, const struct policy *policy,
		     const struct inputs_tenants *inputs, const struct ruleset *ruleset)
{
	int rc = risk_board_init(&r->board, policy->slot_count);

	r->policy = policy;
	r->inputs = inputs;
	r->ruleset = ruleset;
	if (rc)
		return rc;
	r->board.config = inputs->risk;
	for (uint32_t slot = 1; slot < policy->slot_count; slot++)
		risk_board_take(&r->board, slot, policy->slots[slot].id, NULL);
	return 0;
}

void replay_risk_fini(struct replay_risk *r)
{
	for (uint32_t slot = 0; r->result && slot < r->board.count; slot++)
		json_decref(r->result[slot]);
	free((void *)r->result);
	risk_board_fini(&r->board);
	*r = (struct replay_risk){0};
}

static bool is_scored(const struct replay_risk *r, uint32_t slot)
{
	return slot && slot < r->board.count && r->inputs->slot[slot].risk != RISK_OFF;
}

/* Points that a rule's metadata gives. */
static uint32_t rule_points(const void *ctx, uint32_t sid)
{
	const struct replay_risk *r = ctx;
	const struct ruleset_image *image;
	const struct ruleset_rule *rule;

	if (!r->ruleset)
		return 0;
	image = ruleset_image(r->ruleset);
	rule = RULESET_AT(image, struct ruleset_rule, rules);
	for (uint32_t i = 0; i < image->rules.count; i++)
		if (rule[i].sid == sid)
			return rule[i].risk;
	return 0;
}

void replay_risk_event(struct replay_risk *r, const struct event_head *head)
{
	const struct risk_recorder recorder = {
		.board = &r->board, .points = rule_points, .ctx = r, .limits = true};

	if (is_scored(r, head->tenant))
		risk_record(&recorder, head);
}

static struct risk_counters counters_of(const struct replay_risk *r, const struct gate *gate)
{
	struct risk_counters c = {.started = 1, .slots = r->policy->slot_count};

	for (unsigned i = 0; i < gate->workers && c.workers < RISK_WORKERS - 1; i++)
		c.worker[c.workers++] = gate->worker[i]->tenants;
	if (gate->front)
		c.worker[c.workers++] = gate->front->tenants;
	return c;
}

static json_t *result_json(const struct replay_risk *r, uint32_t slot, uint64_t now)
{
	const struct risk_tenant *t = &r->board.tenant[slot];

	return json_pack("{s:s, s:f, s:s, s:o}", "mode", risk_mode_name(r->inputs->slot[slot].risk),
			 "score", round((double)t->score * 100) / 100, "level",
			 risk_level_name((enum risk_level)t->level), "points",
			 risk_points_json(t, &r->board.config, now));
}

int replay_risk_end(struct replay_risk *r, const struct gate *gate, uint64_t now)
{
	const struct risk_counters counters = counters_of(r, gate);

	r->result = calloc(r->board.count, sizeof(json_t *));
	if (!r->result)
		return -ENOMEM;
	risk_board_memory(&r->board, &counters, false);
	for (uint32_t slot = 1; slot < r->board.count; slot++) {
		if (!is_scored(r, slot))
			continue;
		risk_board_step(&r->board, &counters, slot,
				~SILENT_LIMITS | r->policy->slots[slot].shadow, now);
		r->result[slot] = result_json(r, slot, now);
	}
	return 0;
}
