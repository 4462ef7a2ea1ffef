/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/page/summary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/json_text.h"
#include "control/events/counters_json.h"

struct summary_address {
	uint64_t packet, flow;
	size_t serial; /* over both lists: what came after what */
	size_t seq;    /* within the list: the order of what one packet holds */
	json_t *text;
};

void summary_init(struct summary *summary)
{
	*summary = (struct summary){0};
}

static void addresses_fini(struct summary_addresses *list)
{
	for (size_t i = 0; i < list->count; i++)
		json_decref(list->item[i].text);
	free(list->item);
}

void summary_fini(struct summary *summary)
{
	addresses_fini(&summary->mail_from);
	addresses_fini(&summary->rcpt_to);
	summary_init(summary);
}

static int address_add(struct summary *summary, struct summary_addresses *list,
		       const struct event_head *head, const struct event_value *value)
{
	if (list->count == list->room) {
		const size_t room = list->room ? 2 * list->room : 64;
		void *item = reallocarray(list->item, room, sizeof(list->item[0]));

		if (!item)
			return -ENOMEM;
		list->item = item;
		list->room = room;
	}
	json_t *text = json_text(value->p, value->len);

	if (!text)
		return -ENOMEM;
	list->item[list->count] = (struct summary_address){
		.packet = head->packet,
		.flow = head->flow_id,
		.serial = summary->serial++,
		.seq = list->count,
		.text = text,
	};
	list->count++;
	return 0;
}

/* Takes the flow's addresses with a serial of at least `from` off the list. */
static void addresses_take_back(struct summary_addresses *list, uint64_t flow, size_t from)
{
	size_t first = list->count, kept;

	while (first && list->item[first - 1].serial >= from)
		first--;
	kept = first;
	for (size_t i = first; i < list->count; i++) {
		if (list->item[i].flow == flow)
			json_decref(list->item[i].text);
		else
			list->item[kept++] = list->item[i];
	}
	list->count = kept;
}

/* A MAIL that the server refused opened no transaction: it and its RCPTs were nothing. */
static void addresses_void(struct summary *summary, uint64_t flow)
{
	const struct summary_addresses *list = &summary->mail_from;

	for (size_t i = list->count; i; i--) {
		size_t serial = list->item[i - 1].serial;

		if (list->item[i - 1].flow != flow)
			continue;
		addresses_take_back(&summary->mail_from, flow, serial);
		addresses_take_back(&summary->rcpt_to, flow, serial);
		return;
	}
}

int summary_event(struct summary *summary, const struct event_head *head, size_t len)
{
	struct event_reader reader;
	struct event_value value;
	int rc = 0;

	if (!event_open(&reader, head, len))
		return -EBADMSG;
	if (head->type != EVENT_ADDRESS)
		return 0;
	while (!rc && event_next(&reader, &value)) {
		if (value.key == FIELD_KEY_ADDRESS_MAIL_FROM)
			rc = address_add(summary, &summary->mail_from, head, &value);
		else if (value.key == FIELD_KEY_ADDRESS_RCPT_TO)
			rc = address_add(summary, &summary->rcpt_to, head, &value);
		else if (value.key == FIELD_KEY_ADDRESS_VOID)
			addresses_void(summary, head->flow_id);
	}
	return rc;
}

static int address_order(const void *a, const void *b)
{
	const struct summary_address *left = a, *right = b;

	if (left->packet != right->packet)
		return left->packet < right->packet ? -1 : 1;
	return left->seq < right->seq ? -1 : left->seq > right->seq;
}

/* In packet order, whichever worker they came from. */
static json_t *addresses_json(struct summary_addresses *list)
{
	json_t *array = json_array();

	if (list->count)
		qsort(list->item, list->count, sizeof(list->item[0]), address_order);
	for (size_t i = 0; i < list->count; i++) {
		list->item[i].seq = i;
		if (json_array_append(array, list->item[i].text)) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *files_json(const struct report *r)
{
	json_t *array = json_array();

	for (size_t i = 0; i < r->files; i++) {
		if (json_array_append_new(array, json_text(r->file[i], strlen(r->file[i])))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *rules_json(const struct report *r)
{
	json_t *object = json_object();

	for (size_t i = 0; i < r->rules; i++) {
		char sid[16];

		if (!r->rule[i].hits)
			continue;
		snprintf(sid, sizeof(sid), "%u", r->rule[i].sid);
		if (json_object_set_new(object, sid, json_integer((json_int_t)r->rule[i].hits))) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static json_t *tenant_json(const struct tenant_name *name, const struct tenant_counters *c,
			   json_t *risk)
{
	return json_pack("{s:I,s:o,s:s,s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:I,s:I,s:I,s:o,s:{s:I,s:I,"
			 "s:I,s:I},s:O?}",
			 "id", (json_int_t)name->id, "name",
			 json_text(name->name, strlen(name->name)), "state", name->state, "packets",
			 c->packets, "bytes", c->bytes, "messages", c->messages, "recipients",
			 c->recipients, "calls", c->calls, "asr",
			 ratio_json(c->calls_answered, c->calls_seized), "short_call_ratio",
			 ratio_json(c->calls_short, c->calls_answered), "verdicts",
			 verdicts_json(c->verdicts), "messages_accepted", c->messages_accepted,
			 "calls_answered", c->calls_answered, "calls_completed", c->calls_completed,
			 "reasons", reasons_json(c->reasons), "wire", "connections", c->connections,
			 "connections_tls", c->connections_tls, "bytes_clear", c->bytes_clear,
			 "bytes_tls", c->bytes_tls, "risk", risk);
}

static json_t *tenants_json(const struct report *r)
{
	json_t *array = json_array();

	for (size_t i = 0; i < r->names->count; i++) {
		if (json_array_append_new(array, tenant_json(&r->names->slot[i], &r->tenant[i],
							     r->risk ? r->risk[i] : NULL))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static double per(double amount, double of)
{
	return of > 0 ? amount / of : 0;
}

static json_t *cycles_json(const struct counters *c)
{
	const double packets = (double)c->link.packets;

	return json_pack(
		"{s:f,s:f,s:f,s:f,s:f,s:f,s:f}", "rx", per(c->cycles[STAGE_RX], packets), "decode",
		per(c->cycles[STAGE_DECODE], packets), "flow", per(c->cycles[STAGE_FLOW], packets),
		"stream", per(c->cycles[STAGE_STREAM], packets), "inspect",
		per(c->cycles[STAGE_INSPECT], packets), "verdict",
		per(c->cycles[STAGE_VERDICT], packets), "tx", per(c->cycles[STAGE_TX], packets));
}

static json_t *performance_json(const struct report *r)
{
	const struct counters *c = r->total;

	return json_pack("{s:f,s:f,s:f,s:f,s:i,s:o,s:I,s:I}", "wall_s", r->wall_s, "cpu_s",
			 r->cpu_s, "packets_per_s", per(c->link.packets, r->wall_s), "bits_per_s",
			 per(8.0 * (double)c->link.bytes, r->wall_s), "workers", (int)r->workers,
			 "cycles_per_packet", cycles_json(c), "bytes_per_flow",
			 (json_int_t)r->bytes_per_flow, "rss_bytes", (json_int_t)r->rss_bytes);
}

json_t *summary_json(struct summary *summary, const struct report *r)
{
	const struct counters *c = r->total;
	json_t *smtp = smtp_json(c);

	if (json_object_set_new(smtp, "mail_from", addresses_json(&summary->mail_from)) ||
	    json_object_set_new(smtp, "rcpt_to", addresses_json(&summary->rcpt_to))) {
		json_decref(smtp);
		return NULL;
	}
	return json_pack("{s:o,s:I,s:I,s:f,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:{s:I,s:I}}",
			 "files", files_json(r), "packets", c->link.packets, "bytes", c->link.bytes,
			 "duration_s", (double)r->duration_ns / 1e9, "link", link_json(c), "tcp",
			 tcp_json(c), "smtp", smtp, "sip", sip_json(c), "verdicts",
			 verdicts_json(c->verdicts), "reasons", reasons_json(c->reasons), "rules",
			 rules_json(r), "tenants", tenants_json(r), "performance",
			 performance_json(r), "flows", flows_json(c), "events", "written",
			 c->events, "lost", c->events_lost);
}
