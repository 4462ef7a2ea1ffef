/* SPDX-License-Identifier: BSD-3-Clause */
/* The difference that rules make: a page, or JSON. */
#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#include "control/base/json_text.h"
#include "control/page/page_text.h"
#include "tools/rules/rules_try.h"

static const char *const change_names[] = {
	[TRY_SAME] = "same", [TRY_NEW] = "new", [TRY_GONE] = "gone"};

static const char *tenant_name(const struct try_report *r, uint32_t slot)
{
	const struct tenant_name *t = tenant_name_of(&r->names, slot);

	return !slot || !t ? "nobody's" : *t->name ? t->name : "unnamed";
}

static const char *address(const struct try_hit *hit, const uint8_t *addr, char *buf, size_t size)
{
	if (!hit->family ||
	    !inet_ntop(hit->family == 4 ? AF_INET : AF_INET6, addr, buf, (socklen_t)size))
		return "?";
	return buf;
}

/* Text of the wire: on a terminal it is shown without its control characters. */
static void say(struct page_out *out, const char *name, const char *text)
{
	char line[TRY_TEXT + 32];

	if (!*text)
		return;
	snprintf(line, sizeof(line), "%*s%s: %s", 15, "", name, text);
	page_rest(out, INK_DIM, line);
	page_newline(out);
}

static void page_example(const struct try_report *r, struct page_out *out,
			 const struct try_hit *hit)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], clock[SHORT_SIZE], line[256];

	snprintf(line, sizeof(line), "    %-6s %s packet %llu, %s:%u -> %s:%u, %s, %s",
		 change_names[hit->change], short_clock(clock, hit->time),
		 (unsigned long long)hit->packet, address(hit, hit->src, src, sizeof(src)),
		 hit->sport, address(hit, hit->dst, dst, sizeof(dst)), hit->dport,
		 tenant_name(r, hit->tenant), hit->buffer);
	page_rest(out, INK_PLAIN, line);
	page_newline(out);
	say(out, "holds", hit->context);
	say(out, "from", hit->from);
	say(out, "to", hit->to);
	say(out, "subject", hit->subject);
	say(out, "call", hit->call_id);
}

static const struct try_hits *hits_of(const struct try_report *r, enum try_change change)
{
	return change == TRY_GONE ? &r->before : &r->after;
}

static void page_examples(const struct try_report *r, struct page_out *out, uint32_t sid)
{
	for (enum try_change change = TRY_NEW; change <= TRY_GONE; change++) {
		const struct try_hits *hits = hits_of(r, change);
		unsigned shown = 0;

		for (size_t i = 0; i < hits->count && shown < r->examples; i++)
			if (hits->hit[i].sid == sid && hits->hit[i].change == change) {
				page_example(r, out, &hits->hit[i]);
				shown++;
			}
	}
}

static void row(struct page_out *out, const char *name, const struct try_counts *c,
		const char *rest)
{
	char n[SHORT_SIZE];

	page_cell(out, INK_PLAIN, 20, name);
	for (int i = 0; i < TRY_CHANGES; i++)
		page_cell(out, INK_PLAIN, -9,
			  short_count(n, c->of[(const int[]){TRY_NEW, TRY_GONE, TRY_SAME}[i]]));
	page_cell(out, c->blocks ? INK_RED : INK_PLAIN, -16, short_count(n, c->blocks));
	page_rest(out, INK_PLAIN, rest);
	page_newline(out);
}

static void head(struct page_out *out, const char *what, const char *rest)
{
	char line[128];

	snprintf(line, sizeof(line), "%-20s%9s%9s%9s%16s%s", what, "new", "gone", "same",
		 "new, refused", rest);
	page_heading(out, line);
}

void try_page(const struct try_report *r, FILE *file)
{
	struct page_out out = {.file = file, .colour = page_colour(file)};
	char name[64], rest[256], packets[SHORT_SIZE];

	fprintf(file,
		"%zu rule%s %s %zu running ones, over %s packets: %llu hits new, %llu gone, "
		"%llu the same\n",
		r->mine_rules, r->mine_rules == 1 ? "" : "s",
		r->replace ? "in place of" : "laid over", r->running_rules,
		short_count(packets, r->packets), (unsigned long long)r->all.of[TRY_NEW],
		(unsigned long long)r->all.of[TRY_GONE], (unsigned long long)r->all.of[TRY_SAME]);
	if (r->silent)
		fprintf(file, "%zu of them are pass or noalert: what they hit is told nowhere\n",
			r->silent);
	if (!r->rules)
		return;
	head(&out, "TENANT", "");
	for (size_t i = 0; i < r->tenants; i++)
		row(&out, tenant_name(r, r->tenant[i].slot), &r->tenant[i].counts, "");
	head(&out, "RULE", "");
	for (size_t i = 0; i < r->rules; i++) {
		const struct try_rule *t = &r->rule[i];

		snprintf(name, sizeof(name), "%u", t->rule->sid);
		snprintf(rest, sizeof(rest), "  %s", t->rule->msg ? t->rule->msg : "");
		row(&out, name, &t->counts, rest);
		page_examples(r, &out, t->rule->sid);
	}
}

/* JSON --------------------------------------------------------------------- */

#define TEXT(text) json_text(text, strlen(text))

static json_t *example_json(const struct try_report *r, const struct try_hit *hit)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	json_t *object = json_pack("{s:s, s:I, s:f, s:s, s:i, s:s, s:i, s:o, s:s}", "change",
				   change_names[hit->change], "packet", (json_int_t)hit->packet,
				   "time", (double)hit->time / 1e9, "src_ip",
				   address(hit, hit->src, src, sizeof(src)), "src_port", hit->sport,
				   "dest_ip", address(hit, hit->dst, dst, sizeof(dst)), "dest_port",
				   hit->dport, "tenant", TEXT(tenant_name(r, hit->tenant)),
				   "buffer", hit->buffer);
	const struct {
		const char *name, *text;
	} texts[] = {{"context", hit->context},
		     {"from", hit->from},
		     {"to", hit->to},
		     {"subject", hit->subject},
		     {"call_id", hit->call_id}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (*texts[i].text)
			json_object_set_new(object, texts[i].name, TEXT(texts[i].text));
	return object;
}

static json_t *counts_json(const struct try_counts *c)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "new", (json_int_t)c->of[TRY_NEW], "gone",
			 (json_int_t)c->of[TRY_GONE], "same", (json_int_t)c->of[TRY_SAME],
			 "new_refused", (json_int_t)c->blocks);
}

static json_t *examples_json(const struct try_report *r, uint32_t sid)
{
	json_t *list = json_array();

	for (enum try_change change = TRY_NEW; change <= TRY_GONE; change++) {
		const struct try_hits *hits = hits_of(r, change);
		unsigned shown = 0;

		for (size_t i = 0; i < hits->count && shown < r->examples; i++)
			if (hits->hit[i].sid == sid && hits->hit[i].change == change) {
				json_array_append_new(list, example_json(r, &hits->hit[i]));
				shown++;
			}
	}
	return list;
}

json_t *try_json(const struct try_report *r)
{
	json_t *tenants = json_array(), *rules = json_array();

	for (size_t i = 0; i < r->tenants; i++) {
		const struct try_tenant *t = &r->tenant[i];
		const struct tenant_name *name = tenant_name_of(&r->names, t->slot);
		json_t *object = counts_json(&t->counts);

		json_object_set_new(object, "tenant_id",
				    json_integer(t->slot && name ? name->id : 0));
		json_object_set_new(object, "tenant", TEXT(tenant_name(r, t->slot)));
		json_array_append_new(tenants, object);
	}
	for (size_t i = 0; i < r->rules; i++) {
		const struct rule *rule = r->rule[i].rule;
		json_t *object = counts_json(&r->rule[i].counts);

		json_object_set_new(object, "sid", json_integer(rule->sid));
		json_object_set_new(object, "rev", json_integer(rule->rev));
		json_object_set_new(object, "msg", TEXT(rule->msg ? rule->msg : ""));
		json_object_set_new(object, "examples", examples_json(r, rule->sid));
		json_array_append_new(rules, object);
	}
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "how",
			 r->replace ? "replace" : "over", "rules_tried", (json_int_t)r->mine_rules,
			 "rules_running", (json_int_t)r->running_rules, "rules_silent",
			 (json_int_t)r->silent, "packets", (json_int_t)r->packets, "hits",
			 counts_json(&r->all), "tenants", tenants, "rules", rules);
}
