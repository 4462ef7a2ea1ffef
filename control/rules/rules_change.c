/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rules/rules_change.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/daemon/command.h"
#include "control/daemon/daemon.h"

const char *rules_how_name(enum rules_how how)
{
	static const char *const names[] = {
#define X(id, name) [RULES_##id] = name,
		RULES_HOWS(X)
#undef X
	};

	return names[how];
}

int rules_change_init(struct rules_change *c, const struct daemon *d, enum rules_how how,
		      const struct request *request)
{
	const char *reason = request ? request_text(request, "reason") : NULL;

	*c = (struct rules_change){
		.how = how, .pushed = d->rules.pushed, .pid = -1, .uid = (uid_t)-1};
	if (c->pushed)
		memcpy(c->stored, d->rules.text, sizeof(c->stored));
	if (request) {
		snprintf(c->by, sizeof(c->by), "%s", request->peer.name);
		c->uid = request->peer.uid;
		c->pid = request->peer.pid;
	}
	/* Cut between characters: the journal and the socket are UTF-8's. */
	if (reason) {
		size_t len = strlen(reason) < sizeof(c->reason) ? strlen(reason)
								: sizeof(c->reason) - 1;

		while (len && len < strlen(reason) && (reason[len] & 0xc0) == 0x80)
			len--;
		memcpy(c->reason, reason, len);
	}
	return rule_overrides_copy(&d->rules.overrides, &c->overrides);
}

void rules_change_fini(struct rules_change *c)
{
	rule_overrides_fini(&c->overrides);
	*c = (struct rules_change){0};
}

struct compile_rules rules_change_job(const struct rules_change *c, struct daemon *d,
				      const struct rules_text *text)
{
	return (struct compile_rules){
		.text = text,
		.stored = *c->stored ? c->stored : NULL,
		.pushed = c->pushed,
		.fall_back = !d->roster,
		.store = d->rules.path,
		.overrides = &c->overrides,
		.before = d->roster ? &d->roster->index : NULL,
		.shadow = c->shadow,
	};
}

/* What is different */

struct counts {
	json_int_t of[RULE_CHANGES];
};

static void count_one(void *ctx, enum rule_change change, uint32_t sid)
{
	((struct counts *)ctx)->of[change]++;
}

static struct counts compare(const struct roster *old, const struct roster *next)
{
	static const struct rule_index none = {.strings = ""};
	struct counts counts = {0};

	rule_index_compare(old ? &old->index : &none, &next->index, count_one, &counts);
	return counts;
}

static json_int_t total(const struct counts *counts)
{
	return counts->of[RULE_ADDED] + counts->of[RULE_REMOVED] + counts->of[RULE_CHANGED];
}

static json_t *counts_json(const struct counts *counts)
{
	return json_pack("{s:I, s:I, s:I}", "added", counts->of[RULE_ADDED], "removed",
			 counts->of[RULE_REMOVED], "changed", counts->of[RULE_CHANGED]);
}

static json_int_t count_of(const struct daemon *d, const char *name)
{
	return json_integer_value(
		json_object_get(json_object_get(d->roster->compiled->report, "counts"), name));
}

static json_t *rule_counts_json(const struct daemon *d)
{
	return json_pack("{s:I, s:I, s:I}", "rules", count_of(d, "rules"), "shadow",
			 count_of(d, "shadow"), "disabled", count_of(d, "disabled"));
}

/* What the event and the history both say. */
static json_t *story_json(const struct rules_change *c, const struct daemon *d,
			  const struct counts *counts, double took_s)
{
	return json_pack("{s:I, s:s, s:s, s:s, s:o, s:o, s:f}", "generation",
			 (json_int_t)d->roster->compiled->generation, "how", rules_how_name(c->how),
			 "by", c->by, "reason", c->reason, "counts", rule_counts_json(d), "changes",
			 counts_json(counts), "took_s", took_s);
}

static json_t *entry_json(const struct rules_change *c, const struct daemon *d,
			  const struct counts *counts, double took_s)
{
	json_t *entry = story_json(c, d, counts, took_s);

	json_object_set_new(entry, "time", json_integer((json_int_t)(daemon_time() / 1000000000)));
	json_object_set_new(entry, "source",
			    json_string(d->rules.pushed ? "pushed" : "configuration"));
	json_object_set_new(entry, "text", json_string(d->rules.text));
	if (c->uid != (uid_t)-1) {
		json_object_set_new(entry, "uid", json_integer((json_int_t)c->uid));
		json_object_set_new(entry, "pid", json_integer((json_int_t)c->pid));
	}
	if (c->of)
		json_object_set_new(entry, "of", json_integer((json_int_t)c->of));
	if (c->sid)
		json_object_set_new(entry, "sid", json_integer((json_int_t)c->sid));
	return entry;
}

/* Which of them the compiler put into shadow, for pushes to come. */
static void keep_pushed(struct rules_change *c, const struct daemon *d)
{
	const struct rule_index *index = &d->roster->index;

	for (size_t i = 0; i < index->count; i++) {
		const struct rule_row *row = &index->row[i];
		const struct rule_override *there = rule_override_find(&c->overrides, row->sid);
		struct rule_override o = there ? *there : (struct rule_override){.sid = row->sid};

		if (!row->pushed || o.pushed == row->digest)
			continue;
		o.pushed = row->digest;
		o.since = daemon_time() / 1000000000;
		memcpy(o.by, c->by, sizeof(o.by));
		rule_override_put(&c->overrides, &o);
	}
}

static void say_unstored(json_t *result, const char *what, const char *why)
{
	json_object_set_new(result, "stored", json_false());
	json_object_set_new(
		result, "warning",
		json_sprintf("it holds, and is lost when posternd ends: %s: %s", what, why));
}

void rules_change_adopt(struct rules_change *c, struct daemon *d, const struct roster *old,
			double took_s, json_t *result)
{
	const json_t *report = d->roster->compiled->report;
	const char *text = json_string_value(json_object_get(report, "text"));
	const char *unstored = json_string_value(json_object_get(report, "unstored"));
	struct counts counts = compare(old, d->roster);
	bool same = text && strcmp(text, d->rules.text) == 0;
	int rc;

	if (c->shadow)
		keep_pushed(c, d);
	d->rules.pushed = json_is_true(json_object_get(report, "pushed"));
	if (text && strlen(text) < sizeof(d->rules.text))
		strcpy(d->rules.text, text);
	rule_overrides_fini(&d->rules.overrides);
	d->rules.overrides = c->overrides;
	c->overrides = (struct rule_overrides){0};
	d->rules.dirty |= !same;
	/* Reloads that have nothing to do with rules are no generations of theirs. */
	if (c->how > RULES_RELOAD || (!same && total(&counts))) {
		rules_state_note(&d->rules, entry_json(c, d, &counts, took_s));
		daemon_event(d, "rules_changed", 0, story_json(c, d, &counts, took_s));
	}
	rc = rules_state_flush(&d->rules);
	json_object_set_new(result, "rules_source",
			    json_string(d->rules.pushed ? "pushed" : "configuration"));
	json_object_set_new(result, "stored", json_true());
	if (unstored)
		say_unstored(result, "the rules' text can't be stored", unstored);
	else if (rc)
		say_unstored(result, "the state can't be stored", strerror(-rc));
}

void rules_change_refused(const struct rules_change *c, struct daemon *d, const char *code,
			  const char *why)
{
	daemon_event(d, "rules_refused", 0,
		     json_pack("{s:s, s:s, s:s, s:s}", "how", rules_how_name(c->how), "by", c->by,
			       "code", code, "reason", why));
}
