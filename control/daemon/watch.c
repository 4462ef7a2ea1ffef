/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/watch.h"

#include <errno.h>
#include <string.h>

#include "bpf/shm.h"
#include "control/base/log.h"
#include "control/daemon/daemon.h"
#include "control/daemon/notify.h"
#include "control/daemon/tenant_change.h"
#include "control/store/audit_note.h"

#define TURN_MS 50
#define SECOND  UINT64_C(1000000000)

uint64_t heartbeat_age(const struct shm_head *memory, unsigned worker)
{
	uint64_t beat =
		atomic_load_explicit(&shm_worker(memory, worker)->heartbeat, memory_order_relaxed);
	uint64_t now = daemon_clock();

	return now > beat ? now - beat : 0;
}

static void watch_hearts(struct daemon *d)
{
	const struct shm_head *memory = dataplane_memory(d->dataplane);
	int stalled = -1;

	for (unsigned i = 0; memory && i < memory->workers; i++)
		if (atomic_load(&memory->ready) && heartbeat_age(memory, i) > d->heartbeat)
			stalled = (int)i;
	if (stalled >= 0 && !d->watch.stalled) {
		d->watch.stalls++;
		daemon_event(d, "worker_stalled", 0,
			     json_pack("{s:i, s:I}", "worker", stalled, "age_ms",
				       (json_int_t)(heartbeat_age(memory, (unsigned)stalled) /
						    1000000)));
	}
	if (stalled < 0 && d->watch.stalled && memory)
		daemon_event(d, "worker_resumed", 0, NULL);
	d->watch.stalled = stalled >= 0;
}

bool watch_is_live(const struct daemon *d)
{
	const struct shm_head *memory = dataplane_memory(d->dataplane);

	return memory && atomic_load(&memory->ready) && !d->reload.syncing &&
	       !d->reload.refused[0] && d->roster;
}

static void watch_life(struct daemon *d)
{
	bool live = watch_is_live(d);

	if (live && !d->watch.live) {
		daemon_event(d, "dataplane_up", 0,
			     json_pack("{s:I, s:I}", "pid",
				       (json_int_t)dataplane_status(d->dataplane)->pid,
				       "generation", (json_int_t)d->roster->compiled->generation));
		reload_tell_manager(d);
	}
	d->watch.live = live;
}

static void watch_second(struct daemon *d)
{
	int rc;

	tenants_expire(d);
	tenants_close(d);
	retention_turn(d);
	store_watch_turn(d);
	warmup_run_turn(d, daemon_time() / 1000000000);
	cases_turn(d);
	state_flush(d->state);
	rc = rules_state_flush(&d->rules);
	audit_turn(d);
	if (daemon_clock() >= d->watch.next_anchor) {
		d->watch.next_anchor = daemon_clock() + 3600 * SECOND;
		audit_anchor(d);
	}
	if (rc)
		log_warning("the state can't be stored", "error=%s", log_text(strerror(-rc)));
}

static void on_turn(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *d = ctx;
	uint64_t now = daemon_clock();

	watch_life(d);
	watch_hearts(d);
	rule_tally_take(&d->hits, dataplane_memory(d->dataplane));
	failure_watch_turn(d, now);
	if (now >= d->watch.next_second) {
		d->watch.next_second = now + SECOND;
		watch_second(d);
	}
	if (notify_watchdog() && now >= d->watch.next_watchdog) {
		d->watch.next_watchdog = now + notify_watchdog() * 1000 / 3;
		notify_send("WATCHDOG=1");
	}
}

int watch_init(struct daemon *d)
{
	static const struct timeval pause = {0, TURN_MS * 1000};

	failure_watch_turn(d, daemon_clock()); /* what was counted before is told already */
	d->watch.turn = event_new(d->base, -1, EV_PERSIST, on_turn, d);
	return d->watch.turn && event_add(d->watch.turn, &pause) == 0 ? 0 : -ENOMEM;
}

void watch_fini(struct daemon *d)
{
	if (d->watch.turn)
		event_free(d->watch.turn);
	d->watch.turn = NULL;
}
