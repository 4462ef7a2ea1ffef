/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/reload.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/log.h"
#include "control/daemon/command.h"
#include "control/daemon/daemon.h"
#include "control/daemon/notify.h"
#include "control/daemon/reload_diff.h"
#include "control/store/audit_note.h"

/* The end of it */

void reload_tell_manager(const struct daemon *d)
{
	notify_send("READY=1\nSTATUS=generation %llu, %u tenants, dataplane %s",
		    (unsigned long long)d->roster->compiled->generation, d->roster->tenants,
		    watch_is_live(d) ? "runs" : "does not run");
}

static void end(struct daemon *d)
{
	struct reload *r = &d->reload;

	r->running = false;
	r->request = NULL;
	rules_change_fini(&r->change);
	if (d->roster)
		reload_tell_manager(d);
	if (r->again) {
		r->again = false;
		reload_start(d, NULL);
	}
}

/* The file and the words of each, as `postern check` would say them. */
static void log_problems(const json_t *problems)
{
	json_t *item;
	size_t i;

	json_array_foreach(problems, i, item)
	{
		const char *severity = json_string_value(json_object_get(item, "severity"));
		const char *file = json_string_value(json_object_get(item, "file"));

		log_write(severity && strcmp(severity, "error") == 0 ? LOG_ERROR : LOG_WARNING,
			  "configuration", "file=%s line=%d column=%d text=%s",
			  log_text(file ? file : ""),
			  (int)json_integer_value(json_object_get(item, "line")),
			  (int)json_integer_value(json_object_get(item, "column")),
			  log_text(json_string_value(json_object_get(item, "message"))));
	}
}

/* Takes `problems` (may be NULL) over. */
static void fail(struct daemon *d, const char *code, const char *why, json_t *problems)
{
	struct reload *r = &d->reload;

	r->failed++;
	json_decref(r->problems);
	r->problems = problems ? json_incref(problems)
			       : json_pack("[{s:s, s:s}]", "severity", "error", "message", why);
	log_problems(problems);
	if (r->change.only)
		rules_change_refused(&r->change, d, code, why);
	else
		daemon_event(d, "reload_failed", 0,
			     json_pack("{s:s, s:s}", "code", code, "reason", why));
	if (r->request) {
		request_error(r->request, code, "%s", why);
		if (problems)
			request_error_detail(r->request, "problems", json_incref(problems));
		request_finish(r->request, NULL);
	}
	json_decref(problems);
	/* Without any configuration there is nothing to go on with. */
	if (!d->roster)
		daemon_stop(d, 1);
	end(d);
}

/* What has no need of the dataplane. */
static void adopt_settings(struct daemon *d)
{
	const json_t *settings = json_object_get(d->roster->compiled->report, "settings");
	const char *failure = json_string_value(json_object_get(settings, "gate.failure"));

	d->close_after =
		(uint64_t)json_integer_value(json_object_get(settings, "gate.close_after"));
	d->optout_grace =
		(uint64_t)json_integer_value(json_object_get(settings, "lists.optout_grace"));
	d->heartbeat = (uint64_t)json_integer_value(json_object_get(settings, "gate.heartbeat"));
	d->failure = failure && strcmp(failure, "closed") == 0 ? FAILURE_CLOSED : FAILURE_OPEN;
	d->flow_verdicts = json_is_true(json_object_get(settings, "gate.flow_verdicts"));
	if (d->kernel && !d->flow_verdicts)
		kernel_flows_forget(d->kernel);
}

/* The child's assignment, done again on what posternd goes by: the same clock, the same result. */
static void adopt_places(struct daemon *d, const struct roster *next)
{
	uint32_t *ids = calloc(next->count, sizeof(*ids)), *got = calloc(next->count, sizeof(*got));
	const json_t *tenants = json_object_get(next->compiled->report, "tenants");
	size_t n = json_array_size(tenants);

	for (size_t i = 0; ids && i < n && i < next->count; i++)
		ids[i] = (uint32_t)json_integer_value(
			json_object_get(json_array_get(tenants, i), "id"));
	if (!ids || !got || tenant_slots_assign(&d->places, ids, n, next->compiled->now, got) != 0)
		log_error("the tenants' places can't be kept", "tenants=%zu", n);
	free(ids);
	free(got);
}

static json_t *times_json(const struct reload *r, const json_t *report)
{
	json_t *times = json_deep_copy(json_object_get(report, "times"));

	json_object_set_new(
		times, "swap_s",
		json_real(r->swapped ? (double)(daemon_clock() - r->swapped) / 1e9 : 0));
	return times;
}

static json_t *result_of(struct daemon *d, const struct roster *old, double took_s)
{
	const json_t *report = d->roster->compiled->report;
	bool live = watch_is_live(d);

	return json_pack("{s:I, s:b, s:f, s:o, s:O, s:O*, s:O, s:o, s:o, s:O, s:I}", "generation",
			 (json_int_t)d->roster->compiled->generation, "in_force", live, "took_s",
			 took_s, "times", times_json(&d->reload, report), "databases",
			 json_object_get(report, "databases"), "cost",
			 json_object_get(report, "cost"), "counts",
			 json_object_get(report, "counts"), "changes",
			 reload_changes(old, d->roster), "needs_restart",
			 reload_restarts(d->reload.started ? d->reload.started
							   : json_object_get(report, "settings"),
					 d->roster),
			 "problems", json_object_get(report, "problems"), "warnings",
			 json_integer_value(json_object_get(report, "warnings")));
}

static void adopt_configuration(struct daemon *d)
{
	const json_t *report = d->roster->compiled->report;

	adopt_places(d, d->roster);
	adopt_settings(d);
	risk_run_adopt(d);
	warmup_run_adopt(d, daemon_time() / 1000000000);
	daemon_apply_all(d);
	daemon_apply_kernel(d);
	if (!d->reload.started)
		d->reload.started = json_incref(json_object_get(report, "settings"));
}

/* Which rules are in force, for the audit log. */
static json_t *rules_json(const struct daemon *d)
{
	return json_pack("{s:s, s:s}", "rules", d->rules.text, "source",
			 d->rules.pushed ? "pushed" : "configuration");
}

static void commit(struct daemon *d)
{
	struct reload *r = &d->reload;
	struct roster *old = d->roster;
	double took_s = (double)(daemon_clock() - r->began) / 1e9;
	json_t *result, *brief;

	d->roster = r->next;
	r->next = NULL;
	if (!r->change.only)
		adopt_configuration(d);
	r->done++;
	r->last = daemon_time();
	json_decref(r->problems);
	r->problems = NULL;
	log_problems(json_object_get(d->roster->compiled->report, "problems"));
	result = result_of(d, old, took_s);
	if (!r->change.only) {
		brief = json_pack("{s:O, s:O, s:O}", "generation",
				  json_object_get(result, "generation"), "counts",
				  json_object_get(result, "counts"), "needs_restart",
				  json_object_get(result, "needs_restart"));
		daemon_event(d, "reloaded", 0, brief);
	}
	rules_change_adopt(&r->change, d, old, took_s, result);
	if (r->request) {
		r->request->after = rules_json(d);
		request_finish(r->request, result);
	} else {
		json_decref(result);
		audit_daemon(d, "reload", 0, json_pack("{s:o}", "after", rules_json(d)), NULL);
	}
	roster_free(old);
	end(d);
}

/* On the way */

/* New tenants' slots must be right before their first packet finds them. */
static void prepare_slots(struct daemon *d, const struct roster *next)
{
	for (uint32_t slot = 1; slot < next->count; slot++) {
		const struct roster_tenant *t = &next->tenant[slot];
		struct tenant_slot wanted;

		if (!t->id ||
		    (d->roster && slot < d->roster->count && d->roster->tenant[slot].id == t->id))
			continue;
		if (d->kernel && d->slots.slot[slot].id != t->id)
			kernel_tenant_forget(d->kernel, slot);
		wanted = daemon_effective(d, next, slot);
		slot_apply(&d->slots.slot[slot], &wanted);
	}
}

static void refused(struct daemon *d, const char *why)
{
	snprintf(d->reload.refused, sizeof(d->reload.refused), "%s", why);
	daemon_event(d, "dataplane_refused", 0, json_pack("{s:s}", "reason", why));
}

static void on_pushed(void *ctx, int rc, const char *words)
{
	struct daemon *d = ctx;

	if (rc == 0) {
		d->reload.refused[0] = '\0';
		commit(d);
		return;
	}
	if (!d->roster) {
		/* At the start: posternd must be there to be asked what is wrong. */
		refused(d, *words ? words : strerror(-rc));
		commit(d);
		return;
	}
	roster_free(d->reload.next);
	d->reload.next = NULL;
	fail(d, "dataplane_refused", *words ? words : strerror(-rc), NULL);
}

static void push(struct daemon *d)
{
	static const struct timeval pause = {0, 20000};
	struct dataplane_policy next = daemon_policy(d, d->reload.next), before;
	int rc;

	if (d->roster)
		before = daemon_policy(d, d->roster);
	d->reload.swapped = daemon_clock();
	rc = dataplane_push(d->dataplane, &next, d->roster ? &before : NULL, on_pushed, d);
	if (rc == -EBUSY)
		evtimer_add(d->reload.retry, &pause);
	else if (rc == -ENOTCONN)
		commit(d); /* it gets it when it comes */
}

static void on_retry(evutil_socket_t fd, short what, void *ctx)
{
	push(ctx);
}

/* Takes the result over. */
static void not_compiled(struct daemon *d, struct compiled *result)
{
	const char *refused = json_string_value(json_object_get(result->report, "refused"));
	json_t *problems = json_incref(json_object_get(result->report, "problems"));
	char why[160];

	snprintf(why, sizeof(why), "%s", refused ? refused : "");
	compiled_free(result);
	if (*why)
		fail(d, "over_budget", why, problems);
	else if (d->reload.change.only)
		fail(d, "bad_rules", "the rules have errors: the old ones stay", problems);
	else
		fail(d, "bad_configuration", "the configuration has errors: the old one stays",
		     problems);
}

static void on_compiled(void *ctx, struct compiled *result, const char *why)
{
	struct daemon *d = ctx;
	json_t *report = result ? result->report : NULL;
	int rc;

	d->reload.compile = NULL;
	if (!result) {
		fail(d, "compile_failed", why, NULL);
		return;
	}
	if (!json_is_true(json_object_get(report, "ok"))) {
		not_compiled(d, result);
		return;
	}
	rc = d->reload.change.only ? compiled_complete(result, d->roster->compiled) : 0;
	if (rc)
		compiled_free(result);
	else
		rc = roster_new(result, &d->reload.next);
	if (rc) {
		fail(d, "compile_failed", strerror(-rc), NULL);
		return;
	}
	rc = d->kernel ? kernel_fits(d->kernel, d->reload.next) : 0;
	if (rc) {
		roster_free(d->reload.next);
		d->reload.next = NULL;
		fail(d, "too_large", rc == -E2BIG ? kernel_error(d->kernel) : strerror(-rc), NULL);
		return;
	}
	prepare_slots(d, d->reload.next);
	push(d);
}

static const json_t *setting(const struct daemon *d, const char *name)
{
	return d->roster ? json_object_get(json_object_get(d->roster->compiled->report, "settings"),
					   name)
			 : NULL;
}

static uint64_t in_force(const struct daemon *d, const char *name, uint64_t at_start)
{
	const json_t *value = setting(d, name);

	return value ? (uint64_t)json_integer_value(value) : at_start;
}

static bool refuses_cost(const struct daemon *d)
{
	const char *value = json_string_value(setting(d, "gate.rules_over_budget"));

	return value && strcmp(value, "refuse") == 0;
}

static int start(struct daemon *d, const struct rules_text *text)
{
	struct reload *r = &d->reload;
	char cache[PATH_MAX];
	const struct compile_job job = {
		.config = d->config_path,
		.cache = cache,
		.slots = &d->places,
		.now = daemon_time(),
		.generation = state_generation(d->state),
		.memory = in_force(d, "gate.compile_memory", d->config->gate.compile_memory),
		.time = in_force(d, "gate.compile_time", d->config->gate.compile_time),
		.budget = (uint32_t)in_force(d, "gate.rules_budget", d->config->gate.rules_budget),
		.refuse = refuses_cost(d),
		.rules_only = r->change.only,
		.rules = rules_change_job(&r->change, d, text),
	};

	if (snprintf(cache, sizeof(cache), "%s/cache", d->config->gate.state_dir) >=
	    (int)sizeof(cache))
		return -ENAMETOOLONG;
	if (!r->retry)
		r->retry = evtimer_new(d->base, on_retry, d);
	return r->retry ? compile_start(d->base, &job, on_compiled, d, &r->compile) : -ENOMEM;
}

bool reload_rules(struct daemon *d, struct request *request, struct rules_change *change,
		  const struct rules_text *text)
{
	struct reload *r = &d->reload;
	int rc;

	if (r->running)
		return false;
	r->running = true;
	r->request = request;
	r->change = *change;
	r->began = daemon_clock();
	r->swapped = 0;
	if (d->roster)
		notify_reloading();
	rc = start(d, text);
	if (rc)
		fail(d, "compile_failed", strerror(-rc), NULL);
	return true;
}

bool reload_start(struct daemon *d, struct request *request)
{
	struct rules_change change = {0};

	if (d->reload.running)
		return false;
	/* Without memory for them it would go on without the overrides. */
	if (rules_change_init(&change, d, d->roster ? RULES_RELOAD : RULES_START, request) == 0)
		return reload_rules(d, request, &change, NULL);
	d->reload.running = true;
	d->reload.request = request;
	fail(d, "no_memory", "no memory", NULL);
	return true;
}

void reload_signal(struct daemon *d)
{
	if (!reload_start(d, NULL))
		d->reload.again = true;
}

/* A dataplane that came */

void reload_restarted(struct daemon *d)
{
	const bool fresh = !dataplane_status(d->dataplane)->policy_generation;
	const json_t *settings =
		d->roster ? json_object_get(d->roster->compiled->report, "settings") : NULL;
	const char *name;
	json_t *value;

	if (!fresh || !settings || !d->reload.started)
		return;
	/* The first configuration's report is shared with it. */
	value = json_deep_copy(d->reload.started);
	json_decref(d->reload.started);
	d->reload.started = value;
	json_object_foreach((json_t *)(uintptr_t)settings, name, value)
	{
		if (reload_is_dataplanes(name))
			json_object_set(d->reload.started, name, value);
	}
}

static void on_synced(void *ctx, int rc, const char *words)
{
	struct daemon *d = ctx;

	d->reload.syncing = false;
	if (rc == 0)
		d->reload.refused[0] = '\0';
	else if (rc != -EPIPE)
		refused(d, *words ? words : strerror(-rc));
	reload_tell_manager(d);
}

void reload_sync(struct daemon *d)
{
	struct dataplane_policy policy;

	if (!d->roster)
		return;
	policy = daemon_policy(d, d->roster);
	d->reload.syncing = dataplane_push(d->dataplane, &policy, NULL, on_synced, d) == 0;
}

void reload_fini(struct daemon *d)
{
	struct reload *r = &d->reload;

	compile_cancel(r->compile);
	if (r->request)
		request_finish(r->request, NULL);
	roster_free(r->next);
	if (r->retry)
		event_free(r->retry);
	json_decref(r->problems);
	json_decref(r->started);
	rules_change_fini(&r->change);
	*r = (struct reload){0};
}
