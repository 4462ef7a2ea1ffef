/* SPDX-License-Identifier: BSD-3-Clause */
/* What came back, for people. */
#include "tools/feedback/feedback.h"
#include "tools/live/live_json.h"
#include "tools/live/live_page.h"

static enum ink result_ink(const char *result)
{
	if (strcmp(result, "counted") == 0)
		return INK_YELLOW;
	return strcmp(result, "unmatched") == 0 || strcmp(result, "ambiguous") == 0 ||
			       strcmp(result, "excess") == 0
		       ? INK_BOLD
		       : INK_DIM;
}

void feedback_page_item(struct page_out *out, const struct feedback_item *item)
{
	page_cell(out, INK_BOLD, 14, feedback_kind_name(item->kind));
	page_cell(out, INK_PLAIN, 32, *item->message_id ? item->message_id : "(no Message-ID)");
	page_cell(out, INK_PLAIN, 1, "");
	page_cell(out, INK_PLAIN, 28, item->rcpt);
	page_cell(out, INK_PLAIN, 1, "");
	page_cell(out, INK_DIM, 8, item->status);
	page_rest(out, INK_DIM, *item->text ? item->text : item->type);
	page_newline(out);
}

void feedback_page_match(struct page_out *out, const json_t *m)
{
	const char *tenant = text_at(m, "tenant"), *by = text_at(m, "matched_by");
	char rules[64];

	page_cell(out, INK_PLAIN, 20, *tenant ? tenant : "(nobody's)");
	page_cell(out, INK_PLAIN, 14, text_at(m, "kind"));
	page_cell(out, result_ink(text_at(m, "result")), 11, text_at(m, "result"));
	page_cell(out, INK_DIM, 12, strcmp(by, "nothing") == 0 ? "" : by);
	page_rest(out, INK_PLAIN, text_at(m, "message_id"));
	if (json_array_size(at(m, "rules"))) {
		snprintf(rules, sizeof(rules), "  names a block list, rule %lld",
			 (long long)json_integer_value(json_array_get(at(m, "rules"), 0)));
		page_rest(out, INK_YELLOW, rules);
	}
	page_newline(out);
}

static void results_row(struct page_out *out, const struct feedback_call *c)
{
	uint64_t all = 0;
	json_t *value;
	const char *name;
	char text[64];

	json_object_foreach(c->results, name, value)
	{
		all += (uint64_t)json_integer_value(value);
	}
	snprintf(text, sizeof(text), "%llu report%s", (unsigned long long)all, all == 1 ? "" : "s");
	page_rest(out, INK_BOLD, text);
	json_object_foreach(c->results, name, value)
	{
		snprintf(text, sizeof(text), ", %llu %s",
			 (unsigned long long)json_integer_value(value), name);
		page_rest(out, result_ink(name), text);
	}
	page_rest(out, INK_DIM, c->dry_run ? " (dry run: nothing was counted)" : "");
	page_newline(out);
}

static void log_row(struct page_out *out, const json_t *log)
{
	char text[160];

	snprintf(text, sizeof(text),
		 "%llu lines, %llu deliveries, %llu to filters and mailboxes of the host",
		 (unsigned long long)count_at(log, "lines"),
		 (unsigned long long)count_at(log, "deliveries"),
		 (unsigned long long)count_at(log, "inner"));
	page_rest(out, INK_DIM, text);
	page_newline(out);
}

static void mails_row(struct page_out *out, const struct feedback_call *c)
{
	char text[96];

	snprintf(text, sizeof(text), "%llu mails, %llu of them no report of this kind",
		 (unsigned long long)c->mails, (unsigned long long)c->useless);
	page_rest(out, INK_DIM, text);
	page_newline(out);
}

void feedback_page(struct page_out *out, const struct feedback_call *c)
{
	if (c->log)
		log_row(out, c->log);
	else if (c->mails > 1)
		mails_row(out, c);
	if (!c->parse)
		results_row(out, c);
}

/* postern feedback list */
void live_page_feedback(struct page_out *out, const json_t *result)
{
	char when[32];
	json_t *row;
	size_t i;

	page_heading(out, "REPORTS");
	json_array_foreach(at(result, "reports"), i, row)
	{
		const char *tenant = text_at(row, "tenant");

		page_cell(out, INK_DIM, 24, live_when(when, (uint64_t)number_at(row, "time")));
		page_cell(out, INK_PLAIN, 16, *tenant ? tenant : "(nobody's)");
		page_cell(out, INK_PLAIN, 8, text_at(row, "source"));
		page_cell(out, INK_PLAIN, 13, text_at(row, "kind"));
		page_cell(out, result_ink(text_at(row, "result")), 11, text_at(row, "result"));
		page_rest(out, INK_PLAIN, text_at(row, "message_id"));
		page_newline(out);
	}
	if (!json_array_size(at(result, "reports")))
		page_none(out);
}

/* postern show egress */
void live_page_egress(struct page_out *out, const json_t *result)
{
	char since[32];
	json_t *row;
	size_t i;

	page_heading(out, "EGRESS ADDRESSES");
	json_array_foreach(at(result, "egress"), i, row)
	{
		const bool listed = is_at(row, "listed");
		const char *tenant = text_at(row, "tenant");

		page_cell(out, INK_PLAIN, 20, text_at(row, "address"));
		page_cell(out, INK_DIM, 16, *tenant ? tenant : "(shared)");
		page_cell(out, INK_PLAIN, 24, text_at(row, "zone"));
		if (listed) {
			page_cell(out, INK_RED, 16, text_at(row, "names"));
			page_rest(out, INK_DIM,
				  live_when(since, (uint64_t)number_at(row, "since")));
		} else {
			page_rest(out, INK_DIM, text_at(row, "answer"));
		}
		page_newline(out);
	}
	if (!json_array_size(at(result, "egress")))
		live_row(out, "none", INK_DIM,
			 "gate.egress and gate.dnsbl name addresses and lists");
}
