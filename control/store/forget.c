/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/store/forget.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/list.h"
#include "control/base/log.h"
#include "control/daemon/daemon.h"
#include "control/lists/list_work.h"

#define SECOND UINT64_C(1000000000)
#define STEP   500 /* rows of one part at a time */
#define PAUSE  (60 * SECOND)

/* Retention */

/* ns; 0: for ever. */
static uint64_t kept_for(const struct daemon *d, const char *kind)
{
	const json_t *settings = json_object_get(d->roster->compiled->report, "settings");
	char name[64];

	snprintf(name, sizeof(name), "gate.retention.%s", kind);
	return (uint64_t)json_integer_value(json_object_get(settings, name));
}

static void on_expired(void *ctx, const struct store_result *result)
{
	struct daemon *d = ctx;

	d->retention.running = false;
	d->retention.rows += result->changes;
	if (result->changes >= STEP)
		d->retention.next = 0; /* there is more */
}

void retention_turn(struct daemon *d)
{
	const uint64_t now = daemon_time();

	if (!d->roster || d->retention.running || daemon_clock() < d->retention.next ||
	    !store_ready(d->store))
		return;
	d->retention.next = daemon_clock() + PAUSE;
	for (size_t i = 0; store_parts[i]; i++) {
		const struct store_part *part = store_parts[i];
		const uint64_t keep = part->retention ? kept_for(d, part->retention) : 0;

		if (keep && part->expire && keep < now &&
		    store_expire(d->store, part, now - keep, STEP, on_expired, d) == 0)
			d->retention.running = true;
	}
}

/* Forgetting */

/* Who opted out must go on being known, or would be written to again. */
static json_int_t listings(const struct daemon *d, struct list_target *target,
			   const json_t *entries)
{
	char error[LIST_STORE_ERROR];
	json_t *told = list_work_check(&d->lists.store, target, entries, error);
	const char *standing =
		json_string_value(json_object_get(json_array_get(told, 0), "standing"));
	const bool there = standing && strcmp(standing, "absent") != 0;

	json_decref(told);
	return there;
}

static json_int_t listings_of(const struct daemon *d, const char *kind, const json_t *entries)
{
	struct list_target target = {.info = list_kind_find(kind)};
	json_int_t n = target.info->global ? listings(d, &target, entries) : 0;

	for (uint32_t slot = 1; target.info->tenant && slot < d->roster->count; slot++) {
		target.owner = d->roster->tenant[slot].id;
		target.name = d->roster->tenant[slot].name;
		n += target.owner ? listings(d, &target, entries) : 0;
	}
	return n;
}

/* From every tenant's list of those that bounced. */
static json_int_t unlist(struct daemon *d, const json_t *entries)
{
	struct list_target target = {.info = list_kind_find("suppressed")};
	char error[LIST_STORE_ERROR];
	json_int_t n = 0;

	for (uint32_t slot = 1; slot < d->roster->count; slot++) {
		target.owner = d->roster->tenant[slot].id;
		target.name = d->roster->tenant[slot].name;
		if (!target.owner || !listings(d, &target, entries))
			continue;
		json_decref(list_work_patch(&d->lists.store, &target, entries, true, 0, error));
		n++;
	}
	return n;
}

/* What a person wrote about a suspension is in memory, and would be written again. */
static void unmention(struct daemon *d, struct store_unit *unit, const char *word)
{
	size_t count, len;
	const struct override *all = state_all(d->state, &count);

	for (size_t i = 0; i < count; i++) {
		struct override o = all[i];
		char *rest = person_words_out(o.reason, strlen(o.reason), word, &len);

		if (!rest)
			continue;
		snprintf(o.reason, sizeof(o.reason), "%s", rest);
		state_put(d->state, &o, unit); /* in its place: there are as many as before */
		free(rest);
	}
}

/* Nor does it say who in its own reason. */
static void unmention_reason(struct request *r, const char *word)
{
	const char *reason = request_text(r, "reason");
	size_t len;
	char *rest = reason ? person_words_out(reason, strlen(reason), word, &len) : NULL;

	if (rest)
		json_object_set_new(r->arguments, "reason", json_string(rest));
	free(rest);
}

static json_t *result_of(struct request *r, uint64_t person, uint64_t rows, json_int_t unlisted,
			 const json_t *entries)
{
	char hash[PERSON_TEXT];

	return json_pack("{s:s, s:{s:I, s:I}, s:{s:I, s:I}}", "person", person_text(person, hash),
			 "removed", "rows", (json_int_t)rows, "suppressed", unlisted, "kept",
			 "optout", listings_of(r->daemon, "optout", entries), "dnc",
			 listings_of(r->daemon, "dnc", entries));
}

/* The tables have lost it; now the lists. */
static void on_rows(void *ctx, const struct store_result *stored)
{
	struct request *r = ctx;
	struct daemon *d = r->daemon;
	const char *address = request_text(r, "address");
	const uint64_t person = person_hash(&d->person, address, strlen(address));
	json_t *entries = json_pack("[s]", address), *result;
	json_int_t unlisted;

	if (stored->rc)
		state_unstored(d->state); /* reasons in memory are without the word already */
	if (stored->rc || d->lists.busy) {
		request_error(r, stored->rc ? "not_stored" : "busy", "%s",
			      stored->rc ? strerror(-stored->rc)
					 : "a change to the lists is under way; try again");
		request_finish(r, NULL);
		json_decref(entries);
		return;
	}
	unlisted = unlist(d, entries);
	feedback_forget_address(d, address);
	result = result_of(r, person, stored->changes, unlisted, entries);
	json_decref(entries);
	/* The audit log is for ever, and names nobody who is forgotten. */
	r->after = json_copy(result);
	json_object_del(r->after, "person");
	if (!unlisted) {
		request_finish(r, result);
		return;
	}
	d->lists.request = r;
	d->lists.scrub = true;
	lists_changed(d, result);
}

enum command_outcome run_forget(struct request *r, json_t **result)
{
	struct daemon *d = r->daemon;
	const char *address = request_text(r, "address");
	uint8_t normal[LIST_TEXT_MAX + 1];
	char hash[PERSON_TEXT];
	const char *const words[] = {(const char *)normal, hash, NULL};
	struct store_unit *unit;
	uint64_t person;
	size_t len;

	if (!d->roster)
		return request_error(r, "starting", "posternd has not read its configuration yet");
	len = list_address(address, strlen(address), normal);
	if (!len)
		len = list_number(address, strlen(address), normal);
	normal[len] = '\0';
	if (!len)
		return request_error(r, "bad_argument", "it is no address and no number");
	if (*d->lists.trouble)
		return request_error(r, "lists_failed", "%s", d->lists.trouble);
	d->lists.store.now = daemon_time() / SECOND;
	person = person_hash(&d->person, address, strlen(address));
	person_text(person, hash);
	unit = store_begin(d->store);
	for (size_t i = 0; words[i]; i++) {
		unmention(d, unit, words[i]);
		unmention_reason(r, words[i]);
	}
	if (store_forget(d->store, unit, person, words, on_rows, r) != 0) {
		state_unstored(d->state);
		return request_error(r, "no_memory", "no memory");
	}
	return COMMAND_LATER;
}
