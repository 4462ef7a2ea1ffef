/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/risk/risk_show.h"

#include <stdlib.h>

#include "control/daemon/daemon.h"
#include "control/daemon/tenant_change.h"
#include "control/risk/risk_json.h"

static const struct risk_tenant *scored(const struct daemon *d, uint32_t slot)
{
	const struct roster_tenant *t = &d->roster->tenant[slot];

	if (t->risk == RISK_OFF || slot >= d->risk.board.count || d->risk.board.id[slot] != t->id)
		return NULL;
	return &d->risk.board.tenant[slot];
}

json_t *risk_line_json(const struct daemon *d, uint32_t slot)
{
	const struct risk_tenant *t = scored(d, slot);

	return t ? risk_brief_json(t, &d->risk.board.config, daemon_time(),
				   d->roster->tenant[slot].risk)
		 : json_null();
}

json_t *risk_window_of(const struct daemon *d, uint32_t slot)
{
	return scored(d, slot) ? risk_window_json(&d->risk.board, slot, daemon_time())
			       : json_array();
}

struct place {
	float score;
	uint32_t slot;
};

static int by_score_then_slot(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	if (a->score != b->score)
		return a->score < b->score ? 1 : -1;
	return (a->slot > b->slot) - (a->slot < b->slot);
}

uint32_t *risk_order(const struct daemon *d, bool by_score, uint32_t *n)
{
	struct place *places = calloc(d->roster->count, sizeof(*places));
	uint32_t *slots = calloc(d->roster->count, sizeof(*slots));

	*n = 0;
	for (uint32_t slot = 1; places && slots && slot < d->roster->count; slot++) {
		const struct risk_tenant *t = by_score ? scored(d, slot) : NULL;

		/* Whose score is off comes last. */
		if (d->roster->tenant[slot].id)
			places[(*n)++] = (struct place){t ? t->score : -1, slot};
	}
	if (*n)
		qsort(places, *n, sizeof(*places), by_score_then_slot);
	for (uint32_t i = 0; i < *n; i++)
		slots[i] = places[i].slot;
	free(places);
	return slots;
}

/* What moves it, and what keeps it from moving. */
static json_t *rules_json(const struct risk_tenant *t, const struct risk_config *c, uint64_t now)
{
	struct risk_term terms[RISK_TERMS];
	const int n = risk_terms(t, c, now, terms, NULL);

	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:b, s:o, s:o, s:o, s:b}", "watch", c->watch,
			 "throttle", c->throttle, "suspend", c->suspend, "leave", c->leave,
			 "limits", c->factor, "may_suspend", risk_may_suspend(t, c, now, terms, n),
			 "breach_since", risk_time_json(t->breached), "noticed_at",
			 risk_time_json(t->noticed), "pardoned_until", risk_time_json(t->pardoned),
			 "asked", t->asked);
}

enum command_outcome run_explain(struct request *r, json_t **result)
{
	const struct daemon *d = r->daemon;
	const struct risk_board *b = &d->risk.board;
	const uint32_t slot = request_tenant(r);
	const uint64_t now = daemon_time();
	const struct risk_tenant *t;

	if (!slot)
		return COMMAND_FAILED;
	t = scored(d, slot);
	if (!t)
		return request_error(r, "not_scored", "%s is not scored: risk is off for it",
				     d->roster->tenant[slot].name);
	*result = json_pack("{s:I, s:s, s:o, s:o, s:o, s:o}", "id",
			    (json_int_t)d->roster->tenant[slot].id, "name",
			    d->roster->tenant[slot].name, "risk", risk_line_json(d, slot), "window",
			    risk_window_json(b, slot, now), "rules", rules_json(t, &b->config, now),
			    "terms", risk_terms_json(t, &b->config, b->trace[slot], now));
	return COMMAND_DONE;
}
