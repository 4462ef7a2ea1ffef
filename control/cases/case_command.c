/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands about cases. */
#include "control/cases/cases.h"
#include "control/daemon/daemon.h"
#include "control/daemon/tenant_change.h"

#define LIST_MOST 1000

static json_t *named(const struct daemon *d, json_t *one)
{
	const uint32_t id = (uint32_t)json_integer_value(json_object_get(one, "tenant_id"));
	const uint32_t slot = id && d->roster ? roster_slot_of(d->roster, id) : 0;

	if (slot)
		json_object_set_new(one, "tenant", json_string(d->roster->tenant[slot].name));
	return one;
}

enum command_outcome run_case_list(struct request *r, json_t **result)
{
	struct daemon *d = r->daemon;
	uint32_t slot;
	json_t *list, *one;
	size_t i;

	if (!request_tenant_option(r, &slot))
		return COMMAND_FAILED;
	list = case_list(&d->cases.book, slot ? d->roster->tenant[slot].id : 0, !slot,
			 json_is_true(json_object_get(r->arguments, "all")), LIST_MOST);
	json_array_foreach(list, i, one) named(d, one);
	*result = json_pack("{s:o}", "cases", list);
	return COMMAND_DONE;
}

static uint64_t number_of(const struct request *r)
{
	return (uint64_t)json_integer_value(json_object_get(r->arguments, "case"));
}

enum command_outcome run_case_show(struct request *r, json_t **result)
{
	json_t *one = case_json(&r->daemon->cases.book, number_of(r));

	if (!one)
		return request_error(r, "no_such_case", "there is no case %llu",
				     (unsigned long long)number_of(r));
	*result = named(r->daemon, one);
	return COMMAND_DONE;
}

/* One that is not closed; NULL: the answer says so. */
static struct case_one *open_case(struct request *r)
{
	struct case_one *one = case_find(&r->daemon->cases.book, number_of(r));
	json_t *there;

	if (one) {
		r->tenant = one->tenant && r->daemon->roster
				    ? roster_slot_of(r->daemon->roster, one->tenant)
				    : 0;
		return one;
	}
	there = case_json(&r->daemon->cases.book, number_of(r));
	if (there)
		request_error(r, "closed", "case %llu is closed", (unsigned long long)number_of(r));
	else
		request_error(r, "no_such_case", "there is no case %llu",
			      (unsigned long long)number_of(r));
	json_decref(there);
	return NULL;
}

static json_t *words(const struct request *r, const char *name)
{
	return json_pack("{s:s*}", name, request_text(r, name));
}

static enum command_outcome done(struct request *r, const struct case_one *one, json_t **result)
{
	*result = json_pack("{s:I, s:s}", "case", (json_int_t)one->id, "state",
			    case_state_name(one->state));
	daemon_event(r->daemon, "case_changed", r->tenant,
		     json_pack("{s:I, s:s, s:s}", "case", (json_int_t)one->id, "state",
			       case_state_name(one->state), "by", r->peer.name));
	return COMMAND_DONE;
}

enum command_outcome run_case_open(struct request *r, json_t **result)
{
	struct daemon *d = r->daemon;
	const uint32_t slot = request_tenant(r);
	struct store_unit *unit;
	struct case_one *one;
	json_t *fields;
	bool opened;

	if (!slot)
		return COMMAND_FAILED;
	one = case_of(&d->cases.book, d->roster->tenant[slot].id);
	if (one)
		return request_error(r, "there_is_one", "case %llu is about %s already",
				     (unsigned long long)one->id, d->roster->tenant[slot].name);
	unit = request_unit(r);
	one = case_take(&d->cases.book, unit, d->roster->tenant[slot].id, daemon_time(), &opened);
	if (!one)
		return request_error(r, "no_memory", "no memory");
	case_add(&d->cases.book, unit, one, "note", r->peer.name, words(r, "why"), daemon_time());
	d->cases.opened++;
	fields = words(r, "why");
	cases_tell(d, unit, one, "case_opened", fields);
	json_decref(fields);
	daemon_event(d, "case_opened", slot,
		     json_pack("{s:I, s:s, s:s}", "case", (json_int_t)one->id, "for",
			       request_text(r, "why"), "by", r->peer.name));
	*result = json_pack("{s:I, s:s}", "case", (json_int_t)one->id, "state",
			    case_state_name(one->state));
	return COMMAND_DONE;
}

enum command_outcome run_case_note(struct request *r, json_t **result)
{
	struct case_one *one = open_case(r);

	if (!one)
		return COMMAND_FAILED;
	case_add(&r->daemon->cases.book, request_unit(r), one, "note", r->peer.name,
		 words(r, "text"), daemon_time());
	return done(r, one, result);
}

enum command_outcome run_case_answer(struct request *r, json_t **result)
{
	struct case_one *one = open_case(r);

	if (!one)
		return COMMAND_FAILED;
	case_answered(&r->daemon->cases.book, request_unit(r), one, r->peer.name, words(r, "text"),
		      daemon_time());
	return done(r, one, result);
}

enum command_outcome run_case_close(struct request *r, json_t **result)
{
	struct case_one *one = open_case(r), last;

	if (!one)
		return COMMAND_FAILED;
	last = *one;
	last.state = CASE_CLOSED;
	case_closed(&r->daemon->cases.book, request_unit(r), one, r->peer.name, words(r, "why"),
		    daemon_time());
	return done(r, &last, result);
}
