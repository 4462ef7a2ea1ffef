/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands that change the rules. Each compiles, swaps and answers as a reload does. */
#include "control/rules/rules_command.h"

#include <errno.h>
#include <string.h>

#include "control/daemon/daemon.h"

static enum command_outcome starting(struct request *r)
{
	return request_error(r, "starting", "posternd has not read its configuration yet");
}

/* Takes the change over. */
static enum command_outcome go(struct request *r, struct rules_change *change,
			       const struct rules_text *text)
{
	if (reload_rules(r->daemon, r, change, text))
		return COMMAND_LATER;
	rules_change_fini(change);
	return request_error(r, "busy",
			     "a reload or a push is running; try again when it has ended");
}

static enum command_outcome init(struct request *r, struct rules_change *change, enum rules_how how)
{
	if (!r->daemon->roster)
		return starting(r);
	if (rules_change_init(change, r->daemon, how, r) != 0)
		return request_error(r, "no_memory", "no memory");
	change->only = true;
	return COMMAND_DONE;
}

/* Pushes */

static bool flag(const struct request *r, const char *name)
{
	return json_is_true(json_object_get(r->arguments, name));
}

enum command_outcome run_rules_stage(struct request *r, json_t **result)
{
	struct rules_stage *stage = &r->daemon->stage;
	const char *text = request_text(r, "text");
	int rc = rules_stage_add(stage, r->client, request_text(r, "file"), flag(r, "data"), text,
				 strlen(text));
	const struct rules_text *staged = rules_stage_of(stage, r->client);

	if (rc == -EBUSY)
		return request_error(r, "busy", "others are pushing: there is no room");
	if (rc == -EFBIG)
		return request_error(r, "too_long",
				     "a push has at most %u MiB of rules, in %u files",
				     RULES_TEXT_MAX >> 20, RULES_FILES_MAX);
	if (rc)
		return request_error(r, "no_memory", "no memory");
	*result = json_pack("{s:I, s:I}", "files", (json_int_t)staged->count, "bytes",
			    (json_int_t)staged->bytes);
	return COMMAND_DONE;
}

/* Back to gate.rules: a reload that reads them. */
static enum command_outcome push_configuration(struct request *r, struct rules_change *change)
{
	change->only = false;
	change->pushed = false;
	change->stored[0] = '\0';
	return go(r, change, NULL);
}

enum command_outcome run_rules_push(struct request *r, json_t **result)
{
	const struct rules_text *text = rules_stage_of(&r->daemon->stage, r->client);
	enum command_outcome outcome;
	struct rules_change change;

	if (!text == !flag(r, "configuration"))
		return request_error(r, "bad_argument",
				     text ? "rules were staged: \"configuration\" pushes those of "
					    "gate.rules"
					  : "no rules were staged on this connection (\"rules "
					    "stage\"), and \"configuration\" is not true");
	outcome = init(r, &change, RULES_PUSH);
	if (outcome != COMMAND_DONE)
		return outcome;
	change.shadow = flag(r, "shadow");
	if (!change.shadow)
		rule_overrides_end_pushed(&change.overrides);
	if (!text)
		return push_configuration(r, &change);
	change.pushed = true;
	outcome = go(r, &change, text);
	/* The compiler has its own copy by now. */
	if (outcome == COMMAND_LATER)
		rules_stage_forget(&r->daemon->stage, r->client);
	return outcome;
}

enum command_outcome run_rules_rollback(struct request *r, json_t **result)
{
	uint64_t wanted = (uint64_t)json_integer_value(json_object_get(r->arguments, "generation"));
	const json_t *entry = rules_state_find(&r->daemon->rules, wanted);
	enum command_outcome outcome;
	struct rules_change change;
	const char *text;

	if (!entry && wanted)
		return request_error(
			r, "no_such_generation",
			"generation %llu is none of those that are remembered (\"rules "
			"history\")",
			(unsigned long long)wanted);
	if (!entry)
		return request_error(r, "no_such_generation", "there were no other rules before");
	text = json_string_value(json_object_get(entry, "text"));
	outcome = init(r, &change, RULES_ROLLBACK);
	if (outcome != COMMAND_DONE)
		return outcome;
	change.of = (uint64_t)json_integer_value(json_object_get(entry, "generation"));
	change.pushed = true;
	snprintf(change.stored, sizeof(change.stored), "%s", text ? text : "");
	return go(r, &change, NULL);
}

/* Single rules */

static uint32_t sid_of(struct request *r)
{
	json_int_t sid = json_integer_value(json_object_get(r->arguments, "sid"));

	return sid > 0 && sid <= UINT32_MAX ? (uint32_t)sid : 0;
}

/*
 * What there is about the rule, in the change's overrides, after which set() goes over it. What is
 * in force must be there to be compiled anew: the text that is kept.
 */
static enum command_outcome override(struct request *r, enum rules_how how,
				     void (*set)(struct rule_override *o, int value), int value)
{
	struct daemon *d = r->daemon;
	uint32_t sid = sid_of(r);
	const struct rule_override *there = rule_override_find(&d->rules.overrides, sid);
	struct rule_override o = there ? *there : (struct rule_override){.sid = sid};
	struct rules_change change;
	enum command_outcome outcome;

	if (d->roster && !there && !rule_index_find(&d->roster->index, sid))
		return request_error(
			r, "no_such_rule", "there is no rule with sid %lld in force",
			(long long)json_integer_value(json_object_get(r->arguments, "sid")));
	outcome = init(r, &change, how);
	if (outcome != COMMAND_DONE)
		return outcome;
	set(&o, value);
	o.since = daemon_time() / 1000000000;
	memcpy(o.by, change.by, sizeof(o.by));
	change.sid = sid;
	memcpy(change.stored, d->rules.text, sizeof(change.stored));
	if (rule_override_put(&change.overrides, &o) == 0)
		return go(r, &change, NULL);
	rules_change_fini(&change);
	return request_error(r, "no_memory",
			     "no memory, or too many rules with settings of their own");
}

/* By command goes before by push. */
static void set_shadow(struct rule_override *o, int value)
{
	o->shadow = (enum rule_shadow)value;
	o->pushed = 0;
}

static void set_disabled(struct rule_override *o, int value)
{
	o->disabled = value;
}

enum command_outcome run_rules_shadow(struct request *r, json_t **result)
{
	const char *state = request_text(r, "state");
	int shadow = rule_shadow_of(state);

	if (shadow < 0)
		return request_error(r, "bad_argument",
				     "\"state\" must be \"on\", \"off\" or \"own\", not \"%.40s\"",
				     state);
	return override(r, RULES_SHADOW, set_shadow, shadow);
}

enum command_outcome run_rules_disable(struct request *r, json_t **result)
{
	return override(r, RULES_DISABLE, set_disabled, true);
}

enum command_outcome run_rules_enable(struct request *r, json_t **result)
{
	return override(r, RULES_ENABLE, set_disabled, false);
}
