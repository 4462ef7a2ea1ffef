/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/base/text_file.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int begin(struct text_file *file, FILE *stream, const char *name)
{
	*file = (struct text_file){.stream = stream, .path = name};
	return stream ? 0 : -errno;
}

int text_file_open(struct text_file *file, const char *path)
{
	return begin(file, fopen(path, "re"), path);
}

int text_file_open_memory(struct text_file *file, const char *name, const char *text, size_t len)
{
	return begin(file, fmemopen((void *)(uintptr_t)text, len, "r"), name);
}

void text_file_close(struct text_file *file)
{
	if (file->stream)
		fclose(file->stream);
	free(file->buffer);
	*file = (struct text_file){0};
}

static char *trim(char *text, size_t len)
{
	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	text[len] = '\0';
	return text + strspn(text, " \t");
}

char *text_file_next(struct text_file *file, struct diag *diag)
{
	ssize_t len;

	while ((len = getline(&file->buffer, &file->room, file->stream)) >= 0) {
		char *entry;

		file->line++;
		if (memchr(file->buffer, '\0', len)) {
			diag_error(diag, file->path, file->line, "a NUL byte: not a text file?");
			continue;
		}
		entry = trim(file->buffer, len);
		if (!*entry || *entry == '#')
			continue;
		if (strlen(entry) <= TEXT_LINE_MAX)
			return entry;
		diag_error(diag, file->path, file->line, "a line of more than %d bytes",
			   TEXT_LINE_MAX);
	}
	if (ferror(file->stream))
		diag_error(diag, file->path, file->line, "can't be read: %s", strerror(errno));
	return NULL;
}
