/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/replay_report.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "control/events/counters_json.h"
#include "control/events/eve.h"
#include "dataplane/policy/limit.h"

static const struct worker *worker_at(const struct gate *gate, unsigned i)
{
	return i < gate->workers ? gate->worker[i] : gate->front;
}

static unsigned worker_count(const struct gate *gate)
{
	return gate->workers + (gate->front ? 1 : 0);
}

static int compare_sid(const void *a, const void *b)
{
	const struct rule_hits *x = a, *y = b;

	return x->sid < y->sid ? -1 : x->sid > y->sid;
}

static int sum_rules(struct replay_report *r, const struct ruleset *rs, const struct gate *gate)
{
	const struct ruleset_image *image = ruleset_image(rs);
	const struct ruleset_rule *rule = RULESET_AT(image, struct ruleset_rule, rules);

	r->rule = calloc(image->rules.count + 1, sizeof(*r->rule));
	if (!r->rule)
		return -ENOMEM;
	for (uint32_t i = 0; i < image->rules.count; i++) {
		r->rule[i] = (struct rule_hits){
			.sid = rule[i].sid,
			.msg = ruleset_string(rs, rule[i].msg),
			.action = verdict_name(rule[i].action),
		};
		for (unsigned k = 0; k < gate->workers; k++)
			r->rule[i].hits += gate->worker[k]->rule_hits[i];
	}
	qsort(r->rule, image->rules.count, sizeof(*r->rule), compare_sid);
	r->report.rule = r->rule;
	r->report.rules = image->rules.count;
	return 0;
}

/* What the tenant may, in the limit's own unit. */
static void describe_limit(struct limit_use *use, const struct gcra *g, bool bytes)
{
	double unit = bytes ? GCRA_BYTES_UNIT : 1;

	if (!g->interval)
		return;
	use->per_s = unit * 1e9 / (double)g->interval;
	use->burst = (double)g->tolerance * unit / (double)g->interval + 1;
}

static int sum_limits(struct replay_report *r, const struct policy *policy, const struct gate *gate)
{
	static const char *const names[] = {
#define X(id, name) [LIMIT_##id] = name,
		TENANT_LIMITS(X)
#undef X
	};

	r->limit = calloc((size_t)policy->slot_count * LIMIT_COUNT, sizeof(*r->limit));
	if (!r->limit)
		return -ENOMEM;
	for (uint32_t slot = 1; slot < policy->slot_count; slot++) {
		for (unsigned l = 0; l < LIMIT_COUNT; l++) {
			struct limit_use use = {
				.tenant = slot,
				.limit = names[l],
				.refused = r->tenant[slot].reasons[limit_reason(l)],
			};

			for (unsigned k = 0; k < worker_count(gate); k++) {
				unsigned p = worker_at(gate, k)->peaks[slot].percent[l];

				use.used_percent = RTE_MAX(use.used_percent, p);
			}
			describe_limit(&use, &policy->slots[slot].limit[l], l == LIMIT_BYTES);
			if (use.used_percent || use.refused)
				r->limit[r->report.limits++] = use;
		}
	}
	r->report.limit = r->limit;
	return 0;
}

static size_t peak_memory(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (size_t)use.ru_maxrss * 1024;
}

int replay_report_init(struct replay_report *r, const struct replay_output *out,
		       const struct gate *gate, const struct replay_stats *stats)
{
	const struct policy *policy = out->policy;
	int rc;

	*r = (struct replay_report){.last = stats->last};
	r->tenant = calloc(policy->slot_count, sizeof(*r->tenant));
	if (!r->tenant)
		return -ENOMEM;
	for (unsigned i = 0; i < worker_count(gate); i++) {
		const struct worker *w = worker_at(gate, i);

		counters_add(&r->total, w->counters);
		for (uint32_t slot = 0; slot < policy->slot_count; slot++)
			tenant_counters_add(&r->tenant[slot], &w->tenants[slot]);
	}
	r->report = (struct report){
		.file = out->options->files,
		.files = out->options->file_count,
		.duration_ns = stats->last - stats->first,
		.total = &r->total,
		.tenant = r->tenant,
		.names = &out->names,
		.risk = out->risk.result,
		.wall_s = stats->wall,
		.cpu_s = stats->cpu,
		.workers = gate->workers,
		.bytes_per_flow = gate_flow_bytes(),
		.rss_bytes = peak_memory(),
	};
	rc = out->ruleset ? sum_rules(r, out->ruleset, gate) : 0;
	if (rc == 0)
		rc = sum_limits(r, policy, gate);
	if (rc != 0)
		replay_report_fini(r);
	return rc;
}

void replay_report_fini(struct replay_report *r)
{
	free(r->tenant);
	free(r->rule);
	free(r->limit);
}

void stats_write(FILE *out, const struct replay_report *r)
{
	json_t *event = stats_json(r->last, &r->total);

	if (!event)
		return;
	eve_write_object(out, event);
	json_decref(event);
}
