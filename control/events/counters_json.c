/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/events/counters_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/json_text.h"
#include "control/events/eve.h"

static int counted_name_order(const void *a, const void *b)
{
	const struct counted_name *const *left = a, *const *right = b;

	return strncmp((*left)->name, (*right)->name, COUNTED_NAME_SIZE);
}

/* By name, so that the order of arrival, and with it the number of workers, shows nowhere. */
static json_t *names_json(const struct counted_name names[COUNTED_NAMES])
{
	const struct counted_name *seen[COUNTED_NAMES];
	json_t *object = json_object();
	size_t count = 0;
	int failed = !object;

	for (size_t i = 0; i < COUNTED_NAMES; i++) {
		if (names[i].count)
			seen[count++] = &names[i];
	}
	qsort(seen, count, sizeof(seen[0]), counted_name_order);
	for (size_t i = 0; i < count && !failed; i++) {
		json_t *key = json_text(seen[i]->name, strnlen(seen[i]->name, COUNTED_NAME_SIZE));

		failed = !key || json_object_set_new(object, json_string_value(key),
						     json_integer((json_int_t)seen[i]->count));
		json_decref(key);
	}
	if (!failed)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *codes_json(const uint64_t codes[1000])
{
	json_t *object = json_object();

	for (unsigned code = 0; code < 1000; code++) {
		char key[4];

		if (!codes[code])
			continue;
		snprintf(key, sizeof(key), "%03u", code);
		if (json_object_set_new(object, key, json_integer((json_int_t)codes[code]))) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

json_t *ratio_json(uint64_t part, uint64_t whole)
{
	return whole ? json_real((double)part / (double)whole) : json_null();
}

json_t *link_json(const struct counters *c)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "decoded", c->link.decoded, "not_ip",
			 c->link.not_ip, "fragments", c->link.fragments, "malformed",
			 c->link.malformed, "truncated", c->link.truncated, "not_inspected",
			 c->link.not_inspected, "tunnels", c->link.tunnels);
}

json_t *tcp_json(const struct counters *c)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "flows", c->tcp.flows, "midstream",
			 c->tcp.midstream, "out_of_order", c->tcp.out_of_order, "retransmitted",
			 c->tcp.retransmitted, "overlap_differs", c->tcp.overlap_differs, "gaps",
			 c->tcp.gaps);
}

json_t *smtp_json(const struct counters *c)
{
	json_t *messages = json_pack("{s:I,s:I,s:I,s:I}", "attempted", c->smtp.messages_attempted,
				     "accepted", c->smtp.messages_accepted, "refused_by_peer",
				     c->smtp.messages_refused_by_peer, "refused_by_gate",
				     c->smtp.messages_refused_by_gate);
	json_t *recipients = json_pack("{s:I,s:I,s:I,s:I}", "attempted", c->smtp.rcpt_attempted,
				       "accepted", c->smtp.rcpt_accepted, "delivered",
				       c->smtp.rcpt_delivered, "hard_bounced",
				       c->smtp.rcpt_hard_bounced);

	return json_pack("{s:I,s:o,s:o,s:o,s:o,s:I,s:I,s:I}", "sessions", c->smtp.sessions,
			 "commands", names_json(c->smtp.commands), "replies",
			 codes_json(c->smtp.replies), "messages", messages, "recipients",
			 recipients, "starttls", c->smtp.starttls, "auth", c->smtp.auth,
			 "implicit_tls", c->smtp.implicit_tls);
}

json_t *sip_json(const struct counters *c)
{
	json_t *calls = json_pack("{s:I,s:I,s:I,s:I,s:I}", "attempted", c->sip.calls_attempted,
				  "seized", c->sip.calls_seized, "answered", c->sip.calls_answered,
				  "short", c->sip.calls_short, "completed", c->sip.calls_completed);

	return json_pack("{s:o,s:o,s:I,s:o,s:o,s:o}", "requests", names_json(c->sip.requests),
			 "responses", codes_json(c->sip.responses), "malformed", c->sip.malformed,
			 "calls", calls, "asr",
			 ratio_json(c->sip.calls_answered, c->sip.calls_seized), "short_call_ratio",
			 ratio_json(c->sip.calls_short, c->sip.calls_answered));
}

json_t *flows_json(const struct counters *c)
{
	return json_pack("{s:I,s:I,s:I}", "created", c->flows_created, "now", c->flows_now, "peak",
			 c->flows_peak);
}

json_t *verdicts_json(const uint64_t verdicts[VERDICT_COUNT])
{
	json_t *object = json_object();

	for (enum verdict v = 0; v < VERDICT_COUNT; v++) {
		if (json_object_set_new(object, verdict_name(v),
					json_integer((json_int_t)verdicts[v]))) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

json_t *reasons_json(const uint64_t reasons[REASON_COUNT])
{
	json_t *object = json_object();

	for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++) {
		if (reasons[r] && json_object_set_new(object, reason_name(r),
						      json_integer((json_int_t)reasons[r]))) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

json_t *stats_json(uint64_t time, const struct counters *c)
{
	char text[EVE_TIME_SIZE];
	json_t *stats = json_pack("{s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:I}", "packets",
				  c->link.packets, "bytes", c->link.bytes, "link", link_json(c),
				  "flow", flows_json(c), "tcp", tcp_json(c), "smtp", smtp_json(c),
				  "sip", sip_json(c), "verdicts", verdicts_json(c->verdicts),
				  "reasons", reasons_json(c->reasons), "events", c->events,
				  "events_lost", c->events_lost);

	return json_pack("{s:s,s:s,s:o}", "timestamp", eve_time(text, time), "event_type",
			 eve_type_name(EVENT_STATS), "stats", stats);
}
