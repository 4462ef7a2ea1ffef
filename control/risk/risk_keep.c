/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/risk/risk_keep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/log.h"
#include "control/daemon/daemon.h"

struct risk_lookup {
	uint32_t tenant; /* 0: none */
	bool found;
	struct risk_saved saved;
};

/* Reading */

const struct risk_saved *risk_keep_find(const struct daemon *d, uint32_t tenant)
{
	struct risk_lookup *l = d->risk.keep.last;
	int rc;

	if (l->tenant != tenant) {
		rc = risk_state_find(d->store, tenant, &l->saved);
		l->tenant = tenant;
		l->found = rc == 0;
		if (rc && rc != -ENOENT)
			log_warning("a score of before is lost", "tenant=%u error=%s", tenant,
				    log_text(strerror(-rc)));
	}
	return l->found ? &l->saved : NULL;
}

/* Writing */

void risk_keep_put(struct daemon *d, uint32_t slot, struct store_unit *unit)
{
	struct risk_board *b = &d->risk.board;

	if (slot >= b->count || !b->id[slot])
		return;
	risk_state_put(unit, b, slot, daemon_time());
	b->dirty[slot] = false;
	d->risk.keep.written++;
}

/* Something did not come onto the disk: whatever it was, all is written again. */
static void look_at_failures(struct daemon *d)
{
	const struct store_stats stats = store_stats(d->store);
	const uint64_t failures = stats.failed + stats.lost + stats.postponed;

	if (failures != d->risk.keep.failures)
		memset(d->risk.board.dirty, true,
		       d->risk.board.count * sizeof(*d->risk.board.dirty));
	d->risk.keep.failures = failures;
}

void risk_keep_round(struct daemon *d)
{
	struct risk_keep *k = &d->risk.keep;

	k->writing = daemon_clock() >= k->next;
	if (!k->writing)
		return;
	look_at_failures(d);
	k->next = daemon_clock() + RISK_KEEP_INTERVAL;
	k->left = RISK_KEEP_MOST;
}

void risk_keep_slot(struct daemon *d, uint32_t slot)
{
	struct risk_keep *k = &d->risk.keep;

	if (!k->writing || slot < k->from || !d->risk.board.dirty[slot])
		return;
	if (!k->left) {
		k->from = slot; /* with the next one */
		k->writing = false;
		return;
	}
	if (!k->unit)
		k->unit = store_begin(d->store);
	risk_keep_put(d, slot, k->unit);
	k->left--;
}

void risk_keep_slice(struct daemon *d)
{
	struct risk_keep *k = &d->risk.keep;

	if (k->unit)
		store_commit(d->store, k->unit, NULL, NULL);
	k->unit = NULL;
	if (k->writing && !store_ready(d->store)) {
		k->from = d->risk.next;
		k->writing = false;
	}
	/* To the end of the round: the next write begins at the first slot. */
	if (k->writing && d->risk.next >= d->roster->count)
		k->from = 1;
}

/* Telling */

struct telling {
	struct daemon *daemon;
	uint32_t slot, tenant;
	const char *event;
	json_t *fields;
};

static void tell(void *ctx, const struct store_result *result)
{
	struct telling *t = ctx;
	const struct daemon *d = t->daemon;
	const bool there = d->roster && t->slot < d->roster->count &&
			   d->roster->tenant[t->slot].id == t->tenant;

	daemon_event(t->daemon, t->event, there ? t->slot : 0, t->fields);
	free(t);
}

void risk_keep_tell(struct daemon *d, struct store_unit *unit, uint32_t slot, const char *event,
		    json_t *fields)
{
	struct telling *t = malloc(sizeof(*t));

	if (t)
		*t = (struct telling){d, slot, d->roster->tenant[slot].id, event, fields};
	store_keep(unit);
	if (store_commit(d->store, unit, t ? tell : NULL, t) != 0 || !t) {
		daemon_event(d, event, slot, fields);
		free(t);
	}
}

/* Tenants that come and go */

static void leave(struct daemon *d, uint32_t slot, struct store_unit *unit)
{
	const uint32_t id = d->risk.board.id[slot];

	if (d->risk.board.dirty[slot]) {
		risk_state_put_last(unit, &d->risk.board, slot, daemon_time());
		d->risk.board.dirty[slot] = false;
		d->risk.keep.written++;
	}
	risk_state_leave(unit, id, daemon_time());
}

/* Whose rows are there, as the disk says. */
static void mark_rows(struct daemon *d, struct store_unit *unit)
{
	struct store_rows *rows = store_query(d->store, "SELECT tenant, gone FROM risk_tenant");

	while (store_next(rows)) {
		const uint32_t id = (uint32_t)store_column_int(rows, 0);
		const bool gone = store_column_int(rows, 1) != 0;
		const bool here = roster_slot_of(d->roster, id) != 0;

		if (here && gone)
			risk_state_return(unit, id);
		else if (!here && !gone)
			risk_state_leave(unit, id, daemon_time());
	}
	store_end(rows);
}

void risk_keep_adopt(struct daemon *d)
{
	struct store_unit *unit = store_begin(d->store);
	struct risk_board *b = &d->risk.board;

	for (uint32_t slot = 1; slot < b->count; slot++) {
		const uint32_t id = slot < d->roster->count ? d->roster->tenant[slot].id : 0;

		if (id == b->id[slot])
			continue;
		if (b->id[slot])
			leave(d, slot, unit);
		risk_board_take(b, slot, id, id ? risk_keep_find(d, id) : NULL);
	}
	d->risk.keep.last->tenant = 0;
	mark_rows(d, unit);
	store_commit(d->store, unit, NULL, NULL);
}

int risk_keep_open(struct daemon *d)
{
	struct risk_keep *k = &d->risk.keep;
	size_t taken, bad;
	int rc = risk_state_take_file(d->store, &taken, &bad);

	if (rc || bad)
		log_warning("scores of an older posternd are lost", "lines=%zu error=%s", bad,
			    log_text(strerror(-rc)));
	if (taken && !rc)
		log_info("scores of an older posternd are taken over", "tenants=%zu", taken);
	k->from = 1;
	k->next = daemon_clock() + RISK_KEEP_INTERVAL;
	k->last = calloc(1, sizeof(*k->last));
	return k->last ? 0 : -ENOMEM;
}

void risk_keep_close(struct daemon *d)
{
	struct risk_board *b = &d->risk.board;
	struct store_unit *unit = NULL;
	uint32_t n = 0;

	if (b->count && d->roster)
		look_at_failures(d);
	for (uint32_t slot = 1; d->roster && slot < b->count; slot++) {
		if (!b->id[slot] || !b->dirty[slot])
			continue;
		if (!unit)
			unit = store_begin(d->store);
		risk_keep_put(d, slot, unit);
		if (++n % 1000)
			continue;
		store_commit(d->store, unit, NULL, NULL);
		store_sync(d->store);
		unit = NULL;
		if (store_stats(d->store).trouble)
			break; /* each try may take its time, and nothing is kept of it */
	}
	if (unit)
		store_commit(d->store, unit, NULL, NULL);
	if (d->store)
		store_sync(d->store);
	free(d->risk.keep.last);
	d->risk.keep.last = NULL;
}
