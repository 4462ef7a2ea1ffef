/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/policy/warmup_run.h"

#include "control/daemon/daemon.h"

uint64_t warmup_run_next(const struct roster *roster, uint64_t now)
{
	uint64_t first = 0;

	for (uint32_t slot = 1; slot < roster->count; slot++) {
		const struct roster_tenant *t = &roster->tenant[slot];
		const uint64_t next = t->id ? warmup_next(t->warmup, t->since, now) : 0;

		if (next && (!first || next < first))
			first = next;
	}
	return first;
}

void warmup_run_adopt(struct daemon *d, uint64_t now)
{
	d->warmup = (struct warmup_run){now, warmup_run_next(d->roster, now)};
}

/* `until`: when the step that holds now ends; left out: it was the last one. */
static void change_over(struct daemon *d, uint32_t slot, uint64_t now)
{
	const struct roster_tenant *t = &d->roster->tenant[slot];
	const uint64_t until = warmup_next(t->warmup, t->since, now);
	json_t *fields = json_object();

	daemon_apply(d, slot);
	if (until)
		json_object_set_new(fields, "until", json_integer((json_int_t)until));
	daemon_event(d, "warmup_step", slot, fields);
}

void warmup_run_turn(struct daemon *d, uint64_t now)
{
	const uint64_t seen = d->warmup.seen;

	if (!d->roster || !d->warmup.next || now < d->warmup.next)
		return;
	for (uint32_t slot = 1; slot < d->roster->count && slot < d->slots.count; slot++) {
		const struct roster_tenant *t = &d->roster->tenant[slot];
		const uint64_t ended = t->id ? warmup_next(t->warmup, t->since, seen) : 0;

		if (ended && ended <= now)
			change_over(d, slot, now);
	}
	warmup_run_adopt(d, now);
}
