/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/pump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/event_record.h"
#include "bpf/shm.h"
#include "control/base/log.h"
#include "control/daemon/daemon.h"
#include "control/events/counters_json.h"
#include "control/events/eve.h"
#include "control/kernel/kernel_json.h"
#include "control/lists/list_learn.h"
#include "control/page/report.h"
#include "control/risk/sketch.h"

#define TURN_MS  20
#define TURN_MAX 2000 /* records of one ring, before somebody else has a turn */

static void on_event(struct daemon *d, const struct event_head *head)
{
	const struct tenant_names names = roster_names(d->roster);
	const struct tenant_name *tenant = tenant_name_of(&names, head->tenant);
	struct json_out out;
	char buffer[8192];

	json_out_init(&out, buffer, sizeof(buffer));
	if (eve_format(&out, head, head->size, &names,
		       d->config->gate.eve_addresses == EVE_HASH ? &d->person : NULL) != 0) {
		d->pump.bad++;
	} else if (out.len) {
		eve_log_line(d->eve, out.text, out.len);
		follow_line(&d->followers, &d->follow_stats, 1U << head->type,
			    tenant ? tenant->id : 0, out.text, out.len);
	}
	json_out_fini(&out);
}

static void on_verdict(struct daemon *d, const struct event_head *head)
{
	struct pump_flows *f = &d->pump.flows;
	struct event_value value;
	struct event_reader r;
	int rc = -EINVAL;

	if (!d->kernel || !d->flow_verdicts)
		return;
	if (event_open(&r, head, head->size) && event_next(&r, &value) &&
	    value.key == FIELD_KEY_KERNEL_FLOW)
		rc = kernel_flow(d->kernel, value.p, value.len);
	f->put += rc == 0;
	f->late += rc == -ETIME;
	f->refused += rc && rc != -ETIME;
}

static void on_record(void *ctx, const struct event_head *head)
{
	struct daemon *d = ctx;

	d->pump.events++;
	if (head->type == EVENT_KERNEL)
		on_verdict(d, head);
	else if (head->type == EVENT_BOUNCED)
		list_learn_take(d, head);
	else
		on_event(d, head);
	list_learn_told(d, head);
	risk_run_record(d, head);
	feedback_record(d, head);
	domain_record(d, head);
	evidence_record(d, head);
	emergency_record(d, head);
}

/* true: a ring has more. */
static bool read_rings(struct daemon *d, unsigned max)
{
	/* Without a configuration nobody knows who the slots are: records wait in their rings. */
	const struct shm_head *memory = d->roster ? dataplane_memory(d->dataplane) : NULL;
	bool more = false;

	for (unsigned i = 0; memory && i < memory->workers; i++) {
		struct event_ring ring = shm_ring(memory, i);

		more |= event_ring_read(&ring, max, on_record, d) == max;
	}
	eve_log_flush(d->eve);
	return more;
}

uint64_t events_lost(const struct shm_head *memory, uint64_t *damaged)
{
	uint64_t lost = 0;

	*damaged = 0;
	for (unsigned i = 0; memory && i < memory->workers; i++) {
		const struct event_ring_state *state = shm_at(memory, shm_worker(memory, i)->ring);

		lost += atomic_load_explicit(&state->lost, memory_order_relaxed);
		*damaged += atomic_load_explicit(&state->damaged, memory_order_relaxed);
	}
	return lost;
}

static void tell_lost(struct daemon *d)
{
	uint64_t damaged, lost = events_lost(dataplane_memory(d->dataplane), &damaged);

	if (lost > d->pump.lost_told)
		daemon_event(d, "events_lost", 0,
			     json_pack("{s:I}", "count", (json_int_t)(lost - d->pump.lost_told)));
	d->pump.lost_told = lost;
}

static void on_turn(evutil_socket_t fd, short what, void *ctx)
{
	static const struct timeval pause = {0, TURN_MS * 1000}, none = {0, 0};
	struct daemon *d = ctx;
	bool more = read_rings(d, TURN_MAX);

	evtimer_add(d->pump.turn, more ? &none : &pause);
}

bool pump_has_stats(const struct daemon *d)
{
	return d->kernel || dataplane_is_up(d->dataplane);
}

json_t *pump_stats(const struct daemon *d)
{
	struct counters *total = calloc(1, sizeof(*total));
	json_t *event = NULL;

	if (total) {
		counters_sum(dataplane_memory(d->dataplane), total);
		event = stats_json(daemon_time(), total);
	}
	if (d->kernel)
		json_object_set_new(json_object_get(event, "stats"), "kernel", kernel_json(d));
	free(total);
	return event;
}

static void on_stats(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *d = ctx;
	json_t *stats = NULL;
	char *text = NULL;

	tell_lost(d);
	if (pump_has_stats(d)) {
		stats = pump_stats(d);
		text = json_dumps(stats, JSON_COMPACT | JSON_REAL_PRECISION(12));
	}
	if (text) {
		size_t len = strlen(text);

		text[len] = '\n';
		eve_log_line(d->eve, text, len + 1);
		eve_log_flush(d->eve);
		follow_line(&d->followers, &d->follow_stats, 1U << EVENT_STATS, 0, text, len + 1);
	}
	free(text);
	json_decref(stats);
}

int pump_init(struct daemon *d)
{
	const uint64_t ns = d->config->gate.stats_interval;
	const struct timeval interval = {(time_t)(ns / 1000000000),
					 (suseconds_t)(ns % 1000000000 / 1000)},
			     soon = {0, TURN_MS * 1000};

	d->pump.turn = evtimer_new(d->base, on_turn, d);
	d->pump.stats = event_new(d->base, -1, EV_PERSIST, on_stats, d);
	if (!d->pump.turn || !d->pump.stats || evtimer_add(d->pump.turn, &soon) != 0 ||
	    event_add(d->pump.stats, &interval) != 0)
		return -ENOMEM;
	return 0;
}

void pump_fini(struct daemon *d)
{
	if (d->pump.turn)
		event_free(d->pump.turn);
	if (d->pump.stats)
		event_free(d->pump.stats);
	d->pump.turn = d->pump.stats = NULL;
}

void pump_drain(struct daemon *d)
{
	read_rings(d, UINT32_MAX);
	tell_lost(d);
	d->pump.lost_told = 0;
}

void counters_sum(const struct shm_head *memory, struct counters *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (unsigned i = 0; memory && i < memory->workers; i++)
		counters_add(sum, shm_counters(memory, i));
	sum->events_lost = 0;
	for (unsigned i = 0; memory && i < memory->workers; i++) {
		const struct event_ring_state *state = shm_at(memory, shm_worker(memory, i)->ring);

		sum->events_lost += atomic_load_explicit(&state->lost, memory_order_relaxed);
	}
}

struct tenant_counters tenant_counters_sum(const struct shm_head *memory, uint32_t slot)
{
	struct tenant_counters sum = {0};

	for (unsigned i = 0; memory && slot < memory->slots && i < memory->workers; i++)
		tenant_counters_add(&sum, &shm_tenants(memory, i)[slot]);
	return sum;
}

struct tenant_distinct tenant_distinct(const struct shm_head *memory, uint32_t slot, uint64_t now)
{
	uint8_t registers[HLL_REGISTERS] = {0};
	uint64_t bits[SKETCH_WORDS] = {0};

	for (unsigned i = 0; memory && slot < memory->slots && i < memory->workers; i++) {
		const struct tenant_counters *c = &shm_tenants(memory, i)[slot];

		hll_merge(&c->distinct_recipients, now, registers);
		sketch_merge(&c->domains, now, bits);
	}
	return (struct tenant_distinct){hll_estimate(registers), sketch_estimate(bits)};
}
