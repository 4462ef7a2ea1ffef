/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/store/audit_note.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/base/log.h"
#include "control/daemon/command.h"
#include "control/daemon/daemon.h"
#include "control/events/eve_people.h"
#include "control/store/forget.h"

#define NUMBER_LEAST 7 /* digits of a telephone number */

/* Entries are for ever: people are in them by names that mean nothing (audit_person()). */
struct naming {
	const struct person_key *key;
	struct store_unit *unit;
	bool nobody; /* who they are is not to be known: they are forgotten */
};

static json_t *name_json(const struct naming *n, const char *text)
{
	const uint64_t person = n->nobody ? 0 : person_hash(n->key, text, strlen(text));
	char alias[AUDIT_PERSON];

	return json_string(audit_person(n->unit, person, alias));
}

/* Texts that people wrote, with the hashes that eve_people_hide() left, as names. */
static json_t *renamed(const struct naming *n, const char *text)
{
	json_t *all = json_string(""), *whole;
	const char *p;

	while ((p = strstr(text, "hash:"))) {
		char hash[PERSON_TEXT] = "", alias[AUDIT_PERSON];
		json_t *more;
		uint64_t person;

		strncat(hash, p, PERSON_TEXT - 1);
		person = person_parse(hash);
		if (!person) {
			p += strlen("hash:");
			more = json_sprintf("%s%.*s", json_string_value(all), (int)(p - text),
					    text);
		} else {
			more = json_sprintf("%s%.*s%s", json_string_value(all), (int)(p - text),
					    text,
					    audit_person(n->unit, n->nobody ? 0 : person, alias));
			p += PERSON_TEXT - 1;
		}
		json_decref(all);
		all = more;
		text = p;
	}
	p = json_string_value(all);
	whole = json_sprintf("%s%s", p ? p : "", text);
	json_decref(all);
	return whole;
}

/* "+15551234567" is a number as "tel:+15551234567" is; without a '+' it may be anything. */
static char *with_schemes(const char *text)
{
	char *out = malloc(5 * strlen(text) + 1), *to = out;

	for (const char *p = text; out && *p; p++) {
		if (*p == '+' && (p == text || strchr(" \t\n,;(<", p[-1])) &&
		    strspn(p + 1, "0123456789") >= NUMBER_LEAST)
			to = stpcpy(to, "tel:");
		*to++ = *p;
	}
	if (out)
		*to = '\0';
	return out;
}

static json_t *hidden_text(const struct naming *n, const char *text)
{
	char *whole = strpbrk(text, "@:+") ? with_schemes(text) : NULL;
	const size_t len = whole ? strlen(whole) : 0, size = len * PERSON_TEXT + 1;
	char *out = whole ? malloc(size) : NULL;
	json_t *json = NULL;

	if (out) {
		out[eve_people_hide(n->key, FIELD_KEY_VERDICT_DETAIL, whole, len, out, size - 1)] =
			'\0';
		json = strcmp(out, whole) == 0 && !strstr(text, "hash:") ? NULL : renamed(n, out);
	}
	free(out);
	free(whole);
	return json ? json : json_string(text);
}

/* Takes the value over. */
static json_t *hide(const struct naming *n, json_t *value)
{
	json_t *copy = value, *item;
	const char *name;
	size_t i;

	if (json_is_object(value)) {
		copy = json_object();
		json_object_foreach(value, name, item)
			json_object_set_new(copy, name, hide(n, json_incref(item)));
	} else if (json_is_array(value)) {
		copy = json_array();
		json_array_foreach(value, i, item)
			json_array_append_new(copy, hide(n, json_incref(item)));
	} else if (json_is_string(value)) {
		copy = hidden_text(n, json_string_value(value));
	} else {
		return value;
	}
	json_decref(value);
	return copy;
}

static void note(struct daemon *d, struct audit_note *n, uint32_t slot, struct store_unit *unit,
		 bool nobody)
{
	const struct naming naming = {&d->person, unit, nobody};
	const bool known = slot && d->roster && slot < d->roster->count;

	n->fields = n->fields ? hide(&naming, n->fields) : NULL;
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

static json_t *person_json(const struct naming *n, const json_t *value)
{
	const char *text = json_string_value(value);

	return text ? name_json(n, text) : json_null();
}

static json_t *persons_json(const struct naming *n, const json_t *value)
{
	json_t *list, *item;
	size_t i;

	if (!json_is_array(value))
		return person_json(n, value);
	list = json_array();
	json_array_foreach(value, i, item) json_array_append_new(list, person_json(n, item));
	return list;
}

static json_t *arguments_json(const struct request *r, const struct naming *n)
{
	const struct command_argument *a = r->command->arguments;
	json_t *arguments = json_object(), *value;

	for (; a && a->name; a++) {
		value = json_object_get(r->arguments, a->name);
		if (value)
			json_object_set_new(arguments, a->name,
					    a->person ? persons_json(n, value)
						      : json_deep_copy(value));
	}
	return arguments;
}

void audit_request(struct request *r, struct store_unit *unit)
{
	const bool nobody = r->command->run == run_forget;
	const struct naming naming = {&r->daemon->person, unit, nobody};
	struct audit_note n = {
		.action = r->command->name,
		.actor = r->peer.name,
		.uid = r->peer.uid,
		.fields = json_pack("{s:o, s:i}", "arguments", arguments_json(r, &naming), "pid",
				    (int)r->peer.pid),
	};

	if (r->before)
		json_object_set(n.fields, "before", r->before);
	if (r->after)
		json_object_set(n.fields, "after", r->after);
	if (r->generation != daemon_generation(r->daemon))
		json_object_set_new(n.fields, "generation_before",
				    json_integer((json_int_t)r->generation));
	note(r->daemon, &n, r->tenant, unit, nobody);
}

/* posternd's own */

void audit_daemon(struct daemon *d, const char *action, uint32_t slot, json_t *fields,
		  struct store_unit *unit)
{
	struct store_unit *own = unit ? unit : store_begin(d->store);
	struct audit_note n = {
		.action = action, .actor = "posternd", .uid = geteuid(), .fields = fields};

	note(d, &n, slot, own, false);
	if (!unit)
		store_commit(d->store, own, NULL, NULL);
}

static void tell_head(struct daemon *d, const char *event, const struct audit_head *head)
{
	char hash[AUDIT_HEX];

	daemon_event(d, event, 0,
		     json_pack("{s:I, s:s}", "seq", (json_int_t)head->seq, "hash",
			       audit_hex(head->hash, hash)));
}

void audit_anchor(struct daemon *d)
{
	const struct audit_head head = audit_head(d->audit);

	if (head.seq == d->anchored)
		return;
	d->anchored = head.seq;
	d->audit_told = !head.good;
	tell_head(d, head.good ? "audit_anchor" : "audit_broken", &head);
}

void audit_turn(struct daemon *d)
{
	struct audit_head head;

	/* Each try at the disk finds it anew: it is told when the entry that says so is there. */
	if (store_stats(d->store).trouble || !audit_found_broken(d->audit))
		return;
	head = audit_head(d->audit);
	if (!d->audit_told)
		tell_head(d, "audit_broken", &head);
	d->audit_told = false;
}
