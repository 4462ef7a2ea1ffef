/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/tenant_change.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/daemon/daemon.h"
#include "control/daemon/tenant_show.h"
#include "control/store/audit_note.h"

#define SECOND     UINT64_C(1000000000)
#define EXPIRE_MAX 256 /* at a time */

uint32_t request_tenant(struct request *r)
{
	const char *tenant = request_text(r, "tenant");
	uint32_t slot = r->daemon->roster ? roster_find(r->daemon->roster, tenant) : 0;

	if (!r->daemon->roster)
		request_error(r, "starting", "posternd has not read its configuration yet");
	else if (!slot)
		request_error(r, "no_such_tenant", "there is no tenant \"%.60s\"", tenant);
	r->tenant = slot;
	return slot;
}

bool request_tenant_option(struct request *r, uint32_t *slot)
{
	*slot = request_text(r, "tenant") ? request_tenant(r) : 0;
	return *slot || !request_text(r, "tenant");
}

static struct override override_of(const struct daemon *d, uint32_t slot)
{
	const uint32_t id = d->roster->tenant[slot].id;
	const struct override *there = state_find(d->state, id);

	return there ? *there : (struct override){.tenant = id};
}

/*
 * In the slot first, where it holds at once, then onto the disk, then the answer: it says so when
 * the second can't be done.
 */
static enum command_outcome change(struct request *r, uint32_t slot,
				   const struct override *override, const char *event,
				   json_t *fields, json_t **result)
{
	struct daemon *d = r->daemon;
	const struct override before = override_of(d, slot);

	if (state_put(d->state, override, request_unit(r)) != 0) {
		json_decref(fields);
		return request_error(r, "no_memory", "no memory");
	}
	daemon_apply(d, slot);
	daemon_event(d, event, slot, fields);
	r->before = override_json(&before);
	r->after = override_json(override);
	*result = tenant_json(d, slot);
	return COMMAND_DONE;
}

/* Suspend, resume */

static bool copy_text(struct request *r, const char *name, char *to, size_t size)
{
	const char *text = request_text(r, name);

	if (text && strlen(text) >= size) {
		request_error(r, "bad_argument", "\"%s\" has at most %zu bytes", name, size - 1);
		return false;
	}
	strcpy(to, text ? text : "");
	return true;
}

/* "2h" from now, or "2026-11-30T08:00:00Z". */
static bool parse_until(const char *text, uint64_t now, uint64_t *until)
{
	uint64_t ns;

	if (value_duration(text, &ns) == 0 && ns >= SECOND) {
		*until = now + ns / SECOND;
		return true;
	}
	return value_time(text, until) == 0 && *until > now;
}

enum command_outcome run_tenant_suspend(struct request *r, json_t **result)
{
	uint32_t slot = request_tenant(r);
	const char *until = request_text(r, "until");
	struct override o;
	json_t *fields;

	if (!slot)
		return COMMAND_FAILED;
	o = override_of(r->daemon, slot);
	o.suspended = true;
	o.since = daemon_time() / SECOND;
	o.until = 0;
	strcpy(o.by, r->peer.name);
	if (!copy_text(r, "reason", o.reason, sizeof(o.reason)) ||
	    !copy_text(r, "approver", o.approver, sizeof(o.approver)))
		return COMMAND_FAILED;
	if (until && !parse_until(until, o.since, &o.until))
		return request_error(r, "bad_argument",
				     "\"until\" must be a time to come, \"2026-11-30T08:00:00Z\", "
				     "or a duration, \"2h\", not \"%.40s\"",
				     until);
	fields = json_pack("{s:s, s:s, s:s, s:I}", "by", o.by, "reason", o.reason, "approver",
			   o.approver, "until", (json_int_t)o.until);
	return change(r, slot, &o, "tenant_suspended", fields, result);
}

/* Its score had it suspended. */
static enum command_outcome pardon(struct request *r, uint32_t slot, json_t **result)
{
	risk_run_pardon(r->daemon, slot, request_unit(r));
	daemon_event(
		r->daemon, "tenant_resumed", slot,
		json_pack("{s:s, s:s*}", "by", r->peer.name, "reason", request_text(r, "reason")));
	*result = tenant_json(r->daemon, slot);
	return COMMAND_DONE;
}

enum command_outcome run_tenant_resume(struct request *r, json_t **result)
{
	uint32_t slot = request_tenant(r);
	const struct roster_tenant *t;
	struct override o;

	if (!slot)
		return COMMAND_FAILED;
	t = &r->daemon->roster->tenant[slot];
	o = override_of(r->daemon, slot);
	if (!o.suspended && risk_run_suspends(r->daemon, slot))
		return pardon(r, slot, result);
	if (!o.suspended && t->base.state == TENANT_SUSPENDED)
		return request_error(r, "suspended_by_configuration",
				     "%s is suspended by the configuration: change its \"state\" "
				     "there and reload",
				     t->name);
	if (!o.suspended)
		return request_error(r, "not_suspended", "%s is not suspended", t->name);
	if (risk_run_suspends(r->daemon, slot))
		risk_run_pardon(r->daemon, slot, request_unit(r));
	o.suspended = false;
	o.reason[0] = o.approver[0] = o.by[0] = '\0';
	o.since = o.until = 0;
	return change(
		r, slot, &o, "tenant_resumed",
		json_pack("{s:s, s:s*}", "by", r->peer.name, "reason", request_text(r, "reason")),
		result);
}

static void on_stored(void *ctx, const struct store_result *result)
{
	struct daemon *d = ctx;

	if (result->rc)
		state_unstored(d->state);
}

void tenant_suspend_by_case(struct daemon *d, uint32_t slot, const char *reason)
{
	struct override o = override_of(d, slot);
	struct store_unit *unit;
	json_t *before;

	if (o.suspended)
		return;
	unit = store_begin(d->store);
	before = override_json(&o);
	o.suspended = true;
	o.since = daemon_time() / SECOND;
	o.until = 0;
	snprintf(o.reason, sizeof(o.reason), "%s", reason);
	snprintf(o.approver, sizeof(o.approver), "policy");
	snprintf(o.by, sizeof(o.by), "posternd");
	if (state_put(d->state, &o, unit) != 0) {
		json_decref(before);
		store_abandon(unit);
		return;
	}
	daemon_apply(d, slot);
	audit_daemon(d, "tenant suspend", slot,
		     json_pack("{s:o, s:o, s:s}", "before", before, "after", override_json(&o),
			       "reason", reason),
		     unit);
	store_keep(unit);
	if (store_commit(d->store, unit, on_stored, d) != 0)
		state_unstored(d->state);
	daemon_event(d, "tenant_suspended", slot,
		     json_pack("{s:s, s:s, s:s, s:I}", "by", o.by, "reason", reason, "approver",
			       o.approver, "until", (json_int_t)0));
}

static bool is_over(const struct override *o, uint64_t now)
{
	return o->suspended && o->until && o->until <= now;
}

static void expire(struct daemon *d, struct override o)
{
	uint32_t slot = d->roster ? roster_slot_of(d->roster, o.tenant) : 0;
	struct store_unit *unit = store_begin(d->store);
	json_t *before = override_json(&o);

	o.suspended = false;
	o.reason[0] = o.approver[0] = o.by[0] = '\0';
	o.since = o.until = 0;
	if (state_put(d->state, &o, unit) != 0) {
		json_decref(before);
		store_abandon(unit);
		return; /* next time */
	}
	if (slot)
		daemon_apply(d, slot);
	audit_daemon(d, "tenant suspension ends", slot,
		     json_pack("{s:o, s:o, s:I}", "before", before, "after", override_json(&o),
			       "of", (json_int_t)o.tenant),
		     unit);
	store_keep(unit);
	if (store_commit(d->store, unit, on_stored, d) != 0)
		state_unstored(d->state);
	daemon_event(
		d, "tenant_resumed", slot,
		json_pack("{s:s, s:I}", "reason", "its time is over", "id", (json_int_t)o.tenant));
}

void tenants_expire(struct daemon *d)
{
	const uint64_t now = daemon_time() / SECOND;
	unsigned left = EXPIRE_MAX;
	size_t count, i = 0;
	const struct override *all = state_all(d->state, &count);

	while (i < count && left) {
		if (!is_over(&all[i], now)) {
			i++;
			continue;
		}
		expire(d, all[i]);
		left--;
		all = state_all(d->state, &count); /* it may have gone from here */
	}
}

/* Suspended, and not closed yet, although its time has come. */
static bool is_due(const struct daemon *d, uint32_t slot)
{
	const struct tenant_slot *live = &d->slots.slot[slot];

	return live->id && live->id == d->roster->tenant[slot].id &&
	       live->state == TENANT_SUSPENDED && !(live->flags & TENANT_CLOSED) &&
	       daemon_effective(d, d->roster, slot).flags & TENANT_CLOSED;
}

void tenants_close(struct daemon *d)
{
	for (uint32_t slot = 1; d->roster && slot < d->roster->count && slot < d->slots.count;
	     slot++) {
		if (!is_due(d, slot))
			continue;
		daemon_apply(d, slot);
		daemon_event(d, "tenant_closed", slot, NULL);
		audit_daemon(d, "tenant closed", slot, NULL, NULL);
	}
}

/* Limits */

static bool set_limits(struct request *r, struct override *o)
{
	json_t *limits = json_object_get(r->arguments, "limits"), *value;
	const char *name;
	char error[256];

	if (!json_object_size(limits)) {
		request_error(r, "bad_argument", "\"limits\" names none");
		return false;
	}
	json_object_foreach(limits, name, value)
	{
		char *text = json_is_string(value)
				     ? strdup(json_string_value(value))
				     : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
		int rc = text ? override_set_limit(o, name, text, error, sizeof(error)) : -ENOMEM;

		free(text);
		if (!rc)
			continue;
		request_error(r, "bad_argument", "%s", rc == -ENOMEM ? "no memory" : error);
		return false;
	}
	return true;
}

enum command_outcome run_limits_set(struct request *r, json_t **result)
{
	uint32_t slot = request_tenant(r);
	struct override o;

	if (!slot)
		return COMMAND_FAILED;
	o = override_of(r->daemon, slot);
	if (!set_limits(r, &o))
		return COMMAND_FAILED;
	return change(
		r, slot, &o, "limits_set",
		json_pack("{s:s, s:o}", "by", r->peer.name, "limits", override_limits_json(&o)),
		result);
}
