/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rules/rule_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct head {
	uint64_t rows, strings;
};

static int row_order(const void *pa, const void *pb)
{
	const struct rule_row *a = pa, *b = pb;

	return (a->sid > b->sid) - (a->sid < b->sid);
}

static uint32_t put_text(FILE *strings, size_t *len, const char *text)
{
	uint32_t at = (uint32_t)*len;

	if (!text)
		text = "";
	*len += strlen(text) + 1;
	fwrite(text, 1, strlen(text) + 1, strings);
	return at;
}

static void fill(struct rule_row *row, struct rule *rule, const struct rule_override *o, bool *off)
{
	row->own_shadow = rule->shadow;
	if (o && o->shadow != RULE_SHADOW_OWN)
		rule->shadow = o->shadow == RULE_SHADOW_ON;
	/* By command goes before by push, which is about this text of the rule alone. */
	row->pushed = o && o->shadow == RULE_SHADOW_OWN && o->pushed && o->pushed == rule->digest &&
		      !row->own_shadow;
	if (row->pushed)
		rule->shadow = true;
	row->shadow = rule->shadow;
	row->disabled = o && o->disabled;
	*off = row->disabled;
	row->digest = rule->digest;
	row->sid = rule->sid;
	row->rev = rule->rev;
	row->line = rule->place.line;
	row->action = rule->action;
	row->risk = rule->risk;
	row->keep = rule->keep;
}

static int write_all(int fd, const void *data, size_t len)
{
	for (const char *at = data; len;) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static void fill_all(struct rule_list *list, const struct rule_overrides *overrides,
		     struct rule_row *rows, bool *off, FILE *strings)
{
	const char *file = NULL;
	uint32_t file_at = 0;
	size_t len = 0;

	put_text(strings, &len, "");
	for (size_t i = 0; i < list->count; i++) {
		struct rule *rule = &list->rules[i];

		fill(&rows[i], rule, rule_override_find(overrides, rule->sid), &off[i]);
		rows[i].msg = put_text(strings, &len, rule->msg);
		if (rule->place.file != file) {
			file = rule->place.file;
			file_at = put_text(strings, &len, file);
		}
		rows[i].file = file_at;
	}
	qsort(rows, list->count, sizeof(*rows), row_order);
}

int rule_index_write(int fd, struct rule_list *list, const struct rule_overrides *overrides,
		     bool *off)
{
	struct rule_row *rows = calloc(list->count + 1, sizeof(*rows));
	struct head head = {.rows = list->count};
	char *strings = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&strings, &len);
	int rc = -ENOMEM;

	if (rows && out) {
		fill_all(list, overrides, rows, off, out);
		rc = fflush(out) == 0 && len <= UINT32_MAX ? 0 : -ENOMEM;
	}
	head.strings = len;
	if (!rc)
		rc = write_all(fd, &head, sizeof(head));
	if (!rc)
		rc = write_all(fd, rows, list->count * sizeof(*rows));
	if (!rc)
		rc = write_all(fd, strings, len);
	if (out)
		fclose(out);
	free(strings);
	free(rows);
	return rc;
}

static bool is_sound(const struct rule_index *index, const struct head *head)
{
	const uint64_t room = index->size - sizeof(*head);

	if (head->rows > room / sizeof(struct rule_row) || !head->strings ||
	    head->strings != room - head->rows * sizeof(struct rule_row) ||
	    index->strings[head->strings - 1])
		return false;
	for (size_t i = 0; i < head->rows; i++)
		if (index->row[i].msg >= head->strings || index->row[i].file >= head->strings ||
		    (i && index->row[i].sid <= index->row[i - 1].sid))
			return false;
	return true;
}

int rule_index_map(int fd, size_t size, struct rule_index *index)
{
	const struct head *head;

	*index = (struct rule_index){.strings = ""};
	if (fd < 0)
		return 0;
	if (size < sizeof(*head))
		return -EBADMSG;
	index->map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (index->map == MAP_FAILED) {
		index->map = NULL;
		return -errno;
	}
	head = index->map;
	index->size = size;
	index->row = (const void *)(head + 1);
	index->count = head->rows;
	index->strings = (const char *)(index->row + head->rows);
	if (is_sound(index, head))
		return 0;
	rule_index_unmap(index);
	return -EBADMSG;
}

void rule_index_unmap(struct rule_index *index)
{
	if (index->map)
		munmap(index->map, index->size);
	*index = (struct rule_index){.strings = ""};
}

const struct rule_row *rule_index_find(const struct rule_index *index, uint32_t sid)
{
	const struct rule_row key = {.sid = sid};

	return index->count ? bsearch(&key, index->row, index->count, sizeof(key), row_order)
			    : NULL;
}

static bool is_same(const struct rule_row *a, const struct rule_row *b)
{
	return a->digest == b->digest && a->shadow == b->shadow && a->disabled == b->disabled;
}

void rule_index_compare(const struct rule_index *old, const struct rule_index *next,
			void (*each)(void *ctx, enum rule_change change, uint32_t sid), void *ctx)
{
	size_t i = 0, j = 0;

	while (i < old->count || j < next->count) {
		const struct rule_row *a = i < old->count ? &old->row[i] : NULL;
		const struct rule_row *b = j < next->count ? &next->row[j] : NULL;

		if (!b || (a && a->sid < b->sid)) {
			each(ctx, RULE_REMOVED, a->sid);
			i++;
		} else if (!a || b->sid < a->sid) {
			each(ctx, RULE_ADDED, b->sid);
			j++;
		} else {
			if (!is_same(a, b))
				each(ctx, RULE_CHANGED, b->sid);
			i++;
			j++;
		}
	}
}
