/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/risk_record.h"

#include <string.h>

/* What a refusal is; limits have their points by their counters. */
static const struct {
	enum reason reason;
	enum risk_event event;
	bool counts;
} refusals[] = {
	{REASON_OPT_OUT, RISK_EVENT_OPT_OUT, true},
	{REASON_DOMAIN_CONSENT, RISK_EVENT_DOMAIN_CONSENT, true},
	{REASON_SPAM_TRAP, RISK_EVENT_TRAP, true},
	{REASON_SPAM_TRAP_RECYCLED, RISK_EVENT_TRAP_RECYCLED, true},
	{REASON_HEADER_MISSING, RISK_EVENT_HEADERS, true},
	{REASON_HEADER_REPEATED, RISK_EVENT_HEADERS, true},
	{REASON_HEADER_NUL, RISK_EVENT_HEADERS, true},
	{REASON_RECEIVED_FORGED, RISK_EVENT_HEADERS, true},
	{REASON_DOMAIN_INVALID, RISK_EVENT_DOMAIN_INVALID, true},
	{REASON_UNSUBSCRIBE, RISK_EVENT_UNSUBSCRIBE, true},
	{REASON_HELO_NAME, RISK_EVENT_ORIGIN, true},
	{REASON_TAG_ALTERED, RISK_EVENT_ORIGIN, true},
	{REASON_TAG_MISSING, RISK_EVENT_TAG, true},
	{REASON_SUBJECT_REPLY, RISK_EVENT_SUBJECT, true},
	{REASON_TRADEMARK, RISK_EVENT_TRADEMARK, true},
	{REASON_LIMIT_MESSAGES, RISK_EVENT_BULK, false},
	{REASON_LIMIT_RECIPIENTS, RISK_EVENT_BULK, false},
	{REASON_LIMIT_CONNECTIONS, RISK_EVENT_BULK, false},
	{REASON_LIMIT_CALLS, RISK_EVENT_FLOOD, false},
	{REASON_LIMIT_SIP_REQUESTS, RISK_EVENT_FLOOD, false},
};

static bool is_text(const struct event_value *value, const char *text)
{
	return value->len == strlen(text) && memcmp(value->p, text, value->len) == 0;
}

static bool is_shadow(const struct event_head *head, enum field_key key)
{
	struct event_value value;

	return event_find(head, key, &value) && event_value_bool(&value);
}

static void take_refusal(const struct risk_recorder *r, const struct event_head *head)
{
	struct event_value reason;

	if (!event_find(head, FIELD_KEY_VERDICT_REASON, &reason) ||
	    is_shadow(head, FIELD_KEY_VERDICT_SHADOW))
		return;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (!is_text(&reason, reason_name(refusals[i].reason)))
			continue;
		if (refusals[i].counts || r->limits)
			risk_board_event(r->board, head->tenant, refusals[i].event, 1, head->time,
					 head->flow_id, 0);
		else
			risk_board_trace(r->board, head->tenant, refusals[i].event, head->time,
					 head->flow_id, 0);
	}
}

/* The event that a row of the policy is, where it is one that rules find; or RISK_EVENT_COUNT. */
static enum risk_event event_of_row(const struct event_value *row)
{
	for (unsigned i = 0; i < RISK_EVENT_COUNT; i++) {
		const struct risk_event_text *t = &risk_event_text[i];

		if (*t->row && is_text(row, t->row) &&
		    (t->family == RISK_FAMILY_CONTENT || t->family == RISK_FAMILY_IDENTITY))
			return (enum risk_event)i;
	}
	return RISK_EVENT_COUNT;
}

/* A rule's row says what it is, by the policy's points; its `risk` is for what has no row. */
static void take_alert(const struct risk_recorder *r, const struct event_head *head)
{
	enum risk_event event = RISK_EVENT_COUNT;
	struct event_reader reader;
	struct event_value value;
	uint32_t sid = 0, points;

	if (is_shadow(head, FIELD_KEY_ALERT_SHADOW) || !event_open(&reader, head, head->size))
		return;
	while (event_next(&reader, &value)) {
		if (value.key == FIELD_KEY_ALERT_SID)
			sid = (uint32_t)event_value_uint(&value);
		if (value.key == FIELD_KEY_ALERT_AUP && event == RISK_EVENT_COUNT)
			event = event_of_row(&value);
	}
	if (event < RISK_EVENT_COUNT)
		risk_board_event(r->board, head->tenant, event, 1, head->time, head->flow_id, sid);
	else if ((points = r->points(r->ctx, sid)) != 0)
		risk_board_event(r->board, head->tenant, RISK_EVENT_RULE, points, head->time,
				 head->flow_id, sid);
}

void risk_record(const struct risk_recorder *r, const struct event_head *head)
{
	if (!(head->direction & EVENT_BY_TENANT))
		return;
	if (head->type == EVENT_VERDICT)
		take_refusal(r, head);
	else if (head->type == EVENT_ALERT)
		take_alert(r, head);
}
