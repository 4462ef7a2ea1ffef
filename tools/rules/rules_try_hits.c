/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/event_record.h"
#include "tools/rules/rules_try.h"

#define LOOK_BACK 4096 /* hits: a message that ended so long ago is not told any more */

void try_hits_fini(struct try_hits *hits)
{
	free(hits->hit);
	memset(hits, 0, sizeof(*hits));
}

static void text_take(char text[TRY_TEXT], const struct event_head *e, enum field_key key)
{
	struct event_value value;
	size_t len;

	if (!event_find(e, key, &value))
		return;
	len = value.len < TRY_TEXT ? value.len : TRY_TEXT - 1;
	memcpy(text, value.p, len);
	text[len] = '\0';
}

static uint64_t number_of(const struct event_head *e, enum field_key key)
{
	struct event_value value;

	return event_find(e, key, &value) ? event_value_uint(&value) : 0;
}

static struct try_hit hit_of(const struct event_head *e)
{
	struct try_hit hit = {
		.tenant = e->tenant,
		.flow_id = e->flow_id,
		.packet = e->packet,
		.time = e->time,
		.family = e->family,
		.sport = e->sport,
		.dport = e->dport,
	};

	memcpy(hit.src, e->src, sizeof(hit.src));
	memcpy(hit.dst, e->dst, sizeof(hit.dst));
	return hit;
}

static void sip_take(struct try_hit *hit, const struct try_hit *sip)
{
	memcpy(hit->call_id, sip->call_id, sizeof(hit->call_id));
	memcpy(hit->from, sip->from, sizeof(hit->from));
	memcpy(hit->to, sip->to, sizeof(hit->to));
	hit->told = true;
}

static void alert_take(struct try_hits *hits, const struct event_head *e)
{
	struct try_hit hit = hit_of(e);
	struct event_value value;
	char text[TRY_TEXT] = "";

	if (hits->count == hits->room) {
		size_t room = hits->room * 2 + 256;
		void *more = reallocarray(hits->hit, room, sizeof(*hits->hit));

		if (!more) {
			hits->failed = true;
			return;
		}
		hits->hit = more;
		hits->room = room;
	}
	hit.sid = (uint32_t)number_of(e, FIELD_KEY_ALERT_SID);
	text_take(text, e, FIELD_KEY_ALERT_ACTION);
	hit.blocks = strcmp(text, "blocked") == 0;
	if (event_find(e, FIELD_KEY_ALERT_BUFFER, &value))
		snprintf(hit.buffer, sizeof(hit.buffer), "%.*s", value.len, value.p);
	text_take(hit.context, e, FIELD_KEY_ALERT_CONTEXT);
	if (hits->sip.packet == hit.packet && hits->sip.flow_id == hit.flow_id && hit.packet)
		sip_take(&hit, &hits->sip);
	hits->hit[hits->count++] = hit;
}

/* Hits of the flow whose message this event ends, the newest first; NULL: no more. */
static struct try_hit *hit_before(struct try_hits *hits, uint64_t flow_id, size_t *at)
{
	size_t end = hits->count > LOOK_BACK ? hits->count - LOOK_BACK : 0;

	while (*at > end) {
		struct try_hit *hit = &hits->hit[--*at];

		if (hit->flow_id != flow_id)
			continue;
		return hit->told ? NULL : hit;
	}
	return NULL;
}

static void email_take(struct try_hits *hits, const struct event_head *e)
{
	struct try_hit *hit;

	for (size_t at = hits->count; (hit = hit_before(hits, e->flow_id, &at));) {
		text_take(hit->from, e, FIELD_KEY_EMAIL_FROM);
		text_take(hit->to, e, FIELD_KEY_EMAIL_TO);
		text_take(hit->subject, e, FIELD_KEY_EMAIL_SUBJECT);
	}
}

/* The transaction is over: of a mail without headers the envelope tells who it was from. */
static void smtp_take(struct try_hits *hits, const struct event_head *e)
{
	struct try_hit *hit;

	for (size_t at = hits->count; (hit = hit_before(hits, e->flow_id, &at));) {
		if (!*hit->from)
			text_take(hit->from, e, FIELD_KEY_SMTP_MAIL_FROM);
		if (!*hit->to)
			text_take(hit->to, e, FIELD_KEY_SMTP_RCPT_TO);
		hit->told = true;
	}
}

/* Before its alerts or after them: they are of the same packet. */
static void sip_event(struct try_hits *hits, const struct event_head *e)
{
	struct try_hit *hit;

	hits->sip = hit_of(e);
	text_take(hits->sip.call_id, e, FIELD_KEY_SIP_CALL_ID);
	text_take(hits->sip.from, e, FIELD_KEY_SIP_FROM);
	text_take(hits->sip.to, e, FIELD_KEY_SIP_TO);
	for (size_t at = hits->count; (hit = hit_before(hits, e->flow_id, &at));)
		if (hit->packet == e->packet)
			sip_take(hit, &hits->sip);
}

int try_hits_event(void *ctx, const struct event_head *e, size_t len)
{
	struct try_hits *hits = ctx;

	switch (e->type) {
	case EVENT_ALERT:
		alert_take(hits, e);
		break;
	case EVENT_EMAIL:
		email_take(hits, e);
		break;
	case EVENT_SMTP:
		smtp_take(hits, e);
		break;
	case EVENT_SIP:
		sip_event(hits, e);
		break;
	}
	return 0;
}

/* Comparing ---------------------------------------------------------------- */

static int order(const struct try_hit *a, const struct try_hit *b)
{
	if (a->sid != b->sid)
		return a->sid < b->sid ? -1 : 1;
	if (a->packet != b->packet)
		return a->packet < b->packet ? -1 : 1;
	return a->flow_id < b->flow_id ? -1 : a->flow_id > b->flow_id;
}

static int by_order(const void *a, const void *b)
{
	return order(a, b);
}

static void sort(struct try_hits *hits)
{
	if (hits->count)
		qsort(hits->hit, hits->count, sizeof(*hits->hit), by_order);
}

void try_hits_compare(struct try_hits *before, struct try_hits *after)
{
	size_t i = 0, j = 0;

	sort(before);
	sort(after);
	while (i < before->count || j < after->count) {
		int way = i == before->count  ? 1
			  : j == after->count ? -1
					      : order(&before->hit[i], &after->hit[j]);

		if (way < 0)
			before->hit[i++].change = TRY_GONE;
		else if (way > 0)
			after->hit[j++].change = TRY_NEW;
		else
			before->hit[i++].change = after->hit[j++].change = TRY_SAME;
	}
}
