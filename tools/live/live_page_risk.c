/* SPDX-License-Identifier: BSD-3-Clause */
/* Scores: tenants by risk, and one of them taken apart. */
#include "tools/live/live_json.h"
#include "tools/live/live_page.h"

#define COLUMN 16

static enum ink level_ink(const char *level)
{
	if (strcmp(level, "suspend") == 0)
		return INK_RED;
	if (strcmp(level, "none") == 0)
		return INK_DIM;
	return INK_YELLOW;
}

/* A share in %, "-": of nothing. */
static void share_cell(struct page_out *out, int width, const json_t *value)
{
	char text[SHORT_SIZE] = "-";

	if (json_is_number(value))
		snprintf(text, sizeof(text), "%.4g %%", 100 * json_number_value(value));
	page_cell(out, INK_PLAIN, width, text);
}

/* What moves is told; what only trembles is steady. */
static const char *trend_word(double trend)
{
	if (trend > 1)
		return "rises";
	return trend < -1 ? "falls" : "steady";
}

static void risk_row(struct page_out *out, const json_t *t)
{
	const json_t *risk = at(t, "risk");
	const char *level = *text_at(risk, "level") ? text_at(risk, "level") : "-";
	const bool active = strcmp(text_at(t, "state"), "active") == 0;
	char text[SHORT_SIZE] = "-";

	if (json_is_object(risk))
		snprintf(text, sizeof(text), "%.1f", number_at(risk, "score"));
	page_cell(out, INK_PLAIN, 24, text_at(t, "name"));
	page_cell(out, active ? INK_PLAIN : INK_RED, 10, text_at(t, "state"));
	page_cell(out, INK_BOLD, -6, text);
	page_cell(out, INK_PLAIN, 2, "");
	page_cell(out, level_ink(level), 9, level);
	page_cell(out, INK_DIM, 7,
		  json_is_object(risk) ? trend_word(number_at(risk, "trend")) : "-");
	page_cell(out, INK_DIM, 7, json_is_object(risk) ? text_at(risk, "mode") : "off");
	share_cell(out, -8, at(risk, "asr"));
	share_cell(out, -8, at(risk, "short_calls"));
	share_cell(out, -9, at(risk, "bounces"));
	share_cell(out, -12, at(risk, "complaints"));
	share_cell(out, -8, at(t, "plaintext"));
	page_cell(out, INK_PLAIN, -8, short_count(text, count_at(t, "limits_hit")));
	page_newline(out);
}

void live_page_tenants_risk(struct page_out *out, const json_t *result)
{
	json_t *t;
	size_t i;

	page_heading(out, "TENANTS BY RISK");
	page_cell(out, INK_DIM, 24, "tenant");
	page_cell(out, INK_DIM, 10, "state");
	page_cell(out, INK_DIM, -6, "score");
	page_cell(out, INK_DIM, 2, "");
	page_cell(out, INK_DIM, 9, "level");
	page_cell(out, INK_DIM, 7, "trend");
	page_cell(out, INK_DIM, 7, "mode");
	page_cell(out, INK_DIM, -8, "ASR");
	page_cell(out, INK_DIM, -8, "short");
	page_cell(out, INK_DIM, -9, "bounces");
	page_cell(out, INK_DIM, -12, "complaints");
	page_cell(out, INK_DIM, -8, "clear");
	page_cell(out, INK_DIM, -8, "limits");
	page_newline(out);
	json_array_foreach(at(result, "tenants"), i, t)
	{
		risk_row(out, t);
	}
}

/* One tenant's */

static const char *hours(char text[SHORT_SIZE], double seconds)
{
	if (seconds >= 86400 && seconds / 86400 == (double)(long)(seconds / 86400))
		snprintf(text, SHORT_SIZE, "%g d", seconds / 86400);
	else
		snprintf(text, SHORT_SIZE, "%g h", seconds / 3600);
	return text;
}

static const char *why_held(const json_t *term, char *text, size_t size)
{
	const char *held = text_at(term, "held");

	if (strcmp(held, "sample") == 0)
		snprintf(text, size, ", too few: %g %s are needed", number_at(term, "minimum"),
			 text_at(term, "whole_of"));
	else if (strcmp(held, "distinct") == 0)
		snprintf(text, size, ", of %llu %s: %llu are needed",
			 (unsigned long long)count_at(term, "distinct"),
			 text_at(term, "distinct_of"),
			 (unsigned long long)count_at(term, "distinct_minimum"));
	else if (strcmp(held, "outage") == 0)
		snprintf(text, size, ", a carrier's outage");
	else
		snprintf(text, size, "%s", is_at(term, "breach") ? ", breach" : "");
	return text;
}

static void points_cell(struct page_out *out, const json_t *term)
{
	char text[SHORT_SIZE];

	snprintf(text, sizeof(text), "%.1f", number_at(term, "points"));
	page_cell(out, INK_PLAIN, COLUMN, text_at(term, "name"));
	page_cell(out, number_at(term, "points") > 0 ? INK_BOLD : INK_DIM, -6, text);
	page_cell(out, INK_PLAIN, 2, "");
	page_cell(out, INK_DIM, 12, text_at(term, "family"));
}

/* Below a term: the numbers that it goes by. */
static void page_numbers(struct page_out *out, const char *text)
{
	page_cell(out, INK_PLAIN, COLUMN + 8, "");
	page_rest(out, INK_DIM, text);
	page_newline(out);
}

static void page_ratio(struct page_out *out, const json_t *term)
{
	char text[256], held[120], life[SHORT_SIZE];
	const bool some = json_is_number(at(term, "ratio"));

	points_cell(out, term);
	snprintf(text, sizeof(text), "nothing yet");
	if (some)
		snprintf(text, sizeof(text), "%.0f %s of %.0f %s: %.4g %%, bound %.4g %%%s",
			 number_at(term, "parts"), text_at(term, "parts_of"),
			 number_at(term, "whole"), text_at(term, "whole_of"),
			 100 * number_at(term, "ratio"), 100 * number_at(term, "bound"),
			 why_held(term, held, sizeof(held)));
	page_whole(out, INK_PLAIN, text);
	page_newline(out);
	snprintf(text, sizeof(text), "warn %.4g %%, critical %.4g %%, %g points, half-life %s",
		 100 * number_at(term, "warn"), 100 * number_at(term, "critical"),
		 number_at(term, "weight"), hours(life, number_at(term, "half_life_s")));
	if (some)
		page_numbers(out, text);
}

static bool event_like(const json_t *a, const json_t *b)
{
	return count_at(a, "flow_id") == count_at(b, "flow_id") &&
	       count_at(a, "signature_id") == count_at(b, "signature_id");
}

/* The last of `times` that differ in nothing but when they were. */
static void page_event(struct page_out *out, const json_t *event, unsigned times)
{
	char text[160];
	int used = snprintf(text, sizeof(text), "%.19s", text_at(event, "time"));

	if (at(event, "flow_id"))
		used += snprintf(text + used, sizeof(text) - (size_t)used, ", flow %llu",
				 (unsigned long long)count_at(event, "flow_id"));
	if (at(event, "signature_id"))
		used += snprintf(text + used, sizeof(text) - (size_t)used, ", rule %llu",
				 (unsigned long long)count_at(event, "signature_id"));
	if (times > 1)
		snprintf(text + used, sizeof(text) - (size_t)used, ", the last of %u", times);
	page_cell(out, INK_PLAIN, COLUMN + 8, "");
	page_rest(out, INK_DIM, text);
	page_newline(out);
}

static void page_term(struct page_out *out, const json_t *term)
{
	char text[300], life[SHORT_SIZE], once[SHORT_SIZE] = "";
	const json_t *events = at(term, "events");
	unsigned times = 0;
	json_t *event;
	size_t i;

	if (strcmp(text_at(term, "kind"), "ratio") == 0) {
		page_ratio(out, term);
		return;
	}
	points_cell(out, term);
	snprintf(text, sizeof(text), "%s: %llu so far", text_at(term, "text"),
		 (unsigned long long)count_at(term, "count"));
	page_rest(out, INK_PLAIN, text);
	page_newline(out);
	if (count_at(term, "spacing_s"))
		snprintf(once, sizeof(once), " once in %llu s",
			 (unsigned long long)count_at(term, "spacing_s"));
	snprintf(text, sizeof(text), "%g points%s, %g at the most, half-life %s",
		 number_at(term, "weight"), *once ? once : " each", number_at(term, "cap"),
		 hours(life, number_at(term, "half_life_s")));
	page_numbers(out, text);
	json_array_foreach(events, i, event)
	{
		const json_t *next = json_array_get(events, i + 1);

		times++;
		if (next && event_like(event, next))
			continue;
		page_event(out, event, times);
		times = 0;
	}
}

static const char *follows(const char *mode)
{
	return strcmp(mode, "on") == 0 ? "" : " (shadow: shown, nothing follows)";
}

static void page_rules(struct page_out *out, const json_t *rules)
{
	live_row(out, "levels", INK_PLAIN,
		 "watch from %g, throttle from %g, suspend from %g; left below %g %% of each",
		 number_at(rules, "watch"), number_at(rules, "throttle"),
		 number_at(rules, "suspend"), 100 * number_at(rules, "leave"));
	if (*text_at(rules, "breach_since"))
		live_row(out, "in breach", INK_PLAIN, "since %.19s",
			 text_at(rules, "breach_since"));
	if (*text_at(rules, "noticed_at"))
		live_row(out, "told", INK_PLAIN, "at %.19s", text_at(rules, "noticed_at"));
	if (*text_at(rules, "pardoned_until"))
		live_row(out, "let go", INK_PLAIN, "no score suspends it until %.19s",
			 text_at(rules, "pardoned_until"));
	live_row(out, "suspension", INK_PLAIN, "%s",
		 is_at(rules, "may_suspend")
			 ? "needs nobody: two families of reasons, malware, or a breach that lasts"
			 : "is a person's to decide");
}

static void page_lately(struct page_out *out, const json_t *ratio)
{
	const char *note = is_at(ratio, "breach") ? "breach" : text_at(ratio, "note");
	char text[256];

	if (json_is_number(at(ratio, "share")))
		snprintf(text, sizeof(text), "%.0f %s of %.0f %s: %.4g %%, bound %.4g %%%s%s",
			 number_at(ratio, "parts"), text_at(ratio, "parts_of"),
			 number_at(ratio, "whole"), text_at(ratio, "whole_of"),
			 100 * number_at(ratio, "share"), 100 * number_at(ratio, "bound"),
			 *note ? ", " : "", note);
	else
		snprintf(text, sizeof(text), "nothing");
	page_cell(out, INK_DIM, COLUMN, text_at(ratio, "ratio"));
	page_rest(out, is_at(ratio, "breach") ? INK_YELLOW : INK_PLAIN, text);
	page_newline(out);
}

void live_page_calls_lately(struct page_out *out, const json_t *ratios)
{
	char text[64];
	json_t *ratio;
	size_t i;

	if (!json_array_size(ratios))
		return;
	snprintf(text, sizeof(text), "CALLS OF THE LAST %g MINUTES",
		 number_at(json_array_get(ratios, 0), "window_s") / 60);
	page_heading(out, text);
	json_array_foreach(ratios, i, ratio)
	{
		page_lately(out, ratio);
	}
}

void live_page_explain(struct page_out *out, const json_t *result)
{
	const json_t *risk = at(result, "risk");
	json_t *term;
	size_t i;

	page_heading(out, "RISK");
	live_row(out, "tenant", INK_BOLD, "%s, id %llu", text_at(result, "name"),
		 (unsigned long long)count_at(result, "id"));
	live_row(out, "score", level_ink(text_at(risk, "level")), "%.1f, %s; %s%s",
		 number_at(risk, "score"), trend_word(number_at(risk, "trend")),
		 text_at(risk, "level"), follows(text_at(risk, "mode")));
	page_rules(out, at(result, "rules"));
	live_page_calls_lately(out, at(result, "window"));
	page_heading(out, "TERMS");
	page_cell(out, INK_DIM, COLUMN, "term");
	page_cell(out, INK_DIM, -6, "points");
	page_cell(out, INK_DIM, 2, "");
	page_cell(out, INK_DIM, 12, "family");
	page_rest(out, INK_DIM, "what it is made of");
	page_newline(out);
	json_array_foreach(at(result, "terms"), i, term)
	{
		page_term(out, term);
	}
}
