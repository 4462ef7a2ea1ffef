/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/audit_note.h"

#include <string.h>
#include <unistd.h>

#include "control/command.h"
#include "control/daemon.h"
#include "control/log.h"

static void note(struct daemon *d, struct audit_note *n, uint32_t slot, struct store_unit *unit)
{
	const bool known = slot && d->roster && slot < d->roster->count;

	n->time = daemon_time();
	n->generation = daemon_generation(d);
	if (known) {
		n->tenant = d->roster->tenant[slot].id;
		n->tenant_name = d->roster->tenant[slot].name;
	}
	if (audit_add(d->audit, unit, n) != 0)
		log_error("no memory for the audit log", "action=%s", log_text(n->action));
}

/* Requests */

static json_t *person_json(const struct daemon *d, const json_t *value)
{
	const char *text = json_string_value(value);
	char hash[PERSON_TEXT];

	return text ? json_string(person_text(person_hash(&d->person, text, strlen(text)), hash))
		    : json_null();
}

static json_t *persons_json(const struct daemon *d, const json_t *value)
{
	json_t *list, *item;
	size_t i;

	if (!json_is_array(value))
		return person_json(d, value);
	list = json_array();
	json_array_foreach(value, i, item) json_array_append_new(list, person_json(d, item));
	return list;
}

static json_t *arguments_json(const struct request *r)
{
	const struct command_argument *a = r->command->arguments;
	json_t *arguments = json_object(), *value;

	for (; a && a->name; a++) {
		value = json_object_get(r->arguments, a->name);
		if (value)
			json_object_set_new(arguments, a->name,
					    a->person ? persons_json(r->daemon, value)
						      : json_deep_copy(value));
	}
	return arguments;
}

void audit_request(struct request *r, struct store_unit *unit)
{
	struct audit_note n = {
		.action = r->command->name,
		.actor = r->peer.name,
		.uid = r->peer.uid,
		.fields = json_pack("{s:o, s:i}", "arguments", arguments_json(r), "pid",
				    (int)r->peer.pid),
	};

	if (r->before)
		json_object_set(n.fields, "before", r->before);
	if (r->after)
		json_object_set(n.fields, "after", r->after);
	if (r->generation != daemon_generation(r->daemon))
		json_object_set_new(n.fields, "generation_before",
				    json_integer((json_int_t)r->generation));
	note(r->daemon, &n, r->tenant, unit);
}

/* posternd's own */

void audit_daemon(struct daemon *d, const char *action, uint32_t slot, json_t *fields,
		  struct store_unit *unit)
{
	struct store_unit *own = unit ? unit : store_begin(d->store);
	struct audit_note n = {
		.action = action, .actor = "posternd", .uid = geteuid(), .fields = fields};

	note(d, &n, slot, own);
	if (!unit)
		store_commit(d->store, own, NULL, NULL);
}

void audit_anchor(struct daemon *d)
{
	const struct audit_head head = audit_head(d->audit);
	char hash[AUDIT_HEX];

	if (head.seq == d->anchored)
		return;
	d->anchored = head.seq;
	daemon_event(d, head.good ? "audit_anchor" : "audit_broken", 0,
		     json_pack("{s:I, s:s}", "seq", (json_int_t)head.seq, "hash",
			       audit_hex(head.hash, hash)));
}
