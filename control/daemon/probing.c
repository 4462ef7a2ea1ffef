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

static void on_turn(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *d = ctx;

	for (uint32_t slot = 1; d->roster && slot < d->roster->count && slot < d->slots.count;
	     slot++) {
		const struct kernel_reach now = kernel_reach(d->kernel, slot);
		const uint32_t seen = d->probing.seen[slot];

		if (now.times == seen)
			continue;
		d->probing.seen[slot] = now.times;
		/* Less: it counts another tenant's, from the beginning. */
		if (now.times && d->roster->tenant[slot].id)
			tell(d, slot, now.addresses);
	}
}

int probing_init(struct daemon *d)
{
	static const struct timeval pause = {1, 0};
	struct probing *p = &d->probing;

	if (!d->kernel)
		return 0;
	p->seen = calloc(d->slots.count, sizeof(*p->seen));
	p->turn = event_new(d->base, -1, EV_PERSIST, on_turn, d);
	if (!p->seen || !p->turn || event_add(p->turn, &pause) != 0)
		return -ENOMEM;
	for (uint32_t slot = 1; slot < d->slots.count; slot++)
		p->seen[slot] = kernel_reach(d->kernel, slot).times;
	return 0;
}

void probing_fini(struct daemon *d)
{
	if (d->probing.turn)
		event_free(d->probing.turn);
	free(d->probing.seen);
	d->probing = (struct probing){0};
}
