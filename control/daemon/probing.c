/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/probing.h"

#include <errno.h>
#include <stdlib.h>

#include "bpf/check.h"
#include "control/daemon/daemon.h"

static bool is_in_shadow(const struct daemon *d, uint32_t slot)
{
	return d->roster->shadow || d->slots.slot[slot].shadow_checks >> POLICY_CHECK_PROBING & 1;
}

static void tell(struct daemon *d, uint32_t slot, uint32_t addresses)
{
	const bool shadow = is_in_shadow(d, slot);

	daemon_event(d, "probing", slot,
		     json_pack("{s:s, s:I}", "mode", shadow ? "shadow" : "on", "count",
			       (json_int_t)addresses));
	if (!shadow && risk_run_scores(d, slot))
		risk_board_event(&d->risk.board, slot, RISK_EVENT_FLOOD, 1, daemon_time(), 0, 0);
}

void probing_look(struct daemon *d, uint32_t slot)
{
	struct kernel_reach now;

	if (!d->probing.seen)
		return;
	now = kernel_reach(d->kernel, slot);
	if (now.times == d->probing.seen[slot])
		return;
	d->probing.seen[slot] = now.times;
	/* Less: it counts another tenant's, from the beginning. */
	if (now.times && d->roster->tenant[slot].id)
		tell(d, slot, now.addresses);
}

int probing_init(struct daemon *d)
{
	struct probing *p = &d->probing;

	if (!d->kernel)
		return 0;
	p->seen = calloc(d->slots.count, sizeof(*p->seen));
	if (!p->seen)
		return -ENOMEM;
	for (uint32_t slot = 1; slot < d->slots.count; slot++)
		p->seen[slot] = kernel_reach(d->kernel, slot).times;
	return 0;
}

void probing_fini(struct daemon *d)
{
	free(d->probing.seen);
	d->probing = (struct probing){0};
}
