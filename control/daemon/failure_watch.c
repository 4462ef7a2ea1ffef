/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/failure_watch.h"

#include "control/daemon/daemon.h"

#define LOOK  UINT64_C(200000000)  /* ns between two looks */
#define QUIET UINT64_C(3000000000) /* ns without such a packet: it is over, if there is traffic */

static const enum reason causes[] = {REASON_NO_SOCKET, REASON_HEARTBEAT_STALE, REASON_CALL_UNREAD};

#define CAUSES (sizeof(causes) / sizeof(causes[0]))

struct failure_counts failure_counts(const struct daemon *d)
{
	struct failure_counts sum = {0};

	for (enum kernel_side side = 0; d->kernel && side < KERNEL_SIDES; side++) {
		struct gate_port_counters c;

		if (kernel_port_counters(d->kernel, side, &c) != 0)
			continue;
		for (unsigned i = 0; i < CAUSES; i++) {
			sum.passed += c.reason[causes[i]][WIRE_PASS];
			sum.dropped += c.reason[causes[i]][WIRE_DROP];
		}
		sum.calls += c.reason[REASON_CALL_UNREAD][WIRE_PASS];
	}
	return sum;
}

static bool is_more(const struct failure_counts *a, const struct failure_counts *b)
{
	return a->passed + a->dropped > b->passed + b->dropped;
}

/* With how much it met so far, and what is wrong as far as can be seen from here. */
static void tell(struct daemon *d, const char *event, uint64_t since)
{
	const struct failure_watch *f = &d->watch.failure;

	daemon_event(d, event, 0,
		     json_pack("{s:s, s:s, s:I, s:I, s:I}", "failure",
			       config_failure_name((enum failure_policy)d->failure), "reason",
			       !dataplane_memory(d->dataplane) ? "no dataplane"
			       : d->watch.stalled              ? "a worker stands still"
			       : !watch_is_live(d)             ? "the dataplane is not ready"
							       : "a worker was late, or packets "
								 "come in on a queue without one",
			       "passed", (json_int_t)(f->last.passed - f->first.passed), "dropped",
			       (json_int_t)(f->last.dropped - f->first.dropped), "age_ms",
			       (json_int_t)(since / 1000000)));
}

void failure_watch_turn(struct daemon *d, uint64_t now)
{
	struct failure_watch *f = &d->watch.failure;
	struct failure_counts counts;
	bool met;

	if (!d->kernel || now < f->next)
		return;
	f->next = now + LOOK;
	counts = failure_counts(d);
	met = f->known && is_more(&counts, &f->last);
	if (met && !f->acting) {
		f->first = f->last;
		f->began = now;
		f->times++;
	}
	f->last = counts;
	f->known = true;
	if (met)
		f->seen = now;
	if (met && !f->acting) {
		f->acting = true;
		tell(d, "failure_acting", 0);
	} else if (f->acting && now - f->seen > QUIET && watch_is_live(d) && !d->watch.stalled) {
		f->acting = false;
		tell(d, "failure_over", f->seen - f->began);
	}
}
