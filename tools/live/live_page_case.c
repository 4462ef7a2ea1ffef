/* SPDX-License-Identifier: BSD-3-Clause */
/* Cases: which there are, and one of them from its beginning. */
#include <stdlib.h>

#include "tools/live/live_json.h"
#include "tools/live/live_page.h"

static enum ink state_ink(const char *state)
{
	if (strcmp(state, "overdue") == 0)
		return INK_RED;
	return strcmp(state, "closed") == 0 ? INK_DIM : INK_YELLOW;
}

static const char *time_at(char buf[32], const json_t *object, const char *name)
{
	const json_t *time = at(object, name);

	return json_is_number(time) ? live_when(buf, (uint64_t)json_number_value(time)) : "-";
}

static const char *whose(const json_t *one)
{
	if (*text_at(one, "tenant"))
		return text_at(one, "tenant");
	return count_at(one, "tenant_id") ? "(gone)" : "(nobody's)";
}

void live_page_cases(struct page_out *out, const json_t *result)
{
	char text[32];
	json_t *one;
	size_t i;

	page_heading(out, "CASES");
	page_cell(out, INK_DIM, 7, "case");
	page_cell(out, INK_DIM, 20, "tenant");
	page_cell(out, INK_DIM, 10, "state");
	page_cell(out, INK_DIM, 25, "opened");
	page_cell(out, INK_DIM, 25, "answer due");
	page_rest(out, INK_DIM, "items");
	page_newline(out);
	json_array_foreach(at(result, "cases"), i, one)
	{
		snprintf(text, sizeof(text), "%llu", (unsigned long long)count_at(one, "case"));
		page_cell(out, INK_BOLD, 7, text);
		page_cell(out, INK_PLAIN, 20, whose(one));
		page_cell(out, state_ink(text_at(one, "state")), 10, text_at(one, "state"));
		page_cell(out, INK_PLAIN, 25, time_at(text, one, "opened"));
		page_cell(out, INK_PLAIN, 25, time_at(text, one, "due"));
		snprintf(text, sizeof(text), "%llu", (unsigned long long)count_at(one, "items"));
		page_rest(out, INK_PLAIN, text);
		page_newline(out);
	}
	if (!json_array_size(at(result, "cases")))
		page_none(out);
}

void live_page_case(struct page_out *out, const json_t *result)
{
	char text[32];
	json_t *item;
	size_t i;

	page_heading(out, "CASE");
	live_row(out, "case", INK_BOLD, "%llu", (unsigned long long)count_at(result, "case"));
	live_row(out, "tenant", INK_PLAIN, "%s", whose(result));
	live_row(out, "state", state_ink(text_at(result, "state")), "%s", text_at(result, "state"));
	live_row(out, "opened", INK_PLAIN, "%s", time_at(text, result, "opened"));
	live_row(out, "told", INK_PLAIN, "%s", time_at(text, result, "told"));
	live_row(out, "answer due", INK_PLAIN, "%s", time_at(text, result, "due"));
	live_row(out, "closed", INK_PLAIN, "%s", time_at(text, result, "closed"));
	page_heading(out, "WHAT CAME OF IT");
	json_array_foreach(at(result, "history"), i, item)
	{
		page_cell(out, INK_DIM, 25, time_at(text, item, "time"));
		page_cell(out, INK_PLAIN, 10, text_at(item, "what"));
		page_cell(out, INK_DIM, 12, text_at(item, "by"));
		live_page_fields(out, at(item, "fields"), (const char *const[]){NULL});
		page_newline(out);
	}
}

void live_page_case_change(struct page_out *out, const json_t *result)
{
	live_row(out, "case", INK_BOLD, "%llu", (unsigned long long)count_at(result, "case"));
	live_row(out, "state", state_ink(text_at(result, "state")), "%s", text_at(result, "state"));
}
