/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics of tenants: a bounded number of them by name, the rest in one sum. */
#include <stdlib.h>

#include "control/metrics/metrics_internal.h"

static int id_order(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

uint32_t metrics_last_tenant(const struct daemon *d)
{
	const struct roster *r = d->roster;
	uint32_t most = d->config->gate.metrics_tenants, n = 0, last;
	uint32_t *ids;

	if (!r || r->tenants <= most)
		return UINT32_MAX;
	ids = calloc(r->count, sizeof(*ids));
	for (uint32_t slot = 1; ids && slot < r->count; slot++)
		if (r->tenant[slot].id)
			ids[n++] = r->tenant[slot].id;
	if (n)
		qsort(ids, n, sizeof(*ids), id_order);
	last = n && most ? ids[most - 1] : 0;
	free(ids);
	return last;
}

static void each(struct metrics_view *v, uint64_t (*value)(const struct tenant_counters *c),
		 const char *more)
{
	const struct roster *r = v->daemon->roster;
	uint64_t other = 0;

	for (uint32_t slot = 0; r && v->memory && slot < r->count; slot++) {
		const struct roster_tenant *t = &r->tenant[slot];
		const struct tenant_counters c = tenant_counters_sum(v->memory, slot);

		if (slot && t->id && t->id <= v->last_tenant)
			sample_count(v, value(&c), "tenant=\"%s\"%s", sample_label(t->name), more);
		else if (slot)
			other += value(&c);
		else
			sample_count(v, value(&c), "tenant=\"%s\"%s", "_none", more);
	}
	if (r && v->memory)
		sample_count(v, other, "tenant=\"%s\"%s", "_other", more);
}

#define COUNTER(id, expression)                                     \
	static uint64_t value_##id(const struct tenant_counters *c) \
	{                                                           \
		return expression;                                  \
	}                                                           \
	void metric_tenant_##id(struct metrics_view *v)             \
	{                                                           \
		each(v, value_##id, "");                            \
	}

COUNTER(packets, c->packets)
COUNTER(bytes, c->bytes)
COUNTER(messages, c->messages)
COUNTER(recipients, c->recipients)
COUNTER(calls, c->calls)
COUNTER(calls_open, c->calls_open)

static uint64_t value_clear(const struct tenant_counters *c)
{
	return c->connections > c->connections_tls ? c->connections - c->connections_tls : 0;
}

static uint64_t value_tls(const struct tenant_counters *c)
{
	return c->connections_tls;
}

static uint64_t value_bytes_clear(const struct tenant_counters *c)
{
	return c->bytes_clear;
}

static uint64_t value_bytes_tls(const struct tenant_counters *c)
{
	return c->bytes_tls;
}

void metric_tenant_connections(struct metrics_view *v)
{
	each(v, value_clear, ",tls=\"no\"");
	each(v, value_tls, ",tls=\"yes\"");
}

void metric_tenant_wire(struct metrics_view *v)
{
	each(v, value_bytes_clear, ",tls=\"no\"");
	each(v, value_bytes_tls, ",tls=\"yes\"");
	metrics_kernel_tls(v);
}

static uint64_t value_pass(const struct tenant_counters *c)
{
	return c->verdicts[VERDICT_PASS];
}

static uint64_t value_alert(const struct tenant_counters *c)
{
	return c->verdicts[VERDICT_ALERT];
}

static uint64_t value_drop(const struct tenant_counters *c)
{
	return c->verdicts[VERDICT_DROP];
}

static uint64_t value_reject(const struct tenant_counters *c)
{
	return c->verdicts[VERDICT_REJECT];
}

void metric_tenant_verdicts(struct metrics_view *v)
{
	each(v, value_pass, ",verdict=\"pass\"");
	each(v, value_alert, ",verdict=\"alert\"");
	each(v, value_drop, ",verdict=\"drop\"");
	each(v, value_reject, ",verdict=\"reject\"");
}

static bool is_suspended(const struct metrics_view *v, uint32_t slot)
{
	return __atomic_load_n(&v->daemon->slots.slot[slot].state, __ATOMIC_ACQUIRE) ==
	       TENANT_SUSPENDED;
}

void metric_tenant_suspended(struct metrics_view *v)
{
	const struct roster *r = v->daemon->roster;

	for (uint32_t slot = 1; r && slot < r->count; slot++)
		if (r->tenant[slot].id && r->tenant[slot].id <= v->last_tenant)
			sample_count(v, is_suspended(v, slot), "tenant=\"%s\"",
				     sample_label(r->tenant[slot].name));
}

void metric_tenant_distinct(struct metrics_view *v)
{
	const struct roster *r = v->daemon->roster;
	const uint64_t now = daemon_time();

	for (uint32_t slot = 1; r && slot < r->count; slot++)
		if (r->tenant[slot].id && r->tenant[slot].id <= v->last_tenant)
			sample_count(v, tenant_distinct(v->memory, slot, now).recipients,
				     "tenant=\"%s\"", sample_label(r->tenant[slot].name));
}

void metric_tenants(struct metrics_view *v)
{
	const struct roster *r = v->daemon->roster;
	uint32_t suspended = 0;

	for (uint32_t slot = 1; r && slot < r->count; slot++)
		suspended += r->tenant[slot].id && is_suspended(v, slot);
	sample_count(v, (r ? r->tenants : 0) - suspended, "state=\"%s\"", "active");
	sample_count(v, suspended, "state=\"%s\"", "suspended");
}

/* Risk */

static bool is_scored(const struct roster *r, uint32_t slot)
{
	return r->tenant[slot].id && r->tenant[slot].risk != RISK_OFF;
}

void metric_risk_score(struct metrics_view *v)
{
	const struct risk_board *b = &v->daemon->risk.board;
	const struct roster *r = v->daemon->roster;

	for (uint32_t slot = 1; r && slot < r->count && slot < b->count; slot++)
		if (is_scored(r, slot) && r->tenant[slot].id <= v->last_tenant)
			sample(v, (double)b->tenant[slot].score, "tenant=\"%s\"",
			       sample_label(r->tenant[slot].name));
}

void metric_risk_levels(struct metrics_view *v)
{
	const struct risk_board *b = &v->daemon->risk.board;
	const struct roster *r = v->daemon->roster;
	uint64_t tenants[RISK_LEVEL_COUNT] = {0};

	for (uint32_t slot = 1; r && slot < r->count && slot < b->count; slot++)
		tenants[b->tenant[slot].level] += is_scored(r, slot);
	for (unsigned i = 0; i < RISK_LEVEL_COUNT; i++)
		sample_count(v, tenants[i], "level=\"%s\"", risk_level_name((enum risk_level)i));
}

void metric_risk_changes(struct metrics_view *v)
{
	for (unsigned i = 0; i < RISK_LEVEL_COUNT; i++)
		sample_count(v, v->daemon->risk.changes[i], "level=\"%s\"",
			     risk_level_name((enum risk_level)i));
}

void metric_risk_asks(struct metrics_view *v)
{
	sample_count(v, v->daemon->risk.asks, NO_LABELS);
}

void metric_risk_round(struct metrics_view *v)
{
	sample(v, (double)v->daemon->risk.round / 1e9, NO_LABELS);
}
