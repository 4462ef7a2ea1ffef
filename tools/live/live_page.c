/* SPDX-License-Identifier: BSD-3-Clause */
/* The gate as a whole: status, traffic, ports. */
#include "tools/live/live_page.h"

#include <stdlib.h>
#include <time.h>

#include "tools/live/live_json.h"

void live_label(struct page_out *out, const char *text)
{
	page_cell(out, INK_DIM, 16, text);
}

void live_row(struct page_out *out, const char *name, enum ink ink, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	live_label(out, name);
	page_rest(out, ink, text);
	page_newline(out);
}

const char *live_when(char buf[32], uint64_t seconds)
{
	time_t time = (time_t)seconds;
	struct tm tm;

	gmtime_r(&time, &tm);
	strftime(buf, 32, "%Y-%m-%d %H:%M:%S UTC", &tm);
	return buf;
}

static void page_worker(struct page_out *out, const json_t *worker)
{
	char name[24];

	snprintf(name, sizeof(name), "worker %llu", (unsigned long long)count_at(worker, "worker"));
	if (!json_is_number(at(worker, "heartbeat_age_ms"))) {
		live_row(out, name, INK_DIM, "waits for a policy");
		return;
	}
	live_row(out, name, INK_PLAIN, "CPU %llu, heartbeat %.1f ms ago, policy %llu, rules %llu",
		 (unsigned long long)count_at(worker, "lcore"),
		 number_at(worker, "heartbeat_age_ms"),
		 (unsigned long long)count_at(worker, "policy_generation"),
		 (unsigned long long)count_at(worker, "ruleset_generation"));
}

static void page_dataplane(struct page_out *out, const json_t *result)
{
	const json_t *dataplane = at(result, "dataplane");
	json_t *worker;
	size_t i;

	if (is_at(dataplane, "up") && *text_at(dataplane, "trouble"))
		live_row(out, "dataplane", INK_RED, "REFUSES the policy: %s",
			 text_at(dataplane, "trouble"));
	else if (is_at(dataplane, "up"))
		live_row(out, "dataplane", INK_PLAIN, "runs, pid %llu%s",
			 (unsigned long long)count_at(dataplane, "pid"),
			 is_at(dataplane, "stalled") ? ", a worker STANDS STILL" : "");
	else
		live_row(out, "dataplane", INK_RED, "DOWN: %s", text_at(dataplane, "trouble"));
	json_array_foreach(at(dataplane, "workers"), i, worker)
	{
		page_worker(out, worker);
	}
	if (is_at(dataplane, "supervised"))
		live_row(out, "supervised", INK_PLAIN, "started %llu times, died %llu times",
			 (unsigned long long)count_at(dataplane, "starts"),
			 (unsigned long long)count_at(dataplane, "deaths"));
	live_row(out, "failure policy", is_at(dataplane, "up") ? INK_PLAIN : INK_BOLD,
		 "%s%s, mode %s", text_at(result, "failure"),
		 is_at(dataplane, "up") ? "" : " (holds the wire now)", text_at(result, "mode"));
}

static void page_configuration(struct page_out *out, const json_t *c)
{
	char time[32];

	live_row(out, "configuration", INK_PLAIN, "%s, generation %llu, since %s",
		 text_at(c, "path"), (unsigned long long)count_at(c, "generation"),
		 live_when(time, count_at(c, "loaded")));
	live_row(out, "holds", INK_PLAIN,
		 "%llu tenants, %llu prefixes, %llu list entries, %llu rules",
		 (unsigned long long)count_at(c, "counts.tenants"),
		 (unsigned long long)count_at(c, "counts.prefixes"),
		 (unsigned long long)count_at(c, "counts.list_entries"),
		 (unsigned long long)count_at(c, "counts.rules"));
	if (json_array_size(at(c, "problems")))
		live_row(out, "last reload", INK_YELLOW, "FAILED: %s%s",
			 text_at(json_array_get(at(c, "problems"), 0), "message"),
			 json_array_size(at(c, "problems")) > 1 ? " …" : "");
}

/* Only where there is something to say: the disk takes all, as a rule. */
static void page_state(struct page_out *out, const json_t *state)
{
	char time[32];

	if (is_at(state, "failing"))
		live_row(out, "state", INK_RED, "NOT STORED: %s", text_at(state, "reason"));
	if (count_at(state, "kept"))
		live_row(out, "kept for it", INK_YELLOW, "%llu units in memory, since %s",
			 (unsigned long long)count_at(state, "kept"),
			 live_when(time, count_at(state, "kept_since")));
	if (count_at(state, "lost"))
		live_row(out, "lost of it", INK_RED, "%llu units that found no room",
			 (unsigned long long)count_at(state, "lost"));
}

void live_page_status(struct page_out *out, const json_t *result)
{
	char time[SHORT_SIZE];

	page_heading(out, "GATE");
	page_dataplane(out, result);
	page_configuration(out, at(result, "configuration"));
	live_row(out, "posternd", INK_PLAIN, "%s, pid %llu, up %s, uid %llu",
		 text_at(result, "posternd.version"),
		 (unsigned long long)count_at(result, "posternd.pid"),
		 short_duration(time, number_at(result, "posternd.uptime_s")),
		 (unsigned long long)count_at(result, "posternd.uid"));
	live_row(out, "capabilities", INK_PLAIN, "%s", text_at(result, "posternd.capabilities"));
	page_state(out, at(result, "state"));
	live_row(out, "events", *text_at(result, "events.error") ? INK_RED : INK_PLAIN,
		 "%llu lines in %s, lost %llu%s%s",
		 (unsigned long long)count_at(result, "events.lines"),
		 text_at(result, "events.path"),
		 (unsigned long long)(count_at(result, "events.lost_in_ring") +
				      count_at(result, "events.lost_in_log")),
		 *text_at(result, "events.error") ? ": " : "", text_at(result, "events.error"));
}

void live_page_counts(struct page_out *out, const char *name, const json_t *counts)
{
	char number[SHORT_SIZE];
	const char *key;
	json_t *value;

	live_label(out, name);
	out->indent = 16;
	out->listed = false;
	json_object_foreach((json_t *)(uintptr_t)counts, key, value)
	{
		if (json_is_integer(value) && json_integer_value(value))
			page_item(out, "%s %s", key,
				  short_count(number, (uint64_t)json_integer_value(value)));
	}
	if (!out->listed)
		page_rest(out, INK_DIM, "none");
	page_newline(out);
}

static bool is_one_of(const char *name, const char *const *names)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names;
}

void live_page_fields(struct page_out *out, const json_t *fields, const char *const *without)
{
	const char *name, *before = "";
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)fields, name, value)
	{
		char *text;

		if (is_one_of(name, without))
			continue;
		text = json_is_string(value) ? NULL
					     : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT |
									 JSON_REAL_PRECISION(4));
		page_whole(out, INK_PLAIN, before);
		page_whole(out, INK_DIM, name);
		page_whole(out, INK_PLAIN, " ");
		page_whole(out, INK_PLAIN, text ? text : json_string_value(value));
		free(text);
		before = ", ";
	}
}

static void page_kernel_side(struct page_out *out, const char *side, const json_t *port)
{
	live_page_counts(out, side, port);
	live_page_counts(out, "  dropped for", at(port, "dropped_for"));
	if (json_object_size(at(port, "passed_for")))
		live_page_counts(out, "  passed for", at(port, "passed_for"));
	if (json_object_size(at(port, "shadow")))
		live_page_counts(out, "  in shadow", at(port, "shadow"));
}

/* What the kernel decided by itself, whether or not there was a dataplane. */
static void page_kernel(struct page_out *out, const json_t *kernel)
{
	page_heading(out, "THE KERNEL, SINCE ITS MAPS WERE MADE");
	page_kernel_side(out, "inside", at(kernel, "inside"));
	page_kernel_side(out, "outside", at(kernel, "outside"));
	live_row(out, "failure policy", is_at(kernel, "failure.acting") ? INK_RED : INK_PLAIN,
		 "%s; %llu passed unread, %llu dropped",
		 is_at(kernel, "failure.acting") ? "ACTS NOW" : "does not act",
		 (unsigned long long)count_at(kernel, "failure.passed"),
		 (unsigned long long)count_at(kernel, "failure.dropped"));
}

void live_page_stats(struct page_out *out, const json_t *stats)
{
	char packets[SHORT_SIZE], bytes[SHORT_SIZE];

	if (at(stats, "kernel"))
		page_kernel(out, at(stats, "kernel"));
	page_heading(out, "TRAFFIC SINCE THE DATAPLANE'S START");
	live_row(out, "packets", INK_PLAIN, "%s, %s",
		 short_count(packets, count_at(stats, "packets")),
		 short_amount(bytes, number_at(stats, "bytes"), "B"));
	live_page_counts(out, "link", at(stats, "link"));
	live_page_counts(out, "flows", at(stats, "flow"));
	live_page_counts(out, "messages", at(stats, "smtp.messages"));
	live_page_counts(out, "recipients", at(stats, "smtp.recipients"));
	live_page_counts(out, "calls", at(stats, "sip.calls"));
	live_page_counts(out, "verdicts", at(stats, "verdicts"));
	live_page_counts(out, "reasons", at(stats, "reasons"));
}

static void page_ports(struct page_out *out, const json_t *result)
{
	json_t *port;
	char text[SHORT_SIZE];
	size_t i;

	page_heading(out, "PORTS");
	if (!json_array_size(at(result, "ports"))) {
		live_row(out, "", INK_DIM, "none: the dataplane does not run");
		return;
	}
	page_cell(out, INK_DIM, 9, "side");
	page_cell(out, INK_DIM, 18, "port");
	page_cell(out, INK_DIM, 6, "link");
	page_cell(out, INK_DIM, -6, "mtu");
	page_cell(out, INK_DIM, -12, "in");
	page_cell(out, INK_DIM, -12, "out");
	page_cell(out, INK_DIM, -10, "missed");
	page_cell(out, INK_DIM, -10, "errors");
	page_newline(out);
	json_array_foreach(at(result, "ports"), i, port)
	{
		const char *iface = text_at(port, "interface");

		page_cell(out, INK_PLAIN, 9, text_at(port, "side"));
		page_cell(out, INK_PLAIN, 18, *iface ? iface : text_at(port, "name"));
		if (!at(port, "name")) {
			page_rest(out, INK_RED, "not open: the dataplane does not run");
			page_newline(out);
			continue;
		}
		page_cell(out, is_at(port, "up") ? INK_PLAIN : INK_RED, 6,
			  is_at(port, "up") ? "up" : "DOWN");
		page_cell(out, INK_PLAIN, -6, short_count(text, count_at(port, "mtu")));
		page_cell(out, INK_PLAIN, -12, short_count(text, count_at(port, "rx_packets")));
		page_cell(out, INK_PLAIN, -12, short_count(text, count_at(port, "tx_packets")));
		page_cell(out, INK_PLAIN, -10,
			  short_count(text, count_at(port, "rx_missed") +
						    count_at(port, "rx_no_buffer")));
		page_cell(out, INK_PLAIN, -10,
			  short_count(text,
				      count_at(port, "rx_errors") + count_at(port, "tx_errors")));
		page_newline(out);
	}
}

void live_page_ports(struct page_out *out, const json_t *result)
{
	json_t *port;
	size_t i;

	page_ports(out, result);
	json_array_foreach(at(result, "ports"), i, port)
	{
		if (at(port, "kernel"))
			page_kernel_side(out, text_at(port, "side"), at(port, "kernel"));
	}
}

void live_page_show(struct page_out *out, const json_t *result)
{
	live_page_status(out, result);
	live_row(out, "tenants", INK_PLAIN,
		 "%llu, %llu suspended, %llu with settings made by command",
		 (unsigned long long)count_at(result, "tenants.count"),
		 (unsigned long long)count_at(result, "tenants.suspended"),
		 (unsigned long long)count_at(result, "tenants.overridden"));
	page_ports(out, result);
	if (at(result, "stats"))
		live_page_stats(out, at(result, "stats"));
}

void live_page_failure(struct page_out *out, const json_t *result)
{
	live_row(out, "failure policy", INK_PLAIN, "%s", text_at(result, "failure"));
	live_row(out, "heartbeat", INK_PLAIN, "%llu ms, watched by the %s",
		 (unsigned long long)count_at(result, "heartbeat_ms"), text_at(result, "held_by"));
}
