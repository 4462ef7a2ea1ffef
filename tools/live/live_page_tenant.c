/* SPDX-License-Identifier: BSD-3-Clause */
/* Tenants, their limits, and events. */
#include <math.h>
#include <time.h>

#include "tools/live/live_json.h"
#include "tools/live/live_page.h"

static void number(struct page_out *out, int width, uint64_t n)
{
	char text[SHORT_SIZE];

	page_cell(out, INK_PLAIN, width, short_count(text, n));
}

void live_page_tenants(struct page_out *out, const json_t *result)
{
	json_t *t;
	size_t i;
	char text[SHORT_SIZE];

	page_heading(out, "TENANTS");
	page_cell(out, INK_DIM, -8, "id");
	page_cell(out, INK_DIM, 2, "");
	page_cell(out, INK_DIM, 24, "tenant");
	page_cell(out, INK_DIM, 12, "tier");
	page_cell(out, INK_DIM, 10, "state");
	page_cell(out, INK_DIM, -11, "packets");
	page_cell(out, INK_DIM, -10, "messages");
	page_cell(out, INK_DIM, -12, "recipients*");
	page_cell(out, INK_DIM, -10, "domains*");
	page_cell(out, INK_DIM, -9, "calls");
	page_cell(out, INK_DIM, -9, "refused");
	page_newline(out);
	json_array_foreach(at(result, "tenants"), i, t)
	{
		bool suspended = strcmp(text_at(t, "state"), "active") != 0;

		snprintf(text, sizeof(text), "%llu", (unsigned long long)count_at(t, "id"));
		page_cell(out, INK_PLAIN, -8, text);
		page_cell(out, INK_PLAIN, 2, "");
		page_cell(out, INK_PLAIN, 24, text_at(t, "name"));
		page_cell(out, INK_PLAIN, 12, text_at(t, "tier"));
		page_cell(out, suspended ? INK_RED : INK_PLAIN, 10, text_at(t, "state"));
		number(out, -11, count_at(t, "packets"));
		number(out, -10, count_at(t, "messages"));
		number(out, -12, count_at(t, "distinct.recipients"));
		number(out, -10, count_at(t, "distinct.domains"));
		number(out, -9, count_at(t, "calls"));
		number(out, -9, count_at(t, "refused"));
		page_newline(out);
	}
	page_rest(
		out, INK_DIM,
		"* different ones: recipients of the last 12 to 24 hours, domains of 3 to 6 days");
	page_newline(out);
}

void live_rate_text(char text[VALUE_TEXT], double per_s, double burst)
{
	static const unsigned periods[] = {1, 60, 3600, 86400};
	struct rate rate = {.state = RATE_LIMITED, .burst = (uint64_t)llround(burst)};

	for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++) {
		const double count = per_s * periods[i];

		rate.count = (uint64_t)llround(count);
		rate.period = periods[i] * UINT64_C(1000000000);
		if (rate.count && fabs(count - (double)rate.count) <= 1e-6 * count) {
			rate_text(&rate, text);
			return;
		}
	}
	snprintf(text, VALUE_TEXT, "%.4g/day burst %.6g", per_s * 86400, burst);
}

static void page_limit(struct page_out *out, const char *name, const json_t *limit)
{
	char text[VALUE_TEXT];

	if (json_is_number(at(limit, "per_second")))
		live_rate_text(text, number_at(limit, "per_second"), number_at(limit, "burst"));
	else if (json_is_integer(at(limit, "count")))
		snprintf(text, sizeof(text), "%llu", (unsigned long long)count_at(limit, "count"));
	else
		snprintf(text, sizeof(text), "unlimited");
	page_cell(out, INK_DIM, 24, name);
	page_cell(out, INK_PLAIN, 32, text);
	snprintf(text, sizeof(text), "%llu %%",
		 (unsigned long long)count_at(limit, "peak_percent"));
	page_cell(out, INK_PLAIN, -9, at(limit, "peak_percent") ? text : "-");
	page_cell(out, INK_PLAIN, 2, "");
	page_rest(out, INK_PLAIN, text_at(limit, "from"));
	page_rest(out, INK_YELLOW, is_at(limit, "shadow") ? "; shadow: counted, not enforced" : "");
	page_newline(out);
}

void live_page_limits(struct page_out *out, const json_t *result)
{
	const char *name;
	json_t *limit;

	page_heading(out, "LIMITS");
	page_cell(out, INK_DIM, 24, "limit");
	page_cell(out, INK_DIM, 32, "allows");
	page_cell(out, INK_DIM, -9, "peak");
	page_cell(out, INK_DIM, 2, "");
	page_rest(out, INK_DIM, "from");
	page_newline(out);
	json_object_foreach(at(result, "limits"), name, limit)
	{
		page_limit(out, name, limit);
	}
	if (at(result, "warning")) {
		page_rest(out, INK_YELLOW, text_at(result, "warning"));
		page_newline(out);
	}
}

static void line(struct page_out *out, const char *name, enum ink ink, const char *text)
{
	page_cell(out, INK_DIM, 16, name);
	page_rest(out, ink, text);
	page_newline(out);
}

static void line_time(struct page_out *out, const char *name, uint64_t seconds)
{
	time_t time = (time_t)seconds;
	char text[64];
	struct tm tm;

	gmtime_r(&time, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm);
	line(out, name, INK_PLAIN, text);
}

static void page_suspension(struct page_out *out, const json_t *s)
{
	if (strcmp(text_at(s, "from"), "command") != 0) {
		line(out, "suspended by", INK_PLAIN,
		     strcmp(text_at(s, "from"), "risk") == 0 ? "its score: postern explain tenant"
							     : "the configuration");
		return;
	}
	line(out, "reason", INK_PLAIN, text_at(s, "reason"));
	line(out, "suspended by", INK_PLAIN, text_at(s, "by"));
	if (*text_at(s, "approver"))
		line(out, "approved by", INK_PLAIN, text_at(s, "approver"));
	line_time(out, "since", count_at(s, "since"));
	if (count_at(s, "until"))
		line_time(out, "until", count_at(s, "until"));
}

void live_page_tenant(struct page_out *out, const json_t *result)
{
	bool suspended = strcmp(text_at(result, "state"), "active") != 0;
	char text[320];

	page_heading(out, "TENANT");
	snprintf(text, sizeof(text), "%.200s, id %llu%s%.80s, %llu prefixes",
		 text_at(result, "name"), (unsigned long long)count_at(result, "id"),
		 *text_at(result, "tier") ? ", tier " : "", text_at(result, "tier"),
		 (unsigned long long)count_at(result, "prefixes"));
	line(out, "tenant", INK_BOLD, text);
	line(out, "state", suspended ? INK_RED : INK_PLAIN, text_at(result, "state"));
	if (json_is_object(at(result, "suspended")))
		page_suspension(out, at(result, "suspended"));
	if (json_is_object(at(result, "risk")))
		live_row(out, "risk", INK_PLAIN, "%.1f, %s, mode %s",
			 number_at(result, "risk.score"), text_at(result, "risk.level"),
			 text_at(result, "risk.mode"));
	if (json_is_number(at(result, "plaintext")))
		live_row(out, "in the clear", INK_PLAIN,
			 "%.4g %% of %llu connections; under TLS nobody reads",
			 100 * number_at(result, "plaintext"),
			 (unsigned long long)count_at(result, "counters.connections"));
	live_page_counts(out, "traffic", at(result, "counters"));
	live_page_counts(out, "verdicts", at(result, "counters.verdicts"));
	live_page_counts(out, "reasons", at(result, "counters.reasons"));
	if (at(result, "kernel")) {
		live_page_counts(out, "kernel", at(result, "kernel"));
		live_page_counts(out, "kernel dropped", at(result, "kernel.dropped_for"));
		if (json_object_size(at(result, "kernel.shadow")))
			live_page_counts(out, "kernel shadow", at(result, "kernel.shadow"));
	}
	live_page_calls_lately(out, at(result, "calls_lately"));
	live_page_limits(out, result);
}

/* What of an event people want to see first. */
static const char *event_words(const json_t *event, char *text, size_t size)
{
	static const char *const paths[] = {
		"gate.event",        "alert.signature", "verdict.reason",
		"smtp.mail_from",    "email.subject",   "sip.request_line",
		"sip.response_line", "call.to",         "app_proto"};
	static const char *const more[] = {"verdict.reply", "smtp.result", "call.state",
					   "flow.reason",   "gate.reason", "gate.to"};
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && !used; i++)
		if (*text_at(event, paths[i]))
			used = (size_t)snprintf(text, size, "%.200s", text_at(event, paths[i]));
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]) && used < size; i++)
		if (*text_at(event, more[i]))
			used += (size_t)snprintf(text + used, size - used, ": %.200s",
						 text_at(event, more[i]));
	return text;
}

void live_page_event(struct page_out *out, const json_t *event)
{
	char clock[16], peers[120], words[512];
	const char *type = text_at(event, "event_type");

	snprintf(clock, sizeof(clock), "%.12s",
		 strlen(text_at(event, "timestamp")) > 23 ? text_at(event, "timestamp") + 11 : "");
	snprintf(peers, sizeof(peers), "%.45s %s %.45s", text_at(event, "src_ip"),
		 at(event, "src_ip") ? ">" : "", text_at(event, "dest_ip"));
	page_cell(out, INK_DIM, 13, clock);
	page_cell(out, strcmp(type, "verdict") == 0 ? INK_RED : INK_BOLD, 9, type);
	page_cell(out, INK_PLAIN, 16, text_at(event, "tenant"));
	page_cell(out, INK_DIM, 34, peers);
	page_rest(out, INK_PLAIN, event_words(event, words, sizeof(words)));
	page_newline(out);
}
