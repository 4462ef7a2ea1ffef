/* SPDX-License-Identifier: BSD-3-Clause */
/* The page's tables: tenants, refusals, rules, limits; the weightiest rows first, and how many
 * more. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/page/page_sections.h"

#define TENANT_ROWS   20
#define REASONS_SHOWN 4
#define REFUSAL_ROWS  15
#define RULE_ROWS     15
#define LIMIT_ROWS    10

#define NEAR_LIMIT 50 /* percent: worth a line */
#define AT_LIMIT   90 /* percent: worth red */

struct ranked {
	uint64_t n;
	size_t index;
};

static int ranked_order(const void *a, const void *b)
{
	const struct ranked *left = a, *right = b;

	if (left->n != right->n)
		return left->n > right->n ? -1 : 1;
	return left->index < right->index ? -1 : left->index > right->index;
}

/* The greatest first, equal ones as they stood. */
static void rank(struct ranked *list, size_t count)
{
	if (count)
		qsort(list, count, sizeof(*list), ranked_order);
}

void page_more(struct page_out *out, uint64_t n)
{
	char text[SHORT_SIZE];

	if (n)
		fprintf(out->file, "  and %s more\n", short_count(text, n));
}

static void count_cell(struct page_out *out, enum ink ink, int width, uint64_t n)
{
	char text[SHORT_SIZE];

	page_cell(out, ink, width, short_count(text, n));
}

static void ratio_cell(struct page_out *out, int width, uint64_t part, uint64_t of)
{
	char text[SHORT_SIZE];

	page_cell(out, INK_PLAIN, width, short_ratio(text, part, of));
}

/* A tenant as the tables call it. */
static const char *tenant_text(const struct report *r, uint32_t slot)
{
	const struct tenant_name *tenant = tenant_name_of(r->names, slot);

	if (!tenant)
		return "?";
	if (*tenant->name)
		return tenant->name;
	return slot ? "(unnamed)" : "(no tenant)";
}

/* Decisions of this reason against the tenant, as the refusals' table has them. */
static uint64_t refusals_of(const struct refusals *all, size_t slot, enum reason reason)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < all->kinds; i++) {
		const struct refusal *kind = &all->kind[i];

		if (kind->tenant == slot && !kind->shadow &&
		    strcmp(kind->reason, reason_name(reason)) == 0)
			n += kind->count;
	}
	return n;
}

/*
 * Why there are refusals, and what else there is to know. Counters count reasons, which one
 * refusal may give for each of its packets.
 */
static void tenant_reasons(struct page_out *out, const struct page *page,
			   const struct tenant_counters *c, size_t slot)
{
	struct ranked given[REASON_COUNT];
	size_t count = 0;
	char text[SHORT_SIZE];

	for (enum reason i = REASON_NONE + 1; i < REASON_COUNT; i++) {
		uint64_t n = refusals_of(&page->refusals, slot, i);

		if (!n && i != REASON_AFTER_REFUSAL)
			n = c->reasons[i];
		if (n)
			given[count++] = (struct ranked){n, i};
	}
	if (!count)
		return;
	rank(given, count);
	page_cell(out, INK_PLAIN, 10, "");
	page_cell(out, INK_DIM, 5, "why:");
	out->indent = out->column;
	for (size_t i = 0; i < count && i < REASONS_SHOWN; i++)
		page_item(out, "%s %s", reason_name((enum reason)given[i].index),
			  short_count(text, given[i].n));
	page_newline(out);
}

static void tenant_row(struct page_out *out, const struct page *page, const struct report *r,
		       size_t slot)
{
	const struct tenant_name *name = &r->names->slot[slot];
	const struct tenant_counters *c = &r->tenant[slot];
	const uint64_t refused = slot < page->tenants ? page->refused[slot] : 0;
	const bool active = strcmp(name->state, "active") == 0;
	char id[SHORT_SIZE];

	snprintf(id, sizeof(id), "%u", name->id);
	page_cell(out, INK_PLAIN, -8, id);
	page_cell(out, INK_PLAIN, 2, "");
	page_cell(out, INK_PLAIN, 21, tenant_text(r, (uint32_t)slot));
	page_cell(out, INK_PLAIN, 2, "");
	page_cell(out, active ? INK_PLAIN : INK_RED, 9, name->state);
	count_cell(out, INK_PLAIN, -9, c->packets);
	count_cell(out, INK_PLAIN, -10, c->messages);
	count_cell(out, INK_PLAIN, -8, c->recipients);
	count_cell(out, INK_PLAIN, -7, c->calls);
	ratio_cell(out, -8, c->calls_answered, c->calls_seized);
	ratio_cell(out, -8, c->calls_short, c->calls_answered);
	count_cell(out, refused ? INK_RED : INK_PLAIN, -8, refused);
	page_newline(out);
	tenant_reasons(out, page, c, slot);
}

int page_tenants(struct page_out *out, const struct page *page, const struct report *r)
{
	struct ranked *list = calloc(r->names->count + 1, sizeof(*list));
	size_t count = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < r->names->count; i++) {
		if (r->tenant[i].packets)
			list[count++] = (struct ranked){r->tenant[i].packets, i};
	}
	rank(list, count);
	page_heading(out, "TENANTS");
	page_rest(out, INK_DIM,
		  "      id  tenant                 state      packets  messages   rcpts "
		  " calls     ASR   short refused");
	page_newline(out);
	for (size_t i = 0; i < count && i < TENANT_ROWS; i++)
		tenant_row(out, page, r, list[i].index);
	page_more(out, count > TENANT_ROWS ? count - TENANT_ROWS : 0);
	if (r->names->count > count)
		fprintf(out->file, "  %zu without traffic\n", r->names->count - count);
	free(list);
	return 0;
}

static const struct rule_hits *rule_find(const struct report *r, uint32_t sid)
{
	for (size_t i = 0; i < r->rules; i++) {
		if (r->rule[i].sid == sid)
			return &r->rule[i];
	}
	return NULL;
}

/* A reason's text for people, from the name that the record carries. */
static const char *reason_words(const char *name)
{
	for (enum reason i = 0; i < REASON_COUNT; i++) {
		if (strcmp(reason_name(i), name) == 0)
			return reason_text(i);
	}
	return name;
}

static void refusal_row(struct page_out *out, const struct report *r, const struct refusal *k)
{
	const struct rule_hits *rule = k->sid ? rule_find(r, k->sid) : NULL;
	char text[160];

	count_cell(out, INK_PLAIN, -8, k->count);
	page_cell(out, INK_PLAIN, 2, "");
	page_cell(out, INK_PLAIN, 10, short_clock(text, k->first));
	page_cell(out, INK_PLAIN, 18, tenant_text(r, k->tenant));
	page_cell(out, INK_PLAIN, 2, "");
	page_cell(out, k->shadow ? INK_YELLOW : INK_RED, 8, k->shadow ? "shadow" : k->action);
	page_cell(out, INK_PLAIN, 12, k->object);
	if (rule && rule->msg)
		snprintf(text, sizeof(text), "rule %u: %s", k->sid, rule->msg);
	else if (k->sid)
		snprintf(text, sizeof(text), "rule %u", k->sid);
	else
		snprintf(text, sizeof(text), "%s", reason_words(k->reason));
	page_rest(out, INK_PLAIN, text);
	page_newline(out);
	if (!k->reply[0])
		return;
	page_cell(out, INK_PLAIN, 40, "");
	snprintf(text, sizeof(text), "\"%s\"", k->reply);
	page_rest(out, INK_DIM, text);
	page_newline(out);
}

void page_refused(struct page_out *out, struct page *page, const struct report *r)
{
	struct refusals *all = &page->refusals;
	uint64_t left = all->uncounted;

	page_heading(out, "REFUSED");
	if (!all->kinds) {
		fputs("  nothing\n", out->file);
		return;
	}
	refusals_sort(all);
	page_rest(out, INK_DIM,
		  "   times  first     tenant              verdict what        why, and in which "
		  "words");
	page_newline(out);
	for (unsigned i = 0; i < all->kinds; i++) {
		if (i < REFUSAL_ROWS)
			refusal_row(out, r, &all->kind[i]);
		else
			left += all->kind[i].count;
	}
	page_more(out, left);
}

static void rule_row(struct page_out *out, const struct rule_hits *rule)
{
	const bool alert = !rule->action || strcmp(rule->action, "alert") == 0;
	char sid[SHORT_SIZE];

	count_cell(out, INK_PLAIN, -8, rule->hits);
	page_cell(out, INK_PLAIN, 2, "");
	page_cell(out, alert ? INK_PLAIN : INK_RED, 8, rule->action ? rule->action : "");
	snprintf(sid, sizeof(sid), "%u", rule->sid);
	page_cell(out, INK_PLAIN, -10, sid);
	page_cell(out, INK_PLAIN, 2, "");
	page_rest(out, INK_PLAIN, rule->msg ? rule->msg : "");
	page_newline(out);
}

int page_rules(struct page_out *out, const struct report *r)
{
	struct ranked *list = calloc(r->rules + 1, sizeof(*list));
	size_t count = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < r->rules; i++) {
		if (r->rule[i].hits)
			list[count++] = (struct ranked){r->rule[i].hits, i};
	}
	rank(list, count);
	page_heading(out, "RULES THAT HIT");
	page_rest(out, count ? INK_DIM : INK_PLAIN,
		  count ? "    hits  action         sid  message" : "  none");
	page_newline(out);
	for (size_t i = 0; i < count && i < RULE_ROWS; i++)
		rule_row(out, &r->rule[list[i].index]);
	page_more(out, count > RULE_ROWS ? count - RULE_ROWS : 0);
	free(list);
	return 0;
}

/* "5/s, burst 10": in the largest unit of time that makes it a whole number. */
static void limit_text(char *text, size_t size, const struct limit_use *use)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = {{"s", 1}, {"min", 60}, {"hour", 3600}, {"day", 86400}};
	char count[SHORT_SIZE], burst[SHORT_SIZE];
	size_t unit = 0;
	double n;

	for (;; unit++) {
		double off;

		n = use->per_s * units[unit].seconds;
		off = n - (double)(uint64_t)(n + 0.5);
		if (n >= 1000 || unit + 1 == sizeof(units) / sizeof(units[0]) ||
		    (n > 0.99 && off < n / 10000 && off > -n / 10000))
			break;
	}
	snprintf(text, size, "of %s/%s, burst %s", short_count(count, (uint64_t)(n + 0.5)),
		 units[unit].name, short_count(burst, (uint64_t)(use->burst + 0.5)));
}

static void limit_row(struct page_out *out, const struct report *r, const struct limit_use *use)
{
	const unsigned percent = use->used_percent < 100 ? use->used_percent : 100;
	const enum ink ink = use->refused || percent >= AT_LIMIT ? INK_RED : INK_YELLOW;
	char bar[] = "..........";
	char text[128], rate[96] = "", n[SHORT_SIZE];

	memset(bar, '#', percent / 10);
	page_cell(out, INK_PLAIN, 2, "");
	page_cell(out, INK_PLAIN, 18, tenant_text(r, use->tenant));
	page_cell(out, INK_PLAIN, 2, "");
	page_cell(out, INK_PLAIN, 14, use->limit);
	page_cell(out, ink, 10, bar);
	snprintf(text, sizeof(text), "%u %%", percent);
	page_cell(out, ink, -7, text);
	if (use->per_s > 0)
		limit_text(rate, sizeof(rate), use);
	if (use->refused)
		snprintf(text, sizeof(text), "%s%sexceeded %s times", rate, *rate ? "; " : "",
			 short_count(n, use->refused));
	else
		snprintf(text, sizeof(text), "%s", rate);
	if (*text)
		page_cell(out, INK_PLAIN, 1, "");
	page_rest(out, use->refused ? INK_RED : INK_PLAIN, text);
	page_newline(out);
}

int page_limits(struct page_out *out, const struct report *r)
{
	struct ranked *list = calloc(r->limits + 1, sizeof(*list));
	size_t count = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < r->limits; i++) {
		const struct limit_use *use = &r->limit[i];

		if (use->refused || use->used_percent >= NEAR_LIMIT)
			list[count++] = (struct ranked){use->refused * 128 + use->used_percent, i};
	}
	rank(list, count);
	page_heading(out, "NEAR A LIMIT");
	if (!count)
		fprintf(out->file, "  nobody came to %d %% of a limit\n", NEAR_LIMIT);
	for (size_t i = 0; i < count && i < LIMIT_ROWS; i++)
		limit_row(out, r, &r->limit[list[i].index]);
	page_more(out, count > LIMIT_ROWS ? count - LIMIT_ROWS : 0);
	free(list);
	return 0;
}
