/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/base/log.h"
#include "control/events/eve.h"
#include "control/events/gate_event.h"

static uint64_t read_clock(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t daemon_time(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t daemon_clock(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t daemon_generation(const struct daemon *d)
{
	return d->roster ? d->roster->compiled->generation : 0;
}

struct dataplane_policy daemon_policy(const struct daemon *d, const struct roster *roster)
{
	const struct compiled *c = roster->compiled;

	return (struct dataplane_policy){
		.slots = d->slots.fd,
		.slots_size = d->slots.size,
		.slot_count = d->slots.count,
		.policy = c->policy,
		.policy_size = c->policy_size,
		.ruleset = c->ruleset,
		.ruleset_size = c->ruleset >= 0 ? c->ruleset_size : 0,
		.generation = c->generation,
		.lists = d->lists.send,
	};
}

/* ns since 1970; 0: nobody knows, or it isn't. */
static uint64_t suspended_since(const struct daemon *d, const struct roster *roster, uint32_t slot,
				const struct override *o)
{
	const uint64_t risk = risk_run_suspended_since(d, roster, slot);
	const uint64_t command = o && o->suspended ? o->since * 1000000000 : 0;

	return risk && command ? (risk < command ? risk : command) : risk | command;
}

struct tenant_slot daemon_effective(const struct daemon *d, const struct roster *roster,
				    uint32_t slot)
{
	const struct roster_tenant *t = &roster->tenant[slot];
	const struct override *o = t->id ? state_find(d->state, t->id) : NULL;
	struct tenant_slot wanted = tenant_effective(&t->base, o);

	warmup_apply(warmup_step_at(t->warmup, t->since, daemon_time() / 1000000000),
		     override_limits(o), &wanted);
	risk_run_apply(d, roster, slot, o, &wanted);
	if (wanted.state == TENANT_SUSPENDED &&
	    suspension_is_long(suspended_since(d, roster, slot, o), daemon_time(), d->close_after))
		wanted.flags |= TENANT_CLOSED;
	return wanted;
}

void daemon_apply(struct daemon *d, uint32_t slot)
{
	const struct tenant_slot wanted = daemon_effective(d, d->roster, slot);

	slot_apply(&d->slots.slot[slot], &wanted);
}

void daemon_apply_all(struct daemon *d)
{
	/* Slots that a removed tenant left stay as they are: its last flows still refer to them. */
	for (uint32_t slot = 0; slot < d->roster->count && slot < d->slots.count; slot++)
		if (!slot || d->roster->tenant[slot].id)
			daemon_apply(d, slot);
}

static struct tenant_slot *effective_slots(const struct daemon *d)
{
	struct tenant_slot *slots =
		aligned_alloc(_Alignof(struct tenant_slot), d->roster->count * sizeof(*slots));

	for (uint32_t i = 0; slots && i < d->roster->count; i++)
		slots[i] = daemon_effective(d, d->roster, i);
	return slots;
}

void daemon_apply_kernel(struct daemon *d)
{
	const struct config_gate *g = &d->config->gate;
	struct tenant_slot *slots;
	int rc;

	if (!d->kernel || !d->roster)
		return;
	slots = effective_slots(d);
	rc = slots ? kernel_apply(d->kernel, d->roster, slots) : -ENOMEM;
	free(slots);
	if (rc)
		daemon_event(d, "kernel_failed", 0,
			     json_pack("{s:s}", "reason",
				       rc == -ENOMEM ? "no memory" : kernel_error(d->kernel)));
	if (!kernel_ports(d->kernel, g->inside, g->outside, (enum failure_policy)d->failure,
			  d->heartbeat))
		daemon_event(d, "kernel_failed", 0,
			     json_pack("{s:s}", "reason",
				       "there is no such interface, or it takes no program"));
}

/* " key=value" of each that fits on a line of the log. */
static void log_fields(const json_t *fields, char *text, size_t size)
{
	const char *name;
	json_t *value;
	size_t used = 0;

	text[0] = '\0';
	json_object_foreach((json_t *)(uintptr_t)fields, name, value)
	{
		char *plain = json_is_string(value)
				      ? NULL
				      : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

		if (used < size)
			used += (size_t)snprintf(
				text + used, size - used, " %s=%s", name,
				json_is_number(value)
					? plain
					: log_text(plain ? plain : json_string_value(value)));
		free(plain);
	}
}

void daemon_event(struct daemon *d, const char *event, uint32_t slot, json_t *fields)
{
	const struct roster_tenant *t =
		slot && d->roster && slot < d->roster->count ? &d->roster->tenant[slot] : NULL;
	char text[1024], *line;
	size_t len;

	cases_hear(d, event, gate_event_level(event), slot, fields);
	log_fields(fields, text, sizeof(text));
	log_write(gate_event_level(event), gate_event_text(event), "event=%s%s%s%s", event,
		  t ? " tenant=" : "", t ? log_text(t->name) : "", text);
	line = gate_event_line(daemon_time(), event, t ? t->id : 0, t ? t->name : NULL, fields);
	if (!line)
		return;
	len = strlen(line);
	line[len] = '\n';
	eve_log_line(d->eve, line, len + 1);
	eve_log_flush(d->eve);
	follow_line(&d->followers, &d->follow_stats, FOLLOW_GATE, t ? t->id : 0, line, len + 1);
	free(line);
}

void daemon_stop(struct daemon *d, int status)
{
	d->exit_status = status;
	event_base_loopbreak(d->base);
}
