/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/risk/risk_run.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/limit.h"
#include "control/base/log.h"
#include "control/daemon/daemon.h"
#include "control/risk/risk_json.h"
#include "control/risk/risk_record.h"
#include "control/store/audit_note.h"

#define SECOND        UINT64_C(1000000000)
#define TURN_MS       50
#define TURNS         20 /* in a round */
#define KERNEL_ROUNDS 5

static int mode_of(const struct daemon *d, uint32_t slot)
{
	return d->roster->tenant[slot].risk;
}

static bool is_throttled(const struct daemon *d, uint32_t slot)
{
	return mode_of(d, slot) == RISK_ON &&
	       d->risk.board.tenant[slot].level >= RISK_LEVEL_THROTTLE;
}

/* What follows */

void risk_throttle(struct tenant_slot *wanted, uint32_t set, double share)
{
	for (unsigned i = 0; i < LIMIT_COUNT; i++) {
		struct gcra *g = &wanted->limit[i];
		uint64_t interval;

		if (!g->interval || set >> i & 1)
			continue;
		/* As much less at once as by and by: burst = tolerance / interval + 1. */
		interval =
			(uint64_t)fmin(ceil((double)g->interval / share), (double)LIMIT_DEBT_MAX);
		g->tolerance = g->tolerance + g->interval > interval
				       ? g->tolerance + g->interval - interval
				       : 0;
		g->interval = interval;
	}
}

/* Before the tenant's slot is taken, what is known of it is what was kept. */
static const struct risk_tenant *tenant_of(const struct daemon *d, uint32_t slot, uint32_t id)
{
	const struct risk_board *b = &d->risk.board;
	const struct risk_saved *saved;

	if (slot < b->count && b->id[slot] == id)
		return &b->tenant[slot];
	saved = risk_keep_find(d, id);
	return saved ? &saved->tenant : NULL;
}

void risk_run_apply(const struct daemon *d, const struct roster *roster, uint32_t slot,
		    const struct override *o, struct tenant_slot *wanted)
{
	const struct roster_tenant *t = &roster->tenant[slot];
	const struct risk_tenant *risk = t->id ? tenant_of(d, slot, t->id) : NULL;

	if (!risk || t->risk != RISK_ON || risk->level < RISK_LEVEL_THROTTLE)
		return;
	/* What a person has set stays as it was set. */
	risk_throttle(wanted, override_limits(o), roster->risk.factor);
	if (risk->level == RISK_LEVEL_SUSPEND)
		wanted->state = TENANT_SUSPENDED;
}

uint64_t risk_run_suspended_since(const struct daemon *d, const struct roster *roster,
				  uint32_t slot)
{
	const struct roster_tenant *t = &roster->tenant[slot];
	const struct risk_tenant *risk = t->id ? tenant_of(d, slot, t->id) : NULL;

	return risk && t->risk == RISK_ON && risk->level == RISK_LEVEL_SUSPEND ? risk->since : 0;
}

bool risk_run_suspends(const struct daemon *d, uint32_t slot)
{
	return mode_of(d, slot) == RISK_ON && slot < d->risk.board.count &&
	       d->risk.board.tenant[slot].level == RISK_LEVEL_SUSPEND;
}

static json_t *change_json(const struct daemon *d, uint32_t slot, uint64_t now)
{
	const struct risk_board *b = &d->risk.board;
	const struct risk_tenant *t = &b->tenant[slot];

	return json_pack("{s:f, s:s, s:o}", "score", round((double)t->score * 100) / 100, "mode",
			 risk_mode_name(mode_of(d, slot)), "points",
			 risk_points_json(t, &b->config, now));
}

static json_t *level_json(const struct daemon *d, uint32_t slot, enum risk_level from,
			  enum risk_level to, uint64_t now)
{
	json_t *fields = change_json(d, slot, now);

	json_object_set_new(fields, "from", json_string(risk_level_name(from)));
	json_object_set_new(fields, "to", json_string(risk_level_name(to)));
	return fields;
}

static void audit_level(struct daemon *d, uint32_t slot, struct risk_change change,
			struct store_unit *unit)
{
	const struct risk_tenant *t = &d->risk.board.tenant[slot];

	audit_daemon(d, "risk level", slot,
		     json_pack("{s:s, s:s, s:i, s:s}", "before", risk_level_name(change.from),
			       "after", risk_level_name(change.to), "score",
			       (int)lround((double)t->score), "mode",
			       risk_mode_name(mode_of(d, slot))),
		     unit);
}

/* In the slot, where it holds at once; on the disk, with the audit log's entry; then it is told. */
static void follow_level(struct daemon *d, uint32_t slot, struct risk_change change, uint64_t now)
{
	struct store_unit *unit = store_begin(d->store);

	d->risk.changes[change.to]++;
	daemon_apply(d, slot);
	risk_keep_put(d, slot, unit);
	audit_level(d, slot, change, unit);
	risk_keep_tell(d, unit, slot, change.to > change.from ? "risk_rises" : "risk_falls",
		       level_json(d, slot, change.from, change.to, now));
}

/* What says nothing but that it was told. */
static void tell(struct daemon *d, uint32_t slot, const char *event, json_t *fields)
{
	struct store_unit *unit = store_begin(d->store);

	risk_keep_put(d, slot, unit);
	risk_keep_tell(d, unit, slot, event, fields);
}

static void follow_change(struct daemon *d, uint32_t slot, struct risk_change change, uint64_t now)
{
	if (change.from != change.to)
		follow_level(d, slot, change, now);
	if (change.ask) {
		d->risk.asks++;
		tell(d, slot, "risk_asks", change_json(d, slot, now));
	}
}

static void tell_calls(struct daemon *d, uint32_t slot, unsigned alarms, uint64_t now)
{
	for (int i = 0; i < RISK_WINDOW_RATIOS; i++) {
		json_t *fields;

		if (!(alarms >> i & 1))
			continue;
		fields = risk_window_ratio_json(&d->risk.board, slot, (enum risk_ratio)i, now);
		json_object_set_new(fields, "mode", json_string(risk_mode_name(mode_of(d, slot))));
		tell(d, slot, "calls_breach", fields);
	}
}

void risk_run_pardon(struct daemon *d, uint32_t slot, struct store_unit *unit)
{
	const uint64_t now = daemon_time();

	risk_pardon(&d->risk.board.tenant[slot], &d->risk.board.config, now);
	daemon_apply(d, slot);
	risk_keep_put(d, slot, unit);
	daemon_event(d, "risk_falls", slot,
		     level_json(d, slot, RISK_LEVEL_SUSPEND, RISK_LEVEL_THROTTLE, now));
}

/* Records */

static uint32_t rule_points(const void *ctx, uint32_t sid)
{
	const struct daemon *d = ctx;
	const struct rule_row *rule = rule_index_find(&d->roster->index, sid);

	return rule ? rule->risk : 0;
}

bool risk_run_scores(const struct daemon *d, uint32_t slot)
{
	const struct risk_board *b = &d->risk.board;

	return slot && slot < b->count && slot < d->roster->count && b->id[slot] &&
	       b->id[slot] == d->roster->tenant[slot].id && mode_of(d, slot) != RISK_OFF;
}

void risk_run_record(struct daemon *d, const struct event_head *head)
{
	const struct risk_recorder recorder = {
		.board = &d->risk.board, .points = rule_points, .ctx = d};

	if (risk_run_scores(d, head->tenant))
		risk_record(&recorder, head);
}

void risk_run_told(struct daemon *d, uint32_t slot, struct store_unit *unit)
{
	if (slot >= d->risk.board.count || !d->risk.board.tenant[slot].noticed)
		return;
	d->risk.board.tenant[slot].noticed = daemon_time();
	risk_keep_put(d, slot, unit);
}

/* The round */

/* One that ran before this posternd did was counted by the one before, as far as it said so. */
static void look_at_memory(struct daemon *d, const struct risk_counters *c)
{
	struct risk_board *b = &d->risk.board;

	if (c->started && c->started != b->memory)
		risk_board_memory(b, c, !b->memory && c->started < d->started);
}

static void evaluate(struct daemon *d, const struct risk_counters *c, uint32_t slot, uint64_t now)
{
	struct risk_board *b = &d->risk.board;
	const uint32_t shadow = is_throttled(d, slot) || d->roster->shadow
					? RISK_OWN_LIMITS
					: d->slots.slot[slot].shadow;
	struct risk_change change;

	if (!b->id[slot] || b->id[slot] != d->roster->tenant[slot].id)
		return;
	if (mode_of(d, slot) == RISK_OFF) {
		risk_board_skip(b, c, slot);
		b->kernel[slot].known = false;
		risk_keep_slot(d, slot);
		return;
	}
	if (slot < d->risk.kernel_slots)
		risk_board_kernel(b, slot, &d->risk.kernel[slot], shadow, now);
	change = risk_board_step(b, c, slot, shadow, now);
	follow_change(d, slot, change, now);
	tell_calls(d, slot, risk_board_alarms(b, slot, now), now);
	risk_keep_slot(d, slot);
}

static void round_ends(struct daemon *d)
{
	struct risk_run *run = &d->risk;

	run->next = 1;
	run->rounds++;
	run->round = run->worked;
	run->worked = 0;
}

/* Points are given once a minute: a look at the kernel's counters every few rounds is enough. */
static void read_kernel(struct daemon *d, uint32_t count)
{
	struct risk_run *run = &d->risk;

	run->kernel_slots = 0;
	if (!d->kernel || run->rounds % KERNEL_ROUNDS)
		return;
	if (!run->kernel)
		run->kernel = calloc(run->board.count, sizeof(*run->kernel));
	if (run->kernel && kernel_tenants_counters(d->kernel, count, run->kernel) == 0)
		run->kernel_slots = count;
}

static void on_turn(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *d = ctx;
	struct risk_run *run = &d->risk;
	const struct risk_counters counters = risk_counters_of(dataplane_memory(d->dataplane));
	const uint64_t began = daemon_clock(), now = daemon_time();
	uint32_t end, count;

	if (!d->roster)
		return;
	count = d->roster->count < run->board.count ? d->roster->count : run->board.count;
	look_at_memory(d, &counters);
	if (run->next == 1) {
		read_kernel(d, count);
		risk_keep_round(d);
	}
	end = run->next + (count + TURNS - 1) / TURNS;
	for (; run->next < end && run->next < count; run->next++) {
		probing_look(d, run->next);
		evaluate(d, &counters, run->next, now);
	}
	risk_keep_slice(d);
	run->worked += daemon_clock() - began;
	if (run->next >= count)
		round_ends(d);
}

void risk_run_adopt(struct daemon *d)
{
	d->risk.board.config = d->roster->risk;
	risk_keep_adopt(d);
}

int risk_run_init(struct daemon *d)
{
	static const struct timeval pause = {0, TURN_MS * 1000};
	struct risk_run *run = &d->risk;

	run->next = 1;
	run->turn = event_new(d->base, -1, EV_PERSIST, on_turn, d);
	if (risk_board_init(&run->board, d->slots.count) != 0 || risk_keep_open(d) != 0 ||
	    !run->turn || event_add(run->turn, &pause) != 0)
		return -ENOMEM;
	return 0;
}

void risk_run_fini(struct daemon *d)
{
	struct risk_run *run = &d->risk;

	if (run->turn)
		event_free(run->turn);
	risk_keep_close(d);
	risk_board_fini(&run->board);
	free(run->kernel);
	*run = (struct risk_run){0};
}
