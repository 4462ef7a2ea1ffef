/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/risk_run.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/limit.h"
#include "control/audit_note.h"
#include "control/daemon.h"
#include "control/log.h"
#include "control/risk_json.h"
#include "control/risk_record.h"

#define SECOND        UINT64_C(1000000000)
#define TURN_MS       50
#define TURNS         20 /* in a round */
#define SAVE_INTERVAL (30 * SECOND)
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
static const struct risk_tenant *tenant_of(const struct risk_run *run, uint32_t slot, uint32_t id)
{
	if (slot < run->board.count && run->board.id[slot] == id)
		return &run->board.tenant[slot];
	return risk_kept_find(run->kept, run->kept_count, id);
}

void risk_run_apply(const struct daemon *d, const struct roster *roster, uint32_t slot,
		    const struct override *o, struct tenant_slot *wanted)
{
	const struct roster_tenant *t = &roster->tenant[slot];
	const struct risk_tenant *risk = t->id ? tenant_of(&d->risk, slot, t->id) : NULL;

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
	const struct risk_tenant *risk = t->id ? tenant_of(&d->risk, slot, t->id) : NULL;

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

static void tell_level(struct daemon *d, uint32_t slot, enum risk_level from, enum risk_level to,
		       uint64_t now)
{
	json_t *fields = change_json(d, slot, now);

	json_object_set_new(fields, "from", json_string(risk_level_name(from)));
	json_object_set_new(fields, "to", json_string(risk_level_name(to)));
	daemon_event(d, to > from ? "risk_rises" : "risk_falls", slot, fields);
}

static void audit_level(struct daemon *d, uint32_t slot, struct risk_change change)
{
	const struct risk_tenant *t = &d->risk.board.tenant[slot];

	audit_daemon(d, "risk level", slot,
		     json_pack("{s:s, s:s, s:i, s:s}", "before", risk_level_name(change.from),
			       "after", risk_level_name(change.to), "score",
			       (int)lround((double)t->score), "mode",
			       risk_mode_name(mode_of(d, slot))),
		     NULL);
}

static void saved_soon(struct daemon *d)
{
	const uint64_t soon = daemon_clock() + SECOND;

	if (d->risk.next_save > soon)
		d->risk.next_save = soon;
}

static void follow_change(struct daemon *d, uint32_t slot, struct risk_change change, uint64_t now)
{
	if (change.from != change.to) {
		d->risk.changes[change.to]++;
		daemon_apply(d, slot);
		tell_level(d, slot, change.from, change.to, now);
		audit_level(d, slot, change);
		saved_soon(d);
	}
	if (change.ask) {
		d->risk.asks++;
		daemon_event(d, "risk_asks", slot, change_json(d, slot, now));
		saved_soon(d);
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
		daemon_event(d, "calls_breach", slot, fields);
	}
}

void risk_run_pardon(struct daemon *d, uint32_t slot)
{
	const uint64_t now = daemon_time();

	risk_pardon(&d->risk.board.tenant[slot], &d->risk.board.config, now);
	daemon_apply(d, slot);
	tell_level(d, slot, RISK_LEVEL_SUSPEND, RISK_LEVEL_THROTTLE, now);
	saved_soon(d);
}

/* Records */

static uint32_t rule_points(const void *ctx, uint32_t sid)
{
	const struct daemon *d = ctx;
	const struct rule_row *rule = rule_index_find(&d->roster->index, sid);

	return rule ? rule->risk : 0;
}

void risk_run_record(struct daemon *d, const struct event_head *head)
{
	const struct risk_recorder recorder = {
		.board = &d->risk.board, .points = rule_points, .ctx = d};
	const struct risk_board *b = &d->risk.board;
	const uint32_t slot = head->tenant;

	if (slot && slot < b->count && slot < d->roster->count && b->id[slot] &&
	    b->id[slot] == d->roster->tenant[slot].id && mode_of(d, slot) != RISK_OFF)
		risk_record(&recorder, head);
}

void risk_run_told(struct daemon *d, uint32_t slot)
{
	if (slot < d->risk.board.count && d->risk.board.tenant[slot].noticed)
		d->risk.board.tenant[slot].noticed = daemon_time();
}

/* The round */

/* One that ran before this posternd did was counted by the one before, up to its last save. */
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
		return;
	}
	if (slot < d->risk.kernel_slots)
		risk_board_kernel(b, slot, &d->risk.kernel[slot], shadow, now);
	change = risk_board_step(b, c, slot, shadow, now);
	follow_change(d, slot, change, now);
	tell_calls(d, slot, risk_board_alarms(b, slot, now), now);
	if (d->risk.save.out)
		risk_save_put(&d->risk.save, b->id[slot], &b->tenant[slot]);
}

static void log_failure(int rc)
{
	if (rc)
		log_warning("scores can't be stored", "error=%s", log_text(strerror(-rc)));
}

/* A save begins and ends with a round. */
static void round_ends(struct daemon *d)
{
	struct risk_run *run = &d->risk;

	run->next = 1;
	run->rounds++;
	run->round = run->worked;
	run->worked = 0;
	if (run->save.out)
		log_failure(risk_save_end(&run->save));
	if (daemon_clock() < run->next_save)
		return;
	run->next_save = daemon_clock() + SAVE_INTERVAL;
	log_failure(risk_save_begin(store_dir(d->store), &run->save));
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
	if (run->next == 1)
		read_kernel(d, count);
	end = run->next + (count + TURNS - 1) / TURNS;
	for (; run->next < end && run->next < count; run->next++)
		evaluate(d, &counters, run->next, now);
	run->worked += daemon_clock() - began;
	if (run->next >= count)
		round_ends(d);
}

void risk_run_adopt(struct daemon *d)
{
	struct risk_board *b = &d->risk.board;

	b->config = d->roster->risk;
	for (uint32_t slot = 1; slot < d->roster->count && slot < b->count; slot++) {
		const uint32_t id = d->roster->tenant[slot].id;

		if (id != b->id[slot])
			risk_board_take(b, slot, id,
					risk_kept_find(d->risk.kept, d->risk.kept_count, id));
	}
}

int risk_run_init(struct daemon *d)
{
	static const struct timeval pause = {0, TURN_MS * 1000};
	struct risk_run *run = &d->risk;
	size_t bad;
	int rc = risk_kept_read(store_dir(d->store), &run->kept, &run->kept_count, &bad);

	if (rc || bad)
		log_warning("scores of before are lost", "lines=%zu error=%s", bad,
			    log_text(strerror(-rc)));
	run->next = 1;
	run->next_save = daemon_clock() + SAVE_INTERVAL;
	run->turn = event_new(d->base, -1, EV_PERSIST, on_turn, d);
	if (risk_board_init(&run->board, d->slots.count) != 0 || !run->turn ||
	    event_add(run->turn, &pause) != 0)
		return -ENOMEM;
	return 0;
}

/* All of them at once: nobody waits any more. */
static void save_all(struct daemon *d)
{
	struct risk_run *run = &d->risk;
	int rc;

	risk_save_cancel(&run->save);
	rc = risk_save_begin(store_dir(d->store), &run->save);
	for (uint32_t slot = 1; !rc && slot < run->board.count; slot++)
		if (run->board.id[slot])
			risk_save_put(&run->save, run->board.id[slot], &run->board.tenant[slot]);
	log_failure(rc ? rc : risk_save_end(&run->save));
}

void risk_run_fini(struct daemon *d)
{
	struct risk_run *run = &d->risk;

	if (run->turn)
		event_free(run->turn);
	if (run->board.count && d->roster)
		save_all(d);
	risk_board_fini(&run->board);
	free(run->kernel);
	free(run->kept);
	*run = (struct risk_run){0};
}
