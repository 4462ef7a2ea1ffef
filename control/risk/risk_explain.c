/* SPDX-License-Identifier: BSD-3-Clause */
/* A score taken apart. */
#include <math.h>

#include "control/events/eve.h"
#include "control/risk/risk_json.h"

#define SECOND UINT64_C(1000000000)

/* Two digits are enough for people, and the same on every machine. */
static double rounded(double n)
{
	return round(n * 100) / 100;
}

static double share(double n)
{
	return round(n * 1e5) / 1e5;
}

json_t *risk_time_json(uint64_t ns)
{
	char text[EVE_TIME_SIZE];

	return ns ? json_string(eve_time(text, ns)) : json_null();
}

static const char *unit_of(enum risk_ratio which)
{
	return risk_ratio_text[which].family == RISK_FAMILY_CALLS ? "callees" : "domains";
}

static json_t *ratio_json(const struct risk_term *term, const struct risk_tenant *t,
			  const struct risk_config *c)
{
	const struct risk_ratio_text *text = &risk_ratio_text[term->which];
	const struct risk_ratio_config *r = &c->ratio[term->which];
	const bool of_calls = text->family == RISK_FAMILY_CALLS;

	return json_pack(
		"{s:s, s:s, s:s, s:s, s:f, s:f, s:s, s:f, s:s, s:f, s:o, s:f, s:f, s:f, s:f, s:I, "
		"s:I, s:s, s:f, s:b, s:s}",
		"kind", "ratio", "name", text->name, "family", risk_family_name(text->family),
		"row", text->row, "points", rounded(term->points), "parts", rounded(term->parts),
		"parts_of", text->parts, "whole", rounded(term->whole), "whole_of", text->whole,
		"minimum", r->minimum, "ratio",
		term->whole > 0 ? json_real(share(term->parts / term->whole)) : json_null(),
		"bound", share(term->bound), "warn", r->warn, "critical", r->critical, "weight",
		r->points, "distinct", (json_int_t)(of_calls ? t->callees : t->domains),
		"distinct_minimum", (json_int_t)(of_calls ? c->callees : c->domains), "distinct_of",
		unit_of((enum risk_ratio)term->which), "half_life_s", (double)c->half_life / 1e9,
		"breach", term->breach, "held", risk_held_name(term->held));
}

static json_t *trace_json(const struct risk_trace *trace, unsigned event)
{
	json_t *list = json_array();

	for (int i = 0; trace && i < RISK_TRACE; i++) {
		const struct risk_trace_item *item = &trace->item[i];
		json_t *object;

		if (!item->used || item->event != event)
			continue;
		object = json_pack("{s:o}", "time", risk_time_json(item->time));
		if (item->flow)
			json_object_set_new(object, "flow_id",
					    json_integer((json_int_t)item->flow));
		if (item->sid)
			json_object_set_new(object, "signature_id", json_integer(item->sid));
		json_array_append_new(list, object);
	}
	return list;
}

static json_t *event_json(const struct risk_term *term, const struct risk_tenant *t,
			  const struct risk_config *c, const struct risk_trace *trace)
{
	const struct risk_event_text *text = &risk_event_text[term->which];
	const struct risk_event_config *e = &c->event[term->which];
	const struct risk_mark *m = &t->event[term->which];

	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:f, s:I, s:f, s:f, s:f, s:I, s:o, s:o}", "kind",
		"event", "name", text->name, "family", risk_family_name(text->family), "row",
		text->row, "text", text->text, "points", rounded(term->points), "count",
		(json_int_t)m->count, "weight", e->points, "cap", e->cap, "half_life_s",
		(double)e->half_life / 1e9, "spacing_s", (json_int_t)(e->spacing / SECOND), "last",
		risk_time_json(m->last * SECOND), "events", trace_json(trace, term->which));
}

json_t *risk_terms_json(const struct risk_tenant *t, const struct risk_config *c,
			const struct risk_trace *trace, uint64_t now)
{
	struct risk_term terms[RISK_TERMS];
	const int n = risk_terms(t, c, now, terms, NULL);
	json_t *list = json_array();

	for (int i = 0; i < n; i++)
		json_array_append_new(list, terms[i].is_ratio ? ratio_json(&terms[i], t, c)
							      : event_json(&terms[i], t, c, trace));
	return list;
}

/* A ratio of calls in the window, and what it is held against. */
json_t *risk_window_ratio_json(const struct risk_board *b, uint32_t slot, enum risk_ratio which,
			       uint64_t now)
{
	const struct risk_ratio_text *text = &risk_ratio_text[which];
	struct risk_term terms[RISK_WINDOW_RATIOS];
	const struct risk_term *term = &terms[which];

	risk_window_terms(&b->window[slot], &b->tenant[slot], &b->config, now, terms);
	return json_pack("{s:s, s:s, s:f, s:s, s:f, s:s, s:o, s:f, s:f, s:b, s:s, s:s, s:f}",
			 "ratio", text->name, "row", text->row, "parts", term->parts, "parts_of",
			 text->parts, "whole", term->whole, "whole_of", text->whole, "share",
			 term->whole > 0 ? json_real(share(term->parts / term->whole))
					 : json_null(),
			 "bound", share(term->bound), "warn", b->config.ratio[which].warn, "breach",
			 term->breach, "held", risk_held_name(term->held), "note",
			 risk_held_text(term->held), "window_s", (double)b->config.window / 1e9);
}

json_t *risk_window_json(const struct risk_board *b, uint32_t slot, uint64_t now)
{
	json_t *list = json_array();

	for (int i = 0; i < RISK_WINDOW_RATIOS && b->config.window; i++)
		json_array_append_new(list,
				      risk_window_ratio_json(b, slot, (enum risk_ratio)i, now));
	return list;
}

json_t *risk_brief_json(const struct risk_tenant *t, const struct risk_config *c, uint64_t now,
			int mode)
{
	struct risk_term terms[RISK_TERMS];
	json_t *object;
	double score;

	risk_terms(t, c, now, terms, &score);
	object = json_pack("{s:s, s:f, s:s, s:f, s:o}", "mode", risk_mode_name(mode), "score",
			   rounded(score), "level", risk_level_name((enum risk_level)t->level),
			   "trend", rounded(risk_trend(t)), "since", risk_time_json(t->since));
	for (int i = 0; i < RISK_RATIO_COUNT; i++)
		json_object_set_new(object, risk_ratio_text[i].name,
				    terms[i].whole >= 0.5
					    ? json_real(share(terms[i].parts / terms[i].whole))
					    : json_null());
	return object;
}
