/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is wrong with files that people write: every error, each with its
 * place, collected until the reading is over. One thread; allocates.
 */
#ifndef POSTERN_DIAG_H
#define POSTERN_DIAG_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

enum diag_level { DIAG_WARNING, DIAG_ERROR };

struct diag_item {
	char *file;
	unsigned line; /* from 1; 0: of the file as a whole */
	enum diag_level level;
	char *text;
	size_t order;
};

/* All-zero is empty. */
struct diag {
	struct diag_item *items;
	size_t count, room;
	size_t errors;   /* errors found, those not kept included */
	size_t warnings; /* likewise */
};

#define DIAG_KEPT 1000 /* beyond these only the count grows */

/* Printf-like, without "error:" and newline. `file` may be NULL. */
void diag_error(struct diag *diag, const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void diag_warning(struct diag *diag, const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* "file:line: error: text" lines, ordered by line within a file, files as they came. */
void diag_print(struct diag *diag, FILE *out);
void diag_fini(struct diag *diag);

#endif
