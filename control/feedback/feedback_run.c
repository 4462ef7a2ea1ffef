/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/feedback/feedback_run.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/event_record.h"
#include "bpf/list.h"
#include "bpf/tag.h"
#include "control/base/log.h"
#include "control/daemon/daemon.h"
#include "control/lists/list_learn.h"

#define SECOND 1000000000

static int64_t seconds(void)
{
	return (int64_t)(daemon_time() / SECOND);
}

static void open_table(struct daemon *d, struct feedback_table *table, const char *name,
		       uint32_t entries)
{
	char path[PATH_MAX];
	int rc = -ENAMETOOLONG;

	if (snprintf(path, sizeof(path), "%s/%s", d->config->gate.state_dir, name) <
	    (int)sizeof(path))
		rc = feedback_table_open(table, path, entries);
	if (rc)
		log_error("reports can't be matched", "file=%s error=%s", log_text(path),
			  log_text(rc == -EBADMSG ? "it is none of ours; take it away"
						  : strerror(-rc)));
}

void feedback_open(struct daemon *d)
{
	const struct config_feedback *c = &d->config->feedback;

	d->feedback.memory.rules = (struct feedback_rules){
		.keep = (uint32_t)(c->keep / SECOND),
		.seen = (uint32_t)(c->seen / SECOND),
		.incidents = c->incidents,
		.by_address = c->by_address,
	};
	open_table(d, &d->feedback.memory.messages, "feedback.messages", c->messages);
	open_table(d, &d->feedback.memory.reports, "feedback.reports", c->reports);
}

void feedback_close(struct daemon *d)
{
	feedback_table_close(&d->feedback.memory.messages);
	feedback_table_close(&d->feedback.memory.reports);
}

/* What leaves */

static uint32_t id_of(const struct daemon *d, uint32_t slot)
{
	return d->roster && slot < d->roster->count ? d->roster->tenant[slot].id : 0;
}

static void record_email(struct daemon *d, const struct event_head *head, uint32_t tenant)
{
	struct event_value value;
	char id[FEEDBACK_ID];

	/* One that is refused in the end may come again and pass, with the same Message-ID. */
	if (!event_find(head, FIELD_KEY_EMAIL_MESSAGE_ID, &value) ||
	    !feedback_message_id(bytes_of(value.p, value.len), id))
		return;
	feedback_remember(&d->feedback.memory, id, tenant, FEEDBACK_BY_GATE,
			  (int64_t)(head->time / SECOND));
	d->feedback.remembered++;
}

/* A mail was taken: by so many recipients. */
static void record_accepted(struct daemon *d, const struct event_head *head, uint32_t tenant)
{
	struct event_value value, accepted;
	char id[FEEDBACK_ID];

	if (!event_find(head, FIELD_KEY_SMTP_MESSAGE_ID, &value) ||
	    !feedback_message_id(bytes_of(value.p, value.len), id) ||
	    !event_find(head, FIELD_KEY_SMTP_RCPT_ACCEPTED, &accepted))
		return;
	feedback_left_for(&d->feedback.memory, id, tenant, FEEDBACK_BY_GATE,
			  (uint32_t)event_value_uint(&accepted), (int64_t)(head->time / SECOND));
}

/* An alert of the policy's row about a server's words: it has its points. */
static void record_alert(struct daemon *d, const struct event_head *head, uint32_t tenant)
{
	static const char row[] = "AUP-BLACKLIST";
	struct event_reader reader;
	struct event_value value;
	char server[FEEDBACK_IP];
	bool names = false;

	if (!event_open(&reader, head, head->size) || !head->family)
		return;
	while (event_next(&reader, &value))
		names = names || (value.key == FIELD_KEY_ALERT_AUP && value.len == strlen(row) &&
				  memcmp(value.p, row, value.len) == 0);
	if (names &&
	    inet_ntop(head->family == 4 ? AF_INET : AF_INET6, head->src, server, sizeof(server)))
		feedback_saw_block(&d->feedback.memory, tenant, server,
				   (int64_t)(head->time / SECOND));
}

void feedback_record(struct daemon *d, const struct event_head *head)
{
	const uint32_t tenant = id_of(d, head->tenant);
	const bool by_tenant = head->direction & EVENT_BY_TENANT;
	struct event_value value;

	if (!tenant)
		return;
	if (head->type == EVENT_EMAIL && by_tenant)
		record_email(d, head, tenant);
	else if (head->type == EVENT_SMTP && (head->direction & EVENT_TO_OTHERS))
		record_accepted(d, head, tenant);
	else if (head->type == EVENT_ALERT && !by_tenant)
		record_alert(d, head, tenant);
	else if (head->type == EVENT_BOUNCED && event_find(head, FIELD_KEY_BOUNCED_HASH, &value))
		feedback_saw_bounce(&d->feedback.memory, tenant, event_value_uint(&value),
				    (int64_t)(head->time / SECOND));
}

/* What the matching asks */

static uint32_t owner_of(void *ctx, const char *address)
{
	const struct daemon *d = ctx;

	return id_of(d, roster_slot_at(d->roster, address));
}

/* Of 100,000 tenants it takes a millisecond, and only reports of mails with a tag ask. */
static uint32_t tagged(void *ctx, const char *tag)
{
	const struct roster *r = ((const struct daemon *)ctx)->roster;
	const size_t name = strcspn(tag, ":");
	const char *value = tag_value(tag);
	uint32_t whose = 0;

	for (uint32_t slot = 1; slot < r->count; slot++) {
		const struct roster_tenant *t = &r->tenant[slot];

		if (!t->id || !tag_is_telling(t->tag) ||
		    tag_look(t->tag, tag, name, value, strlen(value)) != TAG_FITS)
			continue;
		if (whose)
			return 0;
		whose = t->id;
	}
	return whose;
}

static uint64_t recipient_of(void *ctx, uint32_t tenant, const char *rcpt)
{
	const struct daemon *d = ctx;
	uint8_t form[LIST_TEXT_MAX];
	const size_t len = list_address(rcpt, strlen(rcpt), form);

	return len ? list_hash(d->lists.store.sets.key, LIST_SUPPRESSED, tenant, form, len) : 0;
}

/* In shadow rules say nothing of anybody. */
static unsigned judge(void *ctx, const struct feedback_item *item,
		      struct reply_hit hits[REPLY_HITS])
{
	const struct daemon *d = ctx;
	char server[FEEDBACK_IP];
	const struct reply_words words = {
		.code = item->code,
		.text = item->text,
		.client = item->address,
		.server = server,
		.port = feedback_server(item, server),
	};

	return d->roster->shadow ? 0 : reply_judge_ask(d->roster->replies, &words, hits);
}

void feedback_forget_address(struct daemon *d, const char *address)
{
	for (uint32_t slot = 1; d->roster && slot < d->roster->count; slot++)
		if (d->roster->tenant[slot].id)
			feedback_forget(&d->feedback.memory, d->roster->tenant[slot].id,
					recipient_of(d, d->roster->tenant[slot].id, address));
}

/* What comes back */

static uint64_t domain_hash(const struct daemon *d, const struct feedback_item *item)
{
	const char *at = strrchr(item->rcpt, '@');
	uint8_t form[LIST_TEXT_MAX];
	const size_t len = at ? list_domain(at + 1, strlen(at + 1), form) : 0;

	return len ? siphash(d->feedback.memory.reports.key, form, len) : 0;
}

static void count(struct daemon *d, uint32_t slot, const struct feedback_item *item,
		  const struct feedback_counts *c)
{
	const uint64_t now = daemon_time();
	const struct risk_sample sample = {
		.recipients = c->recipients,
		.bounced = c->bounced,
		.delivered = c->delivered,
		.complaints = c->complaints,
	};

	if (slot >= d->risk.board.count || d->risk.board.id[slot] != d->roster->tenant[slot].id ||
	    d->roster->tenant[slot].risk == RISK_OFF)
		return;
	if (c->recipients)
		risk_board_met(&d->risk.board, slot, domain_hash(d, item), now);
	risk_board_reported(&d->risk.board, slot, &sample, now);
	for (unsigned i = 0; i < c->listings; i++)
		risk_board_event(&d->risk.board, slot, RISK_EVENT_BLOCK_REPLY,
				 c->listed[i].risk / REPLY_FULL_RISK, now, 0, c->listed[i].sid);
}

/* Whom nobody has gets no more of the tenant's mail, whoever has said so. */
static void suppress(struct daemon *d, uint32_t slot, const struct feedback_item *item)
{
	const int by = d->config->feedback.suppress;

	if (item->kind == FEEDBACK_HARD &&
	    by >= (item->source == FEEDBACK_LOG ? SUPPRESS_BY_LOG : SUPPRESS_BY_ALL))
		list_learn_bounced(d, slot,
				   recipient_of(d, d->roster->tenant[slot].id, item->rcpt));
}

/* What was counted is on the disk when the answer says so. */
static void keep_scores(struct daemon *d, struct store_unit *unit, const bool *counted)
{
	for (uint32_t slot = 1; counted && slot < d->roster->count; slot++)
		if (counted[slot])
			risk_keep_put(d, slot, unit);
}

/* Deliveries and bounces are numbers; the rest is something that somebody may want to read. */
static bool is_told(const struct feedback_item *item, const struct feedback_match *match)
{
	return match->counts.listings ||
	       (item->source != FEEDBACK_LOG && item->source != FEEDBACK_DSN) ||
	       (item->source == FEEDBACK_DSN && match->result == FEEDBACK_UNMATCHED);
}

static json_t *match_json(const struct daemon *d, uint32_t slot, const struct feedback_item *item,
			  const struct feedback_match *match)
{
	json_t *rules = match->counts.listings ? json_array() : NULL;

	for (unsigned i = 0; i < match->counts.listings; i++)
		json_array_append_new(rules, json_integer(match->counts.listed[i].sid));
	return json_pack("{s:s, s:s, s:s, s:s*, s:s, s:o*}", "kind", feedback_kind_name(item->kind),
			 "result", feedback_result_name(match->result), "matched_by",
			 feedback_by_name(match->by), "tenant",
			 slot ? d->roster->tenant[slot].name : NULL, "message_id", item->message_id,
			 "rules", rules);
}

/* counted[slot] (may be NULL): whose scores have changed. */
static void take(struct daemon *d, struct store_unit *unit, const struct feedback_item *item,
		 bool dry, json_t *result, bool *counted)
{
	const struct feedback_world world = {owner_of, tagged, recipient_of, judge, d};
	const struct feedback_match match =
		feedback_match(&d->feedback.memory, item, &world, seconds(), dry);
	const uint32_t slot = match.tenant ? roster_slot_of(d->roster, match.tenant) : 0;
	const char *name = feedback_result_name(match.result);
	json_t *counts = json_object_get(result, "results");

	json_object_set_new(counts, name,
			    json_integer(json_integer_value(json_object_get(counts, name)) + 1));
	/* Of a log nobody wants to read a line about each line. */
	if (item->source != FEEDBACK_LOG || match.counts.listings)
		json_array_append_new(json_object_get(result, "matches"),
				      match_json(d, slot, item, &match));
	if (dry)
		return;
	d->feedback.items[item->source][match.result]++;
	if (slot && match.result == FEEDBACK_COUNTED) {
		count(d, slot, item, &match.counts);
		suppress(d, slot, item);
		if (counted)
			counted[slot] = true;
	}
	if (is_told(item, &match))
		feedback_tell(d, unit, slot, item, &match);
}

static void on_stored(void *ctx, const struct store_result *stored)
{
	struct request *r = ctx;
	json_t *result = r->data;

	r->data = NULL;
	if (stored->rc) {
		json_object_set_new(result, "stored", json_false());
		json_object_set_new(result, "warning", json_string(strerror(-stored->rc)));
	}
	request_finish(r, result);
}

/* All of a request is read before anything of it counts. */
static bool are_items(struct request *r, const json_t *list)
{
	struct feedback_item item;
	const char *wrong;
	json_t *object;
	size_t i;

	json_array_foreach(list, i, object)
	{
		if (feedback_item_parse(object, &item, &wrong) == 0)
			continue;
		request_error(r, "bad_argument", "reports[%zu]: \"%.40s\" is missing or wrong", i,
			      wrong);
		return false;
	}
	return true;
}

enum command_outcome run_feedback_report(struct request *r, json_t **result)
{
	const json_t *list = json_object_get(r->arguments, "reports");
	const bool dry = json_is_true(json_object_get(r->arguments, "dry_run"));
	struct daemon *d = r->daemon;
	struct feedback_item item;
	struct store_unit *unit;
	const char *wrong;
	json_t *object;
	bool *counted;
	size_t i;

	if (!d->roster)
		return request_error(r, "starting", "the first configuration is still being read");
	if (!are_items(r, list))
		return COMMAND_FAILED;
	*result = json_pack("{s:I, s:{}, s:[], s:b}", "reports", (json_int_t)json_array_size(list),
			    "results", "matches", "dry_run", dry);
	unit = store_begin(d->store);
	counted = calloc(d->roster->count, sizeof(*counted));
	json_array_foreach(list, i, object)
	{
		feedback_item_parse(object, &item, &wrong);
		take(d, unit, &item, dry, *result, counted);
	}
	keep_scores(d, unit, counted);
	free(counted);
	r->data = *result;
	store_keep(unit);
	if (store_commit(d->store, unit, on_stored, r) == 0)
		return COMMAND_LATER;
	r->data = NULL;
	json_object_set_new(*result, "stored", json_false());
	return COMMAND_DONE;
}

/* Each name once. */
static json_t *tags_json(const struct roster *roster)
{
	json_t *names = json_object(), *list = json_array();
	const char *name;
	json_t *value;

	for (uint32_t slot = 1; roster && slot < roster->count; slot++) {
		const char *tag = roster->tenant[slot].tag;

		if (tag_is_telling(tag))
			json_object_setn_new(names, tag, strcspn(tag, ":"), json_null());
	}
	json_object_foreach(names, name, value) json_array_append_new(list, json_string(name));
	json_decref(names);
	return list;
}

enum command_outcome run_feedback_stats(struct request *r, json_t **result)
{
	const struct feedback_run *f = &r->daemon->feedback;

	*result = json_pack("{s:I, s:b, s:I, s:I, s:o}", "remembered", (json_int_t)f->remembered,
			    "open", f->memory.messages.entry && f->memory.reports.entry,
			    "messages_replaced", (json_int_t)f->memory.messages.replaced,
			    "reports_replaced", (json_int_t)f->memory.reports.replaced, "tags",
			    tags_json(r->daemon->roster));
	return COMMAND_DONE;
}
