/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/tenant_show.h"

#include <stdlib.h>
#include <string.h>

#include "control/daemon/daemon.h"
#include "control/daemon/tenant_change.h"
#include "control/events/counters_json.h"
#include "control/kernel/kernel_json.h"
#include "control/risk/risk_show.h"

static const struct override *override_at(const struct daemon *d, uint32_t slot)
{
	return state_find(d->state, d->roster->tenant[slot].id);
}

/* What is in the shared slot: that is what holds, whatever was meant. */
static const char *state_of(const struct daemon *d, uint32_t slot)
{
	return __atomic_load_n(&d->slots.slot[slot].state, __ATOMIC_ACQUIRE) == TENANT_SUSPENDED
		       ? "suspended"
		       : "active";
}

static json_t *suspension_json(const struct daemon *d, uint32_t slot)
{
	const struct override *o = override_at(d, slot);

	if (o && o->suspended)
		return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "from", "command", "reason",
				 o->reason, "approver", o->approver, "by", o->by, "since",
				 (json_int_t)o->since, "until", (json_int_t)o->until);
	if (d->roster->tenant[slot].base.state == TENANT_SUSPENDED)
		return json_pack("{s:s}", "from", "configuration");
	if (risk_run_suspends(d, slot))
		return json_pack("{s:s}", "from", "risk");
	return json_null();
}

/* The nearest that any worker saw the tenant come to it. */
static unsigned peak_of(const struct shm_head *memory, uint32_t slot, unsigned limit)
{
	unsigned most = 0;

	for (unsigned i = 0; memory && slot < memory->slots && i < memory->workers; i++)
		if (shm_peaks(memory, i)[slot].percent[limit] > most)
			most = shm_peaks(memory, i)[slot].percent[limit];
	return most;
}

static json_t *limits_json(const struct daemon *d, uint32_t slot)
{
	const struct shm_head *memory = dataplane_memory(d->dataplane);
	const struct tenant_slot *live = &d->slots.slot[slot];
	const struct override *o = override_at(d, slot);
	json_t *limits = json_object(), *per_domain = tenant_per_domain_json(live);
	char text[VALUE_TEXT];

	for (unsigned i = 0; i < LIMIT_COUNT; i++) {
		json_t *limit = tenant_limit_json(live, i);
		bool set = o && o->limit[i].state != RATE_UNSET;

		json_object_set_new(limit, "from", json_string(set ? "command" : "configuration"));
		if (set)
			json_object_set_new(limit, "set",
					    json_string(rate_text(&o->limit[i], text)));
		if (memory)
			json_object_set_new(limit, "peak_percent",
					    json_integer(peak_of(memory, slot, i)));
		json_object_set_new(limits, tenant_limit_name(i), limit);
	}
	for (unsigned i = 0; i < COUNT_KINDS; i++) {
		const uint32_t count = tenant_count_get(live, (enum tenant_count)i);
		bool set = o && o->count[i].state != RATE_UNSET;

		json_object_set_new(limits, tenant_count_name(i),
				    json_pack("{s:o, s:s}", "count",
					      count ? json_integer(count) : json_null(), "from",
					      set ? "command" : "configuration"));
	}
	json_object_set_new(limits, "per_domain", per_domain);
	json_object_set_new(per_domain, "from",
			    json_string(o && o->limit[OVERRIDE_PER_DOMAIN].state != RATE_UNSET
						? "command"
						: "configuration"));
	return limits;
}

static json_t *tenant_counters_json(const struct tenant_counters *c)
{
	return json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, "
		"s:o}",
		"packets", c->packets, "bytes", c->bytes, "connections", c->connections,
		"connections_tls", c->connections_tls, "bytes_clear", c->bytes_clear, "bytes_tls",
		c->bytes_tls, "messages", c->messages, "messages_accepted", c->messages_accepted,
		"recipients", c->recipients, "calls", c->calls, "calls_seized", c->calls_seized,
		"calls_answered", c->calls_answered, "calls_short", c->calls_short,
		"calls_completed", c->calls_completed, "calls_open", c->calls_open, "verdicts",
		verdicts_json(c->verdicts), "reasons", reasons_json(c->reasons));
}

/* Times that the tenant came beyond one. */
static json_int_t limits_hit(const struct tenant_counters *c)
{
	uint64_t n = 0;

	for (unsigned i = REASON_LIMIT_MESSAGES; i <= REASON_LIMIT_SYNS; i++)
		n += c->reasons[i];
	return (json_int_t)n;
}

/* Of connections to inspected ports: how many can be read. */
static json_t *plaintext_json(const struct tenant_counters *c)
{
	return c->connections ? json_real(1 - (double)c->connections_tls / (double)c->connections)
			      : json_null();
}

static json_t *distinct_json(const struct daemon *d, uint32_t slot)
{
	const struct tenant_distinct n =
		tenant_distinct(dataplane_memory(d->dataplane), slot, daemon_time());

	return json_pack("{s:I, s:I}", "recipients", (json_int_t)n.recipients, "domains",
			 (json_int_t)n.domains);
}

json_t *tenant_line_json(const struct daemon *d, uint32_t slot)
{
	const struct roster_tenant *t = &d->roster->tenant[slot];
	const struct tenant_counters c = tenant_counters_sum(dataplane_memory(d->dataplane), slot);

	return json_pack("{s:I, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "id",
			 (json_int_t)t->id, "name", t->name, "tier", t->tier, "state",
			 state_of(d, slot), "packets", c.packets, "bytes", c.bytes, "messages",
			 c.messages, "calls", c.calls, "refused",
			 c.verdicts[VERDICT_DROP] + c.verdicts[VERDICT_REJECT], "limits_hit",
			 limits_hit(&c), "plaintext", plaintext_json(&c), "risk",
			 risk_line_json(d, slot), "distinct", distinct_json(d, slot));
}

json_t *tenant_json(const struct daemon *d, uint32_t slot)
{
	const struct roster_tenant *t = &d->roster->tenant[slot];
	const struct tenant_counters c = tenant_counters_sum(dataplane_memory(d->dataplane), slot);
	json_t *tenant = json_pack("{s:I, s:s, s:s, s:s, s:o, s:o, s:I, s:I, s:o, s:o}", "id",
				   (json_int_t)t->id, "name", t->name, "tier", t->tier, "state",
				   state_of(d, slot), "suspended", suspension_json(d, slot), "risk",
				   risk_line_json(d, slot), "slot", (json_int_t)slot, "prefixes",
				   (json_int_t)t->prefixes, "limits", limits_json(d, slot),
				   "counters", tenant_counters_json(&c));

	json_object_set_new(tenant, "closed",
			    json_boolean(d->slots.slot[slot].flags & TENANT_CLOSED));
	json_object_set_new(tenant, "calls_lately", risk_window_of(d, slot));
	json_object_set_new(tenant, "plaintext", plaintext_json(&c));
	json_object_set_new(tenant, "distinct", distinct_json(d, slot));
	if (d->kernel)
		json_object_set_new(tenant, "kernel", kernel_tenant_json(d, slot));
	return tenant;
}

enum command_outcome run_tenants(struct request *r, json_t **result)
{
	const struct daemon *d = r->daemon;
	const char *by = request_text(r, "by");
	json_t *list = json_array();
	uint32_t *slots, n = 0;

	if (by && strcmp(by, "risk") != 0 && strcmp(by, "slot") != 0) {
		json_decref(list);
		return request_error(r, "bad_argument", "\"by\" is \"risk\" or \"slot\"");
	}
	slots = d->roster ? risk_order(d, by && strcmp(by, "risk") == 0, &n) : NULL;
	for (uint32_t i = 0; i < n; i++)
		json_array_append_new(list, tenant_line_json(d, slots[i]));
	free(slots);
	*result = json_pack("{s:o}", "tenants", list);
	return COMMAND_DONE;
}

enum command_outcome run_tenant(struct request *r, json_t **result)
{
	uint32_t slot = request_tenant(r);

	if (!slot)
		return COMMAND_FAILED;
	*result = tenant_json(r->daemon, slot);
	return COMMAND_DONE;
}

enum command_outcome run_limits(struct request *r, json_t **result)
{
	uint32_t slot = request_tenant(r);

	if (!slot)
		return COMMAND_FAILED;
	*result = json_pack("{s:s, s:o}", "name", r->daemon->roster->tenant[slot].name, "limits",
			    limits_json(r->daemon, slot));
	return COMMAND_DONE;
}
