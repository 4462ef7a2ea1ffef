/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics of the XDP program: what never comes to the dataplane is counted there alone. */
#include <errno.h>
#include <stdlib.h>

#include "control/metrics/metrics_internal.h"

void metrics_kernel_read(struct metrics_view *v)
{
	const struct daemon *d = v->daemon;
	uint32_t count = d->roster ? d->roster->count : 0;

	if (!d->kernel)
		return;
	v->sides = calloc(KERNEL_SIDES, sizeof(*v->sides));
	for (enum kernel_side side = 0; v->sides && side < KERNEL_SIDES; side++)
		kernel_port_counters(d->kernel, side, &v->sides[side]);
	v->of_slots = calloc(count + 1, sizeof(*v->of_slots));
	if (!v->sides || !v->of_slots)
		v->failed = -ENOMEM;
	else if (count)
		kernel_tenants_counters(d->kernel, count, v->of_slots);
}

void metrics_kernel_free(struct metrics_view *v)
{
	free(v->sides);
	free(v->of_slots);
}

/* Ports */

#define EACH_SIDE(side) for (enum kernel_side side = 0; v->sides && side < KERNEL_SIDES; side++)

void metric_kernel_packets(struct metrics_view *v)
{
	EACH_SIDE(side)
	for (enum wire_action action = 0; action < WIRE_COUNT; action++)
		sample_count(v, v->sides[side].action[action], "port=\"%s\",action=\"%s\"",
			     kernel_side_name(side), kernel_action_name(action));
}

void metric_kernel_bytes(struct metrics_view *v)
{
	EACH_SIDE(side)
	sample_count(v, v->sides[side].bytes, "port=\"%s\"", kernel_side_name(side));
}

static void reasons_of(struct metrics_view *v, enum kernel_side side, enum wire_action action)
{
	for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++)
		if (v->sides[side].reason[r][action])
			sample_count(v, v->sides[side].reason[r][action],
				     "port=\"%s\",action=\"%s\",reason=\"%s\"",
				     kernel_side_name(side), kernel_action_name(action),
				     reason_name(r));
}

void metric_kernel_reasons(struct metrics_view *v)
{
	EACH_SIDE(side)
	for (enum wire_action action = 0; action < WIRE_COUNT; action++)
		reasons_of(v, side, action);
}

void metric_kernel_shadow(struct metrics_view *v)
{
	EACH_SIDE(side)
	for (enum stage_check check = 0; check < CHECK_COUNT; check++)
		if (v->sides[side].shadow[check])
			sample_count(v, v->sides[side].shadow[check], "port=\"%s\",reason=\"%s\"",
				     kernel_side_name(side), kernel_check_name(check));
}

/* Tenants */

typedef uint64_t value_of(const struct gate_tenant_counters *c, unsigned i);

/* `absent`: zeroes are left out: most tenants have none. */
static void each(struct metrics_view *v, value_of *value, unsigned i, const char *label,
		 const char *name, bool absent)
{
	const struct roster *r = v->daemon->roster;
	uint64_t other = 0;

	for (uint32_t slot = 1; r && v->of_slots && slot < r->count; slot++) {
		const struct roster_tenant *t = &r->tenant[slot];
		uint64_t n = value(&v->of_slots[slot], i);

		if (!t->id || t->id > v->last_tenant)
			other += n;
		else if (n || !absent)
			sample_count(v, n, "tenant=\"%s\",%s=\"%s\"", sample_label(t->name), label,
				     name);
	}
	if (r && v->of_slots && (other || !absent))
		sample_count(v, other, "tenant=\"%s\",%s=\"%s\"", "_other", label, name);
}

static uint64_t packets_of(const struct gate_tenant_counters *c, unsigned outbound)
{
	return c->packets[outbound];
}

void metric_kernel_tenant_packets(struct metrics_view *v)
{
	each(v, packets_of, 0, "direction", "in", false);
	each(v, packets_of, 1, "direction", "out", false);
}

static uint64_t bytes_of_tenant(const struct gate_tenant_counters *c, unsigned outbound)
{
	return c->bytes[outbound];
}

void metric_kernel_tenant_bytes(struct metrics_view *v)
{
	each(v, bytes_of_tenant, 0, "direction", "in", false);
	each(v, bytes_of_tenant, 1, "direction", "out", false);
}

static uint64_t inspected_of(const struct gate_tenant_counters *c, unsigned failed)
{
	return failed ? c->failed : c->inspected - c->failed;
}

void metric_kernel_tenant_inspected(struct metrics_view *v)
{
	each(v, inspected_of, 0, "result", "read", false);
	each(v, inspected_of, 1, "result", "failure_policy", false);
}

static uint64_t tls_of(const struct gate_tenant_counters *c, unsigned unused)
{
	return c->bytes_tls;
}

void metrics_kernel_tls(struct metrics_view *v)
{
	each(v, tls_of, 0, "tls", "passed", false);
}

static uint64_t dropped_of(const struct gate_tenant_counters *c, unsigned check)
{
	return c->dropped[check];
}

void metric_kernel_tenant_dropped(struct metrics_view *v)
{
	for (enum stage_check check = 0; check < CHECK_COUNT; check++)
		each(v, dropped_of, check, "reason", kernel_check_name(check), true);
}

static uint64_t shadowed_of(const struct gate_tenant_counters *c, unsigned check)
{
	return c->shadow[check];
}

void metric_kernel_tenant_shadow(struct metrics_view *v)
{
	for (enum stage_check check = 0; check < CHECK_COUNT; check++)
		each(v, shadowed_of, check, "reason", kernel_check_name(check), true);
}

void metric_flow_verdicts(struct metrics_view *v)
{
	const struct pump_flows *f = &v->daemon->pump.flows;

	if (!v->sides)
		return;
	sample_count(v, f->put, "result=\"%s\"", "put");
	sample_count(v, f->late, "result=\"%s\"", "late");
	sample_count(v, f->refused, "result=\"%s\"", "refused");
}

/* The failure policy */

void metric_failure_packets(struct metrics_view *v)
{
	static const struct {
		enum reason reason;
		enum wire_action action;
	} all[] = {
		{REASON_NO_SOCKET, WIRE_PASS},       {REASON_NO_SOCKET, WIRE_DROP},
		{REASON_HEARTBEAT_STALE, WIRE_PASS}, {REASON_HEARTBEAT_STALE, WIRE_DROP},
		{REASON_CALL_UNREAD, WIRE_PASS},
	};

	for (size_t i = 0; v->sides && i < sizeof(all) / sizeof(all[0]); i++) {
		uint64_t n = 0;

		EACH_SIDE(side)
		n += v->sides[side].reason[all[i].reason][all[i].action];
		sample_count(v, n, "reason=\"%s\",action=\"%s\"", reason_name(all[i].reason),
			     kernel_action_name(all[i].action));
	}
}

void metric_failure_acting(struct metrics_view *v)
{
	if (v->sides)
		sample_count(v, v->daemon->watch.failure.acting, NO_LABELS);
}

void metric_failure_times(struct metrics_view *v)
{
	if (v->sides)
		sample_count(v, v->daemon->watch.failure.times, NO_LABELS);
}
