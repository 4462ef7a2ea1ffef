/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config/config_lint_internal.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 256

static const struct {
	const char *name, *text;
} kinds[LINT_COUNT] = {
#define X(id, name, text) {name, text},
	LINTS(X)
#undef X
};

const char *lint_name(enum lint_kind kind)
{
	return kinds[kind].name;
}

const char *lint_text(enum lint_kind kind)
{
	return kinds[kind].text;
}

void lint_add(struct lint *lint, enum lint_kind kind, const config_setting_t *where,
	      const char *format, ...)
{
	char path[PATH_SIZE] = "", buffer[PATH_MAX];
	struct lint_note note = {.kind = kind};
	const char *file = NULL;
	va_list args;

	if (lint->count == lint->room) {
		const size_t room = lint->room ? 2 * lint->room : 64;
		struct lint_note *more = reallocarray(lint->notes, room, sizeof(*more));

		if (!more) {
			lint->error = -ENOMEM;
			return;
		}
		lint->notes = more;
		lint->room = room;
	}
	if (where) {
		setting_path(where, path, sizeof(path));
		file = setting_file(where, buffer, sizeof(buffer));
		note.line = config_setting_source_line(where);
	}
	va_start(args, format);
	if (vasprintf(&note.text, format, args) < 0)
		note.text = NULL;
	va_end(args);
	note.file = strdup(file ? file : "");
	note.path = strdup(path);
	if (!note.text || !note.file || !note.path)
		lint->error = -ENOMEM;
	lint->notes[lint->count++] = note;
}

/* Columns: libconfig knows lines alone. */

struct source {
	FILE *file;
	char *name, *text;
	size_t room;
	unsigned line;
};

/* Notes come by file and line, so each file is read once. */
static const char *source_line(struct source *s, const struct lint_note *note)
{
	if (!s->name || strcmp(s->name, note->file) != 0) {
		if (s->file)
			fclose(s->file);
		s->file = fopen(note->file, "re");
		s->name = note->file;
		s->line = 0;
	}
	while (s->file && s->line < note->line) {
		if (getline(&s->text, &s->room, s->file) < 0)
			return NULL;
		s->line++;
	}
	return s->file && s->line == note->line ? s->text : NULL;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* The last name of a path: "prefixes" of "tenants[2].prefixes[0]". */
static const char *last_name(const char *path, char name[PATH_SIZE])
{
	const char *dot = strrchr(path, '.');

	snprintf(name, PATH_SIZE, "%s", dot ? dot + 1 : path);
	name[strcspn(name, "[")] = '\0';
	return name;
}

/* Where the setting's name stands in its line; else where the line begins. */
static unsigned column_of(const char *line, const char *path)
{
	char name[PATH_SIZE];
	const size_t len = strlen(last_name(path, name));

	for (const char *p = line; len && (p = strstr(p, name)); p += len)
		if ((p == line || !is_word(p[-1])) && !is_word(p[len]))
			return (unsigned)(p - line) + 1;
	return (unsigned)strspn(line, " \t") + 1;
}

static void find_columns(struct lint *lint)
{
	struct source source = {0};

	for (size_t i = 0; i < lint->count; i++) {
		struct lint_note *note = &lint->notes[i];
		const char *line = note->line ? source_line(&source, note) : NULL;

		if (line)
			note->column = column_of(line, note->path);
	}
	if (source.file)
		fclose(source.file);
	free(source.text);
}

static int by_place(const void *pa, const void *pb)
{
	const struct lint_note *a = pa, *b = pb;
	const int file = strcmp(a->file, b->file);

	if (file)
		return file;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->kind != b->kind ? (int)a->kind - (int)b->kind : strcmp(a->path, b->path);
}

int config_lint(const struct config *config, struct lint *lint)
{
	*lint = (struct lint){0};
	lint_limits(lint, config);
	lint_answers(lint, config);
	lint_risk(lint, config);
	lint_retention(lint, config);
	lint_tenants(lint, config);
	if (lint->error)
		return lint->error;
	if (lint->count)
		qsort(lint->notes, lint->count, sizeof(*lint->notes), by_place);
	find_columns(lint);
	return 0;
}

void lint_fini(struct lint *lint)
{
	for (size_t i = 0; i < lint->count; i++) {
		free(lint->notes[i].file);
		free(lint->notes[i].path);
		free(lint->notes[i].text);
	}
	free(lint->notes);
	*lint = (struct lint){0};
}
