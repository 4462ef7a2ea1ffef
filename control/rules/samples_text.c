/* SPDX-License-Identifier: BSD-3-Clause */
/* Words, strings, escapes and lines of a sample. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "control/rules/samples_reader.h"

#define ITEM_MAX (1u << 20) /* bytes of one item */

struct rule_place sample_place(const struct sample_reader *r, const char *at)
{
	return (struct rule_place){r->file, r->number, (uint32_t)(at - r->line + 1)};
}

bool sample_fail(struct sample_reader *r, const char *at, const char *format, ...)
{
	char message[256];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	rule_diag_add(r->diags, RULE_ERROR, sample_place(r, at), r->sample.sid, "%s", message);
	r->failed = true;
	return false;
}

bool sample_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

const char *sample_skip_blanks(const struct sample_reader *r, const char *p)
{
	while (p < r->end && sample_is_blank(*p))
		p++;
	return p;
}

const char *sample_word_end(const struct sample_reader *r, const char *p)
{
	while (p < r->end && !sample_is_blank(*p))
		p++;
	return p;
}

bool sample_word_is(const char *p, const char *end, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(end - p) == len && memcmp(p, text, len) == 0;
}

static void put(struct sample_reader *r, char c)
{
	struct sample_item *item = r->item;

	item->text = arena_grow(&r->list->arena, item->text, item->len, &item->capacity, 1);
	item->text[item->len++] = c;
}

static void put_cut(struct sample_reader *r)
{
	struct sample_item *item = r->item;

	item->cuts = arena_grow(&r->list->arena, item->cuts, item->cut_count, &item->cut_capacity,
				sizeof(*item->cuts));
	item->cuts[item->cut_count++] = item->len;
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* What stands after a backslash at p - 1; returns what comes after it, NULL with a mistake said. */
static const char *take_escape(struct sample_reader *r, const char *p)
{
	static const char from[] = "\\\"rnt", to[] = "\\\"\r\n\t";
	const char *known = p < r->end ? memchr(from, *p, sizeof(from) - 1) : NULL;

	if (known) {
		put(r, to[known - from]);
		return p + 1;
	}
	if (p < r->end && *p == '/') {
		if (r->item->kind == SAMPLE_VALUE) {
			sample_fail(r, p - 1,
				    "a packet can end (\\/) only in whole messages and sessions");
			return NULL;
		}
		put_cut(r);
		return p + 1;
	}
	if (r->end - p >= 3 && *p == 'x' && hex(p[1]) >= 0 && hex(p[2]) >= 0) {
		put(r, (char)(hex(p[1]) << 4 | hex(p[2])));
		return p + 3;
	}
	sample_fail(r, p - 1, "expected \\\\, \\\", \\r, \\n, \\t, \\xHH or \\/ (a packet's end)");
	return NULL;
}

static bool too_long(struct sample_reader *r, const char *at)
{
	return r->item->len >= ITEM_MAX &&
	       !sample_fail(r, at, "more than %u bytes: samples are smaller", ITEM_MAX);
}

/* As it is but for escapes, up to the line's end or `stop`; NULL: an escape was wrong. */
static const char *take_text(struct sample_reader *r, const char *p, int stop)
{
	while (p && p < r->end && *p != stop) {
		if (*p == '\\')
			p = take_escape(r, p + 1);
		else
			put(r, *p++);
	}
	return p;
}

/* The rest of the line, and CRLF. */
bool sample_take_line(struct sample_reader *r, const char *p)
{
	if (too_long(r, p))
		return false;
	if (!take_text(r, p, EOF))
		return false;
	put(r, '\r');
	put(r, '\n');
	return true;
}

/* One or several strings in quotes, put together. */
bool sample_take_strings(struct sample_reader *r, const char *p)
{
	if (p == r->end || *p != '"')
		return sample_fail(r, p, "expected a text in double quotes");
	while (p < r->end) {
		const char *start = p++;

		if (*start != '"')
			return sample_fail(r, start,
					   "expected a text in double quotes, or the line's end");
		if (too_long(r, start))
			return false;
		p = take_text(r, p, '"');
		if (!p)
			return false;
		if (p == r->end)
			return sample_fail(r, start, "this text has no closing quote");
		p = sample_skip_blanks(r, p + 1);
	}
	return true;
}
