/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files of one entry a line: blank lines and lines that begin with '#' are not
 * entries, blanks around one don't count, LF or CRLF. Blocks on the disk.
 */
#ifndef POSTERN_TEXT_FILE_H
#define POSTERN_TEXT_FILE_H

#include <stdio.h>
#include <sys/types.h>

#include "control/config/diag.h"

#define TEXT_LINE_MAX 1024 /* bytes; a longer line is an error */

struct text_file {
	FILE *stream;
	const char *path; /* the caller's */
	unsigned line;    /* of the entry just read, from 1 */
	char *buffer;
	size_t room;
};

/* 0 or -errno. */
int text_file_open(struct text_file *file, const char *path);
/* Text in memory, called `name` in errors. It must outlive the file. */
int text_file_open_memory(struct text_file *file, const char *name, const char *text, size_t len);
void text_file_close(struct text_file *file);

/* The next entry, NUL-terminated, until the next call; NULL at the end. Bad lines go to `diag`. */
char *text_file_next(struct text_file *file, struct diag *diag);

#endif
