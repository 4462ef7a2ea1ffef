/* SPDX-License-Identifier: BSD-3-Clause */
/* Tenants with points, the highest score first. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/page/page_sections.h"

#define RISK_ROWS 20

struct place {
	double score;
	size_t slot;
};

static int by_score(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	if (a->score != b->score)
		return a->score < b->score ? 1 : -1;
	return (a->slot > b->slot) - (a->slot < b->slot);
}

static double score_of(const json_t *risk)
{
	return json_number_value(json_object_get(risk, "score"));
}

/* "asr 31.1, bulk 1" */
static void terms_text(const json_t *points, char *text, size_t size)
{
	const char *name;
	json_t *value;
	size_t used = 0;

	text[0] = '\0';
	json_object_foreach((json_t *)(uintptr_t)points, name, value)
	{
		if (used < size)
			used += (size_t)snprintf(text + used, size - used, "%s%s %.3g",
						 used ? ", " : "", name, json_number_value(value));
	}
}

static void row(struct page_out *out, const struct report *r, const struct place *place)
{
	const json_t *risk = r->risk[place->slot];
	const char *level = json_string_value(json_object_get(risk, "level"));
	char text[256];

	page_cell(out, INK_PLAIN, 2, "");
	page_cell(out, INK_PLAIN, 18, r->names->slot[place->slot].name);
	page_cell(out, INK_PLAIN, 2, "");
	snprintf(text, sizeof(text), "%.1f", place->score);
	page_cell(out, INK_BOLD, -6, text);
	page_cell(out, INK_PLAIN, 2, "");
	page_cell(out, strcmp(level, "none") == 0 ? INK_DIM : INK_RED, 10, level);
	terms_text(json_object_get(risk, "points"), text, sizeof(text));
	page_rest(out, INK_PLAIN, text);
	page_newline(out);
}

int page_risk(struct page_out *out, const struct report *r)
{
	struct place *list = calloc(r->names->count + 1, sizeof(*list));
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; r->risk && i < r->names->count; i++)
		if (score_of(r->risk[i]) >= 0.05)
			list[n++] = (struct place){score_of(r->risk[i]), i};
	if (n) {
		qsort(list, n, sizeof(*list), by_score);
		page_heading(out, "RISK");
	}
	for (size_t i = 0; i < n && i < RISK_ROWS; i++)
		row(out, r, &list[i]);
	page_more(out, n > RISK_ROWS ? n - RISK_ROWS : 0);
	free(list);
	return 0;
}
