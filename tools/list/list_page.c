/* SPDX-License-Identifier: BSD-3-Clause */
/* What `postern list` shows. */
#include <string.h>

#include "tools/list/list.h"
#include "tools/live/live_json.h"

static const char *owner_of(const json_t *list)
{
	return *text_at(list, "tenant") ? text_at(list, "tenant") : "everybody";
}

static void page_from(struct page_out *out, const json_t *result)
{
	char when[32];

	if (count_at(result, "from"))
		live_row(out, "holds from", INK_PLAIN, "%s",
			 live_when(when, count_at(result, "from")));
	else
		live_row(out, "holds", INK_PLAIN, "at once");
}

static void page_import(struct page_out *out, const json_t *r)
{
	uint64_t read = count_at(r, "read");
	double took = number_at(r, "took_s");

	live_row(out, "list", INK_PLAIN, "%s of %s", text_at(r, "kind"), owner_of(r));
	live_row(out, "read", INK_PLAIN,
		 "%llu lines, %llu entries, %llu bad; %.2f s, %.2f million/s",
		 (unsigned long long)count_at(r, "lines"), (unsigned long long)read,
		 (unsigned long long)count_at(r, "bad"), took,
		 took > 0 ? (double)read / took / 1e6 : 0);
	live_row(out, "new", INK_PLAIN, "%llu; the list has %llu now",
		 (unsigned long long)count_at(r, "new"),
		 (unsigned long long)count_at(r, "entries"));
	page_from(out, r);
}

static void page_change(struct page_out *out, const struct list_call *c, const json_t *r)
{
	bool adds = strcmp(c->verb, "add") == 0;

	live_row(out, "list", INK_PLAIN, "%s of %s", text_at(r, "kind"), owner_of(r));
	live_row(out, adds ? "added" : "removed", INK_PLAIN, "%llu of %d; the list has %llu now",
		 (unsigned long long)count_at(r, "changed"), c->count,
		 (unsigned long long)count_at(r, "entries"));
	if (adds && count_at(r, "changed"))
		page_from(out, r);
}

static void page_check(struct page_out *out, const json_t *r)
{
	char text[512], when[32];
	json_t *entry;
	size_t i;

	json_array_foreach(at(r, "entries"), i, entry)
	{
		const char *standing = text_at(entry, "standing");

		if (strcmp(standing, "pending") == 0)
			snprintf(text, sizeof(text), "%s: on the list, and it holds from %s",
				 text_at(entry, "entry"), live_when(when, count_at(entry, "from")));
		else
			snprintf(text, sizeof(text), "%s: %s", text_at(entry, "entry"),
				 strcmp(standing, "listed") == 0 ? "on the list"
								 : "not on the list");
		page_rest(out, INK_PLAIN, text);
		page_newline(out);
	}
}

static void page_set(struct page_out *out, const char *name, const json_t *set)
{
	uint64_t entries = count_at(set, "entries");
	char when[32];

	if (!json_is_object(set))
		return;
	if (!entries && !count_at(set, "created")) {
		live_row(out, name, INK_DIM, "none yet");
		return;
	}
	live_row(out, name, INK_PLAIN, "%llu entries, %llu bytes (%.1f an entry), written %s",
		 (unsigned long long)entries, (unsigned long long)count_at(set, "bytes"),
		 entries ? (double)count_at(set, "bytes") / (double)entries : 0,
		 live_when(when, count_at(set, "created")));
}

static void page_show(struct page_out *out, const json_t *r)
{
	json_t *list;
	char text[64], when[32];
	size_t i;

	page_cell(out, INK_DIM, 20, "tenant");
	page_cell(out, INK_DIM, 15, "kind");
	page_cell(out, INK_DIM, 12, "entries");
	page_cell(out, INK_DIM, 12, "to come");
	page_rest(out, INK_DIM, "last change");
	page_newline(out);
	json_array_foreach(at(r, "lists"), i, list)
	{
		bool nameless = count_at(list, "id") && !*text_at(list, "tenant");

		snprintf(text, sizeof(text), "id %llu", (unsigned long long)count_at(list, "id"));
		page_cell(out, INK_PLAIN, 20, nameless ? text : owner_of(list));
		page_cell(out, INK_PLAIN, 15, text_at(list, "kind"));
		snprintf(text, sizeof(text), "%llu", (unsigned long long)count_at(list, "entries"));
		page_cell(out, INK_PLAIN, 12, text);
		snprintf(text, sizeof(text), "%llu", (unsigned long long)count_at(list, "pending"));
		page_cell(out, INK_PLAIN, 12, text);
		page_rest(out, INK_PLAIN, live_when(when, count_at(list, "added")));
		page_newline(out);
	}
	page_set(out, "base", at(r, "base"));
	page_set(out, "changes since", at(r, "delta"));
}

void list_page(struct page_out *out, const struct list_call *c, const json_t *r)
{
	if (strcmp(c->verb, "import") == 0)
		page_import(out, r);
	else if (strcmp(c->verb, "check") == 0)
		page_check(out, r);
	else if (strcmp(c->verb, "show") == 0)
		page_show(out, r);
	else
		page_change(out, c, r);
}
