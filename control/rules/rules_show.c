/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands that look at the rules. */
#include <stdlib.h>
#include <string.h>

#include "control/daemon/daemon.h"
#include "control/rules/rules_command.h"

/* Of rules that matched; the caller's. NULL: none, or no memory. */
static struct rule_hit *hits_of(struct daemon *d, size_t *count)
{
	return rule_tally_list(&d->hits, dataplane_memory(d->dataplane), count, NULL);
}

static json_t *sids_json(const struct daemon *d)
{
	json_t *sids = json_array();

	for (size_t i = 0; i < d->roster->index.count; i++)
		if (!d->roster->index.row[i].disabled)
			json_array_append_new(sids, json_integer(d->roster->index.row[i].sid));
	return sids;
}

enum command_outcome run_rules(struct request *r, json_t **result)
{
	struct daemon *d = r->daemon;
	size_t count;
	struct rule_hit *hits = hits_of(d, &count);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:I, s:I}", "sid", (json_int_t)hits[i].sid,
						      "hits", (json_int_t)hits[i].count));
	free(hits);
	*result = json_pack("{s:I, s:o?, s:o}", "generation",
			    (json_int_t)(d->roster ? d->roster->compiled->generation : 0), "sids",
			    d->roster ? sids_json(d) : NULL, "hits", list);
	return COMMAND_DONE;
}

/* The list */

static const char *state_of(const struct rule_row *row)
{
	return row->disabled ? "disabled" : row->shadow ? "shadow" : "live";
}

/* Why it is in that state: the rule's own text, a command, or how it was pushed. */
static const char *cause_of(const struct rule_row *row, const struct rule_override *o)
{
	if (row->pushed && !row->disabled)
		return "push";
	return o && (o->disabled || o->shadow != RULE_SHADOW_OWN) ? "command" : "rule";
}

static json_t *row_json(const struct daemon *d, const struct rule_row *row, uint64_t hits)
{
	static const char *const actions[] = {"pass", "alert", "drop", "reject"};
	const struct rule_index *index = &d->roster->index;
	const struct rule_override *o = rule_override_find(&d->rules.overrides, row->sid);
	json_t *rule = json_pack(
		"{s:I, s:I, s:s, s:s, s:s, s:I, s:s, s:s, s:I}", "sid", (json_int_t)row->sid, "rev",
		(json_int_t)row->rev, "action", row->action < 4 ? actions[row->action] : "", "msg",
		rule_index_text(index, row->msg), "file", rule_index_text(index, row->file), "line",
		(json_int_t)row->line, "state", state_of(row), "state_by", cause_of(row, o), "hits",
		(json_int_t)hits);

	/* What was read from a file may be no UTF-8. */
	if (!rule)
		rule = json_pack("{s:I, s:I, s:s, s:s, s:I}", "sid", (json_int_t)row->sid, "rev",
				 (json_int_t)row->rev, "action",
				 row->action < 4 ? actions[row->action] : "", "state",
				 state_of(row), "hits", (json_int_t)hits);
	if (row->keep)
		json_object_set_new(rule, "keep", json_integer(row->keep));
	if (o && *o->by) {
		json_object_set_new(rule, "by", json_string(o->by));
		json_object_set_new(rule, "since", json_integer((json_int_t)o->since));
	}
	return rule;
}

static json_t *list_json(struct daemon *d, const char *state)
{
	const struct rule_index *index = &d->roster->index;
	size_t count, at = 0;
	struct rule_hit *hits = hits_of(d, &count);
	json_t *list = json_array();

	for (size_t i = 0; i < index->count; i++) {
		const struct rule_row *row = &index->row[i];

		while (at < count && hits[at].sid < row->sid)
			at++;
		if (state && strcmp(state, state_of(row)) != 0)
			continue;
		json_array_append_new(
			list,
			row_json(d, row,
				 at < count && hits[at].sid == row->sid ? hits[at].count : 0));
	}
	free(hits);
	return list;
}

/* Of rules that are not in force: they would hold if they came back. */
static json_t *unused_json(const struct daemon *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->rules.overrides.count; i++) {
		const struct rule_override *o = &d->rules.overrides.items[i];

		if ((o->disabled || o->shadow != RULE_SHADOW_OWN) &&
		    !rule_index_find(&d->roster->index, o->sid))
			json_array_append_new(list, json_integer((json_int_t)o->sid));
	}
	return list;
}

enum command_outcome run_rules_list(struct request *r, json_t **result)
{
	struct daemon *d = r->daemon;
	const char *state = request_text(r, "state");

	if (!d->roster)
		return request_error(r, "starting", "posternd has not read its configuration yet");
	if (state && strcmp(state, "live") != 0 && strcmp(state, "shadow") != 0 &&
	    strcmp(state, "disabled") != 0)
		return request_error(r, "bad_argument",
				     "\"state\" must be \"live\", \"shadow\" or \"disabled\", not "
				     "\"%.40s\"",
				     state);
	*result = json_pack("{s:I, s:s, s:o, s:o}", "generation",
			    (json_int_t)d->roster->compiled->generation, "source",
			    d->rules.pushed ? "pushed" : "configuration", "rules",
			    list_json(d, state), "overrides_unused", unused_json(d));
	return COMMAND_DONE;
}

enum command_outcome run_rules_history(struct request *r, json_t **result)
{
	const struct rules_state *s = &r->daemon->rules;
	json_t *list = json_array();

	/* The newest first: what people ask for. */
	for (size_t i = json_array_size(s->history); i-- > 0;) {
		json_t *entry = json_copy(json_array_get(s->history, i));
		const char *text = json_string_value(json_object_get(entry, "text"));

		json_object_set_new(entry, "in_force", json_boolean(!json_array_size(list)));
		json_object_set_new(entry, "kept",
				    json_boolean(text && rules_text_is_kept(s->path, text)));
		json_array_append_new(list, entry);
	}
	*result = json_pack("{s:s, s:o}", "source", s->pushed ? "pushed" : "configuration",
			    "history", list);
	return COMMAND_DONE;
}
