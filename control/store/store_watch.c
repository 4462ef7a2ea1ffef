/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/store/store_watch.h"

#include <stdio.h>
#include <string.h>

#include "control/daemon/daemon.h"

#define PROBE UINT64_C(2000000000) /* ns: between two tries */

static const char *reason_of(const struct store_stats *stats, char text[STORE_ERROR + 64])
{
	snprintf(text, STORE_ERROR + 64, "%s: %s", strerror(-stats->trouble), stats->error);
	return text;
}

/* Evidence gives way before the rest does, and counts that itself. */
static uint64_t lost_of(const struct daemon *d, const struct store_stats *stats)
{
	return stats->lost + d->evidence.lost;
}

static void tell_failed(struct daemon *d, const struct store_stats *stats)
{
	char reason[STORE_ERROR + 64];

	daemon_event(d, "store_failed", 0, json_pack("{s:s}", "reason", reason_of(stats, reason)));
}

static void tell_lost(struct daemon *d, const struct store_stats *stats, uint64_t lost,
		      const char *ends)
{
	char reason[STORE_ERROR + 64];

	daemon_event(d, "store_lost", 0,
		     json_pack("{s:I, s:I, s:s}", "kept", (json_int_t)stats->kept, "lost",
			       (json_int_t)lost, "reason",
			       stats->trouble ? reason_of(stats, reason) : ends));
}

static void tell_works(struct daemon *d, const struct store_stats *stats)
{
	const struct store_watch *w = &d->store_watch;

	daemon_event(d, "store_works", 0,
		     json_pack("{s:I, s:I}", "kept", (json_int_t)(stats->postponed - w->kept),
			       "lost", (json_int_t)(lost_of(d, stats) - w->lost)));
}

void store_watch_turn(struct daemon *d)
{
	const struct store_stats stats = store_stats(d->store);
	struct store_watch *w = &d->store_watch;
	const bool failing = stats.trouble != 0;

	if (failing && !w->failing) {
		w->times++;
		tell_failed(d, &stats);
	}
	if (!failing && w->failing)
		tell_works(d, &stats);
	w->failing = failing;
	if (lost_of(d, &stats) != w->lost && !w->losing) {
		w->losing = true;
		tell_lost(d, &stats, lost_of(d, &stats) - w->lost, "the disk is too slow");
	}
	if (!failing && !stats.queued) {
		w->losing = false;
		w->lost = lost_of(d, &stats);
		w->kept = stats.postponed;
	}
	if (!failing || daemon_clock() < w->probe)
		return;
	w->probe = daemon_clock() + PROBE;
	store_probe(d->store);
}

void store_watch_end(struct daemon *d)
{
	struct store_stats stats;

	store_retry(d->store);
	stats = store_stats(d->store);
	if (stats.kept && d->eve)
		tell_lost(d, &stats, lost_of(d, &stats) - d->store_watch.lost + stats.kept, "");
}

json_t *store_watch_json(const struct daemon *d)
{
	const struct store_stats stats = store_stats(d->store);
	char reason[STORE_ERROR + 64] = "";

	if (stats.trouble)
		reason_of(&stats, reason);
	return json_pack("{s:b, s:s, s:I, s:I, s:I}", "failing", stats.trouble != 0, "reason",
			 reason, "kept", (json_int_t)stats.kept, "kept_since",
			 (json_int_t)(stats.kept_since / 1000000000), "lost",
			 (json_int_t)lost_of(d, &stats));
}
