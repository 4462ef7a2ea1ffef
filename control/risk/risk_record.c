/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/risk/risk_record.h"

#include <string.h>

#include "control/rules/reply_judge.h"

/* Bits of what counts. */
enum {
	BY_COUNTERS = 0,     /* the points are the counters' */
	EACH = 1 << 0,       /* every one */
	IN_ANSWERS = 1 << 1, /* those found in what servers say, too */
};

/* What a refusal is; limits have their points by their counters. */
static const struct {
	enum reason reason;
	enum risk_event event;
	unsigned counts;
} refusals[] = {
	{REASON_OPT_OUT, RISK_EVENT_OPT_OUT, EACH},
	{REASON_DOMAIN_CONSENT, RISK_EVENT_DOMAIN_CONSENT, EACH},
	{REASON_SPAM_TRAP, RISK_EVENT_TRAP, EACH},
	{REASON_SPAM_TRAP_RECYCLED, RISK_EVENT_TRAP_RECYCLED, EACH},
	{REASON_HEADER_MISSING, RISK_EVENT_HEADERS, EACH},
	{REASON_HEADER_REPEATED, RISK_EVENT_HEADERS, EACH},
	{REASON_HEADER_NUL, RISK_EVENT_HEADERS, EACH},
	{REASON_RECEIVED_FORGED, RISK_EVENT_HEADERS, EACH},
	{REASON_DOMAIN_INVALID, RISK_EVENT_DOMAIN_INVALID, EACH},
	{REASON_UNSUBSCRIBE, RISK_EVENT_UNSUBSCRIBE, EACH},
	{REASON_HELO_NAME, RISK_EVENT_ORIGIN, EACH},
	{REASON_TAG_ALTERED, RISK_EVENT_ORIGIN, EACH},
	{REASON_TAG_MISSING, RISK_EVENT_TAG, EACH},
	{REASON_SUBJECT_REPLY, RISK_EVENT_SUBJECT, EACH},
	{REASON_TRADEMARK, RISK_EVENT_TRADEMARK, EACH},
	{REASON_MAILBOMB, RISK_EVENT_MAILBOMB, EACH},
	{REASON_HARVEST, RISK_EVENT_HARVEST, EACH | IN_ANSWERS},
	{REASON_RELAY, RISK_EVENT_RELAY, EACH | IN_ANSWERS},
	{REASON_NEW_RECIPIENTS, RISK_EVENT_NEW_RECIPIENTS, EACH},
	{REASON_SAME_BODY, RISK_EVENT_BULK, EACH},
	{REASON_PER_DOMAIN, RISK_EVENT_BULK, EACH},
	{REASON_DISTINCT_RECIPIENTS, RISK_EVENT_BULK, EACH},
	{REASON_DISTINCT_DOMAINS, RISK_EVENT_BULK, EACH},
	{REASON_LIMIT_MESSAGES, RISK_EVENT_BULK, BY_COUNTERS},
	{REASON_LIMIT_RECIPIENTS, RISK_EVENT_BULK, BY_COUNTERS},
	{REASON_LIMIT_CONNECTIONS, RISK_EVENT_BULK, BY_COUNTERS},
	{REASON_LIMIT_CALLS, RISK_EVENT_FLOOD, BY_COUNTERS},
	{REASON_LIMIT_SIP_REQUESTS, RISK_EVENT_FLOOD, BY_COUNTERS},
	{REASON_CALLER_ID, RISK_EVENT_CALLER_ID, EACH},
	{REASON_SMS_OPT_OUT, RISK_EVENT_SMS, EACH},
	{REASON_PROBING, RISK_EVENT_FLOOD, EACH},
	{REASON_AUTH_FAILURES, RISK_EVENT_FLOOD, EACH},
	{REASON_LIMIT_SMS, RISK_EVENT_SMS, BY_COUNTERS},
	{REASON_LIMIT_REGISTERS, RISK_EVENT_FLOOD, BY_COUNTERS},
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

static bool by_tenant(const struct event_head *head)
{
	return head->direction & EVENT_BY_TENANT;
}

static void take_refusal(const struct risk_recorder *r, const struct event_head *head)
{
	struct event_value reason;

	if (!event_find(head, FIELD_KEY_VERDICT_REASON, &reason) ||
	    is_shadow(head, FIELD_KEY_VERDICT_SHADOW))
		return;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (!is_text(&reason, reason_name(refusals[i].reason)) ||
		    (!(refusals[i].counts & IN_ANSWERS) && !by_tenant(head)))
			continue;
		if ((refusals[i].counts & EACH) || r->limits)
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

/* Of others, to what a tenant said. */
static bool is_answer(const struct event_head *head)
{
	return (head->direction & EVENT_TO_OTHERS) && !by_tenant(head);
}

/*
 * Malware is what suspends a tenant by itself: a rule that says fewer points than the policy has
 * for it only suspects some, and so does one that says none and refuses nothing.
 */
static bool is_confirmed(const struct risk_recorder *r, uint32_t points, bool refuses)
{
	return points ? points >= r->board->config.event[RISK_EVENT_MALWARE].points : refuses;
}

/* A rule's row says what it is, by the policy's points; its `risk` is for what has no row. */
static void take_alert(const struct risk_recorder *r, const struct event_head *head)
{
	enum risk_event event = RISK_EVENT_COUNT;
	bool names_block_list = false;
	struct event_reader reader;
	struct event_value value;
	uint32_t sid = 0, points;
	bool refuses = false;

	if (is_shadow(head, FIELD_KEY_ALERT_SHADOW) || !event_open(&reader, head, head->size))
		return;
	while (event_next(&reader, &value)) {
		if (value.key == FIELD_KEY_ALERT_SID)
			sid = (uint32_t)event_value_uint(&value);
		if (value.key == FIELD_KEY_ALERT_AUP && event == RISK_EVENT_COUNT)
			event = event_of_row(&value);
		if (value.key == FIELD_KEY_ALERT_AUP && is_text(&value, "AUP-BLACKLIST"))
			names_block_list = is_answer(head);
		if (value.key == FIELD_KEY_VERDICT_ACTION)
			refuses = is_text(&value, verdict_name(VERDICT_REJECT)) ||
				  is_text(&value, verdict_name(VERDICT_DROP));
	}
	points = r->points(r->ctx, sid);
	if (names_block_list) {
		risk_board_event(r->board, head->tenant, RISK_EVENT_BLOCK_REPLY,
				 points ? points / REPLY_FULL_RISK : 1, head->time, head->flow_id,
				 sid);
		return;
	}
	if (!by_tenant(head))
		return;
	if (event == RISK_EVENT_MALWARE && !is_confirmed(r, points, refuses))
		event = RISK_EVENT_COUNT;
	if (event < RISK_EVENT_COUNT)
		risk_board_event(r->board, head->tenant, event, 1, head->time, head->flow_id, sid);
	else if (points)
		risk_board_event(r->board, head->tenant, RISK_EVENT_RULE, points, head->time,
				 head->flow_id, sid);
}

void risk_record(const struct risk_recorder *r, const struct event_head *head)
{
	if (!(head->direction & (EVENT_BY_TENANT | EVENT_TO_OTHERS)))
		return;
	if (head->type == EVENT_VERDICT)
		take_refusal(r, head);
	else if (head->type == EVENT_ALERT)
		take_alert(r, head);
}
