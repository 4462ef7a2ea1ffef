/* SPDX-License-Identifier: BSD-3-Clause */
/* What `postern rules bench` measured: a page, or JSON. */
#include <string.h>

#include "control/page/page_text.h"
#include "tools/rules/rules_bench.h"
#include "tools/rules/rules_lines.h"

static double kib(const struct bench *b, double ns)
{
	return match_ns_per_kib(ns, b->tape.traffic);
}

static double percent(const struct bench *b, double ns)
{
	return b->cost.all.median > 0 ? ns * 100 / b->cost.all.median : 0;
}

static double shared_ns(const struct bench *b)
{
	return b->own < b->cost.all.median ? b->cost.all.median - b->own : 0;
}

static const struct rule_plan_chain *first_of(const struct bench_rule *r, enum rule_plan_how how)
{
	for (size_t i = 0; i < r->plan.count; i++)
		if (r->plan.chains[i].how == how)
			return &r->plan.chains[i];
	return NULL;
}

/* Bytes as a rule would have them, cut. */
static void quote(char *buf, size_t size, const char *text, size_t len)
{
	size_t at = 0;

	for (size_t i = 0; i < len && at + 8 < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (at > 32) {
			at += (size_t)snprintf(buf + at, size - at, "...");
			break;
		}
		at += (size_t)snprintf(buf + at, size - at,
				       c < ' ' || c > '~' || c == '|' ? "|%02x|" : "%c", c);
	}
	buf[at] = '\0';
}

void bench_why(const struct bench_rule *r, char *buf, size_t size)
{
	const struct rule_plan_chain *literal = first_of(r, PLAN_LITERAL);
	char text[64], times[SHORT_SIZE];

	if (literal)
		quote(text, sizeof(text), literal->text, literal->len);
	if (r->expression)
		snprintf(buf, size, "an expression on every byte: it has no literal");
	else if (r->brief && literal)
		snprintf(buf, size, "\"%s\" is short: Hyperscan stops wherever it is", text);
	else if (r->always)
		snprintf(buf, size, "no literal: looked at %s times", short_count(times, r->found));
	else if (!r->found)
		snprintf(buf, size, "nothing of it was found");
	else
		snprintf(buf, size, "\"%s\" found %s times", literal ? text : "it",
			 short_count(times, r->found));
}

static void buffers_of(const struct rule *rule, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < rule->parts_count && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s%s", i ? " " : "",
				       rule_buffers[rule->parts[i].buffer].name);
}

static void page_total(const struct bench *b, FILE *out)
{
	const struct match_time *all = &b->cost.all;
	char rules[SHORT_SIZE], bytes[SHORT_SIZE];

	fprintf(out, "%s rules over %s, processor time of one core, %u rounds\n",
		short_count(rules, b->rules.list.count),
		short_amount(bytes, (double)b->tape.traffic, "B of traffic"), b->rounds);
	fprintf(out,
		"all together  %.1f ns per KiB of traffic (%.1f to %.1f): %.2f Gbit/s a core for "
		"matching alone\n",
		kib(b, all->median), kib(b, all->low), kib(b, all->high),
		match_gbits(all->median, b->tape.traffic));
	fprintf(out, "shared        %.1f ns per KiB: the search that all rules have in common\n",
		kib(b, shared_ns(b)));
	fprintf(out, "by one rule   %.1f ns per KiB, sum of the rules below\n", kib(b, b->own));
}

static void page_buffers(const struct bench *b, FILE *out)
{
	bool shown[RULE_BUFFER_COUNT] = {false};
	double sum = 0;
	char bytes[SHORT_SIZE];

	for (int i = 0; i < RULE_BUFFER_COUNT; i++)
		sum += b->cost.buffer[i].median;
	fprintf(out, "\n%-20s %12s %10s %18s\n", "BUFFER", "scanned", "share", "ns per its KiB");
	for (int done = 0; done < RULE_BUFFER_COUNT; done++) {
		int best = -1;

		for (int i = 0; i < RULE_BUFFER_COUNT; i++)
			if (!shown[i] && b->cost.buffer[i].median > 0 &&
			    (best < 0 || b->cost.buffer[i].median > b->cost.buffer[best].median))
				best = i;
		if (best < 0)
			return;
		shown[best] = true;
		fprintf(out, "%-20s %12s %8.1f %% %18.1f\n", rule_buffers[best].name,
			short_amount(bytes, (double)b->tape.fed[best], "B"),
			b->cost.buffer[best].median * 100 / sum,
			match_ns_per_kib(b->cost.buffer[best].median, b->tape.fed[best]));
	}
}

/* Sorted: from the first that costs nothing on, none does. */
static size_t costly(const struct bench *b)
{
	size_t n = 0;

	while (n < b->rules.list.count && (b->row[n].ns > 0 || b->row[n].expression))
		n++;
	return n;
}

static void page_rules(const struct bench *b, FILE *out)
{
	size_t count = b->rules.list.count, some = costly(b);
	size_t shown = !b->top ? count : b->top < some ? b->top : some;
	char why[160], buffers[256];

	fprintf(out, "\n%-12s %10s %8s  %-26s %s\n", "RULE", "ns per KiB", "share", "looks at",
		"why");
	for (size_t i = 0; i < shown; i++) {
		const struct bench_rule *r = &b->row[i];

		bench_why(r, why, sizeof(why));
		buffers_of(r->rule, buffers, sizeof(buffers));
		fprintf(out, "%-12u %s%9.2f %6.1f %%  %-26s %s\n", r->rule->sid,
			r->estimate ? "~" : " ", kib(b, r->ns), percent(b, r->ns), buffers, why);
	}
	if (shown < count)
		fprintf(out, "... and %zu more (--top 0), nothing of %zu of them was found\n",
			count - shown, count - some);
}

void bench_page(const struct bench *b, FILE *out)
{
	page_total(b, out);
	page_buffers(b, out);
	page_rules(b, out);
	fprintf(out,
		"\n~ an estimate: %s. The others: the time from when\nsomething of the rule is "
		"found "
		"to when it is done with.\n",
		b->without ? "all rules with it, less all without it"
			   : "measured alone, less a search for nothing");
	if (b->unmeasured)
		fprintf(out,
			"%zu rules more should have been: what they cost Hyperscan is in the "
			"shared.\n",
			b->unmeasured);
}

static json_t *json_time(const struct match_time *t, uint64_t bytes)
{
	return json_pack("{s:f, s:f, s:f}", "median", match_ns_per_kib(t->median, bytes), "low",
			 match_ns_per_kib(t->low, bytes), "high", match_ns_per_kib(t->high, bytes));
}

static json_t *json_buffers(const struct bench *b)
{
	json_t *list = json_array();

	for (int i = 0; i < RULE_BUFFER_COUNT; i++)
		if (b->cost.buffer[i].median > 0)
			json_array_append_new(
				list,
				json_pack("{s:s, s:I, s:f, s:o}", "buffer", rule_buffers[i].name,
					  "bytes", (json_int_t)b->tape.fed[i],
					  "ns_per_kib_of_traffic", kib(b, b->cost.buffer[i].median),
					  "ns_per_kib_scanned",
					  json_time(&b->cost.buffer[i], b->tape.fed[i])));
	return list;
}

static json_t *json_rule(const struct bench *b, const struct bench_rule *r)
{
	json_t *buffers = json_array();
	char why[160];

	for (size_t i = 0; i < r->rule->parts_count; i++)
		json_array_append_new(buffers,
				      json_string(rule_buffers[r->rule->parts[i].buffer].name));
	bench_why(r, why, sizeof(why));
	return json_pack("{s:I, s:I, s:o, s:o, s:i, s:o, s:f, s:f, s:I, s:b, s:s}", "sid",
			 (json_int_t)r->rule->sid, "rev", (json_int_t)r->rule->rev, "msg",
			 rules_json_string(r->rule->msg), "file",
			 rules_json_string(r->rule->place.file), "line", (int)r->rule->place.line,
			 "buffers", buffers, "ns_per_kib", kib(b, r->ns), "share",
			 percent(b, r->ns) / 100, "found", (json_int_t)r->found, "estimate",
			 r->estimate, "why", why);
}

json_t *bench_json(const struct bench *b)
{
	json_t *rules = json_array();

	for (size_t i = 0; i < b->rules.list.count; i++)
		json_array_append_new(rules, json_rule(b, &b->row[i]));
	return json_pack("{s:I, s:i, s:o, s:f, s:f, s:f, s:I, s:o, s:o}", "traffic_bytes",
			 (json_int_t)b->tape.traffic, "rounds", (int)b->rounds, "ns_per_kib",
			 json_time(&b->cost.all, b->tape.traffic), "gbits_per_core",
			 match_gbits(b->cost.all.median, b->tape.traffic), "shared_ns_per_kib",
			 kib(b, shared_ns(b)), "rules_ns_per_kib", kib(b, b->own), "hits",
			 (json_int_t)b->cost.hits, "buffers", json_buffers(b), "rules", rules);
}
