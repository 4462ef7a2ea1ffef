/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config/diag.h"

#include <stdlib.h>
#include <string.h>

/* The number of the first item of the same file, so that files keep the order they came in. */
static size_t order_of(const struct diag *diag, const char *file)
{
	for (size_t i = 0; i < diag->count; i++)
		if (strcmp(diag->items[i].file, file) == 0)
			return diag->items[i].order;
	return diag->count;
}

static void add(struct diag *diag, enum diag_level level, const char *file, unsigned line,
		const char *format, va_list args)
{
	struct diag_item item = {.line = line, .level = level};

	*(level == DIAG_ERROR ? &diag->errors : &diag->warnings) += 1;
	if (diag->count == DIAG_KEPT)
		return;
	if (diag->count == diag->room) {
		size_t room = diag->room ? diag->room * 2 : 16;
		struct diag_item *more = reallocarray(diag->items, room, sizeof(*more));

		if (!more)
			return;
		diag->items = more;
		diag->room = room;
	}
	item.file = strdup(file ? file : "postern");
	if (!item.file)
		return;
	if (vasprintf(&item.text, format, args) < 0) {
		free(item.file);
		return;
	}
	item.order = order_of(diag, item.file);
	diag->items[diag->count++] = item;
}

void diag_error(struct diag *diag, const char *file, unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(diag, DIAG_ERROR, file, line, format, args);
	va_end(args);
}

void diag_warning(struct diag *diag, const char *file, unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(diag, DIAG_WARNING, file, line, format, args);
	va_end(args);
}

static int item_compare(const void *a, const void *b)
{
	const struct diag_item *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return strcmp(x->text, y->text);
}

void diag_print(struct diag *diag, FILE *out)
{
	size_t found = diag->errors + diag->warnings;

	if (diag->count)
		qsort(diag->items, diag->count, sizeof(*diag->items), item_compare);
	for (size_t i = 0; i < diag->count; i++) {
		const struct diag_item *item = &diag->items[i];

		fputs(item->file, out);
		if (item->line)
			fprintf(out, ":%u", item->line);
		fprintf(out, ": %s: %s\n", item->level == DIAG_ERROR ? "error" : "warning",
			item->text);
	}
	if (found > diag->count)
		fprintf(out, "postern: error: and %zu more\n", found - diag->count);
}

void diag_fini(struct diag *diag)
{
	for (size_t i = 0; i < diag->count; i++) {
		free(diag->items[i].file);
		free(diag->items[i].text);
	}
	free(diag->items);
	*diag = (struct diag){0};
}
