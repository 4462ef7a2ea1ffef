/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/store/store_watch.h"

#include <stdio.h>
#include <string.h>

#include "control/daemon/daemon.h"

#define PROBE UINT64_C(2000000000) /* ns: between two tries */

static void tell(struct daemon *d, const struct store_stats *stats)
{
	char reason[STORE_ERROR + 64];

	snprintf(reason, sizeof(reason), "%s: %s", strerror(-stats->trouble), stats->error);
	daemon_event(d, "store_failed", 0, json_pack("{s:s}", "reason", reason));
}

void store_watch_turn(struct daemon *d)
{
	const struct store_stats stats = store_stats(d->store);
	struct store_watch *w = &d->store_watch;
	const bool failing = stats.trouble != 0;

	if (failing && !w->failing) {
		w->times++;
		tell(d, &stats);
	}
	if (!failing && w->failing)
		daemon_event(d, "store_works", 0, NULL);
	w->failing = failing;
	if (!failing || daemon_clock() < w->probe)
		return;
	w->probe = daemon_clock() + PROBE;
	store_probe(d->store);
}
